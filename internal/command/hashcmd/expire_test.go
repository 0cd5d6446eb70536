package hashcmd_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/glob"
	effects "github.com/spineldb/spinel/internal/journal"
)

// call runs a line of words.
func call(db *cmdtest.DB, line string) *cmdtest.Reply { return db.Do(strings.Fields(line)...) }

// run runs a table of calls and what they reply with; an error begins with a minus sign.
// A line that begins with a plus sign lets so many milliseconds pass.
func run(t *testing.T, db *cmdtest.DB, table ...[2]string) {
	t.Helper()
	for _, row := range table {
		if ms, ok := strings.CutPrefix(row[0], "+"); ok {
			var n int
			if _, err := fmt.Sscan(ms, &n); err != nil {
				t.Fatal(err)
			}
			db.Clock.Advance(time.Duration(n) * time.Millisecond)
			continue
		}
		if got := call(db, row[0]).Text(); got != row[1] {
			t.Errorf("%s: got %q, want %q", row[0], got, row[1])
		}
	}
}

// both runs a test with small hashes and with tables.
func both(t *testing.T, test func(db *cmdtest.DB)) {
	t.Helper()
	for _, entries := range []int64{512, 0} {
		db := newDB(t)
		db.Keyspace.Limits().HashEntries.Store(entries)
		db.RecordJournal()
		test(db)
	}
}

func TestExpire(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSET h a 1 b 2 c 3 d 4", "4"},
			{"HEXPIRE h 10 FIELDS 3 a x b", "[1 -2 1]"},
			{"HPEXPIRE h 1500 FIELDS 1 c", "[1]"},
			{"HTTL h FIELDS 5 a b c d x", "[10 10 2 -1 -2]"},
			{"HPTTL h FIELDS 2 a c", "[10000 1500]"},
			{"HEXPIRETIME h FIELDS 3 a c d", "[1700000010 1700000002 -1]"},
			{"HPEXPIRETIME h FIELDS 2 c x", "[1700000001500 -2]"},
			{"HEXPIREAT h 1700000020 FIELDS 1 d", "[1]"},
			{"HPEXPIREAT h 1700000020500 FIELDS 1 d", "[1]"},
			{"HPTTL h FIELDS 1 d", "[20500]"},
			{"HPERSIST h FIELDS 4 a x d d", "[1 -2 1 -1]"},
			{"HTTL h FIELDS 2 a d", "[-1 -1]"},
			{"HEXPIRE none 10 FIELDS 2 a b", "[-2 -2]"},
			{"HTTL none FIELDS 2 a b", "[-2 -2]"},
			{"HPERSIST none FIELDS 1 a", "[-2]"},
			{"HEXPIRE h 0 FIELDS 2 a a", "[2 -2]"},
			{"HPEXPIREAT h 1700000000000 FIELDS 1 b", "[2]"},
			{"HGETALL h", "[c 3 d 4]"},
		}...)
		db.WantJournal("HSET h a 1 b 2 c 3 d 4", "HPEXPIREAT h 1700000010000 FIELDS 2 a b",
			"HPEXPIREAT h 1700000001500 FIELDS 1 c", "HPEXPIREAT h 1700000020000 FIELDS 1 d",
			"HPEXPIREAT h 1700000020500 FIELDS 1 d", "HPERSIST h FIELDS 4 a x d d", "HDEL h a", "HDEL h b")
	})
}

func TestExpireConditions(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSET h a 1 b 2", "2"},
			{"HEXPIRE h 10 XX FIELDS 1 a", "[0]"},
			{"HEXPIRE h 10 GT FIELDS 1 a", "[0]"},
			{"HEXPIRE h 10 nx FIELDS 1 a", "[1]"},
			{"HEXPIRE h 20 NX FIELDS 2 a b", "[0 1]"},
			{"HEXPIRE h 10 GT FIELDS 1 a", "[0]"},
			{"HEXPIRE h 11 GT FIELDS 1 a", "[1]"},
			{"HEXPIRE h 11 LT FIELDS 1 a", "[0]"},
			{"HEXPIRE h 9 LT FIELDS 1 a", "[1]"},
			{"HEXPIRE h 0 GT FIELDS 1 a", "[0]"},
			{"HEXPIRE h 30 XX GT FIELDS 2 a b", "[1 1]"},
			{"HEXPIRE h 40 NX XX FIELDS 1 a",
				"-ERR NX and XX, GT or LT options at the same time are not compatible"},
			{"HEXPIRE h 40 GT LT FIELDS 1 a", "-ERR GT and LT options at the same time are not compatible"},
			{"HPERSIST h FIELDS 1 a", "[1]"},
			{"HEXPIRE h 5 LT FIELDS 1 a", "[1]"}, // no expiry is the latest
			{"HTTL h FIELDS 2 a b", "[5 30]"},
		}...)
		db.WantJournal("HSET h a 1 b 2", "HPEXPIREAT h 1700000010000 FIELDS 1 a",
			"HPEXPIREAT h 1700000020000 FIELDS 1 b", "HPEXPIREAT h 1700000011000 FIELDS 1 a",
			"HPEXPIREAT h 1700000009000 FIELDS 1 a", "HPEXPIREAT h 1700000030000 FIELDS 2 a b",
			"HPERSIST h FIELDS 1 a", "HPEXPIREAT h 1700000005000 FIELDS 1 a")
	})
}

