package ranktree

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// A model is a tree beside a sorted slice, and a snapshot of both.
type model struct {
	t       testing.TB
	h       leaf.Heap
	tree    Tree
	keys    []string
	payload map[string]string
	epoch   uint16

	frozen []mem.Ref // not read yet
	wanted []string  // what they must hold, key and payload
}

func newModel(t testing.TB, payload int) *model {
	t.Helper()
	a, err := mem.New(1 << 26)
	if err != nil {
		t.Fatal(err)
	}
	return &model{t: t, h: leaf.Heap{Arena: a}, tree: New(payload), payload: map[string]string{}}
}

func (m *model) check() {
	m.t.Helper()
	var root [Size]byte
	m.tree.Store(root[:])
	if got := Load(root[:]); got != m.tree {
		m.t.Fatalf("loaded %+v, stored %+v", got, m.tree)
	}
	if err := m.tree.Check(m.h.Arena); err != nil {
		m.t.Fatal(err)
	}
	if m.tree.Len() != int64(len(m.keys)) {
		m.t.Fatalf("%d keys, want %d", m.tree.Len(), len(m.keys))
	}
}

// form is a key in one of the two ways to write it.
func form(key string, joined bool) Key {
	if joined && len(key) >= headBytes {
		return Joined(binary.BigEndian.Uint64([]byte(key)), []byte(key[headBytes:]))
	}
	return KeyOf([]byte(key))
}

func (m *model) insert(key, payload string) {
	m.t.Helper()
	added, err := m.tree.Insert(m.h, form(key, len(payload)%2 == 0), []byte(payload))
	i, found := slices.BinarySearch(m.keys, key)
	if err != nil || added == found {
		m.t.Fatalf("insert %q: %v %v, found %v", key, added, err, found)
	}
	if !found {
		m.keys = slices.Insert(m.keys, i, key)
		m.payload[key] = payload
	}
}

func (m *model) delete(key string) {
	m.t.Helper()
	deleted, err := m.tree.Delete(m.h, form(key, true))
	i, found := slices.BinarySearch(m.keys, key)
	if err != nil || deleted != found {
		m.t.Fatalf("delete %q: %v %v, found %v", key, deleted, err, found)
	}
	if found {
		m.keys = slices.Delete(m.keys, i, i+1)
		delete(m.payload, key)
	}
}

func (m *model) deleteRange(from, to int) {
	m.t.Helper()
	at := from
	n, err := m.tree.DeleteRange(m.h, int64(from), int64(to), func(key, payload []byte) {
		m.t.Helper()
		if at >= to || string(key) != m.keys[at] || string(payload) != m.payload[string(key)] {
			m.t.Fatalf("deleted %q at %d of %d..%d", key, at, from, to)
		}
		at++
	})
	if err != nil || int(n) != to-from || at != to {
		m.t.Fatalf("deleted %d and called %d times for %d..%d: %v", n, at-from, from, to, err)
	}
	for _, key := range m.keys[from:to] {
		delete(m.payload, key)
	}
	m.keys = slices.Delete(m.keys, from, to)
}

func (m *model) update(key, payload string) {
	m.t.Helper()
	b, err := m.tree.Update(m.h, form(key, false))
	_, found := m.payload[key]
	if err != nil || (b != nil) != found {
		m.t.Fatalf("update %q: %v %v", key, b, err)
	}
	if found {
		copy(b, payload)
		m.payload[key] = payload
	}
}

// look asks the tree everything about one key.
func (m *model) look(key string) {
	m.t.Helper()
	a := m.h.Arena
	i, found := slices.BinarySearch(m.keys, key)
	b, ok := m.tree.Find(a, form(key, true))
	if ok != found || ok && string(b) != m.payload[key] {
		m.t.Fatalf("find %q: %q %v", key, b, ok)
	}
	if rank, ok := m.tree.Rank(a, form(key, true)); ok != found || rank != int64(i) {
		m.t.Fatalf("rank of %q: %d %v, want %d %v", key, rank, ok, i, found)
	}
	c := m.tree.Seek(a, form(key, false))
	m.steps(&c, i)
	c = m.tree.At(a, int64(i))
	m.steps(&c, i)
}

