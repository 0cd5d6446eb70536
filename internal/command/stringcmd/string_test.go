package stringcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

const maxBulk = 512 << 20 // Redis's default

// newDB is a server with the string commands, and with three more that these
// tests look at keys with.
func newDB(t testing.TB) *cmdtest.DB {
	return newDBMax(t, maxBulk)
}

func newDBMax(t testing.TB, bytes int64) *cmdtest.DB {
	deps := stringcmd.Deps{MaxBulk: func() int64 { return bytes }}
	db := cmdtest.New(t, stringcmd.Family.With(deps), probes.Specs)
	db.RecordJournal()
	return db
}

var probes command.Family

var _ = probes.Add(command.Spec{
	Name:  "PTTL",
	Arity: 2,
	Flags: command.ReadOnly,
	Keys:  command.OneKey(1, command.RO),
	Run: func(c *command.Ctx) error {
		at, ok := c.DB.Expiry(c.Args[1])
		switch {
		case !ok:
			c.Out.Int(-2)
		case at < 0:
			c.Out.Int(-1)
		default:
			c.Out.Int(at - int64(c.DB.Now))
		}
		return nil
	},
})

var _ = probes.Add(command.Spec{
	Name:  "DEL",
	Arity: 2,
	Flags: command.Write,
	Keys:  command.OneKey(1, command.RM|command.Delete),
	Run: func(c *command.Ctx) error {
		c.DB.Delete(c.Args[1])
		c.Out.OK()
		return nil
	},
})

var _ = probes.Add(command.Spec{
	Name:  "PEXPIRETIME",
	Arity: 2,
	Flags: command.ReadOnly,
	Keys:  command.OneKey(1, command.RO),
	Run: func(c *command.Ctx) error {
		at, ok := c.DB.Expiry(c.Args[1])
		if !ok {
			at = -2
		}
		c.Out.Int(at)
		return nil
	},
})

// ENCODING says how a string is kept.
var _ = probes.Add(command.Spec{
	Name:  "ENCODING",
	Arity: 2,
	Flags: command.ReadOnly,
	Keys:  command.OneKey(1, command.RO),
	Run: func(c *command.Ctx) error {
		v, _ := c.DB.Peek(c.Args[1])
		if v.IsInt() {
			c.Out.Simple("int")
		} else {
			c.Out.Simple("bytes")
		}
		return nil
	},
})

func TestGet(t *testing.T) {
	db := newDB(t)
	db.Do("GET", "k").WantNil()
	for _, v := range []string{
		"", "x", "hello world", "0", "-1", "123456789012", "-9223372036854775808", "9223372036854775807",
		"9223372036854775808", // no int64 any more, so bytes
		"007", "+1", "-0", " 1", "1.0",
		"\x00\r\n\xff",
		strings.Repeat("v", 300),
		strings.Repeat("w", keyspace.Big-1),
		strings.Repeat("x", keyspace.Big),
		strings.Repeat("y", 3*keyspace.Big+1),
	} {
		db.Do("SET", "k", v).Want("OK")
		db.Do("GET", "k").Want(v)
		db.Do("STRLEN", "k").WantInt(int64(len(v)))
		db.Do("MGET", "k").WantArray(v)
		db.Do("DEL", "k")
	}
	db.Do("STRLEN", "k").WantInt(0)
	db.Do("get").WantError("ERR wrong number of arguments for 'get' command")
}

func TestMGet(t *testing.T) {
	db := newDB(t)
	db.Do("MSET", "a", "1", "b", "two").Want("OK")
	db.Do("MGET", "a", "missing", "b", "a").WantArray("1", "(nil)", "two", "1")
}

// A big value is lent to the reply. What happens to the key before the bytes are sent
// must not change them.
func TestLentRepliesStay(t *testing.T) {
	db := newDB(t)
	big := strings.Repeat("big!", keyspace.Big/2)
	other := strings.Repeat("else", keyspace.Big/2)
	for _, change := range [][]string{
		{"SET", "k", other}, {"SETRANGE", "k", "0", "xxxx"}, {"APPEND", "k", "more"}, {"SET", "k", "v", "GET"},
		{"GETSET", "k", "v"}, {"SETEX", "k", "1", other}, {"GETEX", "k", "EX", "1"}, {"GETDEL", "k"}, {"DEL", "k"},
	} {
		db.Do("SET", "k", big).Want("OK")
		calls := resp.AppendCommand(nil, "GET", "k")
		calls = resp.AppendCommand(calls, "GETRANGE", "k", "1", "-2")
		got := string(db.Raw(resp.AppendCommand(calls, change...)))
		want := "$131072\r\n" + big + "\r\n$131070\r\n" + big[1:len(big)-1] + "\r\n"
		if !strings.HasPrefix(got, want) {
			t.Errorf("%.20s changed the replies before its own: %.40q", change, got)
		}
		db.Do("DEL", "k")
	}
}

