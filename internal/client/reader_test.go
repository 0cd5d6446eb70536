package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// TestRead shows every type of the protocol, whole and arriving byte by byte.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Reply
	}{
		{"+OK\r\n", Reply{Kind: Simple, Text: "OK"}},
		{"+\r\n", Reply{Kind: Simple}},
		{"+a\nb\r\n", Reply{Kind: Simple, Text: "a\nb"}}, // a lone LF ends nothing
		{"-ERR no\r\n", Reply{Kind: Error, Text: "ERR no"}},
		{":-12\r\n", Reply{Kind: Integer, Int: -12}},
		{":9223372036854775807\r\n", Reply{Kind: Integer, Int: 1<<63 - 1}},
		{"$3\r\na\r\n\r\n", Reply{Kind: Bulk, Text: "a\r\n"}},
		{"$0\r\n\r\n", Reply{Kind: Bulk}},
		{"$-1\r\n", Reply{Kind: Null}},
		{"*-1\r\n", Reply{Kind: Null}},
		{"_\r\n", Reply{Kind: Null}},
		{"*0\r\n", Reply{Kind: Array, Elems: []Reply{}}},
		{"*2\r\n:1\r\n*1\r\n_\r\n", Reply{Kind: Array, Elems: []Reply{
			{Kind: Integer, Int: 1}, {Kind: Array, Elems: []Reply{{Kind: Null}}}}}},
		{"%1\r\n+k\r\n:1\r\n", Reply{Kind: Map, Elems: []Reply{
			{Kind: Simple, Text: "k"}, {Kind: Integer, Int: 1}}}},
		{"~1\r\n#t\r\n", Reply{Kind: Set, Elems: []Reply{{Kind: Bool, Int: 1}}}},
		{">1\r\n+m\r\n", Reply{Kind: Push, Elems: []Reply{{Kind: Simple, Text: "m"}}}},
		{"#f\r\n", Reply{Kind: Bool}},
		{",1.50\r\n", Reply{Kind: Double, Text: "1.50"}},
		{",-inf\r\n", Reply{Kind: Double, Text: "-inf"}},
		{",nan\r\n", Reply{Kind: Double, Text: "nan"}},
		{",1e400\r\n", Reply{Kind: Double, Text: "1e400"}},
		{"(-123456789012345678901\r\n", Reply{Kind: BigNumber, Text: "-123456789012345678901"}},
		{"=7\r\nmkd:a\r\n\r\n", Reply{Kind: Verbatim, Format: [3]byte{'m', 'k', 'd'}, Text: "a\r\n"}},
		{"!5\r\nERR x\r\n", Reply{Kind: BlobError, Text: "ERR x"}},
		{"|1\r\n+k\r\n:1\r\n+v\r\n", Reply{Kind: Simple, Text: "v", Attr: &Reply{Kind: Attribute,
			Elems: []Reply{{Kind: Simple, Text: "k"}, {Kind: Integer, Int: 1}}}}},
	} {
		for name, in := range map[string]io.Reader{
			"whole":   strings.NewReader(tt.in),
			"by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
		} {
			r := NewReader(in, Limits{})
			got, err := r.Read()
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s %q = %+v, %v, want %+v", name, tt.in, got, err, tt.want)
			}
			if _, err := r.Read(); err != io.EOF {
				t.Errorf("%s %q: after it %v, want EOF", name, tt.in, err)
			}
		}
	}
}

