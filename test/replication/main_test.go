//go:build linux

// Package replication runs our program as a master and as a replica, beside redis-server 7.0
// and Valkey, in processes of their own.
//
// Whatever was written, evicted, expired, cut off and synchronized again: in the end all
// have the same data. The environment asks for more than a glance:
//
//	SPINEL_REPLICATED       random commands to a master with replicas            12000
//	SPINEL_REPL_RUNS        random histories of three servers                    2
//	SPINEL_LANES            how many of them at a time                           1
//	SPINEL_HANDSHAKE_STEP   how far apart the places are at which a handshake
//	                        has faults, in bytes; 1 for everywhere               61
//	SPINEL_SEED             seed of all that                                     1
//	VALKEY_SERVER           a valkey-server 9, to be a replica as well
package replication

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"

	// So that no result is taken from the cache when the program has changed.
	_ "github.com/spineldb/spinel/internal/cli"
	_ "github.com/spineldb/spinel/internal/server"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// A node is a server in a process of its own, ours or not.
type node struct {
	t    *testing.T
	name string
	port string
	conn *client.Conn
}

// startTime is how long a server may take to answer.
const startTime = 20 * time.Second

// spinel starts our program with some options.
func spinel(t *testing.T, options ...string) *node {
	t.Helper()
	program := testenv.Program(t)
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--port", port, "--dir", dir, "--save", "", "--enable-debug-command", "yes",
		"--repl-diskless-sync-delay", "0"}, options...)
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("log of :%s\n%s", port, text)
		}
	})
	return connect(t, "spinel", port)
}

// another starts a server of somebody else's. The test is skipped if there is none.
func another(t *testing.T, program, version string) *node {
	t.Helper()
	return connect(t, program, original.Start(t, program, version, original.Options{}).Port())
}

func connect(t *testing.T, name, port string) *node {
	t.Helper()
	n := &node{t: t, name: name, port: port}
	for end := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
		nc, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			n.conn = client.New(nc, client.Options{})
			if reply, err := n.conn.Do("PING"); err == nil && reply.Text == "PONG" {
				t.Cleanup(func() { _ = n.conn.Close() })
				return n
			}
			_ = n.conn.Close()
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not answer at :%s: %v", name, port, err)
		}
	}
}

// do sends a command and returns the reply's text, or number.
func (n *node) do(args ...string) string {
	n.t.Helper()
	reply, err := n.conn.Do(args...)
	if err != nil {
		n.t.Fatalf("%s: %.100q: %v", n.name, args, err)
	}
	if reply.Kind == client.Integer {
		return strconv.FormatInt(reply.Int, 10)
	}
	return reply.Text
}

// follow makes a replica of a node, and waits until it has the data.
func (n *node) follow(master *node) {
	n.t.Helper()
	n.do("REPLICAOF", "127.0.0.1", master.port)
	n.t.Cleanup(func() {
		if n.t.Failed() {
			n.t.Logf("%s :%s\n%s", n.name, n.port, n.do("INFO", "replication"))
		}
	})
	until(n.t, n.name+" has a link", func() bool { return n.info("master_link_status") == "up" })
}

// info is a field of INFO.
func (n *node) info(field string) string {
	n.t.Helper()
	for line := range strings.Lines(n.do("INFO", "all")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return value
		}
	}
	return ""
}

// same waits until replicas have what their master has. Valkey writes some scores in other
// digits, and its digest is of these.
func same(t *testing.T, master *node, replicas ...*node) {
	t.Helper()
	for _, r := range replicas {
		isSame := func() bool {
			if master.info("master_repl_offset") != r.info("master_repl_offset") {
				return false
			}
			if r.name == "valkey-server" {
				return differences(master, r) == ""
			}
			return master.do("DEBUG", "DIGEST") == r.do("DEBUG", "DIGEST")
		}
		for end := time.Now().Add(untilTime); !isSame(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s differs: %s", r.name, differences(master, r))
			}
		}
	}
}

// differences are keys that two nodes do not have alike.
func differences(a, b *node) (all string) {
	for db := range 16 {
		keys := map[string]bool{}
		for _, n := range []*node{a, b} {
			n.do("SELECT", strconv.Itoa(db))
			for _, key := range n.ask("KEYS", "*").Elems {
				keys[key.Text] = true
			}
		}
		for key := range keys {
			if x, y := a.value(key), b.value(key); x != y {
				all += fmt.Sprintf("\ndb %d %q\n%s\n%s", db, key, x, y)
			}
		}
	}
	return all
}

func (n *node) ask(args ...string) client.Reply {
	n.t.Helper()
	reply, err := n.conn.Do(args...)
	if err != nil {
		n.t.Fatalf("%s: %.100q: %v", n.name, args, err)
	}
	return reply
}

// value is a key's value in a form of its own.
func (n *node) value(key string) string {
	n.t.Helper()
	kind := n.do("TYPE", key)
	all := []string{kind, n.do("PEXPIRETIME", key)}
	read := map[string][]string{
		"string": {"GET", key}, "list": {"LRANGE", key, "0", "-1"}, "set": {"SMEMBERS", key},
		"hash": {"HGETALL", key}, "zset": {"ZRANGE", key, "0", "-1", "WITHSCORES"},
		"stream": {"XRANGE", key, "-", "+"},
	}[kind]
	if read == nil {
		return kind
	}
	reply := n.ask(read...)
	all = append(all, reply.Text)
	switch kind {
	case "set":
		slices.SortFunc(reply.Elems, func(a, b client.Reply) int { return strings.Compare(a.Text, b.Text) })
	case "hash":
		pairs := slices.Collect(slices.Chunk(reply.Elems, 2))
		slices.SortFunc(pairs, func(a, b []client.Reply) int { return strings.Compare(a[0].Text, b[0].Text) })
		reply.Elems = slices.Concat(pairs...)
	case "zset":
		for i := 1; i < len(reply.Elems); i += 2 {
			score, _ := strconv.ParseFloat(reply.Elems[i].Text, 64)
			reply.Elems[i].Text = strconv.FormatFloat(score, 'g', -1, 64)
		}
	case "stream":
		for _, group := range n.ask("XINFO", "GROUPS", key).Elems {
			pending := n.ask("XPENDING", key, group.Elems[1].Text)
			all = append(all, fmt.Sprint(group.Elems[1].Text, group.Elems[7].Text, pending))
		}
	}
	return fmt.Sprint(all, reply.Elems)
}

const untilTime = 15 * time.Second

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(untilTime); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it was never so that %s", what)
		}
	}
}

// valkey is the program of Valkey, if one is to be used.
func valkey() string { return os.Getenv("VALKEY_SERVER") }
