package observe

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spineldb/spinel/internal/clock"
)

// newTestLog returns a log of process 12245 at a moment with every field
// shorter than its width.
func newTestLog() (*Log, *bytes.Buffer) {
	out := new(bytes.Buffer)
	at := time.Date(2026, 11, 2, 3, 4, 5, 6_000_000, time.UTC)
	l := NewLog(LogOptions{
		Clock:  clock.NewManual(clock.Millis(at.UnixMilli())),
		Zone:   time.UTC,
		Stdout: out,
		PID:    12245,
		Role:   RolePrimary,
		Level:  LevelDebug,
	})
	return l, out
}

// TestLogLine shows Redis's line, its four levels and its four roles.
func TestLogLine(t *testing.T) {
	for _, tt := range []struct {
		role Role
		log  func(*Log)
		want string
	}{
		{RolePrimary, func(l *Log) { l.Debugf("d %d", 1) }, "12245:M 02 Nov 2026 03:04:05.006 . d 1\n"},
		{RoleReplica, func(l *Log) { l.Verbosef("v") }, "12245:S 02 Nov 2026 03:04:05.006 - v\n"},
		{RoleChild, func(l *Log) { l.Noticef("n") }, "12245:C 02 Nov 2026 03:04:05.006 * n\n"},
		{RoleSentinel, func(l *Log) { l.Warnf("w") }, "12245:X 02 Nov 2026 03:04:05.006 # w\n"},
		{RolePrimary, func(l *Log) { l.Logger().Info("i") }, "12245:M 02 Nov 2026 03:04:05.006 * i\n"},
		{RolePrimary, func(l *Log) { l.Logger().Error("e") }, "12245:M 02 Nov 2026 03:04:05.006 # e\n"},
		{RolePrimary, func(l *Log) { l.Raw(LevelNotice, "a\n\tb\x1b[0m") }, "a\n\tb\\x1b[0m\n"},
	} {
		l, out := newTestLog()
		l.SetRole(tt.role)
		tt.log(l)
		if got := out.String(); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

// TestLogDefaults shows that a log needs nothing but a clock.
func TestLogDefaults(t *testing.T) {
	l := NewLog(LogOptions{Clock: clock.System{}})
	if l.stdout != os.Stdout || l.pid != os.Getpid() || l.zone != time.Local {
		t.Errorf("stdout %v, pid %d, zone %v", l.stdout, l.pid, l.zone)
	}
	if l.Level() != LevelNotice || Role(l.role.Load()) != RoleChild {
		t.Errorf("level %v, role %c", l.Level(), l.role.Load())
	}
}

// TestLogLevels shows which lines each value of loglevel lets through.
func TestLogLevels(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"debug", "dvnw"},
		{"verbose", "vnw"},
		{"notice", "nw"},
		{"WARNING", "w"}, // names are not case-sensitive
		{"nothing", ""},
	} {
		l, out := newTestLog()
		level, ok := ParseLevel(tt.name)
		if !ok || LevelName(level) != strings.ToLower(tt.name) {
			t.Fatalf("ParseLevel(%q) = %v, %v, called %q", tt.name, level, ok, LevelName(level))
		}
		l.SetLevel(level)
		l.Debugf("d")
		l.Verbosef("v")
		l.Noticef("n")
		l.Warnf("w")
		l.Raw(LevelDebug, "raw")
		got := ""
		for line := range strings.Lines(out.String()) {
			if line != "raw\n" {
				got += line[len(line)-2 : len(line)-1]
			}
		}
		if got != tt.want || strings.Contains(out.String(), "raw") != (tt.name == "debug") {
			t.Errorf("%s: %q, want %q; all: %q", tt.name, got, tt.want, out.String())
		}
	}
	if _, ok := ParseLevel("loud"); ok {
		t.Error("loud is a level")
	}
}

