package resp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/resp"
)

func split(line []byte) ([][]byte, error) {
	if bytes.Contains(line, []byte(`"`)) {
		return nil, fmt.Errorf("quotes")
	}
	return bytes.Fields(line), nil
}

var limits = resp.Limits{Bulk: 512 << 20}

// feed gives the parser input in pieces of the given size, as a connection would,
// and returns each command's words in brackets, and the error text.
func feed(input string, piece int, lim resp.Limits) string {
	p := resp.Parser{Split: split}
	var out strings.Builder
	var pending []byte
	for len(input) > 0 {
		n := min(piece, len(input))
		pending = append(pending, input[:n]...)
		input = input[n:]
		for len(pending) > 0 {
			args, used, err := p.Parse(pending, nil, &lim)
			if err != nil {
				return out.String() + err.Error()
			}
			if used == 0 {
				break
			}
			fmt.Fprintf(&out, "%q", args)
			pending = append([]byte(nil), pending[used:]...)
		}
	}
	return out.String()
}

// Whatever the size of the pieces that arrive, the commands are the same.
func TestParse(t *testing.T) {
	for _, tt := range []struct{ input, want string }{
		{"*1\r\n$4\r\nPING\r\n", `["PING"]`},
		{"*2\r\n$3\r\nGET\r\n$11\r\nhello world\r\n*1\r\n$1\r\nx\r\n", `["GET" "hello world"]["x"]`},
		{"*2\r\n$0\r\n\r\n$4\r\na\r\nb\r\n", `["" "a\r\nb"]`},
		{"*11\r\n" + strings.Repeat("$1\r\na\r\n", 11), `["a" "a" "a" "a" "a" "a" "a" "a" "a" "a" "a"]`},
		{"*0\r\n*-1\r\n*-10\r\nPING\r\n", `[][][]["PING"]`},
		{"PING\r\nset a  b\n\r\n", `["PING"]["set" "a" "b"][]`},
		{"*x\r\n", "ERR Protocol error: invalid multibulk length"},
		{"*3000000000\r\n", "ERR Protocol error: invalid multibulk length"},
		{"*+3\r\n", "ERR Protocol error: invalid multibulk length"},
		{"*03\r\n", "ERR Protocol error: invalid multibulk length"},
		{"*\r\n", "ERR Protocol error: invalid multibulk length"},
		{"*3\r\r\n", "ERR Protocol error: invalid multibulk length"},
		{"*1\r\n$-1\r\n", "ERR Protocol error: invalid bulk length"},
		{"*1\r\n$536870913\r\n", "ERR Protocol error: invalid bulk length"},
		{"*1\r\n$18446744073709551616\r\n", "ERR Protocol error: invalid bulk length"},
		{"*1\r\n$blabla\r\n", "ERR Protocol error: invalid bulk length"},
		{"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "ERR Protocol error: expected '$', got 'f'"},
		{"*1\r\n:1\r\n", "ERR Protocol error: expected '$', got ':'"},
		{"*1\r\n$4\r\nPINGxx", "ERR Protocol error: invalid CRLF in request"},
		{"set \"a\r\n", "ERR Protocol error: unbalanced quotes in request"},
		{strings.Repeat("a", 70000), "ERR Protocol error: too big inline request"},
		{"*" + strings.Repeat("1", 70000), "ERR Protocol error: too big mbulk count string"},
		{"*1\r\n$" + strings.Repeat("1", 70000), "ERR Protocol error: too big bulk count string"},
	} {
		for _, piece := range []int{1, 2, 3, 7, 1 << 20} {
			if piece < 7 && len(tt.input) > 1000 {
				continue
			}
			if got := feed(tt.input, piece, limits); got != tt.want {
				t.Errorf("%.60q in pieces of %d:\n got %.200s\nwant %s", tt.input, piece, got, tt.want)
			}
		}
	}
}

func TestAnonymousLimits(t *testing.T) {
	anon := resp.Limits{Bulk: 512 << 20, Anon: true}
	for _, tt := range []struct{ input, want string }{
		{"*1\r\n$4\r\nPING\r\n", `["PING"]`},
		{"*11\r\n", "ERR Protocol error: unauthenticated multibulk length"},
		{"*2\r\n$4\r\nAUTH\r\n$16385\r\n", "ERR Protocol error: unauthenticated bulk length"},
	} {
		if got := feed(tt.input, 1<<20, anon); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.input, got, tt.want)
		}
	}
}

func TestNoInline(t *testing.T) {
	arrays := resp.Limits{Bulk: 512 << 20, NoInline: true}
	const ping = "*1\r\n$4\r\nPING\r\n"
	for _, tt := range []struct{ input, want string }{
		{ping + "\n" + ping, `["PING"][]["PING"]`},
		{"PING\r\n", "ERR Protocol error: expected '*'"},
		{"$4\r\nPING\r\n", "ERR Protocol error: expected '*'"},
		{"\r\n", "ERR Protocol error: expected '*'"},
	} {
		for _, piece := range []int{1, 1 << 20} {
			if got := feed(tt.input, piece, arrays); got != tt.want {
				t.Errorf("%q in pieces of %d: got %s, want %s", tt.input, piece, got, tt.want)
			}
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	input := []byte("*3\r\n$3\r\nSET\r\n$4\r\nname\r\n$5\r\nvalue\r\n")
	p := resp.Parser{Split: split}
	args := make([][]byte, 0, 8)
	if n := testing.AllocsPerRun(100, func() {
		if _, used, err := p.Parse(input, args, &limits); used != len(input) || err != nil {
			t.Fatal(used, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzParse: any bytes, cut anywhere, give what the same bytes give in one piece.
func FuzzParse(f *testing.F) {
	f.Add("*1\r\n$4\r\nPING\r\nset a b\r\n*0\r\n", uint8(3))
	f.Add("*2\r\n$1\r\na\r\n$-1\r\n", uint8(1))
	f.Fuzz(func(t *testing.T, input string, piece uint8) {
		whole := feed(input, len(input)+1, limits)
		if cut := feed(input, int(piece)+1, limits); cut != whole {
			t.Fatalf("in pieces of %d:\n got %s\nwant %s", piece+1, cut, whole)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	one := []byte("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$64\r\n" + strings.Repeat("x", 64) + "\r\n")
	p := resp.Parser{Split: split}
	args := make([][]byte, 0, 8)
	b.SetBytes(int64(len(one)))
	for b.Loop() {
		p.Parse(one, args, &limits)
	}
}
