package command_test

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

func arguments(words ...string) command.Args {
	var args command.Args
	for _, w := range words {
		args = append(args, []byte(w))
	}
	return args
}

func TestCursor(t *testing.T) {
	const bad = "ERR invalid cursor"
	for _, tt := range []struct{ in, want string }{
		{"", "0"}, {"0", "0"}, {"00", "0"}, {"+0", "0"}, {"-0", "0"}, {"+7", "7"},
		{"-1", "18446744073709551615"},
		{"9223372036854775808", "9223372036854775808"},
		{"18446744073709551615", "18446744073709551615"},
		{"18446744073709551616", bad}, {"-18446744073709551616", bad}, {"99999999999999999999999", bad},
		{"0\x00abc", "0"}, {"12\x00", "12"}, {"\x00", "0"}, {"-\x00", bad},
		{"-", bad}, {"+", bad}, {"--1", bad}, {"abc", bad}, {"0x10", bad}, {"1e3", bad}, {"1.", bad},
		{" 0", bad}, {"0 ", bad}, {"\t0", bad},
	} {
		n, err := arguments("SCAN", tt.in).Cursor(1)
		got := strconv.FormatUint(n, 10)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestScanArguments(t *testing.T) {
	const (
		syntax = "ERR syntax error"
		number = "ERR value is not an integer or out of range"
	)
	for _, tt := range []struct{ in, want string }{
		{"", "10 all"},
		{"COUNT 5", "5 all"}, {"count 5 Count 6", "6 all"}, {"COUNT 9223372036854775807", "9223372036854775807 all"},
		{"COUNT 0", syntax}, {"COUNT -1", syntax}, {"COUNT -9223372036854775808", syntax},
		{"COUNT x", number}, {"COUNT 9223372036854775808", number}, {"COUNT", syntax},
		{"MATCH m*", "10 m"}, {"MATCH *", "10 all"}, {"MATCH ** COUNT 2", "2 m"}, {"MATCH m* MATCH *", "10 all"},
		{"MATCH", syntax}, {"COUNT MATCH", number}, {"MATCH COUNT", "10"},
		{"WORD", "10 all WORD"}, {"WORD PAIR 1 COUNT 3 WORD", "3 all WORD PAIR=1 WORD"},
		{"PAIR COUNT COUNT 3", "3 all PAIR=COUNT"}, {"PAIR", syntax}, {"COUNT 1 PAIR", syntax},
		{"NONE", syntax}, {"COUNT 1 NONE", syntax}, {"COUNT x NONE", number}, {"NONE COUNT x", syntax},
	} {
		seen := ""
		s, err := arguments(strings.Fields("SCAN 0 "+tt.in)...).Scan(2, func(rest command.Args) int {
			switch {
			case rest.Is(0, "WORD"):
				seen += " WORD"
				return 1
			case len(rest) > 1 && rest.Is(0, "PAIR"):
				seen += " PAIR=" + string(rest[1])
				return 2
			}
			return 0
		})
		got := strconv.FormatInt(s.Count, 10)
		if s.Match.Matches([]byte("m")) {
			got += " m"
		}
		if s.Match.Matches(nil) {
			got = got[:len(got)-1] + "all"
		}
		if got += seen; err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
	if _, err := arguments("SSCAN", "k", "0", "WORD").Scan(3, nil); err != resp.ErrSyntax {
		t.Errorf("a word that nobody knows: %v", err)
	}
}

func TestPage(t *testing.T) {
	for _, tt := range []struct {
		cursor   uint64
		elements []string
		want     string
	}{
		{0, nil, "*2\r\n$1\r\n0\r\n*0\r\n"},
		{math.MaxUint64, []string{"a", ""}, "*2\r\n$20\r\n18446744073709551615\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n"},
	} {
		var out resp.Writer
		page := command.PageIn(make([]byte, 4))
		for _, e := range tt.elements {
			page = page.Add([]byte(e))
		}
		page.Reply(&out, tt.cursor)
		var got bytes.Buffer
		for _, c := range out.Take(nil) {
			got.Write(c.Bytes)
		}
		if got.String() != tt.want {
			t.Errorf("%d %q: %q", tt.cursor, tt.elements, got.String())
		}
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	args := arguments("SCAN", "123", "MATCH", "a*", "COUNT", "7", "WORD")
	var out resp.Writer
	out.SetPool(&resp.Pool{})
	out.OK() // the first buffer
	if n := testing.AllocsPerRun(100, func() {
		mark, words := out.Mark(), 0
		cursor, _ := args.Cursor(1)
		s, err := args.Scan(2, func(command.Args) int { words++; return 1 })
		var room [64]byte
		page := command.PageIn(room[:])
		if err == nil && words == 1 && s.Match.Matches(args[3]) {
			page = page.Add(args[3])
		}
		page.Reply(&out, cursor)
		out.Rewind(mark)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzCursor compares with strconv wherever the two have the same idea of a number: no
// sign, some digits, no zero byte.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "0", "-1", "+7", "18446744073709551615", "18446744073709551616", "0x1",
		"1\x002", " 1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := command.Args{b}.Cursor(0)
		if len(b) == 0 || bytes.ContainsAny(b, "+-\x00") {
			return
		}
		want, wrong := strconv.ParseUint(string(b), 10, 64)
		if (err == nil) != (wrong == nil) || err == nil && got != want {
			t.Errorf("%q: %d, %v; want %d, %v", b, got, err, want, wrong)
		}
	})
}

// FuzzScan holds what Scan reads against its contract: whatever the words are, it ends, counts
// nothing but positive numbers, and a call that it takes is taken without its last option too.
func FuzzScan(f *testing.F) {
	for _, s := range []string{"", "COUNT 5", "MATCH a* COUNT 3 WORD", "WORD COUNT", "COUNT 0", "MATCH"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := arguments(strings.Split(text, " ")...)
		ends := []int{0} // where an option may end that was taken
		word := func(rest command.Args) int {
			if rest.Is(0, "WORD") {
				ends = append(ends, len(args)-len(rest))
				return 1
			}
			return 0
		}
		s, err := args.Scan(0, word)
		if err != nil {
			return
		}
		if s.Count < 1 {
			t.Fatalf("%q: COUNT %d", text, s.Count)
		}
		for _, end := range ends {
			if _, err := args[:end].Scan(0, word); err != nil {
				t.Fatalf("%q is fine, but not its first %d words: %v", text, end, err)
			}
		}
	})
}
