package hashdir

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// A forest is a directory beside the plainest model of one: all leaves in a sorted slice.
// Leaves are numbers, no blocks.
type forest struct {
	Dir
	*mem.Arena
	leaves []modelLeaf
	last   mem.Ref
}

type modelLeaf struct {
	first uint64
	depth uint
	ref   mem.Ref
}

func newForest(t testing.TB, reserve int64) *forest {
	t.Helper()
	a := memtest.New(t, reserve)
	f := &forest{Arena: a, last: 1, leaves: []modelLeaf{{ref: 1}}}
	f.Replace(a, 0, 0, 1)
	return f
}

func (f *forest) index(hash uint64) int {
	i, found := slices.BinarySearchFunc(f.leaves, hash, func(l modelLeaf, hash uint64) int {
		switch {
		case l.first < hash:
			return -1
		case l.first > hash:
			return +1
		}
		return 0
	})
	if !found {
		i--
	}
	return i
}

// split splits the leaf of a hash, unless it is too deep or there is no memory.
func (f *forest) split(hash uint64, depthMax uint) {
	i := f.index(hash)
	l := f.leaves[i]
	if l.depth >= depthMax || !f.Split(f.Arena, hash, l.depth, f.last+1, f.last+2) {
		return
	}
	f.leaves[i] = modelLeaf{l.first, l.depth + 1, f.last + 1}
	f.leaves = slices.Insert(f.leaves, i+1, modelLeaf{l.first | 1<<(63-l.depth), l.depth + 1, f.last + 2})
	f.last += 2
}

// join joins the leaf of a hash with its buddy, and says whether that could be.
func (f *forest) join(t testing.TB, hash uint64) bool {
	i := f.index(hash)
	l := f.leaves[i]
	ref := f.Buddy(f.Arena, hash, l.depth)
	if ref == 0 {
		return false
	}
	j := f.index(hash ^ 1<<(64-l.depth))
	first := f.leaves[j].first
	if f.leaves[j].ref != ref {
		t.Fatalf("the buddy of %#x/%d is %d, want %d", l.first, l.depth, ref, f.leaves[j].ref)
	}
	if f.leaves[j].depth != l.depth {
		return false
	}
	f.last++
	f.Join(f.Arena, hash, l.depth, f.last)
	i = min(i, j)
	f.leaves[i] = modelLeaf{min(l.first, first), l.depth - 1, f.last}
	f.leaves = slices.Delete(f.leaves, i+1, i+2)
	return true
}

func (f *forest) check(t testing.TB) {
	t.Helper()
	depths := map[mem.Ref]uint{}
	var want []mem.Ref
	for _, l := range f.leaves {
		depths[l.ref] = l.depth
		want = append(want, l.ref)
	}
	if err := f.Dir.Check(f.Arena, func(r mem.Ref) uint { return depths[r] }); err != nil {
		t.Fatal(err)
	}
	if got := f.AppendLeaves(f.Arena, nil); !slices.Equal(got, want) {
		t.Fatalf("%d leaves, want %d", len(got), len(want))
	}
	for i, l := range f.leaves {
		if r := f.Find(f.Arena, l.first); r != l.ref {
			t.Fatalf("%#x is in %d, want %d", l.first, r, l.ref)
		}
		next := Next(l.first, l.depth)
		if f.Find(f.Arena, next-1) != l.ref || First(next-1, l.depth) != l.first {
			t.Fatalf("%#x is not in %d", next-1, l.ref)
		}
		if i+1 < len(f.leaves) && next != f.leaves[i+1].first || i+1 == len(f.leaves) && next != 0 {
			t.Fatalf("behind %#x comes %#x", l.first, next)
		}
	}
}

// free frees the directory and sees that every leaf was dropped.
func (f *forest) free(t testing.TB) {
	t.Helper()
	dropped := 0
	for !f.FreeSome(f.Arena, 100, func(r mem.Ref) {
		if want := f.leaves[dropped].ref; r != want {
			t.Fatalf("dropped %d, want %d", r, want)
		}
		dropped++
	}) {
	}
	if dropped != len(f.leaves) || f.Live() != 0 {
		t.Fatalf("dropped %d of %d, %d bytes live", dropped, len(f.leaves), f.Live())
	}
}

