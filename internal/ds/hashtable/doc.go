// Package hashtable is the table of big hashes and sets: fields, perhaps with values and
// expiries, packed into leaves under a directory by hash.
//
// # Layout
//
// A directory (ds/hashdir) leads from a hash's position to a leaf, a block of up to about
// 1 KiB that is always nearly full, because it is moved to a block of the next size when
// it needs to be:
//
//	 0       3       4       6         8      11      12                         used
//	+-------+-------+-------+---------+------+-------+-----+------+------+--------+
//	| head  | flags | count | special | used | depth | min | tags | lens | bodies |
//	+-------+-------+-------+---------+------+-------+-----+------+------+--------+
//	                                                  0/8   count  count
//
//	head     of ds/leaf; its last byte is the flags: 1 entries have values, 8 there is min
//	count    of entries
//	special  how many of them, the first ones, have a special body
//	used     bytes of the leaf
//	depth    bits of the position that all entries share
//	min      a time before which none of the entries expires
//	tags     of each entry the last 8 bits of its hash, compared eight at a time
//	lens     of each entry the size of its body
//	bodies   in a set:                 field
//	         in a hash:                length of the field (1 byte), field, value
//	         special: flags (1 byte), expiry (8 bytes, with flag 2), and then
//	                  as above, or with flag 1 the reference of a block outside
//
// An element that would take more than 246 bytes is outside, in a block of its own:
// ds/leaf's head, the lengths of field and value in 4 bytes each, and the two. Such blocks
// are never changed. They are frozen, abandoned and thawed together with the leaf that
// names them: a block that was there at the cut is named by exactly one frozen leaf, so
// Thaw of that leaf thaws it, or frees it if it was dropped since.
//
// # Example
//
// The leaf of the set of "a" and "bc", with hashes that end in 17 and 2e, is
//
//	.. .. .. 00  02 00  00 00  13 00 00  00  17 2e  01 02  61 62 63
//
// # Invariants
//
//  1. A field is in the leaf of its hash's position, once.
//  2. special entries stand before plain ones, and are those that expire or are outside.
//  3. No entry expires before its leaf's min, or before the table's.
//  4. most is at least the number of entries of every leaf.
//  5. A table without elements has no blocks.
//
// # Cost
//
// The body of entry i begins behind the sum of the lengths before it. That sum, of eight
// lengths at a time, costs some ten nanoseconds in the middle of a full leaf; offsets
// would cost two bytes an element, ten per cent of a set's member.
//
//	Find     the directory's entry, the first lines of the leaf, the line of the body
//	Set      the same, and moving half a leaf; every third insertion moves a leaf to a
//	         larger block, every thirtieth splits one
//	memory   18.8 bytes live and 19.6 resident for a set's member of 16 bytes, of a million
//	         (of ten million 19.0); 53.7 and 54.2 for a hash's field of 16 with a value
//	         of 32 (BenchmarkBytes)
//
// Leaves of 512 bytes take half a byte more for each member, of 2 KiB a quarter less, but
// insertion costs 10 % more; lookups cost the same.
package hashtable
