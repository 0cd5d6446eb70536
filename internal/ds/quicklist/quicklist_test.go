package quicklist

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// TestIndex grows an index to three levels, in the middle and at its ends, and takes it
// down again, beside a slice.
func TestIndex(t *testing.T) {
	a := memtest.New(t, 1<<26)
	rng := rand.New(rand.NewPCG(1, 1))
	var x index
	model := []entry{}
	same := func() {
		t.Helper()
		sums := uint32(0)
		for i, e := range model {
			var p path
			if i > 0 && i%97 == 0 {
				if rest := x.seek(a, sums+e.count-1, &p); rest != e.count-1 || *p.entry(a) != e {
					t.Fatalf("node %d is %v, not %v", i, *p.entry(a), e)
				}
			}
			sums += e.count
		}
		if x.count != sums || int(x.nodes) != len(model) {
			t.Fatalf("%d elements in %d nodes, not %d in %d", x.count, x.nodes, sums, len(model))
		}
	}
	find := func(i int) (p path) {
		x.seek(a, sum(model[:i]), &p)
		return p
	}
	tallest := uint8(0)
	for step := range 9000 {
		e := entry{mem.Ref(step + 1), uint32(1 + rng.IntN(4))}
		switch i := rng.IntN(len(model) + 1); {
		case step < 3000 && step%3 > 0:
			x.append(a, e)
			model = append(model, e)
		case step%7 == 0:
			x.prepend(a, e)
			model = slices.Insert(model, 0, e)
		case i < len(model):
			p := find(i)
			x.insert(a, &p, e)
			model = slices.Insert(model, i, e)
		}
		tallest = max(tallest, x.height)
		if step%500 == 0 {
			same()
		}
	}
	if tallest != 3 {
		t.Fatalf("%d nodes have %d levels", len(model), tallest)
	}
	var p path
	i := 0
	for x.first(a, &p); ; i++ {
		if *p.entry(a) != model[i] {
			t.Fatalf("node %d is %v, not %v", i, *p.entry(a), model[i])
		}
		if !x.next(a, &p) {
			break
		}
	}
	for ; x.prev(a, &p); i-- {
	}
	if i != 0 || *p.entry(a) != model[0] {
		t.Fatalf("%d nodes are missing backwards", i)
	}
	for len(model) > 0 {
		i := rng.IntN(len(model))
		p := find(i)
		x.remove(a, &p)
		model = slices.Delete(model, i, i+1)
		if len(model)%500 == 0 {
			same()
		}
	}
	if x != (index{}) || a.Live() != 0 {
		t.Fatalf("%+v and %d bytes are left", x, a.Live())
	}
}

func texts(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = fmt.Appendf(nil, "value:%d:%0*d", i, 1+i%8, 7)
	}
	return all
}

func pack(elems ...string) listpack.List {
	b := listpack.AppendHeader(nil)
	for _, e := range elems {
		b = listpack.AppendElem(b, listpack.Text([]byte(e)))
	}
	return listpack.Finish(b, 0, len(elems))
}

// TestSingle converts a listpack to a list and back.
func TestSingle(t *testing.T) {
	b := newBench(t, 1<<24)
	list := pack("a", "17", "ccc")
	var err error
	if b.list, err = FromListpack(b.h, &b.o, list); err != nil {
		t.Fatal(err)
	}
	b.model = [][]byte{[]byte("a"), []byte("17"), []byte("ccc")}
	b.check()
	if got, ok := b.list.Single(b.h.Arena); !ok || !bytes.Equal(got, list) {
		t.Fatalf("%x, %v", got, ok)
	}
	for i, kind := range []byte{2, 0, 2, 0} { // with a gap, and without
		b.do(2*byte(i%2), kind, byte(i), 0)
		b.check()
		b.all()
		if got, ok := b.list.Single(b.h.Arena); !ok || got.Len() != len(b.model) {
			t.Fatalf("%x, %v", got, ok)
		}
	}
	if err := b.list.AppendNode(b.h, &b.o, false, list); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.list.Single(b.h.Arena); ok {
		t.Fatal("two nodes are one")
	}
	if err := b.list.AppendNode(b.h, &b.o, false, pack()); err != nil || b.list.Nodes() != 2 {
		t.Fatal("an empty listpack is a node")
	}
	if err := b.list.DeleteRange(b.h, &b.o, 0, b.list.Len()); err != nil {
		t.Fatal(err)
	}
	b.model = nil
	if _, ok := b.list.Single(b.h.Arena); ok {
		t.Fatal("nothing is a listpack")
	}
	if err := b.list.AppendNode(b.h, &b.o, true, []byte("plain")); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.list.Single(b.h.Arena); ok {
		t.Fatal("a plain node is a listpack")
	}
	b.free()
}