// TestReadRefuses shows that what is no reply is an error with its reason.
func TestReadRefuses(t *testing.T) {
	limits := Limits{Depth: 3, TextBytes: 100, Elements: 10}
	for _, tt := range []struct{ in, want string }{
		{"HTTP/1.1 400\r\n", `Protocol error, got "H" as reply type byte`},
		{"\x1b[1m\r\n", `Protocol error, got "\x1b" as reply type byte`},
		{"\"\r\n", `Protocol error, got "\"" as reply type byte`},
		{"\r\n", `Protocol error, got "\r" as reply type byte`},
		{":1x\r\n", "Bad integer value"},
		{":\r\n", "Bad integer value"},
		{":+1\r\n", "Bad integer value"},
		{":9223372036854775808\r\n", "Bad integer value"},
		{",abc\r\n", "Bad double value"},
		{",0x1p4\r\n", "Bad double value"},
		{",1_0\r\n", "Bad double value"},
		{"(1a\r\n", "Bad bignum value"},
		{"(-\r\n", "Bad bignum value"},
		{"#x\r\n", "Bad bool value"},
		{"_x\r\n", "Bad nil value"},
		{"$x\r\n", "Bad bulk string length"},
		{"$-2\r\n", "Bulk string length out of range"},
		{"=-1\r\n", "Bulk string length out of range"},
		{"$101\r\n", "Bulk string length out of range"},
		{"$9223372036854775807\r\n", "Bulk string length out of range"},
		{"$1\r\nabc\r\n", "Bulk string does not end where its length says"},
		{"=2\r\nab\r\n", "Verbatim string 4 bytes of content type are missing or incorrectly encoded."},
		{"$?\r\n", "Streamed strings are not supported"},
		{"*?\r\n", "Streamed aggregates are not supported"},
		{"*x\r\n", "Bad multi-bulk length"},
		{"*-2\r\n", "Multi-bulk length out of range"},
		{"%-1\r\n", "Multi-bulk length out of range"},
		{"*11\r\n", "Multi-bulk length out of range"},
		{"%6\r\n", "Too many elements in one reply"},
		{"*2\r\n*5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n*5\r\n", "Too many elements in one reply"},
		{strings.Repeat("|0\r\n", 20), "Too many elements in one reply"},
		{strings.Repeat("*1\r\n", 4), "Replies nested too deeply"},
		{"+" + strings.Repeat("x", 200) + "\r\n", "Line too long"},
	} {
		_, err := NewReader(strings.NewReader(tt.in), limits).Read()
		var protocol *ProtocolError
		if !errors.As(err, &protocol) || protocol.What != tt.want {
			t.Errorf("%q: %v, want %q", tt.in, err, tt.want)
		}
	}
}

// TestReadLongLine shows that a line may be longer than the read buffer.
func TestReadLongLine(t *testing.T) {
	long := strings.Repeat("x\n", 3*readBufferBytes)
	got, err := NewReader(strings.NewReader("+"+long+"\r\n:1\r\n"), Limits{}).Read()
	if err != nil || got.Text != long {
		t.Errorf("%d bytes, %v, want %d", len(got.Text), err, len(long))
	}
}

// TestReadTruncated cuts a reply at every byte: it is never a reply, and only
// the cut before the first byte is a clean end.
func TestReadTruncated(t *testing.T) {
	const in = "|1\r\n+k\r\n:1\r\n*3\r\n$3\r\nabc\r\n%1\r\n,1.5\r\n=5\r\ntxt:a\r\n!3\r\nERR\r\n"
	for cut := range len(in) {
		_, err := NewReader(strings.NewReader(in[:cut]), Limits{}).Read()
		want := io.ErrUnexpectedEOF
		if cut == 0 {
			want = io.EOF
		}
		if err != want {
			t.Errorf("cut at %d: %v, want %v", cut, err, want)
		}
	}
}

// TestReadAllocatesWhatCame shows that announced sizes alone cost nothing.
func TestReadAllocatesWhatCame(t *testing.T) {
	for _, in := range []string{
		"*134217728\r\n", "%67108864\r\n", "$536870912\r\nabc",
		strings.Repeat("*1000000\r\n", 100), strings.Repeat("*1\r\n", 1_000_000),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := NewReader(strings.NewReader(in), Limits{}).Read()
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 1<<20 {
			t.Errorf("%.20q: %v after allocating %d bytes", in, err, grown)
		}
	}
}

