package zsetcmd_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// bothEncodings runs a test with small sets as listpacks, and with none.
func bothEncodings(t *testing.T, test func(t *testing.T, db *cmdtest.DB)) {
	for _, entries := range []int64{128, 0} {
		db := newDB(t)
		db.RecordJournal()
		db.Keyspace.Limits().ZSetEntries.Store(entries)
		test(t, db)
	}
}

// A call is a command, its words separated by blanks, and the text of its reply. <> is an
// empty word.
type call struct{ line, want string }

func words(line string) []string {
	args := strings.Fields(line)
	for i, a := range args {
		if a == "<>" {
			args[i] = ""
		}
	}
	return args
}

func run(db *cmdtest.DB, calls []call) {
	for _, c := range calls {
		db.Do(words(c.line)...).Want(c.want)
	}
}

func TestZAdd(t *testing.T) {
	bothEncodings(t, func(t *testing.T, db *cmdtest.DB) {
		run(db, []call{
			{"ZADD k 1 a 2 b 3 c", "3"},
			{"ZADD k 1 a 5 b", "0"},
			{"ZADD k CH 1 a 6 b 7 new", "2"},
			{"ZADD k NX 9 a 9 d", "1"},
			{"ZADD k XX 4 a 4 e", "0"},
			{"ZADD k GT CH 3 a 5 c", "1"},
			{"ZADD k LT CH 9 a 1 c 2 f", "2"},
			{"ZADD k INCR 1.5 a", "5.5"},
			{"ZADD k NX INCR 1 a", "(nil)"},
			{"ZADD k XX INCR 1 missing", "(nil)"},
			{"ZADD k GT INCR -1 a", "(nil)"},
			{"ZADD k INCR 0 a", "5.5"},
			{"ZADD k XX GT INCR 0.5 a", "6"},
			{"ZADD missing XX 1 a", "0"},
			{"ZADD missing XX INCR 1 a", "(nil)"},
			{"ZADD k inf i -inf j -0 zero", "3"},
			{"ZADD k INCR -inf i", "-ERR resulting score is not a number (NaN)"},
			{"ZINCRBY k 0.1 a", "6.0999999999999996"},
			{"ZINCRBY new 0.1 a", "0.10000000000000001"},
			{"ZRANGE k 0 -1 WITHSCORES", "[j -inf zero 0 c 1 f 2 b 6 a 6.0999999999999996 new 7 d 9 i inf]"},
			{"ZREM k a b c x a", "3"},
			{"ZREM k j zero f new d i", "6"},
			{"EXISTS k", "0"},
			{"ZREM k a", "0"},
		})
		db.WantJournal("ZADD k 1 a 2 b 3 c", "ZADD k 1 a 5 b", "ZADD k CH 1 a 6 b 7 new", "ZADD k NX 9 a 9 d",
			"ZADD k XX 4 a 4 e", "ZADD k GT CH 3 a 5 c", "ZADD k LT CH 9 a 1 c 2 f", "ZADD k INCR 1.5 a",
			"ZADD k XX GT INCR 0.5 a", "ZADD k inf i -inf j -0 zero", "ZINCRBY k 0.1 a", "ZINCRBY new 0.1 a",
			"ZREM k a b c x a", "ZREM k j zero f new d i")
	})
}