// TestLogForgery shows that whatever a message holds it stays one line that
// does nothing to a terminal.
func TestLogForgery(t *testing.T) {
	for _, tt := range []struct{ message, want string }{
		{"name=x\n99:M 02 Nov 2026 * forged", `name=x\n99:M 02 Nov 2026 * forged`},
		{"\r\x00\x1b[2J\x7f\t", `\r\x00\x1b[2J\x7f\t`},
		{"C1 \u009b31m", `C1 \xc2\x9b31m`},
		{"half \xc3 and \xff", `half \xc3 and \xff`},
		{"two\u2028lines", `two\xe2\x80\xa8lines`},
		{"\u202ereversed", `\xe2\x80\xaereversed`},
		{"café 日本 \\ \ufffd", "café 日本 \\ \ufffd"},
		{strings.Repeat("a", messageBytesMax+7), strings.Repeat("a", messageBytesMax) + "... (7 more bytes)"},
	} {
		l, out := newTestLog()
		l.Noticef("%s", tt.message)
		want := "12245:M 02 Nov 2026 03:04:05.006 * " + tt.want + "\n"
		if got := out.String(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// FuzzLogMessage looks for a message or attribute that breaks its line.
func FuzzLogMessage(f *testing.F) {
	f.Add("plain", "value")
	f.Add("a\nb\xff\u202e", "x=\"\n\u2028")
	f.Fuzz(func(t *testing.T, message, value string) {
		l, out := newTestLog()
		l.Logger().Info(message, "key", value, value, message)
		body, ended := strings.CutSuffix(out.String(), "\n")
		if !ended || !utf8.ValidString(body) || strings.ContainsFunc(body, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
		}) {
			t.Fatalf("line %q", out.String())
		}
	})
}

// TestLogAttributes shows how slog's attributes and groups stand in a line.
func TestLogAttributes(t *testing.T) {
	for _, tt := range []struct {
		log  func(*slog.Logger)
		want string
	}{
		{func(l *slog.Logger) { l.Info("m", "a", 1, "b", "two words", "c", "") }, `m a=1 b="two words" c=""`},
		{func(l *slog.Logger) { l.With("a", 1).WithGroup("g").With("b", 2).Info("m", "c", 3) },
			"m a=1 g.b=2 g.c=3"},
		{func(l *slog.Logger) { l.Info("m", slog.Group("g", "a", 1, slog.Group("h", "b", 2))) }, "m g.a=1 g.h.b=2"},
		{func(l *slog.Logger) { l.Info("m", slog.Group("", "a", 1), slog.Attr{}) }, "m a=1"},
		{func(l *slog.Logger) { l.WithGroup("").Info("m", "err", errors.New("no disk")) }, `m err="no disk"`},
		{func(l *slog.Logger) { l.Info("m", "a\nb", "c\nd") }, `m a\nb="c\nd"`},
	} {
		l, out := newTestLog()
		tt.log(l.Logger())
		if got := out.String(); got != "12245:M 02 Nov 2026 03:04:05.006 * "+tt.want+"\n" {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

// TestLogWithDoesNotShare shows that two loggers made from one don't write into
// each other's attributes.
func TestLogWithDoesNotShare(t *testing.T) {
	l, out := newTestLog()
	base := l.Logger().With("a", 1)
	x, y := base.With("x", 2), base.With("y", 3)
	x.Info("m")
	y.Info("m")
	if got := out.String(); !strings.Contains(got, "* m a=1 x=2\n") || !strings.Contains(got, "* m a=1 y=3\n") {
		t.Errorf("got %q", got)
	}
}

// TestLogFile shows that lines follow the path, not the open file: after the
// file was moved or removed the next line makes a new one.
func TestLogFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be moved on windows")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "spinel.log")
	l, out := newTestLog()
	if err := l.ToFile(path); err != nil {
		t.Fatal(err)
	}
	l.Noticef("one")
	l.Noticef("two")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.Noticef("three")
	wantFile(t, path+".1", "one", "two")
	wantFile(t, path, "three")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.Noticef("four")
	wantFile(t, path, "four")
	if err := os.Truncate(path, 0); err != nil { // logrotate's copytruncate
		t.Fatal(err)
	}
	l.Noticef("five")
	wantFile(t, path, "five")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Noticef("six")
	if !strings.HasSuffix(out.String(), "* six\n") || l.Lost() != 0 {
		t.Errorf("stdout %q, lost %d", out.String(), l.Lost())
	}
}

// TestLogFileUnavailable shows that a file that cannot be opened changes
// nothing at first, and later costs no line as long as the old one is open.
func TestLogFileUnavailable(t *testing.T) {
	dir := t.TempDir()
	l, out := newTestLog()
	err := l.ToFile(filepath.Join(dir, "missing", "log"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error %v", err)
	}
	l.Noticef("still here")
	if !strings.HasSuffix(out.String(), "* still here\n") {
		t.Errorf("stdout %q", out.String())
	}
	if runtime.GOOS == "windows" {
		return
	}
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := l.ToFile(filepath.Join(sub, "log")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(sub, sub+"2"); err != nil {
		t.Fatal(err)
	}
	l.Noticef("one")
	wantFile(t, filepath.Join(sub+"2", "log"), "one")
	if l.Lost() != 1 { // not where it should be, and somebody should be told
		t.Errorf("lost %d", l.Lost())
	}
}

func wantFile(t *testing.T, path string, messages ...string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, m := range messages {
		want += "12245:M 02 Nov 2026 03:04:05.006 * " + m + "\n"
	}
	if string(got) != want {
		t.Fatalf("%s: got %q, want %q", path, got, want)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space") }

// TestLogLost shows that lines that could not be written are counted.
func TestLogLost(t *testing.T) {
	l, _ := newTestLog()
	l.stdout = failingWriter{}
	l.Noticef("one")
	l.Noticef("two")
	if l.Lost() != 2 {
		t.Errorf("lost %d, want 2", l.Lost())
	}
}

// TestLogConcurrent shows that lines of many goroutines don't mix.
func TestLogConcurrent(t *testing.T) {
	l, out := newTestLog()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 100 {
				l.Logger().Log(context.Background(), LevelVerbose, "line", "i", i)
			}
		})
	}
	wg.Wait()
	lines := 0
	for line := range strings.Lines(out.String()) {
		lines++
		if !strings.HasPrefix(line, "12245:M 02 Nov 2026 03:04:05.006 - line i=") {
			t.Fatalf("line %q", line)
		}
	}
	if lines != 400 {
		t.Errorf("%d lines, want 400", lines)
	}
}
