package keycmd_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spineldb/spinel/internal/exec"
)

// integerDump is the payload of the integer 5, which has no blanks.
var integerDump = withChecksum("\x00\xc0\x05", 6)

// TestWatch: what a watched key "k" counts as a change.
func TestWatch(t *testing.T) {
	for _, tt := range []struct {
		call    string
		changes bool
	}{
		{"DEL k", true}, {"UNLINK k l", true}, {"DEL l", false},
		{"EXPIRE k 10", true}, {"EXPIRE k 10 NX", false}, {"EXPIRE k -1", true},
		{"PERSIST k", true}, {"PERSIST l", false},
		{"RENAME k l", true}, {"RENAME l k", true}, {"RENAME k k", false},
		{"RENAMENX k l", false}, {"RENAMENX k m", true},
		{"COPY l k", false}, {"COPY l k REPLACE", true}, {"COPY k m", false}, {"COPY k k DB 1", false},
		{"MOVE k 1", true}, {"MOVE k 0", false},
		{"RESTORE k 0 " + payloadOfRedis[:3] + " REPLACE", false}, {"RESTORE k 1 " + integerDump + " ABSTTL REPLACE", true},
		{"RESTORE k 0 " + integerDump + " REPLACE", true},
		{"EXISTS k", false}, {"TOUCH k", false}, {"TYPE k", false}, {"TTL k", false}, {"DUMP k", false},
		{"OBJECT IDLETIME k", false}, {"OBJECT ENCODING k", false},
		{"KEYS *", false}, {"SCAN 0", false}, {"RANDOMKEY", false},
	} {
		db := newQuietDB(t)
		run(t, db, step{"SET k v", "OK"}, step{"SET l v", "OK"}, step{"EXPIRE k 1000", "1"})
		other := db.NewClient()
		for _, call := range []string{"WATCH k", "MULTI", "EXISTS l"} {
			other.Do(strings.Fields(call)...)
		}
		do(db, tt.call)
		if changed := other.Do("EXEC").Text() == "(nil)"; changed != tt.changes {
			t.Errorf("%s: the watch was set off: %t", tt.call, changed)
		}
	}
	db := newQuietDB(t)
	run(t, db, step{"SET k v", "OK"})
	other := db.NewClient()
	for _, call := range []string{"SELECT 1", "WATCH k", "MULTI"} { // in another database
		other.Do(strings.Fields(call)...)
	}
	do(db, "MOVE k 1").Want("1")
	other.Do("EXEC").WantNil()
}

// TestTwoLoops lists keys on one loop while another makes, renames, copies and removes
// others: the list must not lose sight of the rest.
func TestTwoLoops(t *testing.T) {
	db := newDB(t)
	const stable = 200
	for i := range stable {
		db.Do("SET", fmt.Sprint("stable:", i), "v")
	}
	second := *db
	second.Executor = exec.New(db.Shared)
	busy := second.NewClient()
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; !stop.Load(); i++ {
			for _, call := range []string{"SET a%d v", "COPY a%d b%d", "RENAME a%d c%d", "EXPIRE b%d 0", "MOVE c%d 1",
				"SCAN 0"} {
				busy.Do(strings.Fields(strings.ReplaceAll(call, "%d", fmt.Sprint(i%1000)))...)
			}
		}
	})
	for range 20 {
		keys := scanAll(t, db, "MATCH", "stable:*")
		listed := elements(t, db.Do("KEYS", "stable:*").Raw())
		if len(keys) != stable || len(listed) != stable {
			t.Errorf("SCAN has %d and KEYS %d of %d keys", len(keys), len(listed), stable)
		}
		if db.Do("RANDOMKEY").Text() == "(nil)" {
			t.Error("RANDOMKEY found nothing")
		}
	}
	stop.Store(true)
	wg.Wait()
}
