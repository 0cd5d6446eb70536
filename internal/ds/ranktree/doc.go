// Package ranktree keeps byte strings in memcmp order and knows the rank of each: a
// counted B+tree in an arena. Sorted sets have score and member as one key, streams
// have entry IDs; with each key go up to 32 bytes of payload, as many as the tree says.
//
// # Layout
//
//	                 +---------------------+
//	inner nodes      | "" | "f" | "mo" |   |      Arena blocks, never frozen
//	                 +--|----|-----|-------+
//	            +-------+    |     +--------+     child: reference and number of elements
//	            v            v              v
//	leaves   a..ear       fan..mole     moth..z   leaf.Heap blocks, frozen by snapshots
//
// All nodes are laid out alike. In a leaf the keys are the elements; in an inner node
// they are separators, and the payload of each is its child.
//
//	0        3     4      6       8        8+n        8+n+n*p
//	+--------+-----+------+-------+--------+----------+---------------+
//	| leaf's | p   | size | count | n      | n        | n keys, one   |
//	| head   |     |      |       | codes  | payloads | behind another|
//	+--------+-----+------+-------+--------+----------+---------------+
//
// A code is the number of bytes that a key takes: the codes are apart from the keys so
// that eight are added up at once, and so that one can walk backward. Search goes by
// eights and compares the first eight bytes as one number.
//
// A key of more than 127 bytes has a stub of 32 in the node: its first 24 bytes, its
// length, and the reference of a block (leaf's head, then the whole key) that never
// changes. Its code is 32 with the high bit set. Separators may be long too, if keys
// share that much.
//
// The block of a node fits its content: a leaf that is two thirds full takes two thirds
// of the memory. So splitting in the middle costs only its part of a node's overhead.
//
// For example a leaf of the keys "a" and "bc" with payloads of one byte, 1 and 2:
//
//	stamp flags p size  count codes payloads keys
//	00 00 00    01 0f 00 02 00 01 02 01 02    61 62 63
//
// # Splitting
//
// A full leaf is split in the middle; but if the new key is the tree's last or first,
// it gets a leaf of its own, and the full one stays full. Insert makes room from the
// root down, one whole step at a time, and walks again: a step that fails for lack of
// memory leaves a valid tree with the same elements.
//
// # Invariants
//
//  1. Keys are unique and in memcmp order within a node and from leaf to leaf.
//  2. A separator is not greater than any key below its child, and greater than all
//     keys before it. The first of a node is empty: the parent has it.
//  3. A child's count is the number of elements below it; all add up to Len.
//  4. Every leaf is at the same depth. No node is empty, no root has only one child.
//  5. A key has a block of its own exactly if it is longer than 127 bytes, and the one
//     entry that names it in the tree; frozen leaves may name it too.
//
// # Cost
//
// Measured with members of 19 bytes and random scores, 27 bytes a key; live is in
// blocks, held is of the arena, from BenchmarkFill with a million elements:
//
//	                          live   held   bytes an element
//	inserted in random order  29.4   30.1
//	inserted in order         28.8   29.8   either way
//	all replaced once         29.4   32.5
//	a third deleted           29.6   49.5   until something else uses the free blocks
//
// Leaves of 512 to 2048 bytes differ by a byte an element and hardly in time. A search
// looks at six or so keys of each of three or four nodes.
package ranktree
