package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// bigGroup makes a group of many leaves of each kind: consumers of which some have nothing
// pending, some have much, and names that are in blocks of their own.
func bigGroup(t *testing.T, w *world, rng *rand.Rand, consumers, pending int) Group {
	t.Helper()
	g, _, err := w.s.CreateGroup(w.h, []byte("big"), ID{5, 6}, 7)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []uint32
	for i := range consumers {
		name := fmt.Appendf(nil, "c%d%s", i, strings.Repeat("x", rng.IntN(200)))
		c, _, err := g.CreateConsumer(w.h, name, int64(i), -1)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			numbers = append(numbers, c.Number)
		}
	}
	numbers = append(numbers, Nobody)
	for i := range pending {
		p := Pending{ID{uint64(i), 1}, int64(i), 2, numbers[rng.IntN(len(numbers))]}
		if _, err := g.Put(w.h, p); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// A group is read as it was while all of it changes, or goes.
func TestFrozenGroup(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := &world{t: t, h: newHeap(t, 1<<26), s: New()}
		g := bigGroup(t, w, rng, 300, 3000)
		w.freeze()
		for i := 0; w.rest != nil; i++ {
			w.readRest(1)
			if seed == 4 && i == 30 {
				w.rest.Hurry(w.h)
			}
			if seed == 5 && i == 40 {
				w.s.DestroyGroup(w.h, []byte("big"))
			}
			if seed == 5 && i >= 40 {
				continue
			}
			for range 20 {
				id := ID{rng.Uint64N(4000), 1}
				var err error
				switch c, ok := g.ConsumerAt(w.h.Arena, uint32(1+rng.IntN(300))); {
				case !ok || rng.IntN(3) == 0:
					_, err = g.Ack(w.h, id)
				case rng.IntN(20) == 0:
					_, _, err = g.DeleteConsumer(w.h, []byte(string(c.Name)))
				case rng.IntN(5) == 0:
					err = g.SetTimes(w.h, c, 1, 2)
				default:
					_, err = g.Put(w.h, Pending{id, 9, 9, c.Number})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		w.thaw(1, true)
		mustCheck(t, w.h, &w.s)
		for !w.s.FreeSome(w.h, 100) { // in pieces
		}
		if w.h.Live() != 0 {
			t.Fatalf("%d bytes leaked", w.h.Live())
		}
	}
}

// No more than a leaf's entries are read under one lock, however much a group has.
func TestFrozenSteps(t *testing.T) {
	w := &world{t: t, h: newHeap(t, 1<<26), s: New()}
	bigGroup(t, w, rand.New(rand.NewPCG(1, 1)), 2000, 20000)
	r := w.s.Freeze(w.h.Arena)
	for more := true; more; {
		n := 0
		more = r.Next(w.h, func(Part, []byte, ID, []byte) { n++ })
		if n > 200 {
			t.Fatalf("%d parts in one step", n)
		}
	}
}

// In the other order the same is told but for what is owned, consumers come first, and all
// leaves are thawed.
func TestConsumersFirst(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := &world{t: t, h: newHeap(t, 1<<26), s: New()}
		g := bigGroup(t, w, rng, 300, 3000)
		var want, got []string
		tell := func(to *[]string) PartFunc {
			return func(part Part, name []byte, id ID, figures []byte) {
				if part != PartOwned && part != PartConsumers {
					*to = append(*to, fmt.Sprintf("%d %s %v %x", part, name, id, figures))
				}
			}
		}
		for r, more := w.s.Freeze(w.h.Arena), true; more; {
			more = r.Next(w.h, tell(&want))
		}
		slices.SortStableFunc(want, func(a, b string) int { return order(a) - order(b) })
		w.h.Epoch++
		r := w.s.Freeze(w.h.Arena)
		r.ConsumersFirst()
		for i, more := 0, true; more; i++ {
			if more = r.Next(w.h, tell(&got)); more && seed == 1 && i == 10 {
				r.Hurry(w.h)
			}
			if _, err := g.Ack(w.h, ID{rng.Uint64N(3000), 1}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := g.DeleteConsumer(w.h, fmt.Appendf(nil, "c%d", 3*i+1)); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d parts were told, want %d", len(got), len(want))
		}
		mustCheck(t, w.h, &w.s)
		for !w.s.FreeSome(w.h, 100) { // in pieces
		}
		if w.h.Live() != 0 {
			t.Fatalf("%d bytes leaked", w.h.Live())
		}
	}
}

// order is where a told part comes if consumers are first.
func order(told string) int {
	return strings.Index(fmt.Sprint(PartFigures, PartGroup, PartConsumer, PartPending), told[:1])
}
