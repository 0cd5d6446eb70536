package rdb

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// What a server logs of damage begins as Redis's line does, and ends with what we know.
func TestLogText(t *testing.T) {
	at := func(offset, redis, ours string) string {
		return "Internal error in RDB reading offset " + offset + " -> " + redis + " (" + ours
	}
	for _, tt := range []struct {
		t     Type
		value string
		want  string
	}{
		{10, "\x01x", at("1", "List ziplist integrity check failed", "ziplist: ziplist: ")},
		{14, "\x01\x01a", at("2", "Ziplist integrity check failed", "ziplist: ziplist: ")},
		{18, "\x01\x02\x01a", at("2", "Listpack integrity check failed", "node: listpack: ")},
		{18, "\x01\x01\x00", at("2", "Bad data format", "node: no element that")},
		{9, plain("\x00\xff"), at("1", "Zipmap integrity check failed", "zipmap: the value is empty)")},
		{11, plain("\x03\x00\x00\x00\x00\x00\x00\x00"), at("1", "Intset integrity check failed", "intset: ")},
		{12, zl("a"), at("1", "Zset ziplist integrity check failed", "ziplist: the number of entries is wrong)")},
		{13, zl("a"), at("1", "Hash ziplist integrity check failed", "ziplist: the number of entries is wrong)")},
		{16, lp("a", "1", "a", "2"), at("1", "Hash listpack integrity check failed",
			"listpack: listpack with dup elements: an element comes twice)")},
		{17, lp("a", "nan"), at("1", "Zset listpack integrity check failed", "listpack: not a number)")},
		{20, lp("a", "a"), at("1", "Set listpack integrity check failed", "listpack: listpack with dup")},
		{25, le64(7) + lp("f", "v", "x"), at("9", "Hash listpack integrity check failed", "listpack: no time")},
		{3, "\x01\x01a\xfd", at("4", "Zset with NAN score detected", "score: not a number)")},
		{3, "\x01\x01a\x031-5", at("4", "Bad data format", "score: not a number)")},
		{5, "\x01\x01a" + double(math.NaN()), at("4", "Zset with NAN score detected", "score: not a number)")},
		{15, streamNode + "\x01x", at("2", "Stream listpack integrity check failed", "node: listpack: ")},
		{15, streamNode + lp(), at("2", "Empty listpack inside stream", "node: the node is empty)")},
		{4, "\x04\x01a", at("1", "Bad data format", "number of elements: truncated: it says 4, and 2 bytes")},
	} {
		_, err := undump(t, 12, tt.t, tt.value)
		corrupt, ok := errors.AsType[*CorruptError](err)
		if !ok || !strings.HasPrefix(corrupt.LogText(), tt.want) {
			t.Errorf("type %d, %q: %v\nwant %s", tt.t, tt.value, err, tt.want)
			if ok {
				t.Errorf(" got %s", corrupt.LogText())
			}
		}
	}
}

// What the builder of a value refuses gets the place of the piece and, of elements that come
// twice, Redis's words.
func TestBlame(t *testing.T) {
	for _, tt := range []struct {
		t     Type
		value string
		after int // pieces
		want  string
	}{
		{2, "\x02\x01a\x01a", 2, `4 -> Duplicate set members detected (element: `},
		{4, "\x02\x01a\x01b\x01a\x01b", 2, `6 -> Duplicate hash fields detected (element: `},
		{5, "\x01\x01a" + double(1), 1, `2 -> Duplicate zset fields detected (element: `},
		{13, zl("a", "1", "a", "2"), 2, `1 -> Hash ziplist integrity check failed (element: `},
		{12, zl("a", "1", "a", "2"), 2, `1 -> Zset ziplist integrity check failed (element: `},
		{9, plain("\x02\x01f\x01\x00v\x01f\x01\x00w\xff"), 2, `1 -> Zipmap integrity check failed (element: `},
		{15, streamNode + lp("1"), 1, `2 -> Stream listpack integrity check failed (node: `},
	} {
		var v Pieces
		var p Piece
		if err := v.BeginDump(Dump{12, tt.t, []byte(tt.value)}); err != nil {
			t.Fatal(err)
		}
		for range tt.after {
			if ok, err := v.Next(&p); !ok || err != nil {
				t.Fatalf("%q: %v", tt.value, err)
			}
		}
		err := v.Blame(&p, ErrDuplicate)
		corrupt, _ := errors.AsType[*CorruptError](err)
		if !errors.Is(err, ErrDuplicate) ||
			!strings.HasPrefix(corrupt.LogText(), "Internal error in RDB reading offset "+tt.want) {
			t.Errorf("%q: %s\nwant %s", tt.value, corrupt.LogText(), tt.want)
		}
		if ok, again := v.Next(&p); ok || again != err {
			t.Errorf("%q: %v after %v", tt.value, again, err)
		}
	}
}
