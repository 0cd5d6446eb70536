package zsetcmd_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"
)

// TestAgainstRedis sends random commands to a redis-server 7.0 and to us, with limits that
// make small sets big ones. The replies must be the same bytes, the encodings the same
// names, and in the end Redis's append-only file must hold what we journalled.
func TestAgainstRedis(t *testing.T) {
	p := cmdtest.NewPair(newDB(t), original.Redis(t, original.Options{AppendOnly: true}))
	p.Original.Do("CONFIG", "SET", "zset-max-listpack-entries", "6", "zset-max-listpack-value", "12")
	p.Keyspace.Limits().ZSetEntries.Store(6)
	p.Keyspace.Limits().ZSetValue.Store(12)
	p.RecordJournal()
	p.Same("SET", "str", "x")
	rounds := testenv.Number(t, "SPINEL_COMMANDS", 6000)
	g := generator{rand.New(rand.NewPCG(uint64(rounds), 3))}
	for i := range rounds {
		if i%1000 == 0 {
			p.Speak(g.of("2 3"))
		}
		args := g.command()
		got, want := p.Ask(args...)
		want = noMinusZero.Replace(want)
		if got != want && (!g.isFree(args) || cmdtest.SortedLines(got) != cmdtest.SortedLines(want)) {
			p.Differ(got, want)
		}
	}
	for _, key := range strings.Fields(zkeys) {
		if got, want := p.Ask("ZRANGE", key, "0", "-1", "WITHSCORES"); got != noMinusZero.Replace(want) {
			p.Differ(got, want)
		}
		p.Same("OBJECT", "ENCODING", key)
	}
	p.SameJournal()
}

// noMinusZero makes Redis's -0, the weight -1 times the score 0, what it is to us.
var noMinusZero = strings.NewReplacer("$2\r\n-0\r\n", "$1\r\n0\r\n", ",-0\r\n", ",0\r\n")

const zkeys = "a b c d e lex"

// A generator makes commands, mostly sound, with many clashes.
type generator struct{ *rand.Rand }

func (g generator) of(line string) string {
	words := strings.Split(line, " ")
	return words[g.IntN(len(words))]
}

// key is not lex, which has the score 0 only.
func (g generator) key() string { return g.of("a b c d e a b c d e a b c d missing set str") }

func (g generator) member() string {
	if g.IntN(8) == 0 {
		return g.of(" 1 -5 007 1.5 9223372036854775807 a_long_member_of_more another_long_member_here")
	}
	return "m" + strconv.Itoa(g.IntN(14))
}

// score is one that both print alike: what Redis 7.0 prints with 17 digits needs no more.
func (g generator) score() string {
	if g.IntN(3) > 0 {
		return strconv.Itoa(g.IntN(9) - 2)
	}
	return g.of("0.5 -1.25 1e3 inf -inf +inf 1048576 4294967296.5 -7 3.0 x 0x10 nan 123456789012 1e400")
}

func (g generator) bound() string {
	if g.IntN(10) == 0 {
		return g.of("( x (inf (-inf 1e400 -1e400 nan  (x")
	}
	return g.of("( ") + g.of("-inf +inf -1 0 1 2 3 4 5 0.5 1000")
}

func (g generator) lex() string {
	if g.IntN(12) == 0 {
		return g.of("x +x -- [ ( (( [[ ")
	}
	return g.of("- + - + [a [b [c [d (a (b (c (d [cc (bb [e")
}

func (g generator) index() string {
	return g.of("0 1 2 3 5 -1 -2 -3 -7 100 -100 9223372036854775807 -9223372036854775808 0 -1 0 -1 x 1.5")
}

func (g generator) maybe(args []string, more ...string) []string {
	if g.IntN(2) == 0 {
		return append(args, more...)
	}
	return args
}

// isFree says whether a reply may come in any order.
func (g generator) isFree(args []string) bool { return args[0] == "ZSCAN" }

func (g generator) command() []string {
	switch g.IntN(24) {
	case 0, 1, 2, 3:
		return g.add()
	case 4:
		return []string{"ZINCRBY", g.key(), g.score(), g.member()}
	case 5, 6:
		return []string{"ZREM", g.key(), g.member(), g.member(), g.member()}[:3+g.IntN(3)]
	case 7:
		if g.IntN(2) == 0 { // a fourth argument came with 7.2
			return []string{g.of("ZRANK ZREVRANK"), g.key(), g.member()}[:2+g.IntN(2)]
		}
		return []string{g.of("ZCARD ZSCORE ZMSCORE"), g.key(), g.member(), g.member()}[:2+g.IntN(3)]
	case 8:
		return []string{g.of("ZCOUNT ZREMRANGEBYSCORE"), g.key(), g.bound(), g.bound()}
	case 9:
		return []string{g.of("ZLEXCOUNT ZREMRANGEBYLEX"), g.of("lex lex nokey str"), g.lex(), g.lex()}
	case 10:
		return []string{"ZREMRANGEBYRANK", g.key(), g.index(), g.index()}
	case 11, 12, 13:
		return g.rangeCall()
	case 14:
		args := []string{g.of("ZPOPMIN ZPOPMAX"), g.key()}
		return g.maybe(args, g.of("0 1 2 3 100 -1 x 9223372036854775807"))
	case 15:
		return g.popMany()
	case 16, 17, 18, 19:
		return g.combine()
	case 20:
		return g.random()
	case 21:
		args := []string{"ZSCAN", g.of("lex missing str"), g.of("0 0 0 x 18446744073709551616")}
		args = g.maybe(args, "MATCH", g.of("* m* a [bc] x"))
		return append(args, g.of("COUNT COUNT count X"), g.of("1000 1000 5000 0 x -1")) // all at once
	case 22:
		return [][]string{{"OBJECT", "ENCODING", g.of(zkeys)}, {"DEL", g.of(zkeys + " set")}, {"TYPE", g.key()},
			{"SADD", "set", g.member(), "1", "2"}, {"SREM", "set", g.member()}}[g.IntN(5)]
	}
	if g.IntN(3) == 0 {
		return []string{g.of("ZRANK ZSCORE ZCARD ZREVRANK ZPOPMIN"), "lex", g.of("a b c")}[:2+g.IntN(2)]
	}
	return []string{"ZADD", "lex", "0", g.of("a b c d e aa bb cc dd f g h"), "0", g.of("a b c d")}
}

