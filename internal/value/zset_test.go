package value_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/value"
)

// A zsetWorld is an arena with a table of one key, a sorted set, and the model of it: a map
// that is sorted when its order is asked for.
type zsetWorld struct {
	t      testing.TB
	arena  *mem.Arena
	dict   *dict.Dict
	shared value.Shared
	cell   value.Cell
	model  map[string]float64
	sorted []zpair // nil if it is not known

	epoch  uint16 // of the last snapshot
	frozen []mem.Ref
	then   []zpair // what the snapshot is to find
}

type zpair struct {
	member string
	score  float64
}

var zsetKey = []byte("key")

// newZSetWorld has an arena of so many bytes. A weak hash is the same for many members.
func newZSetWorld(t testing.TB, reserve int64, weak bool) *zsetWorld {
	t.Helper()
	a, err := mem.New(reserve)
	if err != nil {
		t.Fatal(err)
	}
	w := &zsetWorld{t: t, arena: a, model: map[string]float64{}}
	w.shared.Limits.SetDefaults()
	seed := maphash.MakeSeed()
	w.shared.Hash = func(b []byte) uint64 {
		h := maphash.Bytes(seed, b)
		if weak {
			h &= 0xf << 60 & 0xf << 28
		}
		return h
	}
	w.dict = dict.New(a, w.shared.Hash, 0, &dict.Scratches{})
	s := record.Shape{Key: zsetKey, Type: record.ZSet, Expiry: -1}
	e, n := value.Empty(record.ZSet)
	ref := a.Alloc(s.SizeBytes(n))
	value.InitEmpty(record.ZSet, s.WriteBytes(a, ref, e, n))
	at := w.shared.Hash(zsetKey)
	if !w.dict.Insert(at, ref) {
		t.Fatal("the table takes no key")
	}
	w.cell = value.NewCell(&w.shared, a, w.dict, at, w.dict.Find(at, zsetKey))
	return w
}

func (w *zsetWorld) limit(entries, size int64) {
	w.shared.Limits.ZSetEntries.Store(entries)
	w.shared.Limits.ZSetValue.Store(size)
}

// finish thaws what is frozen, removes the key, and proves that nothing is left.
func (w *zsetWorld) finish() {
	w.t.Helper()
	w.thaw()
	rec := w.cell.Record()
	if rec.IsRooted() {
		for husk := value.NewHusk(rec); !husk.FreeSome(w.arena, 3); {
		}
	}
	at := w.shared.Hash(zsetKey)
	w.dict.Delete(at, w.dict.Find(at, zsetKey))
	w.arena.Free(w.cell.Ref())
	w.dict.Clear(w.arena.Free)
	if n := w.arena.Live(); n != 0 {
		w.t.Errorf("%d bytes are live", n)
	}
	w.arena.Release()
}

// all is the model in order.
func (w *zsetWorld) all() []zpair {
	if w.sorted == nil {
		w.sorted = make([]zpair, 0, len(w.model))
		for m, s := range w.model {
			w.sorted = append(w.sorted, zpair{m, s})
		}
		slices.SortFunc(w.sorted, func(a, b zpair) int {
			return cmp.Or(cmp.Compare(a.score, b.score), strings.Compare(a.member, b.member))
		})
	}
	return w.sorted
}

// freeze begins a snapshot, if none is being made.
func (w *zsetWorld) freeze() {
	if w.cell.Encoding() != record.Rooted || w.frozen != nil {
		return
	}
	w.epoch++
	w.frozen = value.Freeze(&w.cell, w.epoch, nil)
	w.then = slices.Clone(w.all())
}

// thaw reads what was frozen and ends the snapshot.
func (w *zsetWorld) thaw() {
	w.t.Helper()
	if w.frozen == nil {
		return
	}
	var got []zpair
	for _, ref := range w.frozen {
		value.EachInLeaf(record.ZSet, w.arena, ref, func(e value.Element) {
			got = append(got, zpair{string(e.Name.Bytes), e.Score})
		})
		value.Thaw(record.ZSet, w.arena, w.epoch, ref)
	}
	if !slices.Equal(got, w.then) {
		w.t.Fatalf("a snapshot finds\n%v, want\n%v", got, w.then)
	}
	w.frozen, w.then = nil, nil
}

