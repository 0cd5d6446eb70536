package scoreindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// mix is the hash of a number.
func mix(i int) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(i))
	return uint32(hash.XXH3(b[:]))
}

func candidates(x *Index, a *mem.Arena, h uint32) (scores []float64) {
	c := x.Find(a, h)
	for {
		s, ok := c.Next()
		if !ok {
			slices.Sort(scores)
			return scores
		}
		scores = append(scores, s)
	}
}

func check(t testing.TB, x *Index, a *mem.Arena) {
	t.Helper()
	if err := x.Check(a); err != nil {
		t.Fatal(err)
	}
}

// TestGrowAndShrink goes through all widths of keys but the last, up and down.
func TestGrowAndShrink(t *testing.T) {
	const n = 100_000
	a, x := memtest.New(t, 1<<34), Index{}
	for i := range n {
		if err := x.Insert(a, mix(i), float64(i)); err != nil {
			t.Fatal(err)
		}
		if i&(i-1) == 0 {
			check(t, &x, a)
		}
	}
	check(t, &x, a)
	for i := range n {
		if !slices.Contains(candidates(&x, a, mix(i)), float64(i)) {
			t.Fatalf("%d is lost", i)
		}
	}
	for i := range n {
		if !x.Replace(a, mix(i), float64(i), float64(-i)) || x.Replace(a, mix(i), float64(n+i), 1) {
			t.Fatalf("%d is lost, or something else found", i)
		}
	}
	var b [Size]byte
	x.Store(b[:])
	got := Index{}
	if got.Load(b[:]); got != x {
		t.Fatalf("stored %+v, loaded %+v", x, got)
	}
	for i := range n {
		if x.Delete(a, mix(i), float64(n+i)) || !x.Delete(a, mix(i), float64(-i)) {
			t.Fatalf("%d is lost, or something else found", i)
		}
		if left := n - 1 - i; left&(left-1) == 0 {
			check(t, &x, a)
		}
	}
	if a.Live() != 0 {
		t.Fatalf("%d bytes live in an empty index", a.Live())
	}
}

// TestSameHash is about hashes that collide: all are candidates.
func TestSameHash(t *testing.T) {
	for _, h := range []uint32{0, 1, 1 << 31, math.MaxUint32} {
		a, x := memtest.New(t, 1<<34), Index{}
		var err error
		var want []float64
		for i := 0; err == nil; i++ {
			if err = x.Insert(a, h, float64(i)); err == nil {
				want = append(want, float64(i))
			}
		}
		check(t, &x, a)
		if !errors.Is(err, mem.ErrExhausted) || len(want) != leafMax {
			t.Fatalf("%v after %d", err, len(want))
		}
		if got := candidates(&x, a, h); !slices.Equal(got, want) {
			t.Fatalf("%d candidates", len(got))
		}
		for i := range want {
			if !x.Delete(a, h, float64(i)) {
				t.Fatalf("%d is lost", i)
			}
		}
		if a.Live() != 0 {
			t.Fatalf("%d bytes live in an empty index", a.Live())
		}
	}
}

// TestExhausted runs changes in an arena that is always nearly full.
func TestExhausted(t *testing.T) {
	a := memtest.New(t, 1<<17)
	x, model, refused := Index{}, map[int]bool{}, 0
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range 60_000 {
		i := rng.IntN(20_000)
		if model[i] {
			if rng.IntN(2) == 0 {
				if !x.Delete(a, mix(i), float64(i)) {
					t.Fatalf("%d is lost", i)
				}
				delete(model, i)
			}
		} else if x.Insert(a, mix(i), float64(i)) == nil {
			model[i] = true
		} else {
			refused++
		}
		if step%1000 == 0 {
			check(t, &x, a)
		}
	}
	check(t, &x, a)
	if refused < 1000 || x.Len() != len(model) {
		t.Fatalf("%d refused, %d of %d elements", refused, x.Len(), len(model))
	}
	for !x.FreeSome(a, 5) {
	}
	if a.Live() != 0 {
		t.Fatalf("%d bytes leaked", a.Live())
	}
}

func TestIndexAllocatesNothing(t *testing.T) {
	if invariant.Enabled {
		t.Skip("the arena's records of its blocks allocate")
	}
	a, x, i := memtest.New(t, 1<<34), Index{}, 0
	if n := testing.AllocsPerRun(20_000, func() {
		i++
		if err := x.Insert(a, mix(i), float64(i)); err != nil {
			t.Fatal(err)
		}
		c := x.Find(a, mix(i))
		if _, ok := c.Next(); !ok {
			t.Fatal("lost")
		}
		x.Replace(a, mix(i), float64(i), float64(i)+1)
	}); n != 0 {
		t.Fatalf("inserting and finding allocates %v", n)
	}
	if n := testing.AllocsPerRun(20_000, func() {
		if !x.Delete(a, mix(i), float64(i)+1) {
			t.Fatal("lost")
		}
		i--
	}); n != 0 {
		t.Fatalf("deleting allocates %v", n)
	}
}

