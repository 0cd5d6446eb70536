package stream

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
)

// list makes a listpack of what the words say: integers, and texts in quotes.
func list(words string) []byte {
	b := listpack.AppendHeader(nil)
	n := 0
	for _, word := range strings.Fields(words) {
		if text, ok := strings.CutPrefix(word, "'"); ok {
			b = listpack.AppendElem(b, listpack.Elem{Bytes: []byte(text)})
		} else {
			b = listpack.AppendElem(b, listpack.Text([]byte(word)))
		}
		n++
	}
	return listpack.Finish(b, 0, n)
}

func TestValidateNode(t *testing.T) {
	for _, tt := range []struct {
		list string
		want string // in the error, or none
	}{
		{"1 0 1 f 0 2 0 0 v 4", ""},
		{"1 1 1 f 0 3 0 0 v 4 2 0 1 v 4", ""},
		{"2 0 1 f 0 2 0 0 v 4 0 5 -7 2 a b c d 8", ""},
		{"2 0 1 f 0 2 0 0 v 4 0 5 -7 0 4", ""}, // no fields: Redis writes none such, and none harm
		{"0 1 1 f 0 3 0 0 v 4", ""},
		{"0 0 1 f 0", ""},
		{"", "the list ends"},
		{"0 0", "the list ends"},
		{"1 0 1 f 0", "counts 1 live"},
		{"1 0 1 f 0 2 0 0 v", "the list ends"},
		{"1 0 1 f 0 2 0 0 v 5", "5 elements of 4"},
		{"1 0 1 f 0 0 0 0 v 4", "is a text"},
		{"1 0 1 f 0 0 0 0 1 f v 4", "4 elements of 6"},
		{"1 0 1 f 0 4 0 0 1 f v 6", "flags 0x4"},
		{"1 0 1 f 0 -1 0 0 v 4", "flags"},
		{"1 0 1 f 1 2 0 0 v 4", "the master entry ends with 1"},
		{"1 0 2 f 0 2 0 0 v 4", "master entry ends with 2"},
		{"1 0 9223372036854775807 f 0 2 0 0 v 4", "the list ends"},
		{"1 0 1 f 0 0 0 0 9223372036854775807 f v 4", "the list ends"},
		{"1 0 1 f 0 0 0 0 -3 4", "the list ends"},
		{"1 0 -1 0 2 0 0 2", "-1 fields"},
		{"-1 2 1 f 0 2 0 0 v 4", "-1 live"},
		{"1 -1 1 f 0 2 0 0 v 4", "-1 deleted"},
		{"1 1 1 f 0 2 0 0 v 4", "counts 1 live and 1 deleted"},
		{"'1 0 1 f 0 2 0 0 v 4", "is a text"},
		{"1 0 1 f 0 '2 0 0 v 4", "is a text"},
		{"2 0 1 f 0 2 0 0 v 4 2 0 0 v 4", "too small"},
		{"2 0 1 f 0 2 0 5 v 4 2 0 4 v 4", "too small"},
		{"1 0 1 f 0 2 -1 0 v 4", "too small"}, // less than the master ID
		{"1 0 1 f 0 2 0 0 v 4 9", "the list ends"},
	} {
		_, err := ValidateNode(ID{9, 9}, list(tt.list))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.list, err, tt.want)
		}
	}
	if _, err := ValidateNode(MaxID, list("1 0 1 f 0 2 0 1 v 4")); err == nil {
		t.Error("an ID behind the greatest passes") // it wraps around
	}
	info, err := ValidateNode(ID{9, 9}, list("1 1 1 f 0 3 0 0 v 4 2 3 -4 v 4"))
	if want := (NodeInfo{Live: 1, Deleted: 1, First: ID{9, 9}, Last: ID{12, 5}}); info != want || err != nil {
		t.Error(info, err)
	}
}

