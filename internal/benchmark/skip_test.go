package benchmark

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/client"
)

// whole are replies of every type, one each.
var whole = []string{
	"+OK\r\n", "+\r\n", ":12\r\n", ":-1\r\n", "$3\r\nabc\r\n", "$0\r\n\r\n", "$-1\r\n", "$4\r\n\r\n\r\n\r\n",
	"*0\r\n", "*-1\r\n", "*2\r\n:1\r\n$1\r\nx\r\n", "*2\r\n*1\r\n*0\r\n*1\r\n-ERR within\r\n",
	"*1\r\n!3\r\nERR\r\n",
	"_\r\n", "#t\r\n", ",1.5\r\n", "(123456789012345678901234567890\r\n", "=7\r\ntxt:abc\r\n",
	"%0\r\n", "%1\r\n+k\r\n:1\r\n", "%2\r\n+a\r\n*2\r\n:1\r\n:2\r\n+b\r\n%1\r\n_\r\n$-1\r\n",
	"~2\r\n:1\r\n:2\r\n", "~0\r\n",
	"|1\r\n+ttl\r\n:5\r\n+OK\r\n", "|0\r\n:1\r\n", "*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:1\r\n:2\r\n",
	"$70000\r\n" + strings.Repeat("y", 70000) + "\r\n", "+" + strings.Repeat("z", 3*lineKeptBytes) + "\r\n",
	"*300\r\n" + strings.Repeat("$3\r\nabc\r\n", 300),
}

const pushed = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n"

// TestSkipCutAnywhere shows that each type is one reply, however the bytes arrive, and
// that push messages are none.
func TestSkipCutAnywhere(t *testing.T) {
	for _, reply := range whole {
		text := []byte(pushed + reply + pushed)
		for cut := 0; cut <= len(text); cut += max(1, len(text)/500) {
			var s skipper
			before, err1 := s.skip(text[:cut])
			after, err2 := s.skip(text[cut:])
			if before+after != 1 || err1 != nil || err2 != nil || s.due != 0 || s.body != 0 {
				t.Errorf("%.40q cut at %d: %d and %d replies, %v, %v", reply, cut, before, after, err1, err2)
				break
			}
		}
	}
}

// TestSkipByteByByte shows when replies count: with their last byte.
func TestSkipByteByByte(t *testing.T) {
	var s skipper
	for _, reply := range whole {
		for i := range len(reply) {
			n, err := s.skip([]byte{reply[i]})
			if want := i == len(reply)-1; (n == 1) != want || err != nil {
				t.Fatalf("%.40q, byte %d: %d replies, %v", reply, i, n, err)
			}
		}
	}
	all := []byte(strings.Join(whole, ""))
	if n, err := s.skip(all); n != len(whole) || err != nil {
		t.Errorf("all at once: %d replies, %v; want %d", n, err, len(whole))
	}
}