// TestGrowAndShrink goes to a top array of several words and back to a single leaf.
func TestGrowAndShrink(t *testing.T) {
	for seed := range uint64(3) {
		f := newForest(t, 1<<26)
		rng := rand.New(rand.NewPCG(seed, 1))
		hash := func() uint64 { return Position(rng.Uint64()) }
		for len(f.leaves) < 10_000 {
			f.split(hash(), 64)
			if n := len(f.leaves); n&(n-1) == 0 {
				f.check(t)
			}
		}
		f.check(t)
		if f.top < 2 {
			t.Fatalf("%d bits in the top array: the test has shown nothing", f.top)
		}
		var b [Size]byte
		f.Store(b[:])
		got := Dir{}
		if got.Load(b[:]); got != f.Dir {
			t.Fatalf("stored %+v, loaded %+v", f.Dir, got)
		}
		if seed == 0 {
			f.free(t)
			continue
		}
		for step := 0; len(f.leaves) > 1; step++ {
			f.join(t, hash())
			if step%3000 == 0 {
				f.check(t)
			}
		}
		f.check(t)
		if !f.IsSingle() || f.Deep() != 0 || f.Live() != 0 {
			t.Fatalf("one leaf left, in a directory of depth %d with %d bytes", f.Deep(), f.Live())
		}
	}
}

// TestExhausted splits and joins where there is hardly any memory.
func TestExhausted(t *testing.T) {
	f := newForest(t, 1<<16)
	rng := rand.New(rand.NewPCG(2, 3))
	for round := range 20 {
		for range 3000 {
			f.split(rng.Uint64(), 40)
		}
		f.check(t)
		for range 3000 * (round % 3) {
			f.join(t, rng.Uint64())
		}
		f.check(t)
	}
	f.free(t)
}

// TestPosition holds the promise of its density: twice as high at the end, and order.
func TestPosition(t *testing.T) {
	const step = 1 << 54
	last := Position(0)
	if last != 0 || Position(1<<64-1) != 1<<64-1 {
		t.Fatal("the ends are not fixed")
	}
	var gaps []float64
	for h := uint64(step); h != 0; h += step {
		p := Position(h)
		if p <= last {
			t.Fatalf("%#x goes to %#x, before %#x", h, p, last)
		}
		gaps, last = append(gaps, float64(p-last)), p
	}
	if r := gaps[0] / gaps[len(gaps)-1]; r < 1.99 || r > 2.01 {
		t.Fatalf("the density grows by %.3f", r)
	}
}

// FuzzAgainstModel replays a byte string as splits and joins: three bytes each, a verb and
// the first bits of a hash.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x10\x00\x01\x10\x00\x01\x00\x00"))
	f.Add([]byte("\xf0\x00\x00\xf0\x80\x00\x01\x80\x00\x03\x00\x00\x03\x80\x00"))
	f.Fuzz(func(t *testing.T, program []byte) {
		fo := newForest(t, 1<<24)
		for ; len(program) >= 3; program = program[3:] {
			hash := uint64(binary.BigEndian.Uint16(program[1:])) << 48
			switch program[0] % 4 {
			case 0: // down to a depth
				for range program[0] >> 3 {
					fo.split(hash, 20)
				}
			case 1: // everything near
				for i := range uint64(program[0]) {
					fo.split(hash+i<<50, 20)
				}
			case 2:
				fo.join(t, hash)
			case 3:
				for fo.join(t, hash) {
				}
			}
			fo.check(t)
		}
		fo.free(t)
	})
}

func BenchmarkFind(b *testing.B) {
	f := newForest(b, 1<<26)
	rng := rand.New(rand.NewPCG(1, 2))
	for len(f.leaves) < 20_000 {
		f.split(rng.Uint64(), 64)
	}
	h := uint64(0)
	for b.Loop() {
		h += 0x9e3779b97f4a7c15
		if f.Find(f.Arena, Position(h)) == 0 {
			b.Fatal("lost")
		}
	}
}
