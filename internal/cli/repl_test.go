package cli

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdline"
)

// A script is a user who types these lines, and keeps the prompts that they saw.
type script struct {
	lines   []string
	prompts []string
}

func (s *script) ReadLine(prompt string) (string, error) {
	s.prompts = append(s.prompts, prompt)
	if len(s.lines) == 0 {
		return "", io.EOF
	}
	line := s.lines[0]
	s.lines = s.lines[1:]
	return line, nil
}

// converse runs the prompt with a script and returns what was printed. prompts
// have "here" for the address of the server.
func converse(t *testing.T, user *script, args ...string) (outcome, *prompt) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	var r *prompt
	now := clock.NewManual(0)
	p := Program{Clock: now, Sleep: now.Advance}
	p.newEditor = func(made *prompt) lineEditor {
		r = made
		return user
	}
	code := p.Main(append(args, "--no-raw"), strings.NewReader(""), &stdout, &stderr, noEnv)
	for i := range user.prompts {
		user.prompts[i] = strings.ReplaceAll(user.prompts[i], "127.0.0.1:"+args[1], "here")
	}
	return outcome{stdout.String(), stderr.String(), code}, r
}

// simpleServer knows as much of the commands that the prompt follows as it must.
func simpleServer(args []string) (answer string, hangUp bool) {
	switch strings.ToLower(args[0]) {
	case "die":
		return "", true
	case "bad":
		return "-ERR bad\r\n", false
	case "exec":
		return "*-1\r\n", false
	case "monitor":
		return "+OK\r\n+1.0 \"GET\" \"k\"\r\n", false
	case "subscribe":
		return "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", false
	}
	return "+" + strings.Join(args, " ") + "\r\n", false
}

// TestPrompt shows that the prompt follows what commands do to the connection.
func TestPrompt(t *testing.T) {
	port := serve(t, simpleServer)
	for _, tt := range []struct {
		lines   string
		prompts string
	}{
		{"ping", "here> here> "},
		{"select 3|ping", "here> here[3]> here[3]> "},
		{"multi|discard", "here> here(TX)> here> "},
		{"select 2|multi|select 5|discard", "here> here[2]> here[2](TX)> here[5](TX)> here[2]> "},
		{"multi|select 5|exec", "here> here(TX)> here[5](TX)> here> "}, // it was aborted
		{"select 4|multi|reset", "here> here[4]> here[4](TX)> here> "},
		{"select 4|die|ping", "here> here[4]> not connected> here[4]> "}, // selected again
		{"connect 127.0.0.1 1|ping", "here> not connected> not connected> "},
		{"", "here> here> "},
		{"quit|ping", "here> "},
		{"EXIT|ping", "here> "},
	} {
		user := &script{lines: strings.Split(tt.lines, "|")}
		if got, _ := converse(t, user, "-p", port); got.code != 0 || strings.Join(user.prompts, "") != tt.prompts {
			t.Errorf("%s: code %d, prompts %q, want %q", tt.lines, got.code, user.prompts, tt.prompts)
		}
	}
}

func TestPromptPlaces(t *testing.T) {
	for _, tt := range []struct {
		opts options
		want string
	}{
		{options{Server: cmdline.Server{Host: "db", Port: 1}}, "db:1> "},
		{options{Server: cmdline.Server{Host: "::1", Port: 1}}, "[::1]:1> "},
		{options{Server: cmdline.Server{Host: "db", Port: 1, Socket: "/s"}}, "redis /s> "},
	} {
		s := &session{opts: tt.opts}
		if got := s.prompt(); got != "not connected> " {
			t.Errorf("without a connection: %q", got)
		}
		port := serve(t, simpleServer)
		real := s.opts
		s.opts = options{Server: cmdline.Server{Host: "127.0.0.1"}}
		if err := s.opts.SetPort(port); err != nil {
			t.Fatal(err)
		}
		if err := s.connect(); err != nil {
			t.Fatal(err)
		}
		s.opts = real
		if got := s.prompt(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.opts, got, tt.want)
		}
		s.disconnect()
	}
}

// TestReconnect shows that a command that met a broken connection is not sent
// again, and that the next one finds everything as it was.
func TestReconnect(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	port := serve(t, func(args []string) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, strings.Join(args, " "))
		return simpleServer(args)
	})
	user := &script{lines: []string{"select 3", "hello 3", "die", "ping"}}
	got, _ := converse(t, user, "-p", port, "-a", "p", "--user", "u", "--no-auth-warning")
	want := []string{"AUTH u p", "select 3", "hello 3", "die", "AUTH u p", "SELECT 3", "HELLO 3", "ping"}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, want) {
		t.Errorf("the server saw %q, want %q", seen, want)
	}
	if got != (outcome{"select 3\nhello 3\nping\n", "Error: Server closed the connection\n", 0}) {
		t.Errorf("%+v", got)
	}
}