func TestReplyAccessors(t *testing.T) {
	if f, err := (Reply{Kind: Double, Text: "-1.5"}).Float(); f != -1.5 || err != nil {
		t.Errorf("Float = %v, %v", f, err)
	}
	if _, err := (Reply{Kind: Bulk, Text: "1"}).Float(); err == nil {
		t.Error("a bulk string passed for a double")
	}
	if err := (Reply{Kind: BlobError, Text: "ERR x"}).Err(); err != ReplyError("ERR x") {
		t.Errorf("Err = %v", err)
	}
	if v, ok := (Reply{Kind: Bool, Int: 1}).Bool(); !v || !ok {
		t.Error("Bool of true is not true")
	}
	odd := Reply{Kind: Array, Elems: []Reply{{Text: "a"}, {Text: "b"}, {Text: "c"}}}
	for k, v := range odd.Pairs {
		if k.Text != "a" || v.Text != "b" {
			t.Errorf("pair %q %q", k.Text, v.Text)
		}
	}
}

// FuzzRead holds what must be true of any input: the reader returns, consumes
// something, keeps its limits, and understands what it would itself have sent.
func FuzzRead(f *testing.F) {
	f.Add([]byte("*2\r\n$1\r\na\r\n%1\r\n+k\r\n,1.5\r\n|1\r\n+a\r\n_\r\n#t\r\n"))
	f.Add([]byte("=5\r\ntxt:a\r\n!1\r\nE\r\n(12\r\n>1\r\n:1\r\n~0\r\n-ERR\r\n*-1\r\n$-1\r\n"))
	f.Add([]byte("$?\r\n;1\r\na\r\n;0\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		limits := Limits{Depth: 8, TextBytes: 1 << 10, Elements: 1 << 8}
		r := NewReader(strings.NewReader(string(in)), limits)
		for range len(in) {
			reply, err := r.Read()
			if err != nil {
				return
			}
			if n := count(reply); n > limits.Elements+1 {
				t.Fatalf("%d elements", n)
			}
			var b strings.Builder
			encode(&b, reply)
			again, err := NewReader(strings.NewReader(b.String()), Limits{}).Read()
			if err != nil || !reflect.DeepEqual(again, reply) {
				t.Fatalf("%+v\nencodes to %q, which reads as\n%+v, %v", reply, b.String(), again, err)
			}
		}
	})
}

func count(r Reply) int64 {
	n := int64(1)
	for _, e := range r.Elems {
		n += count(e)
	}
	if r.Attr != nil {
		n += count(*r.Attr) - 1
	}
	return n
}

var typeBytes = map[Kind]byte{
	Simple: '+', Error: '-', Double: ',', BigNumber: '(',
	Array: '*', Map: '%', Set: '~', Push: '>', Attribute: '|',
}

// encode writes a reply in the protocol: the reader's opposite.
func encode(b *strings.Builder, r Reply) {
	if r.Attr != nil {
		encode(b, *r.Attr)
	}
	switch r.Kind {
	case Simple, Error, Double, BigNumber:
		fmt.Fprintf(b, "%c%s\r\n", typeBytes[r.Kind], r.Text)
	case Integer:
		fmt.Fprintf(b, ":%d\r\n", r.Int)
	case Bool:
		fmt.Fprintf(b, "#%c\r\n", "ft"[r.Int])
	case Null:
		b.WriteString("_\r\n")
	case Bulk:
		fmt.Fprintf(b, "$%d\r\n%s\r\n", len(r.Text), r.Text)
	case BlobError:
		fmt.Fprintf(b, "!%d\r\n%s\r\n", len(r.Text), r.Text)
	case Verbatim:
		fmt.Fprintf(b, "=%d\r\n%s:%s\r\n", len(r.Text)+4, r.Format[:], r.Text)
	default:
		n := len(r.Elems)
		if r.Kind == Map || r.Kind == Attribute {
			n /= 2
		}
		fmt.Fprintf(b, "%c%d\r\n", typeBytes[r.Kind], n)
		for _, e := range r.Elems {
			encode(b, e)
		}
	}
}

// BenchmarkReadBulk shows the cost of the most common reply: one allocation,
// that of the string.
func BenchmarkReadBulk(b *testing.B) {
	in := strings.Repeat("$5\r\nhello\r\n", 1000)
	source := strings.NewReader(in)
	r := NewReader(source, Limits{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Read(); errors.Is(err, io.EOF) {
			source.Reset(in)
			r.in = bufio.NewReaderSize(source, readBufferBytes)
		}
	}
}
