package value_test

import (
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/intset"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/value"
)

// A setWorld is an arena with a table of keys whose values are sets.
type setWorld struct {
	t      testing.TB
	arena  *mem.Arena
	dict   *dict.Dict
	shared value.Shared
	keys   int
}

func newSetWorld(t testing.TB) *setWorld { return newSetWorldOf(t, 1<<28) }

// newSetWorldOf has an arena of so many bytes.
func newSetWorldOf(t testing.TB, reserve int64) *setWorld {
	t.Helper()
	a, err := mem.New(reserve)
	if err != nil {
		t.Fatal(err)
	}
	w := &setWorld{t: t, arena: a}
	w.shared.Limits.SetDefaults()
	seed := maphash.MakeSeed()
	w.shared.Hash = func(b []byte) uint64 { return maphash.Bytes(seed, b) }
	w.dict = dict.New(a, w.shared.Hash, 0, &dict.Scratches{})
	return w
}

// limit sets small limits, so that short programs meet them.
func (w *setWorld) limit(ints, entries, size int64) {
	w.shared.Limits.SetIntset.Store(ints)
	w.shared.Limits.SetEntries.Store(entries)
	w.shared.Limits.SetValue.Store(size)
}

// newCell makes a key with an empty set.
func (w *setWorld) newCell() value.Cell { return w.newKey(record.Set) }

// newKey makes a key with an empty value.
func (w *setWorld) newKey(typ record.Type) value.Cell {
	w.t.Helper()
	w.keys++
	key := fmt.Appendf(nil, "key:%d", w.keys)
	s := record.Shape{Key: key, Type: typ, Expiry: -1}
	e, n := value.Empty(typ)
	ref := w.arena.Alloc(s.SizeBytes(n))
	if ref == 0 {
		w.t.Fatal("no memory for a key")
	}
	value.InitEmpty(typ, s.WriteBytes(w.arena, ref, e, n))
	at := w.shared.Hash(key)
	if !w.dict.Insert(at, ref) {
		w.t.Fatal("the dict takes no key")
	}
	return value.NewCell(&w.shared, w.arena, w.dict, at, w.dict.Find(at, key))
}

// remove frees a key and its value.
func (w *setWorld) remove(c *value.Cell) {
	rec := c.Record()
	key := rec.Key()
	at := w.shared.Hash(key)
	slot := w.dict.Find(at, key)
	if rec.IsRooted() {
		for husk := value.NewHusk(rec); !husk.FreeSome(w.arena, 3); {
		}
	}
	w.dict.Delete(at, slot)
	w.arena.Free(c.Ref())
}

// finish proves that nothing is left.
func (w *setWorld) finish() {
	w.t.Helper()
	w.dict.Clear(w.arena.Free)
	if n := w.arena.Live(); n != 0 {
		w.t.Errorf("%d bytes are live", n)
	}
	w.arena.Release()
}

func member(text []byte, v int64) string {
	if text == nil {
		return strconv.FormatInt(v, 10)
	}
	return string(text)
}

func members(s *value.Set) []string {
	var all []string
	s.Each(func(text []byte, v int64) bool {
		all = append(all, member(text, v))
		return true
	})
	slices.Sort(all)
	return all
}

func TestSetEncodings(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, tt := range []struct {
		ints, entries, size int64
		add                 string
		want                string
	}{
		{512, 128, 64, "1 2 -3", "intset"},
		{512, 128, 64, "1 01", "listpack"},
		{512, 128, 64, "a 1", "listpack"},
		{512, 128, 64, "1 " + long, "hashtable"},
		{512, 128, 64, long, "hashtable"},
		{2, 128, 64, "1 2", "intset"},
		{2, 128, 64, "1 2 3", "hashtable"},
		{2, 128, 64, "1 2 a", "listpack"},
		{0, 128, 64, "1", "listpack"},
		{512, 2, 64, "1 2 3", "intset"},
		{512, 2, 64, "1 2 3 a", "hashtable"},
		{512, 2, 64, "1 2 a", "hashtable"}, // one more than fit
		{512, 2, 64, "1 a", "listpack"},
		{512, 2, 64, "b a", "listpack"},
		{512, 2, 64, "b a c", "hashtable"},
		{512, 128, 2, "1 100 a", "hashtable"}, // 100 has three digits
		{512, 128, 2, "1 -10 a", "hashtable"},
		{512, 128, 2, "a 100", "hashtable"},
		{0, 0, 0, "a", "hashtable"},
		{0, 0, 0, "1", "hashtable"},
	} {
		w := newSetWorld(t)
		w.limit(tt.ints, tt.entries, tt.size)
		s := value.SetOf(w.newCell())
		want := strings.Fields(tt.add)
		for _, m := range want {
			if s.Len() == 0 {
				if err := s.Expect([]byte(m), 1); err != nil {
					t.Fatal(err)
				}
			}
			if added, err := s.Add([]byte(m)); !added || err != nil {
				t.Errorf("%q: adding %q: %v, %v", tt.add, m, added, err)
			}
			if added, err := s.Add([]byte(m)); added || err != nil {
				t.Errorf("%q: adding %q again: %v, %v", tt.add, m, added, err)
			}
		}
		s.Store()
		if got := setEncoding(s.Record()); got != tt.want {
			t.Errorf("limits %d, %d, %d: %q is a %s, want %s", tt.ints, tt.entries, tt.size, tt.add, got, tt.want)
		}
		slices.Sort(want)
		if got := members(&s); !slices.Equal(got, want) {
			t.Errorf("members %q, want %q", got, want)
		}
		w.remove(&s.Cell)
		w.finish()
	}
}

