package ranktree

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// clone copies the tree into another arena with that budget for each call, looks at the
// copy as at the original, and frees it.
func (m *model) clone(budget int) {
	m.t.Helper()
	c := newModel(m.t, m.tree.PayloadSize())
	c.keys, c.payload = m.keys, m.payload
	for calls := 0; c.tree.Len() < m.tree.Len(); calls++ {
		left, err := c.tree.CloneSome(c.h, m.h.Arena, &m.tree, budget)
		if err != nil || left > 0 && c.tree.Len() < m.tree.Len() {
			m.t.Fatalf("%d of %d keys, %d left: %v", c.tree.Len(), m.tree.Len(), left, err)
		}
		if calls%64 == 0 {
			if err := c.tree.Check(c.h.Arena); err != nil {
				m.t.Fatal(err)
			}
		}
	}
	c.check()
	c.all()
	for i := 0; i < len(c.keys); i += 1 + len(c.keys)/16 {
		c.look(c.keys[i])
	}
	c.end(1 + budget%5)
}

// cloneExhausted copies the tree into arenas that are too small, until one is not.
func (m *model) cloneExhausted() (failed int) {
	m.t.Helper()
	for reserve := int64(32 << 10); ; reserve += reserve / 2 &^ (16<<10 - 1) {
		a, err := mem.New(reserve)
		if err != nil {
			m.t.Fatal(err)
		}
		h, c := leaf.Heap{Arena: a}, New(m.tree.PayloadSize())
		for err == nil && c.Len() < m.tree.Len() {
			_, err = c.CloneSome(h, m.h.Arena, &m.tree, 10_000)
		}
		for !c.FreeSome(h, 3) {
		}
		if a.Live() != 0 {
			m.t.Fatalf("%d bytes leaked", a.Live())
		}
		a.Release()
		switch {
		case err == nil:
			return failed
		case !errors.Is(err, mem.ErrExhausted):
			m.t.Fatal(err)
		}
		failed++
	}
}

func TestClone(t *testing.T) {
	for _, n := range []int{0, 1, 30, 1000, 20_000} {
		for _, long := range []int{0, 100, 300} { // some in the node, some with a block
			m := newModel(t, n%9)
			for i := range n / (1 + long/10) {
				key := fmt.Sprintf("%s%06d", strings.Repeat("x", long*(i%3/2)), i*7919%100_003)
				m.insert(key, strings.Repeat(key[len(key)-1:], n%9))
			}
			m.freeze() // the copy is not frozen
			m.clone(1)
			m.clone(1 << 30)
			if failed := m.cloneExhausted(); n == 20_000 && failed == 0 {
				t.Error("all memory was enough")
			}
			m.end(100)
		}
	}
}
