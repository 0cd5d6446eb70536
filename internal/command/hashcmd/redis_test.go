package hashcmd_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"
)

// TestAgainstRedis sends random commands to a redis-server 7.0 and to us. Replies whose
// order is free are compared as multisets.
func TestAgainstRedis(t *testing.T) {
	r := original.Redis(t, original.Options{})
	r.Do("CONFIG", "SET", "hash-max-listpack-entries", "8", "hash-max-listpack-value", "20")
	compare(t, r, func(g *generator) []string { return g.old() })
}

// TestAgainstValkey does so for fields that expire, with a valkey-server 9.1. Times are
// absolute, and either over or far away, so both clocks may differ.
func TestAgainstValkey(t *testing.T) {
	r := original.Start(t, "valkey-server", "9.1.", original.Options{})
	r.Do("CONFIG", "SET", "hash-max-listpack-entries", "8")
	r.Do("CONFIG", "SET", "hash-max-listpack-value", "20")
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

func compare(t *testing.T, r *original.Server, next func(*generator) []string) {
	t.Helper()
	p := cmdtest.NewPair(newDB(t), r)
	p.Keyspace.Limits().HashEntries.Store(8)
	p.Keyspace.Limits().HashValue.Store(20)
	commands := testenv.Number(t, "SPINEL_COMMANDS", 5000)
	g := &generator{rand.New(rand.NewPCG(uint64(commands), 8))}
	for range commands {
		args := next(g)
		got, want := p.Ask(args...)
		if isFree(args[0]) {
			got, want = cmdtest.SortedLines(got), cmdtest.SortedLines(want)
		}
		if got != want && !errorsDiffer(got, want) {
			p.Differ(got, want)
		}
	}
	for _, key := range keys {
		checkAlike(t, p, key)
	}
}

// errorsDiffer says whether both are errors, the words of which Redis and Valkey have
// chosen differently: about expiries we follow Redis.
func errorsDiffer(got, want string) bool {
	return strings.HasPrefix(got, "-ERR") && (strings.HasPrefix(want, "-ERR numfields should be") ||
		strings.HasPrefix(want, "-ERR syntax error") || strings.HasPrefix(want, "-ERR invalid expire"))
}

// checkAlike compares a whole hash, also as HSCAN tells it.
func checkAlike(t *testing.T, p *cmdtest.Pair, key string) {
	t.Helper()
	if got, want := p.Ask("HGETALL", key); cmdtest.SortedLines(got) != cmdtest.SortedLines(want) {
		t.Errorf("%s: got %.300q, want %.300q", key, got, want)
	}
	var pairs []string
	for cursor, calls := "0", 0; calls == 0 || cursor != "0"; calls++ {
		lines := strings.Split(p.Do("HSCAN", key, cursor, "COUNT", "20").Raw(), "\r\n")
		cursor = lines[2]
		pairs = append(pairs, lines[4:]...)
	}
	slices.Sort(pairs)
	all := strings.Split(p.Do("HGETALL", key).Raw(), "\r\n")[1:]
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
