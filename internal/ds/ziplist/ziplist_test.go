package ziplist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A writer makes ziplists as old servers did. Nothing but tests needs one.
type writer struct {
	b      []byte
	n      int
	before int
	tail   int
	long   bool // write every prevlen in five bytes
}

func newWriter() *writer { return &writer{b: make([]byte, headerSize), tail: headerSize} }

func (w *writer) entry(encoded []byte) {
	w.tail = len(w.b)
	if w.before < bigLen && !w.long {
		w.b = append(w.b, byte(w.before))
	} else {
		w.b = binary.LittleEndian.AppendUint32(append(w.b, bigLen), uint32(w.before))
	}
	w.b = append(w.b, encoded...)
	w.before = len(w.b) - w.tail
	w.n++
}

func (w *writer) text(s string) {
	switch n := len(s); {
	case n < 1<<6:
		w.entry(append([]byte{byte(n)}, s...))
	case n < 1<<14:
		w.entry(append([]byte{0x40 | byte(n>>8), byte(n)}, s...))
	default:
		w.entry(append(binary.BigEndian.AppendUint32([]byte{0x80}, uint32(n)), s...))
	}
}

func (w *writer) int(v int64) {
	b := binary.LittleEndian.AppendUint64(nil, uint64(v))
	switch {
	case v >= 0 && v <= 12:
		w.entry([]byte{smallestTag + byte(v)})
	case v == int64(int8(v)):
		w.entry(append([]byte{int8Tag}, b[:1]...))
	case v == int64(int16(v)):
		w.entry(append([]byte{int16Tag}, b[:2]...))
	case v >= -1<<23 && v < 1<<23:
		w.entry(append([]byte{int24Tag}, b[:3]...))
	case v == int64(int32(v)):
		w.entry(append([]byte{int32Tag}, b[:4]...))
	default:
		w.entry(append([]byte{int64Tag}, b...))
	}
}

func (w *writer) finish() []byte {
	b := append(slices.Clone(w.b), end)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	binary.LittleEndian.PutUint32(b[4:], uint32(w.tail))
	binary.LittleEndian.PutUint16(b[8:], uint16(min(w.n, countUnknown)))
	return b
}

func (e Elem) String() string {
	if e.IsInt {
		return "int " + strconv.FormatInt(e.Int, 10)
	}
	return "text " + string(e.Bytes)
}

// read is the elements of a list, once by Validate and once by Read.
func read(t *testing.T, b []byte) []string {
	t.Helper()
	var by, walked []string
	if err := Validate(b, func(e Elem) error { by = append(by, e.String()); return nil }); err != nil {
		t.Fatal(err)
	}
	l := List(b)
	for at := l.First(); at != 0; {
		var e Elem
		e, at = l.Read(at)
		walked = append(walked, e.String())
	}
	if !slices.Equal(by, walked) || l.Len() != len(by) {
		t.Fatalf("%q, then %q, %d", by, walked, l.Len())
	}
	return by
}

func TestRead(t *testing.T) {
	// The examples of the package comment and of Redis's own page on the format.
	twoFive := []byte{0x0f, 0, 0, 0, 0x0c, 0, 0, 0, 2, 0, 0, 0xf3, 2, 0xf6, end}
	if got := fmt.Sprint(read(t, twoFive)); got != "[int 2 int 5]" {
		t.Errorf("%s", got)
	}
	hello := append([]byte{0x1c, 0, 0, 0, 0x0e, 0, 0, 0, 3, 0, 0, 0xf3, 2, 0xf6, 2, 11}, "Hello World\xff"...)
	if got := fmt.Sprint(read(t, hello)); got != "[int 2 int 5 text Hello World]" {
		t.Errorf("%s", got)
	}
	if got := read(t, newWriter().finish()); len(got) != 0 {
		t.Errorf("empty: %q", got)
	}
}

// TestEncodings reads every encoding at its edges, each after entries of several sizes.
func TestEncodings(t *testing.T) {
	for _, long := range []bool{false, true} {
		w, want := newWriter(), []string(nil)
		w.long = long
		for _, v := range []int64{
			0, 1, 12, 13, -1, 127, 128, -128, -129, 32767, 32768, -32768, -32769, 1<<23 - 1, 1 << 23, -1 << 23,
			-1<<23 - 1, 1<<31 - 1, 1 << 31, -1 << 31, -1<<31 - 1, math.MaxInt64, math.MinInt64,
		} {
			w.int(v)
			want = append(want, "int "+strconv.FormatInt(v, 10))
		}
		for _, n := range []int{0, 1, 63, 64, 250, 251, 252, 253, 254, 16383, 16384, 70000} {
			s := strings.Repeat("x", n)
			w.text(s)
			want = append(want, "text "+s)
		}
		b := w.finish()
		if got := read(t, b); !slices.Equal(got, want) {
			t.Errorf("%.900q", got)
		}
		binary.LittleEndian.PutUint16(b[8:], countUnknown)
		if got := read(t, b); !slices.Equal(got, want) {
			t.Errorf("without a count: %.900q", got)
		}
	}
}

