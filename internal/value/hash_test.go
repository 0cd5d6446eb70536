package value_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/value"
)

// always is a time at which every field is seen.
const always = math.MinInt64

// newHash makes a key with an empty hash.
func newHash(w *setWorld, entries, size int64) value.Cell {
	w.t.Helper()
	w.shared.Limits.HashEntries.Store(entries)
	w.shared.Limits.HashValue.Store(size)
	return w.newKey(record.Hash)
}

// newTinyWorld is a world of little memory.
func newTinyWorld(t testing.TB) *setWorld {
	t.Helper()
	return newSetWorldOf(t, 1<<20)
}

// A field is what a model knows of one.
type field struct {
	value  string
	expiry int64
}

// seen is the fields that come out of a hash.
func seen(h *value.Hash) map[string]field {
	all := map[string]field{}
	h.Each(func(name []byte, nameInt int64, text []byte, textInt, expiry int64) bool {
		all[member(name, nameInt)] = field{member(text, textInt), expiry}
		return true
	})
	return all
}

func openHash(c *value.Cell, now int64) *value.Hash {
	h := &value.Hash{}
	h.Open(*c, now)
	return h
}

func TestHashEncodings(t *testing.T) {
	type step struct {
		field, value string
		expiry       int64
		want         string // encoding afterwards
	}
	long := strings.Repeat("x", 65)
	for _, tt := range []struct {
		name    string
		entries int64
		steps   []step
	}{
		{"too many", 2, []step{{"a", "1", -1, "listpack"}, {"b", "2", -1, "listpack"},
			{"b", "3", -1, "listpack"}, {"c", "3", -1, "hashtable"}}},
		{"none at all", 0, []step{{"a", "1", -1, "hashtable"}}},
		{"long value", 9, []step{{"a", long[1:], -1, "listpack"}, {"a", long, -1, "hashtable"}}},
		{"long field", 9, []step{{long[1:], "a", -1, "listpack"}, {long, "a", -1, "hashtable"}}},
		{"expiring", 2, []step{{"a", "1", -1, "listpack"}, {"a", "1", 50, "listpackex"},
			{"b", "2", -1, "listpackex"}, {"c", "2", value.KeepExpiry, "hashtable"}}},
		{"the last expiry goes", 9, []step{{"a", "1", 50, "listpackex"}, {"b", "1", -1, "listpackex"},
			{"a", "2", value.KeepExpiry, "listpackex"}, {"a", "2", -1, "listpack"}}},
		{"long and expiring", 9, []step{{"a", long, 50, "hashtable"}, {"a", "b", -1, "hashtable"}}},
	} {
		w := newSetWorld(t)
		c := newHash(w, tt.entries, 64)
		h := openHash(&c, always)
		for i, s := range tt.steps {
			if _, err := h.Set([]byte(s.field), []byte(s.value), s.expiry); err != nil {
				t.Fatal(err)
			}
			if got := value.EncodingName(h.Record()); got != s.want {
				t.Errorf("%s: step %d: %s, want %s", tt.name, i, got, s.want)
			}
			if err := value.Check(&h.Cell); err != nil {
				t.Errorf("%s: step %d: %v", tt.name, i, err)
			}
		}
		w.remove(&h.Cell)
		w.finish()
	}
}

// TestHashAgainstModel makes random changes while time passes, in all encodings.
func TestHashAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		program := make([]byte, 1200)
		rng := rand.New(rand.NewPCG(seed, 77))
		for i := range program {
			program[i] = byte(rng.Uint32())
		}
		runHash(t, program)
	}
}

func FuzzHashAgainstModel(f *testing.F) {
	f.Add([]byte("\x05\x00\x01\x02\x03\x04\x05\x06\x07\x08"))
	f.Add([]byte(strings.Repeat("\x08\x00\x10\x22\x81", 60)))
	f.Fuzz(runHash)
}

