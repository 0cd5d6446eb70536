package rdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/hash"
)

// lp is a listpack as a string of a file.
func lp(elems ...string) string { return plain(rawLP(elems...)) }

func rawLP(elems ...string) string {
	b := listpack.AppendHeader(nil)
	for _, s := range elems {
		b = listpack.AppendElem(b, listpack.Text([]byte(s)))
	}
	return string(listpack.Finish(b, 0, len(elems)))
}

func plain(s string) string { return string(appendPlain(nil, s)) }

// zl is a ziplist as a string of a file. Its entries are short; integers have 8 bytes.
func zl(elems ...string) string {
	b := make([]byte, 10)
	prev, last := 0, 10
	for _, s := range elems {
		last = len(b)
		b = append(b, byte(prev))
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			b = binary.LittleEndian.AppendUint64(append(b, 0xe0), uint64(n))
		} else {
			b = append(append(b, byte(len(s))), s...)
		}
		prev = len(b) - last
	}
	b = append(b, 0xff)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	binary.LittleEndian.PutUint32(b[4:], uint32(last))
	binary.LittleEndian.PutUint16(b[8:], uint16(len(elems)))
	return plain(string(b))
}

func le64(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

func double(f float64) string { return le64(int64(math.Float64bits(f))) }

func id(ms, seq uint64) string { return string(appendID(nil, StreamID{ms, seq})) }

const (
	streamNode = "\x01\x10\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01"
	oldMeta    = "\x02\x06\x00" // length, last ID
	newMeta    = oldMeta + "\x05\x01\x05\x00\x03"
)

// streamOf is a node with the entries 5-1 and 6-0.
var streamOf = streamNode + lp("2", "0", "1", "f", "0",
	"2", "0", "0", "v", "4",
	"0", "1", "-1", "1", "g", "w", "6")

// One group with two pending entries, which two consumers own.
var (
	pendingOf = "\x02" + id(5, 1) + le64(1000) + "\x01" + id(6, 0) + le64(2000) + "\x42\x00"
	groupsOf1 = "\x01\x02g1\x06\x00" + pendingOf +
		"\x02\x05alice" + le64(3000) + "\x01" + id(6, 0) + "\x03bob" + le64(-1) + "\x01" + id(5, 1)
	groupsOf2 = "\x02\x02g1\x06\x00\x02" + pendingOf +
		"\x02\x05alice" + le64(3000) + "\x01" + id(6, 0) + "\x03bob" + le64(3001) + "\x01" + id(5, 1) +
		"\x02g2\x00\x00\x81" + "\xff\xff\xff\xff\xff\xff\xff\xff" + "\x00\x00"
	groupsOf3 = "\x01\x02g1\x06\x00\x02" + pendingOf +
		"\x02\x05alice" + le64(3000) + le64(2999) + "\x01" + id(6, 0) +
		"\x03bob" + le64(3001) + le64(-1) + "\x01" + id(5, 1)
	groupsOf5 = "\x01\x02g1\x06\x00\x02" + pendingOf +
		"\x01\x05alice" + le64(3000) + le64(2999) + "\x01" + id(6, 0) + "\x01" + id(5, 1)
	producers = "\x40\x64\x0a\x01\x01p\x01\x04iid1\x05\x01\x07\x03"
)

var streamItems = `5-1 "f"="v"|6-0 "g"="w"|`

const pendingItems = `pending {ID:{MS:5 Seq:1} DeliveredMS:1000 Deliveries:1}|` +
	`pending {ID:{MS:6 Seq:0} DeliveredMS:2000 Deliveries:512}|`

func streamText(old bool, groups int) string {
	m := StreamMeta{Length: 2, Last: StreamID{6, 0}, Groups: uint64(groups), Old: old}
	if !old {
		m.First, m.MaxDeleted, m.Added = StreamID{5, 1}, StreamID{5, 0}, 3
	}
	return streamItems + fmt.Sprintf("stream %+v|", m)
}

// goldens are small values of every type, and what they hold, by hand.
var goldens = []struct {
	t       Type
	version Version // the first that has it
	value   string
	kind    ObjectType
	want    string // items, with | behind each
}{
	{1, 1, "\x03\x01a\xc0\x05\x03foo", ObjectList, `"a"|"5"|"foo"|`},
	{2, 1, "\x02\xc1\x2c\x01\x00", ObjectSet, `"300"|""|`},
	{3, 1, "\x05\x01a\x031.5\x01b\xfe\x01c\xff\x01d\x02-2\x01e\x051e-10", ObjectZSet,
		`"a" 1.5|"b" +Inf|"c" -Inf|"d" -2|"e" 1e-10|`},
	{4, 1, "\x02\x01a\x01b\x01c\xc0\xff", ObjectHash, `"a"="b" -1|"c"="-1" -1|`},
	{5, 8, "\x02\x01a" + double(0.1) + "\x01b" + double(math.Inf(-1)), ObjectZSet, `"a" 0.1|"b" -Inf|`},
	{9, 1, plain("\x01\x01a\x03\x00xyz\xff"), ObjectHash, `"a"="xyz" -1|`},
	{10, 1, plain("\x0f\x00\x00\x00\x0c\x00\x00\x00\x02\x00\x00\xf3\x02\xf6\xff"), ObjectList, `"2"|"5"|`},
	{11, 1, plain("\x02\x00\x00\x00\x02\x00\x00\x00\xff\xff\x07\x00"), ObjectSet, `"-1"|"7"|`},
	{12, 1, zl("b", "2.5", "7", "-3", "c", "inf"), ObjectZSet, `"b" 2.5|"7" -3|"c" +Inf|`},
	{13, 1, zl("f", "1", "12345678901", "v"), ObjectHash, `"f"="1" -1|"12345678901"="v" -1|`},
	{14, 7, "\x03" + zl("a", "1") + zl() + zl("b"), ObjectList, `"a"|"1"|"b"|`},
	{15, 9, streamOf + oldMeta + groupsOf1, ObjectStream, streamText(true, 1) + `group "g1" {6 0} -1 2|` + pendingItems +
		`consumer "alice" 3000 3000 1|owned {6 0}|consumer "bob" -1 -1 1|owned {5 1}|`},
	{16, 10, lp("f", "v", "1", "2"), ObjectHash, `"f"="v" -1|"1"="2" -1|`},
	{17, 10, lp("c", "-inf", "b", "1.5", "d", "1.5", "a", "2"), ObjectZSet, `"c" -Inf|"b" 1.5|"d" 1.5|"a" 2|`},
	{18, 10, "\x03\x02" + lp("a", "1") + "\x01\x03big\x02" + lp(), ObjectList, `"a"|"1"|"big"|`},
	{19, 10, streamOf + newMeta + groupsOf2, ObjectStream, streamText(false, 2) + `group "g1" {6 0} 2 2|` + pendingItems +
		`consumer "alice" 3000 3000 1|owned {6 0}|consumer "bob" 3001 3001 1|owned {5 1}|group "g2" {0 0} -1 0|`},
	{20, 11, lp("a", "1", "b"), ObjectSet, `"a"|"1"|"b"|`},
	{21, 11, streamOf + newMeta + groupsOf3, ObjectStream, streamText(false, 1) + `group "g1" {6 0} 2 2|` + pendingItems +
		`consumer "alice" 3000 2999 1|owned {6 0}|consumer "bob" 3001 -1 1|owned {5 1}|`},
	{22, 12, "\x02\x81\x00\x00\x03\xbb\x2c\xc3\xd8\x7b\x01f\x01v\x00\x01g\x01w", ObjectHash,
		`"f"="v" 4102444800123|"g"="w" -1|`},
	{23, 12, lp("f", "v", "7", "g", "w", "0"), ObjectHash, `"f"="v" 7|"g"="w" -1|`},
	{24, 12, le64(100) + "\x03\x01\x01f\x01v\x00\x01g\x01w\x05\x01h\x01x", ObjectHash,
		`"f"="v" 100|"g"="w" -1|"h"="x" 104|`},
	{25, 12, le64(7) + lp("f", "v", "7", "h", "x", "9", "g", "w", "0"), ObjectHash, `"f"="v" 7|"h"="x" 9|"g"="w" -1|`},
	{25, 12, le64(7) + lp("g", "w", "0", "f", "v", "7"), ObjectHash, `"g"="w" -1|"f"="v" 7|`}, // not in order
	{26, 13, streamOf + newMeta + groupsOf3 + producers, ObjectStream, streamText(false, 1) + `group "g1" {6 0} 2 2|` +
		pendingItems + `consumer "alice" 3000 2999 1|owned {6 0}|consumer "bob" 3001 -1 1|owned {5 1}|` +
		`producer "p"|produced "iid1" {5 1}|`},
	{27, 14, streamOf + newMeta + groupsOf5 + producers, ObjectStream, streamText(false, 1) + `group "g1" {6 0} 2 2|` +
		pendingItems + `consumer "alice" 3000 2999 1|owned {6 0}|nack {5 1}|producer "p"|produced "iid1" {5 1}|`},
	{22, 80, "\x02\x01f\x01v" + le64(4102444800123) + "\x01g\x01w" + le64(-1), ObjectHash,
		`"f"="v" 4102444800123|"g"="w" -1|`},
}

func header(v Version) []byte {
	if v.IsValkey() {
		return fmt.Appendf(nil, "VALKEY%03d", int(v))
	}
	return fmt.Appendf(nil, "REDIS%04d", int(v))
}

// goldenFile has all values that version v has.
func goldenFile(v Version) []byte {
	b := header(v)
	for i, g := range goldens {
		if v.typeName(g.t) != "" && v.IsValkey() == g.version.IsValkey() || g.version <= 11 && v >= g.version {
			b = append(append(append(b, byte(g.t)), plain(fmt.Sprint("key", i))...), g.value...)
		}
	}
	return AppendEOF(b, hash.CRC64(0, b))
}

// Values of every type, alone and all together, as files and as payloads.
func TestGolden(t *testing.T) {
	for _, g := range goldens {
		if name := g.version.typeName(g.t); name == "" || (g.version-1).typeName(g.t) == name {
			t.Errorf("version %d isn't the first with type %d", g.version, g.t)
		}
		b := append(append(header(g.version), byte(g.t), 1, 'k'), g.value...)
		if b = append(b, opEOF); g.version >= versionChecksum {
			b = AppendEOFUnchecked(b[:len(b)-1])
		}
		got, err := readObjects(t, b, Options{})
		if err != nil || len(got) != 1 || got[0].kind != g.kind || strings.Join(got[0].items, "|")+"|" != g.want {
			t.Errorf("type %d:\n got %q %v\nwant %q", g.t, got, err, g.want)
		}
		got[0].key = ""
		if o, err := undump(t, g.version, g.t, g.value); err != nil || !sameObject(o, got[0]) {
			t.Errorf("type %d as a payload:\n got %v %v\nwant %v", g.t, o, err, got)
		}
	}
	for _, v := range []Version{9, 10, 11, 12, 16, 80, 81} {
		data := goldenFile(v)
		got, err := readObjects(t, data, Options{Size: int64(len(data))})
		if err != nil || len(got) < 12 {
			t.Errorf("version %d: %d objects, %v", v, len(got), err)
		}
		wantRewritten(t, data, got)
	}
}

// wantRewritten writes a file again in both ways, and sees that nothing is lost that our
// types can represent. got is what the file holds.
func wantRewritten(t testing.TB, data []byte, got []object) {
	t.Helper()
	for _, unpack := range []bool{false, true} {
		w := &rewriter{t: t, version: VersionFieldExpiry, unpack: unpack, e: StringEncoder{Compress: !unpack}}
		again, err := readObjects(t, w.rewrite(data), Options{})
		kept := slices.DeleteFunc(slices.Clone(got), func(o object) bool { return !isKept(o) })
		if err != nil || len(again) != len(kept) {
			t.Fatalf("%d objects, written again, are %d: %v", len(kept), len(again), err)
		}
		for i := range kept {
			if !sameElements(withoutNews(kept[i]), again[i]) {
				t.Fatalf("unpack=%v:\n got %v\nwant %v", unpack, again[i], kept[i])
			}
		}
	}
}

// withoutNews is what the types of streams that we write keep of one: the others say
// less or more.
func withoutNews(o object) object {
	if o.kind != ObjectStream {
		return o
	}
	isNew := func(s string) bool { return strings.HasPrefix(s, "produce") }
	o.items = slices.DeleteFunc(slices.Clone(o.items), isNew)
	for i, s := range o.items {
		o.items[i] = strings.Replace(s, "Old:true", "Old:false", 1)
	}
	return o
}

// undump decodes a DUMP payload's value.
func undump(t testing.TB, v Version, typ Type, value string) (o object, err error) {
	pieces := &Pieces{StringBytesMax: 1 << 14}
	o.expire = None
	if err = pieces.BeginDump(Dump{v, typ, []byte(value)}); err == nil {
		o.kind = pieces.Object.Type
		err = o.addAll(t, pieces, &Piece{})
	}
	return o, err
}

// Module values and data and functions are for who asks for them.
func TestModulesAndFunctions(t *testing.T) {
	const module = "\x81\x4d\x32\x3a\x35\xa7\x00\x00\x01"
	values := "\x01\x05\x02\x06\x031234\x0412345678\x05\x03abc\x00"
	data := []byte("REDIS0010\xf7" + module + "\x02\x02" + values + "\xf5\x06#!lua\n" +
		"\x07\x01m" + module + values + "\x00\x01k\x01v")
	data = AppendEOF(data, hash.CRC64(0, data))
	got, err := readObjects(t, data, Options{})
	if err != nil || fmt.Sprint(got) != `[0 "m" module -1 false [] [] 0 "k" string -1 false [] ["v"]]` {
		t.Errorf("%v, %v", got, err)
	}
	for _, tt := range []struct {
		accept Accept
		want   string
	}{
		{Collections | Functions, "rdb: byte 9: data of module TTI6NacAA (opcode 247) are not supported"},
		{Modules, "rdb: byte 45: functions (opcode 245) are not supported"},
		{Modules | Functions, ""},
	} {
		_, err := objectsByPiece(t, strings.NewReader(string(data)), Options{Accept: tt.accept})
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	r := NewReader(strings.NewReader(string(data)), Options{Accept: acceptAll})
	var rec Record
	var seen []string
	for r.Next(&rec) == nil {
		seen = append(seen, fmt.Sprintf("%d %s %q", rec.Kind, ModuleName(rec.Module), rec.Value))
		if rec.Kind == KindKey && rec.Type != TypeString && ModuleName(r.Object().Module) != "TTI6NacAA" {
			t.Errorf("module %x", r.Object().Module)
		}
	}
	want := `8 TTI6NacAA ""|7 AAAAAAAAA "#!lua\n"|5 AAAAAAAAA ""|5 AAAAAAAAA "v"|9 AAAAAAAAA ""`
	if got := strings.Join(seen, "|"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// Values without elements are told apart from damage, and what follows is read.
func TestEmpty(t *testing.T) {
	for _, tt := range []struct {
		t     Type
		value string
	}{
		{1, "\x00"}, {2, "\x00"}, {3, "\x00"}, {4, "\x00"}, {5, "\x00"}, {10, zl()},
		{11, plain("\x02\x00\x00\x00\x00\x00\x00\x00")}, {12, zl()}, {13, zl()}, {14, "\x01" + zl()}, {14, "\x00"},
		{16, lp()}, {17, lp()}, {18, "\x00"}, {18, "\x02\x02" + lp() + "\x02" + lp()}, {20, lp()},
		{22, "\x00"}, {23, lp()}, {24, le64(0) + "\x00"}, {25, le64(0) + lp()},
	} {
		b := append(append([]byte("REDIS0012"), byte(tt.t), 1, 'k'), tt.value...)
		got, err := readObjects(t, AppendEOFUnchecked(append(b, "\x00\x01s\x01v"...)), Options{})
		if err != nil || len(got) != 2 || !got[0].empty || got[1].key != "s" {
			t.Errorf("type %d: %v, %v", tt.t, got, err)
		}
		if _, err := undump(t, 12, tt.t, tt.value); err != ErrEmpty {
			t.Errorf("type %d as a payload: %v", tt.t, err)
		}
	}
}

// Every damaged value is refused, for the reason given and at the place where it begins.
func TestDamagedValues(t *testing.T) {
	many := "\x80\x7f\xff\xff\xff"
	for _, tt := range []struct {
		t     Type
		value string
		want  string // behind "rdb: byte "
	}{
		{1, many + "\x01a", "1: number of elements: truncated: it says 2147483647, and 2 bytes are left"},
		{4, "\x04\x01a\x01b\x01c", "1: number of elements: truncated: it says 4, and 6 bytes are left"},
		{4, "\x02\x01a\x01b\x02cd", "9: value: truncated"},
		{4, "\x01\x01a\x01b\x01c", "6: end of value: bytes after the end"},
		{3, "\x01\x01a\xfd", "4: score: not a number"},
		{3, "\x01\x01a\x03abc", "4: score: not a number"},
		{3, "\x01\x01a\x03nan", "4: score: not a number"},
		{5, "\x01\x01a" + double(math.NaN()), "4: score: not a number"},
		{9, plain("\x00\xff"), "1: zipmap: integrity check failed: the value is empty"},
		{9, plain("\x01\x01a\x03\x00xy\xff"), "1: zipmap: integrity check failed: "},
		{10, zl("a")[:8] + "x", "10: ziplist: truncated"},
		{10, "\x01x", "1: ziplist: integrity check failed: "},
		{11, plain("\x02\x00\x00\x00\x02\x00\x00\x00\x07\x00\x07\x00"), "1: intset: integrity check failed: "},
		{11, plain("\x03\x00\x00\x00\x00\x00\x00\x00"), "1: intset: integrity check failed: "},
		{12, zl("a", "1", "b"), "1: ziplist: integrity check failed: the number of entries is wrong"},
		{12, zl("a", "x"), "1: score: integrity check failed: not a number"},
		{13, zl("a"), "1: ziplist: integrity check failed: the number of entries is wrong"},
		{16, lp("a"), "1: listpack: integrity check failed: the number of entries is wrong"},
		{16, lp("a", "1", "b", "2", "a", "3"), "1: listpack: integrity check failed: listpack with dup elements: an element comes twice"},
		{16, lp("1", "1", "+1", "2", "1", "3"), "1: listpack: integrity check failed: listpack with dup elements: an element comes twice"},
		{16, plain("\x0b\x00\x00\x00\x02\x00\x811\x02\x01\x01"), "1: listpack: integrity check failed: listpack: "},
		{17, lp("a", "nan"), "1: listpack: integrity check failed: not a number"},
		{17, lp("a", "x"), "1: listpack: integrity check failed: not a number"},
		{17, lp("a", "2", "b", "1"), "1: listpack: integrity check failed: not in order"},
		{17, lp("b", "1", "a", "1"), "1: listpack: integrity check failed: not in order"},
		{17, lp("9", "1", "10", "1"), "1: listpack: integrity check failed: not in order"}, // they are texts
		{17, lp("a", "1", "a", "1"), "1: listpack: integrity check failed: listpack with dup elements: an element comes twice"},
		{17, lp("a", "1", "b", "1", "a", "2"), "1: listpack: integrity check failed: listpack with dup elements: an element comes twice"},
		{20, lp("a", "b", "a"), "1: listpack: integrity check failed: listpack with dup elements: an element comes twice"},
		{18, "\x01\x03\x01a", "2: container of node: neither an element nor a listpack: 3"},
		{18, "\x01\x01\x00", "2: node: no element that is a node by itself is empty"},
		{18, "\x01\x02\x01a", "2: node: integrity check failed: listpack: "},
		{14, "\x01\x01a", "2: ziplist: integrity check failed: "},
		{24, le64(-1) + "\x01\x01\x01f\x01v", "10: expiry of field: no time is that"},
		{24, le64(math.MaxInt64) + "\x01\x02\x01f\x01v", "10: expiry of field: no time is that"},
		{22, "\x01\x81\x80\x00\x00\x00\x00\x00\x00\x00\x01f\x01v", "2: expiry of field: no time is that"},
		{25, le64(7) + lp("f", "v", "-7"), "9: listpack: integrity check failed: no time is that"},
		{25, le64(7) + lp("f", "v", "x"), "9: listpack: integrity check failed: no time is that"},
		{25, le64(7) + lp("f", "v"), "9: listpack: integrity check failed: the number of entries is wrong"},
		{25, le64(7) + lp("f", "v", "0", "f", "w", "0"), "9: listpack: integrity check failed: listpack with dup elements: an element comes twice"},
		{25, le64(7) + lp("f", "v", "0", "f", "w", "7"), "9: listpack: integrity check failed: listpack with dup elements: an element comes twice"},
		{7, "\x01\x00", "0: values of type module-value (7) are not supported by this version"},
	} {
		_, err := undump(t, 12, tt.t, tt.value)
		if err == nil || !strings.HasPrefix(err.Error(), "rdb: byte "+tt.want) {
			t.Errorf("type %d, %q:\n got %v\nwant %s", tt.t, tt.value, err, tt.want)
		}
		if strings.HasSuffix(tt.want, "twice") != errors.Is(err, ErrDuplicate) {
			t.Errorf("type %d, %q: %v wraps the wrong error", tt.t, tt.value, err)
		}
		b := append(append([]byte("REDIS0012"), byte(tt.t), 1, 'k'), tt.value...)
		if _, err := readObjects(t, AppendEOFUnchecked(b), Options{}); err == nil && tt.t != typeModule2 {
			t.Errorf("type %d, %q: a file of it is fine", tt.t, tt.value)
		}
	}
	if _, err := undump(t, 80, 22, "\x01\x01f\x01v"+le64(-2)); err == nil {
		t.Error("a negative time is fine")
	}
}

// What a stream's groups refer to must be there.
func TestDamagedStreams(t *testing.T) {
	head := streamOf + newMeta
	group := func(pending, consumers string) string {
		return head + "\x01\x01g\x06\x00\x02" + pending + consumers
	}
	entry := func(ms uint64) string { return id(ms, 0) + le64(1) + "\x01" }
	consumer := func(name string, owned ...uint64) string {
		s := plain(name) + le64(1) + le64(1) + string(rune(len(owned)))
		for _, ms := range owned {
			s += id(ms, 0)
		}
		return s
	}
	fine := group("\x02"+entry(5)+entry(6), "\x02"+consumer("a", 6)+consumer("b", 5))
	if _, err := undump(t, 11, 21, fine); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ value, want string }{
		{group("\x02"+entry(6)+entry(5), "\x00"), "pending entry: not in order"},
		{group("\x02"+entry(5)+entry(5), "\x00"), "pending entry: not in order"},
		{group("\x01"+entry(5), "\x01"+consumer("a", 6)), "owned entry: the group has no such pending entry"},
		{group("\x01"+entry(5), "\x02"+consumer("a", 5)+consumer("b", 5)), "owned entry: the pending entry has an owner already"},
		{group("\x01"+entry(5), "\x01"+consumer("a", 5, 5)), "owned entry: the pending entry has an owner already"},
		{group("\x01"+entry(5), "\x01"+consumer("a")), "end of group: a pending entry has no owner: 1 of 1"},
		{group("\x01"+entry(5), "\x00"), "end of group: a pending entry has no owner: 1 of 1"},
		{group("\x00", "\x01"+consumer("a", 5)), "owned entry: the group has no such pending entry"},
		{head + "\x02" + fine[len(head)+1:] + "\x01h\x06\x00\x02\x00\x01" + consumer("a", 5), "owned entry: the group has no such"},
		{"\x02" + streamOf[1:] + streamOf[1:] + newMeta + "\x00", "node ID: not in order"},
		{"\x01\x01x" + lp("1") + newMeta + "\x00", "node ID: an ID has 16 bytes, not 1"},
		{streamNode + lp() + newMeta + "\x00", "node: the node is empty"},
		{streamNode + "\x01x" + newMeta + "\x00", "node: integrity check failed: listpack: "},
		{head + "\x80\x7f\xff\xff\xff", "number of groups: truncated: it says 2147483647, and 0 bytes are left"},
		{head + "\x01\x01g\x06\x00\x02\x81\xff\xff\xff\xff\xff\xff\xff\xff", "number of pending entries: truncated"},
		{head + "\x00x", "end of value: bytes after the end"},
	} {
		_, err := undump(t, 11, 21, tt.value)
		if err == nil || !strings.Contains(err.Error(), ": "+tt.want) {
			t.Errorf("%q:\n got %v\nwant %s", tt.value, err, tt.want)
		}
	}
}

// A file of all types cut at any byte is truncated, at a place in it.
func TestTruncatedCollections(t *testing.T) {
	for _, v := range []Version{14, 80} {
		data := goldenFile(v)
		for n := range data {
			for _, size := range []int64{0, int64(n)} {
				opts := Options{Size: size, BufferBytes: 512, Accept: acceptAll}
				_, err := objectsByPiece(t, strings.NewReader(string(data[:n])), opts)
				corrupt, ok := errors.AsType[*CorruptError](err)
				if !ok || !errors.Is(err, ErrTruncated) || corrupt.Offset > int64(n) {
					t.Fatalf("version %d, %d of %d bytes: %v", v, n, len(data), err)
				}
			}
			opts := Options{BufferBytes: 512, PartBytes: 1, Accept: acceptAll}
			if _, err := objectsByPart(t, strings.NewReader(string(data[:n])), opts); err == nil {
				t.Fatalf("version %d, %d of %d bytes in parts: no error", v, n, len(data))
			}
		}
	}
}

// With a checksum every flipped bit is noticed; without it none makes us panic, and what
// is read then has the structure that it promises.
func TestFlippedCollections(t *testing.T) {
	data := goldenFile(14)
	opts := Options{StringBytesMax: 1 << 20, Accept: acceptAll, BufferBytes: 512}
	for bit := range len(data) * 8 {
		data[bit/8] ^= 1 << (bit % 8)
		if _, err := objectsByPiece(t, strings.NewReader(string(data)), opts); err == nil {
			t.Errorf("bit %d of byte %d flipped: no error", bit%8, bit/8)
		}
		unchecked := opts
		unchecked.SkipChecksum, unchecked.PartBytes = true, 100
		_, err := objectsByPart(t, strings.NewReader(string(data)), unchecked)
		_, isCorrupt := errors.AsType[*CorruptError](err)
		_, isUnsupported := errors.AsType[*UnsupportedTypeError](err)
		if err != nil && !isCorrupt && !isUnsupported {
			t.Errorf("bit %d of byte %d: %v", bit%8, bit/8, err)
		}
		data[bit/8] ^= 1 << (bit % 8)
	}
}

// A large value comes in parts of the size that was asked for, and memory doesn't grow
// with it, nor with what it announces.
func TestParts(t *testing.T) {
	const n = 150_000
	e := &StringEncoder{}
	data := AppendLen(AppendKey(AppendHeader(nil, VersionLowest), TypeSet, []byte("key"), e), n)
	for i := range n {
		data = AppendString(data, fmt.Appendf(nil, "member-%012d", i), e)
	}
	data = AppendEOFUnchecked(data)
	r := NewReader(strings.NewReader(string(data)), Options{Accept: Collections})
	var raw Raw
	var v Pieces
	var p Piece
	var b []byte
	count, parts := 0, 0
	for {
		var err error
		if b, err = r.NextRaw(b[:0], &raw); err != nil {
			t.Fatal(err)
		}
		if raw.Kind == KindEOF {
			break
		}
		if parts++; len(b) > partBytes+100 || raw.More && len(b) < partBytes {
			t.Errorf("part %d has %d bytes", parts, len(b))
		}
		if raw.Kind == KindKey {
			err = v.Begin(&raw, b)
		} else {
			err = v.Continue(&raw, b)
		}
		for ok := err == nil; ok; {
			if ok, err = v.Next(&p); ok {
				if string(p.Field) != fmt.Sprintf("member-%012d", count) {
					t.Fatalf("element %d is %q", count, p.Field)
				}
				count++
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if count != n || parts != 3 || cap(b) > 3*partBytes {
		t.Errorf("%d elements in %d parts, in %d bytes", count, parts, cap(b))
	}

	lie := AppendKey(AppendHeader(nil, VersionLowest), TypeSet, []byte("key"), e)
	lie = append(AppendLen(lie, 1<<40), "\x01a"...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	opts := Options{Accept: Collections, BufferBytes: 4096}
	if _, err := objectsByPiece(t, strings.NewReader(string(lie)), opts); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
		t.Errorf("a number of elements made us allocate %d bytes", grown)
	}
}

// Who doesn't ask for the pieces gets the next key, or hears that they were damaged.
func TestPassedOver(t *testing.T) {
	for _, tt := range []struct{ last, want string }{
		{lp("b"), ""},
		{"\x01x", `rdb: byte 25: node of key "k" in database 0: integrity check failed: listpack: `},
	} {
		list := "\x12\x01k\x02\x02" + lp("a") + "\x02" + tt.last
		data := AppendEOFUnchecked([]byte("REDIS0010" + list + "\x00\x01s\x01v"))
		r := NewReader(strings.NewReader(string(data)), Options{Accept: Collections, PartBytes: 1})
		var rec Record
		if err := r.Next(&rec); err != nil || string(rec.Key) != "k" || r.Object().Count != 2 {
			t.Fatalf("%q: %v, %+v", rec.Key, err, r.Object())
		}
		err := r.Next(&rec)
		if tt.want == "" && (err != nil || string(rec.Key) != "s") {
			t.Errorf("%q, %v", rec.Key, err)
		} else if tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

// Decoding pieces allocates nothing once the memory is there.
func TestPiecesAllocNothing(t *testing.T) {
	for _, g := range goldens {
		if g.t == 1 || g.t == 4 || g.t == 5 || g.t == 16 || g.t == 17 || g.t == 18 || g.t == 21 || g.t == 13 {
			b := append([]byte("\x01k"), g.value...)
			raw := &Raw{Head: Head{Kind: KindKey, Type: g.t, Version: g.version}}
			var v Pieces
			var p Piece
			n := testing.AllocsPerRun(100, func() {
				err := v.Begin(raw, b)
				for ok := err == nil; ok; {
					ok, err = v.Next(&p)
				}
				if err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("type %d: %v allocations", g.t, n)
			}
		}
	}
}
