//go:build linux

package e2e

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
)

// slowStart starts a server that loads its keys for many seconds, and connects to it.
func slowStart(t *testing.T, dir string) (*process, conn) {
	t.Helper()
	p := launch(t, dir, "--save", "3600 1", "--key-load-delay", "20000")
	var c *client.Conn
	eventually(t, "the server accepts connections while loading", startTimeout, func() (ok bool) {
		var err error
		c, err = client.Dial("tcp", p.addr(), clientOptions)
		return err == nil
	})
	t.Cleanup(func() { _ = c.Close() })
	return p, conn{c, t}
}

// TestLoading shows what a server says that has not read its data yet, and that telling it
// to end neither waits for them nor costs one of them.
func TestLoading(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "--save", "3600 1")
	fill(p.dial(), 1000) // 20 seconds
	p.stop()
	whole := read(t, p.path("dump.rdb"))

	p, c := slowStart(t, dir)
	const loading = "LOADING Redis is loading the dataset in memory"
	for _, args := range []string{"PING", "GET key:1", "SET key:1 x", "DBSIZE", "FLUSHALL", "SAVE", "BGSAVE",
		"KEYS *"} {
		c.want(loading, strings.Fields(args)...)
	}
	for _, tt := range [][2]string{
		{"SELECT 3", "OK"},
		{"MULTI", "OK"},
		{"GET key:1", loading},
		{"EXEC", "EXECABORT Transaction discarded because of previous errors."},
		{"CONFIG SET maxmemory 1gb", "OK"},
		{"CLIENT SETNAME patient", "OK"},
		{"CLIENT GETNAME", "patient"},
		{"RESET", "RESET"},
	} {
		c.want(tt[1], strings.Fields(tt[0])...)
	}
	if got := c.info("loading"); got != "1" {
		t.Errorf("loading:%s, want 1", got)
	}
	if got := c.info("loading_total_bytes"); got == "0" {
		t.Error("loading_total_bytes:0")
	}
	c.info("loading_eta_seconds")

	began := time.Now()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d after SIGTERM while loading:\n%s", code, p.out)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v to end while loading", took)
	}
	if !bytes.Equal(read(t, p.path("dump.rdb")), whole) {
		t.Error("dump.rdb is not what it was")
	}

	p, c = slowStart(t, dir)
	if reply, err := c.Do("SHUTDOWN"); err == nil {
		t.Errorf("SHUTDOWN while loading: reply %+v, want the connection's end", reply)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d after SHUTDOWN while loading:\n%s", code, p.out)
	}
	if !bytes.Equal(read(t, p.path("dump.rdb")), whole) {
		t.Error("dump.rdb is not what it was")
	}

	p = start(t, dir)
	c = p.dial()
	c.want("1000", "DBSIZE")
	if got := c.info("loading"); got != "0" {
		t.Errorf("loading:%s, want 0", got)
	}
	p.stop()
}
