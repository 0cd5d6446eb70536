// Package mem keeps data outside the Go heap, so that the garbage collector's work
// does not depend on how much there is.
//
// An Arena is a reserved range of addresses that is committed as it fills. A block
// in it is named by a Ref, the number of 4-byte granules from the arena's start:
// half the size of a pointer, and nothing that the collector follows. A stripe of
// the keyspace owns one arena.
//
// # Layout
//
//	page 0      page 1      page 2      page 3 ...
//	+-----------+-----------+-----------+-----------+-- - - --+
//	| reserved  | span of class 84      | free run  |         |  4096 bytes a page
//	+-----------+-----------+-----------+-----------+-- - - --+
//	               84 84 84 84 ... 84
//
// Blocks of up to 32 KiB come from spans: runs of 1 to 16 pages cut into equal blocks
// of one size class. Larger blocks are runs of pages of their own. Free runs are kept
// in bins by the logarithm of their length and join their free neighbours.
//
// Classes are 4 bytes apart up to 128, and 16 to each doubling above, so rounding
// costs at most 6 %. A class gets spans of its own when half a page of its blocks has
// been asked for; until then a coarser class serves it, of which there are two to a
// doubling. Else a page for each of 160 classes in each of 64 arenas would make ten
// thousand keys cost more than the keys.
//
// Page 0 is never handed out, so that Ref 0 can mean "none".
//
// What is known of a page is 16 bytes in a table beside the arena, see pageInfo.
//
// # Invariants
//
//  1. Every page below next belongs to exactly one span, large run or free run.
//  2. live is the sum of the block sizes of all allocated blocks.
//  3. A span is on its class's list exactly when it has a free block.
//  4. Two free runs are never neighbours.
//
// # Cost
//
//	Alloc, Free   O(1) for spans, about 10 ns; a first fit over few runs for large blocks
//	memory        16 bytes a page, under 1 % at the end of most spans, half a page a class
//
// # Checked builds
//
// With the tag invariants every block is followed by a canary, freed blocks are
// filled with poison, and a shadow table refuses to free what is not live. Leak
// proof is Live() == 0.
//
// An Arena has no lock: whoever holds the stripe's lock may use it, and a Ref is
// valid under that lock only.
package mem
