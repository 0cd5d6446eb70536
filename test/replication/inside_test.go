//go:build linux

package replication

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/server"
)

// An inside is a server in the process of the test, which does not wait for long before it
// tries again. What it logs is kept.
type inside struct {
	t    *testing.T
	path string // of its socket
	conn *client.Conn
	log  *lockedText
}

// retryInside is how soon its link tries again.
const retryInside = 3 * time.Millisecond

func newInside(t *testing.T, lines string) *inside {
	t.Helper()
	dir := t.TempDir()
	n := &inside{t: t, path: filepath.Join(dir, "s"), log: &lockedText{}}
	lines += "\nport 0\nunixsocket " + n.path + "\ndir " + dir + "\nenable-debug-command yes\nsave \"\"\n" +
		"repl-diskless-sync-delay 0\nrepl-timeout 1\nrepl-ping-replica-period 1\n"
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	set := server.Schema().NewSet()
	if err := set.Load(config.Source{Files: config.OSFiles{}, File: file}); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{Set: set, Stdout: n.log, RetryMaster: retryInside})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if n.conn, err = client.Dial("unix", n.path, client.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.conn.Close() })
	return n
}

func (n *inside) do(args ...string) string {
	n.t.Helper()
	reply, err := n.conn.Do(args...)
	if err != nil {
		n.t.Fatalf("%.100q: %v", args, err)
	}
	if reply.Kind == client.Integer {
		return strconv.FormatInt(reply.Int, 10)
	}
	return reply.Text
}

// figures are the fields of INFO.
func (n *inside) figures(section string) map[string]string {
	n.t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(n.do("INFO", section)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[name] = value
		}
	}
	return all
}

// A lockedText is what a server logs, of which the end is kept.
type lockedText struct {
	mu   sync.Mutex
	text []byte
}

// logKept bounds what is kept of a log.
const logKept = 16 << 10

// Write implements [io.Writer].
func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if len(l.text) > 2*logKept {
		l.text = append(l.text[:0], l.text[len(l.text)-logKept:]...)
	}
	return len(p), nil
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text[max(0, len(l.text)-logKept):])
}