// runHash replays a byte string on a hash and on a map. The first byte is the limit of a
// small one; then a step is a verb and three operands.
func runHash(t *testing.T, program []byte) {
	if len(program) < 1 {
		return
	}
	w := newSetWorld(t)
	defer w.finish()
	c := newHash(w, int64(program[0]%80), 20)
	model := map[string]field{}
	now := int64(1000)
	for step := range slices.Chunk(program[1:], 4) {
		if len(step) < 4 {
			break
		}
		h := openHash(&c, now)
		name := hashText(step[1])
		old, present := model[name]
		due := present && old.expiry >= 0 && old.expiry <= now
		switch step[0] % 8 {
		case 0, 1, 2, 3:
			expiry := []int64{value.NoExpiry, value.KeepExpiry, now + 1 + int64(step[3])*3, value.NoExpiry}[step[0]%4]
			text := hashText(step[2])
			added, err := h.Set([]byte(name), []byte(text), expiry)
			if err != nil || added != !present {
				t.Fatalf("Set %q: %v %v, was there: %v", name, added, err, present)
			}
			if expiry == value.KeepExpiry {
				if expiry = value.NoExpiry; present {
					expiry = old.expiry
				}
			}
			model[name] = field{text, expiry}
		case 4:
			found, err := h.Delete([]byte(name))
			if err != nil || found != present {
				t.Fatalf("Delete %q: %v %v, was there: %v", name, found, err, present)
			}
			delete(model, name)
		case 5:
			expiry := []int64{value.NoExpiry, now + int64(step[3])*2}[step[2]%2]
			found, err := h.SetExpiry([]byte(name), expiry)
			if err != nil || found != present {
				t.Fatalf("SetExpiry %q: %v %v, was there: %v", name, found, err, present)
			}
			if present {
				model[name] = field{old.value, expiry}
			}
		case 6:
			now += int64(step[3]) / 4
			h = openHash(&c, now)
			expireSome(t, h, model, now, int(step[2]%3)+1)
		default:
			text, v, expiry, ok := h.Lookup([]byte(name))
			if ok != (present && !due) || ok && (member(text, v) != old.value || expiry != old.expiry) {
				t.Fatalf("Lookup %q: %q %d %d %v, want %v", name, text, v, expiry, ok, old)
			}
			if h.IsDue([]byte(name)) != due {
				t.Fatalf("IsDue %q: %v", name, !due)
			}
		}
		c = h.Cell
		checkHash(t, &c, model, now)
	}
	w.remove(&c)
}

// hashText is a text, in four forms: short, a number, too long for a listpack, and too long
// for a leaf.
func hashText(b byte) string {
	switch b % 16 {
	case 0:
		return ""
	case 1, 2, 3, 4:
		return strconv.Itoa(int(b)*int(b) - 300)
	case 5:
		return strings.Repeat(string(rune('a'+b%7)), 21+int(b))
	}
	return "field" + strconv.Itoa(int(b))
}

