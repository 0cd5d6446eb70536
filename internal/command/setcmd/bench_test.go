package setcmd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/invariant"
)

// Reading forms allocate nothing, and neither do the common ones of writing.
func TestAllocations(t *testing.T) {
	for _, e := range encodings {
		db := newDBOf(t, e.ints, e.list)
		for _, key := range []string{"a", "b"} {
			fill(db, key, e.prefix, 100)
		}
		m := e.prefix + "7"
		calls := []string{"SISMEMBER a " + m, "SISMEMBER a none", "SMISMEMBER a " + m + " none", "SCARD a",
			"SMEMBERS a", "SRANDMEMBER a", "SRANDMEMBER a 5", "SRANDMEMBER a 70", "SRANDMEMBER a -5", "SINTER a b",
			"SUNION a b", "SDIFF a b", "SINTERCARD 2 a b", "SSCAN a 0", "SMOVE a a none",
			"SADD a " + m, "SADD a " + m + " " + m, "SREM a none", "SADD b another", "SMOVE a b none", "SPOP none",
			"SINTERSTORE d a none", "SDIFFSTORE d a a"}
		for _, call := range calls {
			if n := db.AllocsPerRun(strings.Fields(call)...); n != 0 {
				t.Errorf("%s: %s: %v allocations", e.name, call, n)
			}
		}
	}
}

// Members that come and go allocate nothing either.
func TestAllocationsOfChanges(t *testing.T) {
	if invariant.Enabled {
		t.Skip("the checks of a table allocate")
	}
	for _, e := range encodings {
		db := newDBOf(t, e.ints, e.list)
		fill(db, "a", e.prefix, 500)
		if n := db.AllocsPerRun("SPOP", "a"); n != 0 {
			t.Errorf("%s: SPOP: %v allocations", e.name, n)
		}
		one := "*3\r\n$%d\r\n%s\r\n$1\r\na\r\n$4\r\n1000\r\n"
		both := fmt.Appendf(nil, one+one, 4, "SADD", 4, "SREM")
		x := db.Executor
		n := testing.AllocsPerRun(100, func() {
			x.Begin(0)
			x.Received(db.Session, both)
			x.Run()
			x.Dirty()
			x.End()
			db.Session.Out.Discard()
		})
		if n != 0 {
			t.Errorf("%s: SADD and SREM: %v allocations", e.name, n)
		}
	}
}

func benchDB(b *testing.B, n int) *cmdtest.DB {
	db := newDB(b)
	fill(db, "s", "member:00000", n)
	return db
}

func BenchmarkSAddThere(b *testing.B) {
	for _, n := range []int{10, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchDB(b, n).Bench(b, "SADD", "s", "member:000007") })
	}
}

func BenchmarkSIsMember(b *testing.B) {
	for _, n := range []int{10, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchDB(b, n).Bench(b, "SISMEMBER", "s", "member:000007") })
	}
}

func BenchmarkSAddSRem(b *testing.B) {
	for _, n := range []int{10, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db := benchDB(b, n)
			for b.Loop() {
				db.Do("SADD", "s", "another")
				db.Do("SREM", "s", "another")
			}
		})
	}
}

func BenchmarkSMembers(b *testing.B) { benchDB(b, 10_000).Bench(b, "SMEMBERS", "s") }

func BenchmarkSPop(b *testing.B) {
	db := newDB(b)
	fill(db, "s", "member:", b.N+64)
	db.Bench(b, "SPOP", "s")
}

func BenchmarkSRandMember(b *testing.B) { benchDB(b, 10_000).Bench(b, "SRANDMEMBER", "s") }

func BenchmarkSInter(b *testing.B) {
	db := benchDB(b, 10_000)
	fill(db, "t", "member:00000", 1000)
	db.Bench(b, "SINTER", "s", "t")
}

func BenchmarkSUnion(b *testing.B) {
	db := benchDB(b, 10_000)
	fill(db, "t", "member:00000", 12_000)
	db.Bench(b, "SUNION", "s", "t")
}

func BenchmarkSUnionStore(b *testing.B) {
	db := benchDB(b, 10_000)
	fill(db, "t", "member:00000", 12_000)
	db.Bench(b, "SUNIONSTORE", "d", "s", "t")
}
