package setcmd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
)

const (
	errType   = "-WRONGTYPE Operation against a key holding the wrong kind of value"
	errSyntax = "-ERR syntax error"
	errInt    = "-ERR value is not an integer or out of range"
	errCount  = "-ERR value is out of range, must be positive"
	errRange  = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
)

func newDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	return cmdtest.New(t, keycmd.Family.Specs, setcmd.Family.Specs, cmdtest.Strings())
}

// A step is a command and its reply; the members of a set are sorted.
type step struct{ call, want string }

func run(t *testing.T, db *cmdtest.DB, steps ...step) {
	t.Helper()
	for _, s := range steps {
		args := strings.Fields(s.call)
		got := db.Do(args...).Text()
		switch args[0] {
		case "SMEMBERS", "SINTER", "SUNION", "SDIFF":
			if strings.HasPrefix(got, "[") {
				members := strings.Fields(strings.Trim(got, "[]"))
				slices.Sort(members)
				got = "[" + strings.Join(members, " ") + "]"
			}
		}
		if got != s.want {
			t.Errorf("%s: got %q, want %q", s.call, got, s.want)
		}
	}
}

func TestMembers(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	run(t, db,
		step{"SADD s 1 2 1", "2"},
		step{"SADD s 2", "0"}, // leaves no trace
		step{"SADD s a 3", "2"},
		step{"SCARD s", "4"},
		step{"SISMEMBER s a", "1"},
		step{"SISMEMBER s 01", "0"},
		step{"SMISMEMBER s 1 b a", "[1 0 1]"},
		step{"SMISMEMBER none 1 b", "[0 0]"},
		step{"SMEMBERS s", "[1 2 3 a]"},
		step{"SMEMBERS none", "[]"},
		step{"SREM s b", "0"},
		step{"SREM s 1 b 1", "1"},
		step{"SREM none 1", "0"},
		step{"SCARD none", "0"},
		step{"SISMEMBER none a", "0"},
		step{"SREM s 2 3 a x y", "3"},
		step{"EXISTS s", "0"},
	)
	db.WantJournal("SADD s 1 2 1", "SADD s a 3", "SREM s 1 b 1", "SREM s 2 3 a x y")
	run(t, db, step{"SET str v", "OK"})
	for _, call := range []string{"SADD str a", "SREM str a", "SISMEMBER str a", "SMISMEMBER str a", "SCARD str",
		"SMEMBERS str", "SPOP str", "SPOP str 1", "SRANDMEMBER str", "SRANDMEMBER str 1", "SMOVE str s a",
		"SINTER none str", "SINTERSTORE d none str", "SINTERCARD 2 none str", "SUNION none str",
		"SUNIONSTORE d none str", "SDIFF none str", "SDIFFSTORE d none str", "SSCAN str 0"} {
		run(t, db, step{call, errType})
	}
	db.Do("SADD", "s", "").WantInt(1)
	db.Do("SISMEMBER", "s", "").WantInt(1)
	db.Do("SMEMBERS", "s").WantRaw("*1\r\n$0\r\n\r\n")
	db.Do("SINTER", "s", "s").WantRaw("*1\r\n$0\r\n\r\n")
	db.Do("SPOP", "s").WantRaw("$0\r\n\r\n")
}

func TestMove(t *testing.T) {
	db := newDB(t)
	run(t, db, step{"SADD a 1 x", "2"}, step{"SADD b 1", "1"}, step{"SADD last z", "1"}, step{"SET str v", "OK"})
	db.RecordJournal()
	run(t, db,
		step{"SMOVE none b x", "0"},
		step{"SMOVE none str x", "0"}, // before anybody looks at the other
		step{"SMOVE a str nothere", errType},
		step{"SMOVE a b nothere", "0"},
		step{"SMOVE a a x", "1"}, // does nothing
		step{"SMOVE a a y", "0"},
		step{"SMOVE a new y", "0"},
		step{"EXISTS new", "0"},
		step{"SMOVE a b x", "1"},
		step{"SMOVE a b 1", "1"}, // is there already
		step{"EXISTS a", "0"},
		step{"SMEMBERS b", "[1 x]"},
		step{"SMOVE last new z", "1"},
		step{"SMEMBERS new", "[z]"},
		step{"EXISTS last", "0"},
	)
	db.WantJournal("SMOVE a b x", "SMOVE a b 1", "SMOVE last new z")
}

