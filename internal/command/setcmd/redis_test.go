package setcmd_test

import (
	"bufio"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"
)

// TestAgainstRedis sends random commands to a redis-server 7.0 and to us. Replies without an
// order are compared as such; what chance decides is compared by its length, and then the
// other side is told to do the same.
func TestAgainstRedis(t *testing.T) {
	compare(t, false, func() *original.Server { return original.Redis(t, original.Options{}) })
}

// TestAgainstValkey does so with a valkey-server, which knows sets as listpacks.
func TestAgainstValkey(t *testing.T) {
	compare(t, true, func() *original.Server {
		return original.Start(t, "valkey-server", "", original.Options{})
	})
}

func compare(t *testing.T, listpacks bool, start func() *original.Server) {
	commands := testenv.Number(t, "SPINEL_COMMANDS", 4000)
	// Where an intset may have less than a listpack, the order of a table's members decides.
	for _, limits := range [][3]int64{{512, 128, 64}, {5, 4, 4}, {6, 2, 10}, {0, 0, 0}} {
		t.Log("limits", limits)
		p := newPair(t, start(), limits, listpacks)
		rng := rand.New(rand.NewPCG(uint64(limits[0]), uint64(commands)))
		for i := range commands / 4 {
			p.step(randomCommand(rng))
			if i%10 == 0 && (p.listpacks || limits[1] == 128) {
				p.encodings()
			}
		}
		for _, key := range keys {
			p.step([]string{"SMEMBERS", key})
		}
	}
}

var keys = []string{"a", "b", "c", "d", "str", "none"}

// randomCommand is a command of the family about few keys and members, with mistakes.
func randomCommand(rng *rand.Rand) []string {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	key := func() string { return pick("a", "b", "c", "d", "a", "b", "c", "d", "str", "none") }
	member := func() string {
		switch rng.IntN(6) {
		case 0:
			return pick("", "01", "-0", "+1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
				strings.Repeat("x", 64), strings.Repeat("x", 65), "65536", "-40000")
		case 1, 2:
			return pick("u", "v", "w", "x", "y", "z")
		}
		return strconv.Itoa(rng.IntN(12))
	}
	number := func() string {
		return pick("0", "1", "2", "3", "5", "100", "-1", "x", "", "1.0", "9223372036854775807",
			"9223372036854775808", "-9223372036854775808")
	}
	many := func(of func() string, args ...string) []string {
		for range 1 + rng.IntN(6) {
			args = append(args, of())
		}
		return args
	}
	var args []string
	switch rng.IntN(18) {
	case 0, 1, 2:
		args = many(member, "SADD", key())
	case 3, 4:
		args = many(member, "SREM", key())
	case 5:
		args = []string{pick("SISMEMBER", "sismember"), key(), member()}
	case 6:
		args = many(member, "SMISMEMBER", key())
	case 7:
		args = []string{pick("SCARD", "SMEMBERS"), key()}
	case 8:
		args = []string{"SMOVE", key(), key(), member()}
	case 9:
		args = []string{"SPOP", key(), number()}
		args = args[:2+rng.IntN(2)]
	case 10:
		args = []string{"SRANDMEMBER", key(), pick("0", "1", "2", "3", "100", "-1", "-7", "x", "",
			"9223372036854775807", "-9223372036854775808")}
		args = args[:2+rng.IntN(2)]
	case 11, 12:
		args = many(key, pick("SINTER", "SUNION", "SDIFF"))
	case 13, 14, 15:
		args = many(key, pick("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"), pick("a", "b", "c", "d", "d", "str"))
	case 16:
		args = many(key, "SINTERCARD", pick("1", "2", "3", "2", number()))
		if rng.IntN(2) == 0 {
			args = append(args, pick("LIMIT", "limit", "WHAT"), number())
		}
	case 17:
		args = []string{"SSCAN", key(), pick("0", "0", "0", "x", "-"), "COUNT", "1000"}
		if rng.IntN(2) == 0 {
			args = append(args, pick("COUNT", "MATCH", "match", "WHAT"), pick("1000", "*", "1*", "0", "x"))
		}
	}
	if rng.IntN(60) == 0 && args[0] != "SSCAN" {
		args = args[:1+rng.IntN(len(args))]
	}
	if rng.IntN(60) == 0 {
		args = append(args, "more")
	}
	return args
}

// step sends a command to both sides and compares.
func (p *pair) step(args []string) {
	got, want := p.Ask(args...)
	if got == want {
		return
	}
	isList := got[0] == '*' && want[0] == '*'
	switch args[0] {
	case "SMEMBERS", "SINTER", "SUNION", "SDIFF", "SSCAN":
		if isList && slices.Equal(sorted(got), sorted(want)) {
			return
		}
	case "SPOP":
		ours, theirs := sorted(got), sorted(want)
		if got[0] == want[0] && len(ours) == len(theirs) && got[0] != '-' {
			p.same(args[1], ours, theirs)
			return
		}
	case "SRANDMEMBER":
		if got[0] == want[0] && len(sorted(got)) == len(sorted(want)) && got[0] != '-' {
			return
		}
	}
	p.Differ(got, want)
}

// same makes our set what theirs is after both have popped what chance chose: what they have
// popped goes, and what we have comes back.
func (p *pair) same(key string, ours, theirs []string) {
	for _, m := range ours {
		if !slices.Contains(theirs, m) {
			p.Do("SADD", key, m)
			p.Ask("SREM", key, m)
		}
	}
	for _, m := range theirs {
		if !slices.Contains(ours, m) {
			p.Ask("SREM", key, m)
		}
	}
	if p.listpacks {
		return
	}
	// What is left of a table is a listpack with us and may be an intset in 7.0.
	left := append([]string{"SADD", key}, sorted(p.Original.Do("SMEMBERS", key))...)
	if len(left) > 2 {
		p.Ask("DEL", key)
		p.Ask(left...)
	}
}

// encodings compares how both sides keep the sets. We say what Redis 7.0 does, which has
// tables where 7.2 has listpacks.
func (p *pair) encodings() {
	for _, key := range keys {
		got, want := p.Ask("OBJECT", "ENCODING", key)
		if key == "str" || got == want {
			continue
		}
		if p.listpacks && want == "$8\r\nlistpack\r\n" && got == "$9\r\nhashtable\r\n" {
			continue
		}
		p.Differ(got, want)
	}
}

// sorted is the strings of a reply, sorted.
func sorted(reply string) (all []string) {
	in := bufio.NewReader(strings.NewReader(reply))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		if n, _ := strconv.Atoi(strings.TrimSpace(line[1:])); line[0] == '$' && n >= 0 {
			b := make([]byte, n+2)
			_, _ = io.ReadFull(in, b)
			all = append(all, string(b[:n]))
		}
	}
	slices.Sort(all)
	return all
}

// A pair is us and an original with the same limits.
type pair struct {
	*cmdtest.Pair
	listpacks bool // the original keeps small sets as listpacks
}

func newPair(t *testing.T, o *original.Server, limits [3]int64, listpacks bool) *pair {
	p := &pair{cmdtest.NewPair(newDB(t), o), listpacks}
	names := []string{"set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value"}
	if !listpacks {
		names = names[:1]
	}
	for i, name := range names {
		if reply := o.Do("CONFIG", "SET", name, strconv.FormatInt(limits[i], 10)); reply != "+OK\r\n" {
			t.Fatal(reply)
		}
	}
	l := p.Keyspace.Limits()
	l.SetIntset.Store(limits[0])
	l.SetEntries.Store(limits[1])
	l.SetValue.Store(limits[2])
	p.Same("SET", "str", "v")
	return p
}
