package zsetcmd_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/resp"
)

// newDB is a server with sorted sets, sets, and what looks at keys.
func newDB(t testing.TB) *cmdtest.DB {
	return cmdtest.New(t, zsetcmd.Family.Specs, setcmd.Family.Specs, txcmd.Family.Specs, keycmd.Family.Specs,
		cmdtest.Strings())
}

// fill makes a sorted set of n members, m0 and so on, with their numbers as scores.
func fill(db *cmdtest.DB, key string, n int) {
	for i := 0; i < n; {
		args := []string{"ZADD", key}
		for range min(1000, n-i) {
			args = append(args, strconv.Itoa(i), fmt.Sprintf("m%d", i))
			i++
		}
		db.Do(args...)
	}
}

// The common commands allocate nothing, in both encodings.
func TestAllocations(t *testing.T) {
	if invariant.Enabled {
		t.Skip("checked builds allocate")
	}
	db := newDB(t)
	for _, n := range []int{20, 2000} {
		fill(db, "k", n)
		for _, line := range []string{
			"ZADD k 5.5 m5", "ZADD k 5 m5", "ZADD k NX 5 m5", "ZADD k GT CH 1 m3", "ZADD k INCR 1 m3", "ZADD new 1 a",
			"ZINCRBY k 0.5 m7", "ZSCORE k m9", "ZMSCORE k m9 m10 x", "ZRANK k m11", "ZREVRANK k m11 WITHSCORE",
			"ZCARD k", "ZCOUNT k 3 (10", "ZLEXCOUNT k - [m5", "ZRANGE k 0 9", "ZRANGE k 0 9 WITHSCORES",
			"ZRANGE k (1 9 BYSCORE LIMIT 1 5", "ZREVRANGE k 0 9", "ZRANGEBYSCORE k 3 9 WITHSCORES",
			"ZRANGEBYLEX k [m0 [m3", "ZREM k nothing", "ZRANDMEMBER k", "ZRANDMEMBER k -5 WITHSCORES",
			"ZREMRANGEBYRANK k -1 -2", "ZREMRANGEBYSCORE k -3 -2",
		} {
			if n := db.AllocsPerRun(strings.Fields(line)...); n != 0 {
				t.Errorf("%s: %v allocations", line, n)
			}
		}
	}
	fill(db, "q", 2000)
	for _, line := range []string{"ZPOPMIN q", "ZPOPMAX q 2", "ZMPOP 1 q MIN", "BZPOPMIN q 0",
		"ZREMRANGEBYRANK q 0 0"} {
		if n := db.AllocsPerRun(strings.Fields(line)...); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

// benchSize is the number of members of the big set. Their scores are random.
const benchSize = 1_000_000

func bigSet(b *testing.B) *cmdtest.DB { return scoredSet(b, 1<<40) }

func scoredSet(b *testing.B, scores int) *cmdtest.DB {
	db := newDB(b)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < benchSize; {
		args := []string{"ZADD", "k"}
		for range 1000 {
			args = append(args, strconv.Itoa(rng.IntN(scores)), fmt.Sprintf("member:%09d", i))
			i++
		}
		db.Do(args...)
	}
	return db
}

// BenchmarkMillion measures commands on one key of a million members; each is called again
// and again with the same arguments, but ZADDs that go through all members.
func BenchmarkMillion(b *testing.B) {
	db := bigSet(b)
	for _, line := range []string{
		"ZSCORE k member:000555555", "ZRANK k member:000555555", "ZRANGE k 500000 500009",
		"ZRANGE k 500000 500009 WITHSCORES",
		"ZADD k 12345 member:000555555", "ZINCRBY k 1000000 member:000555555",
		"ZCOUNT k 1000 100000000000", "ZRANGEBYSCORE k 100000 +inf LIMIT 100000 10", "ZRANDMEMBER k", "ZPOPMIN k",
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) { db.Bench(b, strings.Fields(line)...) })
	}
	b.Run("update", func(b *testing.B) { benchAdd(b, db, "member:%09d", benchSize) })
	b.Run("new", func(b *testing.B) { benchAdd(b, db, "other:%09d", 1<<40) })
}

// BenchmarkScan measures calls of ZSCAN on a set of a million members, from its first to its
// last. With different scores a call costs as much as its members; with one score for all, it
// is a walk.
func BenchmarkScan(b *testing.B) {
	for _, scores := range []int{1 << 40, 1000, 1} {
		b.Run(strconv.Itoa(scores), func(b *testing.B) {
			db, cursor := scoredSet(b, scores), "0"
			for b.Loop() {
				text := db.Do("ZSCAN", "k", cursor).Text()
				cursor = text[1:strings.IndexByte(text, ' ')]
			}
		})
	}
}

// benchAdd gives random scores to members with numbers below n.
func benchAdd(b *testing.B, db *cmdtest.DB, form string, n int) {
	rng := rand.New(rand.NewPCG(3, 4))
	for b.Loop() {
		b.StopTimer()
		var batch []byte
		for range 64 {
			score, member := strconv.Itoa(rng.IntN(1<<40)), fmt.Sprintf(form, rng.IntN(n))
			batch = resp.AppendCommand(batch, "ZADD", "k", score, member)
		}
		b.StartTimer()
		db.Raw(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64), "ns/element")
}

func BenchmarkSmall(b *testing.B) {
	db := newDB(b)
	fill(db, "k", 50)
	for _, line := range []string{
		"ZSCORE k m30", "ZRANK k m30", "ZRANGE k 20 29", "ZINCRBY k 0.5 m30", "ZADD k 30 m30",
		"ZCOUNT k 10 20",
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) { db.Bench(b, strings.Fields(line)...) })
	}
}