func TestCombine(t *testing.T) {
	for _, encoding := range []string{"small", "hashtable"} {
		db := newDB(t)
		if encoding == "hashtable" {
			db.Keyspace.Limits().SetIntset.Store(0)
			db.Keyspace.Limits().SetEntries.Store(0)
		}
		run(t, db,
			step{"SADD a 1 2 3 x y", "5"},
			step{"SADD b 2 3 4 y z", "5"},
			step{"SADD c 3 y", "2"},
			step{"SADD i 1 2 3", "3"},
			step{"SINTER a b", "[2 3 y]"},
			step{"SINTER a b c", "[3 y]"},
			step{"SINTER a b c i", "[3]"},
			step{"SINTER a a", "[1 2 3 x y]"},
			step{"SINTER a none b", "[]"},
			step{"SINTERCARD 2 a b", "3"},
			step{"SINTERCARD 2 a b LIMIT 2", "2"},
			step{"SINTERCARD 2 a b LIMIT 0", "3"},
			step{"SINTERCARD 1 a LIMIT 3", "3"},
			step{"SINTERCARD 2 a none", "0"},
			step{"SUNION a b", "[1 2 3 4 x y z]"},
			step{"SUNION a b a none i", "[1 2 3 4 x y z]"},
			step{"SUNION none", "[]"},
			step{"SUNION i", "[1 2 3]"},
			step{"SDIFF a b", "[1 x]"},
			step{"SDIFF a b i", "[x]"},
			step{"SDIFF a none", "[1 2 3 x y]"},
			step{"SDIFF none a", "[]"},
			step{"SDIFF a b a", "[]"},
			step{"SDIFF i c c c c c c c c c", "[1 2]"}, // by taking members out of a copy
			step{"SDIFF a c i b none", "[x]"},
			step{"SUNION a b c i a1 a2 a3 a4 a5 a6", "[1 2 3 4 x y z]"},
		)
	}
}

// A union of many sets is gathered, and a difference of many.
func TestManySets(t *testing.T) {
	db := newDB(t)
	union, diff := []string{"SUNION"}, []string{"SDIFF", "key0"}
	var want []string
	for i := range 40 {
		key := fmt.Sprint("key", i)
		args := []string{"SADD", key, fmt.Sprint("only", i)}
		for j := range 200 {
			args = append(args, fmt.Sprint(j))
		}
		db.Do(args...).WantInt(201)
		union = append(union, key)
		want = append(want, fmt.Sprint("only", i))
	}
	for j := range 200 {
		want = append(want, fmt.Sprint(j))
	}
	slices.Sort(want)
	run(t, db, step{strings.Join(union, " "), "[" + strings.Join(want, " ") + "]"})
	for i := range 60 {
		key := fmt.Sprint("small", i)
		db.Do("SADD", key, fmt.Sprint(i)).WantInt(1)
		diff = append(diff, key)
	}
	want = []string{"only0"}
	for j := 60; j < 200; j++ {
		want = append(want, fmt.Sprint(j))
	}
	slices.Sort(want)
	run(t, db, step{strings.Join(diff, " "), "[" + strings.Join(want, " ") + "]"})
	diff[0] = "SDIFFSTORE"
	db.Do(slices.Insert(diff, 1, "d")...).WantInt(141)
}

func TestX12Store(t *testing.T) {
	db := newDB(t)
	run(t, db, step{"SADD a 1 2 3", "3"}, step{"SADD b 2 3 x", "3"}, step{"SET str v", "OK"})
	db.RecordJournal()
	run(t, db,
		step{"SINTERSTORE d a b", "2"},
		step{"OBJECT ENCODING d", "intset"},
		step{"SUNIONSTORE d a b", "4"}, // over what was there
		step{"OBJECT ENCODING d", "hashtable"},
		step{"SMEMBERS d", "[1 2 3 x]"},
		step{"PEXPIRE d 1000", "1"},
		step{"SDIFFSTORE d a b", "1"},
		step{"PTTL d", "-1"}, // it is another key
		step{"SMEMBERS d", "[1]"},
		step{"SINTERSTORE d a none", "0"},
		step{"EXISTS d", "0"},
		step{"SINTERSTORE d a none", "0"}, // leaves no trace
		step{"SUNIONSTORE d none", "0"},
		step{"SDIFFSTORE d a a", "0"},
		step{"SDIFFSTORE new b b a", "0"},
		step{"SINTERSTORE str a b", "2"}, // over another type
		step{"TYPE str", "set"},
		step{"SUNIONSTORE a a b", "4"}, // over a source
		step{"SMEMBERS a", "[1 2 3 x]"},
		step{"SDIFFSTORE a a b", "1"},
		step{"SMEMBERS a", "[1]"},
		step{"SINTERSTORE b b b", "3"},
		step{"SMEMBERS b", "[2 3 x]"},
		step{"SINTERSTORE b a b", "0"},
		step{"EXISTS b", "0"},
	)
	got := "PEXPIREAT d 1700000001000"
	db.WantJournal("SINTERSTORE d a b", "SUNIONSTORE d a b", got, "SDIFFSTORE d a b", "SINTERSTORE d a none",
		"SINTERSTORE str a b", "SUNIONSTORE a a b", "SDIFFSTORE a a b", "SINTERSTORE b b b", "SINTERSTORE b a b")
}

