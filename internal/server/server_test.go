package server

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/config"
)

// A running server is one in this process, with a configuration file of its own.
type running struct {
	*Server
	t    *testing.T
	path string // of its unix socket
}

func start(t *testing.T, lines string) *running {
	t.Helper()
	return startWith(t, lines, Config{})
}

// startWith is start with what a server is made of besides its options.
func startWith(t *testing.T, lines string, with Config) *running {
	t.Helper()
	return startIn(t, t.TempDir(), lines, with)
}

// startIn starts a server with the files of a folder.
func startIn(t *testing.T, dir, lines string, with Config) *running {
	t.Helper()
	lines += "\nport 0\nunixsocket " + filepath.Join(dir, "s") + "\ndir " + dir + "\nenable-debug-command yes\n"
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return startAgain(t, dir, with)
}

// startAgain starts a server with the configuration that is in a folder already.
func startAgain(t *testing.T, dir string, with Config) *running {
	t.Helper()
	set := Schema().NewSet()
	if err := set.Load(config.Source{Files: config.OSFiles{}, File: filepath.Join(dir, "conf")}); err != nil {
		t.Fatal(err)
	}
	with.Set, with.Stdout = set, io.Discard
	s, err := New(with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return &running{Server: s, t: t, path: filepath.Join(dir, "s")}
}

// dial opens a connection.
func (r *running) dial() *conn {
	r.t.Helper()
	nc, err := net.Dial("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &conn{client.New(nc, client.Options{}), r.t}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

type conn struct {
	*client.Conn
	t *testing.T
}

// do returns the text of a reply.
func (c *conn) do(words string) string {
	c.t.Helper()
	reply, err := c.Do(strings.Fields(words)...)
	if err != nil {
		c.t.Fatalf("%s: %v", words, err)
	}
	return reply.Text
}

func (c *conn) info(field string) string {
	c.t.Helper()
	for line := range strings.Lines(c.do("INFO everything")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && name == field {
			return value
		}
	}
	c.t.Fatalf("INFO has no %s", field)
	return ""
}

// After FLUSHALL has answered, the file is empty too if there are save points.
func TestFlushAllSaves(t *testing.T) {
	r := start(t, "save 3600 1")
	c := r.dial()
	for _, transaction := range []bool{false, true} {
		c.do("SET k v")
		if transaction {
			c.do("MULTI")
		}
		c.do("FLUSHALL")
		if transaction {
			c.do("EXEC")
		}
		if n := c.info("rdb_changes_since_last_save"); n != "0" {
			t.Errorf("in a transaction: %t: %s changes are not saved", transaction, n)
		}
	}
}

// FLUSHALL ends a background save at any moment, also before it has begun to walk: the
// changes are not saved.
func TestFlushAllEndsSave(t *testing.T) {
	r := start(t, "save \"\"\nrdb-key-save-delay 10000")
	c := r.dial()
	for i := range 20 {
		for k := range 100 { // a second of saving
			c.do(fmt.Sprint("SET ", k, " v"))
		}
		c.do("BGSAVE")
		c.do("FLUSHALL")
		for c.info("rdb_bgsave_in_progress") != "0" {
			time.Sleep(time.Millisecond)
		}
		if n := c.info("rdb_changes_since_last_save"); n != fmt.Sprint(200*i+200) {
			t.Fatalf("%s changes after %d rounds: a save of nothing counts as one", n, i+1)
		}
	}
}

// A client that CLIENT PAUSE holds back is blocked, to INFO.
func TestPausedIsBlocked(t *testing.T) {
	r := start(t, "")
	c, other := r.dial(), r.dial()
	c.do("CLIENT PAUSE 100000 WRITE")
	if err := other.Send("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); c.info("blocked_clients") != "1"; {
		if time.Now().After(deadline) {
			t.Fatal("no client is blocked")
		}
		time.Sleep(time.Millisecond)
	}
	c.do("CLIENT UNPAUSE")
	if _, err := other.Receive(); err != nil {
		t.Fatal(err)
	}
	if n := c.info("blocked_clients"); n != "0" {
		t.Errorf("%s clients are blocked after the pause", n)
	}
}

// Clients that wait for keys, with a timeout and without, as INFO and CLIENT LIST show them.
func TestBlockedFigures(t *testing.T) {
	r := start(t, "")
	c := r.dial()
	for _, words := range []string{"BLPOP a b 100", "BLPOP a 0"} {
		waiting := r.dial()
		if err := waiting.Send(strings.Fields(words)...); err != nil {
			t.Fatal(err)
		}
		if err := waiting.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	want := func(blocked, timeouts, keys string) {
		t.Helper()
		var got [3]string
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
			got = [3]string{c.info("blocked_clients"), c.info("clients_in_timeout_table"),
				c.info("total_blocking_keys")}
			if got == [3]string{blocked, timeouts, keys} {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("blocked clients, timeouts and keys are %q", got)
	}
	want("2", "1", "3")
	if n := strings.Count(c.do("CLIENT LIST"), " flags=bU "); n != 2 {
		t.Errorf("CLIENT LIST shows %d blocked clients", n)
	}
	c.do("RPUSH a 1 2")
	want("0", "0", "0")
}

// CONFIG SET refuses what would need another start, and takes what is so already.
func TestBackendStays(t *testing.T) {
	c := start(t, "io-backend net").dial()
	if got := c.do("CONFIG SET io-backend net"); got != "OK" {
		t.Errorf("the same backend: %s", got)
	}
	if got := c.do("CONFIG SET io-backend epoll"); !strings.HasSuffix(got, "when the server starts") {
		t.Errorf("another backend: %s", got)
	}
	if got := c.do("CONFIG SET bind 999.999.999.999"); got != "OK" {
		t.Errorf("an address, while no port is listened to: %s", got)
	}
	if got := c.do("CONFIG SET port 1"); !strings.Contains(got, "Unable to listen on this port") {
		t.Errorf("a port at no address: %s", got)
	}
}

// A signal's shutdown that the background work has not begun can be called off.
func TestAbortSignal(t *testing.T) {
	r := start(t, "")
	c := r.dial()
	c.do("DEBUG PAUSE-CRON 1")
	r.asked.Store(true)
	r.signalled <- servercmd.ShutdownNoSave
	time.Sleep(2 * samplePeriod)
	if got := c.do("SHUTDOWN ABORT"); got != "OK" {
		t.Fatalf("SHUTDOWN ABORT: %s", got)
	}
	c.do("DEBUG PAUSE-CRON 0")
	if got := c.do("SHUTDOWN ABORT"); got != "ERR No shutdown in progress." {
		t.Errorf("a second SHUTDOWN ABORT: %s", got)
	}
	r.signalled <- servercmd.ShutdownNoSave
	if code := r.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// What CONFIG-REWRITE-FORCE-ALL writes can be read again, and means the same.
func TestRewriteAll(t *testing.T) {
	r := start(t, "maxmemory 10mb")
	c := r.dial()
	if got := c.do("DEBUG CONFIG-REWRITE-FORCE-ALL"); got != "OK" {
		t.Fatal(got)
	}
	again := Schema().NewSet()
	if err := again.Load(config.Source{Files: config.OSFiles{}, File: r.config.File()}); err != nil {
		t.Fatal(err)
	}
	all := [][]byte{[]byte("*")}
	before, after := r.config.ConfigGet(all), again.ConfigGet(all)
	if len(before) < 100 || !slices.Equal(before, after) {
		t.Errorf("%v was read as %v", before, after)
	}
}
