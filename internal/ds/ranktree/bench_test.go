package ranktree

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

const benchKeys = 1_000_000

// A bench is a tree of a million elements of a sorted set: members of 19 bytes.
type bench struct {
	h      leaf.Heap
	tree   Tree
	scores []float64
	member [19]byte
}

func newBench(b *testing.B) *bench {
	b.Helper()
	a := memtest.New(b, 1<<30)
	rng := rand.New(rand.NewPCG(1, 2))
	x := &bench{h: leaf.Heap{Arena: a}, scores: make([]float64, 2*benchKeys)}
	for i := range x.scores {
		x.scores[i] = rng.Float64() * 1e6
	}
	copy(x.member[:], "member:000000000000")
	return x
}

// key is the key of element i, whose bytes are good until the next call.
func (x *bench) key(i int) Key {
	binary.BigEndian.PutUint64(x.member[11:], uint64(i))
	return ScoreKey(x.scores[i], x.member[:])
}

func (x *bench) fill(b *testing.B) {
	b.Helper()
	for i := range benchKeys {
		if added, err := x.tree.Insert(x.h, x.key(i), nil); !added {
			b.Fatal(err)
		}
	}
}

// replace gives element i another score.
func (x *bench) replace(i int) {
	x.tree.Delete(x.h, x.key(i))
	x.scores[i], x.scores[benchKeys+i] = x.scores[benchKeys+i], x.scores[i]
	x.tree.Insert(x.h, x.key(i), nil)
}

func (x *bench) report(b *testing.B) {
	b.ReportMetric(float64(x.h.Live())/float64(x.tree.Len()), "live-B/key")
	b.ReportMetric(float64(x.h.Held())/float64(x.tree.Len()), "held-B/key")
	leaves := x.tree.AppendLeaves(x.h.Arena, nil)
	b.ReportMetric(float64(x.tree.Len())/float64(len(leaves)), "keys/leaf")
	b.ReportMetric(float64(x.tree.height), "height")
}

// BenchmarkFill reports the bytes of an element and the time to insert it: in random
// order, in order, backward, in random order where each is replaced once, and where a
// third goes.
func BenchmarkFill(b *testing.B) {
	for _, order := range []string{"random", "up", "down", "replaced", "thinned"} {
		b.Run(order, func(b *testing.B) {
			runs := 0
			for b.Loop() {
				b.StopTimer()
				x := newBench(b)
				for i := range x.scores {
					switch order {
					case "up":
						x.scores[i] = float64(i)
					case "down":
						x.scores[i] = float64(-i)
					}
				}
				b.StartTimer()
				x.fill(b)
				b.StopTimer()
				for i := range benchKeys {
					switch {
					case order == "replaced":
						x.replace(i)
					case order == "thinned" && i%3 == 0:
						x.tree.Delete(x.h, x.key(i))
					}
				}
				x.report(b)
				runs++
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(runs*benchKeys), "ns/key")
		})
	}
}

// BenchmarkOps measures what is done with one key of a million, which are chosen at
// random.
func BenchmarkOps(b *testing.B) {
	x := newBench(b)
	x.fill(b)
	rng := rand.New(rand.NewPCG(3, 4))
	order := make([]int32, 1<<20)
	for i := range order {
		order[i] = int32(rng.IntN(benchKeys))
	}
	a := x.h.Arena
	run := func(name string, op func(i int)) {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				op(int(order[n&(len(order)-1)]))
				n++
			}
		})
	}
	run("Find", func(i int) { x.tree.Find(a, x.key(i)) })
	run("Rank", func(i int) { x.tree.Rank(a, x.key(i)) })
	run("Seek", func(i int) { x.tree.Seek(a, x.key(i)) })
	run("At", func(i int) { x.tree.At(a, int64(i)) })
	sum := 0
	run("At+10Next", func(i int) {
		c := x.tree.At(a, int64(i))
		for range 10 {
			sum += len(c.Key())
			c.Next()
		}
	})
	run("At+10Prev", func(i int) {
		c := x.tree.At(a, int64(i))
		for range 10 {
			sum += len(c.Key())
			c.Prev()
		}
	})
	run("Delete+Insert", x.replace)
	b.Run("Each", func(b *testing.B) {
		c := x.tree.At(a, 0)
		for b.Loop() {
			sum += len(c.Key())
			if !c.Next() {
				c = x.tree.At(a, 0)
			}
		}
	})
	if sum == 0 {
		b.Fatal("nothing was read")
	}
}

// BenchmarkDeleteRange removes a tenth of the tree at once.
func BenchmarkDeleteRange(b *testing.B) {
	gone := int64(0)
	for b.Loop() {
		b.StopTimer()
		x := newBench(b)
		x.fill(b)
		b.StartTimer()
		n, _ := x.tree.DeleteRange(x.h, benchKeys/2, benchKeys/2+benchKeys/10, func(_, _ []byte) {})
		gone += n
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(gone), "ns/key")
}
