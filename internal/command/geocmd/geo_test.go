package geocmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/geocmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
)

// newDB is a server with geo commands, sorted sets, and what looks at keys.
func newDB(t testing.TB) *cmdtest.DB {
	return cmdtest.New(t, geocmd.Family.Specs, zsetcmd.Family.Specs, keycmd.Family.Specs,
		stringcmd.Family.With(stringcmd.Deps{MaxBulk: func() int64 { return 1 << 20 }}))
}

// both calls f with limits under which the few members of a test are a listpack, and
// under which they are not.
func both(t *testing.T, f func(t *testing.T, db *cmdtest.DB)) {
	for _, entries := range []int64{128, 1} {
		db := newDB(t)
		db.Keyspace.Limits().ZSetEntries.Store(entries)
		f(t, db)
	}
}

// do sends the words of a line.
func do(db *cmdtest.DB, line string) *cmdtest.Reply { return db.Do(strings.Fields(line)...) }

// sicily is two towns, and two places at the ends of the world.
func sicily(db *cmdtest.DB) {
	do(db, "GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania").Want("2")
	do(db, "GEOADD k 180 85.05112878 top -180 -85.05112878 bottom 13 38 7").Want("3")
}

func TestAdd(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		db.RecordJournal()
		sicily(db)
		db.WantJournal("zadd k 3479099956230698 Palermo 3479447370796909 Catania",
			"zadd k 13510798882111488 top 0 bottom 3479065152021743 7")
		for _, tt := range []struct{ call, want string }{
			{"GEOADD k 13 38 7", "0"},
			{"GEOADD k nx 1 1 7 2 2 new", "1"},
			{"GEOADD k XX CH 1 1 7 2 2 newer", "1"},
			{"GEOADD k CH 1 1 7 3 3 newer", "1"},
			{"GEOADD missing XX 1 1 a", "0"},
			{"EXISTS missing", "0"},
		} {
			do(db, tt.call).Want(tt.want)
		}
		db.WantJournal("zadd k nx 3377822707026402 7 3378191666521995 new",
			"zadd k XX CH 3377822707026402 7 3378191666521995 newer", "zadd k CH 3377822707026402 7 3379368329318596 newer")
	})
}
