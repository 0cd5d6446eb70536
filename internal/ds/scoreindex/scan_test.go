package scoreindex

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// scanned is all that scans find, of so many elements each.
func scanned(t testing.TB, x *Index, a *mem.Arena, least int) (scores []float64) {
	t.Helper()
	for cursor := uint64(0); cursor < End; {
		n := len(scores)
		next := x.Scan(a, cursor, least, func(s float64) { scores = append(scores, s) })
		if next <= cursor || next < End && len(scores)-n < least {
			t.Fatalf("from %#x to %#x with %d elements, of at least %d", cursor, next, len(scores)-n, least)
		}
		cursor = next
	}
	slices.Sort(scores)
	return scores
}

// TestScan goes through leaves of all widths, in steps of any length.
func TestScan(t *testing.T) {
	a, x := memtest.New(t, 1<<34), Index{}
	if got := scanned(t, &x, a, 10); len(got) != 0 {
		t.Fatalf("an empty index has %v", got)
	}
	var want []float64
	for i := range 40_000 {
		if err := x.Insert(a, mix(i), float64(i)); err != nil {
			t.Fatal(err)
		}
		want = append(want, float64(i))
		if i&(i-1) == 0 {
			for _, least := range []int{1, 7, 1000, 1 << 40} {
				if got := scanned(t, &x, a, least); !slices.Equal(got, want) {
					t.Fatalf("%d elements by %d, want %d", len(got), least, len(want))
				}
			}
		}
	}
}

// Elements that are there from the first call to the last are found once, while others come
// and go in such numbers that leaves are split and joined.
func TestScanWhileChanging(t *testing.T) {
	const stay, others = 500, 30_000
	for seed := range uint64(4) {
		a, x := memtest.New(t, 1<<34), Index{}
		rng := rand.New(rand.NewPCG(seed, 2))
		for i := range stay {
			if err := x.Insert(a, mix(i), float64(i)); err != nil {
				t.Fatal(err)
			}
		}
		there, growing := stay, true
		seen := map[float64]int{}
		for cursor := uint64(0); cursor < End; {
			cursor = x.Scan(a, cursor, 1+rng.IntN(8), func(s float64) { seen[s]++ })
			for range rng.IntN(2000) {
				if growing {
					if err := x.Insert(a, mix(there), float64(there)); err != nil {
						t.Fatal(err)
					}
					there++
				} else {
					there--
					if !x.Delete(a, mix(there), float64(there)) {
						t.Fatalf("%d is lost", there)
					}
				}
				if there == stay || there == others {
					growing = there == stay
				}
			}
		}
		for i := range stay {
			if seen[float64(i)] != 1 {
				t.Fatalf("seed %d: %d came %d times", seed, i, seen[float64(i)])
			}
		}
	}
}

// Place is where Scan comes to an element.
func TestPlace(t *testing.T) {
	a, x := memtest.New(t, 1<<34), Index{}
	for i := range 3000 {
		if err := x.Insert(a, mix(i), float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3000 {
		at, found := Place(mix(i)), false
		next := x.Scan(a, at, 1, func(s float64) { found = found || s == float64(i) })
		if !found || next <= at {
			t.Fatalf("%d is not at %#x, before %#x", i, at, next)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	a, x := fill(b, benchCount)
	cursor := uint64(0)
	sum := 0.0
	for b.Loop() {
		if cursor = x.Scan(a, cursor, 10, func(s float64) { sum += s }); cursor == End {
			cursor = 0
		}
	}
}
