package value_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/value"
)

// nodeText is what a snapshot sees of a leaf.
func nodeText(w *setWorld, leaf int, c *value.Cell) string {
	var text string
	value.EachInLeaf(record.Stream, w.arena, value.Leaves(c, nil)[leaf], func(e value.Element) {
		text = fmt.Sprintf("%d-%d %x", e.MS, e.Seq, e.Node)
	})
	return text
}

// changeStream makes a random change.
func changeStream(t *testing.T, s *value.Stream, rng *rand.Rand) {
	t.Helper()
	h := s.Heap()
	var err error
	g, _ := s.S.Group(s.Arena, []byte("g"))
	id := stream.ID{Ms: 1 + rng.Uint64N(s.S.Last.Ms)}
	switch rng.IntN(8) {
	case 0:
		_, err = s.S.Delete(h, id, stream.DelRef)
	case 1:
		_, err = s.S.Trim(h, stream.Trim{MaxLen: s.S.Length - min(s.S.Length, 2)})
	case 2:
		c, _, failure := g.CreateConsumer(h, fmt.Appendf(nil, "c%d", rng.IntN(5)), 1, 2)
		if err = failure; err == nil {
			_, err = g.Put(h, stream.Pending{ID: id, Delivered: 3, Deliveries: 4, Consumer: c.Number})
		}
	case 3:
		_, err = g.Ack(h, id)
	default:
		next, _ := s.S.Last.Next()
		next.Ms++
		text := []byte(strings.Repeat("v", rng.IntN(30)))
		err = s.S.Append(h, stream.Limits{NodeBytes: 4096, NodeEntries: 10}, next, [][]byte{[]byte("f"), text})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Store()
}

// A snapshot reads the nodes as they were, whatever happens to the stream meanwhile; and
// nothing of it stays when all is thawed and freed.
func TestStreamFreeze(t *testing.T) {
	const epoch = 9
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 4))
		w := newSetWorld(t)
		c := w.newKey(record.Stream)
		s := value.StreamIn(&c)
		if _, _, err := s.S.CreateGroup(s.Heap(), []byte("g"), stream.ID{}, 0); err != nil {
			t.Fatal(err)
		}
		first := [][]byte{[]byte("f"), []byte("v")}
		if err := s.S.Append(s.Heap(), stream.Limits{}, stream.ID{Ms: 1}, first); err != nil {
			t.Fatal(err)
		}
		s.Store()
		for range 500 {
			changeStream(t, &s, rng)
		}
		var want []string
		for i := range value.Leaves(&c, nil) {
			want = append(want, nodeText(w, i, &c))
		}
		for i, ref := range value.Freeze(&c, epoch, nil) {
			for range rng.IntN(50) {
				changeStream(t, &s, rng)
			}
			value.EachInLeaf(record.Stream, w.arena, ref, func(e value.Element) {
				if got := fmt.Sprintf("%d-%d %x", e.MS, e.Seq, e.Node); got != want[i] {
					t.Fatalf("seed %d: leaf %d is %s, was %s", seed, i, got, want[i])
				}
			})
			value.Thaw(record.Stream, w.arena, epoch, ref)
		}
		if err := value.Check(&c); err != nil {
			t.Fatal(err)
		}
		other := w.newKey(record.Stream)
		copyInto(t, &c, &other)
		copied := value.StreamIn(&other)
		if err := value.Check(&other); err != nil || value.Len(&other) != value.Len(&c) || copied.S.Groups() != 1 {
			t.Fatalf("seed %d: the copy has %d of %d, %v", seed, value.Len(&other), value.Len(&c), err)
		}
		w.remove(&c)
		w.remove(&other)
		w.finish()
	}
}
