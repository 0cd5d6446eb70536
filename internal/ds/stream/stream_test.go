package stream

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

func newHeap(t testing.TB, reserve int64) leaf.Heap {
	t.Helper()
	return leaf.Heap{Arena: memtest.New(t, reserve)}
}

// usual are the limits that Redis has by default.
var usual = Limits{NodeBytes: 4096, NodeEntries: 100}

func pairsOf(text string) (pairs [][]byte) {
	for _, word := range strings.Fields(text) {
		if word == "''" {
			word = ""
		}
		pairs = append(pairs, []byte(word))
	}
	return pairs
}

func mustAppend(t testing.TB, h leaf.Heap, s *Stream, l Limits, id ID, pairs string) {
	t.Helper()
	if err := s.Append(h, l, id, pairsOf(pairs)); err != nil {
		t.Fatal(err)
	}
}

func mustCheck(t testing.TB, h leaf.Heap, s *Stream) {
	t.Helper()
	if err := s.Check(h.Arena); err != nil {
		t.Fatal(err)
	}
}

func mustFree(t testing.TB, h leaf.Heap, s *Stream) {
	t.Helper()
	for !s.FreeSome(h, 2) {
	}
	if h.Live() != 0 {
		t.Fatalf("%d bytes leaked", h.Live())
	}
}

// contents is a range as text: "5-1 a 1, 5-2 a hello".
func contents(a *mem.Arena, s *Stream, from, to ID, backward bool) string {
	var b []byte
	for it := s.Range(a, from, to, backward); it.Next(); {
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = it.ID().AppendTo(b)
		for f, v, ok := it.NextPair(); ok; f, v, ok = it.NextPair() {
			b = v.AppendTo(append(f.AppendTo(append(b, ' ')), ' '))
		}
	}
	return string(b)
}