func expireSome(t *testing.T, h *value.Hash, model map[string]field, now int64, budget int) {
	t.Helper()
	done, err := h.ExpireSome(budget, func(name []byte) {
		if f, ok := model[string(name)]; !ok || f.expiry < 0 || f.expiry > now {
			t.Fatalf("%q expired, being %v at %d", name, f, now)
		}
		delete(model, string(name))
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range model {
		if done && f.expiry >= 0 && f.expiry <= now {
			t.Fatalf("%q, being %v, is left at %d", name, f, now)
		}
	}
}

func checkHash(t *testing.T, c *value.Cell, model map[string]field, now int64) {
	t.Helper()
	if err := value.Check(c); err != nil {
		t.Fatal(err)
	}
	all, first := maps.Clone(model), int64(math.MaxInt64)
	maps.DeleteFunc(all, func(_ string, f field) bool {
		if f.expiry >= 0 {
			first = min(first, f.expiry)
		}
		return f.expiry >= 0 && f.expiry <= now
	})
	h := openHash(c, now)
	if got := seen(h); !maps.Equal(got, all) {
		t.Fatalf("holds %v\nwant %v", got, all)
	}
	if value.Len(c) != len(model) || h.Seen() != len(all) {
		t.Fatalf("%d fields, %d seen, want %d and %d", value.Len(c), h.Seen(), len(model), len(all))
	}
	if at := value.FieldExpiry(c.Record()); (at >= 0) != (first < math.MaxInt64) || at > first {
		t.Fatalf("the first field expires at %d, the record says %d", first, at)
	}
}

func TestHashLoad(t *testing.T) {
	packed := func(texts ...string) []byte {
		b := listpack.AppendHeader(nil)
		for _, text := range texts {
			b = listpack.AppendElem(b, listpack.Text([]byte(text)))
		}
		return listpack.Finish(b, 0, len(texts))
	}
	for _, tt := range []struct {
		encoding record.Encoding
		packed   []byte
		entries  int64
		want     string
		fields   map[string]field
	}{
		{record.Packed, packed("a", "1", "2", "b"), 2, "listpack", map[string]field{"a": {"1", -1}, "2": {"b", -1}}},
		{record.Packed, packed("a", "1", "2", "b"), 1, "hashtable", map[string]field{"a": {"1", -1}, "2": {"b", -1}}},
		{record.PackedEx, packed("a", "1", "70", "2", "b", "0"), 2, "listpackex",
			map[string]field{"a": {"1", 70}, "2": {"b", -1}}},
		{record.PackedEx, packed("a", "1", "70", "2", "b", "0"), 1, "hashtable",
			map[string]field{"a": {"1", 70}, "2": {"b", -1}}},
		{record.PackedEx, packed("a", "1", "0", "2", "b", "0"), 2, "listpack",
			map[string]field{"a": {"1", -1}, "2": {"b", -1}}},
	} {
		w := newSetWorld(t)
		c := newHash(w, tt.entries, 64)
		if err := value.Load(&c, tt.encoding, tt.packed); err != nil {
			t.Fatal(err)
		}
		if got := value.EncodingName(c.Record()); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.packed, got, tt.want)
		}
		checkHash(t, &c, tt.fields, always)
		for _, name := range []string{"a", "new"} {
			isNew, err := value.Add(&c, &value.Element{
				Name: listpack.Text([]byte(name)), Value: listpack.Int(9), Expiry: 90,
			})
			if err != nil || isNew == (name == "a") {
				t.Errorf("Add %s: %v %v", name, isNew, err)
			}
		}
		if f := seen(openHash(&c, always))["new"]; f != (field{"9", 90}) {
			t.Errorf("what was added is %v", f)
		}
		w.remove(&c)
		w.finish()
	}
}

// TestHashFrozen reads a frozen hash while it changes.
func TestHashFrozen(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 3))
		w := newSetWorld(t)
		c := newHash(w, 0, 64)
		h := openHash(&c, 0)
		want := map[string]field{}
		set := func(into map[string]field) {
			name, text := fmt.Sprint("f", rng.IntN(700)), strings.Repeat("v", rng.IntN(20)*rng.IntN(20))
			expiry := int64(value.NoExpiry)
			if rng.IntN(3) == 0 {
				expiry = 1 + rng.Int64N(100)
			}
			if _, err := h.Set([]byte(name), []byte(text), expiry); err != nil {
				t.Fatal(err)
			}
			if into != nil {
				into[name] = field{text, expiry}
			}
		}
		for range rng.IntN(900) + 1 {
			set(want)
		}
		leaves := value.Freeze(&h.Cell, 5, nil)
		got := map[string]field{}
		for i, ref := range leaves {
			for range rng.IntN(60) {
				switch rng.IntN(4) {
				case 0:
					if _, err := h.Delete(fmt.Append(nil, "f", rng.IntN(700))); err != nil {
						t.Fatal(err)
					}
				case 1:
					if _, err := h.SetExpiry(fmt.Append(nil, "f", rng.IntN(700)), rng.Int64N(100)+1); err != nil {
						t.Fatal(err)
					}
				default:
					set(nil)
				}
			}
			if i == len(leaves)/2 {
				later := openHash(&h.Cell, 50)
				if _, err := later.ExpireSome(1000, func([]byte) {}); err != nil {
					t.Fatal(err)
				}
				h = openHash(&later.Cell, 0)
			}
			value.EachInLeaf(record.Hash, w.arena, ref, func(e value.Element) {
				got[string(e.Name.Bytes)] = field{string(e.Value.Bytes), e.Expiry}
			})
			value.Thaw(record.Hash, w.arena, 5, ref)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("seed %d: the frozen leaves hold %d fields, want %d", seed, len(got), len(want))
		}
		if h.Len() > 0 {
			if err := value.Check(&h.Cell); err != nil {
				t.Fatal(err)
			}
		}
		w.remove(&h.Cell)
		w.finish()
	}
}