func TestRanges(t *testing.T) {
	bothEncodings(t, func(t *testing.T, db *cmdtest.DB) {
		run(db, []call{
			{"ZADD k 1 a 2 b 2 bb 3 c 4 d", "5"},
			{"ZADD lex 0 a 0 b 0 c 0 d 0 <>", "5"},
			{"ZRANGE k 1 2", "[b bb]"},
			{"ZRANGE k 0 -1 REV", "[d c bb b a]"},
			{"ZRANGE k -2 -1 REV WITHSCORES", "[b 2 a 1]"},
			{"ZRANGE k 5 9", "[]"},
			{"ZRANGE k 2 (4 BYSCORE", "[b bb c]"},
			{"ZRANGE k +inf 2 BYSCORE REV LIMIT 1 2", "[c bb]"},
			{"ZRANGE k -inf +inf BYSCORE LIMIT 3 -1 WITHSCORES", "[c 3 d 4]"},
			{"ZRANGEBYSCORE k 2 2 LIMIT -1 5", "[]"},
			{"ZRANGEBYSCORE k 2 2 LIMIT 0 0", "[]"},
			{"ZREVRANGEBYSCORE k 3 (1 WITHSCORES", "[c 3 bb 2 b 2]"},
			{"ZREVRANGE k 0 1", "[d c]"},
			{"ZRANGE lex [b + BYLEX LIMIT 1 5", "[c d]"},
			{"ZREVRANGEBYLEX lex (c - LIMIT 0 2", "[b a]"},
			{"ZRANGEBYLEX lex - (a", "[]"},
			{"ZLEXCOUNT lex - +", "5"},
			{"ZLEXCOUNT lex (a [c", "2"},
			{"ZCOUNT k 2 (4", "3"},
			{"ZCOUNT k (4 2", "0"},
			{"ZRANK k bb", "2"},
			{"ZREVRANK k bb WITHSCORE", "[2 2]"},
			{"ZRANK k x WITHSCORE", "(nil)"},
			{"ZRANK missing x", "(nil)"},
			{"ZMSCORE k a x d", "[1 (nil) 4]"},
			{"ZRANGESTORE to k 1 3", "3"},
			{"ZRANGE to 0 -1 WITHSCORES", "[b 2 bb 2 c 3]"},
			{"ZRANGESTORE k k (1 +inf BYSCORE LIMIT 0 3", "3"},
			{"ZRANGE k 0 -1", "[b bb c]"},
			{"ZREMRANGEBYRANK k 0 0", "1"},
			{"ZREMRANGEBYSCORE k (2 3", "1"},
			{"ZREMRANGEBYLEX lex [b (d", "2"},
			{"ZRANGE lex 0 -1", "[ a d]"},
			{"ZRANGESTORE to missing 0 -1", "0"},
			{"EXISTS to", "0"},
			{"ZRANGESTORE to missing 0 -1", "0"},
		})
		db.WantJournal("ZADD k 1 a 2 b 2 bb 3 c 4 d", `ZADD lex 0 a 0 b 0 c 0 d 0 ""`, "ZRANGESTORE to k 1 3",
			"ZRANGESTORE k k (1 +inf BYSCORE LIMIT 0 3", "ZREMRANGEBYRANK k 0 0", "ZREMRANGEBYSCORE k (2 3",
			"ZREMRANGEBYLEX lex [b (d", "ZRANGESTORE to missing 0 -1")
	})
}

func TestPop(t *testing.T) {
	bothEncodings(t, func(t *testing.T, db *cmdtest.DB) {
		run(db, []call{
			{"ZADD k 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h", "8"},
			{"ZPOPMIN k", "[a 1]"},
			{"ZPOPMAX k 2", "[h 8 g 7]"},
			{"ZPOPMIN k 0", "[]"},
			{"ZMPOP 2 missing k MAX", "[k [[f 6]]]"},
			{"ZMPOP 1 k MIN COUNT 2", "[k [[b 2] [c 3]]]"},
			{"BZPOPMIN missing k 0", "[k d 4]"},
			{"BZMPOP 0 1 k MAX COUNT 10", "[k [[e 5]]]"},
			{"ZPOPMIN k", "[]"},
			{"ZMPOP 1 k MIN", "(nil)"},
		})
		db.WantJournal("ZADD k 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h", "ZPOPMIN k", "ZPOPMAX k 2", "ZPOPMAX k 1",
			"ZPOPMIN k 2", "ZPOPMIN k", "ZPOPMAX k 1")
		db.Session.Out.Resp3 = true
		db.Do("ZADD", "k", "1", "a", "2", "b")
		db.Do("ZPOPMIN", "k").WantRaw("*2\r\n$1\r\na\r\n,1\r\n")
		db.Do("ZPOPMIN", "k", "1").WantRaw("*1\r\n*2\r\n$1\r\nb\r\n,2\r\n")
		db.Session.Out.Resp3 = false
	})
}

