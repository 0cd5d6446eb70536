package stream

import (
	"errors"
	"fmt"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// clone copies the stream into another arena with that budget for each call, looks at the
// copy as at the original, and frees it.
func (w *world) clone(budget int) {
	w.t.Helper()
	c := &world{t: w.t, h: newHeap(w.t, 1<<26), s: New(), m: w.m}
	if err := cloneAll(c.h, &c.s, w.h.Arena, &w.s, budget); err != nil {
		w.t.Fatal(err)
	}
	mustCheck(w.t, c.h, &c.s)
	c.compare()
	freeAll(w.t, c.h, &c.s)
}

func cloneAll(h leaf.Heap, to *Stream, a *mem.Arena, from *Stream, budget int) error {
	var root [Size]byte
	for {
		left, done, err := to.CloneSome(h, a, from, budget)
		to.Store(root[:])
		*to = Load(root[:])
		switch {
		case done || err != nil:
			return err
		case left > 0:
			return fmt.Errorf("%d left of %d", left, budget)
		}
	}
}

func freeAll(t *testing.T, h leaf.Heap, s *Stream) {
	t.Helper()
	for !s.FreeSome(h, 3) {
	}
	if h.Live() != 0 {
		t.Fatalf("%d bytes leaked", h.Live())
	}
}

// TestCloneBig copies groups with many pending entries and many consumers, whole and into
// arenas that are too small.
func TestCloneBig(t *testing.T) {
	h, s := newHeap(t, 1<<26), New()
	for i := range uint64(3000) {
		err := s.Append(h, Limits{NodeEntries: 10}, ID{Ms: i + 1}, [][]byte{[]byte("f"), fmt.Appendf(nil, "%d", i)})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 4 {
		g, _, err := s.CreateGroup(h, fmt.Appendf(nil, "group %d", n), ID{Ms: uint64(n)}, int64(n))
		if err != nil {
			t.Fatal(err)
		}
		for i := range n * 1000 {
			c, _, err := g.CreateConsumer(h, fmt.Appendf(nil, "consumer %0*d", n*60, i%300), int64(i), -1)
			if err != nil {
				t.Fatal(err)
			}
			if i%4 == 0 {
				c.Number = Nobody
			}
			if _, err := g.Put(h, Pending{ID{Ms: uint64(i)}, int64(i), uint64(i % 9), c.Number}); err != nil {
				t.Fatal(err)
			}
		}
		if n%2 == 1 {
			if err := g.KeepTimes(h); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := groupsText(h.Arena, &s)
	want = want[2*Size:] // behind the root
	for _, budget := range []int{1, 20_000, 1 << 30} {
		to, c := newHeap(t, 1<<26), New()
		if err := cloneAll(to, &c, h.Arena, &s, budget); err != nil {
			t.Fatal(err)
		}
		mustCheck(t, to, &c)
		if groupsText(to.Arena, &c)[2*Size:] != want {
			t.Errorf("the copy has other groups")
		}
		g, _ := c.Group(to.Arena, []byte("group 3"))
		if at, ok := g.Oldest(to.Arena); at != 0 || !ok {
			t.Errorf("the oldest delivery was at %d", at)
		}
		freeAll(t, to, &c)
	}
	for reserve, failed := int64(32<<10), 0; ; reserve *= 2 {
		to, c := newHeap(t, reserve), New()
		err := cloneAll(to, &c, h.Arena, &s, 5000)
		freeAll(t, to, &c)
		if err == nil && failed > 0 {
			break
		}
		if failed++; !errors.Is(err, mem.ErrExhausted) {
			t.Fatal(err)
		}
	}
	freeAll(t, h, &s)
}
