package snapshot

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/value"
	"github.com/spineldb/spinel/internal/vfs"
)

// A streamStore is a store with streams, their groups with much that is pending.
type streamStore struct {
	*store
	rng *rand.Rand
	key []byte // of the one being changed
}

var streamGroups = []string{"a", "b", strings.Repeat("g", 200)}

// edit calls fn with a stream, under its lock.
func (s *streamStore) edit(key string, fn func(v *value.Stream) error) {
	s.t.Helper()
	s.do(0, func(t *keyspace.Txn) {
		s.key = []byte(key)
		c, err := t.Make(s.key, record.Stream)
		if err != nil {
			s.t.Fatal(err)
		}
		v := value.StreamIn(&c)
		if err := fn(&v); err != nil {
			s.t.Fatal(err)
		}
		v.Store()
		t.Edited(s.key, &c, 1)
	})
}

// change makes some changes to a stream: entries, groups, consumers and what is pending.
func (s *streamStore) change(v *value.Stream, n int) error {
	h := v.Heap()
	for range n {
		var err error
		name := []byte(streamGroups[s.rng.IntN(len(streamGroups))])
		g, ok := v.S.Group(v.Arena, name)
		id := stream.ID{Ms: s.rng.Uint64N(5000), Seq: s.rng.Uint64N(2)}
		switch k := s.rng.IntN(100); {
		case !ok:
			_, _, err = v.S.CreateGroup(h, name, id, int64(n))
		case k == 0 && n < 100:
			v.S.DestroyGroup(h, name)
		case k < 5:
			next := stream.ID{Ms: v.S.Last.Ms + 1}
			err = v.S.Append(h, stream.Limits{NodeEntries: 20}, next, [][]byte{[]byte("field"), name})
		case k < 8:
			_, err = v.S.Delete(h, id, stream.KeepRef)
		case k < 10:
			_, _, err = g.DeleteConsumer(h, s.consumer())
		case k < 30 && n < 100:
			_, err = g.Ack(h, id)
		default:
			c, _, failure := g.CreateConsumer(h, s.consumer(), int64(k), -1)
			if err = failure; err == nil {
				p := stream.Pending{ID: id, Delivered: int64(k), Deliveries: uint64(k), Consumer: c.Number}
				_, err = g.Put(h, p)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *streamStore) consumer() []byte {
	n := s.rng.IntN(40)
	return fmt.Appendf(nil, "c%d%s", n, strings.Repeat("x", n*n/8))
}

// Write changes streams while a file is being written to it.
func (s *streamStore) Write(p []byte) (int, error) {
	key := fmt.Sprint("s", s.rng.IntN(4))
	if s.rng.IntN(10) == 0 {
		s.do(0, func(t *keyspace.Txn) { t.Delete([]byte(key)) })
	}
	s.edit(key, func(v *value.Stream) error { return s.change(v, 99) })
	return len(p), nil
}

// textsNow is all that the streams hold, by their keys. It is called in exclusive mode.
func textsNow(ks *keyspace.Keyspace) map[string]string {
	texts, t := map[string]string{}, ks.NewTxn()
	t.Adopt()
	t.Begin(0, 0)
	t.Each(0, func(key []byte, v keyspace.Value) bool {
		c := v.Cell()
		texts[string(key)] = streamText(&c)
		return true
	})
	t.Disown()
	return texts
}

func (s *store) texts() (texts map[string]string) {
	s.ks.Exclusive(nil, func() { texts = textsNow(s.ks) })
	return texts
}

func streamText(c *value.Cell) string {
	var b strings.Builder
	s, a := value.StreamIn(c), c.Arena
	fmt.Fprintln(&b, s.S.Length, s.S.Added, s.S.Last, s.S.First, s.S.MaxDeleted)
	for _, ref := range value.Leaves(c, nil) {
		value.EachInLeaf(record.Stream, a, ref, func(e value.Element) {
			fmt.Fprintf(&b, "%d-%d %x\n", e.MS, e.Seq, e.Node)
		})
	}
	for groups := s.S.EachGroup(a); groups.Next(); {
		g := groups.Group()
		fmt.Fprintln(&b, string(groups.Name()), g.Last, g.Reads)
		for p := g.Pending(a, stream.ID{}); p.Next(); {
			fmt.Fprintln(&b, p.ID, p.Delivered, p.Deliveries)
		}
		for consumers := g.EachConsumer(a); consumers.Next(); {
			c := consumers.Consumer()
			fmt.Fprintln(&b, string(c.Name), c.Seen, c.Active, c.Pending)
			for p := g.OwnedIDs(a, c.Number); p.Next(); {
				fmt.Fprintln(&b, p.ID)
			}
		}
	}
	return b.String()
}

// The groups in a file are as they were at the cut, though all of them change while they are
// read.
func TestStreamGroupsAtTheCut(t *testing.T) {
	for seed := range uint64(5) {
		s := &streamStore{store: newStore(t, vfs.NewMem("/data"), "/data", 1), rng: rand.New(rand.NewPCG(seed, 1))}
		for i := range 4 {
			s.edit(fmt.Sprint("s", i), func(v *value.Stream) error { return s.change(v, 6000) })
		}
		var file bytes.Buffer
		var want map[string]string
		opts := walkOptions{version: versionLowest + 1, checksum: true}
		opts.cut = func(*rdb.Info) { want = textsNow(s.ks) }
		if err := newWalk(s.ks, s.Clock, &tee{&file, s}, nil, opts).run(); err != nil {
			t.Fatal(err)
		}
		loaded, _, err := loadFile(t, file.Bytes(), 1, LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := loaded.texts()
		if len(got) != len(want) {
			t.Fatalf("%d streams of %d", len(got), len(want))
		}
		for key, text := range want {
			if got[key] != text {
				t.Fatalf("seed %d: %s is not as at the cut: %s", seed, key, firstDifference(got[key], text))
			}
		}
		if now := s.texts(); now["s0"] == want["s0"] && now["s1"] == want["s1"] {
			t.Fatal("nothing has changed meanwhile")
		}
		for _, st := range []*store{s.store, loaded} {
			st.checkAll()
			st.empty()
			if st.ks.Used() != 0 {
				t.Fatalf("seed %d: %d bytes are left", seed, st.ks.Used())
			}
		}
	}
}

// firstDifference is the first line that differs, and the one before it.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("behind %.80q: %.80q, want %.80q", w[max(i-1, 0)], g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// checkAll looks at the invariants of all values.
func (s *store) checkAll() {
	s.t.Helper()
	s.do(0, func(t *keyspace.Txn) {
		t.Each(0, func(key []byte, v keyspace.Value) bool {
			c := v.Cell()
			if err := value.Check(&c); err != nil {
				s.t.Errorf("%s: %v", key, err)
			}
			return true
		})
	})
}

// A tee passes what is written on, and lets something else happen meanwhile.
type tee struct {
	file *bytes.Buffer
	also *streamStore
}

func (t *tee) Write(p []byte) (int, error) {
	t.file.Write(p)
	return t.also.Write(p)
}