// check compares everything.
func (w *zsetWorld) check() {
	w.t.Helper()
	if err := value.Check(&w.cell); err != nil {
		w.t.Fatal(err)
	}
	z, want := value.ZSetOf(&w.cell), w.all()
	if z.Len() != len(want) || value.Len(&w.cell) != len(want) {
		w.t.Fatalf("length %d, %d, want %d", z.Len(), value.Len(&w.cell), len(want))
	}
	var got []zpair
	value.Each(&w.cell, func(e *value.Element) {
		got = append(got, zpair{string(e.Name.AppendTo(nil)), e.Score})
	})
	if !slices.Equal(got, want) {
		w.t.Fatalf("elements\n%v, want\n%v", got, want)
	}
	back := z.Iter(len(want)-1, true)
	for i := len(want) - 1; i >= -1; i-- {
		text, v, score, ok := back.Next()
		if ok != (i >= 0) || ok && (zpair{member(text, v), score}) != want[i] {
			w.t.Fatalf("backward at %d: %s %v %v", i, member(text, v), score, ok)
		}
	}
	for i, p := range want {
		rank, score, ok := z.Rank([]byte(p.member))
		if !ok || rank != i || score != p.score {
			w.t.Fatalf("rank of %v: %d %v %v, want %d", p, rank, score, ok, i)
		}
	}
}

var zscores = []float64{
	0, 1, 2, 3, 1.5, -1, -2.5, 127, 128, 4096, 1e9, 1 << 40, 1 << 53, 1e18, 5e18, 9.3e18, 1e300,
	math.Inf(1), math.Inf(-1), 0.1, math.Copysign(0, -1), 5e-324, 3.141592653589793,
}

// operand picks a member and a score by a number.
func zoperand(n int) (string, float64) {
	score := zscores[n/7%len(zscores)]
	switch m := n % 211; {
	case m == 0:
		return "", score
	case m < 60:
		return fmt.Sprint(m - 10), score
	case m < 70:
		return strings.Repeat(fmt.Sprint(m), 40+m), score // longer than keys that stand in nodes
	default:
		return fmt.Sprintf("member:%d", m), score
	}
}

// step does one operation, of a verb and an operand.
func (w *zsetWorld) step(verb byte, n int) {
	w.t.Helper()
	z := value.ZSetOf(&w.cell)
	m, score := zoperand(n)
	old, there := w.model[m]
	switch verb % 16 {
	case 0, 1, 2, 3, 4, 5, 6:
		mode := value.ZMode(n / 211 % 32)
		if verb%16 < 4 {
			mode = 0
		}
		w.put(&z, m, score, mode)
	case 7, 8, 9:
		gone, err := z.Delete([]byte(m))
		if err != nil || gone != there {
			w.t.Fatalf("deleting %q: %v, %v", m, gone, err)
		}
		delete(w.model, m)
		w.sorted = nil
	case 10:
		w.deleteRange(&z, n%7, n/7%5)
	case 11:
		now, ok := z.Score([]byte(m))
		if ok != there || now != old {
			w.t.Fatalf("score of %q: %v, %v, want %v, %v", m, now, ok, old, there)
		}
	case 12:
		highest := zscores[n%len(zscores)]
		w.scores(&z, value.ScoreRange{Min: score, Max: highest, MinOut: n&1 != 0, MaxOut: n&2 != 0})
	case 13:
		w.freeze()
	case 14:
		w.thaw()
	case 15:
		w.scan(&z, 1+int64(n>>4)<<(n&15))
	}
}

// put gives a member a score as ZADD would.
func (w *zsetWorld) put(z *value.ZSet, m string, score float64, mode value.ZMode) {
	w.t.Helper()
	old, there := w.model[m]
	want, out := score, value.ZAdded
	switch {
	case !there && mode&value.ZXX != 0:
		want, out = 0, value.ZRefused
	case there && mode&value.ZNX != 0:
		want, out = old, value.ZRefused
	case there:
		if mode&value.ZIncr != 0 {
			want += old
		}
		switch {
		case math.IsNaN(want):
			want, out = old, value.ZNotNumber
		case mode&value.ZGT != 0 && want <= old, mode&value.ZLT != 0 && want >= old:
			want, out = old, value.ZRefused
		case want == old:
			out = value.ZSame
		default:
			out = value.ZUpdated
		}
	}
	now, got, err := z.Put([]byte(m), score, mode)
	if err != nil || got != out || now != want || math.Signbit(now) && now == 0 {
		w.t.Fatalf("put %q %v (mode %d) on %v: %v, %d, %v, want %v, %d",
			m, score, mode, old, now, got, err, want, out)
	}
	if out == value.ZAdded || out == value.ZUpdated {
		w.model[m] = want + 0
		w.sorted = nil
	}
}

