// Package listpack is Redis's packed list: a sequence of byte strings and integers in
// one run of bytes, the same bytes that RDB files carry.
//
// # Layout
//
//	+-------+-------+---------+---------+-- ... --+---------+------+
//	| total | count | entry 0 | entry 1 |         | entry n | 0xff |
//	+-------+-------+---------+---------+-- ... --+---------+------+
//	  4       2                                               1      bytes
//
// Total is the number of all bytes, count that of the entries; both are little endian.
// A count of 65535 means that there are that many or more, and that who wants to know
// must count. An entry is
//
//	+----------+------+---------+
//	| encoding | data | backlen |
//	+----------+------+---------+
//
//	0xxxxxxx                    the integer 0-127
//	10llllll                    a text of 0-63 bytes, which follow
//	110xxxxx xxxxxxxx           an integer of 13 bits, signed, big endian
//	1110llll llllllll           a text of up to 4095 bytes
//	11110000 llllllll x 4       a longer text; length little endian
//	11110001 to 11110100        a signed integer of 2, 3, 4, 8 bytes, little endian
//
// The backlen is the size of what is before it in the entry. It is read from its last
// byte backwards: 7 bits in each byte, the lowest in the last one, and the top bit says
// that there is a byte before this one.
//
// # Example
//
// The list of "a" and "1024" takes 14 bytes:
//
//	0e 00 00 00  02 00  81 61 02  c4 00 02  ff
//	total 13     count  "a"       1024      end
//
// # Positions
//
// A position is the offset of an entry's first byte. No entry begins at 0, so that
// is "none":
//
//	for at := l.First(); at != 0; at = l.Next(at) {
//
// Positions before a change stay good; those at and behind it move with their entries.
//
// # Changes
//
// Nothing here allocates. A list lies at the beginning of a buffer, mostly a block of
// an arena; who changes it first makes the buffer large enough and then calls:
//
//	e := listpack.Text(arg)
//	b = grow(b, len(l)+e.Size())     // the caller's
//	size = listpack.Append(b, e)     // of the list now: In(b) is it
//
// An element must not lie in the buffer that is changed.
//
// # Invariants
//
//  1. Total is the length of the list, which ends with 0xff.
//  2. Walking from the header by the sizes of the entries meets the 0xff that is last.
//  3. Every backlen is the size before it, in as few bytes as that needs.
//  4. Count is the number of entries, or 65535 if there are or were that many.
//
// Validate proves them for bytes from outside. Redis checks a little less: it takes a
// backlen of one byte with its top bit set if the data end in a zero. That was the only
// difference in a comparison over some 45,000 lists, half of them damaged.
//
// What Validate lets through may still have been encoded otherwise than here, such as a
// text "12" or a 7 in 8 bytes. Reading, Find and changes do not mind.
//
// # Cost
//
//	Find            a walk: 3 ns an entry, 6 ns if it looks for an integer
//	Seek            a walk from the nearer end
//	Value and Next  6 ns an entry; an Elem, which does not fit into registers, costs
//	                10 more (Get) or 20 (Read): measured by BenchmarkWalk
//	Insert, Delete  a move of what is behind
package listpack