// Clients that wait are served in the order in which they came, and what is journalled is
// what they took.
func TestBlocking(t *testing.T) {
	bothEncodings(t, func(t *testing.T, db *cmdtest.DB) {
		one, two, three := db.NewClient(), db.NewClient(), db.NewClient()
		for _, w := range []struct {
			c    *cmdtest.Client
			line string
		}{{one, "BZPOPMIN x k 0"}, {two, "BZMPOP 1.5 2 k y MAX COUNT 2"}, {three, "BZPOPMAX y 0.5"}} {
			if got := w.c.Call(words(w.line)...); len(got) != 0 {
				t.Errorf("%s: %q", w.line, got)
			}
		}
		db.Do("SADD", "y", "1")
		db.Do("ZADD", "k", "1", "a", "2", "b", "3", "c")
		db.WantJournal("SADD y 1", "ZADD k 1 a 2 b 3 c", "ZPOPMIN k", "ZPOPMAX k 2")
		for _, got := range []struct {
			c    *cmdtest.Client
			want string
		}{
			{one, "*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n"},
			{two, "*2\r\n$1\r\nk\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n"},
			{three, ""},
		} {
			if text := string(got.c.Tick()); text != got.want {
				t.Errorf("got %q, want %q", text, got.want)
			}
		}
		db.Clock.Advance(time.Second)
		if got := string(three.Tick()); got != "*-1\r\n" {
			t.Errorf("in the end: %q", got)
		}
		// In a transaction nobody waits.
		run(db, []call{{"MULTI", "OK"}, {"BZPOPMIN k 0", "QUEUED"}, {"EXEC", "[(nil)]"}})
	})
}

func TestCombine(t *testing.T) {
	bothEncodings(t, func(t *testing.T, db *cmdtest.DB) {
		run(db, []call{
			{"ZADD a 1 x 2 y 3 z", "3"},
			{"ZADD b 10 y 20 z 30 7", "3"},
			{"SADD s y 7 q", "3"},
			{"ZUNION 2 a b", "[x y z 7]"},
			{"ZUNION 3 a b s WITHSCORES", "[q 1 x 1 y 13 z 23 7 31]"},
			{"ZUNION 2 a b WEIGHTS 2 -1 WITHSCORES", "[7 -30 z -14 y -6 x 2]"},
			{"ZUNION 2 a b AGGREGATE MAX WITHSCORES", "[x 1 y 10 z 20 7 30]"},
			{"ZINTER 2 a b WITHSCORES", "[y 12 z 23]"},
			{"ZINTER 3 a b s AGGREGATE MIN WITHSCORES", "[y 1]"},
			{"ZINTER 2 a missing", "[]"},
			{"ZINTERCARD 2 a b", "2"},
			{"ZINTERCARD 2 a b LIMIT 1", "1"},
			{"ZDIFF 2 a s WITHSCORES", "[x 1 z 3]"},
			{"ZDIFF 2 s a", "[7 q]"},
			{"ZDIFF 2 missing a", "[]"},
			{"ZUNIONSTORE a 2 a a", "3"},
			{"ZRANGE a 0 -1 WITHSCORES", "[x 2 y 4 z 6]"},
			{"ZINTERSTORE s 2 s b WEIGHTS 1 inf", "2"},
			{"ZRANGE s 0 -1 WITHSCORES", "[7 inf y inf]"},
			{"ZUNIONSTORE n 2 s s WEIGHTS 1 -1", "2"},
			{"ZRANGE n 0 -1 WITHSCORES", "[7 0 y 0]"},
			{"ZDIFFSTORE n 2 a a", "0"},
			{"EXISTS n", "0"},
			{"ZDIFFSTORE n 1 missing", "0"},
		})
		db.WantJournal("ZADD a 1 x 2 y 3 z", "ZADD b 10 y 20 z 30 7", "SADD s y 7 q", "ZUNIONSTORE a 2 a a",
			"ZINTERSTORE s 2 s b WEIGHTS 1 inf", "ZUNIONSTORE n 2 s s WEIGHTS 1 -1", "ZDIFFSTORE n 2 a a")
	})
}

