// Package hashdir is an extendible directory kept in an arena: from a 64-bit hash to
// the leaf, a block of its owner's, that holds what has this hash.
//
// # Layout
//
// Each leaf covers all hashes that begin with certain bits; their number is the leaf's
// depth, which the owner keeps. The directory is an array of references by the first
// bits of a hash, in two levels so that nothing big is ever copied:
//
//	hash        | first `top` bits |           the rest           |
//	top array   [word][word][word][word]       2^top words of 8 bytes
//	               |     |    \____/
//	chunks      [leaf][leaf][leaf]...          2^bits references, bits <= 10
//
//	word        ref 32 | bits 8 | depth 8      of a chunk; neighbours may share one
//
// A chunk tells depth+bits bits of a hash apart; a leaf of a smaller depth stands in
// 2^(depth+bits-leaf's) entries, side by side. A chunk doubles when a leaf must split
// that stands in one entry; beyond 1024 entries it becomes two; and when a chunk's depth
// would exceed top, the top array doubles: for 10^9 elements in leaves of 45 it has some
// 32,000 words.
//
// Small directories have less: with one chunk there is no top array, its word is in the
// Dir; and a chunk of one entry is no block, its word names the leaf.
//
// # Invariants
//
//  1. The ranges of the leaves partition the hashes, in the order of the entries.
//  2. A chunk has at least one leaf of depth+bits, unless memory was short.
//  3. The words of one chunk are equal, and stand in 2^(top-depth) places.
//  4. deep is the largest depth+bits of a chunk.
//
// # Cost
//
//	Find       two loads; of the first, the top array's, there are few, so it is cached
//	Replace    as Find
//	Split      now and then a chunk of 4 KiB is copied, seldom the top array
//
// A directory takes 4 bytes for an entry; with leaves that split at 56 elements, and
// hashes that are random, that is 0.2 bytes an element.
package hashdir
