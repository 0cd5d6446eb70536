package cli

import (
	stdjson "encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/config"
)

func parse(t *testing.T, wire string) client.Reply {
	t.Helper()
	r, err := client.NewReader(strings.NewReader(wire), client.Limits{}).Read()
	if err != nil {
		t.Fatalf("%q: %v", wire, err)
	}
	return r
}

func newFormatter(m mode) *formatter { return &formatter{m, "\n", "\n"} }

// TestFormatBeyondRedisCLI shows what redis-cli 7.0 does not understand, or writes
// in a way that this program does not copy. What they share is compared with the
// original in compat_test.go.
func TestFormatBeyondRedisCLI(t *testing.T) {
	for _, tt := range []struct {
		mode mode
		wire string
		want string
	}{
		{standard, "(-12345678901234567890\r\n", "(big number) -12345678901234567890\n"},
		{csv, "(12\r\n", "12\n"},
		{json, "(12\r\n", "12\n"},
		{standard, ",nan\r\n", "(double) nan\n"},
		{standard, "!5\r\nERR x\r\n", "(error) ERR x\n"},
		{raw, "!5\r\nERR x\r\n", "ERR x\n\n"},
		{csv, "!5\r\nERR x\r\n", "ERROR,\"ERR x\"\n"},
		{json, "!5\r\nERR x\r\n", "error:\"ERR x\"\n"},
		{standard, "|1\r\n+ttl\r\n:9\r\n+OK\r\n", "OK\n"}, // attributes are left out
		{json, "*1\r\n|1\r\n+ttl\r\n:9\r\n:5\r\n", "[5]\n"},
		{standard, ">0\r\n", "(empty push)\n"},

		// Nothing that the server says reaches the terminal as a command to it.
		{standard, "+a\x1b[2J\xff\x7f\r\n", `a\x1b[2J\xff\x7f` + "\n"},
		{standard, "-ERR \x1b[1mé\r\n", `(error) ERR \x1b[1mé` + "\n"},
		{standard, "=9\r\ntxt:a\n\r\tb\r\n", "a\n" + `\r` + "\tb\n"},
		{standard, "+\xc2\x9b31m\xe2\x80\xaex\r\n", `\xc2\x9b31m\xe2\x80\xaex` + "\n"},
		{raw, "+a\x1b[2J\r\n", "a\x1b[2J\n"}, // raw is raw

		{quotedJSON, "$4\r\na\"\x00\\\r\n", `"a\\\"\\x00\\\\"` + "\n"},
		{quotedJSON, "%1\r\n*1\r\n$1\r\na\r\n:1\r\n", `{"[\"a\"]":1}` + "\n"},
	} {
		if got := string(newFormatter(tt.mode).appendReply(nil, parse(t, tt.wire), false)); got != tt.want {
			t.Errorf("mode %d, %q:\n got %q\nwant %q", tt.mode, tt.wire, got, tt.want)
		}
	}
	info := parse(t, "$13\r\n# S\r\na:\x1b[1m\r\n\r\n")
	if got := string(newFormatter(standard).appendReply(nil, info, true)); got != "# S\r\na:\\x1b[1m\r\n" {
		t.Errorf("INFO: %q", got)
	}
	invalid := parse(t, ">2\r\n$10\r\ninvalidate\r\n*2\r\n$2\r\na\x1b\r\n$1\r\nb\r\n")
	if got := string(newFormatter(standard).appendPush(nil, invalid)); got != "-> invalidate: 'a\\x1b', 'b'\n" {
		t.Errorf("invalidation: %q", got)
	}
}

// FuzzFormat holds what must be true of every reply: people never see a control
// character of the server, a quoted string reads back as what it was, and one in
// --quoted-json is JSON in ASCII.
func FuzzFormat(f *testing.F) {
	f.Add([]byte("*2\r\n$2\r\na\x1b\r\n%1\r\n+k\x9b\r\n=6\r\ntxt:\r\x00\r\n"))
	f.Add([]byte("-ERR \x1b]0;x\x07\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		limits := client.Limits{Depth: 8, TextBytes: 1 << 10, Elements: 1 << 8}
		reply, err := client.NewReader(strings.NewReader(string(wire)), limits).Read()
		if err != nil {
			return
		}
		for _, verbatim := range []bool{false, true} {
			text := string(newFormatter(standard).appendReply(nil, reply, verbatim))
			for i, c := range strings.ReplaceAll(text, "\r\n", "\n") {
				if unicode.IsControl(c) && c != '\n' && c != '\t' || c == utf8.RuneError && text[i] != 0xef {
					t.Fatalf("%q shows %q at %d", wire, text, i)
				}
			}
		}
		for m := raw; m <= quotedJSON; m++ {
			newFormatter(m).appendReply(nil, reply, false)
		}
		if reply.Kind != client.Bulk {
			return
		}
		parts, err := config.SplitArgs(appendQuoted(nil, reply.Text))
		if err != nil || len(parts) != 1 || string(parts[0]) != reply.Text {
			t.Fatalf("%q reads back as %q, %v", reply.Text, parts, err)
		}
		var text string
		err = stdjson.Unmarshal(newFormatter(quotedJSON).appendReply(nil, reply, false), &text)
		parts, err2 := config.SplitArgs([]byte(`"` + text + `"`))
		if err != nil || err2 != nil || string(parts[0]) != reply.Text {
			t.Fatalf("%q as JSON is %q, %v, %v", reply.Text, text, err, err2)
		}
	})
}
