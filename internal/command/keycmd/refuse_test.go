package keycmd_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/observe"
)

// watchLog has all that a DB logs collected.
func watchLog(db *cmdtest.DB) *bytes.Buffer {
	log := new(bytes.Buffer)
	db.Shared.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: observe.LevelVerbose}))
	return log
}

// The log says of each payload that is refused what is wrong with it and where, beginning
// with the words that Redis's log has for it.
func TestRestoreLogs(t *testing.T) {
	db := newQuietFullDB(t)
	log := watchLog(db)
	group := "\x0f\x00\x00\x00\x00\x01\x01g\x00\x00\x00" // of an empty stream
	consumer := "\x01c\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, tt := range []struct{ body, want string }{
		{"\x0d\x0e\x0e\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\x01f\xff",
			"offset 1 -> Hash ziplist integrity check failed (ziplist: the number of entries is wrong)"},
		{"\x0e\x01\x0b\x0c\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xff", "offset 2 -> Ziplist integrity check failed (ziplist: "},
		{"\x0a\x01x", "offset 1 -> List ziplist integrity check failed (ziplist: "},
		{"\x10\x11\x11\x00\x00\x00\x04\x00\x81a\x02\x01\x01\x81a\x02\x02\x01\xff",
			"offset 1 -> Hash listpack integrity check failed (listpack: listpack with dup elements: "},
		{"\x09\x02\x00\xff", "offset 1 -> Zipmap integrity check failed (zipmap: the value is empty)"},
		{"\x02\x02\x01a\x01a", "offset 4 -> Duplicate set members detected (element: an element comes twice)"},
		{"\x04\x02\x01a\x01v\x01a\x01w", "offset 6 -> Duplicate hash fields detected (element: an element comes twice)"},
		{group + "\x02" + consumer + consumer, "offset 23 -> Duplicate stream consumer detected (consumer: "},
		{"\x12\x01\x01\x00", "offset 2 -> Bad data format (node: no element that is a node by itself is empty)"},
		{"\x00\x05v", "offset 3 -> Bad data format (value: truncated)"},
		{"\x02\x00", "the value is empty; "},
		{"\x07\x00", "values of type module-value (7) are not supported by this version; "},
	} {
		log.Reset()
		db.Do("RESTORE", "a\nkey", "0", withChecksum(tt.body, 11))
		line := log.String()
		for _, part := range []string{"level=DEBUG+2 ", tt.want, `; RESTORE of key \"a\\nkey\"" id=`} {
			if !strings.Contains(line, part) || strings.Count(line, "\n") != 1 {
				t.Errorf("%q: the log says\n%s\nwant %s", tt.body, line, part)
			}
		}
	}
	log.Reset()
	db.Do("RESTORE", strings.Repeat("k", 1000), "0", withChecksum("\x02\x00", 11))
	if n := log.Len(); n > 400 {
		t.Errorf("%d bytes for a key of 1000", n)
	}
	log.Reset()
	good := withChecksum("\x02\x01\x01a", 11)
	db.Do("RESTORE", "k", "0", good).Want("OK")
	db.Do("RESTORE", "k", "0", good)                    // BUSYKEY
	db.Do("RESTORE", "k2", "0", good[:len(good)-1]+"?") // the checksum
	if log.Len() != 0 {
		t.Errorf("of no damaged value: %s", log)
	}
}

// A damaged payload whose time to live is over leaves the old key, like any other: also if
// the damage shows only when the value is built.
func TestRestoreExpiredDamaged(t *testing.T) {
	db := newFullDB(t)
	db.Do("SET", "k", "old")
	db.TakeJournal()
	for _, body := range []string{
		"\x02\x02\x01a\x01a", "\x04\x02\x01a\x01v\x01a\x01w", "\x02\x00", "\x00\x05v",
	} {
		db.Do("RESTORE", "k", "5", withChecksum(body, 11), "ABSTTL", "REPLACE").Want(badFormat)
		db.Do("RESTORE", "none", "5", withChecksum(body, 11), "ABSTTL").Want(badFormat)
		db.WantJournal()
		db.Do("GET", "k").Want("old")
	}
	good := withChecksum("\x02\x02\x01a\x01b", 11)
	db.Do("RESTORE", "none", "5", good, "ABSTTL").Want("OK")
	db.WantJournal()
	db.Do("RESTORE", "k", "5", good, "ABSTTL", "REPLACE").Want("OK")
	db.WantJournal("DEL k")
	run(t, db, step{"EXISTS k none", "0"})
}
