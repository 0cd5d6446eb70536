package hashtable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// A rig is a table with what it needs around it.
type rig struct {
	Env
	Table
	t testing.TB
}

func newRig(t testing.TB, values bool) *rig {
	t.Helper()
	return &rig{Env{leaf.Heap{Arena: memtest.New(t, 1<<34)}, hash.XXH3}, New(values), t}
}

func (r *rig) set(field, value string, expiry int64) bool {
	r.t.Helper()
	f := []byte(field)
	added, err := r.Set(&r.Env, r.Hash(f), f, []byte(value), expiry)
	if err != nil {
		r.t.Fatal(err)
	}
	return added
}

func (r *rig) find(field string) (Entry, bool) {
	f := []byte(field)
	return r.Find(r.Arena, r.Hash(f), f)
}

func (r *rig) delete(field string) bool {
	r.t.Helper()
	f := []byte(field)
	found, err := r.Delete(r.Heap, r.Hash(f), f)
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

func (r *rig) check() {
	r.t.Helper()
	if err := r.Check(r.Arena, r.Hash); err != nil {
		r.t.Fatal(err)
	}
}

// free frees the table and says what must be live then: nothing.
func (r *rig) free() {
	r.t.Helper()
	for !r.FreeSome(r.Heap, 7) {
	}
	if n := r.Live(); n != 0 {
		r.t.Fatalf("%d bytes leaked", n)
	}
}

func field(i int) string { return fmt.Sprintf("member:%09d", i) }

// TestGrowAndShrink goes through all sizes of the directory, up and down.
func TestGrowAndShrink(t *testing.T) {
	const n = 80_000
	r := newRig(t, true)
	for i := range n {
		if !r.set(field(i), fmt.Sprint(i), NoExpiry) {
			t.Fatalf("%d was there", i)
		}
		if i&(i-1) == 0 {
			r.check()
		}
	}
	r.check()
	for i := range n {
		if e, ok := r.find(field(i)); !ok || string(e.Value()) != fmt.Sprint(i) || e.Expiry() != NoExpiry {
			t.Fatalf("%d is %v, %v", i, e, ok)
		}
		if _, ok := r.find(field(n + i)); ok {
			t.Fatalf("%d is there", n+i)
		}
	}
	for i := range n {
		if !r.delete(field(i)) {
			t.Fatalf("%d is lost", i)
		}
		if left := n - 1 - i; left&(left-1) == 0 {
			r.check()
		}
	}
	if r.Live() != 0 {
		t.Fatalf("%d bytes live in an empty table", r.Live())
	}
}

// TestKinds stores each kind of element in the place of each other kind.
func TestKinds(t *testing.T) {
	values := []string{"", "v", strings.Repeat("m", 200), strings.Repeat("x", 246), strings.Repeat("y", 5000)}
	fields := []string{"", "f", strings.Repeat("f", 240), strings.Repeat("g", 247), strings.Repeat("g", 70_000)}
	expiries := []int64{NoExpiry, 0, 77, math.MaxInt64}
	for _, f := range fields {
		r := newRig(t, true)
		for i := range 5 { // company
			r.set(field(i), field(i), expiries[i%4])
		}
		for _, v1 := range values {
			for _, v2 := range values {
				for _, x1 := range expiries {
					for _, x2 := range append(expiries, KeepExpiry) {
						r.set(f, v1, x1)
						r.check()
						if r.set(f, v2, x2) {
							t.Fatal("a field is new twice")
						}
						r.check()
						want := x2
						if x2 == KeepExpiry {
							want = x1
						}
						if e, ok := r.find(f); !ok || string(e.Value()) != v2 || string(e.Field()) != f || e.Expiry() != want {
							t.Fatalf("%.9q with %.9q to %d and then %.9q to %d is %.9q to %d",
								f, v1, x1, v2, x2, e.Value(), e.Expiry())
						}
					}
				}
			}
		}
		r.free()
	}
}

func TestRoot(t *testing.T) {
	r := newRig(t, true)
	for i := range 100 {
		r.set(field(i), "v", int64(1000+i))
	}
	var b [Size]byte
	r.Store(b[:])
	got := Table{}
	got.Load(b[:])
	if got != r.Table {
		t.Fatalf("stored %+v, loaded %+v", r.Table, got)
	}
	for i := range 60_000 {
		r.set(field(i), "v", KeepExpiry)
	}
	r.Store(b[:])
	got.Load(b[:])
	if got != r.Table {
		t.Fatalf("stored %+v, loaded %+v", r.Table, got)
	}
	r.free()
}

// TestWeakHash is about hashes that hardly differ: slow, limited, and correct.
func TestWeakHash(t *testing.T) {
	r := newRig(t, false)
	r.Hash = func(field []byte) uint64 { return uint64(field[0]) & 1 }
	added := 0
	var err error
	for i := 0; err == nil; i++ {
		f := []byte(fmt.Sprint(i))
		if _, err = r.Set(&r.Env, r.Hash(f), f, nil, NoExpiry); err == nil {
			added++
		}
	}
	r.check()
	if !errors.Is(err, mem.ErrExhausted) || added != leafMax || r.Len() != added {
		t.Fatalf("%v after %d", err, added)
	}
	for i := range added {
		if !r.delete(fmt.Sprint(i)) {
			t.Fatalf("%d is lost", i)
		}
	}
	r.free()
}

// TestInOrder sets fields in the order of their hashes, as a command does that makes a set of
// another: first they are all in one corner of the table.
func TestInOrder(t *testing.T) {
	const n = 40_000
	r := newRig(t, true)
	r.Hash = func(field []byte) uint64 { return binary.BigEndian.Uint64(field) }
	f := make([]byte, 8)
	for i := range uint64(n) {
		binary.BigEndian.PutUint64(f, i<<34) // the first of 2^30
		if _, err := r.Set(&r.Env, r.Hash(f), f, []byte("v"), NoExpiry); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	r.check()
	for i := range uint64(n) {
		binary.BigEndian.PutUint64(f, i<<34)
		if !r.Has(r.Arena, r.Hash(f), f) {
			t.Fatalf("%d is lost", i)
		}
	}
	r.free()
}

// TestScan keeps some elements while others come and go between the steps of a scan.
func TestScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, grow := range []bool{true, false} {
		r := newRig(t, false)
		for i := range 3000 {
			r.set(field(i), "", NoExpiry)
		}
		others := 60_000
		if !grow {
			for i := range others {
				r.set(field(3000+i), "", NoExpiry)
			}
		}
		seen := map[string]bool{}
		next, steps := uint64(0), 0
		for {
			next = r.Scan(r.Arena, next, func(e Entry) { seen[string(e.Field())] = true })
			if next == 0 {
				break
			}
			steps++
			for range rng.IntN(200) {
				if others == 0 {
					break
				}
				others--
				if grow {
					r.set(field(3000+others), "", NoExpiry)
				} else {
					r.delete(field(3000 + others))
				}
			}
		}
		r.check()
		for i := range 3000 {
			if !seen[field(i)] {
				t.Fatalf("grow %v: %d was not visited in %d steps", grow, i, steps)
			}
		}
		if grow && r.Len() < 20_000 || !grow && r.Len() > 50_000 {
			t.Fatalf("grow %v: %d elements: the test has shown nothing", grow, r.Len())
		}
	}
}

// TestRandom draws so often that a bias of a tenth would show.
func TestRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 60, 1000} {
		r := newRig(t, false)
		for i := range 5000 {
			r.set(field(i), "", NoExpiry)
		}
		for i := n; i < 5000; i++ {
			r.delete(field(i))
		}
		const each = 400
		draws := map[string]int{}
		for range n * each {
			e, ok := r.Random(r.Arena, rng.Uint64)
			if !ok {
				t.Fatal("nothing drawn")
			}
			draws[string(e.Field())]++
		}
		chi := 0.0
		for i := range n {
			d := float64(draws[field(i)] - each)
			chi += d * d / each
		}
		if limit := float64(n) + 5*math.Sqrt(2*float64(n)); chi > limit {
			t.Errorf("%d elements: chi squared is %.0f, more than %.0f", n, chi, limit)
		}
	}
}

