package keycmd_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/original"
)

const (
	notFloat   = "-ERR One or more scores can't be converted into double"
	wrongType  = "-WRONGTYPE Operation against a key holding the wrong kind of value"
	sortSetup  = "RPUSH l 3 1 10 2"
	deniedBy   = "-ERR BY option of SORT denied in cluster mode."
	deniedGet  = "-ERR GET option of SORT denied in cluster mode."
	maxInteger = "9223372036854775807"
)

func TestSort(t *testing.T) {
	db := newFullDB(t)
	run(t, db,
		step{sortSetup, "4"}, step{"RPUSH words b a B 10 9", "5"},
		step{"SADD s 5 -1 3.5", "3"}, step{"ZADD z 3 a 1 c 2 b", "3"},
		step{"MSET w_1 30 w_2 20 w_3 10 w_10 40 o_1 one o_3 three", "OK"},
		step{"HSET h_1 f x n 2", "2"}, step{"HSET h_2 f y n 1", "2"},

		step{"SORT l", "[1 2 3 10]"},
		step{"SORT l DESC", "[10 3 2 1]"},
		step{"SORT l DESC ASC", "[1 2 3 10]"}, // the last one counts
		step{"SORT l ALPHA", "[1 10 2 3]"},
		step{"SORT words ALPHA DESC", "[b a B 9 10]"},
		step{"SORT words", notFloat},
		step{"SORT s", "[-1 3.5 5]"},
		step{"SORT z ALPHA", "[a b c]"},
		step{"SORT none", "[]"},
		step{"SORT w_1", wrongType},
		step{"SORT h_1", wrongType},

		step{"SORT l LIMIT 1 2", "[2 3]"},
		step{"SORT l LIMIT -5 2", "[1 2]"},
		step{"SORT l LIMIT 0 -1", "[1 2 3 10]"},
		step{"SORT l LIMIT 3 0", "[]"},
		step{"SORT l LIMIT 4 1", "[]"},
		step{"SORT l LIMIT 0 1", "[1]"}, // of a heap of one
		step{"SORT l DESC LIMIT 0 1", "[10]"},

		step{"SORT l BY w_*", "[3 2 1 10]"},
		step{"SORT l BY w_* DESC LIMIT 0 1", "[10]"},
		step{"SORT l BY o_* ALPHA", "[10 2 1 3]"}, // what is missing is first, in its order
		step{"SORT l BY o_*", notFloat},
		step{"SORT l BY h_*->n", "[10 3 2 1]"}, // what is missing weighs 0
		step{"SORT l BY none_*", "[1 10 2 3]"}, // equal ones by their text
		step{"SORT l BY none_* DESC", "[3 2 10 1]"},
		step{"SORT l BY nosort", "[3 1 10 2]"},
		step{"SORT l BY nosort DESC LIMIT 0 2", "[2 10]"},
		step{"SORT l BY nosort LIMIT 0 1", "[3]"},
		step{"SORT z BY nosort", "[c b a]"},
		step{"SORT z BY nosort DESC LIMIT 0 2", "[a b]"},
		step{"SORT z BY nosort LIMIT 1 5", "[b a]"},
		step{"SORT words BY nosort", "[b a B 10 9]"},

		step{"SORT l GET o_*", "[one (nil) three (nil)]"},
		step{"SORT l GET # GET o_* GET constant", "[1 one (nil) 2 (nil) (nil) 3 three (nil) 10 (nil) (nil)]"},
		step{"SORT l GET h_*->f", "[x y (nil) (nil)]"},
		step{"SORT l GET h_*->none", "[(nil) (nil) (nil) (nil)]"},
		step{"SORT l GET h_*", "[(nil) (nil) (nil) (nil)]"},    // of the wrong type
		step{"SORT l GET o_*->f", "[(nil) (nil) (nil) (nil)]"}, // likewise
		step{"SORT l GET o_*->", "[(nil) (nil) (nil) (nil)]"},  // no field: a key with an arrow in its name
		step{"SORT l GET w_* LIMIT 0 2", "[30 20]"},

		step{"SORT l LIMIT 1", errSyntax}, step{"SORT l LIMIT x 1", errInt}, step{"SORT l LIMIT 1 x", errInt},
		step{"SORT l BY", errSyntax}, step{"SORT l GET", errSyntax}, step{"SORT l STORE", errSyntax},
		step{"SORT l FOO", errSyntax}, step{"SORT_RO l STORE d", errSyntax},
		step{"SORT_RO l DESC", "[10 3 2 1]"},
	)
	db.Do("RPUSH", "nul", "a\x00b", "a\x00a", "a").Want("3")
	db.Do("SORT", "nul", "ALPHA").Want("[a a\x00a a\x00b]")
	db.Do("RPUSH", "odd", "", "0x10", "-0", "inf", "-inf", " 1", "1e3").Want("7")
	db.Do("SORT", "odd").Want("[-inf  -0  1 0x10 1e3 inf]")
	for _, bad := range []string{"nan", "1x", " ", "1e400", "1 "} {
		db.Do("RPUSH", "bad", bad)
		db.Do("SORT", "bad").Want(notFloat)
		db.Do("SORT", "bad", "LIMIT", "0", "0").Want(notFloat)
		db.Do("DEL", "bad")
	}
}

