package keycmd_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
)

// A redis is an original to compare with, on a socket in its own folder.
type redis struct {
	t    *testing.T
	conn net.Conn
	in   []byte
}

func startRedis(t *testing.T) *redis {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server to compare with")
	}
	dir := t.TempDir()
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", "sock", "--save", "", "--dir", dir)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 200 {
		if conn, err := net.Dial("unix", filepath.Join(dir, "sock")); err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			return &redis{t: t, conn: conn}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("redis-server does not answer")
	return nil
}

// do returns the bytes of one reply: everything before the reply to the ECHO behind it.
func (r *redis) do(args ...string) string {
	r.t.Helper()
	const mark = "\x01the end of the reply\x01"
	var b []byte
	for _, call := range [][]string{args, {"ECHO", mark}} {
		b = fmt.Appendf(b, "*%d\r\n", len(call))
		for _, a := range call {
			b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	if _, err := r.conn.Write(b); err != nil {
		r.t.Fatal(err)
	}
	tail := fmt.Appendf(nil, "$%d\r\n%s\r\n", len(mark), mark)
	r.in = r.in[:0]
	for !bytes.HasSuffix(r.in, tail) {
		n := len(r.in)
		r.in = slices.Grow(r.in, 4096)
		m, err := r.conn.Read(r.in[n:cap(r.in)])
		if err != nil {
			r.t.Fatal(err)
		}
		r.in = r.in[:n+m]
	}
	return string(r.in[:len(r.in)-len(tail)])
}

// TestAgainstRedis sends the same random commands to Redis and to us and compares every
// byte of the replies. Only what depends on the moment is left out: times are far away
// or over.
func TestAgainstRedis(t *testing.T) {
	r := startRedis(t)
	db := newDB(t)
	db.Clock.SetWall(clock.Millis(time.Now().UnixMilli()))
	rng := rand.New(rand.NewPCG(7, 0))
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	key := func() string { return pick("a", "b", "c", "") }
	when := func() string {
		return pick("4102444800", "4102444801", "4102444800000", "4102444801000", "1", "0", "-1", "x", "", "1.0",
			"9223372036854775807", "-9223372036854775808", "9223372036854775", "-9223372036854775", "+5", "007")
	}
	option := func() string { return pick("NX", "XX", "GT", "LT", "nx", "gt", "FOO", "") }
	longest := strings.Repeat("x", 44) // that Redis embeds
	number := func() string { return pick("0", "1", "2", "15", "16", "-1", "x", "2147483648", "") }
	payload := func() string {
		return pick(payloadOfRedis, payloadOfRedis, withChecksum("\x00\xc1\x39\x30", 6),
			withChecksum("\x00\x03abc", 10),
			withChecksum("\x00\x3fab", 10), "", "junk", // a string that goes on behind the payload
			payloadOfRedis+"x", withChecksum("\xee", 10))
	}
	randomCall := func() (args []string) {
		switch rng.IntN(13) {
		case 0:
			args = []string{"SET", key(), pick("v", "5", "10000", "-0", longest, longest+"x")}
		case 1:
			args = []string{pick("DEL", "UNLINK", "EXISTS", "TOUCH"), key(), key(), key()}
		case 2, 3, 4:
			// A relative time that is in range ends at different times here and there.
			name := pick("EXPIREAT", "PEXPIREAT", "expireat")
			args = []string{name, key(), when()}
			for range rng.IntN(3) {
				args = append(args, option())
			}
		case 5:
			at := when()
			if strings.HasPrefix(at, "41") || strings.HasPrefix(at, "922") && len(at) < 19 || at == "1" {
				at = "0"
			}
			args = []string{pick("EXPIRE", "PEXPIRE"), key(), at, option()}
		case 6:
			args = []string{pick("EXPIRETIME", "PEXPIRETIME", "PERSIST", "TYPE"), key()}
		case 7:
			args = []string{"COPY", key(), key()}
			for range rng.IntN(3) {
				args = append(args, pick("REPLACE", "DB", "replace", number(), "DB"), number())
			}
		case 8:
			args = []string{pick("RENAME", "RENAMENX"), key(), key()}
		case 9:
			args = []string{"MOVE", key(), number()}
		case 10:
			args = []string{"OBJECT", pick("ENCODING", "encoding", "FOO"), key()}
		case 11:
			args = []string{"SELECT", pick("0", "0", "1", "2")}
		case 12:
			ttl := pick("0", "0", "4102444800000", "1", "-1", "x", "9223372036854775807", "")
			args = []string{"RESTORE", key(), ttl, payload(), "ABSTTL"}
			for range rng.IntN(3) {
				args = append(args, pick("REPLACE", "ABSTTL", "IDLETIME", "FREQ", "1", "256", "-1", "x", "REPLACE"))
			}
		}
		if rng.IntN(40) == 0 {
			args = args[:1+rng.IntN(len(args))] // too few arguments
		}
		return args
	}
	for i := range 15_000 {
		args := randomCall()
		if len(args) == map[string]int{"SELECT": 1, "RESTORE": 4}[args[0]] {
			continue // our SELECT is a makeshift; without ABSTTL the time counts from now
		}
		want, got := r.do(args...), db.Do(args...).Raw()
		if want != got {
			t.Fatalf("call %d, %q:\nredis %q\nwe    %q", i, args, want, got)
		}
	}
	for _, n := range []string{"0", "1", "2", "15"} {
		r.do("SELECT", n)
		db.Do("SELECT", n)
		want, got := elements(t, r.do("KEYS", "*")), elements(t, db.Do("KEYS", "*").Raw())
		if !slices.Equal(want, got) {
			t.Errorf("database %s: redis has %q, we have %q", n, want, got)
		}
	}
}

// TestDumpOfRedis restores what Redis dumped. The other way is not for 7.0, which reads
// nothing newer than itself, but for a version in the footer that it knows.
func TestDumpOfRedis(t *testing.T) {
	r := startRedis(t)
	db := newDB(t)
	for _, value := range []string{"", "v", "5", "-129", "70000", "9999999999", "007",
		strings.Repeat("abc", 1000), strings.Repeat("\x00\xff", 15)} {
		r.do("SET", "k", value)
		db.Do("RESTORE", "k", "0", dumpOf(t, r.do("DUMP", "k")), "REPLACE").Want("OK")
		db.Do("GET", "k").Want(value)

		ours := dumpOf(t, db.Do("DUMP", "k").Raw())
		older := withChecksum(ours[:len(ours)-10], 10)
		if got := r.do("RESTORE", "k", "0", older, "REPLACE"); got != "+OK\r\n" {
			t.Errorf("%q: %q", ours, got)
		}
		if got, want := r.do("GET", "k"), db.Do("GET", "k").Raw(); got != want {
			t.Errorf("redis restored %q, want %q", got, want)
		}
	}
}
