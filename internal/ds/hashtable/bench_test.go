package hashtable

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// benchField writes a field of 16 bytes.
func benchField(b []byte, i int) []byte {
	copy(b, "member:")
	binary.BigEndian.PutUint64(b[8:], uint64(i)*0x9e3779b97f4a7c15)
	return b[:16]
}

const benchCount = 1_000_000

// kinds of table: a set of 16 bytes, a hash with values of 32.
var kinds = []struct {
	name  string
	value []byte
}{{"set", nil}, {"hash", make([]byte, 32)}}

func (r *rig) fill(n int, value []byte) {
	var b [16]byte
	for i := range n {
		f := benchField(b[:], i)
		if _, err := r.Set(&r.Env, r.Hash(f), f, value, NoExpiry); err != nil {
			r.t.Fatal(err)
		}
	}
}

// BenchmarkBytes reports the memory of an element at sizes between two doublings, as
// Live and as Held, which counts what fragmentation costs.
func BenchmarkBytes(b *testing.B) {
	for _, k := range kinds {
		for n := benchCount; n < 2*benchCount; n += benchCount / 5 {
			b.Run(fmt.Sprintf("%s/%d", k.name, n), func(b *testing.B) {
				r := newRig(b, k.value != nil)
				r.fill(n, k.value)
				for b.Loop() {
				}
				b.ReportMetric(float64(r.Live())/float64(n), "live-B/elem")
				b.ReportMetric(float64(r.Held())/float64(n), "held-B/elem")
				b.ReportMetric(float64(r.dir.Bytes(r.Arena))/float64(n), "dir-B/elem")
			})
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for _, k := range kinds {
		for _, n := range []int{1000, benchCount} {
			b.Run(fmt.Sprintf("%s/%d", k.name, n), func(b *testing.B) {
				r := newRig(b, k.value != nil)
				r.fill(n, k.value)
				var buf [16]byte
				i := 0
				for b.Loop() {
					f := benchField(buf[:], i%n)
					if _, ok := r.Find(r.Arena, r.Hash(f), f); !ok {
						b.Fatal("lost")
					}
					i += 7919
				}
			})
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	r := newRig(b, false)
	r.fill(benchCount, nil)
	var buf [16]byte
	i := benchCount
	for b.Loop() {
		f := benchField(buf[:], i)
		if _, ok := r.Find(r.Arena, r.Hash(f), f); ok {
			b.Fatal("found")
		}
		i++
	}
}

// BenchmarkInsert fills a table from nothing to a million, over and over.
func BenchmarkInsert(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			r := newRig(b, k.value != nil)
			var buf [16]byte
			i := 0
			for b.Loop() {
				f := benchField(buf[:], i%benchCount)
				if added, err := r.Set(&r.Env, r.Hash(f), f, k.value, NoExpiry); err != nil || !added {
					b.Fatal(added, err)
				}
				if i++; i%benchCount == 0 {
					b.StopTimer()
					for !r.FreeSome(r.Heap, 1000) {
					}
					b.StartTimer()
				}
			}
		})
	}
}

func BenchmarkOverwrite(b *testing.B) {
	r := newRig(b, true)
	value := make([]byte, 32)
	r.fill(benchCount, value)
	var buf [16]byte
	i := 0
	for b.Loop() {
		f := benchField(buf[:], i%benchCount)
		if _, err := r.Set(&r.Env, r.Hash(f), f, value, NoExpiry); err != nil {
			b.Fatal(err)
		}
		i += 7919
	}
}

// BenchmarkDelete empties a table of a million, in another order than it was filled.
func BenchmarkDelete(b *testing.B) {
	r := newRig(b, false)
	r.fill(benchCount, nil)
	var buf [16]byte
	i := 0
	for b.Loop() {
		f := benchField(buf[:], i*7919%benchCount)
		if ok, err := r.Delete(r.Heap, r.Hash(f), f); err != nil || !ok {
			b.Fatal(ok, err)
		}
		if i++; i == benchCount {
			b.StopTimer()
			r.fill(benchCount, nil)
			i = 0
			b.StartTimer()
		}
	}
}
