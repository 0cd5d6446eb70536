// Package quicklist is a list in packed nodes, the encoding of lists that are too big to
// be one listpack.
//
// # Layout
//
//	root     head --------+   inner --+          +-------- tail
//	                      |           |          |
//	index                 |      [12 9 ]         |         elements below each entry
//	                      |      /     \         |
//	                      |  [5 4 3] [2 7]       |
//	                      v   | | |   | |        v
//	nodes                [4]  5 4 3   2 7       [6]        listpacks, compressed or not
//
// The root knows the first and the last node, which are not in the index: a push or pop
// touches the root and one node, until that is full or empty and joins or leaves the
// index. The index is a B+tree of the nodes between, ordered by position; an entry is a
// node and how many elements it has. It lies in ordinary blocks of up to 63 entries.
//
// A node is a leaf in the sense of ds/leaf. The last byte of the leaf's head says what
// follows:
//
//	list             [listpack]
//	list with a gap  [start u32][...gap...][listpack]
//	plain            [size u64][one element]
//	compressed       [size u32][size of the stream u32][LZF stream of a list or plain]
//
// A listpack knows its size, and the index how many elements it has, so a list needs
// nothing but the leaf's head beside it: 8 KiB of Redis's reckoning are a block of 8 KiB.
//
// The gap is for the head. With it LPUSH writes the new entry over the old header and
// puts the header before it, and LPOP puts the header behind the first entry: neither
// moves the 8 KiB behind. The room is what a block has more than its list: it grows by a
// quarter, or more if that is little beside the whole list, and is cut off when the node
// becomes an inner one.
//
// # Limits
//
// Fill, Depth and PackedThreshold mean what list-max-listpack-size, list-compress-depth
// and DEBUG QUICKLIST-PACKED-THRESHOLD mean in Redis, and come with every change: a node
// that was made under other options stays as it is until it is changed. A node that
// overflows in its middle is split, and what fits into a neighbour is joined with it.
//
// # Invariants
//
//  1. A tail implies a head, and an index both. No node is empty.
//  2. Head and tail are not compressed.
//  3. An entry's count is that of its node, or of all below it; together with head and
//     tail they are Len, which is below 2^32.
//  4. Two neighbouring blocks below one have 32 entries or more together, and the root
//     has two unless it is the only block.
//  5. A plain node has one element.
//  6. If there is no memory, a change fails and the list is as it was; only Remove may
//     have removed some. Compressing, joining and cutting to size are not done then.
//
// # Cost
//
//	Push, Pop at an end    O(1), 46 and 23 ns; what a full or empty node costs included
//	Index, Set, InsertAt   O(log n) to the node, a walk in the node, a move in it:
//	                       0.8, 0.9, 1.7 us in 1M elements, if every insertion splits
//	DeleteRange            the same for two nodes, O(log n) for each node between
//	Remove                 one pass over the list; a node that has some is moved once
//	Depth                  O(Depth) whenever a node comes or goes
//	memory                 12 bytes a node, and the rounding of its block
//
// The times are the best of nine short runs on a busy machine (AMD EPYC, two shared
// cores), at -2 and with 16-byte elements. Measured by BenchmarkBytesPerElement, a list
// of 1M texts of 10-20 bytes costs 0.3 % over the bytes of its listpacks, at -1 0.6 %.
package quicklist
