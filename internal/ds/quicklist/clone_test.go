package quicklist

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// clone copies the list into another arena with that budget for each call, looks at the
// copy as at the original, and frees it.
func (b *bench) clone(budget int) {
	b.t.Helper()
	c := newBench(b.t, 1<<26)
	c.model, c.o, c.step = b.model, b.o, b.step
	for c.list.Len() < b.list.Len() {
		left, err := c.list.CloneSome(c.h, b.h.Arena, &b.list, budget)
		if err != nil || left > 0 && c.list.Len() < b.list.Len() {
			b.t.Fatalf("%d of %d elements, %d left: %v", c.list.Len(), b.list.Len(), left, err)
		}
	}
	c.check()
	c.all()
	c.free()
}

// TestClone copies the lists that random programs make, whole and into arenas that are
// too small.
func TestClone(t *testing.T) {
	failed := 0
	for seed := range uint64(16) {
		rng := rand.New(rand.NewPCG(seed, 11))
		b := newBench(t, 1<<26)
		b.options(byte(rng.Uint32()), byte(rng.Uint32()), 0)
		for range 300 {
			if verb := byte(rng.Uint32()); verb%16 != 15 {
				b.do(verb, byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()))
				b.step++
			}
		}
		b.clone(1)
		b.clone(1 << 30)
		for reserve := int64(16 << 10); ; reserve *= 2 {
			a, err := mem.New(reserve)
			if err != nil {
				t.Fatal(err)
			}
			h, c := leaf.Heap{Arena: a}, List{}
			for err == nil && c.Len() < b.list.Len() {
				_, err = c.CloneSome(h, b.h.Arena, &b.list, 10_000)
			}
			for !c.FreeSome(h, 3) {
			}
			if a.Live() != 0 {
				t.Fatalf("%d bytes leaked", a.Live())
			}
			a.Release()
			if err == nil {
				break
			}
			if failed++; !errors.Is(err, mem.ErrExhausted) {
				t.Fatal(err)
			}
		}
		b.free()
	}
	if failed == 0 {
		t.Error("all memory was enough")
	}
}
