//go:build linux

package e2e

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestShutdown shows how each way to end a server treats the data.
func TestShutdown(t *testing.T) {
	const yes, no = true, false
	points := []string{"--save", "3600 1"}
	never := []string{"--save", ""}
	for _, tt := range []struct {
		options []string
		command string // or else the signal
		signal  syscall.Signal
		saves   bool
	}{
		{points, "", syscall.SIGTERM, yes},
		{points, "", syscall.SIGINT, yes},
		{never, "", syscall.SIGTERM, no},
		{points, "", syscall.SIGKILL, no},
		{append(points, "--shutdown-on-sigterm", "nosave"), "", syscall.SIGTERM, no},
		{append(never, "--shutdown-on-sigint", "save force"), "", syscall.SIGINT, yes},
		{points, "SHUTDOWN", 0, yes},
		{points, "SHUTDOWN NOSAVE", 0, no},
		{never, "SHUTDOWN", 0, no},
		{never, "SHUTDOWN SAVE", 0, yes},
		{points, "SHUTDOWN NOSAVE NOW FORCE", 0, no},
	} {
		what := strings.Join(append(tt.options, tt.command, tt.signal.String()), " ")
		p := start(t, t.TempDir(), tt.options...)
		c := p.dial()
		c.want("OK", "SET", "key", "value")
		wantCode := 0
		switch {
		case tt.command == "":
			p.signal(tt.signal)
			if tt.signal == syscall.SIGKILL {
				wantCode = -1
			}
		default:
			if reply, err := c.Do(strings.Fields(tt.command)...); err == nil {
				t.Errorf("%s: reply %+v, want the connection's end", what, reply)
			}
		}
		if code := p.wait(); code != wantCode {
			t.Errorf("%s: exit code %d, want %d\n%s", what, code, wantCode, p.out)
		}
		if got := read(t, p.path("dump.rdb")) != nil; got != tt.saves {
			t.Errorf("%s: is there a dump.rdb? %v, want %v", what, got, tt.saves)
		}
	}
}

// fill gives a server n keys.
func fill(c conn, n int) {
	c.t.Helper()
	args := []string{"MSET"}
	for i := range n {
		args = append(args, "key:"+strconv.Itoa(i), strings.Repeat("v", i%100)+strconv.Itoa(i))
	}
	c.want("OK", args...)
}

// TestSecondInterrupt shows that a second SIGINT does not wait for the save that the
// first began, and that the old file is as it was.
func TestSecondInterrupt(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "3600 1", "--rdb-key-save-delay", "20000")
	c := p.dial()
	c.want("OK", "SET", "key", "old")
	c.want("OK", "SAVE")
	old := read(t, p.path("dump.rdb"))
	fill(c, 1000)
	p.signal(os.Interrupt) // the save takes 20 seconds
	time.Sleep(200 * time.Millisecond)
	select {
	case <-p.done:
		t.Fatalf("ended before it can have saved:\n%s", p.out)
	default:
	}
	began := time.Now()
	p.signal(os.Interrupt)
	if code := p.wait(); code != 1 {
		t.Errorf("exit code %d after the second SIGINT, want 1:\n%s", code, p.out)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v to end after the second SIGINT", took)
	}
	if string(read(t, p.path("dump.rdb"))) != string(old) {
		t.Error("dump.rdb is not what it was")
	}
}

// TestServesWhileSaving shows that a save takes none of the service away, and that one
// that cannot write is said by the reply, the log and the refusal of writes.
func TestServesWhileSaving(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "3600 1", "--rdb-key-save-delay", "2000",
		"--enable-protected-configs", "yes")
	c := p.dial()
	fill(c, 500) // the save takes a second
	c.wantPrefix("Background saving started", "BGSAVE")
	c.wantPrefix("ERR Background save already in progress", "BGSAVE")
	for range 100 {
		c.want("OK", "SET", "key:1", "new")
		c.want("new", "GET", "key:1")
	}
	if got := c.info("rdb_bgsave_in_progress"); got != "1" {
		t.Errorf("rdb_bgsave_in_progress:%s during the save", got)
	}
	eventually(t, "the save ends", startTimeout, func() bool { return c.info("rdb_bgsave_in_progress") == "0" })
	if got := c.info("rdb_last_bgsave_status"); got != "ok" {
		t.Errorf("rdb_last_bgsave_status:%s", got)
	}

	// A folder cannot be replaced by a file, whoever runs the test.
	if err := os.Mkdir(p.path("blocked.rdb"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.want("OK", "CONFIG", "SET", "rdb-key-save-delay", "0", "dbfilename", "blocked.rdb")
	c.wantPrefix("Background saving started", "BGSAVE")
	eventually(t, "the save fails", startTimeout, func() bool {
		return c.info("rdb_last_bgsave_status") == "err"
	})
	eventually(t, "writes are refused", startTimeout, func() bool {
		return strings.HasPrefix(scalar(c.do("SET", "other", "refused")), "MISCONF")
	})
	c.want("new", "GET", "key:1")
	c.want("OK", "CONFIG", "SET", "dbfilename", "dump.rdb")
	c.wantPrefix("Background saving started", "BGSAVE")
	eventually(t, "writes are accepted again", startTimeout, func() bool {
		return scalar(c.do("SET", "key:1", "accepted")) == "OK"
	})
	p.stop()
	if !strings.Contains(p.out.String(), "Background saving error") {
		t.Errorf("the log does not tell of the failed save:\n%s", p.out)
	}
}
