package hashcmd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// TestAgainstRedis sends random commands to a redis-server 7.0 and to us. Replies whose
// order is free are compared as multisets.
func TestAgainstRedis(t *testing.T) {
	r := startPeer(t, "redis-server", "v=7.0.")
	r.do(t, "CONFIG", "SET", "hash-max-listpack-entries", "8", "hash-max-listpack-value", "20")
	compare(t, r, func(g *generator) []string { return g.old() })
}

// TestAgainstValkey does so for fields that expire, with a valkey-server 9.1. Times are
// absolute, and either over or far away, so both clocks may differ.
func TestAgainstValkey(t *testing.T) {
	r := startPeer(t, "valkey-server", "v=9.1.")
	r.do(t, "CONFIG", "SET", "hash-max-listpack-entries", "8")
	r.do(t, "CONFIG", "SET", "hash-max-listpack-value", "20")
	compare(t, r, func(g *generator) []string {
		args := g.expiring()
		if g.IntN(2) == 0 {
			args = g.old()
		}
		if args[0] == "OBJECT" { // theirs is a table as soon as a field expires
			args[0], args[1], args = "HLEN", args[2], args[:2]
		}
		return args
	})
}

// compared is how many commands are compared: more if the environment says so.
func compared() int {
	if n, err := strconv.Atoi(os.Getenv("COMPARE")); err == nil {
		return n
	}
	return 5000
}

func compare(t *testing.T, r *peer, next func(*generator) []string) {
	t.Helper()
	db := newDB(t)
	db.Keyspace.Limits().HashEntries.Store(8)
	db.Keyspace.Limits().HashValue.Store(20)
	g := &generator{rand.New(rand.NewPCG(uint64(compared()), 8))}
	var history []string
	for range compared() {
		args := next(g)
		line := fmt.Sprintf("%.80q", args)
		history = append(history, line)
		got, want := string(db.Raw([]byte(request(args...)))), r.do(t, args...)
		if isFree(args[0]) {
			got, want = sorted(got), sorted(want)
		}
		if got != want && !errorsDiffer(got, want) {
			t.Fatalf("%s:\n got %.300q\nwant %.300q\nafter\n%s", line, got, want,
				strings.Join(history[max(0, len(history)-40):], "\n"))
		}
	}
	for _, key := range keys {
		checkAlike(t, db, r, key)
	}
}

// errorsDiffer says whether both are errors, the words of which Redis and Valkey have
// chosen differently: about expiries we follow Redis.
func errorsDiffer(got, want string) bool {
	return strings.HasPrefix(got, "-ERR") && (strings.HasPrefix(want, "-ERR numfields should be") ||
		strings.HasPrefix(want, "-ERR syntax error") || strings.HasPrefix(want, "-ERR invalid expire"))
}

// checkAlike compares a whole hash, also as HSCAN tells it.
func checkAlike(t *testing.T, db *cmdtest.DB, r *peer, key string) {
	t.Helper()
	want := sorted(r.do(t, "HGETALL", key))
	if got := sorted(db.Do("HGETALL", key).Raw()); got != want {
		t.Errorf("%s: got %.300q, want %.300q", key, got, want)
	}
	var pairs []string
	for cursor, calls := "0", 0; calls == 0 || cursor != "0"; calls++ {
		lines := strings.Split(db.Do("HSCAN", key, cursor, "COUNT", "20").Raw(), "\r\n")
		cursor = lines[2]
		pairs = append(pairs, lines[4:]...)
	}
	slices.Sort(pairs)
	all := strings.Split(db.Do("HGETALL", key).Raw(), "\r\n")[1:]
	slices.Sort(all)
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" || s[0] == '$' })
	pairs = slices.DeleteFunc(pairs, func(s string) bool { return s == "" || s[0] == '$' })
	if !slices.Equal(pairs, all) {
		t.Errorf("%s: HSCAN tells %.300q, HGETALL %.300q", key, pairs, all)
	}
}

// isFree says whether the elements of a command's reply have no order.
func isFree(name string) bool {
	switch name {
	case "HGETALL", "HKEYS", "HVALS", "HRANDFIELD", "HSCAN":
		return true
	}
	return false
}

func sorted(reply string) string {
	lines := strings.Split(reply, "\r\n")
	slices.Sort(lines)
	return strings.Join(lines, "\r\n")
}

var keys = []string{"a", "b", "c", "big"}

// A generator makes commands that are mostly sensible.
type generator struct{ *rand.Rand }

func (g *generator) pick(words ...string) string { return words[g.IntN(len(words))] }

func (g *generator) key() string {
	if g.IntN(30) == 0 {
		return g.pick("str", "none")
	}
	return g.pick("a", "b", "c", "big")
}

func (g *generator) field(key string) string {
	n := 12
	if key == "big" {
		n = 300
	}
	switch i := g.IntN(n); {
	case i == 0:
		return ""
	case i < n/3:
		return strconv.Itoa(i * i * i)
	case i == n-1:
		return strings.Repeat("f", 18+g.IntN(5))
	default:
		return "field" + strconv.Itoa(i)
	}
}

func (g *generator) text() string {
	switch g.IntN(12) {
	case 0:
		return ""
	case 1:
		return strings.Repeat("v", 18+g.IntN(5)*g.IntN(2)*g.IntN(80))
	case 2:
		return g.pick("9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0", "01", "+1",
			"1.5", "1e300", " 1", "1 ", "inf", "nan", "0x10", "-1e-5", ".5", "3.")
	case 3, 4, 5, 6:
		return strconv.Itoa(g.IntN(1 << g.IntN(31)))
	default:
		return "value" + strconv.Itoa(g.IntN(100))
	}
}