// Many members that are about to come choose the encoding.
func TestSetExpect(t *testing.T) {
	for _, tt := range []struct {
		has, first string
		n          int
		want       string
	}{
		{"", "1", 10, "intset"},
		{"", "1", 11, "listpack"},
		{"", "1", 21, "hashtable"},
		{"", "a", 20, "listpack"},
		{"", "a", 21, "hashtable"},
		{"1", "a", 10, "intset"}, // it is converted when a comes
		{"1", "1", 11, "hashtable"},
		{"b", "1", 20, "listpack"},
		{"b", "1", 21, "hashtable"},
	} {
		w := newSetWorld(t)
		w.limit(10, 20, 64)
		s := value.SetOf(w.newCell())
		if tt.has != "" {
			if err := s.Expect([]byte(tt.has), 1); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Add([]byte(tt.has)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Expect([]byte(tt.first), tt.n); err != nil {
			t.Fatal(err)
		}
		s.Store()
		if got := setEncoding(s.Record()); got != tt.want {
			t.Errorf("%q, then %q and %d more: %s, want %s", tt.has, tt.first, tt.n-1, got, tt.want)
		}
		w.remove(&s.Cell)
		w.finish()
	}
}

func TestSetLoad(t *testing.T) {
	ints, list := intset.AppendEmpty(make([]byte, 0, 100)), listpack.AppendHeader(nil)
	for i := range 5 {
		size := intset.In(ints).SizeAfter(int64(i))
		ints = ints[:size]
		intset.Insert(ints, int64(i))
		list = listpack.AppendElem(list, listpack.Text([]byte{'a' + byte(i)}))
	}
	list = listpack.Finish(list, 0, 5)
	for _, tt := range []struct {
		ints, entries int64
		e             record.Encoding
		packed        []byte
		want          record.Encoding
	}{
		{5, 0, record.Intset, ints, record.Intset},
		{4, 9, record.Intset, ints, record.Rooted},
		{0, 5, record.Packed, list, record.Packed},
		{9, 4, record.Packed, list, record.Rooted},
	} {
		w := newSetWorld(t)
		w.limit(tt.ints, tt.entries, 64)
		c := w.newCell()
		if err := value.Load(&c, tt.e, tt.packed); err != nil {
			t.Fatal(err)
		}
		if s := value.SetOf(c); s.Encoding() != tt.want || s.Len() != 5 || value.Check(&c) != nil {
			t.Errorf("loaded as %v with %d members, %v", s.Encoding(), s.Len(), value.Check(&c))
		}
		w.remove(&c)
		w.finish()
	}
}

// A snapshot reads the members that there were when it began, whatever comes after.
func TestSetFreeze(t *testing.T) {
	const epoch = 7
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := newSetWorld(t)
		w.limit(4, 4, 64)
		s := value.SetOf(w.newCell())
		text := func() []byte {
			b := strconv.AppendInt(nil, rng.Int64N(1500), 10)
			if rng.IntN(20) == 0 {
				b = append(b, strings.Repeat("long", 80)...) // in a block of its own
			}
			return b
		}
		for range 1000 {
			if _, err := s.Add(text()); err != nil {
				t.Fatal(err)
			}
		}
		s.Store()
		want := members(&s)
		frozen := value.Freeze(&s.Cell, epoch, nil)
		s = value.SetOf(s.Cell)
		var got []string
		for i, ref := range frozen {
			for range rng.IntN(200) {
				var err error
				switch rng.IntN(20) {
				case 0:
					s.Pop(min(20, s.Len()-1), rng.Uint64, func([]byte, int64) {})
				default:
					if m := text(); rng.IntN(2) == 0 {
						_, err = s.Add(m)
					} else {
						_, err = s.Remove(m)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if i == len(frozen)/2 && seed%2 == 0 { // most of it goes at once
				rest := value.LooseSet(&s.Cell, record.Packed, nil)
				for i := range 3 + rng.IntN(5) {
					if _, err := rest.Add([]byte{'r', byte(i)}); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Become(&rest); err != nil {
					t.Fatal(err)
				}
			}
			s.Store()
			value.EachInLeaf(record.Set, w.arena, ref, func(e value.Element) {
				got = append(got, string(e.Name.AppendTo(nil)))
			})
			value.Thaw(record.Set, w.arena, epoch, ref)
			if err := value.Check(&s.Cell); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: the snapshot saw %d members, want %d", seed, len(got), len(want))
		}
		w.remove(&s.Cell)
		w.finish()
	}
}

// A copy of a table is a table, however few members it has.
func TestSetCopy(t *testing.T) {
	w := newSetWorld(t)
	w.limit(3, 3, 64)
	src := value.SetOf(w.newCell())
	for _, m := range []string{"1", "b", "c", "d"} {
		if _, err := src.Add([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []string{"b", "c"} {
		if _, err := src.Remove([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	src.Store()
	dst := w.newCell()
	copyInto(t, &src.Cell, &dst)
	s := value.SetOf(dst)
	if got := members(&s); !slices.Equal(got, []string{"1", "d"}) || s.Encoding() != record.Rooted {
		t.Errorf("the copy is %q in encoding %d", got, s.Encoding())
	}
	w.remove(&src.Cell)
	w.remove(&dst)
	w.finish()
}

// Every subset of the members is as likely to be popped as another, in all encodings.
func TestSetPopIsFair(t *testing.T) {
	const rounds = 6000
	for _, e := range []string{"intset", "listpack", "hashtable"} {
		w := newSetWorld(t)
		rng := rand.New(rand.NewPCG(3, 9))
		counts := map[string]int{}
		for range rounds {
			s := value.SetOf(w.newCell())
			for i := range 5 {
				m := strconv.AppendInt(nil, int64(i), 10)
				if e == "listpack" {
					m = append(m, 'x')
				}
				if e == "hashtable" {
					w.limit(0, 0, 0)
				}
				if i == 0 {
					_ = s.Expect(m, 1)
				}
				_, _ = s.Add(m)
			}
			var popped []string
			s.Pop(2, rng.Uint64, func(text []byte, v int64) { popped = append(popped, member(text, v)) })
			s.Store()
			if got := setEncoding(s.Record()); got != e || s.Len() != 3 || len(popped) != 2 {
				t.Fatalf("%s: %d left as %s, popped %q", e, s.Len(), got, popped)
			}
			slices.Sort(popped)
			counts[strings.Join(popped, " ")]++
			w.remove(&s.Cell)
		}
		if len(counts) != 10 {
			t.Errorf("%s: only %d of 10 pairs came", e, len(counts))
		}
		for pair, n := range counts {
			if n < rounds/10*8/10 || n > rounds/10*12/10 {
				t.Errorf("%s: %q came %d times, want about %d", e, pair, n, rounds/10)
			}
		}
		w.finish()
	}
}

// A member that is in the set all the time is seen by a scan, though the table grows and
// shrinks.
func TestSetScan(t *testing.T) {
	w := newSetWorld(t)
	w.limit(4, 4, 64)
	s := value.SetOf(w.newCell())
	add := func(m string) {
		if _, err := s.Add([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		add(fmt.Sprint("stays", i))
	}
	seen := map[string]bool{}
	for cursor, round := uint64(0), 0; ; round++ {
		cursor = s.Scan(cursor, func(text []byte, v int64) { seen[member(text, v)] = true })
		if cursor == 0 {
			break
		}
		if cursor >= 1<<32 {
			t.Fatalf("cursor %d is needlessly long", cursor)
		}
		for i := range 100 {
			if m := fmt.Sprint("goes", round/10*100+i); round%20 < 10 {
				add(m)
			} else if _, err := s.Remove([]byte(m)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 1000 {
		if !seen[fmt.Sprint("stays", i)] {
			t.Errorf("%d was not seen", i)
		}
	}
	s.Store()
	w.remove(&s.Cell)
	w.finish()
}

// When the memory ends, a set has what it had before, at every step of the way.
func TestSetMemoryEnds(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 5))
		w := newSetWorldOf(t, 1<<19)
		a := w.arena
		w.limit(10, 10, 64)
		s := value.SetOf(w.newCell())
		model, failed := map[string]bool{}, 0
		var filler []mem.Ref // so that memory ends at any of the steps
		for range 5000 {
			name := strconv.Itoa(rng.IntN(20_000))
			if rng.IntN(8) == 0 {
				name += strings.Repeat("x", rng.IntN(400))
			}
			if len(filler) > 0 && rng.IntN(50) == 0 {
				a.Free(filler[len(filler)-1])
				filler = filler[:len(filler)-1]
			} else if ref := a.Alloc(1 + rng.IntN(1<<rng.IntN(13))); ref != 0 {
				filler = append(filler, ref)
			}
			var did bool
			var err error
			if rng.IntN(4) > 0 {
				if did, err = s.Add([]byte(name)); err == nil {
					did = did == model[name]
					model[name] = true
				}
			} else {
				if did, err = s.Remove([]byte(name)); err == nil {
					did = did != model[name]
					delete(model, name)
				}
			}
			if err != nil {
				failed++
			} else if did {
				t.Fatalf("seed %d: %q is not what the model says", seed, name)
			}
		}
		s.Store()
		if err := value.Check(&s.Cell); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, want := members(&s), slices.Sorted(maps.Keys(model))
		if !slices.Equal(got, want) || failed == 0 {
			t.Fatalf("seed %d: %d members, want %d, after %d failures", seed, len(got), len(want), failed)
		}
		for _, ref := range filler {
			a.Free(ref)
		}
		w.remove(&s.Cell)
		w.finish()
	}
}

// FuzzSetAgainstModel replays a byte string as operations on a set and on a map. Each
// operation is three bytes: a verb and two that choose a member or a number.
func FuzzSetAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x02\x00\x01\x01\x00"), uint8(3), uint8(3))
	f.Add([]byte(strings.Repeat("\x00ab\x00cd\x03zz\x02ab\x04\x01\x00\x05xx\x06\x05\x00", 9)),
		uint8(2), uint8(5))
	f.Fuzz(func(t *testing.T, program []byte, ints, entries uint8) {
		w := newSetWorld(t)
		w.limit(int64(ints%16), int64(entries%16), 6)
		s := value.SetOf(w.newCell())
		model := map[string]bool{}
		rng := rand.New(rand.NewPCG(1, uint64(len(program))))
		for step := range slices.Chunk(program, 3) {
			if len(step) < 3 {
				break
			}
			stepSet(t, w, &s, model, step, rng)
			want := slices.Sorted(maps.Keys(model))
			if got := members(&s); !slices.Equal(got, want) {
				t.Fatalf("after %q:\n got %q\nwant %q", step, got, want)
			}
			s.Store()
			if err := value.Check(&s.Cell); err != nil {
				t.Fatal(err)
			}
		}
		w.remove(&s.Cell)
		w.finish()
	})
}

func stepSet(t *testing.T, w *setWorld, s *value.Set, model map[string]bool, step []byte, rng *rand.Rand) {
	name := strconv.Itoa((int(step[1])<<8 | int(step[2])) - 1<<14)
	if step[1]%3 == 0 {
		name = string(step[1:]) + strings.Repeat("x", int(step[2]%9))
	}
	if step[1] == 99 {
		name = ""
	}
	was := model[name]
	var did bool
	var err error
	switch step[0] % 7 {
	case 0, 1:
		if len(model) == 0 {
			err = s.Expect([]byte(name), 1)
		}
		if err == nil {
			did, err = s.Add([]byte(name))
		}
		did = did == was
		model[name] = true
	case 2:
		did, err = s.Remove([]byte(name))
		did = did != was
		delete(model, name)
	case 3:
		var m value.Member
		m.Set([]byte(name), 0)
		did = s.Has([]byte(name)) != was || s.HasMember(&m) != was
	case 4:
		if n := int(step[1]) % 8; n < len(model) {
			s.Pop(n, rng.Uint64, func(text []byte, v int64) {
				did = did || !model[member(text, v)]
				delete(model, member(text, v))
			})
		}
	case 5:
		if len(model) > 0 {
			did = !model[member(s.Random(rng.Uint64))]
		}
	case 6: // it is made anew, as SINTERSTORE does
		loose := value.LooseSet(&s.Cell, record.Packed, nil)
		integers := true
		s.Each(func(text []byte, v int64) bool {
			var m value.Member
			if m.Set(text, v); integers {
				_, integers = m.Integer()
			}
			_, err = loose.AddMember(text, v)
			return err == nil
		})
		if integers {
			loose.ToIntset()
		}
		s.Store()
		w.remove(&s.Cell)
		c := w.newCell()
		if err == nil {
			err = loose.MoveTo(&c)
		}
		*s = value.SetOf(c)
	}
	if err != nil || did {
		t.Fatalf("verb %d on %q: %v, or not what the model says", step[0]%7, name, err)
	}
}

// setEncoding is how a set is kept: clients are told that small ones are tables.
func setEncoding(rec record.Record) string {
	if rec.Encoding() == record.Packed {
		return "listpack"
	}
	return value.EncodingName(rec)
}