// TestNodes says how many nodes there are after pushes: the numbers are Redis 7.0.15's.
func TestNodes(t *testing.T) {
	for _, tt := range []struct {
		fill, threshold, size, pushes, nodes int
	}{
		{-1, 0, 10, 340, 1},
		{-1, 0, 10, 341, 2}, // 4087 bytes, 10, and the 8 that are reckoned are too many
		{-2, 0, 10, 1000, 2},
		{-5, 0, 1000, 66, 2},
		{1, 0, 10, 7, 7},
		{0, 0, 10, 7, 7},
		{3, 0, 10, 7, 3},
		{100, 0, 1000, 16, 2}, // 8 KiB are the limit where elements are counted
		{100, 0, 8192, 3, 3},
		{-1, 0, 5000, 3, 3},
		{-2, 8, 10, 5, 5},
	} {
		for _, front := range []bool{false, true} {
			b := newBench(t, 1<<24)
			b.o.Fill, b.o.PackedThreshold = tt.fill, tt.threshold
			e := bytes.Repeat([]byte{'x'}, tt.size)
			for range tt.pushes {
				if err := b.list.push(b.h, &b.o, e, front); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.list.Nodes(); got != tt.nodes {
				t.Errorf("%d elements of %d bytes at fill %d are %d nodes, not %d",
					tt.pushes, tt.size, tt.fill, got, tt.nodes)
			}
			b.free()
		}
	}
}

// TestDepth says which nodes are compressed after pushes and pops at both ends.
func TestDepth(t *testing.T) {
	for depth := range 4 {
		b := newBench(t, 1<<24)
		b.o.Fill, b.o.Depth = 4, depth
		e := bytes.Repeat([]byte("compress"), 20)
		want := func() {
			t.Helper()
			leaves := b.list.AppendLeaves(b.h.Arena, nil)
			for i, r := range leaves {
				stream, size, ok := LeafPacked(b.h.Arena, r)
				inner := depth > 0 && i >= depth && i < len(leaves)-depth
				if ok && (len(stream) >= size || size < compressMin) {
					t.Fatalf("%d bytes became %d", size, len(stream))
				}
				if ok != inner && (len(leaves) > 2*depth || ok == (depth == 0)) {
					t.Fatalf("depth %d: node %d of %d: %v", depth, i, len(leaves), ok)
				}
			}
		}
		for i := range 100 {
			if err := b.list.push(b.h, &b.o, e, i%3 == 0); err != nil {
				t.Fatal(err)
			}
			b.model = append(b.model, e)
			want()
		}
		b.all()
		if got, least := b.list.UncompressedBytes(b.h.Arena), int64(100*len(e)); got < least {
			t.Errorf("%d bytes are not compressed, not %d", got, least)
		}
		for i := range 60 {
			if err := b.list.pop(b.h, &b.o, i%3 == 0); err != nil {
				t.Fatal(err)
			}
			want()
		}
		b.model = b.model[:40]
		b.check()
		for b.list.InsertAt(b.h, &b.o, 20, e) == nil && len(b.model) < 80 {
			b.model = append(b.model, e)
			want()
		}
		b.model = append(b.model, e)
		b.all()
		b.free()
	}
}

// TestIncompressible says that a node that does not compress stays as it is.
func TestIncompressible(t *testing.T) {
	b := newBench(t, 1<<24)
	b.o.Depth, b.o.Fill = 1, 2
	for i := range 20 {
		e := noise(100, uint64(i))
		b.model = append(b.model, e)
		if err := b.list.PushTail(b.h, &b.o, e); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range b.list.AppendLeaves(b.h.Arena, nil) {
		if _, _, ok := LeafPacked(b.h.Arena, r); ok {
			t.Fatal("noise was compressed")
		}
	}
	b.check()
	b.all()
	b.free()
}

// TestMemory holds the cost of a long list against the bytes of its listpacks, and
// MemoryBytes against the arena.
func TestMemory(t *testing.T) {
	b := newBench(t, 1<<26)
	b.o.Fill = -2
	for i, e := range texts(100_000) {
		if err := b.list.push(b.h, &b.o, e, i%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	raw, live := b.list.UncompressedBytes(b.h.Arena), b.h.Live()
	if over := float64(live-raw) / float64(raw); over > 0.02 {
		t.Errorf("%d bytes for %d of listpacks: %.1f %% over", live, raw, 100*over)
	}
	exact, sampled := b.list.MemoryBytes(b.h.Arena, 0), b.list.MemoryBytes(b.h.Arena, 5)
	if exact > live || exact < live-4*int64(b.list.Nodes()+10) { // in checked builds 4 are a canary's
		t.Errorf("%d bytes, and %d in the arena", exact, live)
	}
	if sampled < exact*9/10 || sampled > exact*11/10 {
		t.Errorf("%d bytes by samples, and %d in fact", sampled, exact)
	}
	for b.list.Len() > 100 {
		if err := b.list.pop(b.h, &b.o, b.list.Len()%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	if live := b.h.Live(); live > 6000 {
		t.Errorf("100 elements hold %d bytes", live)
	}
	if (&List{}).MemoryBytes(b.h.Arena, 5) != 0 || (&List{}).UncompressedBytes(b.h.Arena) != 0 {
		t.Error("nothing has bytes")
	}
	b.free()
}

// TestEachInLeafStops returns the error that ends a walk.
func TestEachInLeafStops(t *testing.T) {
	b := newBench(t, 1<<24)
	for range 3 {
		b.do(0, 0, 1, 0)
	}
	stop, seen := errors.New("stop"), 0
	err := EachInLeaf(b.h.Arena, b.list.head.ref, b.o.Scratch, func(listpack.Elem) error {
		seen++
		return stop
	})
	if err != stop || seen != 1 {
		t.Fatalf("%v after %d", err, seen)
	}
	b.free()
}

// TestAllocNothing says that nothing here leaves garbage on the Go heap.
func TestAllocNothing(t *testing.T) {
	if invariant.Enabled {
		t.Skip("the checks allocate")
	}
	b := newBench(t, 1<<26)
	b.o.Fill = -1
	elems := texts(5000)
	for _, depth := range []int{0, 1} {
		b.o.Depth = depth
		for _, e := range elems {
			if err := b.list.PushTail(b.h, &b.o, e); err != nil {
				t.Fatal(err)
			}
		}
		e, i, count := elems[7], 0, 0
		got := testing.AllocsPerRun(300, func() {
			i += 7
			_ = b.list.PushHead(b.h, &b.o, e)
			_ = b.list.PushTail(b.h, &b.o, e)
			_ = b.list.InsertAt(b.h, &b.o, i, e)
			_ = b.list.Set(b.h, &b.o, i+1, e)
			count += b.list.Index(b.h.Arena, i, b.o.Scratch).Len() + b.list.First(b.h.Arena).Len()
			count += b.list.Last(b.h.Arena).Len()
			it := b.list.Iter(b.h.Arena, i, i%2 == 0, b.o.Scratch)
			for range 400 {
				x, _ := it.Next()
				count += x.Len()
			}
			_ = b.list.PopHead(b.h, &b.o)
			_ = b.list.PopTail(b.h, &b.o)
			_ = b.list.DeleteRange(b.h, &b.o, i, 3)
			n, _ := b.list.Remove(b.h, &b.o, e, 2, i%2 == 0)
			count += n
		})
		if got != 0 || count == 0 {
			t.Errorf("depth %d: %v allocations", depth, got)
		}
	}
	for !b.list.FreeSome(b.h, 3) {
	}
	b.free()
}

// TestZero says what an empty list is.
func TestZero(t *testing.T) {
	b := newBench(t, 1<<20)
	if b.list.Len() != 0 || b.list.Nodes() != 0 || len(b.list.AppendLeaves(b.h.Arena, nil)) != 0 {
		t.Error("an empty list has something")
	}
	if n, err := b.list.Remove(b.h, &b.o, []byte("x"), 0, false); n != 0 || err != nil {
		t.Error("something was removed from it")
	}
	if err := b.list.DeleteRange(b.h, &b.o, 0, 0); err != nil {
		t.Error(err)
	}
	it := b.list.Iter(b.h.Arena, 0, true, b.o.Scratch)
	if _, ok := it.Next(); ok {
		t.Error("it can be walked")
	}
	b.check()
	b.free()
}

// --- benchmarks ---

func benchList(b *testing.B, n int) *bench {
	l := newBench(b, 1<<30)
	l.o.Fill = -2
	for _, e := range texts(n) {
		if err := l.list.PushTail(l.h, &l.o, e); err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() {
		for !l.list.FreeSome(l.h, 1000) {
		}
		l.free()
	})
	return l
}

var sink int

// BenchmarkEnds pushes at one end of a list and pops at the same or the other.
func BenchmarkEnds(b *testing.B) {
	e := []byte("value:0123456789")
	for _, n := range []int{100, 1_000_000} {
		for _, front := range []bool{true, false} {
			b.Run(fmt.Sprintf("push/n=%d/head=%v", n, front), func(b *testing.B) {
				l := benchList(b, n)
				for b.Loop() {
					_ = l.list.push(l.h, &l.o, e, front)
				}
			})
			b.Run(fmt.Sprintf("queue/n=%d/head=%v", n, front), func(b *testing.B) {
				l := benchList(b, n)
				for b.Loop() {
					_ = l.list.push(l.h, &l.o, e, front)
					_ = l.list.pop(l.h, &l.o, !front)
				}
			})
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	l := benchList(b, 1_000_000)
	rng := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		sink += l.list.Index(l.h.Arena, rng.IntN(1_000_000), l.o.Scratch).Len()
	}
}

func BenchmarkInsertMiddle(b *testing.B) {
	l := benchList(b, 1_000_000)
	rng := rand.New(rand.NewPCG(1, 1))
	e := []byte("value:0123456789")
	for b.Loop() {
		if err := l.list.InsertAt(l.h, &l.o, 1+rng.IntN(999_998), e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	l := benchList(b, 1_000_000)
	rng := rand.New(rand.NewPCG(1, 1))
	e := []byte("value:0123456789")
	for b.Loop() {
		if err := l.list.Set(l.h, &l.o, rng.IntN(1_000_000), e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIter walks over a million elements; an operation is one of them.
func BenchmarkIter(b *testing.B) {
	l := benchList(b, 1_000_000)
	it := l.list.Iter(l.h.Arena, 0, false, l.o.Scratch)
	for b.Loop() {
		e, ok := it.Next()
		if !ok {
			it = l.list.Iter(l.h.Arena, 0, false, l.o.Scratch)
		}
		sink += len(e.Bytes)
	}
}

// BenchmarkBytesPerElement reports what 1M texts of 10-20 bytes cost, and how much that is
// over the bytes of the listpacks.
func BenchmarkBytesPerElement(b *testing.B) {
	const n = 1_000_000
	for _, fill := range []int{-1, -2, -5, 128, 8} {
		b.Run(fmt.Sprint("fill=", fill), func(b *testing.B) {
			var live, raw int64
			for b.Loop() {
				l := newBench(b, 1<<30)
				l.o.Fill = fill
				rng := rand.New(rand.NewPCG(1, 1))
				for range n {
					e := []byte("abcdefghijklmnopqrstuvwxyz")[:10+rng.IntN(11)]
					if err := l.list.PushTail(l.h, &l.o, e); err != nil {
						b.Fatal(err)
					}
				}
				live, raw = l.h.Live(), l.list.UncompressedBytes(l.h.Arena)
				for !l.list.FreeSome(leaf.Heap{Arena: l.h.Arena}, 1000) {
				}
				l.free()
			}
			b.ReportMetric(float64(live)/n, "bytes/element")
			b.ReportMetric(100*float64(live-raw)/float64(raw), "%over")
		})
	}
}