// steps goes from a cursor that should be at rank i three keys on and six back.
func (m *model) steps(c *Cursor, i int) {
	m.t.Helper()
	for step := range 10 {
		in := i >= 0 && i < len(m.keys)
		if c.Valid() != in || in && (string(c.Key()) != m.keys[i] || string(c.Payload()) != m.payload[m.keys[i]]) {
			m.t.Fatalf("step %d: cursor is not at %d of %d", step, i, len(m.keys))
		}
		if step < 3 {
			i = min(i+1, len(m.keys))
			c.Next()
		} else {
			i = max(i-1, -1)
			c.Prev()
		}
	}
}

func (m *model) all() {
	m.t.Helper()
	c := m.tree.At(m.h.Arena, 0)
	for i, key := range m.keys {
		if !c.Valid() || string(c.Key()) != key || string(c.Payload()) != m.payload[key] {
			m.t.Fatalf("key %d of %d is not %q", i, len(m.keys), key)
		}
		c.Next()
	}
	if c.Valid() {
		m.t.Fatalf("a key behind the last: %q", c.Key())
	}
	c = m.tree.Last(m.h.Arena)
	for _, key := range slices.Backward(m.keys) {
		if !c.Valid() || string(c.Key()) != key {
			m.t.Fatalf("backward: %q is missing", key)
		}
		c.Prev()
	}
	if c.Valid() {
		m.t.Fatalf("a key before the first: %q", c.Key())
	}
}

// freeze begins a snapshot, unless there is one.
func (m *model) freeze() {
	if m.frozen != nil {
		return
	}
	m.epoch++
	m.h.Epoch = m.epoch
	m.frozen = m.tree.AppendLeaves(m.h.Arena, nil)
	m.wanted = nil
	for _, key := range m.keys {
		m.wanted = append(m.wanted, key, m.payload[key])
	}
}

// read reads and thaws some frozen leaves; forward or backward must show the same.
func (m *model) read(n int, backward bool) {
	m.t.Helper()
	a := m.h.Arena
	for ; n > 0 && len(m.frozen) > 0; n-- {
		var got []string
		visit := func(key, payload []byte) bool {
			got = append(got, string(key), string(payload))
			return true
		}
		if backward {
			EachInLeafBackward(a, m.frozen[0], func(key, payload []byte) bool { return visit(payload, key) })
			slices.Reverse(got)
		} else {
			EachInLeaf(a, m.frozen[0], visit)
		}
		if len(got) != 2*LeafLen(a, m.frozen[0]) || !slices.Equal(got, m.wanted[:len(got)]) {
			m.t.Fatalf("a frozen leaf holds %q", got)
		}
		m.wanted = m.wanted[len(got):]
		Thaw(m.h, m.frozen[0])
		m.frozen = m.frozen[1:]
	}
	if len(m.frozen) == 0 && m.frozen != nil {
		if len(m.wanted) > 0 {
			m.t.Fatalf("%d strings are missing in the snapshot", len(m.wanted))
		}
		m.frozen, m.h.Epoch = nil, 0
	}
}

// end frees the tree, in pieces and below a snapshot if there is one, wants nothing
// left, and releases the arena: there are thousands of them.
func (m *model) end(budget int) {
	m.t.Helper()
	for steps := 0; !m.tree.FreeSome(m.h, budget); steps++ {
		if steps > 1<<20 {
			m.t.Fatal("freeing does not end")
		}
	}
	m.keys = nil
	m.check()
	m.read(1<<30, false)
	if m.h.Live() != 0 {
		m.t.Fatalf("%d bytes leaked", m.h.Live())
	}
	m.h.Release()
}

// someKey is a key whose length and beginning depend on what is drawn: short ones,
// ones that share much, and ones that do not fit in a node.
func someKey(kind, x byte) string {
	switch kind % 6 {
	case 0:
		return strings.Repeat("\x00", int(x)%12)
	case 1:
		return string(AppendScore(nil, float64(x)-128)) + "member"
	case 2:
		return string(AppendScore(nil, 1)) + fmt.Sprintf("member:%012d", x)
	case 3:
		return strings.Repeat("same", 60) + fmt.Sprint(x)
	case 4:
		return strings.Repeat("a", int(x))
	}
	return fmt.Sprintf("%d", int(x)*1000003)[:1+int(x)%3]
}