// FuzzAgainstModel replays a byte string as operations, on the index and on a map from
// hashes to scores. Each operation is four bytes: a verb, an element's number in two, an
// operand. Numbers that agree in all but their last two bits have one hash.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x01\x01\x02\x00\xff\x02\x01\x00\x00"))
	f.Add([]byte("\x01\x00\x00\xff\x01\x00\x01\xff\x01\x00\x02\xff\x02\x00\x00\xff\x02\x00\x01\x80"))
	f.Fuzz(func(t *testing.T, program []byte) {
		a, x, model := memtest.New(t, 1<<34), Index{}, map[uint32][]float64{}
		total := 0
		insert := func(i int, s float64) {
			if err := x.Insert(a, mix(i/4), s); err != nil {
				t.Fatal(err)
			}
			model[mix(i/4)] = append(model[mix(i/4)], s)
			total++
		}
		remove := func(i int, s float64) {
			have := model[mix(i/4)]
			at := slices.Index(have, s)
			if x.Delete(a, mix(i/4), s) != (at >= 0) {
				t.Fatalf("deleting %v: the model says %d", s, at)
			}
			if at >= 0 {
				model[mix(i/4)] = slices.Delete(have, at, at+1)
				total--
			}
		}
		for ; len(program) >= 4; program = program[4:] {
			i, v := int(binary.LittleEndian.Uint16(program[1:])), program[3]
			switch program[0] % 4 {
			case 0:
				insert(i, float64(v))
			case 1: // ranges, so that programs reach growth
				for j := range int(v) {
					insert(i+2*j, float64(v))
				}
			case 2:
				for j := range int(v) {
					remove(i+2*j, float64(v))
				}
			case 3:
				have := model[mix(i/4)]
				at := slices.Index(have, float64(v))
				if x.Replace(a, mix(i/4), float64(v), float64(v)/2) != (at >= 0) {
					t.Fatalf("replacing %v: the model says %d", v, at)
				}
				if at >= 0 {
					have[at] = float64(v) / 2
				}
			}
			check(t, &x, a)
		}
		for h, want := range model {
			slices.Sort(want)
			if got := candidates(&x, a, h); !slices.Equal(got, want) {
				t.Fatalf("%#x has the scores %v, want %v", h, got, want)
			}
		}
		if got := scanned(t, &x, a, 1+len(program)%9); x.Len() != total || len(got) != total {
			t.Fatalf("%d elements, %d scanned, want %d", x.Len(), len(got), total)
		}
		to := memtest.New(t, 1<<34)
		y, err := clone(t, to, a, &x, 1+len(program)*100)
		if err != nil {
			t.Fatal(err)
		}
		check(t, &y, to)
		for h := range model {
			if got, want := candidates(&y, to, h), candidates(&x, a, h); !slices.Equal(got, want) {
				t.Fatalf("%#x has the scores %v in the copy, want %v", h, got, want)
			}
		}
		for !x.FreeSome(a, 3) || !y.FreeSome(to, 4) {
		}
		if a.Live()+to.Live() != 0 {
			t.Fatalf("%d and %d bytes live in the end", a.Live(), to.Live())
		}
	})
}

const benchCount = 1_000_000

func fill(b *testing.B, n int) (*mem.Arena, *Index) {
	a, x := memtest.New(b, 1<<34), &Index{}
	for i := range n {
		if err := x.Insert(a, mix(i), float64(i)); err != nil {
			b.Fatal(err)
		}
	}
	return a, x
}

// BenchmarkBytes reports the memory of an element, as Live and as Held, which counts what
// fragmentation costs.
func BenchmarkBytes(b *testing.B) {
	for n := benchCount; n < 2*benchCount; n += benchCount / 4 {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a, _ := fill(b, n)
			for b.Loop() {
			}
			b.ReportMetric(float64(a.Live())/float64(n), "live-B/elem")
			b.ReportMetric(float64(a.Held())/float64(n), "held-B/elem")
		})
	}
}

func BenchmarkFind(b *testing.B) {
	a, x := fill(b, benchCount)
	i := 0
	for b.Loop() {
		c := x.Find(a, mix(i%benchCount))
		if _, ok := c.Next(); !ok {
			b.Fatal("lost")
		}
		i += 7919
	}
}

func BenchmarkInsert(b *testing.B) {
	a, x := memtest.New(b, 1<<34), &Index{}
	i := 0
	for b.Loop() {
		if err := x.Insert(a, mix(i%benchCount), 1); err != nil {
			b.Fatal(err)
		}
		if i++; i%benchCount == 0 {
			b.StopTimer()
			for !x.FreeSome(a, 1000) {
			}
			b.StartTimer()
		}
	}
}
