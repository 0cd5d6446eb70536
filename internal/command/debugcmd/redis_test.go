package debugcmd_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/hashcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
)

func everyType() [][]*command.Spec {
	return [][]*command.Spec{
		keycmd.Family.Specs, listcmd.Family.Specs, setcmd.Family.Specs, hashcmd.Family.Specs, zsetcmd.Family.Specs,
		txcmd.Family.Specs, stringcmd.Family.With(stringcmd.Deps{MaxBulk: func() int64 { return 512 << 20 }}),
	}
}

// startRedis runs a redis-server 7.0 to compare with.
func startRedis(t *testing.T) *client.Conn {
	t.Helper()
	version, err := exec.Command("redis-server", "--version").Output()
	if err != nil || !strings.Contains(string(version), "v=7.0.") {
		t.Skip("no redis-server 7.0 to compare with")
	}
	dir := t.TempDir()
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", "sock", "--save", "", "--dir", dir,
		"--enable-debug-command", "yes")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Skip("redis-server does not start: ", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 500 {
		if conn, err := net.Dial("unix", filepath.Join(dir, "sock")); err == nil {
			c := client.New(conn, client.Options{ReadTimeout: 10 * time.Second})
			t.Cleanup(func() { _ = c.Close() })
			return c
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Skip("redis-server does not answer")
	return nil
}

// A pair is a server of ours and Redis, who get the same commands.
type pair struct {
	*world
	t     *testing.T
	redis *client.Conn
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{world: newWorld(t, open, everyType()...), t: t, redis: startRedis(t)}
	p.Clock.SetWall(clock.Millis(time.Now().UnixMilli()))
	return p
}

// text is Redis's reply, an error with a minus.
func (p *pair) text(args ...string) string {
	p.t.Helper()
	r, err := p.redis.Do(args...)
	if err != nil {
		p.t.Fatalf("%q: %v", args, err)
	}
	if r.Err() != nil {
		return "-" + r.Text
	}
	return r.Text
}

func (p *pair) both(args ...string) {
	p.t.Helper()
	if _, err := p.redis.Do(args...); err != nil {
		p.t.Fatalf("%q: %v", args, err)
	}
	p.Do(args...)
}

func (p *pair) same(args ...string) {
	p.t.Helper()
	if ours, theirs := p.Do(args...).Text(), p.text(args...); ours != theirs {
		p.t.Fatalf("%q:\nredis %.300q\nwe    %.300q", args, theirs, ours)
	}
}

// TestDigestAgainstRedis fills both servers with values of every type in every encoding,
// changes them, and compares the digests. Streams come as payloads of Redis.
func TestDigestAgainstRedis(t *testing.T) {
	p := newPair(t)
	rng := rand.New(rand.NewPCG(1, 1))
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	word := func() string {
		return pick("", "a", "b", "7", "-1", "007", "1.5", "\x00\xff", strings.Repeat("long", 30),
			fmt.Sprint(rng.IntN(1000)))
	}
	score := func() string {
		return pick("0", "1", "0.1", "1e300", "-inf", "inf", "3.0000000000000004", "1e-300",
			"123456789012345680", fmt.Sprint(rng.NormFloat64()))
	}
	for round := range 25 {
		many := pick("1", "3", "60", "700")
		n := map[string]int{"1": 1, "3": 3, "60": 60, "700": 700}[many]
		key := func(t string) string { return t + many + pick("x", "y") }
		for range n {
			p.both("RPUSH", key("l"), word())
			p.both("SADD", key("s"), word())
			p.both("SADD", key("i"), fmt.Sprint(rng.IntN(1<<20)))
			p.both("HSET", key("h"), word(), word())
			p.both("ZADD", key("z"), score(), word())
			p.both("SET", key("k")+word(), word())
			p.redis.Do("XADD", "stream"+many, "*", word()+"f", word(), "g", word())
		}
		p.both("PEXPIREAT", key(pick("l", "s", "h", "z")), "4102444800000")
		for _, call := range [][]string{{"LPOP", key("l")}, {"SREM", key("s"), word()}, {"HDEL", key("h"), word()},
			{"ZREM", key("z"), word()}, {"DEL", key(pick("l", "s", "h", "z"))}} {
			p.both(call...)
		}
		p.redis.Do("XDEL", "stream"+many, "1-1")
		p.redis.Do("XGROUP", "CREATE", "stream"+many, "g", "0")
		payload, err := p.redis.Do("DUMP", "stream"+many)
		if err != nil {
			t.Fatal(err)
		}
		p.Do("RESTORE", "stream"+many, "0", payload.Text, "REPLACE").Want("OK")
		for _, typ := range []string{"l", "s", "i", "h", "z"} {
			p.same("DEBUG", "OBJECT", "none"+typ)
			k := key(typ)
			if got, want := p.Do("DEBUG", "DIGEST-VALUE", k).Text(), p.digestOf(k); got != "["+want+"]" {
				t.Fatalf("round %d: %s: we have %s, redis %s", round, k, got, want)
			}
		}
		p.same("DEBUG", "DIGEST")
	}
}

func (p *pair) digestOf(key string) string {
	r, err := p.redis.Do("DEBUG", "DIGEST-VALUE", key)
	if err != nil || len(r.Elems) != 1 {
		p.t.Fatalf("%+v, %v", r, err)
	}
	return r.Elems[0].Text
}

var figures = regexp.MustCompile(`encoding:\w+|ql_.*`)

// TestObjectAgainstRedis compares what DEBUG OBJECT says of lists of one node.
func TestObjectAgainstRedis(t *testing.T) {
	p := newPair(t)
	rng := rand.New(rand.NewPCG(2, 2))
	for range 60 {
		p.both("DEL", "l")
		for range 1 + rng.IntN(100) {
			p.both("RPUSH", "l", fmt.Sprint(rng.IntN(1<<rng.IntN(40))), strings.Repeat("x", rng.IntN(30)))
		}
		ours := figures.FindAllString(p.Do("DEBUG", "OBJECT", "l").Text(), -1)
		theirs := figures.FindAllString(p.text("DEBUG", "OBJECT", "l"), -1)
		if len(theirs) != 2 || strings.Join(ours, " ") != strings.Join(theirs, " ") {
			t.Fatalf("redis %q\nwe    %q", theirs, ours)
		}
	}
}

// TestInsideAgainstRedis compares who is refused by the subcommands about encodings.
func TestInsideAgainstRedis(t *testing.T) {
	p := newPair(t)
	for _, line := range []string{
		"SET str v", "RPUSH list a b", "SADD ints 1 2", "SADD set a b", "HSET small f v", "ZADD zsmall 1 a",
		"HSET big f " + strings.Repeat("v", 100), "ZADD zbig 1 " + strings.Repeat("v", 100),
	} {
		p.both(strings.Fields(line)...)
	}
	for _, key := range []string{"none", "str", "list", "ints", "set", "small", "zsmall", "big", "zbig"} {
		p.same("DEBUG", "LISTPACK", key)
		ours, theirs := p.Do("DEBUG", "HTSTATS-KEY", key).Text(), p.text("DEBUG", "HTSTATS-KEY", key)
		if (theirs[0] == '-' || ours[0] == '-') && ours != theirs {
			t.Errorf("HTSTATS-KEY %s: redis %q, we %q", key, theirs, ours)
		}
	}
	for _, size := range []string{"0", "1", "100b", "1kb", "4095mb", "4096mb", "4gb", "abc", "-1", "", "1.5kb",
		"4293918720", "4293918721", "4294967295"} {
		p.same("DEBUG", "QUICKLIST-PACKED-THRESHOLD", size)
	}
}
