package keycmd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/keyspace"
)

// policySwitch is how the errors end about a figure that the policy does not keep.
const policySwitch = "Please note that when switching between policies at runtime LRU and LFU data will " +
	"take some time to adjust."

func TestObjectEncoding(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct{ value, want string }{
		{"", "embstr"}, {"v", "embstr"}, {"0", "int"}, {"-9223372036854775808", "int"},
		{"9223372036854775807", "int"}, {"9223372036854775808", "embstr"}, {"-0", "embstr"}, {"01", "embstr"}, {"1.0", "embstr"},
		{strings.Repeat("x", 44), "embstr"}, {strings.Repeat("x", 45), "raw"},
	} {
		db.Do("SET", "k", tt.value).Want("OK")
		db.Do("OBJECT", "ENCODING", "k").Want(tt.want)
	}
	run(t, db,
		step{"SET k ab", "OK"}, step{"APPEND k c", "3"},
		step{"OBJECT ENCODING k", "raw"}, // whoever appends once may do it again
		step{"COPY k l", "1"}, step{"OBJECT ENCODING l", "raw"},
		step{"SET k abc", "OK"}, step{"OBJECT ENCODING k", "embstr"},
		step{"object encoding none", "(nil)"},
		step{"OBJECT", "-ERR wrong number of arguments for 'object' command"},
		step{"OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"},
		step{"OBJECT ENCODING k l", "-ERR wrong number of arguments for 'object|encoding' command"},
		step{"OBJECT HELP x", "-ERR wrong number of arguments for 'object|help' command"},
		step{"OBJECT FOO k", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."},
	)
	help := db.Do("OBJECT", "HELP").Text()
	for _, name := range []string{"ENCODING", "FREQ", "IDLETIME", "REFCOUNT", "HELP"} {
		if !strings.Contains(help, name) {
			t.Errorf("OBJECT HELP does not tell of %s: %s", name, help)
		}
	}
}

func TestObjectRefCount(t *testing.T) {
	db := newDB(t)
	const shared = "2147483647"
	for _, tt := range []struct {
		value  string
		limit  int64
		policy keyspace.Policy
		want   string
	}{
		{"0", 0, keyspace.NoEviction, shared}, {"9999", 0, keyspace.NoEviction, shared},
		{"10000", 0, keyspace.NoEviction, "1"}, {"-1", 0, keyspace.NoEviction, "1"},
		{"v", 0, keyspace.NoEviction, "1"},
		{"5", 1 << 30, keyspace.VolatileTTL, shared}, {"5", 0, keyspace.AllKeysLRU, shared},
		{"5", 1 << 30, keyspace.AllKeysLRU, "1"}, {"5", 1 << 30, keyspace.VolatileLFU, "1"},
	} {
		db.Keyspace.Tuning.MaxMemory.Store(tt.limit)
		db.Keyspace.Tuning.Policy.Store(int32(tt.policy))
		db.Do("SET", "k", tt.value).Want("OK")
		db.Do("OBJECT", "REFCOUNT", "k").Want(tt.want)
	}
	db.Do("OBJECT", "REFCOUNT", "none").WantNil()
}

// setPolicy does what the option maxmemory-policy does.
func setPolicy(db *cmdtest.DB, p keyspace.Policy) {
	db.Keyspace.Tuning.Policy.Store(int32(p))
	if p.Clocks() {
		db.Keyspace.Tuning.TrackClock.Store(true)
	}
}

func TestObjectIdleTime(t *testing.T) {
	db := newDB(t)
	setPolicy(db, keyspace.AllKeysLRU)
	wait := func(seconds int) { db.Clock.Advance(time.Duration(seconds) * time.Second) }
	run(t, db, step{"SET k v", "OK"}, step{"OBJECT IDLETIME k", "0"})
	wait(10)
	for _, call := range []string{"EXISTS k", "TTL k", "TYPE k", "OBJECT ENCODING k", "KEYS *", "SCAN 0"} {
		do(db, call)
		run(t, db, step{"OBJECT IDLETIME k", "10"}) // none of these is an access
	}
	for _, call := range []string{"GET k", "TOUCH k", "SET k w", "EXPIRE k 1000", "PERSIST k", "DUMP k",
		"COPY k l"} {
		do(db, call)
		run(t, db, step{"OBJECT IDLETIME k", "0"})
		wait(5)
		run(t, db, step{"OBJECT IDLETIME k", "5"})
	}
	run(t, db, step{"RENAME k l", "OK"}, step{"OBJECT IDLETIME l", "0"})
	wait(5)
	db.Session.NoTouch = true
	run(t, db,
		step{"GET l", "w"}, step{"OBJECT IDLETIME l", "5"},
		step{"TOUCH l", "1"}, step{"OBJECT IDLETIME l", "0"}, // TOUCH is excepted
		step{"OBJECT FREQ none", "(nil)"}, step{"OBJECT IDLETIME none", "(nil)"},
		step{"OBJECT FREQ l", "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. " +
			policySwitch})
}

// TestIdleTimeUntracked: nothing is known of a key that was written while nobody wanted
// to know. It counts as unused since the server began, until it is accessed.
func TestIdleTimeUntracked(t *testing.T) {
	db := newDB(t)
	run(t, db, step{"SET a v", "OK"}, step{"SET b 5", "OK"}, step{"SET c v", "OK"}, step{"EXPIRE c 1000", "1"})
	db.WantJournal("SET a v", "SET b 5", "SET c v", "PEXPIREAT c 1700001000000")
	db.Clock.Advance(100 * time.Second)
	run(t, db, step{"GET a", "v"}, step{"OBJECT IDLETIME a", "100"})
	db.Clock.Advance(time.Second)
	run(t, db, step{"OBJECT IDLETIME a", "101"}, step{"GET a", "v"}, step{"OBJECT IDLETIME a", "0"})
	db.Clock.Advance(time.Second)
	run(t, db,
		step{"OBJECT IDLETIME a", "1"},
		step{"SET new v", "OK"}, step{"OBJECT IDLETIME new", "0"}, // tracked from the first question on
		step{"TOUCH b", "1"}, step{"OBJECT IDLETIME b", "0"}, step{"GET b", "5"},
		step{"OBJECT IDLETIME c", "102"}, step{"TTL c", "898"}, step{"GET c", "v"}, step{"OBJECT IDLETIME c", "0"},
		step{"OBJECT ENCODING a", "embstr"}, step{"OBJECT ENCODING b", "int"},
	)
	db.WantJournal("SET new v") // asking changes nothing
}

func TestObjectFreq(t *testing.T) {
	db := newDB(t)
	run(t, db, step{"SET old v", "OK"})
	setPolicy(db, keyspace.AllKeysLFU)
	run(t, db,
		step{"SET k v", "OK"}, step{"OBJECT FREQ k", "5"}, // a new key's
		step{"OBJECT FREQ old", "5"}, // as good as new
		step{"OBJECT IDLETIME k", "-ERR An LFU maxmemory policy is selected, idle time not tracked. " +
			policySwitch},
	)
	db.Keyspace.Tuning.LFULogFactor.Store(0) // count every access
	run(t, db, step{"GET k", "v"}, step{"GET old", "v"}, step{"TOUCH k", "1"}, step{"OBJECT FREQ k", "7"},
		step{"OBJECT FREQ old", "6"})
	db.Clock.Advance(3 * time.Minute)
	run(t, db, step{"OBJECT FREQ k", "4"}, step{"OBJECT FREQ none", "(nil)"})
	db.Do("RESTORE", "r", "0", payloadOfRedis, "FREQ", "200").Want("OK")
	run(t, db, step{"OBJECT FREQ r", "200"})
}

// RESTORE with an idle time makes the store track accesses, so that it is not lost.
func TestRestoreIdleTime(t *testing.T) {
	db := newDB(t)
	db.Do("RESTORE", "a", "0", payloadOfRedis, "IDLETIME", "5000").Want("OK")
	db.Do("RESTORE", "b", "0", payloadOfRedis, "IDLETIME", "9223372036854775807").Want("OK")
	run(t, db, step{"OBJECT IDLETIME a", "5000"}, step{"OBJECT IDLETIME b", "16777214"}, step{"GET a", "v"},
		step{"OBJECT IDLETIME a", "0"})
}