func TestExpireSome(t *testing.T) {
	r := newRig(t, true)
	const n = 20_000
	for i := range n {
		x := NoExpiry
		if i%2 == 0 {
			x = int64(i)
		}
		r.set(field(i), "v", x)
	}
	if at, ok := r.MinExpiry(); at != 0 || !ok || r.Expiring() != n/2 {
		t.Fatalf("first of %d at %d", r.Expiring(), at)
	}
	for now := int64(-1); now < n+1000; now += 1000 {
		fired := 0
		for {
			done, err := r.ExpireSome(r.Heap, now, 13, func(e Entry) {
				if e.Expiry() > now {
					t.Fatalf("%q goes at %d", e.Field(), now)
				}
				fired++
			})
			if err != nil {
				t.Fatal(err)
			}
			if done {
				break
			}
		}
		r.check()
		at, ok := r.MinExpiry()
		if ok != (now < n-2) || ok && (at <= now || at > now+2) {
			t.Fatalf("at %d the next expiry is at %d, %v", now, at, ok)
		}
		if left := min(n/2, (n-1-int(now))/2); r.Expiring() != max(0, left) {
			t.Fatalf("at %d there are %d to expire, not %d", now, r.Expiring(), left)
		}
	}
	if r.Len() != n/2 {
		t.Fatalf("%d fields are left", r.Len())
	}
	r.free()
}