// Large sets are combined right, too: the table grows with them.
func TestCombineMany(t *testing.T) {
	db := newDB(t)
	fill(db, "a", 3000)
	fill(db, "b", 2000)
	db.Do("ZUNIONSTORE", "u", "2", "a", "b").Want("3000")
	db.Do("ZSCORE", "u", "m1999").Want("3998")
	db.Do("ZSCORE", "u", "m2000").Want("2000")
	db.Do("ZINTERSTORE", "i", "2", "a", "b", "AGGREGATE", "MAX").Want("2000")
	db.Do("ZDIFFSTORE", "d", "2", "a", "b").Want("1000")
	db.Do("ZRANGE", "d", "0", "1").Want("[m2000 m2001]")
	db.Do("ZDIFFSTORE", "d", "2", "b", "a").Want("0")
}

// ZRANDMEMBER gives each member equally often, and different ones if asked to.
func TestRandom(t *testing.T) {
	for _, n := range []int{20, 200} {
		db := newDB(t)
		fill(db, "k", n)
		for _, count := range []string{"1", "3", fmt.Sprint(n / 2), fmt.Sprint(n - 1), fmt.Sprint(n), "1000"} {
			got := words(strings.Trim(db.Do("ZRANDMEMBER", "k", count).Text(), "[]"))
			if len(got) != min(atoi(count), n) {
				t.Errorf("%s of %d: %d came", count, n, len(got))
			}
			slices.Sort(got)
			if len(slices.Compact(got)) != min(atoi(count), n) {
				t.Errorf("%s of %d: some came twice", count, n)
			}
		}
		for _, count := range []string{"", "2", fmt.Sprint(n / 2), "-7"} {
			seen := map[string]int{}
			for range 2000 {
				line := "ZRANDMEMBER k " + count
				for _, m := range words(strings.Trim(db.Do(words(line)...).Text(), "[]")) {
					seen[m]++
				}
			}
			total := 0
			for m := range maps.Keys(seen) {
				total += seen[m]
			}
			for i := range n {
				m, fair := fmt.Sprint("m", i), float64(total)/float64(n)
				if got := float64(seen[m]); math.Abs(got-fair) > 6*math.Sqrt(fair)+1 {
					t.Errorf("%s of %d: %s came %d times, not about %.0f", count, n, m, seen[m], fair)
				}
			}
		}
		db.Do("ZRANDMEMBER", "k", "-3", "WITHSCORES")
		if got := words(db.Do("ZRANDMEMBER", "k", "-30").Text()); len(got) != 30 {
			t.Errorf("-30: %q", got)
		}
		db.Session.Out.Resp3 = true
		db.Do("ZADD", "one", "1.5", "a")
		db.Do("ZRANDMEMBER", "one", "-2", "WITHSCORES").WantRaw(
			"*2\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\na\r\n,1.5\r\n")
		db.Session.Out.Resp3 = false
	}
}

