package stream

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/invariant"
)

var pair = pairsOf("a 0123456789")

func filled(t testing.TB, h leaf.Heap, n uint64, pairs [][]byte) Stream {
	s := New()
	for i := range n {
		if err := s.Append(h, usual, ID{1_700_000_000_000 + i, 0}, pairs); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestAllocs(t *testing.T) {
	if invariant.Enabled {
		t.Skip("checked arenas note their blocks on the Go heap")
	}
	h := newHeap(t, 1<<26)
	s := filled(t, h, 1000, pair)
	g, _, err := s.CreateGroup(h, []byte("group"), ID{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := g.CreateConsumer(h, []byte("consumer"), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := g.CreateConsumer(h, []byte("another one"), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var root [Size]byte
	seen := 0
	if n := testing.AllocsPerRun(500, func() {
		id := s.Last
		s.Store(root[:])
		s = Load(root[:])
		next, _ := id.Next()
		if s.Append(h, usual, next, pair) != nil {
			t.Fatal("Append")
		}
		for it := s.Range(h.Arena, ID{next.Ms - 5, 0}, MaxID, false); it.Next(); {
			for _, v, ok := it.NextPair(); ok; _, v, ok = it.NextPair() {
				seen += len(v.Bytes)
			}
		}
		for it := s.Range(h.Arena, ID{}, MaxID, true); it.Next() && seen&7 != 0; {
			seen++
		}
		g, _ := s.Group(h.Arena, []byte("group"))
		c1, _ := g.Consumer(h.Arena, []byte("consumer"))
		if added, err := g.Put(h, Pending{ID: next, Consumer: c1.Number}); !added || err != nil {
			t.Fatal("Put")
		}
		if _, err := g.Put(h, Pending{ID: next, Consumer: other.Number}); err != nil {
			t.Fatal("Put")
		}
		if err := g.SetTimes(h, c1, 1, 2); err != nil {
			t.Fatal("SetTimes")
		}
		for it := g.Owned(h.Arena, other.Number, ID{}); it.Next(); {
			seen += int(it.Deliveries)
		}
		for it := g.EachConsumer(h.Arena); it.Next(); {
			c := it.Consumer()
			seen += int(c.Pending)
		}
		if ok, err := g.Ack(h, next); !ok || err != nil {
			t.Fatal("Ack")
		}
		if got, err := s.Delete(h, s.First, DelRef); got != Deleted || err != nil {
			t.Fatal("Delete")
		}
		if _, err := s.Trim(h, Trim{MaxLen: 998}); err != nil {
			t.Fatal("Trim")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if c.Number == other.Number || seen == 0 {
		t.Error("nothing was read")
	}
	mustCheck(t, h, &s)
}

// TestSmall says what a stream of one entry takes, with the root that is in its key's
// record.
func TestSmall(t *testing.T) {
	h := newHeap(t, 1<<24)
	s := filled(t, h, 1, pair)
	if n := h.Live() + Size; n > 200 {
		t.Errorf("%d bytes", n)
	}
	mustFree(t, h, &s)
}

// TestMany has a hundred thousand consumers and pending entries.
func TestMany(t *testing.T) {
	n := uint64(100_000)
	if invariant.Enabled {
		n /= 10
	}
	h := newHeap(t, 1<<28)
	s := New()
	g, _, err := s.CreateGroup(h, []byte("g"), ID{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := h.Live()
	for i := range n {
		c, created, err := g.CreateConsumer(h, fmt.Appendf(nil, "consumer-%d", i*7919%n), 0, 0)
		if !created || err != nil {
			t.Fatal(created, err)
		}
		if _, err := g.Put(h, Pending{ID: ID{i, i}, Consumer: c.Number}); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("a consumer and a pending entry take %d bytes", (h.Live()-before)/int64(n))
	for i := range n / 2 {
		pending, ok, err := g.DeleteConsumer(h, fmt.Appendf(nil, "consumer-%d", i))
		if pending != 1 || !ok || err != nil {
			t.Fatal(pending, ok, err)
		}
	}
	if g.Consumers() != int64(n/2) || g.PendingCount() != int64(n/2) {
		t.Fatal(g.Consumers(), g.PendingCount())
	}
	mustCheck(t, h, &s)
	mustFree(t, h, &s)
}

func BenchmarkAppend(b *testing.B) {
	h := newHeap(b, 1<<32)
	s := New()
	var root [Size]byte
	s.Store(root[:])
	id := ID{1_700_000_000_000, 0}
	for b.Loop() {
		s := Load(root[:])
		id.Ms++
		if err := s.Append(h, usual, id, pair); err != nil {
			b.Fatal(err)
		}
		s.Store(root[:])
	}
	s = Load(root[:])
	b.ReportMetric(float64(h.Live())/float64(s.Length), "bytes/entry")
}

func BenchmarkAppendTrim(b *testing.B) {
	for _, approx := range []bool{true, false} {
		b.Run(fmt.Sprintf("approx=%v", approx), func(b *testing.B) {
			h := newHeap(b, 1<<28)
			s := filled(b, h, 10_000, pair)
			for b.Loop() {
				next, _ := s.Last.Next()
				if err := s.Append(h, usual, next, pair); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Trim(h, Trim{MaxLen: 10_000, Approx: approx}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRange10(b *testing.B) {
	h := newHeap(b, 1<<28)
	const n = 100_000
	s := filled(b, h, n, pair)
	for _, backward := range []bool{false, true} {
		b.Run(fmt.Sprintf("backward=%v", backward), func(b *testing.B) {
			i, seen := uint64(0), 0
			for b.Loop() {
				i = (i*7919 + 13) % n
				at := ID{1_700_000_000_000 + i, 0}
				from, to := at, MaxID
				if backward {
					from, to = ID{}, at
				}
				it := s.Range(h.Arena, from, to, backward)
				for k := 0; k < 10 && it.Next(); k++ {
					for _, v, ok := it.NextPair(); ok; _, v, ok = it.NextPair() {
						seen += len(v.Bytes)
					}
				}
			}
		})
	}
}

func BenchmarkFollow(b *testing.B) {
	h := newHeap(b, 1<<28)
	s := filled(b, h, 99, pair)
	for b.Loop() {
		it := s.Range(h.Arena, s.Last, MaxID, false)
		for it.Next() {
			it.NextPair()
		}
	}
}

func BenchmarkPending(b *testing.B) {
	h := newHeap(b, 1<<32)
	s := New()
	g, _, _ := s.CreateGroup(h, []byte("g"), ID{}, 0)
	var consumers [16]Consumer
	for i := range consumers {
		consumers[i], _, _ = g.CreateConsumer(h, binary.BigEndian.AppendUint64(nil, uint64(i)), 0, 0)
	}
	const n = 1_000_000
	before := h.Live()
	id := uint64(0)
	put := func() {
		id++
		p := Pending{ID: ID{1_700_000_000_000 + id, 0}, Consumer: consumers[id*7919%16].Number}
		if added, err := g.Put(h, p); !added || err != nil {
			b.Fatal(err)
		}
	}
	for range n {
		put()
	}
	perEntry := float64(h.Live()-before) / n
	for b.Loop() { // one delivered, the oldest acknowledged
		put()
		if ok, err := g.Ack(h, ID{1_700_000_000_000 + id - n, 0}); !ok || err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(perEntry, "bytes/pending")
}

func BenchmarkValidateNode(b *testing.B) {
	h := newHeap(b, 1<<24)
	s := filled(b, h, 100, pair)
	n := NodeAt(h.Arena, s.tail)
	for b.Loop() {
		if _, err := ValidateNode(n.Master, n.List); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFreeze is what a snapshot does under one lock with a group of a million pending
// entries, and what it took to read all of them there.
func BenchmarkFreeze(b *testing.B) {
	h, s := newHeap(b, 1<<30), New()
	g, _, err := s.CreateGroup(h, []byte("g"), ID{}, 0)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1_000_000 {
		c, _, err := g.CreateConsumer(h, fmt.Appendf(nil, "consumer:%d", i%100), 1, 2)
		if err == nil {
			_, err = g.Put(h, Pending{ID{uint64(i), 0}, 3, 4, c.Number})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("note", func(b *testing.B) {
		for b.Loop() {
			s.Freeze(h.Arena)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			n := 0
			r := s.Freeze(h.Arena)
			for r.Next(h, func(Part, []byte, ID, []byte) { n++ }) {
				continue
			}
		}
	})
}

// BenchmarkKeepTimes is what the first claim by age costs a group of a million.
func BenchmarkKeepTimes(b *testing.B) {
	h, s := newHeap(b, 1<<32), New()
	g, _, _ := s.CreateGroup(h, []byte("g"), ID{}, 0)
	c, _, _ := g.CreateConsumer(h, []byte("c"), 0, 0)
	for i := range uint64(1_000_000) {
		p := Pending{ID: ID{i, 0}, Delivered: int64(i * 7919 % 1000), Consumer: c.Number}
		if _, err := g.Put(h, p); err != nil {
			b.Fatal(err)
		}
	}
	before := h.Live()
	for b.Loop() {
		if err := g.KeepTimes(h); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(h.Live()-before)/1e6, "bytes/pending")
		b.StopTimer()
		for !g.times.FreeSome(plain(h), 1<<20) {
			continue
		}
		g.timed = false
		b.StartTimer()
	}
}
