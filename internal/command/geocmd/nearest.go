package geocmd

import (
	"cmp"
	"slices"
)

// A ranking says which hits come first: those with the least distance, and of those with the
// same the one that was found first.
type ranking struct {
	most int  // that are kept, 0 for all
	desc bool // the farthest comes first
}

// add adds a hit to others. If as many are there as are kept, they are a heap with the last
// of the order on top, so that each one more costs a comparison, or a place that is given up.
func (r ranking) add(hits []hit, h hit) []hit {
	switch {
	case r.most == 0 || len(hits) < r.most:
		if hits = append(hits, h); len(hits) == r.most {
			for i := len(hits)/2 - 1; i >= 0; i-- {
				r.sink(hits, i)
			}
		}
	case r.compare(h, hits[0]) < 0:
		hits[0] = h
		r.sink(hits, 0)
	}
	return hits
}

// sink brings the hit at a place of the heap to where it belongs, farther from the top.
func (r ranking) sink(hits []hit, i int) {
	for {
		child := 2*i + 1
		if child >= len(hits) {
			return
		}
		if child+1 < len(hits) && r.compare(hits[child+1], hits[child]) > 0 {
			child++
		}
		if r.compare(hits[child], hits[i]) < 0 {
			return
		}
		hits[i], hits[child] = hits[child], hits[i]
		i = child
	}
}

func (r ranking) compare(a, b hit) int {
	if r.desc {
		return farther(a, b)
	}
	return nearer(a, b)
}

func (r ranking) sort(hits []hit) {
	if r.desc {
		slices.SortFunc(hits, farther)
	} else {
		slices.SortFunc(hits, nearer)
	}
}

func nearer(a, b hit) int {
	return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.serial, b.serial))
}

func farther(a, b hit) int {
	return cmp.Or(cmp.Compare(b.distance, a.distance), cmp.Compare(a.serial, b.serial))
}