func TestSet(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "k", "v").Want("OK")
	db.WantJournal("SET k v")
	db.Do("SET", "k", "w", "NX").WantNil()
	db.Do("SET", "k", "w", "nx", "GET").Want("v")
	db.Do("SET", "new", "w", "XX").WantNil()
	db.Do("SET", "new", "w", "XX", "GET").WantNil()
	db.Do("GET", "new").WantNil()
	db.WantJournal()

	db.Do("SET", "k", "w", "xx").Want("OK")
	db.Do("SET", "new", "1", "NX").Want("OK")
	db.Do("SET", "k", "x", "GET").Want("w")
	db.Do("SET", "k", "y", "GET", "XX", "get").Want("x")
	db.Do("SET", "new2", "1", "NX", "GET").WantNil()
	db.WantJournal("SET k w xx", "SET new 1 NX", "SET k x", "SET k y XX", "SET new2 1 NX")

	db.Do("SET", "k", "v", "EX", "10").Want("OK")
	db.Do("PTTL", "k").Want("10000")
	db.Do("SET", "k", "v", "KEEPTTL").Want("OK")
	db.Do("PTTL", "k").Want("10000")
	db.Do("SET", "k", "v", "px", "10", "PX", "1500").Want("OK") // the last one counts
	db.Do("PTTL", "k").Want("1500")
	db.Do("SET", "k", "v", "EXAT", "1700000100").Want("OK")
	db.Do("PTTL", "k").Want("100000")
	db.Do("SET", "k", "v", "PXAT", "1700000000001").Want("OK")
	db.Do("PTTL", "k").Want("1")
	db.Do("SET", "k", "v", "PXAT", "1700000000002", "XX", "GET").Want("v")
	db.Do("SET", "k", "v").Want("OK")
	db.Do("PTTL", "k").Want("-1")
	db.WantJournal("SET k v PXAT 1700000010000", "SET k v KEEPTTL", "SET k v PXAT 1700000001500",
		"SET k v PXAT 1700000100000", "SET k v PXAT 1700000000001", "SET k v PXAT 1700000000002", "SET k v")
}

// What is set with a time in the past is there, and gone as soon as somebody looks.
func TestSetInThePast(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "k", "v", "EXAT", "1").Want("OK")
	db.WantJournal("SET k v PXAT 1000")
	db.Do("GET", "k").WantNil()
}

func TestSetExpires(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "k", "v", "PX", "100").Want("OK")
	db.Clock.Advance(99e6)
	db.Do("GET", "k").Want("v")
	db.Clock.Advance(1e6)
	db.Do("GET", "k").WantNil()
	db.Do("SET", "k", "w", "KEEPTTL").Want("OK")
	db.Do("PTTL", "k").Want("-1")
}

func TestSetSyntax(t *testing.T) {
	db := newDB(t)
	for _, line := range []string{
		"what", "N", "NXX", "PXATX", "KEEPTTL1", "PERSIST", "EX", "PXAT", "IFEQ", "GET EX",
		"NX XX", "XX NX", "EX 1 PX 1", "PX 1 EX 1", "EXAT 1 EX 1", "EX 1 KEEPTTL", "KEEPTTL PXAT 1",
		"IFEQ a NX", "XX IFNE a", "IFEQ a IFEQ a", "IFEQ a IFDNE b", "NX x", "EX 1 x",
	} {
		args := append([]string{"SET", "k", "v"}, strings.Fields(line)...)
		db.Do(args...).WantError("ERR syntax error")
	}
	db.Do("SET", "k").WantError("ERR wrong number of arguments for 'set' command")
	db.Do("SET", "k", "v", "EX", "ten").WantError("ERR value is not an integer or out of range")
	db.WantJournal()
	db.Do("GET", "k").WantNil()
}

