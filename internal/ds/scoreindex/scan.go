package scoreindex

import (
	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/mem"
)

// End is the cursor behind all elements.
const End = 1 << keyBits

// Place is the cursor at which Scan comes to the elements with a hash. Some hashes share
// one.
func Place(hash uint32) uint64 { return uint64(keyOf(position(hash))) }

// Scan calls fn with the scores of the elements from a cursor on, and returns the cursor to
// go on with, End after the last. It stops when it has come to so many elements, or a few
// more: what shares a place comes in one call.
//
// The cursor is a place, which each element has for good, and not one in a leaf. So it
// stays good while the index grows and shrinks: of calls with one another's cursors, from
// 0 to End, each element that is there throughout comes in exactly one.
func (x *Index) Scan(a *mem.Arena, cursor uint64, least int, fn func(score float64)) (next uint64) {
	if x.count == 0 {
		return End
	}
	for cursor < End && least > 0 {
		pos := cursor << keyBits
		nd := open(a, x.dir.Find(a, pos))
		first := uint64(keyOf(hashdir.First(pos, nd.depth)))
		high := first &^ uint64(nd.low(1<<keyBits-1))
		for i := nd.seek(uint32(cursor)); i < nd.n; i++ {
			if at := high | uint64(nd.key(i)); at != cursor {
				if cursor = at; least <= 0 {
					return cursor
				}
			}
			fn(nd.score(i))
			least--
		}
		cursor = first + 1<<(keyBits-nd.depth)
	}
	return cursor
}