// TestSkipErrors shows what ends a run, also when it comes byte by byte.
func TestSkipErrors(t *testing.T) {
	long := strings.Repeat("e", 2*lineKeptBytes)
	for _, tt := range []struct{ text, want string }{
		{"+OK\r\n-ERR no\r\n", "Error from server: ERR no"},
		{"|1\r\n+a\r\n+b\r\n-ERR no\r\n", "Error from server: ERR no"},
		{"!6\r\nERR no\r\n", "Error from server: an error of 6 bytes"},
		{"-" + long + "\r\n", "Error from server: " + long},
		{"HTTP/1.1 400 Bad Request\r\n", `Error: Protocol error, got "H" as reply type byte`},
		{"\x00\r\n", `Error: Protocol error, got "\x00" as reply type byte`},
		{"+OK\n", "Error: Protocol error, a line that is none"},
		{"\r\n", "Error: Protocol error, a line that is none"},
		{"$3\r\nabcd\r\n", "Error: Protocol error, a string does not end where its length says"},
		{"$3\r\nabc\rx", "Error: Protocol error, a string does not end where its length says"},
		{"$x\r\n", `Error: Protocol error, bad length after "$"`},
		{"$\r\n", `Error: Protocol error, bad length after "$"`},
		{"$-2\r\n", `Error: Protocol error, bad length after "$"`},
		{"%-1\r\n", `Error: Protocol error, bad length after "%"`},
		{"*?\r\n", `Error: Protocol error, bad length after "*"`},
		{"*9999999999999999999999999\r\n", `Error: Protocol error, bad length after "*"`},
		{strings.Repeat("%1000000000000\r\n", 600), "Error: Protocol error, too many elements in one reply"},
	} {
		var s skipper
		if _, err := s.skip([]byte(tt.text)); err == nil || err.Error() != tt.want {
			t.Errorf("%.40q: %v, want %s", tt.text, err, tt.want)
		}
		s = skipper{}
		var err error
		for i := 0; i < len(tt.text) && err == nil; i++ {
			_, err = s.skip([]byte{tt.text[i]})
		}
		if err == nil || !strings.HasPrefix(tt.want, err.Error()[:min(len(err.Error()), lineKeptBytes-2)]) {
			t.Errorf("%.40q, byte by byte: %v, want %s", tt.text, err, tt.want)
		}
	}
}

// FuzzSkip holds that the cut does not matter, and that what the real parser accepts is
// counted as it counts.
func FuzzSkip(f *testing.F) {
	for _, reply := range whole {
		if len(reply) < 1000 {
			f.Add([]byte(reply+pushed+reply), uint16(len(reply)/2))
		}
	}
	f.Add([]byte("+OK\r\n-ERR no\r\n"), uint16(7))
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		var once, twice skipper
		n, err := once.skip(text)
		cut := min(int(at), len(text))
		n1, err1 := twice.skip(text[:cut])
		n2, err2 := 0, error(nil)
		if err1 == nil {
			n2, err2 = twice.skip(text[cut:])
		}
		if same := errors.Join(err1, err2); n1+n2 != n || (same == nil) != (err == nil) {
			t.Fatalf("%q: %d replies, %v; cut at %d: %d and %d, %v", text, n, err, cut, n1, n2, same)
		}
		if want, ok := parsed(text); ok && (n != want || err != nil) {
			t.Fatalf("%q: %d replies, %v; the parser finds %d", text, n, err, want)
		}
	})
}

// parsed is how many replies the client's parser finds, if they are all whole and in the
// form in which servers write them: no line feed of its own in a line, no -0.
func parsed(text []byte) (replies int, ok bool) {
	lines, ends := bytes.Count(text, []byte("\n")), bytes.Count(text, []byte("\r\n"))
	if lines != ends || bytes.Contains(text, []byte("-0")) {
		return 0, false
	}
	r := client.NewReader(bytes.NewReader(text), client.Limits{})
	for {
		switch reply, err := r.Read(); {
		case errors.Is(err, io.EOF):
			return replies, true
		case err != nil || reply.IsError():
			return 0, false
		case reply.Kind != client.Push:
			replies++
		}
	}
}

func TestSkipAllocs(t *testing.T) {
	var s skipper
	text := []byte(strings.Join(whole[:24], ""))
	s.line = make([]byte, 0, lineKeptBytes)
	got := testing.AllocsPerRun(100, func() {
		for cut := 0; cut < len(text); cut += 7 {
			if _, err := s.skip(text[cut:min(cut+7, len(text))]); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkSkip(b *testing.B) {
	list := "*100\r\n" + strings.Repeat("$3\r\nabc\r\n", 100)
	for _, reply := range []string{"+OK\r\n", "$3\r\nabc\r\n", list} {
		b.Run(reply[:4], func(b *testing.B) {
			var s skipper
			text := bytes.Repeat([]byte(reply), 16)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_, _ = s.skip(text)
			}
		})
	}
}