func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		b := make([]byte, 600)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 0 {
			runOps(t, int(ops[0])%(PayloadMax+1), ops[1:])
		}
	})
}

// runOps takes three bytes for each step.
func runOps(t *testing.T, payload int, ops []byte) {
	m := newModel(t, payload)
	for ; len(ops) >= 3; ops = ops[3:] {
		op, x, y := ops[0], ops[1], ops[2]
		value := strings.Repeat(string(rune('a'+x%26)), payload)
		key := someKey(x, y)
		switch op % 8 {
		case 0, 1:
			m.insert(key, value)
		case 2: // many, in order or not; long ones make a high tree of few
			prefix := strings.Repeat(string(rune('a'+x%4)), 1+int(x%4)*37)
			for i := range int(y) {
				m.insert(fmt.Sprintf("%s:%05d", prefix, i*int(x)%251), value)
			}
		case 3:
			m.delete(key)
		case 4:
			from := int(x) * len(m.keys) / 256
			m.deleteRange(from, from+int(y)*(len(m.keys)-from)/256)
		case 5:
			m.update(key, value)
		case 6:
			m.freeze()
		case 7:
			m.read(int(x)%4, y%2 == 0)
		}
		m.look(key)
		m.check()
	}
	m.all()
	m.clone(1 + payload*300)
	m.end(1 + payload%7)
}

func TestRandomOrder(t *testing.T) {
	m := newModel(t, 4)
	rng := rand.New(rand.NewPCG(3, 4))
	key := func() string {
		return string(AppendScore(nil, float64(rng.IntN(1000)))) + fmt.Sprintf("member:%012d", rng.IntN(1<<30))
	}
	for i := range 20_000 {
		k := key()
		m.insert(k, k[len(k)-4:])
		if i%500 == 0 {
			m.check()
			m.look(k)
		}
		if i%5000 == 0 {
			m.freeze()
		}
		m.read(i%3, i%2 == 0)
	}
	m.all()
	for i := 0; len(m.keys) > 10; i++ {
		m.delete(m.keys[rng.IntN(len(m.keys))])
		if i%500 == 0 {
			m.check()
			m.look(key())
		}
		if i%5000 == 0 {
			m.freeze()
		}
		m.read(i%3, i%2 == 0)
	}
	m.check()
	m.all()
	m.end(3)
}

func TestDeleteRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		m := newModel(t, 0)
		for i := range 3000 {
			m.insert(fmt.Sprintf("member:%09d", i*7919%100_003), "")
		}
		m.freeze()
		for len(m.keys) > 0 {
			from := rng.IntN(len(m.keys))
			to := from + rng.IntN(len(m.keys)-from) + 1
			m.deleteRange(from, to)
			m.check()
			m.read(2, false)
		}
		m.all()
		m.end(100)
	}
}

// TestLayout holds the example of the package's page.
func TestLayout(t *testing.T) {
	m := newModel(t, 1)
	m.insert("bc", "\x02")
	m.insert("a", "\x01")
	want := "\x00\x00\x00\x01\x0f\x00\x02\x00\x01\x02\x01\x02abc"
	if got := string(m.h.Bytes(m.tree.root, len(want))); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.end(1)
}

func TestScoresAreOrdered(t *testing.T) {
	var before []byte
	for _, s := range []float64{negInf, -1e300, -2, -1, -5e-324, 0, 5e-324, 1, 2.5, 1e300, posInf} {
		b := AppendScore(nil, s)
		if bytes.Compare(before, b) >= 0 {
			t.Errorf("%v is not greater than the one before", s)
		}
		if got := ScoreOf(b); got != s {
			t.Errorf("%v became %v", s, got)
		}
		before = b
	}
	if ScoreHead(negZero) != ScoreHead(0) {
		t.Error("-0 is not 0")
	}
}