// Whatever happens meanwhile, a scan gives each member at least once that is there from its
// beginning to its end.
func TestScan(t *testing.T) {
	for _, n := range []int{30, 3000} {
		db := newDB(t)
		fill(db, "k", n)
		seen, cursor := map[string]bool{}, "0"
		for round := 0; round == 0 || cursor != "0"; round++ {
			text := db.Do("ZSCAN", "k", cursor, "NOSCORES", "MATCH", "m*").Text()
			got := words(strings.NewReplacer("[", " ", "]", " ").Replace(text))
			cursor = got[0]
			for _, m := range got[1:] {
				seen[m] = true
			}
			db.Do("ZINCRBY", "k", "-100000", fmt.Sprint("m", round*7%n))
			db.Do("ZADD", "k", "1", fmt.Sprint("other", round))
			db.Do("ZREM", "k", fmt.Sprint("other", round/2))
			if round > 1000 {
				t.Fatal("it does not end")
			}
		}
		for i := range n {
			if m := fmt.Sprint("m", i); !seen[m] {
				t.Errorf("%s of %d did not come", m, n)
			}
		}
	}
	db := newDB(t)
	db.Do("ZADD", "k", "1", "a", "2.5", "7")
	db.Do("ZSCAN", "k", "0").Want("[0 [a 1 7 2.5]]")
	db.Do("ZSCAN", "k", "5", "MATCH", "7", "COUNT", "1").Want("[0 [7 2.5]]")
	db.Do("ZSCAN", "k", "18446744073709551615").Want("[0 [a 1 7 2.5]]") // it comes whole, whatever the cursor
	db.Do("ZSCAN", "missing", "0").Want("[0 []]")
	db.Do("ZSCAN", "k", "18446744073709551616").WantError("ERR invalid cursor")
}