// X7: a time that is not positive, or that milliseconds since the epoch cannot hold, is
// refused, and the key stays as it was.
func TestX7InvalidExpireTimes(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "k", "old")
	db.WantJournal("SET k old")
	for _, unit := range []string{"EX", "PX", "EXAT", "PXAT"} {
		times := []string{"0", "-1", "-9223372036854775808"}
		switch unit {
		case "EX", "EXAT":
			times = append(times, "9223372036854775807", "9223372036854776")
			if unit == "EX" {
				times = append(times, "9223372036854775")
			}
		case "PX":
			times = append(times, "9223372036854775807", "9223370336854775808")
		}
		for _, n := range times {
			db.Do("SET", "k", "v", unit, n).WantError("ERR invalid expire time in 'set' command")
			db.Do("SET", "k", "v", "GET", unit, n).WantError("ERR invalid expire time in 'set' command")
			db.Do("GETEX", "k", unit, n).WantError("ERR invalid expire time in 'getex' command")
			db.Do("MSETEX", "1", "k", "v", unit, n).WantError("ERR invalid expire time in 'msetex' command")
		}
		db.Do("SET", "k", "v", unit, "9223372036854775808").WantError("ERR value is not an integer")
	}
	db.Do("SETEX", "k", "0", "v").WantError("ERR invalid expire time in 'setex' command")
	db.Do("SETEX", "k", "9223372036854775807", "v").WantError("ERR invalid expire time in 'setex' command")
	db.Do("PSETEX", "k", "-1", "v").WantError("ERR invalid expire time in 'psetex' command")
	db.Do("PSETEX", "k", "9223372036854775807", "v").WantError("ERR invalid expire time in 'psetex' command")
	db.Do("GET", "k").Want("old")
	db.Do("PTTL", "k").Want("-1")
	db.WantJournal()

	db.Do("SET", "k", "v", "PXAT", "9223372036854775807").Want("OK") // the last time there is
	db.Do("GET", "k").Want("v")
}

func TestOlderSets(t *testing.T) {
	db := newDB(t)
	db.Do("SETNX", "k", "v").WantInt(1)
	db.Do("SETNX", "k", "w").WantInt(0)
	db.Do("SETEX", "k", "10", "x").Want("OK")
	db.Do("PTTL", "k").Want("10000")
	db.Do("PSETEX", "k", "10", "y").Want("OK")
	db.Do("PTTL", "k").Want("10")
	db.Do("GETSET", "k", "z").Want("y")
	db.Do("PTTL", "k").Want("-1")
	db.Do("GETSET", "new", "5").WantNil()
	db.Do("GETSET", "new", "6").Want("5")
	db.WantJournal("SETNX k v", "SET k x PXAT 1700000010000", "SET k y PXAT 1700000000010", "SET k z",
		"SET new 5", "SET new 6")
	db.Do("SETEX", "k", "x", "v").WantError("ERR value is not an integer")
}

func TestGetDel(t *testing.T) {
	db := newDB(t)
	db.Do("GETDEL", "k").WantNil()
	db.Do("SET", "k", "7")
	db.Do("GETDEL", "k").Want("7")
	db.Do("GET", "k").WantNil()
	db.WantJournal("SET k 7", "DEL k")
}

func TestGetEx(t *testing.T) {
	db := newDB(t)
	db.Do("GETEX", "k", "EX", "1").WantNil()
	db.Do("SET", "k", "v")
	db.Do("GETEX", "k").Want("v")
	db.Do("GETEX", "k", "PERSIST").Want("v") // nothing to do
	db.WantJournal("SET k v")
	db.Do("GETEX", "k", "EX", "5").Want("v")
	db.Do("PTTL", "k").Want("5000")
	db.Do("GETEX", "k", "px", "5").Want("v")
	db.Do("GETEX", "k", "EXAT", "1700000001").Want("v")
	db.Do("PTTL", "k").Want("1000")
	db.Do("GETEX", "k").Want("v")
	db.Do("PTTL", "k").Want("1000")
	db.Do("GETEX", "k", "persist").Want("v")
	db.Do("PTTL", "k").Want("-1")
	db.Do("GETEX", "k", "PXAT", "1700000000000").Want("v") // not in the future
	db.Do("PTTL", "k").Want("-2")
	db.WantJournal("PEXPIREAT k 1700000005000", "PEXPIREAT k 1700000000005", "PEXPIREAT k 1700000001000",
		"PERSIST k", "DEL k")
	db.Keyspace.Tuning.LazyExpire.Store(true)
	db.Do("SET", "k", "v")
	db.Do("GETEX", "k", "EXAT", "1").Want("v")
	db.WantJournal("SET k v", "UNLINK k")
	for _, line := range []string{
		"NX", "GET", "KEEPTTL", "EX", "EX 1 PERSIST", "PERSIST PX 1", "EX 1 PX 1", "IFEQ v",
	} {
		db.Do(append([]string{"GETEX", "k"}, strings.Fields(line)...)...).WantError("ERR syntax error")
	}
	big := strings.Repeat("g", 2*keyspace.Big)
	db.Do("SET", "k", big)
	db.Do("GETEX", "k", "EX", "5").Want(big) // the block grows by the time: it is another one
	db.Do("GETEX", "k", "PERSIST").Want(big)
	db.Do("GETEX", "k", "EXAT", "1").Want(big)
	db.Do("GET", "k").WantNil()
}

