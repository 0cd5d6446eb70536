package scoreindex

import (
	"errors"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// clone copies an index into an arena with that budget for each call.
func clone(t testing.TB, to, a *mem.Arena, from *Index, budget int) (x Index, err error) {
	t.Helper()
	var c Clone
	for done := false; !done && err == nil; {
		var left int
		left, done, err = x.CloneSome(&c, to, a, from, budget)
		if err == nil && !done && left > 0 {
			t.Fatalf("%d left of %d", left, budget)
		}
	}
	return x, err
}

func TestClone(t *testing.T) {
	for _, n := range []int{0, 1, 100, 3000, 100_000} {
		a, x := memtest.New(t, 1<<34), Index{}
		for i := range n {
			if err := x.Insert(a, mix(i/2), float64(i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n { // few in some leaves
			if i%1000 > 500 && n > 3000 {
				x.Delete(a, mix(i/2), float64(i))
			}
		}
		for _, budget := range []int{1, 10_000, 1 << 30} {
			to := memtest.New(t, 1<<34)
			y, err := clone(t, to, a, &x, budget)
			if err != nil {
				t.Fatal(err)
			}
			check(t, &y, to)
			if y.Len() != x.Len() {
				t.Fatalf("%d elements of %d", y.Len(), x.Len())
			}
			for i := range n {
				if got := candidates(&y, to, mix(i/2)); !slices.Equal(got, candidates(&x, a, mix(i/2))) {
					t.Fatalf("%d has the scores %v", i, got)
				}
			}
			for !y.FreeSome(to, 7) {
			}
			if to.Live() != 0 {
				t.Fatalf("%d bytes leaked", to.Live())
			}
		}
	}
}

// TestCloneExhausted copies into arenas that are too small, until one is not.
func TestCloneExhausted(t *testing.T) {
	a, x := memtest.New(t, 1<<34), Index{}
	for i := range 50_000 {
		if err := x.Insert(a, mix(i), float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	for reserve, failed := int64(64<<10), 0; ; reserve += reserve / 4 &^ (16<<10 - 1) {
		to, err := mem.New(reserve)
		if err != nil {
			t.Fatal(err)
		}
		y, err := clone(t, to, a, &x, 10_000)
		for !y.FreeSome(to, 5) {
		}
		if to.Live() != 0 {
			t.Fatalf("%d bytes leaked", to.Live())
		}
		to.Release()
		if err == nil {
			if failed == 0 {
				t.Error("all memory was enough")
			}
			return
		}
		if failed++; !errors.Is(err, mem.ErrExhausted) {
			t.Fatal(err)
		}
	}
}