// TestHashWithoutMemory fills the arena: what fails changes nothing.
func TestHashWithoutMemory(t *testing.T) {
	for _, entries := range []int64{0, 1 << 40} {
		w := newTinyWorld(t)
		c := newHash(w, entries, 64)
		h := openHash(&c, always)
		model := map[string]field{}
		failed := 0
		for i := 0; failed < 50; i++ {
			name, text := fmt.Sprint("field:", i%90000), strings.Repeat("v", i%60)
			expiry := []int64{-1, -1, 5000 + int64(i)}[i%3]
			_, err := h.Set([]byte(name), []byte(text), expiry)
			if err == nil {
				model[name] = field{text, expiry}
				continue
			}
			if err != mem.ErrExhausted {
				t.Fatal(err)
			}
			failed++
		}
		checkHash(t, &h.Cell, model, always)
		for name := range model {
			if found, err := h.Delete([]byte(name)); !found || err != nil {
				t.Fatalf("Delete %s: %v %v", name, found, err)
			}
		}
		w.remove(&h.Cell)
		w.finish()
	}
}

// TestHashRandom checks that every field that is seen is drawn equally often.
func TestHashRandom(t *testing.T) {
	const draws = 40000
	for _, entries := range []int64{512, 0} {
		for _, past := range []int{0, 20, 38} {
			w := newSetWorld(t)
			c := newHash(w, entries, 64)
			h := openHash(&c, always)
			for i := range 40 {
				expiry := int64(value.NoExpiry)
				if i < past {
					expiry = 10
				}
				if _, err := h.Set(strconv.AppendInt(nil, int64(i), 10), []byte("v"), expiry); err != nil {
					t.Fatal(err)
				}
			}
			h = openHash(&h.Cell, 10)
			rng := rand.New(rand.NewPCG(1, 2))
			counts := map[string]int{}
			h.Random(draws, rng.Uint64, func(name []byte, nameInt int64, _ []byte, _, _ int64) bool {
				counts[member(name, nameInt)]++
				return true
			})
			expected := float64(draws) / float64(40-past)
			if len(counts) != 40-past {
				t.Errorf("%d of %d fields were drawn", len(counts), 40-past)
			}
			for name, n := range counts {
				if d := float64(n) - expected; d*d > 36*expected { // six standard deviations
					t.Errorf("%d past: %s was drawn %d times, want about %.0f", past, name, n, expected)
				}
			}
			w.remove(&h.Cell)
			w.finish()
		}
	}
}

// TestHashScan checks the promise of cursors while the hash grows and shrinks.
func TestHashScan(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 9))
		w := newSetWorld(t)
		c := newHash(w, 0, 64)
		h := openHash(&c, always)
		stay := map[string]bool{}
		for i := range 3000 {
			if _, err := h.Set(fmt.Append(nil, i), []byte("v"), value.NoExpiry); err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				stay[fmt.Sprint(i)] = true
			}
		}
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			cursor = h.Scan(cursor, func(name []byte, _ int64, _ []byte, _, _ int64) bool {
				delete(stay, string(name))
				return true
			})
			for range 40 {
				i := rng.IntN(3000)
				if i%10 != 0 {
					if _, err := h.Delete(fmt.Append(nil, i)); err != nil {
						t.Fatal(err)
					}
				}
				if seed%2 == 0 {
					if _, err := h.Set(fmt.Append(nil, 3000+rng.IntN(9000)), []byte("v"), -1); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if len(stay) > 0 {
			t.Errorf("seed %d: %d fields that were there all the time were not visited", seed, len(stay))
		}
		w.remove(&h.Cell)
		w.finish()
	}
}
