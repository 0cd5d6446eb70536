package resp_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/resp"
)

// TestAppendCommand shows the form of a command.
func TestAppendCommand(t *testing.T) {
	got := string(resp.AppendCommand(nil, "SET", "k", "a\r\n"))
	if want := "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\na\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A warm buffer makes a command for nothing.
func TestAppendCommandAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf = resp.AppendCommand(buf[:0], "GET", "key") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Sizes are counted before anything is written: they must be right to the byte.
func TestCommandSize(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 99, 100, 101, 9999, 10000, 123456} {
		args := [][]byte{bytes.Repeat([]byte("a"), n)}
		for range n % 13 {
			args = append(args, []byte("x"))
		}
		if got := len(resp.AppendCommand(nil, args...)); got != resp.CommandSize(args) {
			t.Errorf("%d bytes: %d, counted %d", n, got, resp.CommandSize(args))
		}
	}
}

// Lengths have as many digits as they need.
func TestAppendBulk(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 1 << 16} {
		text := strings.Repeat("x", n)
		want := "$" + strconv.Itoa(n) + "\r\n" + text + "\r\n"
		if got := string(resp.AppendBulk([]byte("before"), text)); got != "before"+want {
			t.Errorf("%d bytes: %.40q", n, got)
		}
		var w resp.Writer
		w.Bulk([]byte(text))
		w.BulkString(text)
		var got strings.Builder
		for _, c := range w.Take(nil) {
			got.Write(c.Bytes)
		}
		if got.String() != want+want {
			t.Errorf("a Writer has %d bytes as %.40q", n, got.String())
		}
	}
}