func TestSetExpiry(t *testing.T) {
	r := newRig(t, true)
	big := strings.Repeat("b", 3000)
	model := map[string]int64{}
	for i := range 3000 {
		v := "v"
		if i%10 == 0 {
			v = big
		}
		r.set(field(i), v, NoExpiry)
		model[field(i)] = NoExpiry
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		f, x := field(rng.IntN(3000)), rng.Int64N(1000)-500
		x = max(x, NoExpiry)
		if ok, err := r.SetExpiry(&r.Env, r.Hash([]byte(f)), []byte(f), x); !ok || err != nil {
			t.Fatal(ok, err)
		}
		model[f] = x
	}
	r.check()
	for f, x := range model {
		if e, ok := r.find(f); !ok || e.Expiry() != x || len(e.Value()) != 1 && string(e.Value()) != big {
			t.Fatalf("%q expires at %d, want %d", f, e.Expiry(), x)
		}
	}
	if ok, _ := r.SetExpiry(&r.Env, 1, []byte("none"), 1); ok {
		t.Fatal("an expiry without a field")
	}
	r.free()
}

// TestFreeze is a snapshot under random changes: what the frozen leaves say is what the
// table said at the cut, and in the end nothing is live.
func TestFreeze(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		r := newRig(t, true)
		model := map[string]string{}
		change := func() {
			f := field(rng.IntN(2000))
			switch rng.IntN(6) {
			case 0, 1:
				r.delete(f)
				delete(model, f)
			case 2:
				at := max(NoExpiry, rng.Int64N(2000)-1000)
				if _, err := r.SetExpiry(&r.Env, r.Hash([]byte(f)), []byte(f), at); err != nil {
					t.Fatal(err)
				}
			default:
				v := strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN(30))
				if rng.IntN(5) == 0 {
					v = strings.Repeat(v, 30)
				}
				r.set(f, v, NoExpiry)
				model[f] = v
			}
		}
		for range 4000 {
			change()
		}
		for epoch := range uint16(3) {
			r.Epoch = epoch + 1
			frozen := r.AppendLeaves(r.Arena, nil)
			cut := maps.Clone(model)
			for i, l := range frozen {
				for range rng.IntN(60) {
					change()
				}
				if i == len(frozen)/2 && rng.IntN(4) == 0 { // DEL in the middle
					for !r.FreeSome(r.Heap, 5) {
					}
					clear(model)
				}
				EachInLeaf(r.Arena, l, func(e Entry) bool {
					if v, ok := cut[string(e.Field())]; !ok || v != string(e.Value()) {
						t.Fatalf("seed %d: the frozen %q is %.9q, want %.9q", seed, e.Field(), e.Value(), v)
					}
					delete(cut, string(e.Field()))
					return true
				})
				Thaw(r.Heap, l)
			}
			if len(cut) > 0 {
				t.Fatalf("seed %d: %d elements are not in the snapshot", seed, len(cut))
			}
			r.check()
			r.Epoch = 0
			for range 100 {
				change()
			}
		}
		r.check()
		r.free()
	}
}

