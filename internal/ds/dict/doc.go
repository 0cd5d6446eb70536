// Package dict is the hash table of the keyspace: from the placement of a key to the
// block that holds the key and its value.
//
// # Layout
//
// A placement is a 64-bit hash. The dict drops its first bits (they chose the
// stripe) and calls the rest the position. Keys are ordered by position at the
// granularity of buckets, at all times:
//
//	position   0 ........................................................ 2^64
//	directory  [0][1][2][3][4][5][6][7]      2^depth entries; neighbours may share
//	segments   |A    |B |C |D          |     a segment is an array of 1-128 buckets
//	buckets    |.|.|.|..|..|..|.|.|.|..|     each an equal part of its segment's range
//
// A bucket is one cache line:
//
//	0            12     13      14        16                              64
//	+------------+------+-------+---------+-------------------------------+
//	| 12 tags    | ttl  | flags | version | 12 references                 |
//	+------------+------+-------+---------+-------------------------------+
//
// A tag is 8 bits of the placement, 0 for an empty place. Eight are compared at a
// time. If a bucket overflows, its last reference names another bucket behind it
// and the flag chained is set; only the first bucket's ttl and version mean anything.
//
// The record that a reference names begins with a byte that is the caller's, then
// the key's length and the key, see KeyOf.
//
// # Growth
//
// A segment is rebuilt with 4/3 or 3/2 as many buckets when it holds more than
// fullLoad/2 keys a bucket, up to 128 buckets; then it is split in two. So growth moves
// at most some 1,400 references at a time, no second table exists, and the memory of
// a table follows its number of keys within 13 %: measured by
// BenchmarkBytesPerKey, 7.6 to 8.7 bytes a key. (Doubling would swing
// between 6.5 and 13.)
//
// Load 11.5 of 12 looks too high for a table without displacement: a third of the
// buckets have a second one. But that is what costs least memory. At load 8, 6 % chain and a key costs
// 8.5 bytes; at 11.5, 36 % chain and it costs 7.6; and the second miss is met by one
// lookup in twelve.
//
// # Invariants
//
//  1. The ranges of the segments partition the positions, in directory order.
//  2. A record is in the bucket of its key's position, or in that bucket's chain.
//  3. Only the last bucket of a chain has empty places.
//  4. Segment counts add up to Len.
//
// # Cost
//
//	Find     two cache misses, the bucket's and the record's
//	Insert   the same, and 2.4 moves of another reference, on average
//	Scan     one bucket a step; a position is a cursor that survives growth
//
// A Dict has no lock; whoever holds the stripe's may use it. Only Home and
// AppendCandidates may be called without.
package dict