func (w *zsetWorld) deleteRange(z *value.ZSet, from, n int) {
	w.t.Helper()
	all := w.all()
	from = min(from, len(all))
	to := min(from+n, len(all))
	var got []zpair
	gone, err := z.DeleteRange(from, to, func(text []byte, v int64, score float64) {
		got = append(got, zpair{member(text, v), score})
	})
	if gone != to-from || err != nil || !slices.Equal(got, all[from:to]) {
		w.t.Fatalf("deleting %d to %d of %v: %d, %v: %v", from, to, all, gone, err, got)
	}
	for _, p := range got {
		delete(w.model, p.member)
	}
	w.sorted = nil
}

func (w *zsetWorld) scores(z *value.ZSet, r value.ScoreRange) {
	w.t.Helper()
	var want []zpair
	for _, p := range w.all() {
		if (p.score > r.Min || p.score == r.Min && !r.MinOut) &&
			(p.score < r.Max || p.score == r.Max && !r.MaxOut) {
			want = append(want, p)
		}
	}
	from, to := z.Scores(&r)
	if to-from != len(want) || len(want) > 0 && !slices.Equal(w.all()[from:to], want) {
		w.t.Fatalf("%+v: %d to %d of %v, want %v", r, from, to, w.all(), want)
	}
}

// scan looks whether calls for so many members each have all between them.
func (w *zsetWorld) scan(z *value.ZSet, count int64) {
	w.t.Helper()
	got, cursor := map[string]float64{}, uint64(0)
	for begun := false; !begun || cursor != 0; begun = true {
		n := len(got)
		cursor = z.Scan(cursor, count, func(text []byte, v int64, score float64) {
			if _, again := got[member(text, v)]; again {
				w.t.Fatalf("%q came twice", text)
			}
			got[member(text, v)] = score
		})
		if cursor != 0 && int64(len(got)-n) < count {
			w.t.Fatalf("%d members, of %d, where %d are wanted", len(got)-n, len(w.model), count)
		}
	}
	if !maps.Equal(got, w.model) {
		w.t.Fatalf("%d of %d members by scanning, or other scores", len(got), len(w.model))
	}
}

// runZSetProgram replays operations of three bytes.
func runZSetProgram(t testing.TB, program []byte, weak bool, entries, size int64) {
	w := newZSetWorld(t, 1<<26, weak)
	w.limit(entries, size)
	for i := 0; i+3 <= len(program); i += 3 {
		w.step(program[i], int(program[i+1])<<8|int(program[i+2]))
		if len(program) < 600 || i%300 == 0 {
			w.check()
		}
	}
	w.check()
	w.finish()
}

// FuzzZSetAgainstModel replays a byte string as operations on a sorted set and on a map.
func FuzzZSetAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x09\x07\x00\x00"), false)
	f.Fuzz(func(t *testing.T, program []byte, weak bool) { runZSetProgram(t, program, weak, 4, 30) })
}

// Random programs go through both encodings, with a hash that tells members apart and one
// that does not.
func TestZSetAgainstModel(t *testing.T) {
	for seed := range uint64(15) {
		rng := rand.New(rand.NewPCG(seed, 5))
		program := make([]byte, 6000)
		for i := range program {
			program[i] = byte(rng.Uint32())
		}
		runZSetProgram(t, program, seed%2 == 0, []int64{0, 3, 40, 128, 1000}[seed%5], 64)
	}
}

