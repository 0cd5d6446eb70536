package servercmd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/session"
)

func TestTime(t *testing.T) {
	w := newWorld(t)
	w.Do("TIME").WantArray("1700000000", "0")
	w.Clock.Advance(90*time.Second + 12*time.Microsecond)
	w.Do("TIME").WantArray("1700000090", "12")
}

func TestMonitor(t *testing.T) {
	w := newWorld(t)
	watcher := w.NewClient()
	watcher.Do("MONITOR").Want("OK")
	watcher.Do("MONITOR").WantRaw("") // a monitor does not converse any more
	if n := w.Shared.Sessions.Monitors.Load(); n != 1 || !watcher.Session.Monitor {
		t.Errorf("%d monitors, want 1", n)
	}
	w.Do("MULTI").Want("OK")
	w.Do("MONITOR").Want("QUEUED")
	w.Do("EXEC").WantArray("-ERR MONITOR isn't allowed for DENY BLOCKING client")
	watcher.Close()
	if n := w.Shared.Sessions.Monitors.Load(); n != 0 {
		t.Errorf("%d monitors, want none", n)
	}
}

// The lines were compared with those of a redis-server 7.0.
func TestAppendMonitor(t *testing.T) {
	tcp, unix := &session.Session{Remote: "127.0.0.1:1234"}, &session.Session{Remote: "/tmp/sock", Unix: true}
	for _, tt := range []struct {
		micros int64
		db     int
		from   *session.Session
		args   []string
		want   string
	}{
		{1700000000123456, 0, tcp, []string{"SET", "k", "v"}, `+1700000000.123456 [0 127.0.0.1:1234] "SET" "k" "v"`},
		{1700000000000007, 15, unix, []string{"ping"}, `+1700000000.000007 [15 unix:/tmp/sock] "ping"`},
		{1795356606337453, 0, tcp, []string{"SET", "a\"\\\n\x01", "\xff\x07\x08 v\r\t", ""},
			`+1795356606.337453 [0 127.0.0.1:1234] "SET" "a\"\\\n\x01" "\xff\a\b v\r\t" ""`},
	} {
		var args [][]byte
		for _, a := range tt.args {
			args = append(args, []byte(a))
		}
		if got := string(servercmd.AppendMonitor(nil, tt.micros, tt.db, tt.from, args)); got != tt.want+"\r\n" {
			t.Errorf("got  %q\nwant %q", got, tt.want+"\r\n")
		}
	}
}

func TestLolwut(t *testing.T) {
	w := newWorld(t)
	const signature = "\nSpinel ver. 1.2.3 (Redis ver. 7.2.4)\n"
	for _, tt := range []struct {
		call        []string
		width, rows int
	}{
		{[]string{"LOLWUT"}, 80, 16},
		{[]string{"LOLWUT", "VERSION", "5"}, 80, 16},
		{[]string{"LOLWUT", "VERSION", "5", "1", "1"}, 16, 8},
		{[]string{"LOLWUT", "3"}, 48, 16},
		{[]string{"LOLWUT", "-9223372036854775808", "9223372036854775807"}, 16, 96},
	} {
		text := w.Do(tt.call...).Text()
		art, ok := strings.CutSuffix(text, signature)
		lines := strings.Split(strings.TrimSuffix(art, "\n"), "\n")
		if !ok || len(lines) != tt.rows {
			t.Errorf("%v: %d lines, want %d:\n%s", tt.call, len(lines), tt.rows, text)
		}
		for _, l := range lines {
			if len(l) > tt.width {
				t.Errorf("%v: %q is wider than %d", tt.call, l, tt.width)
			}
		}
	}
	w.Do("LOLWUT", "VERSION", "x").WantError("ERR value is not an integer or out of range")
	w.Do("LOLWUT", "x").WantError("ERR value is not an integer or out of range")
	w.Session.Out.Resp3 = true
	if raw := w.Do("LOLWUT").Raw(); !strings.HasPrefix(raw, "=") || !strings.Contains(raw, "txt:") {
		t.Errorf("RESP3 gets %q", raw[:20])
	}
}