func TestValidate(t *testing.T) {
	list := func(tail, count byte, raw string) string {
		return string([]byte{byte(len(raw) + 11), 0, 0, 0, tail, 0, 0, 0, count, 0}) + raw + "\xff"
	}
	for _, tt := range []struct{ name, bytes, want string }{
		{"nothing", "", "fewer"},
		{"short", "\x0a\x00\x00\x00\x0a\x00\x00\x00\x00\x00", "fewer"},
		{"total", "\x0c\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xff", "12 bytes of 11"},
		{"end", "\x0b\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xfe", "the end is"},
		{"tail", list(9, 0, ""), "at byte 10, not 9"},
		{"tail of two", list(10, 2, "\x00\xf3\x02\xf6"), "at byte 12, not 10"},
		{"count", list(10, 2, "\x00\xf3"), "counts 2 entries of 1"},
		{"early end", list(10, 1, "\xff\xf3"), "damaged"},
		{"prevlen of the first", list(10, 1, "\x01\xf3"), "has 0 bytes, not 1"},
		{"prevlen", list(12, 2, "\x00\xf3\x03\xf6"), "has 2 bytes, not 3"},
		{"prevlen alone", list(10, 1, "\x00"), "damaged"},
		{"long prevlen cut", list(10, 1, "\xfe\x00\x00\x00"), "damaged"},
		{"long prevlen alone", list(10, 1, "\xfe\x00\x00\x00\x00"), "damaged"},
		{"encoding", list(10, 1, "\x00\xc1"), "damaged"},
		{"encoding ff", list(10, 1, "\x00\xff"), "damaged"},
		{"text", list(10, 1, "\x00\x03ab"), "more than follow"},
		{"length cut", list(10, 1, "\x00\x40"), "damaged"},
		{"long length cut", list(10, 1, "\x00\x80\x00\x00\x00"), "damaged"},
		{"long length huge", list(10, 1, "\x00\x80\xff\xff\xff\xffabc"), "4294967295 bytes"},
		{"integer cut", list(10, 1, "\x00\xe0\x00\x00"), "more than follow"},
	} {
		err := Validate([]byte(tt.bytes), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	stop := errors.New("stop")
	if err := Validate([]byte(list(12, 2, "\x00\xf3\x02\xf6")), func(Elem) error { return stop }); err != stop {
		t.Errorf("each: %v", err)
	}
}

// FuzzAgainstModel writes a program's elements as an old server did, and reads them.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte{0, 1, 1, 2, 2, 3, 3, 4, 10, 200, 12, 253, 14, 6})
	f.Fuzz(func(t *testing.T, p []byte) {
		w, want := newWriter(), []string(nil)
		for p = p[:min(len(p), 400)&^1]; len(p) > 0; p = p[2:] {
			w.long = p[0]&1 != 0
			if v := int64(int8(p[1])) << (p[0] >> 2); p[0]&2 != 0 {
				w.int(v)
				want = append(want, "int "+strconv.FormatInt(v, 10))
			} else {
				s := strings.Repeat(string('a'+rune(p[0]>>6)), int(p[1])<<(p[0]>>2&7))
				w.text(s)
				want = append(want, "text "+s)
			}
		}
		if got := read(t, w.finish()); !slices.Equal(got, want) {
			t.Fatalf("%.500q, not %.500q", got, want)
		}
	})
}

// exact is a copy behind which nothing can be read without a panic.
func exact(b []byte) []byte {
	c := make([]byte, len(b))
	copy(c, b)
	return c[:len(c):len(c)]
}

// FuzzValidate reads whatever passes Validate.
func FuzzValidate(f *testing.F) {
	w := newWriter()
	for _, v := range []int64{1, -70, 700, 70000, 7000000000, 1 << 30} {
		w.int(v)
		w.text(strings.Repeat("t", int(v&0x1ff)))
	}
	f.Add(w.finish())
	f.Add([]byte("\x12\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\x80\xff\xff\xff\xff\x00\xff"))
	f.Fuzz(func(t *testing.T, input []byte) {
		b := exact(input)
		if Validate(b, nil) == nil {
			read(t, b)
		}
		if len(b) > headerSize { // the same past the first hurdles
			binary.LittleEndian.PutUint32(b, uint32(len(b)))
			binary.LittleEndian.PutUint16(b[8:], countUnknown)
			b[len(b)-1] = end
			if Validate(b, nil) == nil {
				read(t, b)
			}
		}
	})
}

// bench is a list of 128 elements.
var bench = func() []byte {
	w := newWriter()
	for i := range int64(64) {
		w.int(i * 100)
		w.text("value:" + strconv.FormatInt(i, 10))
	}
	return w.finish()
}()

func TestAllocNothing(t *testing.T) {
	m := []byte("\x01\x01a\x03\x00xyz\xff")
	n := testing.AllocsPerRun(100, func() {
		l, sum := List(bench), int64(0)
		if Validate(bench, nil) != nil || ValidateMap(m, nil) != nil {
			t.Error("not valid")
		}
		for at := l.First(); at != 0; {
			var e Elem
			e, at = l.Read(at)
			sum += e.Int + int64(len(e.Bytes))
		}
		field, value, _ := Map(m).Read(1)
		if sum == 0 || len(field)+len(value) != 4 {
			t.Error("nothing was read")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkValidate(b *testing.B) {
	for b.Loop() {
		if Validate(bench, nil) != nil {
			b.Fatal("not valid")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
}

func BenchmarkRead(b *testing.B) {
	l, sum := List(bench), 0
	for b.Loop() {
		for at := l.First(); at != 0; {
			var e Elem
			e, at = l.Read(at)
			sum += len(e.Bytes)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
}