func TestZSetLexRange(t *testing.T) {
	at := func(s string, out bool) value.LexBound { return value.LexBound{At: []byte(s), Out: out} }
	first, last := value.LexBound{First: true}, value.LexBound{Last: true}
	for _, entries := range []int64{0, 128} {
		w := newZSetWorld(t, 1<<26, false)
		w.limit(entries, 64)
		z := value.ZSetOf(&w.cell)
		for _, m := range []string{"a", "b", "c", "cc", "d", "12", ""} { // "", 12, a, b, c, cc, d
			if _, _, err := z.Put([]byte(m), 7, 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range []struct {
			min, max value.LexBound
			from, to int
		}{
			{first, last, 0, 7},
			{last, first, 0, 0},
			{first, first, 0, 0},
			{last, last, 7, 7},
			{at("a", false), at("c", false), 2, 5},
			{at("a", true), at("c", true), 3, 4},
			{at("12", false), last, 1, 7},
			{at("12", true), last, 2, 7},
			{at("", true), at("bb", false), 1, 4},
			{first, at("", false), 0, 1},
			{first, at("", true), 0, 0},
			{at("c", true), at("cc", true), 5, 5},
			{at("d", true), at("a", false), 7, 7},
		} {
			from, to := z.Members(&value.LexRange{Min: tt.min, Max: tt.max})
			if to-from != tt.to-tt.from || to > from && from != tt.from {
				t.Errorf("%d entries: %v to %v: %d, %d, want %d, %d",
					entries, tt.min, tt.max, from, to, tt.from, tt.to)
			}
		}
		w.finish()
	}
}

// The listpack of a sorted set has the bytes that Redis 7.2 writes.
func TestZSetBytes(t *testing.T) {
	w := newZSetWorld(t, 1<<26, false)
	z := value.ZSetOf(&w.cell)
	var want []byte
	want = listpack.AppendHeader(want)
	for _, p := range []struct {
		member, text string
		score        float64
	}{
		{"low", "-inf", math.Inf(-1)}, {"-7", "-1000", -1000}, {"z", "0", math.Copysign(0, -1)}, {"a", "0.1", 0.1},
		{"one", "1", 1}, {"b", "1.5", 1.5}, {"big", "4611686018427387904", 1 << 62}, {"b5", "5e+18", 5e18},
		{"bigger", "9.3e+18", 9.3e18}, {"c", "1e+300", 1e300}, {"high", "inf", math.Inf(1)},
	} {
		if _, _, err := z.Put([]byte(p.member), p.score, 0); err != nil {
			t.Fatal(err)
		}
		want = listpack.AppendElem(want, listpack.Text([]byte(p.member)))
		want = listpack.AppendElem(want, listpack.Text([]byte(p.text)))
	}
	if want = listpack.Finish(want, 0, 22); !bytes.Equal(w.cell.Bytes(), want) {
		t.Errorf("got\n%q, want\n%q", w.cell.Bytes(), want)
	}
	w.finish()
}

// A set is a listpack as long as the limits allow, and never becomes one again.
func TestZSetEncodings(t *testing.T) {
	for _, tt := range []struct {
		entries, size int64
		add           string
		want          string
	}{
		{3, 4, "a b c", "listpack"},
		{3, 4, "a b c d", "skiplist"},
		{3, 4, "a long", "listpack"},
		{3, 4, "a 12345", "skiplist"},
		{0, 4, "a", "skiplist"},
		{3, 0, "a", "skiplist"},
		{3, 4, "a a a a a", "listpack"},
	} {
		w := newZSetWorld(t, 1<<26, false)
		w.limit(tt.entries, tt.size)
		for _, m := range strings.Fields(tt.add) {
			z := value.ZSetOf(&w.cell)
			w.put(&z, m, 1, 0)
		}
		if got := value.EncodingName(w.cell.Record()); got != tt.want {
			t.Errorf("limits %d, %d: %s is a %s, want %s", tt.entries, tt.size, tt.add, got, tt.want)
		}
		z := value.ZSetOf(&w.cell)
		w.deleteRange(&z, 1, 100)
		if got := value.EncodingName(w.cell.Record()); got != tt.want {
			t.Errorf("limits %d, %d: then it is a %s", tt.entries, tt.size, got)
		}
		w.check()
		w.finish()
	}
}

// A listpack from a file stays one or becomes something else, by its length alone.
func TestZSetLoad(t *testing.T) {
	long := strings.Repeat("x", 100)
	packed := listpack.AppendHeader(nil)
	for _, s := range []string{"a", "-0", "7", "0", long, "2.50"} {
		packed = listpack.AppendElem(packed, listpack.Text([]byte(s)))
	}
	packed = listpack.Finish(packed, 0, 6)
	for entries, want := range map[int64]string{3: "listpack", 2: "skiplist"} {
		w := newZSetWorld(t, 1<<26, false)
		w.limit(entries, 64)
		if err := value.Load(&w.cell, record.Packed, packed); err != nil {
			t.Fatal(err)
		}
		w.model = map[string]float64{"a": 0, "7": 0, long: 2.5}
		if got := value.EncodingName(w.cell.Record()); got != want {
			t.Errorf("with %d entries allowed it is a %s", entries, got)
		}
		w.sorted = []zpair{{"a", 0}, {"7", 0}, {long, 2.5}} // as it was in the file
		if want == "skiplist" {
			w.sorted = nil
			w.check()
		}
		z := value.ZSetOf(&w.cell)
		w.put(&z, "a", 1, 0)
		w.put(&z, long, 0.5, value.ZIncr)
		w.check()
		w.finish()
	}
}

// What does not fit into memory changes nothing, in either encoding, even while a snapshot
// holds on to all that was.
func TestZSetExhausted(t *testing.T) {
	for _, entries := range []int64{0, 1 << 40} {
		w := newZSetWorld(t, 1<<20, false)
		w.limit(entries, 1<<20)
		filler := strings.Repeat("x", 90)
		rng := rand.New(rand.NewPCG(1, 1))
		failures := 0
		for i := 0; failures < 120; i++ {
			if i%500 == 499 {
				w.freeze()
			}
			m, score := fmt.Sprint(filler[:rng.IntN(90)], rng.IntN(100_000)), float64(rng.IntN(1000))
			z := value.ZSetOf(&w.cell)
			_, _, err := z.Put([]byte(m), score, 0)
			switch {
			case err == nil:
				w.model[m], w.sorted = score, nil
			case errors.Is(err, mem.ErrExhausted):
				if failures++; failures%50 == 1 {
					w.check()
				}
			default:
				t.Fatal(err)
			}
			if entries > 0 && i > 2000 {
				break // a long listpack takes long
			}
		}
		if failures == 0 && entries == 0 {
			t.Error("the memory sufficed")
		}
		w.check()
		w.finish()
	}
}

func TestZSetAllocations(t *testing.T) {
	if invariant.Enabled {
		t.Skip("checked builds allocate")
	}
	for _, n := range []int{50, 5000} {
		w := newZSetWorld(t, 1<<26, false)
		for i := range n {
			z := value.ZSetOf(&w.cell)
			w.put(&z, fmt.Sprint("m", i), float64(i), 0)
		}
		m, other, x := []byte("m33"), []byte("m34"), 0.0
		if n := testing.AllocsPerRun(100, func() {
			x++
			z := value.ZSetOf(&w.cell)
			_, _, err := z.Put(m, x, 0)
			_, there, _ := z.Rank(m)
			z.Score(other)
			_, _ = z.Delete(other)
			_, _, again := z.Put(other, 7, value.ZNX)
			from, to := z.Scores(&value.ScoreRange{Min: 10, Max: 20})
			it := z.Iter(from, false)
			for range to - from {
				it.Next()
			}
			gone, _ := z.DeleteRange(5, 6, nil)
			if err != nil || again != nil || there != x || gone != 1 {
				t.Fatal(err, again, there, gone)
			}
			_, _, _ = z.Put(other, 7, value.ZNX)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
		clear(w.model)
		w.finish()
	}
}

// Many members with one score are found too, where looking for each would take too long.
func TestZSetScanTies(t *testing.T) {
	const n = 40_000
	for _, scores := range []int{1, 2, 100, n} {
		w := newZSetWorld(t, 1<<26, false)
		z := value.ZSetOf(&w.cell)
		for i := range n {
			w.put(&z, fmt.Sprint("m", i), float64(i%scores), 0)
		}
		for _, count := range []int64{10, 1000, n / 2, math.MaxInt64} {
			w.scan(&z, count)
		}
		if next := z.Scan(math.MaxUint64, 10, nil); next != 0 {
			t.Errorf("behind all there is %d", next)
		}
		w.finish()
	}
}