// TestSortStore: the destination may be the source, and an empty result removes it.
func TestSortStore(t *testing.T) {
	db := newFullDB(t)
	run(t, db, step{sortSetup, "4"}, step{"SET d old", "OK"}, step{"EXPIRE d 100", "1"},
		step{"SET o_1 one", "OK"})
	db.WantJournal("RPUSH l 3 1 10 2", "SET d old", "PEXPIREAT d 1700000100000", "SET o_1 one")
	changes := int64(0)
	db.Shared.Changed = func(n int64) { changes += n }
	run(t, db,
		step{"SORT l STORE d", "4"}, step{"LRANGE d 0 -1", "[1 2 3 10]"}, step{"TTL d", "-1"},
		step{"SORT l GET o_* STORE d", "4"}, step{"LRANGE d 0 -1", "[one   ]"},
		step{"SORT l DESC STORE l", "4"}, step{"LRANGE l 0 -1", "[10 3 2 1]"},
		step{"SORT l STORE other STORE l", "4"}, step{"EXISTS other", "0"}, // the last one counts
		step{"SORT l LIMIT 4 1 STORE d", "0"}, step{"EXISTS d", "0"},
		step{"SORT none STORE d", "0"},
		step{"SADD s b a c", "3"}, step{"SORT s BY nosort STORE d", "3"}, step{"LRANGE d 0 -1", "[a b c]"},
		step{"SORT s STORE d", notFloat}, step{"LRANGE d 0 -1", "[a b c]"},
	)
	db.WantJournal("SORT l STORE d", "SORT l GET o_* STORE d", "SORT l DESC STORE l",
		"SORT l STORE other STORE l", "SORT l LIMIT 4 1 STORE d", "SADD s b a c", "SORT s BY nosort STORE d")
	if changes != 4*4+1+3+3 {
		t.Errorf("%d changes", changes)
	}
}

// TestSortStoreWakes: who waits for the list gets of it.
func TestSortStoreWakes(t *testing.T) {
	db := newFullDB(t)
	other := db.NewClient()
	if got := other.Do("BLPOP", "d", "0").Raw(); got != "" {
		t.Fatalf("BLPOP does not wait: %q", got)
	}
	run(t, db, step{sortSetup, "4"}, step{"SORT l STORE d", "4"})
	if got, want := string(other.Tick()), "*2\r\n$1\r\nd\r\n$1\r\n1\r\n"; got != want {
		t.Errorf("BLPOP got %q", got)
	}
	do(db, "LRANGE d 0 -1").Want("[2 3 10]")
	db.WantJournal("RPUSH l 3 1 10 2", "SORT l STORE d", "LPOP d")
}

