package keycmd_test

import (
	"strings"
	"testing"
	"time"
)

func TestExpire(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"SET k v", "OK"},
		step{"EXPIRE k 10", "1"},
		step{"TTL k", "10"},
		step{"PTTL k", "10000"},
		step{"EXPIRETIME k", "1700000010"},
		step{"PEXPIRETIME k", "1700000010000"},
		step{"PEXPIRE k 1499", "1"},
		step{"TTL k", "1"}, // to the nearest second
		step{"PEXPIRE k 1500", "1"},
		step{"TTL k", "2"},
		step{"EXPIRETIME k", "1700000002"},
		step{"EXPIREAT k 1700000100", "1"},
		step{"TTL k", "100"},
		step{"PEXPIREAT k 1700000000400", "1"},
		step{"TTL k", "0"},
		step{"PTTL k", "400"},
		step{"PERSIST k", "1"},
		step{"PERSIST k", "0"},
		step{"TTL k", "-1"},
		step{"EXPIRETIME k", "-1"},
		step{"GET k", "v"},
		step{"EXPIRE none 10", "0"},
		step{"PERSIST none", "0"},
		step{"TTL none", "-2"},
		step{"PEXPIRETIME none", "-2"},
	)
	db.WantJournal("SET k v", "PEXPIREAT k 1700000010000", "PEXPIREAT k 1700000001499",
		"PEXPIREAT k 1700000001500", "PEXPIREAT k 1700000100000", "PEXPIREAT k 1700000000400", "PERSIST k")
}

func TestExpireOptions(t *testing.T) {
	for _, tt := range []struct {
		had, options string // seconds to live, or "" for ever
		want         string
	}{
		{"", "", "1"}, {"100", "", "1"},
		{"", "NX", "1"}, {"100", "NX", "0"}, {"100", "nx NX", "0"},
		{"", "XX", "0"}, {"100", "XX", "1"},
		// For ever is later than any time.
		{"", "GT", "0"}, {"49", "GT", "1"}, {"50", "GT", "0"}, {"51", "GT", "0"},
		{"", "LT", "1"}, {"49", "LT", "0"}, {"50", "LT", "0"}, {"51", "lt", "1"},
		{"", "XX LT", "0"}, {"51", "LT XX", "1"}, {"49", "XX GT", "1"}, {"", "XX GT", "0"},
		{"", "NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"},
		{"", "GT NX", "-ERR NX and XX, GT or LT options at the same time are not compatible"},
		{"", "LT NX", "-ERR NX and XX, GT or LT options at the same time are not compatible"},
		{"", "NX GT LT", "-ERR NX and XX, GT or LT options at the same time are not compatible"},
		{"", "GT LT", "-ERR GT and LT options at the same time are not compatible"},
		{"", "XX LT GT", "-ERR GT and LT options at the same time are not compatible"},
		{"", "GTE", "-ERR Unsupported option GTE"},
		{"", "NX XX Foo", "-ERR Unsupported option Foo"},
	} {
		db := newDB(t)
		do(db, "SET k v").Want("OK")
		if tt.had != "" {
			do(db, "EXPIRE k "+tt.had).Want("1")
		}
		db.Do(strings.Fields("EXPIRE k 50 " + tt.options)...).Want(tt.want)
		left := tt.had
		switch {
		case tt.want == "1":
			left = "50"
		case left == "":
			left = "-1"
		}
		do(db, "TTL k").Want(left)
	}
}

// TestExpireOptionsJournal: what is journalled says what happened, not under which
// condition it was asked for, and nothing if nothing happened.
func TestExpireOptionsJournal(t *testing.T) {
	db := newDB(t)
	run(t, db, step{"SET k v", "OK"}, step{"EXPIRE k 10 NX", "1"}, step{"EXPIRE k 5 GT", "0"},
		step{"EXPIREAT k 1 LT", "1"}, step{"EXISTS k", "0"})
	db.WantJournal("SET k v", "PEXPIREAT k 1700000010000", "DEL k")
}

