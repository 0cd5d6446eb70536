package ranktree

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
)

var (
	negInf, posInf = math.Inf(-1), math.Inf(1)
	negZero        = math.Copysign(0, -1)
)

// TestInOrder shows that keys that come in order, either way, fill the leaves.
func TestInOrder(t *testing.T) {
	for _, up := range []bool{true, false} {
		m := newModel(t, 0)
		const n = 20_000
		for i := range n {
			if !up {
				i = n - i
			}
			member := fmt.Appendf(nil, "member:%012d", i)
			if added, err := m.tree.Insert(m.h, ScoreKey(float64(i), member), nil); !added {
				t.Fatal(err)
			}
		}
		if err := m.tree.Check(m.h.Arena); err != nil {
			t.Fatal(err)
		}
		leaves := len(m.tree.AppendLeaves(m.h.Arena, nil))
		full := leafMax / (1 + 8 + 19)
		if leaves > n/full+n/full/20 {
			t.Errorf("up %v: %d leaves for %d keys, %d would fit in each", up, leaves, n, full)
		}
		m.end(10)
	}
}

// TestExhausted fills a small arena with short and long keys: what fails leaves the
// tree as it was.
func TestExhausted(t *testing.T) {
	for _, long := range []int{0, 110, 300} {
		a, err := mem.New(1 << 17)
		if err != nil {
			t.Fatal(err)
		}
		m := &model{t: t, h: leaf.Heap{Arena: a}, tree: New(2), payload: map[string]string{}}
		failed := 0
		for i := 0; failed < 200; i++ {
			key := fmt.Sprintf("%s%06d", strings.Repeat("x", long*(i%2)), i*7919%100_003)
			before := m.tree.Len()
			added, err := m.tree.Insert(m.h, KeyOf([]byte(key)), []byte("ab"))
			switch {
			case err == nil && added:
				m.keys = append(m.keys, key)
			case !errors.Is(err, mem.ErrExhausted) || added || m.tree.Len() != before:
				t.Fatalf("insert: %v %v", added, err)
			default:
				failed++
				if _, found := m.tree.Find(a, KeyOf([]byte(key))); found {
					t.Fatalf("%q was refused and is there", key)
				}
			}
			if failed > 0 || i%100 == 0 {
				m.check()
			}
		}
		for _, key := range m.keys {
			if b, found := m.tree.Find(a, KeyOf([]byte(key))); !found || string(b) != "ab" {
				t.Fatalf("%q is lost", key)
			}
		}
		m.frozenAndExhausted()
		m.end(5)
	}
}

// frozenAndExhausted removes and changes where a leaf would have to be copied, and
// cannot be.
func (m *model) frozenAndExhausted() {
	m.t.Helper()
	var taken []mem.Ref
	for size := 4096; size >= 4; size -= 4 { // what the tree could still use
		for r := m.h.Alloc(size); r != 0; r = m.h.Alloc(size) {
			taken = append(taken, r)
		}
	}
	live := m.h.Live()
	leaves := m.tree.AppendLeaves(m.h.Arena, nil)
	m.h.Epoch = 9
	if _, err := m.tree.Delete(m.h, KeyOf([]byte(m.keys[0]))); !errors.Is(err, mem.ErrExhausted) {
		m.t.Fatalf("delete: %v", err)
	}
	if _, err := m.tree.Update(m.h, KeyOf([]byte(m.keys[0]))); !errors.Is(err, mem.ErrExhausted) {
		m.t.Fatalf("update: %v", err)
	}
	n, err := m.tree.DeleteRange(m.h, 1, m.tree.Len(), func(_, _ []byte) { m.t.Fatal("called") })
	if n != 0 || !errors.Is(err, mem.ErrExhausted) {
		m.t.Fatalf("delete range: %d %v", n, err)
	}
	m.check()
	for _, r := range leaves {
		Thaw(m.h, r)
	}
	m.h.Epoch = 0
	if m.h.Live() != live {
		m.t.Fatalf("%d bytes live, there were %d", m.h.Live(), live)
	}
	for _, r := range taken {
		m.h.Free(r)
	}
}

// TestHighTree makes nodes with few children, by keys that differ only behind a hundred
// bytes, inside and outside of nodes.
func TestHighTree(t *testing.T) {
	for _, same := range []int{110, 200} {
		m := newModel(t, 1)
		for i := range 2500 {
			m.insert(strings.Repeat("p", same)+fmt.Sprintf("%06d", i*7919%100_003), "x")
		}
		if m.tree.height < 2 || same < inlineMax && m.tree.height < 3 {
			t.Errorf("%d bytes the same: the height is %d", same, m.tree.height)
		}
		m.all()
		for i := 0; len(m.keys) > 0; i++ {
			m.freeze()
			at := i * 31 % len(m.keys)
			m.look(m.keys[at])
			m.delete(m.keys[at])
			m.read(1, true)
			if i%50 == 0 {
				m.check()
			}
		}
		m.end(1)
	}
}

func TestMemoryBytes(t *testing.T) {
	m := newModel(t, 8)
	for i := range 5000 {
		key := fmt.Sprintf("%s%06d", strings.Repeat("x", 300*(i%50/49)), i*7919%100_003)
		m.insert(key, "12345678")
	}
	exact := m.tree.MemoryBytes(m.h.Arena, 0)
	if live := m.h.Live(); exact > live || exact < live*95/100 {
		t.Errorf("%d bytes, %d are live", exact, live)
	}
	if guess := m.tree.MemoryBytes(m.h.Arena, 20); guess < exact*2/3 || guess > exact*3/2 {
		t.Errorf("20 leaves show %d bytes of %d", guess, exact)
	}
	m.end(1)
}

func TestAllocsNothing(t *testing.T) {
	if invariant.Enabled {
		t.Skip("a checked build keeps records of the arena")
	}
	m := newModel(t, 4)
	for i := range 20_000 {
		m.tree.Insert(m.h, ScoreKey(float64(i*7919%10_007), fmt.Appendf(nil, "member:%d", i)), []byte("abcd"))
	}
	a := m.h.Arena
	member, long := []byte("the member"), []byte(strings.Repeat("long", 100))
	i := 0
	got := testing.AllocsPerRun(2000, func() {
		i++
		k := ScoreKey(float64(i*7%10_007), member)
		m.tree.Insert(m.h, k, []byte("wxyz"))
		m.tree.Insert(m.h, ScoreKey(float64(i), long), []byte("wxyz"))
		m.tree.Find(a, k)
		m.tree.Rank(a, k)
		c := m.tree.Seek(a, k)
		for range 5 {
			c.Next()
			_, _ = c.Key(), c.Payload()
		}
		c = m.tree.At(a, int64(i))
		c.Prev()
		m.tree.Update(m.h, k)
		if i%3 > 0 {
			m.tree.Delete(m.h, k)
			m.tree.Delete(m.h, ScoreKey(float64(i), long))
		}
		m.tree.DeleteRange(m.h, 5, 7, func(_, _ []byte) {})
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
	m.end(50)
}
