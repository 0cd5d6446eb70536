package dict

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"testing"

	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// A table is a dict with records of a key alone.
type table struct {
	*Dict
	arena *mem.Arena
	seed  maphash.Seed
}

func newTable(t testing.TB, skip uint8) *table {
	t.Helper()
	arena := memtest.New(t, 1<<32)
	tb := &table{arena: arena, seed: maphash.MakeSeed()}
	tb.Dict = New(arena, tb.place, skip, &Scratches{})
	return tb
}

func (t *table) place(key []byte) uint64 {
	return maphash.Bytes(t.seed, key) >> t.skip
}

func (t *table) add(key []byte) {
	r := t.arena.Alloc(HeadSize(len(key)) + len(key))
	PutHead(t.arena.Bytes(r, HeadSize(len(key))+len(key)), 0, key)
	t.Insert(t.place(key), r)
}

func (t *table) find(key []byte) Slot { return t.Find(t.place(key), key) }

func (t *table) del(key []byte) bool {
	s := t.find(key)
	if !s.Found() {
		return false
	}
	r := s.Ref()
	t.Delete(t.place(key), s)
	t.arena.Free(r)
	return true
}

func key(i int) []byte { return fmt.Appendf(nil, "key:%012d", i) }

func TestGrowAndShrink(t *testing.T) {
	tb := newTable(t, 6)
	const n = 60_000
	for i := range n {
		tb.add(key(i))
	}
	if err := tb.Check(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if !tb.find(key(i)).Found() {
			t.Fatalf("key %d is lost", i)
		}
	}
	if tb.find(key(n)).Found() {
		t.Fatal("found what is not there")
	}
	full := tb.Bytes()
	for i := range n - 10 {
		if !tb.del(key(i)) {
			t.Fatalf("key %d is lost", i)
		}
		if i%5000 == 0 {
			if err := tb.Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := tb.Bytes(); got > full/50 {
		t.Errorf("10 keys left hold %d bytes of table; %d keys held %d", got, n, full)
	}
	tb.Clear(tb.arena.Free)
	if tb.arena.Live() != 0 {
		t.Errorf("%d bytes live after Clear", tb.arena.Live())
	}
}

// The promise of SCAN: what is there from beginning to end is returned, whatever
// comes and goes meanwhile.
func TestWalkSurvivesGrowthAndShrinking(t *testing.T) {
	for _, grow := range []bool{true, false} {
		tb := newTable(t, 0)
		const n = 5000
		for i := range n {
			tb.add(key(i))
		}
		extra := n
		if !grow {
			for ; extra < 20*n; extra++ {
				tb.add(key(extra))
			}
		}
		seen := map[string]bool{}
		for at, more := uint64(0), true; more; {
			var b *Bucket
			b, at, more = tb.At(at)
			tb.Each(b, func(s Slot) bool {
				seen[string(KeyOf(tb.arena.Ptr(s.Ref())))] = true
				return true
			})
			for range 30 {
				if grow {
					tb.add(key(extra))
					extra++
				} else if extra > n {
					extra--
					tb.del(key(extra))
				}
			}
		}
		for i := range n {
			if !seen[string(key(i))] {
				t.Fatalf("grow=%v: key %d was there all the time and not returned", grow, i)
			}
		}
		if err := tb.Check(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRandomIsFair(t *testing.T) {
	tb := newTable(t, 0)
	const n = 200
	for i := range n {
		tb.add(key(i))
	}
	state := uint64(1)
	draw := func() uint64 { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	hits := map[string]int{}
	const rounds = 200 * n
	for range rounds {
		s, ok := tb.Random(draw)
		if !ok {
			t.Fatal("nothing drawn")
		}
		hits[string(KeyOf(tb.arena.Ptr(s.Ref())))]++
	}
	for i := range n { // the mean is 200; 6 standard deviations are 85
		if h := hits[string(key(i))]; h < 115 || h > 285 {
			t.Errorf("key %d drawn %d times of %d", i, h, rounds)
		}
	}
}

// FuzzAgainstModel replays bytes as insertions, deletions and lookups, on the table
// and on a map. Each operation is three bytes: a verb and a key number.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x01\x01\x00\x02\x01\x00"))
	f.Fuzz(func(t *testing.T, program []byte) {
		tb := newTable(t, 3)
		model := map[int]bool{}
		for i := 0; i+3 <= len(program); i += 3 {
			n := int(binary.LittleEndian.Uint16(program[i+1:]))
			switch program[i] % 4 {
			case 0:
				if !model[n] {
					tb.add(key(n))
					model[n] = true
				}
			case 1: // a range at once, so that programs reach growth
				for k := n; k < n+int(program[i]); k++ {
					if !model[k] {
						tb.add(key(k))
						model[k] = true
					}
				}
			case 2:
				for k := n; k < n+int(program[i]); k++ {
					if tb.del(key(k)) != model[k] {
						t.Fatalf("deleting %d: there is %v", k, model[k])
					}
					delete(model, k)
				}
			case 3:
				if tb.find(key(n)).Found() != model[n] {
					t.Fatalf("finding %d: there is %v", n, model[n])
				}
			}
		}
		if err := tb.Check(); err != nil {
			t.Fatal(err)
		}
		if tb.Len() != len(model) {
			t.Fatalf("%d records, want %d", tb.Len(), len(model))
		}
		visited := 0
		for at, more := uint64(0), true; more; {
			var b *Bucket
			if b, at, more = tb.At(at); b != nil {
				tb.Each(b, func(Slot) bool { visited++; return true })
			}
		}
		if visited != len(model) {
			t.Fatalf("a walk found %d records of %d", visited, len(model))
		}
		tb.Clear(tb.arena.Free)
		if tb.arena.Live() != 0 {
			t.Fatalf("%d bytes live after Clear", tb.arena.Live())
		}
	})
}

// BenchmarkBytesPerKey reports the table's memory at sizes between two doublings.
func BenchmarkBytesPerKey(b *testing.B) {
	for _, n := range []int{10_000, 12_000, 14_000, 16_000, 18_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tb := newTable(b, 6)
			for i := range n {
				tb.add(key(i))
			}
			for b.Loop() {
			}
			b.ReportMetric(float64(tb.Bytes())/float64(n), "B/key")
		})
	}
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tb := newTable(b, 0)
			keys := make([][]byte, n)
			for i := range keys {
				keys[i] = key(i)
				tb.add(keys[i])
			}
			i := 0
			for b.Loop() {
				if !tb.find(keys[i%n]).Found() {
					b.Fatal("lost")
				}
				i += 7919
			}
		})
	}
}

func BenchmarkInsert(b *testing.B) {
	tb := newTable(b, 0)
	i := 0
	for b.Loop() {
		tb.add(key(i))
		i++
	}
}