func TestLoad(t *testing.T) {
	h := newHeap(t, 1<<24)
	s := New()
	one := list("2 0 1 f 0 2 0 0 v 4 2 0 1 v 4")
	for _, tt := range []struct {
		master ID
		list   []byte
		ok     bool
	}{
		{ID{5, 0}, one, true},
		{ID{5, 1}, one, false}, // not behind 5-1
		{ID{4, 0}, one, false},
		{ID{5, 2}, one[:len(one)-1], false},
		{ID{5, 2}, list("0 1 1 f 0 3 0 0 v 4"), true}, // and dropped
		{ID{5, 2}, one, true},
		{ID{7, 0}, list("1 1 1 f 0 3 0 0 v 4 2 0 9 v 4"), true},
	} {
		if err := s.AddNode(h, tt.master, tt.list); (err == nil) != tt.ok {
			t.Errorf("%v: %v", tt.master, err)
		}
	}
	zero := New()
	if zero.AddNode(h, ID{}, one) == nil {
		t.Error("0-0 passes")
	}
	for _, tt := range []struct {
		meta Meta
		ok   bool
	}{
		{Meta{Length: 4, Last: ID{7, 9}, Added: 4}, false},
		{Meta{Length: 5, Last: ID{7, 8}, Added: 5}, false},
		{Meta{Length: 5, Last: ID{8, 0}, Added: 7, MaxDeleted: ID{7, 0}}, true},
	} {
		if err := s.SetMeta(tt.meta); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.meta, err)
		}
	}
	if s.Length != 5 || s.First != (ID{5, 0}) || s.Nodes() != 3 || s.Added != 7 {
		t.Errorf("%+v", s)
	}
	mustCheck(t, h, &s)

	g, _, err := s.CreateGroup(h, []byte("g"), ID{7, 0}, 3)
	if err != nil {
		t.Fatal(err)
	}
	one1, _, _ := g.CreateConsumer(h, []byte("one"), 1, 2)
	two, _, _ := g.CreateConsumer(h, []byte("two"), 3, -1)
	for i := range uint64(3) {
		if err := g.AddPending(h, ID{i + 1, 0}, 100, math.MaxUint64); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		err, want error
	}{
		{g.AddPending(h, ID{1, 0}, 0, 0), errTwice},
		{g.Complete(), errNoOwner},
		{g.Assign(h, ID{1, 0}, one1.Number), nil},
		{g.Assign(h, ID{1, 0}, two.Number), errTwoOwners},
		{g.Assign(h, ID{1, 0}, one1.Number), errTwoOwners},
		{g.Assign(h, ID{9, 0}, one1.Number), errNotPending},
		{g.Assign(h, ID{2, 0}, two.Number), nil},
		{g.Complete(), errNoOwner},
		{g.Assign(h, ID{3, 0}, Nobody), nil},
		{g.Assign(h, ID{3, 0}, Nobody), errTwoOwners},
		{g.Complete(), nil},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%v, want %v", tt.err, tt.want)
		}
	}
	if got, _ := g.Find(h.Arena, ID{1, 0}); got.Deliveries != math.MaxUint64 || got.Consumer != one1.Number {
		t.Error(got)
	}
	mustCheck(t, h, &s)
	mustFree(t, h, &s)
}

// elements makes a listpack of bytes: most are an integer each, others begin a longer
// one or a text. So a fuzzer need not find out about lengths and backlens.
func elements(program []byte) []byte {
	b := listpack.AppendHeader(nil)
	n := 0
	for ; len(program) > 0; n++ {
		c := program[0]
		program = program[1:]
		switch k := min(int(c&7), len(program)); {
		case c < 0xe0:
			b = listpack.AppendElem(b, listpack.Int(int64(int8(c+0x20))-0x20))
		case c < 0xf0:
			b = listpack.AppendElem(b, listpack.Text(program[:k]))
			program = program[k:]
		default:
			v := int64(0)
			for _, d := range program[:k] {
				v = v<<8 | int64(d)
			}
			b = listpack.AppendElem(b, listpack.Int(v<<(c&8*2)))
			program = program[k:]
		}
	}
	return listpack.Finish(b, 0, n)
}

// FuzzValidateNode shows that what passes can be read, changed and freed. What it is
// given is the bytes of a listpack or a program for elements.
func FuzzValidateNode(f *testing.F) {
	f.Add(uint64(5), uint64(0), list("1 1 1 f 0 3 0 0 v 4 2 0 1 v 4"), false)
	f.Add(uint64(math.MaxUint64), uint64(7), list("2 0 1 f 0 2 0 0 v 4 0 0 7 2 a b c d 8"), false)
	f.Add(uint64(5), uint64(0), []byte("\x01\x01\x01\xe1f\x00\x03\x00\x00\xe1v\x04\x02\x00\x01\xe1v\x04"), true)
	f.Add(uint64(0), uint64(1), []byte("\x01\x00\x00\x00\x00\x03\x04\x01\xe1a\xe1b\x06"), true)
	h := newHeap(f, 1<<24)
	f.Fuzz(func(t *testing.T, ms, seq uint64, b []byte, program bool) {
		if program {
			b = elements(b)
		}
		fuzzNode(t, h, ID{ms, seq}, b)
	})
}

func fuzzNode(t *testing.T, h leaf.Heap, master ID, b []byte) {
	info, err := ValidateNode(master, b)
	s := New()
	if addErr := s.AddNode(h, master, b); err != nil && addErr == nil {
		t.Fatalf("%v, and it was added", err)
	}
	if s.Length == 0 {
		return
	}
	mustCheck(t, h, &s)
	forward := contents(h.Arena, &s, ID{}, MaxID, false)
	backward := contents(h.Arena, &s, ID{}, MaxID, true)
	if s.Length != uint64(info.Live) || len(forward) != len(backward) {
		t.Fatalf("%d entries\n%q\n%q", s.Length, forward, backward)
	}
	if next, ok := s.Last.Next(); ok {
		mustAppend(t, h, &s, Limits{}, next, "f v")
		mustCheck(t, h, &s)
	}
	if _, err := s.Trim(h, Trim{MaxLen: s.Length/2 + 1}); err != nil {
		t.Fatal(err)
	}
	mustCheck(t, h, &s)
	for n := 0; s.Length > 0 && n < 100; n++ {
		if got, err := s.Delete(h, s.LastLive(h.Arena), KeepRef); got != Deleted || err != nil {
			t.Fatal(got, err)
		}
		mustCheck(t, h, &s)
	}
	mustFree(t, h, &s)
}