// TestExhausted runs changes in an arena that is always nearly full.
func TestExhausted(t *testing.T) {
	a := memtest.New(t, 1<<18)
	r := &rig{Env{leaf.Heap{Arena: a}, hash.XXH3}, New(true), t}
	rng := rand.New(rand.NewPCG(8, 9))
	model := map[string]int{}
	refused := 0
	for step := range 60_000 {
		f := field(rng.IntN(20_000))
		if rng.IntN(3) == 0 {
			if _, err := r.Delete(r.Heap, r.Hash([]byte(f)), []byte(f)); err == nil {
				delete(model, f)
			}
		} else {
			n := rng.IntN(60)
			if rng.IntN(20) == 0 {
				n *= 20
			}
			_, err := r.Set(&r.Env, r.Hash([]byte(f)), []byte(f), make([]byte, n), int64(rng.IntN(9))-1)
			if err == nil {
				model[f] = n
			} else {
				refused++
			}
		}
		if step%1000 == 0 {
			r.check()
		}
	}
	for f, n := range model {
		if e, ok := r.find(f); !ok || len(e.Value()) != n {
			t.Fatalf("%q has %d bytes, want %d", f, len(e.Value()), n)
		}
	}
	if refused < 1000 || r.Len() != len(model) {
		t.Fatalf("%d refused, %d of %d elements", refused, r.Len(), len(model))
	}
	r.check()
	r.free()
}