// TestSortLocks: a SORT that names all of its keys locks these and no others, of which
// the argument parser and the command have the same idea.
func TestSortLocks(t *testing.T) {
	specs := map[string]*command.Spec{}
	for _, s := range keycmd.Family.Specs {
		specs[s.Name] = s
	}
	for _, tt := range []struct {
		call       string
		keys       string
		everything bool
	}{
		{"SORT k", "k", false},
		{"SORT k LIMIT 0 1 ALPHA DESC", "k", false},
		{"SORT k BY nosort GET #", "k", false},
		{"SORT k GET constant", "k", false},
		{"SORT k BY w_*", "k", true},
		{"SORT k BY w_* BY nosort", "k", false},
		{"SORT k GET # GET w_*->f", "k", true},
		{"SORT k STORE d", "k d", false},
		{"SORT k STORE a STORE d", "k d", false},
		{"SORT k STORE STORE", "k STORE", false},
		{"SORT k BY STORE", "k", false},
		{"SORT k GET STORE STORE d", "k d", false},
		{"SORT k LIMIT STORE 1 STORE d", "k d", false}, // refused, but not for its keys
		{"SORT k FOO STORE d", "k d", false},
		{"SORT_RO k STORE d", "k", false},
		{"SORT_RO k BY *", "k", true},
	} {
		args := command.Args{}
		for _, word := range strings.Fields(tt.call) {
			args = append(args, []byte(word))
		}
		spec := specs[string(args[0])]
		refs, err := spec.FindKeys(args)
		var keys []string
		for _, r := range refs {
			keys = append(keys, string(args[r.Index]))
		}
		if got := strings.Join(keys, " "); err != nil || got != tt.keys || spec.Everything(args) != tt.everything {
			t.Errorf("%s: keys %q, everything %v, %v", tt.call, got, spec.Everything(args), err)
		}
	}
}

// TestSortBesideOthers: while somebody works on another key, a SORT that names its keys goes
// on, and one that makes names of the elements waits.
func TestSortBesideOthers(t *testing.T) {
	db := newQuietFullDB(t)
	do(db, sortSetup)
	other := "a"
	stripe := func(key string) uint64 { return keyspace.StripeSet(db.Keyspace.Placement([]byte(key))) }
	for stripe(other) == stripe("l") {
		other += "a"
	}
	x := db.Keyspace.NewTxn()
	x.LockOne(db.Keyspace.Placement([]byte(other)))
	run(t, db, step{"SORT l", "[1 2 3 10]"}, step{"SORT l BY nosort GET # LIMIT 0 1", "[3]"})
	done := make(chan string)
	go func() { done <- do(db, "SORT l BY w_*").Text() }()
	select {
	case <-done:
		t.Error("it reads keys that somebody else has locked")
	case <-time.After(20 * time.Millisecond):
	}
	x.Unlock()
	if got := <-done; got != "[1 10 2 3]" {
		t.Errorf("it gave %s", got)
	}
}

// TestSortInCluster: no key but the named ones may be read.
func TestSortInCluster(t *testing.T) {
	db := cmdtest.NewCluster(t, fullFamilies()...)
	run(t, db, step{sortSetup, "4"}, step{"SORT l BY w_*", deniedBy}, step{"SORT l GET #", deniedGet},
		step{"SORT l BY nosort LIMIT 0 1", "[3]"}, step{"SORT l BY w_* FOO", deniedBy},
		step{"SORT l FOO GET #", errSyntax})
}

// X6: SORT BY/GET/LIMIT with numbers at the edge.
func TestSortX6(t *testing.T) {
	db := newFullDB(t)
	run(t, db, step{sortSetup, "4"}, step{"SORT_RO l LIMIT 2 " + maxInteger, "[3 10]"},
		step{"SORT l LIMIT " + maxInteger + " " + maxInteger, "[]"},
		step{"SORT l LIMIT -" + maxInteger + " 1", "[1]"},
		step{"SORT l LIMIT 1 -" + maxInteger, "[2 3 10]"},
		step{"SORT l LIMIT 9223372036854775808 1", errInt},
		step{"SORT l BY nosort DESC LIMIT 2 " + maxInteger, "[1 3]"},
		step{"SORT_RO none LIMIT 2 " + maxInteger, "[]"})
}

// TestSortKeepsTheFirst compares the heap that a small LIMIT uses with sorting all.
func TestSortKeepsTheFirst(t *testing.T) {
	db := newFullDB(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		db.Do("DEL", "l")
		n := 1 + rng.IntN(300)
		for range n {
			db.Do("RPUSH", "l", strconv.Itoa(rng.IntN(50)))
		}
		for _, how := range []string{"", "DESC", "ALPHA", "ALPHA DESC", "BY none_* ALPHA", "BY none_* DESC"} {
			all := ordered(t, do(db, "SORT l "+how+" LIMIT 0 "+maxInteger).Raw())
			from := rng.IntN(n + 1)
			count := rng.IntN(n/4 + 2)
			got := ordered(t, do(db, fmt.Sprintf("SORT l %s LIMIT %d %d", how, from, count)).Raw())
			if want := all[from:min(from+count, n)]; !slices.Equal(got, want) && len(want) > 0 {
				t.Fatalf("%s LIMIT %d %d of %q: %q, want %q", how, from, count, all, got, want)
			}
		}
	}
}