// Row X7: times that overflow and numbers of fields that are wrong.
func TestExpireX7(t *testing.T) {
	const (
		place    = "-ERR Mandatory argument FIELDS is missing or not at the right position"
		positive = "-ERR Parameter `numFields` should be greater than 0"
		count    = "-ERR Number of fields must be a positive integer"
		match    = "-ERR The `numfields` parameter must match the number of arguments"
		integer  = "-ERR value is not an integer or out of range"
		negative = "-ERR invalid expire time, must be >= 0"
	)
	invalid := func(name string) string { return "-ERR invalid expire time in '" + name + "' command" }
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSET h a 1", "1"},
			{"HEXPIRE h 10 FIELDS 0 a", positive},
			{"HEXPIRE h 10 FIELDS -1 a", positive},
			{"HEXPIRE h 10 FIELDS x a", positive},
			{"HEXPIRE h 10 FIELDS 9223372036854775807 a", match},
			{"HEXPIRE h 10 FIELDS 9223372036854775808 a", positive},
			{"HEXPIRE h 10 FIELDS 2 a", match},
			{"HEXPIRE h 10 FIELDS 1 a b", match},
			{"HEXPIRE h 10 NX FIELDS 1", match},
			{"HEXPIRE h 10 FIELD 1 a", place},
			{"HEXPIRE h 10 YY FIELDS 1 a", place},
			{"HEXPIRE h 10 NX NX NX", place},
			{"HEXPIRE h 10 FIELDS 1", "-ERR wrong number of arguments for 'hexpire' command"},
			{"HEXPIRE h x FIELDS 1 a", integer},
			{"HEXPIRE h -1 FIELDS 1 a", negative},
			{"HEXPIREAT h -1 FIELDS 1 a", negative},
			{"HEXPIRE h 9223372036854775807 FIELDS 1 a", invalid("hexpire")},
			{"HPEXPIRE h 9223372036854775807 FIELDS 1 a", invalid("hpexpire")},
			{"HEXPIREAT h 9223372036854775 FIELDS 1 a", invalid("hexpireat")},
			{"HPEXPIREAT h 70368744177664 FIELDS 1 a", invalid("hpexpireat")},
			{"HPEXPIRE h 68668744177664 FIELDS 1 a", invalid("hpexpire")},
			{"HPEXPIRE h 68668744177663 FIELDS 1 a", "[1]"},
			{"HPEXPIREAT h 70368744177663 FIELDS 1 a", "[1]"},
			{"HPEXPIRETIME h FIELDS 1 a", "[70368744177663]"},
			{"HEXPIRETIME h FIELDS 1 a", "[70368744178]"},
			{"HTTL h FIELDS 0 a", count},
			{"HTTL h FIELDS 2 a", match},
			{"HTTL h FIELD 1 a", place},
			{"HPERSIST h FIELDS 0 a", count},
			{"HPERSIST h FIELDS 2 a", match},
			{"HGETDEL h FIELDS 0 a", count},
			{"HGETDEL h FIELDS 2 a", match},
			{"HGETDEL h FIELD 1 a", place},
			{"HGETEX h FIELDS 0 a", "-ERR invalid number of fields"},
			{"HGETEX h FIELDS 2 a", "-ERR wrong number of arguments for 'hgetex' command"},
			{"HGETEX h FIELDS 9223372036854775807 a", "-ERR wrong number of arguments for 'hgetex' command"},
			{"HGETEX h EX 1 FIELDS 1", "-ERR wrong number of arguments for 'hgetex' command"},
			{"HGETEX h EX 1 PX 1 FIELDS 1 a",
				"-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"},
			{"HGETEX h EX 1 PERSIST FIELDS 1 a",
				"-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"},
			{"HGETEX h KEEPTTL FIELDS 1 a", "-ERR unknown argument: KEEPTTL"},
			{"HGETEX h a b c", "-ERR unknown argument: a"},
			{"HGETEX h PERSIST EX 1 PX", "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"},
			{"HGETEX h EX -1 FIELDS 1 a", negative},
			{"HGETEX h EX x FIELDS 1 a", integer},
			{"HGETEX h EX 9223372036854775807 FIELDS 1 a", invalid("hgetex")},
			{"HSETEX h PX 9223372036854775807 FIELDS 1 a b", invalid("hsetex")},
			{"HSETEX h FIELDS 1 a b c", "-ERR wrong number of arguments for 'hsetex' command"},
			{"HSETEX h FIELDS 2 a b c", "-ERR wrong number of arguments for 'hsetex' command"},
			{"HSETEX h FIELDS 4611686018427387905 a b", "-ERR wrong number of arguments for 'hsetex' command"},
			{"HSETEX h FIELDS 0 a b", "-ERR invalid number of fields"},
			{"HSETEX h FNX FXX FIELDS 1 a b", "-ERR Only one of FXX or FNX arguments can be specified"},
			{"HSETEX h NX XX FIELDS 1 a b", "-ERR Only one of XX or NX arguments can be specified"},
			{"HSETEX h EX 1 KEEPTTL FIELDS 1 a b",
				"-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"},
			{"HSETEX h PERSIST FIELDS 1 a b", "-ERR unknown argument: PERSIST"},
			{"HSETEX h FNX FNX FNX EX", "-ERR Only one of FXX or FNX arguments can be specified"},
			{"HSETEX h FNX NX KEEPTTL", "-ERR wrong number of arguments for 'hsetex' command"},
			{"HSETEX h FNX XX EX 1 KEEPTTL", "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"},
			{"HSETEX h FNX NX x EX", "-ERR unknown argument: x"},
			{"HSETEX h FNX XX PX", "-ERR wrong number of arguments for 'hsetex' command"},
			{"HSETEX h FNX XX NX PX", "-ERR Only one of XX or NX arguments can be specified"},
			{"HSETEX h FNX XX KEEPTTL FIELDS", "-ERR wrong number of arguments for 'hsetex' command"},
			{"HGETALL h", "[a 1]"},
		}...)
	})
}