// Rows X5, X6, X11 and X12 of the catalogue of bad input.
func TestBadArguments(t *testing.T) {
	const (
		notFloat = "-ERR value is not a valid float"
		notInt   = "-ERR value is not an integer or out of range"
		syntax   = "-ERR syntax error"
		notRange = "-ERR min or max is not a float"
		notLex   = "-ERR min or max not valid string range item"
		wrong    = "-WRONGTYPE Operation against a key holding the wrong kind of value"
		outside  = "-ERR value is out of range"
	)
	bothEncodings(t, func(t *testing.T, db *cmdtest.DB) {
		run(db, []call{
			{"ZADD k 1 a 2 b", "2"},
			{"SADD s a", "1"},
			{"SET str x", "OK"},
			// X5
			{"ZRANDMEMBER k -9223372036854775808", outside + ", value must between -9223372036854775807 and " +
				"9223372036854775807"},
			{"ZRANDMEMBER k -9223372036854770000 WITHSCORES", outside},
			{"ZRANDMEMBER k 9223372036854775807 WITHSCORES", outside},
			{"ZRANDMEMBER k 9223372036854775807", "[a b]"},
			{"ZRANDMEMBER k 1 x", syntax},
			// X6
			{"ZRANGE k 0 9223372036854775807", "[a b]"},
			{"ZRANGE k -9223372036854775808 -1", "[a b]"},
			{"ZRANGE k 9223372036854775807 -9223372036854775808", "[]"},
			{"ZRANGE k 9223372036854775808 0", notInt},
			{"ZRANGE k 0 1 LIMIT 0 1", "-ERR syntax error, LIMIT is only supported in combination with either " +
				"BYSCORE or BYLEX"},
			{"ZRANGE k 0 1 BYSCORE LIMIT 9223372036854775807 9223372036854775807", "[]"},
			{"ZRANGE k 1 2 BYSCORE LIMIT 1 9223372036854775807", "[b]"},
			{"ZRANGE k 1 2 BYSCORE LIMIT -9223372036854775808 -1", "[]"},
			{"ZRANGE k 2 1 BYSCORE REV LIMIT 1 9223372036854775807", "[a]"},
			{"ZRANGE k 0 1 BYLEX WITHSCORES", "-ERR syntax error, WITHSCORES not supported in combination " +
				"with BYLEX"},
			{"ZRANGE k 0 1 BYLEX BYSCORE", syntax},
			{"ZRANGEBYLEX k a b", notLex},
			{"ZRANGEBYLEX k <> +", notLex},
			{"ZREMRANGEBYLEX k - b", notLex},
			{"ZRANGEBYSCORE k nan 1", notRange},
			{"ZRANGEBYSCORE k 1_0 2", notRange},
			{"ZRANGEBYSCORE k -1e400 1e400", "[a b]"},
			{"ZRANGEBYSCORE k <> (", "[]"},
			{"ZCOUNT k (x 1", notRange},
			{"ZREMRANGEBYSCORE k 1 x", notRange},
			{"ZREMRANGEBYRANK k 0 1e3", notInt},
			{"ZREMRANGEBYRANK k 9223372036854775807 -1", "0"},
			{"ZSCAN k 0 COUNT 9223372036854775807", "[0 [a 1 b 2]]"},
			{"ZSCAN k 0 COUNT 0", syntax},
			{"ZSCAN k 0 COUNT 9223372036854775808", notInt},
			{"ZPOPMIN k -1", outside + ", must be positive"},
			{"ZPOPMIN k 9223372036854775808", outside + ", must be positive"},
			{"ZMPOP 0 k MIN", "-ERR numkeys should be greater than 0"},
			{"ZMPOP 9223372036854775807 k MIN", syntax},
			{"ZMPOP 1 k MIN COUNT 0", "-ERR count should be greater than 0"},
			{"ZMPOP 1 k MIN COUNT 1 COUNT 1", syntax},
			// X11
			{"BZPOPMIN missing inf", "-ERR timeout is out of range"},
			{"BZPOPMIN missing 1e18", "-ERR timeout is out of range"},
			{"BZPOPMIN missing nan", "-ERR timeout is not a float or out of range"},
			{"BZPOPMIN missing -1", "-ERR timeout is negative"},
			{"BZMPOP -1 1 k MIN", "-ERR timeout is negative"},
			// X12
			{"ZUNIONSTORE d 0 k", "-ERR at least 1 input key is needed for 'zunionstore' command"},
			{"ZUNION -9223372036854775808 k", "-ERR at least 1 input key is needed for 'zunion' command"},
			{"ZUNIONSTORE d 9223372036854775807 k", syntax},
			{"ZUNIONSTORE d 2 k", syntax},
			{"ZUNION 1 k WEIGHTS nan", "-ERR weight value is not a float"},
			{"ZUNION 1 k WEIGHTS", syntax},
			{"ZUNION 1 k AGGREGATE COUNT", syntax},
			{"ZINTERCARD 1 k LIMIT -1", "-ERR LIMIT can't be negative"},
			{"ZINTERCARD 1 k LIMIT 9223372036854775807", "2"},
			{"ZUNIONSTORE d 2 k str", wrong},
			// scores
			{"ZADD k nan a", notFloat},
			{"ZADD k 1 a x b", notFloat},
			{"ZADD k 1e400 a", notFloat},
			{"ZADD k <> a", notFloat},
			{"ZADD k 1 a 2", syntax},
			{"ZADD k NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"},
			{"ZADD k GT LT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"},
			{"ZADD k INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"},
			{"ZINCRBY k 1e309 a", notFloat},
		})
		for _, line := range []string{
			"ZADD s 1 a", "ZADD s XX 1 a", "ZINCRBY s 1 a", "ZREM s a", "ZCARD s", "ZSCORE s a", "ZMSCORE s a",
			"ZRANK s a", "ZCOUNT s 0 1", "ZLEXCOUNT s - +", "ZRANGE s 0 1", "ZRANGESTORE d s 0 1",
			"ZREMRANGEBYRANK s 0 1", "ZPOPMIN s", "ZMPOP 1 s MIN", "BZPOPMIN s 0", "BZMPOP 0 1 s MIN", "ZRANDMEMBER s",
			"ZRANDMEMBER s 1", "ZSCAN s 0", "ZUNION 1 str", "ZRANGEBYLEX s - +",
		} {
			db.Do(words(line)...).Want(wrong)
		}
		db.WantJournal("ZADD k 1 a 2 b", "SADD s a", "SET str x")
	})
}

func atoi(s string) (n int) {
	_, _ = fmt.Sscan(s, &n)
	return n
}