func TestTableAllocatesNothing(t *testing.T) {
	if invariant.Enabled {
		t.Skip("the arena's records of its blocks allocate")
	}
	r := newRig(t, true)
	keys, value := make([][]byte, 5000), []byte("value")
	for i := range keys {
		keys[i] = []byte(field(i))
	}
	i := 0
	if n := testing.AllocsPerRun(4900, func() {
		k := keys[i]
		i++
		h := r.Hash(k)
		if _, err := r.Set(&r.Env, h, k, value, int64(i)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.SetExpiry(&r.Env, h, k, NoExpiry); err != nil {
			t.Fatal(err)
		}
		if e, ok := r.Find(r.Arena, h, k); !ok || !bytes.Equal(e.Value(), value) {
			t.Fatal("lost")
		}
	}); n != 0 {
		t.Fatalf("setting and finding allocates %v", n)
	}
	if n := testing.AllocsPerRun(4900, func() {
		i--
		if ok, err := r.Delete(r.Heap, r.Hash(keys[i]), keys[i]); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}); n != 0 {
		t.Fatalf("deleting allocates %v", n)
	}
	if n := testing.AllocsPerRun(1, func() {
		sum := 0
		r.Each(r.Arena, func(e Entry) bool { sum += len(e.Value()); return true })
		r.Scan(r.Arena, 0, func(e Entry) { sum += len(e.Field()) })
	}); n != 0 {
		t.Fatalf("iterating allocates %v", n)
	}
}

type modelEntry struct {
	value  []byte
	expiry int64
}

// FuzzAgainstModel replays a byte string as operations, on the table and on a map. Each
// operation is four bytes: a verb, a field number in two, an operand.
func FuzzAgainstModel(f *testing.F) {
	f.Add(true, []byte("\x00\x01\x00\x01\x01\x02\x00\xff\x02\x01\x00\x00"))
	f.Add(false, []byte("\x01\x00\x00\xff\x01\x00\x01\xff\x03\x00\x00\xff\x05\x00\x00\x00"))
	f.Add(true, []byte("\x01\x00\x00\xff\x04\x00\x01\xff\x06\x00\x00\xff\x05\x00\x00\x00\x03\x00\x00\x20"))
	// An expiry in the place of a longer body, in a full block.
	f.Add(true, []byte("1\x00\x00\xff1\x00\x01\xff2B\x00x0000"))
	f.Fuzz(func(t *testing.T, values bool, program []byte) {
		r := newRig(t, values)
		model := map[string]modelEntry{}
		var frozen []mem.Ref
		set := func(n int, x byte, expiry int64) {
			e := modelEntry{expiry: expiry}
			if values {
				e.value = bytes.Repeat([]byte{x}, int(x)*int(x)/50)
			}
			_, present := model[field(n)]
			if r.set(field(n), string(e.value), expiry) == present {
				t.Fatalf("setting %d: there is %v", n, present)
			}
			model[field(n)] = e
		}
		for ; len(program) >= 4; program = program[4:] {
			n, x := int(binary.LittleEndian.Uint16(program[1:])), program[3]
			switch program[0] % 8 {
			case 0:
				set(n, x, NoExpiry)
			case 1: // a range, so that programs reach growth
				for i := range int(x) {
					set(n+i, x/8, NoExpiry)
				}
			case 2:
				set(n, x, int64(x))
			case 3:
				for i := range int(x) {
					_, present := model[field(n+i)]
					if r.delete(field(n+i)) != present {
						t.Fatalf("deleting %d: there is %v", n+i, present)
					}
					delete(model, field(n+i))
				}
			case 4:
				ok, err := r.SetExpiry(&r.Env, r.Hash([]byte(field(n))), []byte(field(n)), int64(x)-1)
				e, present := model[field(n)]
				if ok != present || err != nil {
					t.Fatalf("expiry of %d: %v, %v", n, ok, err)
				}
				if e.expiry = int64(x) - 1; present {
					model[field(n)] = e
				}
			case 5: // a snapshot begins or ends
				if frozen == nil {
					r.Epoch++
					frozen = r.AppendLeaves(r.Arena, nil)
					break
				}
				for _, l := range frozen {
					Thaw(r.Heap, l)
				}
				frozen = nil
			case 6:
				_, err := r.ExpireSome(r.Heap, int64(x), 1+n, func(e Entry) {
					if m, ok := model[string(e.Field())]; !ok || m.expiry < 0 || m.expiry > int64(x) {
						t.Fatalf("%q expires at %d and went at %d", e.Field(), m.expiry, x)
					}
					delete(model, string(e.Field()))
				})
				if err != nil {
					t.Fatal(err)
				}
			case 7:
				e, ok := r.find(field(n))
				if m, present := model[field(n)]; ok != present || ok && e.Expiry() != m.expiry {
					t.Fatalf("finding %d: %v", n, ok)
				}
			}
			r.check()
		}
		if r.Len() != len(model) {
			t.Fatalf("%d fields, want %d", r.Len(), len(model))
		}
		r.Each(r.Arena, func(e Entry) bool {
			m, ok := model[string(e.Field())]
			if !ok || !bytes.Equal(e.Value(), m.value) || e.Expiry() != m.expiry {
				t.Fatalf("%q is %.9q until %d, want %.9q until %d", e.Field(), e.Value(), e.Expiry(), m.value, m.expiry)
			}
			delete(model, string(e.Field()))
			return true
		})
		if len(model) > 0 {
			t.Fatalf("%v not visited", slices.Collect(maps.Keys(model)))
		}
		if frozen == nil && r.MemoryBytes(r.Arena, 0) != r.capacity() {
			t.Fatalf("MemoryBytes is %d, live are %d", r.MemoryBytes(r.Arena, 0), r.capacity())
		}
		r.clone(1 + r.Len()*20)
		for !r.FreeSome(r.Heap, 3) {
		}
		for _, l := range frozen {
			Thaw(r.Heap, l)
		}
		if r.Live() != 0 {
			t.Fatalf("%d bytes live in the end", r.Live())
		}
	})
}

// capacity is what MemoryBytes should count: all blocks, without canaries.
func (r *rig) capacity() int64 {
	live, blocks := r.Live(), r.Blocks()
	const n = 100_000 // rounded up to pages
	x := r.Alloc(n)
	defer r.Free(x)
	return live - blocks*int64(mem.RoundUp(n)-r.Cap(x))
}