// A field whose time has come is seen by nobody, and goes when somebody writes to it.
func TestFieldsPast(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		var journal []string
		db.Shared.Journal.Attach(func(group []effects.Effect) {
			for _, e := range group {
				if len(e.Args) > 1 { // neither MULTI nor EXEC
					journal = append(journal, string(bytes.Join(e.Args, []byte(" "))))
				}
			}
		})
		setup := func() {
			run(t, db, [][2]string{{"DEL h", call(db, "EXISTS h").Text()}, {"HSET h past 1 stays 2", "2"},
				{"HPEXPIRE h 10 FIELDS 1 past", "[1]"}, {"+10", ""}}...)
			journal = nil
		}
		setup()
		run(t, db, [][2]string{
			{"HLEN h", "2"}, // as in Redis
			{"HGET h past", "(nil)"}, {"HMGET h past stays", "[(nil) 2]"}, {"HGETALL h", "[stays 2]"},
			{"HKEYS h", "[stays]"}, {"HVALS h", "[2]"}, {"HEXISTS h past", "0"}, {"HSTRLEN h past", "0"},
			{"HRANDFIELD h", "stays"}, {"HRANDFIELD h 5", "[stays]"}, {"HRANDFIELD h -2", "[stays stays]"},
			{"HSCAN h 0", "[0 [stays 2]]"}, {"HTTL h FIELDS 1 past", "[-2]"}, {"HLEN h", "2"},
		}...)
		if len(journal) > 0 {
			t.Errorf("journalled %q", journal)
		}
		for _, tt := range []struct{ call, reply, journal string }{
			{"HSET h past 7", "1", "HDEL h past; HSET h past 7"},
			{"HSETNX h past 7", "1", "HDEL h past; HSETNX h past 7"},
			{"HINCRBY h past 7", "7", "HDEL h past; HINCRBY h past 7"},
			{"HINCRBYFLOAT h past 7", "7", "HDEL h past; HSET h past 7"},
			{"HDEL h past", "0", "HDEL h past"},
			{"HDEL h past stays", "1", "HDEL h past; HDEL h past stays"},
			{"HEXPIRE h 10 FIELDS 1 past", "[-2]", "HDEL h past"},
			{"HPERSIST h FIELDS 1 past", "[-2]", "HDEL h past"},
			{"HGETEX h FIELDS 1 past", "[(nil)]", "HDEL h past"},
			{"HGETEX h PX 5 FIELDS 2 past stays", "[(nil) 2]", "HDEL h past; HPEXPIREAT h * FIELDS 1 stays"},
			{"HGETDEL h FIELDS 1 past", "[(nil)]", "HDEL h past"},
			{"HSETEX h FXX FIELDS 1 past 7", "0", "HDEL h past"},
			{"HSETEX h FNX FIELDS 1 past 7", "1", "HDEL h past; HSET h past 7"},
			{"HSETEX h KEEPTTL FIELDS 1 past 7", "1", "HDEL h past; HSETEX h KEEPTTL FIELDS 1 past 7"},
			{"HINCRBY h stays x", "-ERR value is not an integer or out of range", ""},
			{"HSET h stays 3", "0", "HSET h stays 3"},
		} {
			setup()
			run(t, db, [2]string{tt.call, tt.reply})
			got := strings.Join(journal, "; ")
			if ok := glob.Match([]byte(tt.journal), []byte(got), false); !ok {
				t.Errorf("%s: journalled %q, want %q", tt.call, got, tt.journal)
			}
		}
	})
}