// TestInterrupt shows that Ctrl-C ends a stream, but leaves the program while a
// reply is awaited.
func TestInterrupt(t *testing.T) {
	for _, tt := range []struct {
		line, stdout string
		code         int
	}{
		{"monitor", "OK\n1.0 \"GET\" \"k\"\nping\n", 0},
		{"subscribe c", "Reading messages... (press Ctrl-C to quit)\n" +
			"1) \"subscribe\"\n2) \"c\"\n3) (integer) 1\nping\n", 0},
		{"wait", "", 1},
	} {
		var running atomic.Pointer[session]
		port := serve(t, func(args []string) (string, bool) {
			answer, hangUp := simpleServer(args)
			if args[0] != "ping" { // no more comes: the user gets tired
				time.AfterFunc(50*time.Millisecond, func() { running.Load().interrupt.now() })
			}
			if args[0] == "wait" {
				answer = ""
			}
			return answer, hangUp
		})
		user := &script{lines: []string{tt.line, "ping"}}
		var stdout bytes.Buffer
		p := Program{newEditor: func(r *prompt) lineEditor {
			running.Store(r.session)
			return user
		}}
		code := p.Main([]string{"-p", port, "--no-raw"}, nil, &stdout, io.Discard, noEnv)
		if stdout.String() != tt.stdout || code != tt.code {
			t.Errorf("%s: %q and code %d, want %q and %d", tt.line, stdout.String(), code, tt.stdout, tt.code)
		}
	}
}

// TestSlowCommands shows the time that a command took, if it took long. Repeated
// commands with an interval do.
func TestSlowCommands(t *testing.T) {
	port := serve(t, simpleServer)
	user := &script{lines: []string{"3 ping", "ping"}}
	got, _ := converse(t, user, "-p", port, "-i", "0.25")
	if want := "ping\nping\nping\n(0.75s)\nping\n"; got.stdout != want {
		t.Errorf("%q, want %q", got.stdout, want)
	}
}

// TestRemembered shows what is kept of what was typed.
func TestRemembered(t *testing.T) {
	port := serve(t, simpleServer)
	user := &script{lines: []string{
		"get a", "auth secret", "2 auth secret", "AUTH \"secret", "3 AUTH \"secret",
		"get \"a", ":set nohints", "2 get a",
	}}
	_, r := converse(t, user, "-p", port)
	if want := []string{"get a", "get \"a", ":set nohints", "2 get a"}; !slices.Equal(r.history.lines, want) {
		t.Errorf("%q, want %q", r.history.lines, want)
	}
	if r.hints {
		t.Error(":set nohints did nothing")
	}
	past := pastLines{r.history}
	if n, err := past.Write("auth secret"); n != 4 || err != nil || past.Len() != 4 {
		t.Error("the editor can write the history")
	}
	if _, err := past.GetLine(-1); err == nil {
		t.Error("there is a line before the first")
	}
}

// TestPlainEditor shows the editor of pipes and of dumb terminals.
func TestPlainEditor(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	var prompts bytes.Buffer
	typed := strings.NewReader("a b\r\n\n" + long + "\nlast")
	e := &plainEditor{bufio.NewReader(typed), bufio.NewWriter(&prompts)}
	for _, want := range []string{"a b", "", long, "last"} {
		if got, err := e.ReadLine("> "); got != want || err != nil {
			t.Errorf("%.20q, %v, want %.20q", got, err, want)
		}
	}
	if _, err := e.ReadLine("> "); err != io.EOF || prompts.String() != "> > > > > " {
		t.Errorf("at the end %v, prompts %q", err, prompts.String())
	}
	if !isDumb("dumb") || isDumb("xterm-256color") {
		t.Error("mistakes terminals for each other")
	}
}

func TestPreferencesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rc")
	if err := os.WriteFile(path, []byte("# a comment\n:set nohints\n:set color\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	r := &prompt{session: &session{}, hints: true}
	r.session.out = bufio.NewWriter(&stdout)
	r.loadPreferences(path)
	if want := ".redisclirc: unknown redis-cli preference 'color'\n"; r.hints || stdout.String() != want {
		t.Errorf("hints %v, %q", r.hints, stdout.String())
	}
}

// TestNobodyReads shows that a loop for ever ends with its reader.
func TestNobodyReads(t *testing.T) {
	port := serve(t, simpleServer)
	if code := Main([]string{"-p", port, "-r", "-1", "ping"}, nil, closedPipe{}, io.Discard, noEnv); code != 1 {
		t.Errorf("code %d", code)
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

// TestHostileText shows that what a server says on the error stream is escaped too.
func TestHostileText(t *testing.T) {
	port := answerWith(t, "-ERR \x1b[2J\r\n", false)
	for _, args := range [][]string{{"-e", "X"}, {"-n", "3", "-e", "X"}, {"-a", "p", "-e", "X"}} {
		got := ours(append([]string{"-p", port}, args...), "")
		if strings.Contains(got.stderr, "\x1b") || !strings.Contains(got.stderr, `ERR \x1b[2J`) {
			t.Errorf("%q: %q", args, got.stderr)
		}
	}
}