func (g generator) add() []string {
	args := []string{"ZADD", g.key()}
	for g.IntN(3) == 0 {
		args = append(args, g.of("NX XX GT LT CH INCR nx ch"))
	}
	for range 1 + g.IntN(4)*g.IntN(2) {
		args = append(args, g.score(), g.member())
	}
	if g.IntN(40) == 0 {
		args = args[:len(args)-1]
	}
	return args
}

func (g generator) rangeCall() []string {
	args := []string{"ZRANGE", g.key(), g.index(), g.index()}
	switch name := g.of("ZRANGE ZRANGE ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX " +
		"ZREVRANGEBYLEX ZRANGESTORE ZRANGESTORE"); name {
	case "ZRANGEBYSCORE", "ZREVRANGEBYSCORE":
		args = []string{name, g.key(), g.bound(), g.bound()}
	case "ZRANGEBYLEX", "ZREVRANGEBYLEX":
		args = []string{name, "lex", g.lex(), g.lex()}
	case "ZREVRANGE":
		args[0] = name
	default:
		switch g.IntN(4) {
		case 0:
			args = []string{"ZRANGE", g.key(), g.bound(), g.bound(), "BYSCORE"}
		case 1:
			args = []string{"ZRANGE", "lex", g.lex(), g.lex(), "BYLEX"}
		}
		if args = g.maybe(args, "REV"); name == "ZRANGESTORE" {
			args = append([]string{name, g.of("a b c d e")}, args[1:]...)
		}
	}
	if g.IntN(3) == 0 {
		args = append(args, "LIMIT", g.of("0 1 2 -1 9223372036854775807 x"),
			g.of("0 1 2 3 -1 100 9223372036854775807"))
	}
	if g.IntN(3) == 0 {
		args = append(args, g.of("WITHSCORES withscores REV BYLEX LIMIT x"))
	}
	return args
}

func (g generator) popMany() []string {
	n := 1 + g.IntN(3)
	args := []string{g.of("1 2 3 0 x"), g.key(), g.key(), g.key()}
	if g.IntN(6) > 0 {
		args = append([]string{strconv.Itoa(n)}, args[1:1+n]...)
	}
	args = append(args, g.of("MIN MAX min max MIN MAX x"))
	if g.IntN(2) == 0 {
		args = append(args, g.of("COUNT COUNT count x"), g.of("1 2 3 10 0 -1 x 9223372036854775807"))
	}
	return append([]string{"ZMPOP"}, args...)
}

func (g generator) combine() []string {
	n := 1 + g.IntN(4)
	name := g.of("ZUNION ZINTER ZDIFF ZUNIONSTORE ZINTERSTORE ZDIFFSTORE ZINTERCARD")
	args := []string{name}
	if strings.HasSuffix(name, "STORE") {
		args = append(args, g.of("a b c d e"))
	}
	args = append(args, g.of(strings.Repeat(strconv.Itoa(n)+" ", 12)+"0 -1 x 9223372036854775807"))
	for range n {
		args = append(args, g.of("a b c d e lex set set missing a b c d e a b c d e a b c d e a b c d e str"))
	}
	if g.IntN(3) == 0 {
		args = append(args, g.of("WEIGHTS weights"))
		for range n - g.IntN(20)/19 {
			args = append(args, g.of("1 2 0.5 1 2 0.5 1 2 3 -1 inf -inf 4 4 4 x"))
		}
	}
	if g.IntN(3) == 0 {
		args = append(args, "AGGREGATE", g.of("SUM MIN MAX min x"))
	}
	if g.IntN(3) == 0 {
		args = append(args, g.of("WITHSCORES withscores LIMIT"))
	}
	if name == "ZINTERCARD" && g.IntN(2) == 0 {
		args = append(args, "LIMIT", g.of("0 1 2 100 -1 x"))
	}
	return args
}

// random asks for all, or for what is wrong: the rest differs.
func (g generator) random() []string {
	return strings.Fields(g.of("ZRANDMEMBER_missing ZRANDMEMBER_missing_3 ZRANDMEMBER_str ZRANDMEMBER_a_0 " +
		"ZRANDMEMBER_a_x ZRANDMEMBER_a_-9223372036854775808 ZRANDMEMBER_a_-9223372036854775807_WITHSCORES " +
		"ZRANDMEMBER_a_4611686018427387904_WITHSCORES ZRANDMEMBER_a_1_WITHSCORE ZRANDMEMBER_missing_-3_WITHSCORES"))
}