// The key goes with its last field, whoever removes it.
func TestLastFieldPast(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		for _, line := range []string{"HDEL h a", "HGETEX h FIELDS 1 a", "HGETDEL h FIELDS 1 a",
			"HPERSIST h FIELDS 1 a", "HEXPIRE h 10 FIELDS 1 a", "HSETEX h FXX FIELDS 1 a 1",
			"HSETEX h PXAT 1 FIELDS 1 a 1"} {
			run(t, db, [][2]string{{"HSET h a 1", "1"}, {"HPEXPIRE h 1 FIELDS 1 a", "[1]"}, {"+2", ""},
				{"EXISTS h", "1"}, {"HGETALL h", "[]"}, {"HRANDFIELD h", "(nil)"}, {"HRANDFIELD h 3", "[]"},
				{"HSCAN h 0", "[0 []]"}}...)
			call(db, line)
			run(t, db, [2]string{"EXISTS h", "0"})
		}
	})
}

// A key keeps its time, here and where it is replayed, when its last field has gone and another
// one comes by the same command.
func TestFieldsPastKeepExpiry(t *testing.T) {
	for _, line := range []string{"HSET h a 2", "HSETNX h a 2", "HINCRBY h a 2", "HINCRBYFLOAT h a 2",
		"HSETEX h FIELDS 2 a 2 b 3"} {
		db, again := newDB(t), newDB(t)
		cursor := db.Shared.Journal.NewFileCursor()
		run(t, db, [][2]string{{"HSET h a 1", "1"}, {"HPEXPIRE h 1 FIELDS 1 a", "[1]"}, {"PEXPIRE h 90000", "1"},
			{"+2", ""}}...)
		call(db, line)
		r := again.Shared.NewReplayer()
		for _, piece := range cursor.Pending(nil, db.Shared.Journal.Tail()) {
			r.Run(piece)
		}
		r.Close()
		if diff := again.Contents().Diff(db.Contents()); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
		cursor.Close()
	}
}

func TestGetEx(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSET h a 1 b 2 c 3", "3"},
			{"HGETEX h FIELDS 2 a x", "[1 (nil)]"},
			{"HGETEX h EX 10 FIELDS 2 a x", "[1 (nil)]"},
			{"HGETEX h pxat 1700000020000 FIELDS 1 b", "[2]"},
			{"HPTTL h FIELDS 3 a b c", "[10000 20000 -1]"},
			{"HGETEX h FIELDS 1 a", "[1]"},
			{"HGETEX h PERSIST FIELDS 3 a c x", "[1 3 (nil)]"},
			{"HPTTL h FIELDS 2 a b", "[-1 20000]"},
			{"HGETEX h EXAT 5 FIELDS 2 a a", "[1 (nil)]"}, // replied before it goes
			{"HGETEX h PX 0 FIELDS 1 b", "[2]"},
			{"HGETEX none EX 10 FIELDS 2 a b", "[(nil) (nil)]"},
			{"HGETALL h", "[c 3]"},
		}...)
		db.WantJournal("HSET h a 1 b 2 c 3", "HPEXPIREAT h 1700000010000 FIELDS 1 a",
			"HPEXPIREAT h 1700000020000 FIELDS 1 b", "HPERSIST h FIELDS 1 a", "HDEL h a", "HDEL h b")
	})
}

