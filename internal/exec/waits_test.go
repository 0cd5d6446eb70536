package exec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The heap against a slice that is searched.
func TestWaitHeap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h waitHeap
	var all []*blocked
	for range 20_000 {
		switch k := rng.IntN(5); {
		case k < 2 || len(all) == 0:
			b := &blocked{}
			h.push(b, 1+rng.Int64N(100))
			all = append(all, b)
		default:
			i := rng.IntN(len(all))
			if k == 2 {
				i = slices.Index(all, h.first())
			}
			h.remove(all[i])
			h.remove(all[i]) // which does nothing
			all = slices.Delete(all, i, i+1)
		}
		if len(h) != len(all) {
			t.Fatalf("%d waits of %d", len(h), len(all))
		}
		for i, b := range h {
			if b.place != i || b.due == 0 || b.due < h[0].due {
				t.Fatalf("wait %d, due at %d, says %d; the first is due at %d", i, b.due, b.place, h[0].due)
			}
		}
	}
}