// TestX7: times that 64 bits do not hold are refused, whether the key is there or not,
// and times that are over remove the key.
func TestX7(t *testing.T) {
	const (
		gone    = "1, and the key is gone"
		lives   = "1, and the key lives"
		number  = "-ERR value is not an integer or out of range"
		invalid = "-ERR invalid expire time in '%' command"
	)
	for _, tt := range []struct{ call, want string }{
		{"EXPIRE 9223372036854775807", invalid},
		{"EXPIRE 9223372036854776", invalid}, // too many milliseconds
		{"EXPIRE 9223372036854775", invalid}, // too many with the time that it is
		{"EXPIRE 9223370336854775", lives},
		{"EXPIRE 9223370336854776", invalid},
		{"EXPIRE -9223372036854776", invalid},
		{"EXPIRE -9223372036854775808", invalid},
		{"EXPIRE -9223372036854775", gone},
		{"EXPIRE -1", gone},
		{"EXPIRE -0", number},
		{"EXPIRE 0", gone},
		{"EXPIRE 1", lives},
		{"EXPIRE 2147483648", lives},
		{"EXPIRE 4294967296", lives},
		{"EXPIRE 9223372036854775808", number},
		{"EXPIRE 18446744073709551616", number},
		{"EXPIRE +1", number},
		{"EXPIRE 01", number},
		{"EXPIRE 1e3", number},
		{"EXPIRE 0x10", number},
		{"EXPIRE nan", number},
		{"EXPIRE " + strings.Repeat("9", 400), number},
		{"PEXPIRE 9223372036854775807", invalid},
		{"PEXPIRE 9223370336854775807", lives}, // the last
		{"PEXPIRE 9223370336854775808", invalid},
		{"PEXPIRE -9223372036854775808", gone},
		{"PEXPIRE 0", gone},
		{"EXPIREAT 9223372036854775807", invalid},
		{"EXPIREAT 9223372036854775", lives},
		{"EXPIREAT 9223372036854776", invalid},
		{"EXPIREAT -9223372036854775808", invalid},
		{"EXPIREAT 0", gone},
		{"EXPIREAT 1700000000", gone}, // now is over
		{"EXPIREAT 1700000001", lives},
		{"PEXPIREAT 9223372036854775807", lives},
		{"PEXPIREAT -9223372036854775808", gone},
		{"PEXPIREAT 1700000000000", gone},
		{"PEXPIREAT 1700000000001", lives},
	} {
		name, when, _ := strings.Cut(tt.call, " ")
		want := strings.ReplaceAll(tt.want, "%", strings.ToLower(name))
		reply, _, _ := strings.Cut(want, ", and")
		db := newDB(t)
		run(t, db, step{"SET k v", "OK"}, step{name + " k " + when, reply})
		if reply == "1" {
			do(db, name+" none "+when).Want("0")
		} else {
			do(db, name+" none "+when).Want(reply)
		}
		db.Do(name, "k", "").Want(number)
		db.Do(name, "k", " 1").Want(number)
		if tt.want == gone {
			do(db, "EXISTS k").Want("0")
			db.WantJournal("SET k v", "DEL k")
		} else {
			do(db, "EXISTS k").Want("1")
		}
	}
	db := newDB(t)
	run(t, db, step{"SET k v", "OK"}, step{"PEXPIREAT k 9223372036854775807", "1"},
		step{"PEXPIRETIME k", "9223372036854775807"}, step{"EXPIRETIME k", "9223372036854776"},
		step{"PTTL k", "9223370336854775807"}, step{"TTL k", "9223370336854776"})
}

// A removal that lazyfree-lazy-expire asks to be lazy is journalled as one.
func TestExpireInThePastLazily(t *testing.T) {
	db := newDB(t)
	db.Keyspace.Tuning.LazyExpire.Store(true)
	run(t, db, step{"SET k v", "OK"}, step{"EXPIRE k -1", "1"})
	db.WantJournal("SET k v", "UNLINK k")
}

// The expiry belongs to the value: it goes with it, and whoever replaces the value is
// free of it.
func TestExpiryGoesWithTheValue(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"SET a v", "OK"}, step{"EXPIRE a 100", "1"}, step{"SET b v", "OK"},
		step{"RENAME a b", "OK"}, step{"TTL b", "100"},
		step{"COPY b c", "1"}, step{"TTL c", "100"},
		step{"SET d w", "OK"}, step{"RENAME d c", "OK"}, step{"TTL c", "-1"},
		step{"MOVE b 3", "1"}, step{"SELECT 3", "OK"}, step{"TTL b", "100"},
		step{"SET b w", "OK"}, step{"TTL b", "-1"},
	)
	db.Clock.Advance(200 * time.Second)
	run(t, db, step{"GET b", "w"}, step{"SELECT 0", "OK"}, step{"GET c", "w"})
}

// EXPIRE of two keys within one transaction is journalled as one group.
func TestExpireInMulti(t *testing.T) {
	db := newDB(t)
	run(t, db, step{"SET a v", "OK"}, step{"SET b v", "OK"}, step{"MULTI", "OK"})
	for _, call := range []string{"EXPIRE a 1", "EXPIRE b -1", "SCAN 0", "KEYS *", "RANDOMKEY"} {
		do(db, call).Want("QUEUED")
	}
	do(db, "EXEC").Want("[1 1 [0 [a]] [a] a]")
	db.WantJournal("SET a v", "SET b v", "MULTI", "PEXPIREAT a 1700000001000", "DEL b", "EXEC")
}
