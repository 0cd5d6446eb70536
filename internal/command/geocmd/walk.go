package geocmd

import (
	"github.com/spineldb/spinel/internal/ds/geohash"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// A hit is a member in an area. It is found again by its rank, until the set changes: a hit
// without pointers makes lists of them cheap to move and, if short, no business of the heap.
type hit struct {
	rank     int
	serial   int // how many were found before
	score    float64
	distance float64 // from the center, in metres
}

// A name is a member as sets give it: a text that is not nil, or an integer.
type name struct {
	text    []byte
	integer int64
}

// nameAt is the member of a rank.
func nameAt(set *value.ZSet, rank int) (n name) {
	it := set.Iter(rank, false)
	n.text, n.integer, _, _ = it.Next()
	return n
}

func (n name) write(out *resp.Writer) {
	if n.text != nil {
		out.Bulk(n.text)
	} else {
		out.BulkInt(n.integer)
	}
}

// walk goes over the members of a set that are in the area of a query, in the order in which
// Redis finds them. It writes them to out; or, if they must be sorted first, it adds them to
// hits, which it returns. found is how many there are.
func (q *query) walk(out *resp.Writer, set *value.ZSet, hits []hit) (all []hit, found int) {
	var room [geohash.CoverMax]geohash.Range
	shape, stop, order := q.shape(), q.stop(), q.ranking()
	for _, r := range shape.Cover(room[:0]) {
		scores := value.ScoreRange{Min: float64(r.Min), Max: float64(r.Max), MaxOut: true}
		rank, end := set.Scores(&scores)
		if rank == end {
			continue
		}
		for it := set.Iter(rank, false); rank < end; rank++ {
			if found == stop {
				return hits, found
			}
			var n name
			h := hit{rank: rank, serial: found}
			n.text, n.integer, h.score, _ = it.Next()
			var ok bool
			if h.distance, ok = shape.Contains(placeOf(h.score)); !ok {
				continue
			}
			found++
			if q.streams() {
				q.write(out, &h, n)
			} else {
				hits = order.add(hits, h)
			}
		}
	}
	return hits, found
}