// TestRedisBytes holds nodes to what DUMP of Redis 7.0.15 says after the same commands.
func TestRedisBytes(t *testing.T) {
	h := newHeap(t, 1<<24)
	s := New()
	want := func(node string) {
		t.Helper()
		mustCheck(t, h, &s)
		leaves := s.AppendLeaves(h.Arena, nil)
		n := NodeAt(h.Arena, leaves[0])
		if got := hex.EncodeToString(n.List); len(leaves) != 1 || n.Master != (ID{5, 1}) || got != node {
			t.Fatalf("%d nodes, the first\n%s, not\n%s", len(leaves), got, node)
		}
	}
	mustAppend(t, h, &s, usual, ID{5, 1}, "a 1")
	want("1c0000000a00" + "010100010101816102" + "0001" + "02010001000101010401" + "ff")

	mustAppend(t, h, &s, usual, ID{5, 2}, "a hello")
	mustAppend(t, h, &s, usual, ID{7, 0}, "b -300 c ''")
	want("410000001800" + "030100010101816102" + "0001" + "02010001000101010401" +
		"020100010101" + "8568656c6c6f06" + "0401" +
		"00010201dfff020201816202ded402816302" + "8001" + "0801" + "ff")

	if got, err := s.Delete(h, ID{5, 2}, KeepRef); got != Deleted || err != nil {
		t.Fatal(got, err)
	}
	want("410000001800" + "020101010101816102" + "0001" + "02010001000101010401" +
		"030100010101" + "8568656c6c6f06" + "0401" +
		"00010201dfff020201816202ded402816302" + "8001" + "0801" + "ff")

	mustAppend(t, h, &s, usual, ID{8, 0}, "b x c y")
	if n, err := s.Trim(h, Trim{MaxLen: 1}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	want("580000002100" + "010103010101816102" + "0001" + "03010001000101010401" +
		"030100010101" + "8568656c6c6f06" + "0401" +
		"01010201dfff020201816202ded402816302" + "8001" + "0801" +
		"00010301dfff020201816202817802816302" + "817902" + "0801" + "ff")
	if s.First != (ID{8, 0}) || s.MaxDeleted != (ID{5, 2}) || s.Length != 1 || s.Added != 4 {
		t.Fatalf("%+v", s)
	}
	mustFree(t, h, &s)
}

func TestID(t *testing.T) {
	const top = math.MaxUint64
	for _, tt := range []struct {
		id, next ID
		ok       bool
	}{
		{ID{0, 0}, ID{0, 1}, true},
		{ID{5, top}, ID{6, 0}, true},
		{ID{top, 3}, ID{top, 4}, true},
		{MaxID, ID{}, false},
	} {
		next, ok := tt.id.Next()
		if next != tt.next || ok != tt.ok {
			t.Errorf("%v.Next() = %v, %v", tt.id, next, ok)
		}
		if prev, _ := tt.next.Prev(); ok && (prev != tt.id || !tt.id.Less(next) || next.Compare(tt.id) != 1) {
			t.Errorf("%v.Prev() = %v", tt.next, prev)
		}
		if key := tt.id.Key(); IDOf(key[:]) != tt.id {
			t.Errorf("the key of %v is % x", tt.id, key)
		}
	}
	if _, ok := (ID{}).Prev(); ok {
		t.Error("0-0 has a predecessor")
	}
	text := string(MaxID.AppendTo(nil))
	if len(text) != IDTextMax || text != "18446744073709551615-18446744073709551615" {
		t.Error(text)
	}
}

func TestRange(t *testing.T) {
	h := newHeap(t, 1<<24)
	s := New()
	limits := Limits{NodeEntries: 3}
	for i := range uint64(10) {
		mustAppend(t, h, &s, limits, ID{10 + i, i % 2}, fmt.Sprintf("f %d", i))
	}
	for _, i := range []uint64{0, 4, 9} {
		if got, err := s.Delete(h, ID{10 + i, i % 2}, KeepRef); got != Deleted || err != nil {
			t.Fatal(got, err)
		}
	}
	mustCheck(t, h, &s)
	for _, tt := range []struct {
		from, to ID
		want     string
	}{
		{ID{}, MaxID, "11-1 f 1, 12-0 f 2, 13-1 f 3, 15-1 f 5, 16-0 f 6, 17-1 f 7, 18-0 f 8"},
		{ID{12, 0}, ID{13, 1}, "12-0 f 2, 13-1 f 3"},
		{ID{12, 1}, ID{13, 0}, ""},
		{ID{14, 0}, ID{14, 9}, ""}, // deleted
		{ID{18, 0}, MaxID, "18-0 f 8"},
		{ID{18, 1}, MaxID, ""},
		{ID{}, ID{11, 0}, ""},
		{ID{15, 0}, ID{12, 0}, ""},
		{ID{14, 3}, ID{16, 0}, "15-1 f 5, 16-0 f 6"},
	} {
		if got := contents(h.Arena, &s, tt.from, tt.to, false); got != tt.want {
			t.Errorf("from %v to %v: %s", tt.from, tt.to, got)
		}
		words := strings.Split(tt.want, ", ")
		for i, j := 0, len(words)-1; i < j; i, j = i+1, j-1 {
			words[i], words[j] = words[j], words[i]
		}
		if got := contents(h.Arena, &s, tt.from, tt.to, true); got != strings.Join(words, ", ") {
			t.Errorf("from %v to %v backward: %s", tt.from, tt.to, got)
		}
	}
	if got := s.LastLive(h.Arena); got != (ID{18, 0}) {
		t.Error(got)
	}
	if it, ok := s.Get(h.Arena, ID{15, 1}); !ok || it.ID() != (ID{15, 1}) || it.Pairs() != 1 {
		t.Error("no 15-1")
	}
	if s.Has(h.Arena, ID{14, 0}) || !s.Has(h.Arena, ID{13, 1}) || s.Has(h.Arena, ID{19, 1}) {
		t.Error("Has is wrong")
	}
	mustFree(t, h, &s)
}

func TestAppendRefuses(t *testing.T) {
	h := newHeap(t, 1<<24)
	s := New()
	mustAppend(t, h, &s, usual, ID{5, 5}, "a b")
	for _, id := range []ID{{5, 5}, {5, 4}, {4, 9}, {}} {
		if err := s.Append(h, usual, id, pairsOf("a b")); !errors.Is(err, ErrOrder) {
			t.Errorf("%v: %v", id, err)
		}
	}
	if s.Length != 1 {
		t.Error(s.Length)
	}
	mustFree(t, h, &s)
}

// TestTrim names what goes from 20 entries in nodes of four: 1-0 to 20-0.
func TestTrim(t *testing.T) {
	for _, tt := range []struct {
		trim          Trim
		deleted       int64
		first, second int // of what is left
		nodes         int64
	}{
		{Trim{MaxLen: 20}, 0, 1, 2, 5},
		{Trim{MaxLen: 15}, 5, 6, 7, 4},
		{Trim{MaxLen: 15, Approx: true}, 4, 5, 6, 4},
		{Trim{MaxLen: 12, Approx: true}, 8, 9, 10, 3},
		{Trim{MaxLen: 5, Approx: true, Limit: 8}, 8, 9, 10, 3},
		{Trim{MaxLen: 5, Approx: true, Limit: 7}, 4, 5, 6, 4},
		{Trim{MaxLen: 5, Approx: true, Limit: 3}, 0, 1, 2, 5},
		{Trim{MaxLen: 1}, 19, 20, 0, 1},
		{Trim{MaxLen: 0}, 20, 0, 0, 0},
		{Trim{ByID: true, MinID: ID{6, 0}}, 5, 6, 7, 4},
		{Trim{ByID: true, MinID: ID{6, 0}, Approx: true}, 4, 5, 6, 4},
		{Trim{ByID: true, MinID: ID{1, 0}}, 0, 1, 2, 5},
		{Trim{ByID: true, MinID: MaxID}, 20, 0, 0, 0},
	} {
		h := newHeap(t, 1<<24)
		s := New()
		for i := range uint64(20) {
			mustAppend(t, h, &s, Limits{NodeEntries: 4}, ID{i + 1, 0}, "a b")
		}
		n, err := s.Trim(h, tt.trim)
		it := s.Range(h.Arena, ID{}, MaxID, false)
		it.Next()
		first := it.ID()
		second := ID{}
		if it.Next() {
			second = it.ID()
		}
		if err != nil || n != tt.deleted || first.Ms != uint64(tt.first) || second.Ms != uint64(tt.second) ||
			s.Nodes() != tt.nodes || s.First != first || s.Length != 20-uint64(n) || s.Last.Ms != 20 {
			t.Errorf("%+v: %d, %v, left %v, %v in %d nodes", tt.trim, n, err, first, second, s.Nodes())
		}
		mustCheck(t, h, &s)
		mustFree(t, h, &s)
	}
}

// TestLag holds the arithmetic to what XINFO GROUPS of Redis 7.0.15 says, but for the
// trimmed stream, of which that counts what is gone.
func TestLag(t *testing.T) {
	abc := Stream{Length: 3, Added: 3, Last: ID{3, 0}, First: ID{1, 0}}
	hole := Stream{Length: 2, Added: 3, Last: ID{3, 0}, First: ID{1, 0}, MaxDeleted: ID{2, 0}}
	gone := Stream{Length: 0, Added: 3, Last: ID{3, 0}, MaxDeleted: ID{2, 0}}
	cut := Stream{Length: 2, Added: 5, Last: ID{5, 0}, First: ID{4, 0}, MaxDeleted: ID{2, 0}}
	for _, tt := range []struct {
		s     Stream
		last  ID
		reads int64
		lag   int64
		known bool
	}{
		{Stream{}, ID{}, UnknownReads, 0, true},
		{abc, ID{1, 0}, 1, 2, true},
		{abc, ID{}, UnknownReads, 3, true},
		{abc, ID{1, 0}, UnknownReads, 2, true},
		{abc, ID{2, 0}, UnknownReads, 0, false}, // between first and last: who knows
		{abc, ID{3, 0}, UnknownReads, 0, true},
		{abc, ID{9, 0}, UnknownReads, 0, false},
		{hole, ID{1, 0}, 1, 0, false},
		{hole, ID{3, 0}, 2, 1, true},
		{gone, ID{3, 0}, 2, 1, true},
		{gone, ID{1, 0}, UnknownReads, 0, true},
		{cut, ID{1, 0}, 1, 2, true},
		{cut, ID{}, UnknownReads, 2, true},
	} {
		if lag, known := tt.s.Lag(tt.last, tt.reads); known != tt.known || known && lag != tt.lag {
			t.Errorf("%+v: at %v with %d reads the lag is %d, %v", tt.s, tt.last, tt.reads, lag, known)
		}
	}
	for _, tt := range []struct {
		s     Stream
		last  ID
		reads int64
		id    ID
		want  int64
	}{
		{abc, ID{1, 0}, 1, ID{2, 0}, 2},
		{abc, ID{}, 0, ID{1, 0}, 1},
		{hole, ID{1, 0}, 1, ID{3, 0}, 3}, // the last one's is known, the counter is not good
		{hole, ID{}, UnknownReads, ID{1, 0}, UnknownReads},
		{cut, ID{1, 0}, 1, ID{4, 0}, 4},
		{cut, ID{4, 0}, 4, ID{5, 0}, 5},
	} {
		if got := tt.s.ReadsAfter(tt.last, tt.reads, tt.id); got != tt.want {
			t.Errorf("%+v: after %d up to %v and %v it is %d", tt.s, tt.reads, tt.last, tt.id, got)
		}
	}
}

// TestTrimTombstones trims a node whose last entries were deleted before: Redis would
// keep it without any live entry.
func TestTrimTombstones(t *testing.T) {
	h := newHeap(t, 1<<24)
	s := New()
	for i := range uint64(8) {
		mustAppend(t, h, &s, Limits{NodeEntries: 4}, ID{i + 1, 0}, "a b")
	}
	if got, err := s.Delete(h, ID{4, 0}, KeepRef); got != Deleted || err != nil {
		t.Fatal(got, err)
	}
	for _, tt := range []struct {
		trim    Trim
		deleted int64
		nodes   int64
	}{
		{Trim{ByID: true, MinID: ID{4, 0}, Approx: true}, 0, 2}, // 4-0 is not less
		{Trim{ByID: true, MinID: ID{4, 0}}, 3, 1},
		{Trim{ByID: true, MinID: ID{9, 0}, Approx: true, Limit: 3}, 0, 1},
		{Trim{ByID: true, MinID: ID{9, 0}, Approx: true, Limit: 4}, 4, 0},
	} {
		n, err := s.Trim(h, tt.trim)
		if n != tt.deleted || err != nil || s.Nodes() != tt.nodes {
			t.Errorf("%+v: %d, %v, left %d nodes", tt.trim, n, err, s.Nodes())
		}
		mustCheck(t, h, &s)
	}
	mustFree(t, h, &s)
}

// TestTrimRefs trims five entries of which a group has two pending and one unread.
func TestTrimRefs(t *testing.T) {
	for _, tt := range []struct {
		trim    Trim
		deleted int64
		left    string
		pending int64
	}{
		{Trim{MaxLen: 3, Refs: KeepRef}, 2, "3-0, 4-0, 5-0", 2},
		{Trim{MaxLen: 3, Refs: DelRef}, 2, "3-0, 4-0, 5-0", 1},
		{Trim{MaxLen: 3, Refs: Acked}, 2, "2-0, 4-0, 5-0", 2}, // 3-0 in the place of 2-0
		{Trim{MaxLen: 0, Refs: Acked}, 2, "2-0, 4-0, 5-0", 2},
		{Trim{MaxLen: 0, Refs: DelRef}, 5, "", 0},
		{Trim{MaxLen: 3, Refs: Acked, Approx: true}, 1, "2-0, 3-0, 4-0, 5-0", 2},
		{Trim{MaxLen: 1, Refs: Acked, Approx: true, Limit: 3}, 1, "2-0, 3-0, 4-0, 5-0", 2},
		{Trim{ByID: true, MinID: ID{5, 0}, Refs: Acked}, 2, "2-0, 4-0, 5-0", 2},
	} {
		h := newHeap(t, 1<<24)
		s := New()
		for i := range uint64(5) {
			mustAppend(t, h, &s, Limits{NodeEntries: 2}, ID{i + 1, 0}, "")
		}
		g, _, err := s.CreateGroup(h, []byte("g"), ID{4, 0}, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, ms := range []uint64{2, 4} {
			if _, err := g.Put(h, Pending{ID: ID{ms, 0}, Consumer: Nobody}); err != nil {
				t.Fatal(err)
			}
		}
		n, err := s.Trim(h, tt.trim)
		g, _ = s.Group(h.Arena, []byte("g"))
		left := contents(h.Arena, &s, ID{}, MaxID, false)
		if n != tt.deleted || err != nil || left != tt.left || g.PendingCount() != tt.pending {
			t.Errorf("%+v: %d, %v, left %s, pending %d", tt.trim, n, err, left, g.PendingCount())
		}
		mustCheck(t, h, &s)
		mustFree(t, h, &s)
	}
}

func TestStore(t *testing.T) {
	h := newHeap(t, 1<<24)
	s := New()
	for i := range uint64(300) {
		mustAppend(t, h, &s, usual, ID{i + 1, 0}, "a b")
	}
	if _, _, err := s.CreateGroup(h, []byte("g"), ID{5, 0}, 5); err != nil {
		t.Fatal(err)
	}
	var b [Size]byte
	s.Store(b[:])
	loaded := Load(b[:])
	if loaded != s {
		t.Fatalf("%+v\n%+v", loaded, s)
	}
	mustCheck(t, h, &loaded)
	mustFree(t, h, &loaded)
}

// TestNoMemory fills an arena to the last block: what fails leaves everything valid.
func TestNoMemory(t *testing.T) {
	h := newHeap(t, 1<<18)
	s := New()
	id, fails := ID{}, 0
	g, _, err := s.CreateGroup(h, []byte("g"), ID{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := g.CreateConsumer(h, []byte("c"), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for fails < 20 {
		id.Ms++
		length, pending := s.Length, g.PendingCount()
		err := s.Append(h, usual, id, pairsOf("a 0123456789"))
		if err == nil {
			_, err = g.Put(h, Pending{ID: id, Consumer: c.Number})
		} else if s.Length != length {
			t.Fatal("appended and failed")
		}
		if err != nil {
			if !errors.Is(err, mem.ErrExhausted) || g.PendingCount() != pending {
				t.Fatal(err)
			}
			fails++
			mustCheck(t, h, &s)
		}
	}
	h.Epoch = 1 // everything is frozen, and there is no room for copies
	for ms := range id.Ms {
		_, err1 := s.Delete(h, ID{ms + 1, 0}, KeepRef)
		_, err2 := g.Ack(h, ID{ms + 1, 0})
		if ms%100 == 0 {
			mustCheck(t, h, &s)
		}
		if err1 != nil && err2 != nil {
			break
		}
	}
	mustCheck(t, h, &s)
}
