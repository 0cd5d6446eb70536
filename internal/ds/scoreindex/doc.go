// Package scoreindex finds a sorted set's scores by the hashes of its members. It holds
// no members: who looks one up gets the scores of all members with its hash, which is
// nearly always one or none, and asks the tree that is ordered by score which is right.
//
// # Layout
//
// A hash of 32 bits becomes a key: the first bits of its position in a directory (see
// hashdir.Position). The leaves are
//
//	 0       2       3      4
//	+-------+-------+------+------------------+----------------------------+
//	| count | depth | free | keys, ascending  | scores, in the same order  |
//	+-------+-------+------+------------------+----------------------------+
//	                         4-1 bytes each     8 bytes each
//
// and are moved to a block of the next size when they grow, so that they are always
// nearly full. All keys of a leaf begin with the same depth bits, so it keeps 4 - depth/8
// bytes of each: three from some ten thousand elements on, two from four million.
//
// No snapshot reads an index, so the leaves are ordinary blocks: they have no ds/leaf head
// and are never frozen.
//
// # Invariants
//
//  1. An element is in the leaf of its key, between smaller or equal and larger or equal.
//  2. A key has the leaf's first bits; its last bytes are kept, little endian.
//  3. An index without elements has no blocks.
//
// # Cost
//
//	Find     the directory's entry, two lines of the leaf: keys are spread evenly, so one's
//	         place is guessed within a few
//	Insert   the same, and moving half a leaf; every third insertion moves a leaf to a
//	         larger block
//	memory   11.4 bytes live and 12.2 resident for an element of a million (BenchmarkBytes)
package scoreindex