func (g *generator) many(args []string, make func() []string) []string {
	for range 1 + g.IntN(1+g.IntN(6)) {
		args = append(args, make()...)
	}
	return args
}

// old makes a command of Redis 7.0.
func (g *generator) old() []string {
	key := g.key()
	field := func() []string { return []string{g.field(key)} }
	pair := func() []string { return []string{g.field(key), g.text()} }
	switch g.IntN(24) {
	case 0, 1, 2, 3:
		args := g.many([]string{"HSET", key}, pair)
		return args[:len(args)-g.IntN(20)/19]
	case 4:
		return g.many([]string{"HMSET", key}, pair)
	case 5:
		return append([]string{"HSETNX", key}, pair()...)
	case 6, 7:
		return []string{g.pick("HGET", "HSTRLEN", "HEXISTS"), key, g.field(key)}
	case 8:
		return g.many([]string{"HMGET", key}, field)
	case 9:
		return []string{g.pick("HGETALL", "HKEYS", "HVALS"), key}
	case 10:
		return []string{g.pick("HLEN", "TYPE", "EXISTS"), key}
	case 11, 12, 13:
		return g.many([]string{"HDEL", key}, field)
	case 14, 15:
		return []string{"HINCRBY", key, g.field(key), g.text()}
	case 16, 17:
		return []string{"HINCRBYFLOAT", key, g.field(key), g.text()}
	case 18, 19:
		return []string{"OBJECT", "ENCODING", key}
	case 20:
		return []string{"HRANDFIELD", key, g.pick("0", "100000", "x", "-9223372036854775808",
			"9223372036854775807"), g.pick("WITHVALUES", "WITHVALUE")}[:3+g.IntN(2)]
	case 21:
		return append([]string{"HSCAN", key, g.pick("0", "0", "x", "-0")}, strings.Fields(g.pick(
			"COUNT 9999", "MATCH *1* COUNT 9999", "COUNT 0", "COUNT x", "COUNT 9999 MATCH", "count 9999 match f*"))...)
	case 22:
		if g.IntN(8) == 0 {
			return []string{"DEL", key}
		}
		return []string{"SET", "str", g.text()}
	default:
		return []string{"HGET", key, g.field(key)}
	}
}

// expiring makes a command of Valkey 9.1.
func (g *generator) expiring() []string {
	key := g.key()
	if key == "str" {
		key = "none" // whether the type is looked at before the arguments differs
	}
	n := 1 + g.IntN(3)
	fields := []string{"FIELDS", strconv.Itoa(n)}
	pairs := slices.Clone(fields)
	for range n {
		field := g.field(key)
		fields = append(fields, field)
		pairs = append(pairs, field, g.text())
	}
	at := g.pick("5", strconv.Itoa(4_000_000_000+g.IntN(5)), strconv.Itoa(4_000_000_000+g.IntN(5)))
	word := strings.Fields(g.pick("", "", "", "EXAT "+at, "EXAT "+at, "PXAT "+at+"123"))
	switch g.IntN(9) {
	case 0, 1:
		args := append([]string{"HEXPIREAT", key, at}, strings.Fields(g.pick("", "", "NX", "XX", "GT", "LT"))...)
		return append(args, fields...)
	case 2:
		return append([]string{"HPEXPIREAT", key, at + "321"}, fields...)
	case 3:
		return append([]string{"HPEXPIRETIME", key}, fields...)
	case 4:
		return append([]string{"HPERSIST", key}, fields...)
	case 5:
		return append(append([]string{"HGETEX", key}, word...), fields...)
	case 6:
		return append([]string{"HGETDEL", key}, fields...)
	default:
		args := append([]string{"HSETEX", key}, strings.Fields(g.pick("", "", "FNX", "FXX", "NX", "XX"))...)
		if g.IntN(5) == 0 {
			word = []string{"KEEPTTL"}
		}
		return append(append(args, word...), pairs...)
	}
}

func request(args ...string) string {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return string(b)
}

// A peer is another server.
type peer struct {
	conn net.Conn
	in   *bufio.Reader
}

func startPeer(t *testing.T, name, version string) *peer {
	program, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s is installed to compare with", name)
	}
	said, err := exec.CommandContext(t.Context(), program, "--version").Output()
	if err != nil || !strings.Contains(string(said), version) {
		t.Skipf("the installed %s is not a %s: %s", name, version, said)
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	server := exec.CommandContext(t.Context(), program,
		"--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = server.Wait() // it was killed, and says so
	})
	r := &peer{}
	for range 500 {
		if r.conn, err = net.Dial("unix", socket); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.conn.Close() })
	r.in = bufio.NewReader(r.conn)
	return r
}

// do sends a command and returns the bytes of its reply.
func (r *peer) do(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := io.WriteString(r.conn, request(args...)); err != nil {
		t.Fatal(err)
	}
	var reply bytes.Buffer
	if err := copyReply(&reply, r.in); err != nil {
		t.Fatal(err)
	}
	return reply.String()
}

func copyReply(to *bytes.Buffer, in *bufio.Reader) error {
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	to.WriteString(line)
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch {
	case line[0] == '$' && n >= 0:
		_, err = io.CopyN(to, in, int64(n)+2)
	case line[0] == '*':
		for range n {
			if err := copyReply(to, in); err != nil {
				return err
			}
		}
	}
	return err
}