// Big sets as sources and destinations, in the same stripe or not, in place or not.
func TestStoreBig(t *testing.T) {
	for _, names := range [][3]string{{"a", "b", "d"}, {"a", "b", "a"}, {"a", "b", "b"},
		{"{x}a", "{x}b", "{x}d"}, {"a", "a", "a"}} {
		db := newDB(t)
		add := func(key string, from, to int) {
			args := []string{"SADD", key}
			for i := from; i < to; i++ {
				args = append(args, fmt.Sprintf("member:%d", i))
			}
			db.Do(args...)
		}
		a, b, d := names[0], names[1], names[2]
		same := a == b
		for _, tt := range []struct {
			op         string
			want, self int64
		}{{"SINTERSTORE", 1000, 3000}, {"SUNIONSTORE", 5000, 3000}, {"SDIFFSTORE", 2000, 0}} {
			db.Do("DEL", a, b, d)
			add(a, 0, 3000)
			if !same {
				add(b, 2000, 5000)
				db.Do(tt.op, d, a, b).WantInt(tt.want)
				db.Do("SCARD", d).WantInt(tt.want)
			} else {
				db.Do(tt.op, d, a, b).WantInt(tt.self)
				db.Do("SCARD", d).WantInt(tt.self)
			}
		}
	}
}

func TestArguments(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"SADD s a b", "2"},
		step{"SPOP s x", errCount},
		step{"SPOP s -1", errCount},
		step{"SPOP s 9223372036854775808", errCount},
		step{"SPOP none x", errCount},
		step{"SPOP s 1 2", errSyntax},
		step{"SPOP s 0", "[]"},
		step{"SPOP none", "(nil)"},
		step{"SPOP none 3", "[]"},
		step{"SRANDMEMBER s x", errInt},
		step{"SRANDMEMBER s 1 2", errSyntax},
		step{"SRANDMEMBER s 0", "[]"},
		step{"SRANDMEMBER none", "(nil)"},
		step{"SRANDMEMBER none 3", "[]"},
		step{"SINTERCARD 0 s", "-ERR numkeys should be greater than 0"},
		step{"SINTERCARD x s", "-ERR numkeys should be greater than 0"},
		step{"SINTERCARD 2 s", "-ERR Number of keys can't be greater than number of args"},
		step{"SINTERCARD 9223372036854775807 s", "-ERR Number of keys can't be greater than number of args"},
		step{"SINTERCARD 1 s LIMIT", errSyntax},
		step{"SINTERCARD 1 s LIMIT -1", "-ERR LIMIT can't be negative"},
		step{"SINTERCARD 1 s LIMIT x", "-ERR LIMIT can't be negative"},
		step{"SINTERCARD 1 s LIMIT 1 limit 2", "2"},
		step{"SINTERCARD 1 s s", errSyntax},
		step{"SSCAN s x", "-ERR invalid cursor"},
		step{"SSCAN none x", "-ERR invalid cursor"},
		step{"SSCAN s 18446744073709551616", "-ERR invalid cursor"},
		step{"SSCAN none 0 WHAT", "[0 []]"}, // nobody looks at the rest
		step{"SSCAN s 0 WHAT", errSyntax},
		step{"SSCAN s 0 COUNT 0", errSyntax},
		step{"SSCAN s 0 COUNT x", errInt},
		step{"SSCAN s 0 TYPE set", errSyntax},
		step{"SSCAN s 0 MATCH", errSyntax},
		step{"SSCAN s 17 COUNT 1", "[0 [a b]]"}, // a small set comes at once
		step{"SSCAN s 0 MATCH a*", "[0 [a]]"},
		step{"SCARD s", "2"},
	)
}

func TestX5CountsAtTheEnds(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"SADD s a", "1"},
		step{"SRANDMEMBER s -9223372036854775808", errRange},
		step{"SRANDMEMBER none -9223372036854775808", errRange},
		step{"SRANDMEMBER s -9223372036854775807", "-ERR the reply would be too large"},
		step{"SRANDMEMBER s 9223372036854775807", "[a]"},
		step{"SRANDMEMBER s 9223372036854775808", errInt},
		step{"SRANDMEMBER s -3", "[a a a]"},
		step{"SPOP s 9223372036854775807", "[a]"},
	)
}

// TestProtocol3: sets are sets, except where the order or repetitions count.
func TestProtocol3(t *testing.T) {
	db := newDB(t)
	db.Do("SADD", "s", "a")
	db.Session.Out.Resp3 = true
	for _, tt := range []struct{ call, want string }{
		{"SMEMBERS s", "~1\r\n$1\r\na\r\n"},
		{"SINTER s s", "~1\r\n$1\r\na\r\n"},
		{"SINTER s none", "~0\r\n"},
		{"SUNION s none", "~1\r\n$1\r\na\r\n"},
		{"SDIFF s none", "~1\r\n$1\r\na\r\n"},
		{"SRANDMEMBER s 1", "*1\r\n$1\r\na\r\n"},
		{"SRANDMEMBER none 1", "*0\r\n"},
		{"SRANDMEMBER none", "_\r\n"},
		{"SSCAN s 0", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n"},
		{"SPOP none 1", "~0\r\n"},
		{"SPOP s 1", "~1\r\n$1\r\na\r\n"},
		{"SPOP s", "_\r\n"},
	} {
		db.Do(strings.Fields(tt.call)...).WantRaw(tt.want)
	}
	db.Session.Out.Resp3 = false
}
