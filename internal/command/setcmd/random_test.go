package setcmd_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// fill makes a set of n members with a prefix, without which they are integers.
func fill(db *cmdtest.DB, key, prefix string, n int) {
	for from := 0; from < n; from += 1000 {
		args := []string{"SADD", key}
		for i := from; i < min(n, from+1000); i++ {
			args = append(args, prefix+strconv.Itoa(i))
		}
		db.Do(args...)
	}
}

func list(r *cmdtest.Reply) []string { return strings.Fields(strings.Trim(r.Text(), "[]")) }

// encodings are a way to fill a set for each: the limits of small sets are high.
var encodings = []struct {
	name, prefix string
	ints, list   int64
}{
	{"intset", "", 100_000, 100_000},
	{"listpack", "m", 100_000, 100_000},
	{"hashtable", "m", 0, 0},
}

func newDBOf(t testing.TB, ints, list int64) *cmdtest.DB {
	db := newDB(t)
	db.Keyspace.Limits().SetIntset.Store(ints)
	db.Keyspace.Limits().SetEntries.Store(list)
	return db
}

// Whatever is popped was there, is gone, and is journalled, in all of SPOP's ways.
func TestPop(t *testing.T) {
	const n = 2400
	for _, e := range encodings {
		for _, count := range []int{1, 2, 10, n / 2, n - n/6, n - n/6 + 1, n - 2, n - 1} {
			db := newDBOf(t, e.ints, e.list)
			fill(db, "s", e.prefix, n)
			db.Do("PEXPIRE", "s", "5000")
			wantEncoding(db, "s", e.name)
			all := list(db.Do("SMEMBERS", "s"))
			db.RecordJournal()
			popped := list(db.Do("SPOP", "s", strconv.Itoa(count)))
			if len(popped) != count {
				t.Fatalf("%s: SPOP of %d gave %d", e.name, count, len(popped))
			}
			var want []string
			for batch := range slices.Chunk(popped, 1024) {
				want = append(want, "SREM s "+strings.Join(batch, " "))
			}
			if len(want) > 1 {
				want = append(append([]string{"MULTI"}, want...), "EXEC")
			}
			db.WantJournal(want...)
			db.Do("SCARD", "s").WantInt(int64(n - count))
			db.Do("PTTL", "s").WantInt(5000)
			both := append(list(db.Do("SMEMBERS", "s")), popped...)
			slices.Sort(all)
			slices.Sort(both)
			if !slices.Equal(all, both) {
				t.Fatalf("%s: SPOP of %d: what went and what stayed is not what there was", e.name, count)
			}
		}
	}
}

func TestPopOneAndAll(t *testing.T) {
	for _, e := range encodings {
		db := newDBOf(t, e.ints, e.list)
		fill(db, "s", e.prefix, 3)
		db.RecordJournal()
		var want []string
		for range 3 {
			want = append(want, "SREM s "+db.Do("SPOP", "s").Text())
		}
		db.Do("EXISTS", "s").WantInt(0)
		db.WantJournal(want...)
		fill(db, "s", e.prefix, 3)
		if got := list(db.Do("SPOP", "s", "3")); len(got) != 3 {
			t.Errorf("SPOP of all: %q", got)
		}
		db.Do("EXISTS", "s").WantInt(0)
		fill(db, "s", e.prefix, 1)
		db.Do("SPOP", "s", "1").Want("[" + e.prefix + "0]")
		call := fmt.Sprintf("SADD s %s0", e.prefix)
		db.WantJournal(call+fmt.Sprintf(" %s1 %s2", e.prefix, e.prefix), "DEL s", call, "DEL s")
	}
}

// The few members that SPOP leaves of a table become a listpack, as in Redis 7.2.
func TestPopMostMakesSmall(t *testing.T) {
	db := newDB(t)
	fill(db, "s", "", 1000)
	db.Do("OBJECT", "ENCODING", "s").Want("hashtable")
	db.Do("SPOP", "s", "500")
	db.Do("OBJECT", "ENCODING", "s").Want("hashtable")
	db.Do("SPOP", "s", "490")
	wantEncoding(db, "s", "listpack")
	db.Do("SCARD", "s").WantInt(10)
}

func TestRandomMembers(t *testing.T) {
	const n = 1000
	for _, e := range encodings {
		db := newDBOf(t, e.ints, e.list)
		fill(db, "s", e.prefix, n)
		is := map[string]bool{}
		for _, m := range list(db.Do("SMEMBERS", "s")) {
			is[m] = true
		}
		db.RecordJournal()
		for _, count := range []int{1, 2, 30, 100, n / 3, n/3 + 1, n / 2, n - 1, n, n + 1, -1, -7, -3 * n} {
			got := list(db.Do("SRANDMEMBER", "s", strconv.Itoa(count)))
			if len(got) != min(max(count, -count), max(n, -count)) {
				t.Fatalf("%s: SRANDMEMBER of %d gave %d", e.name, count, len(got))
			}
			for _, m := range got {
				if !is[m] {
					t.Fatalf("%s: %q is no member", e.name, m)
				}
			}
			slices.Sort(got)
			if distinct := len(slices.Compact(got)); count > 0 && distinct != min(count, n) {
				t.Fatalf("%s: SRANDMEMBER of %d gave %d different ones", e.name, count, distinct)
			}
		}
		db.WantJournal()
	}
}

// Every member is as likely as another, in all encodings and all ways.
func TestRandomIsFair(t *testing.T) {
	const n, rounds = 20, 4000
	for _, e := range encodings {
		for _, count := range []int{1, 3, 10, -5} {
			db := newDBOf(t, e.ints, e.list)
			fill(db, "s", e.prefix, n)
			seen := map[string]int{}
			for range rounds / max(count, -count) {
				for _, m := range list(db.Do("SRANDMEMBER", "s", strconv.Itoa(count))) {
					seen[m]++
				}
			}
			for m, k := range seen {
				if k < rounds/n*6/10 || k > rounds/n*14/10 || len(seen) != n {
					t.Errorf("%s, %d: %q of %d came %d times, want about %d", e.name, count, m, len(seen), k, rounds/n)
				}
			}
		}
	}
}

func TestScan(t *testing.T) {
	for _, e := range encodings {
		for _, count := range []string{"1", "10", "1000", "1000000"} {
			db := newDBOf(t, e.ints, e.list)
			fill(db, "s", e.prefix, 3000)
			seen, cursor, calls := map[string]bool{}, "0", 0
			for {
				reply := strings.Trim(db.Do("SSCAN", "s", cursor, "MATCH", "*9", "COUNT", count).Text(), "[]")
				words := strings.Fields(strings.ReplaceAll(reply, "[", " "))
				for _, m := range words[1:] {
					seen[m] = true
				}
				calls++
				if cursor = words[0]; cursor == "0" {
					break
				}
				fill(db, "more", "x", 10)
			}
			if len(seen) != 300 {
				t.Errorf("%s: %d members were seen, want 300", e.name, len(seen))
			}
			if (calls == 1) != (e.name != "hashtable" || count == "1000000") {
				t.Errorf("%s: COUNT %s took %d calls", e.name, count, calls)
			}
		}
	}
}

// wantEncoding compares how a set is kept. Clients are told that a listpack is a table.
func wantEncoding(db *cmdtest.DB, key, want string) {
	if want == "listpack" {
		want = "hashtable"
	}
	db.Do("OBJECT", "ENCODING", key).Want(want)
}
