package stream

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// radixNodes counts the nodes of a radix tree by making it: those of the keys from a depth
// on, which are different.
func radixNodes(keys [][idSize]byte, depth int) (n int64) {
	end := depth
	for end < idSize && keys[0][end] == keys[len(keys)-1][end] {
		end++
	}
	if end > depth {
		n++ // what they have in common
	}
	n++ // a branch, or the end of a key
	for from := 0; end < idSize && from < len(keys); {
		to := from
		for to < len(keys) && keys[to][end] == keys[from][end] {
			to++
		}
		n += radixNodes(keys[from:to], end+1)
		from = to
	}
	return n
}

// The tree of master IDs has as many nodes as it is said to have; of many it is nearly so.
// Figures of Redis's trees are compared in package streamcmd.
func TestRadixNodes(t *testing.T) {
	a := memtest.New(t, 1<<26)
	h := leaf.Heap{Arena: a}
	empty := New()
	if n := empty.RadixNodes(a); n != 1 {
		t.Errorf("%d nodes of nothing", n)
	}
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var ids []ID
		for range 1 + rng.IntN(60) {
			ids = append(ids, ID{rng.Uint64() >> rng.IntN(64), 1 + rng.Uint64()>>(1+rng.IntN(62))})
		}
		if seed == 49 {
			for i := range uint64(3 * radixSample) {
				ids = append(ids, ID{1 << 63, i * 100})
			}
		}
		slices.SortFunc(ids, ID.Compare)
		ids = slices.Compact(ids)
		s := New()
		var keys [][idSize]byte
		for _, id := range ids {
			if err := s.Append(h, Limits{NodeEntries: 1}, id, [][]byte{{'f'}, {'v'}}); err != nil {
				t.Fatal(err)
			}
			keys = append(keys, id.Key())
		}
		got, want := s.RadixNodes(a), radixNodes(keys, 0)
		if len(ids) <= radixSample && got != want || got < want*9/10 || got > want*11/10 {
			t.Errorf("seed %d: %d nodes of %d keys, want %d", seed, got, len(ids), want)
		}
		for !s.FreeSome(h, 100) {
		}
	}
}
