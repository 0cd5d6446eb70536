package stringcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/stringcmd"
)

// quiet is a server whose journal nobody reads, as most are.
func quiet(t testing.TB) *cmdtest.DB {
	return cmdtest.New(t, stringcmd.Family.With(stringcmd.Deps{MaxBulk: func() int64 { return maxBulk }}))
}

// The common commands allocate nothing.
func TestAllocations(t *testing.T) {
	db := quiet(t)
	db.Do("SET", "k", strings.Repeat("v", 64))
	db.Do("SET", "n", "1")
	for _, line := range []string{
		"GET k", "GET n", "GET missing", "MGET k n missing", "STRLEN k", "GETRANGE k 1 5",
		"SET k vvvvvvvv", "SET k 12345", "SET k v EX 10", "SET k v XX KEEPTTL", "SET k w GET", "SET k w IFEQ w",
		"SETNX k v", "SETEX k 10 v", "GETSET k v", "MSET k v n 1", "MSETNX k v n 1", "MSETEX 2 k v n 1 EX 10",
		"INCR n", "DECR n", "INCRBY n 7", "SETRANGE k 0 xx", "GETEX k EX 10", "DIGEST k", "DELIFEQ k no",
		"DELEX k IFEQ no",
	} {
		if n := db.AllocsPerRun(strings.Fields(line)...); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	db := quiet(b)
	db.Do("SET", "key:000000000001", strings.Repeat("v", 64))
	db.Bench(b, "GET", "key:000000000001")
}

func BenchmarkSet(b *testing.B) {
	quiet(b).Bench(b, "SET", "key:000000000001", strings.Repeat("v", 64))
}

func BenchmarkSetEX(b *testing.B) {
	quiet(b).Bench(b, "SET", "key:000000000001", strings.Repeat("v", 64), "EX", "100")
}

func BenchmarkIncr(b *testing.B) {
	quiet(b).Bench(b, "INCR", "key:000000000001")
}

func BenchmarkMGet(b *testing.B) {
	db := quiet(b)
	db.Do("MSET", "a", "1", "b", "2", "c", "3", "d", "4")
	db.Bench(b, "MGET", "a", "b", "c", "d")
}

func BenchmarkGetBig(b *testing.B) {
	db := quiet(b)
	db.Do("SET", "k", strings.Repeat("v", 1<<20))
	db.Bench(b, "GET", "k")
}

// Two strings of 10,000 bytes: a hundred million pairs.
func BenchmarkLCS(b *testing.B) {
	db := quiet(b)
	db.Do("SET", "a", strings.Repeat("spinel", 1600))
	db.Do("SET", "b", strings.Repeat("ruby", 2400))
	b.ResetTimer()
	for b.Loop() {
		db.Do("LCS", "a", "b")
	}
}