// X12: MSETNX with a key twice sets the last value; MSET with half a pair is refused.
func TestX12ManyAndTwice(t *testing.T) {
	db := newDB(t)
	db.Do("MSET", "a", "1", "b").WantError("ERR wrong number of arguments for 'mset' command")
	db.Do("MSET", "a").WantError("ERR wrong number of arguments for 'mset' command")
	db.Do("MSETNX", "a", "1", "b").WantError("ERR wrong number of arguments for 'msetnx' command")
	db.Do("MSETNX", "a", "1", "a", "2").WantInt(1)
	db.Do("GET", "a").Want("2")
	db.Do("MSETNX", "b", "1", "a", "3").WantInt(0)
	db.Do("MGET", "a", "b").WantArray("2", "(nil)")
	db.Do("MSET", "a", "x", "b", "y", "a", "z").Want("OK")
	db.Do("MGET", "a", "b").WantArray("z", "y")
	db.WantJournal("MSETNX a 1 a 2", "MSET a x b y a z")
}

func TestMSetEx(t *testing.T) {
	db := newDB(t)
	db.Do("MSETEX", "2", "a", "1", "b", "2").WantInt(1)
	db.Do("MSETEX", "2", "a", "1", "c", "2", "NX").WantInt(0)
	db.Do("MSETEX", "2", "a", "1", "c", "2", "XX").WantInt(0)
	db.Do("MGET", "a", "b", "c").WantArray("1", "2", "(nil)")
	db.WantJournal("MSET a 1 b 2")
	db.Do("MSETEX", "2", "a", "3", "b", "4", "ex", "10", "xx").WantInt(1)
	db.Do("PTTL", "a").Want("10000")
	db.Do("MSETEX", "2", "a", "5", "c", "6", "KEEPTTL").WantInt(1)
	db.Do("PTTL", "a").Want("10000")
	db.Do("PTTL", "c").Want("-1")
	db.WantJournal("MULTI", "SET a 3 PXAT 1700000010000", "SET b 4 PXAT 1700000010000", "EXEC",
		"MULTI", "SET a 5 KEEPTTL", "SET c 6 KEEPTTL", "EXEC")
	for _, tt := range []struct{ line, want string }{
		{"x a 1", "ERR invalid numkeys value"},
		{"0 a 1", "ERR invalid numkeys value"},
		{"-1 a 1", "ERR invalid numkeys value"},
		{"2147483648 a 1", "ERR invalid numkeys value"},
		{"2147483647 a 1", "ERR wrong number of key-value pairs"},
		{"2 a 1", "ERR wrong number of key-value pairs"},
		{"2 a 1 b", "ERR wrong number of key-value pairs"},
		{"1 a 1 b", "ERR syntax error"},
		{"1 a 1 NX XX", "ERR syntax error"},
		{"1 a 1 EX 1 PX 1", "ERR syntax error"},
		{"1 a 1 KEEPTTL EX 1", "ERR syntax error"},
		{"1 a 1 GET", "ERR syntax error"},
		{"1 a 1 IFEQ 1", "ERR syntax error"},
		{"1 a 1 EX x", "ERR value is not an integer or out of range"},
		{"1 a", "ERR wrong number of arguments for 'msetex' command"},
	} {
		db.Do(append([]string{"MSETEX"}, strings.Fields(tt.line)...)...).WantError(tt.want)
	}
	db.WantJournal()
}

// Whatever stands behind SET, the key is set if the reply is OK, and only then.
func FuzzSetOptions(f *testing.F) {
	for _, s := range []string{
		"NX GET", "EX 10", "ifdne 9555e8555c62dcfd KEEPTTL", "\x4e\x58", "EX 9223372036854775807",
	} {
		f.Add(s)
	}
	db := newDB(f)
	f.Fuzz(func(t *testing.T, line string) {
		args := append([]string{"SET", "k", "v"}, strings.Split(line, " ")...)
		db.Call("DEL", "k")
		reply := db.Call(args...)
		stored := db.Call("GET", "k")
		if strings.HasPrefix(reply, "-") && stored != "$-1\r\n" {
			t.Errorf("%q: refused with %q, and set to %q", line, reply, stored)
		}
		if reply == "+OK\r\n" && stored != "$1\r\nv\r\n" && !mayBeGone(args) {
			t.Errorf("%q: accepted, and the key holds %q", line, stored)
		}
	})
}

// mayBeGone says whether an option is a time in the past.
func mayBeGone(args []string) bool {
	for i, a := range args[:len(args)-1] {
		if u := strings.ToUpper(a); u == "EXAT" || u == "PXAT" {
			if n, ok := numtext.ParseInt([]byte(args[i+1])); ok && n < 1_700_000_000_001 {
				return true
			}
		}
	}
	return false
}