// TestSortAgainstRedis compares random calls with Redis. Where all elements are equal to
// the comparison Redis's order is anybody's guess, so those are sorted by themselves.
func TestSortAgainstRedis(t *testing.T) {
	p := cmdtest.NewPair(newFullDB(t), original.Redis(t, original.Options{}))
	rng := rand.New(rand.NewPCG(5, 6))
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	element := func() string {
		return pick("1", "2", "3", "10", "-5", "1.5", "1e2", "0x1p3", "01", "", "a", "B", "aa",
			strings.Repeat("long", 20), strings.Repeat("long", 20)+"er", "12345678", "123456789",
			"9223372036854775807", "-1e300")
	}
	number := func() string { return strconv.Itoa(rng.IntN(2000) - 1000) }
	for range 30 {
		p.Same("DEL", "l", "s", "z")
		source, numeric := element, rng.IntN(2) == 0
		if numeric {
			source = number
		}
		for range 1 + rng.IntN(150) {
			e := source()
			p.Same("RPUSH", "l", e)
			p.Same("SADD", "s", e)
			p.Same("ZADD", "z", strconv.Itoa(int(hash.CRC64(0, []byte(e))%100)), e)
			if rng.IntN(3) > 0 {
				p.Same("SET", "w_"+e, pick("1", "2.5", "x", "", " 7", "1e5", number()))
				p.Same("HSET", "h_"+e, "f", pick("1", "y", number()))
			}
		}
		for range 40 {
			key := pick("l", "s", "z", "none")
			args := []string{"SORT", key}
			// Weights that are alike leave the order open; only whole results can be compared.
			alpha, unsorted := rng.IntN(2) == 0, false
			if alpha {
				args = append(args, "ALPHA")
			}
			switch rng.IntN(4) {
			case 0:
				if !alpha {
					args = append(args, "BY", pick("w_*", "h_*->f", "none_*", "w_*->f"))
				}
			case 1:
				args, unsorted = append(args, "BY", "nosort"), true
			}
			if rng.IntN(2) == 0 {
				args = append(args, pick("ASC", "DESC"))
			}
			for range rng.IntN(3) {
				args = append(args, "GET", pick("#", "w_*", "h_*->f", "constant", "w_*->"))
			}
			stores := rng.IntN(4) == 0
			if unsorted && key == "s" && !stores {
				continue // in any order
			}
			if rng.IntN(2) == 0 {
				args = append(args, "LIMIT", strconv.Itoa(rng.IntN(160)-5), strconv.Itoa(rng.IntN(30)-3))
			}
			if stores {
				args = append(args, "STORE", "d")
			}
			p.Same(args...)
			p.Same("LRANGE", "d", "0", "-1")
		}
	}
}

// TestSortOfMany takes the first of a list of many nodes.
func TestSortOfMany(t *testing.T) {
	db := newFullDB(t)
	rng := rand.New(rand.NewPCG(3, 4))
	args := []string{"RPUSH", "l"}
	for range 40 {
		args = args[:2]
		for range 500 {
			args = append(args, strconv.Itoa(rng.IntN(1<<30)))
		}
		db.Do(args...)
	}
	first := ordered(t, do(db, "SORT l LIMIT 0 10").Raw())
	if len(first) != 10 || !slices.IsSortedFunc(first, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	}) {
		t.Errorf("the first ten: %q", first)
	}
}

func BenchmarkSortShort(b *testing.B) {
	db := newQuietFullDB(b)
	do(db, "RPUSH l 3 1 2 9 8 7 6 5 4 0")
	db.Bench(b, "SORT", "l")
}

// A page of a long list costs a walk over it, and next to no memory.
func BenchmarkSortLongFirst(b *testing.B) { benchmarkLong(b, "SORT", "l", "LIMIT", "0", "10") }
func BenchmarkSortLongAll(b *testing.B)   { benchmarkLong(b, "SORT", "l") }
func BenchmarkSortLongAlpha(b *testing.B) { benchmarkLong(b, "SORT", "l", "ALPHA", "LIMIT", "0", "10") }

func benchmarkLong(b *testing.B, args ...string) {
	db := newQuietFullDB(b)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		db.Do("RPUSH", "l", strconv.Itoa(rng.IntN(1<<30)))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		db.Do(args...)
	}
}
