package debugcmd_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/hashcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
	"github.com/spineldb/spinel/internal/original"
)

func everyType() [][]*command.Spec {
	return [][]*command.Spec{
		keycmd.Family.Specs, listcmd.Family.Specs, setcmd.Family.Specs, hashcmd.Family.Specs, zsetcmd.Family.Specs,
		txcmd.Family.Specs, cmdtest.Strings(),
	}
}

func newPair(t *testing.T) *cmdtest.Pair {
	t.Helper()
	w := newWorld(t, open, everyType()...)
	w.Clock.SetWall(clock.Millis(time.Now().UnixMilli()))
	return cmdtest.NewPair(w.DB, original.Redis(t, original.Options{}))
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
	for range 25 {
		many := pick("1", "3", "60", "700")
		n := map[string]int{"1": 1, "3": 3, "60": 60, "700": 700}[many]
		key := func(t string) string { return t + many + pick("x", "y") }
		for range n {
			p.Ask("RPUSH", key("l"), word())
			p.Ask("SADD", key("s"), word())
			p.Ask("SADD", key("i"), fmt.Sprint(rng.IntN(1<<20)))
			p.Ask("HSET", key("h"), word(), word())
			p.Ask("ZADD", key("z"), score(), word())
			p.Ask("SET", key("k")+word(), word())
			p.Original.Do("XADD", "stream"+many, "*", word()+"f", word(), "g", word())
		}
		p.Ask("PEXPIREAT", key(pick("l", "s", "h", "z")), "4102444800000")
		for _, call := range [][]string{{"LPOP", key("l")}, {"SREM", key("s"), word()}, {"HDEL", key("h"), word()},
			{"ZREM", key("z"), word()}, {"DEL", key(pick("l", "s", "h", "z"))}} {
			p.Ask(call...)
		}
		p.Original.Do("XDEL", "stream"+many, "1-1")
		p.Original.Do("XGROUP", "CREATE", "stream"+many, "g", "0")
		payload := cmdtest.Render(p.Original.Do("DUMP", "stream"+many))
		p.Do("RESTORE", "stream"+many, "0", payload, "REPLACE").Want("OK")
		for _, typ := range []string{"l", "s", "i", "h", "z"} {
			p.Same("DEBUG", "OBJECT", "none"+typ)
			p.Same("DEBUG", "DIGEST-VALUE", key(typ))
		}
		p.Same("DEBUG", "DIGEST")
	}
}

var figures = regexp.MustCompile(`encoding:\w+|ql_.*`)

// TestObjectAgainstRedis compares what DEBUG OBJECT says of lists of one node.
func TestObjectAgainstRedis(t *testing.T) {
	p := newPair(t)
	rng := rand.New(rand.NewPCG(2, 2))
	for range 60 {
		p.Ask("DEL", "l")
		for range 1 + rng.IntN(100) {
			p.Ask("RPUSH", "l", fmt.Sprint(rng.IntN(1<<rng.IntN(40))), strings.Repeat("x", rng.IntN(30)))
		}
		ours, theirs := p.Ask("DEBUG", "OBJECT", "l")
		got, want := figures.FindAllString(ours, -1), figures.FindAllString(theirs, -1)
		if len(want) != 2 || !slices.Equal(got, want) {
			p.Differ(ours, theirs)
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
		p.Ask(strings.Fields(line)...)
	}
	for _, key := range []string{"none", "str", "list", "ints", "set", "small", "zsmall", "big", "zbig"} {
		p.Same("DEBUG", "LISTPACK", key)
		ours, theirs := p.Ask("DEBUG", "HTSTATS-KEY", key)
		if (theirs[0] == '-' || ours[0] == '-') && ours != theirs {
			p.Differ(ours, theirs)
		}
	}
	for _, size := range []string{"0", "1", "100b", "1kb", "4095mb", "4096mb", "4gb", "abc", "-1", "", "1.5kb",
		"4293918720", "4293918721", "4294967295"} {
		p.Same("DEBUG", "QUICKLIST-PACKED-THRESHOLD", size)
	}
}
