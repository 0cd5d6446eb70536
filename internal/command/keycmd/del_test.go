package keycmd_test

import (
	"testing"
	"time"
)

func TestDel(t *testing.T) {
	for _, name := range []string{"DEL", "UNLINK"} {
		db := newDB(t)
		run(t, db,
			step{"SET a 1", "OK"},
			step{"SET b 2", "OK"},
			step{name + " none", "0"},
			step{name + " none a a b", "2"}, // a key named twice is removed once
			step{"EXISTS a b", "0"},
			step{name, "-ERR wrong number of arguments for '" + map[string]string{
				"DEL": "del", "UNLINK": "unlink"}[name] + "' command"},
		)
		db.WantJournal("SET a 1", "SET b 2", name+" none a a b")
	}
}

func TestExistsTouchType(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"SET a 1", "OK"},
		step{"EXISTS a none a", "2"}, // a key named twice counts twice
		step{"TOUCH a none a", "2"},
		step{"TYPE a", "string"},
		step{"TYPE none", "none"},
	)
	db.Do("TYPE", "a").WantRaw("+string\r\n")
	db.Do("SET", "", "the empty name").Want("OK")
	db.Do("EXISTS", "").Want("1")
	db.Do("DEL", "").Want("1")
	db.WantJournal("SET a 1", `SET "" "the empty name"`, `DEL ""`)
}

// A key whose time has come is removed by whoever finds it, and the removal is
// journalled for those who cannot see our clock.
func TestLazyExpiry(t *testing.T) {
	for _, tt := range []struct{ call, want string }{
		{"EXISTS k", "0"},
		{"DEL k", "0"},
		{"UNLINK k", "0"},
		{"TOUCH k", "0"},
		{"TYPE k", "none"},
		{"TTL k", "-2"},
		{"PTTL k", "-2"},
		{"EXPIRETIME k", "-2"},
		{"PEXPIRETIME k", "-2"},
		{"PERSIST k", "0"},
		{"EXPIRE k 10", "0"},
		{"DUMP k", "(nil)"},
		{"OBJECT ENCODING k", "(nil)"},
		{"OBJECT IDLETIME k", "(nil)"},
		{"COPY k l", "0"},
		{"MOVE k 1", "0"},
		{"RENAME k l", "-ERR no such key"},
		{"RENAMENX k l", "-ERR no such key"},
		{"SCAN 0", "[0 []]"},
		{"RANDOMKEY", "(nil)"},
	} {
		db := newDB(t)
		run(t, db, step{"SET k v", "OK"}, step{"PEXPIRE k 1000", "1"})
		db.Clock.Advance(999 * time.Millisecond)
		run(t, db, step{"EXISTS k", "1"})
		db.WantJournal("SET k v", "PEXPIREAT k 1700000001000")
		db.Clock.Advance(time.Millisecond)
		run(t, db, step{"KEYS *", "[]"}) // it removes nothing
		db.WantJournal()
		do(db, tt.call).Want(tt.want)
		db.WantJournal("DEL k")
	}
}

// An expired key at the other end of a command is not there either.
func TestLazyExpiryOfDestination(t *testing.T) {
	for _, tt := range []struct {
		call, want string
		journal    []string
	}{
		{"COPY k l", "1", []string{"MULTI", "DEL l", "COPY k l", "EXEC"}},
		{"RENAMENX k l", "1", []string{"MULTI", "DEL l", "RENAMENX k l", "EXEC"}},
		{"RENAME k l", "OK", []string{"RENAME k l"}},
	} {
		db := newDB(t)
		run(t, db, step{"SET k v", "OK"}, step{"SET l old", "OK"}, step{"PEXPIRE l 1", "1"})
		db.Clock.Advance(time.Second)
		db.WantJournal("SET k v", "SET l old", "PEXPIREAT l 1700000000001")
		do(db, tt.call).Want(tt.want)
		db.WantJournal(tt.journal...)
		run(t, db, step{"GET l", "v"}, step{"TTL l", "-1"})
	}
	db := newDB(t)
	run(t, db, step{"SELECT 1", "OK"}, step{"SET k old", "OK"}, step{"PEXPIRE k 1", "1"},
		step{"SELECT 0", "OK"}, step{"SET k v", "OK"})
	db.Clock.Advance(time.Second)
	db.WantJournal("[1] SET k old", "[1] PEXPIREAT k 1700000000001", "SET k v")
	run(t, db, step{"MOVE k 1", "1"}, step{"EXISTS k", "0"}, step{"SELECT 1", "OK"}, step{"GET k", "v"})
	db.WantJournal("[1] MULTI", "[1] DEL k", "MOVE k 1", "EXEC")
}

func TestHotCommandsAllocateNothing(t *testing.T) {
	db := newQuietDB(t)
	for _, call := range []string{"SET k v", "SET l v", "PEXPIRE l 100000"} {
		do(db, call)
	}
	for _, call := range [][]string{
		{"EXISTS", "k"}, {"EXISTS", "k", "l", "none"}, {"TYPE", "k"}, {"TOUCH", "k"}, {"TTL", "k"}, {"PTTL", "l"},
		{"DEL", "none"}, {"UNLINK", "none", "nothing"}, {"PERSIST", "k"}, {"OBJECT", "ENCODING", "k"},
		{"OBJECT", "REFCOUNT", "k"}, {"SCAN", "0"}, {"SCAN", "0", "MATCH", "*k", "COUNT", "100"},
		{"EXPIRETIME", "l"}, {"EXPIRE", "l", "1000"}, {"PEXPIREAT", "l", "1700000900000", "GT"}, {"MOVE", "none", "1"},
		{"RENAMENX", "k", "l"},
	} {
		if n := db.AllocsPerRun(call...); n != 0 {
			t.Errorf("%v allocates %v times", call, n)
		}
	}
}