func TestSetEx(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSETEX h FXX FIELDS 1 a 1", "0"},
			{"HSETEX h XX FIELDS 1 a 1", "0"},
			{"HSETEX h EXAT 1 FIELDS 1 a 1", "1"},
			{"EXISTS h", "0"},
			{"HSETEX h FNX EX 10 FIELDS 2 a 1 b 2", "1"},
			{"HSETEX h FNX FIELDS 2 c 1 b 2", "0"},
			{"HSETEX h FXX FIELDS 2 c 1 b 2", "0"},
			{"HSETEX h NX FIELDS 1 c 3", "0"}, // Valkey's
			{"HSETEX h XX FNX FIELDS 1 c 3", "1"},
			{"HSETEX h FXX KEEPTTL FIELDS 2 a 5 c 6", "1"},
			{"HPTTL h FIELDS 3 a b c", "[10000 10000 -1]"},
			{"HSETEX h FIELDS 1 a 6", "1"}, // the expiry goes, as with HSET
			{"HSETEX h PXAT 1700000030000 FIELDS 1 b 7", "1"},
			{"HPTTL h FIELDS 2 a b", "[-1 30000]"},
			{"HSETEX h PX 0 FIELDS 3 a 1 a 1 x 1", "1"},
			{"HLEN h", "2"},
		}...)
		db.WantJournal("HSETEX h PXAT 1700000010000 FIELDS 2 a 1 b 2", "HSET h c 3",
			"HSETEX h KEEPTTL FIELDS 2 a 5 c 6", "HSET h a 6", "HSETEX h PXAT 1700000030000 FIELDS 1 b 7", "HDEL h a")
	})
}

func TestGetDel(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSET h a 1 b 2 c 3", "3"},
			{"HGETDEL h FIELDS 3 a x a", "[1 (nil) (nil)]"},
			{"HGETDEL h FIELDS 1 x", "[(nil)]"},
			{"HGETDEL none FIELDS 1 x", "[(nil)]"},
			{"HGETDEL h FIELDS 2 c b", "[3 2]"},
			{"EXISTS h", "0"},
		}...)
		db.WantJournal("HSET h a 1 b 2 c 3", "HDEL h a", "HDEL h c b")
	})
}

// What ends a field's expiry, and what does not. HINCRBYFLOAT on a field that has one is
// journalled so that a replica keeps it (fault 3B24, redis #14224).
func TestWhatKeepsAnExpiry(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSETEX h EX 10 FIELDS 4 a 1 b 1 c 1 d 1", "1"},
			{"HINCRBY h a 5", "6"}, {"HINCRBYFLOAT h b 0.5", "1.5"}, {"HSET h c 2", "0"}, {"HSETNX h d 2", "0"},
			{"HTTL h FIELDS 4 a b c d", "[10 10 -1 10]"},
		}...)
		db.WantJournal("HSETEX h PXAT 1700000010000 FIELDS 4 a 1 b 1 c 1 d 1", "HINCRBY h a 5",
			"HSETEX h KEEPTTL FIELDS 1 b 1.5", "HSET h c 2")
	})
}

// Keys that move take their fields' expiries along, and are still swept.
func TestExpiryMoves(t *testing.T) {
	both(t, func(db *cmdtest.DB) {
		run(t, db, [][2]string{
			{"HSETEX h EX 10 FIELDS 1 a 1", "1"}, {"HSET h b 2", "1"}, {"COPY h copy", "1"}, {"RENAME h other", "OK"},
			{"PEXPIRE other 100000", "1"}, {"HTTL copy FIELDS 2 a b", "[10 -1]"}, {"HTTL other FIELDS 2 a b", "[10 -1]"},
		}...)
		gone := 0
		db.Keyspace.FieldExpired = func(_ int, _, field []byte) {
			if string(field) == "a" {
				gone++
			}
		}
		db.Clock.Advance(12 * time.Second)
		db.Keyspace.SetNow(cmdtest.Start + 12_000)
		for !db.Keyspace.Sweep(time.Second) {
		}
		if gone != 2 {
			t.Errorf("%d fields were swept", gone)
		}
		run(t, db, [][2]string{{"HLEN copy", "1"}, {"HLEN other", "1"}}...)
	})
}
