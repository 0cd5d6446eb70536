package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/cmdline"
)

// wire writes nested lists of strings in the protocol.
func wire(v any) string {
	list, isList := v.([]any)
	if !isList {
		text := fmt.Sprint(v)
		return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
	}
	b := fmt.Sprintf("*%d\r\n", len(list))
	for _, e := range list {
		b += wire(e)
	}
	return b
}

type list = []any

// someDocs is a COMMAND DOCS reply in RESP2 with one of each notation.
var someDocs = wire(list{
	"get", list{"summary", "Reads.", "since", "1.0.0", "group", "string",
		"arguments", list{list{"name", "key", "type", "key"}}},
	"set", list{"summary", "Writes \x1b[2J.", "since", "1.0.0", "group", "string", "arguments", list{
		list{"name", "key", "type", "key"},
		list{"name", "value", "type", "string"},
		list{"name", "condition", "type", "oneof", "flags", list{"optional"}, "arguments", list{
			list{"name", "nx", "type", "pure-token", "token", "NX"},
			list{"name", "xx", "type", "pure-token", "token", "XX"}}},
		list{"name", "seconds", "type", "integer", "token", "EX", "flags", list{"optional"}}}},
	"del", list{"summary", "Deletes.", "group", "generic", "arguments", list{
		list{"name", "key", "type", "key", "flags", list{"multiple"}}}},
	"sort", list{"group", "generic", "arguments", list{
		list{"name", "key", "type", "key"},
		list{"name", "limit", "type", "block", "token", "LIMIT", "flags", list{"optional"}, "arguments", list{
			list{"name", "offset", "type", "integer"}, list{"name", "count", "type", "integer"}}},
		list{"name", "pattern", "type", "pattern", "token", "GET",
			"flags", list{"optional", "multiple", "multiple_token"}}}},
	"mset", list{"group", "string", "arguments", list{
		list{"name", "data", "type", "block", "flags", list{"multiple"}, "arguments", list{
			list{"name", "key", "type", "key"}, list{"name", "value", "type", "string"}}}}},
	"config", list{"summary", "A container.", "group", "server", "subcommands", list{
		"config|get", list{"summary", "Reads options.", "since", "2.0.0", "group", "server", "arguments", list{
			list{"name", "parameter", "type", "string", "flags", list{"multiple"}}}},
		"config|set", list{"summary", "Writes options.", "group", "server"}}},
})

func loadDocs(t *testing.T) *docs {
	t.Helper()
	port := answerWith(t, someDocs, false)
	s := &session{opts: options{Server: cmdline.Server{Host: "127.0.0.1"}}}
	if err := s.opts.SetPort(port); err != nil {
		t.Fatal(err)
	}
	if err := s.connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.disconnect)
	d := &docs{}
	d.load(s)
	return d
}

func TestSyntax(t *testing.T) {
	d := loadDocs(t)
	for _, tt := range []struct{ name, want string }{
		{"GET", "key"},
		{"SET", "key value [NX|XX] [EX seconds]"},
		{"DEL", "key [key ...]"},
		{"SORT", "key [LIMIT offset count] [GET pattern [GET pattern ...]]"},
		{"MSET", "key value [key value ...]"},
		{"CONFIG GET", "parameter [parameter ...]"},
	} {
		if got := strings.Join(d.find(strings.Fields(tt.name)).syntax, " "); got != tt.want {
			t.Errorf("%s %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestHint shows what stands below the line that is being typed.
func TestHint(t *testing.T) {
	d := loadDocs(t)
	for _, tt := range []struct{ line, want string }{
		{"", ""},
		{"ge", ""},
		{"get", "key"},
		{"GET ", "key"},
		{"get k", ""},
		{"set k ", "value [NX|XX] [EX seconds]"},
		{"set k v", "[NX|XX] [EX seconds]"},
		{"set k v nx", "[NX|XX] [EX seconds]"}, // options are not told apart
		{"del a b", "key [key ...]"},
		{"config get ", "parameter [parameter ...]"},
		{"nosuch a", ""},
	} {
		if got := d.hint(tt.line); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestComplete(t *testing.T) {
	d := loadDocs(t)
	for _, tt := range []struct{ line, want string }{
		{"s", "set sort"},
		{"S", "SET SORT"},
		{"con", "config"},
		{"config ", "get set"},
		{"CONFIG G", "GET"},
		{"help  con", "config"},
		{"help config g", "get"},
		{"get ", ""},
		{"set k", ""},
		{"x", ""},
	} {
		var words []string
		for _, c := range d.complete(tt.line) {
			words = append(words, c.word)
		}
		if got := strings.Join(words, " "); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

// TestExplain shows the help of a command, and that what the server says in it
// cannot touch the terminal.
func TestExplain(t *testing.T) {
	d := loadDocs(t)
	want := "\r\n  \x1b[1mSET\x1b[0m \x1b[90mkey value [NX|XX] [EX seconds]\x1b[0m\r\n" +
		"  \x1b[33msummary:\x1b[0m Writes \\x1b[2J.\r\n" +
		"  \x1b[33msince:\x1b[0m 1.0.0\r\n" +
		"  \x1b[33mgroup:\x1b[0m string\r\n\r\n"
	if got := string(d.explain([]string{"set"})); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := string(d.explain([]string{"@server"})); strings.Count(got, "since:") != 3 {
		t.Errorf("the group has %q", got)
	}
	if got := string(d.explain([]string{"config"})); strings.Count(got, "group:") != 3 {
		t.Errorf("the container has %q", got)
	}
}

// TestDocsOfOldServers shows that without COMMAND DOCS there are still the names.
func TestDocsOfOldServers(t *testing.T) {
	s := &session{opts: options{Server: cmdline.Server{Host: "127.0.0.1"}}}
	port := serve(t, func(args []string) (string, bool) {
		if len(args) > 1 {
			return "-ERR unknown subcommand\r\n", false
		}
		return wire(list{list{"get", "2"}, list{"auth", "-2"}}), false
	})
	if err := s.opts.SetPort(port); err != nil {
		t.Fatal(err)
	}
	if err := s.connect(); err != nil {
		t.Fatal(err)
	}
	defer s.disconnect()
	d := &docs{}
	if d.load(s); len(d.commands) != 2 || d.find([]string{"Auth", "x"}) == nil {
		t.Errorf("knows %+v", d.commands)
	}
}

// FuzzDocs shows that no answer to COMMAND DOCS makes help or hints fail.
func FuzzDocs(f *testing.F) {
	f.Add([]byte(someDocs), "config get x")
	f.Fuzz(func(t *testing.T, answer []byte, line string) {
		limits := client.Limits{TextBytes: 1 << 10, Elements: 1 << 10}
		reply, err := client.NewReader(strings.NewReader(string(answer)), limits).Read()
		if err != nil {
			return
		}
		d := &docs{commands: appendDocs(nil, reply, 0)}
		d.hint(line)
		d.complete(line)
		if words := strings.Fields(line); len(words) > 0 {
			d.explain(words)
		}
	})
}
