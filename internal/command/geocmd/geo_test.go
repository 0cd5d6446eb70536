package geocmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/geocmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
)

// newDB is a server with geo commands, sorted sets, and what looks at keys.
func newDB(t testing.TB) *cmdtest.DB {
	return cmdtest.New(t, geocmd.Family.Specs, zsetcmd.Family.Specs, keycmd.Family.Specs,
		cmdtest.Strings())
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
			"zadd k XX CH 3377822707026402 7 3378191666521995 newer",
			"zadd k CH 3377822707026402 7 3379368329318596 newer")
	})
}

func TestGet(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		sicily(db)
		for _, tt := range []struct{ call, want string }{
			{"GEOPOS k Palermo nowhere", "[[13.36138933897018433 38.11555639549629859] (nil)]"},
			{"GEOPOS k top bottom",
				"[[180 85.0511287799999991] [-179.99999731779098511 -85.05112751263942528]]"},
			{"GEOPOS k", "[]"},
			{"GEOPOS missing a b", "[(nil) (nil)]"},
			{"GEOHASH k Palermo nowhere bottom 7", "[sqc8b49rny0 (nil) 00bh0hbj200 sqc0pvdq1c0]"},
			{"GEOHASH missing a", "[(nil)]"},
			{"GEODIST k Palermo Catania", "166274.1516"},
			{"GEODIST k Palermo Catania Mi", "103.3182"},
			{"GEODIST k Palermo nowhere", "(nil)"},
			{"GEODIST missing a b", "(nil)"},
		} {
			do(db, tt.call).Want(tt.want)
		}
		db.Session.Out.Resp3 = true
		do(db, "GEOPOS k bottom x").
			WantRaw("*2\r\n*2\r\n,-179.99999731779098511\r\n,-85.05112751263942528\r\n_\r\n")
		do(db, "GEODIST k Palermo Palermo").WantRaw("$6\r\n0.0000\r\n")
		do(db, "GEODIST k Palermo x").WantRaw("_\r\n")
	})
}

// A search replies, or stores what ZRANGE shows then.
func TestSearch(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		sicily(db)
		for _, tt := range []struct{ call, want string }{
			{"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC", "[Catania Palermo]"},
			{"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km DESC", "[Palermo Catania]"},
			{"GEOSEARCH k FROMMEMBER Palermo BYRADIUS 0 m WITHDIST", "[[Palermo 0.0000]]"},
			{"GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1 WITHDIST", "[[Catania 56.4413]]"},
			{"GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km COUNT 2 DESC", "[7 Palermo]"},
			{"GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1 ANY", "[7]"},
			{"GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km COUNT 2 ANY ASC", "[Palermo 7]"},
			{"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 60 KM WITHHASH WITHCOORD WITHDIST",
				"[[Catania 56.4413 3479447370796909 [15.08726745843887329 37.50266842333162032]]]"},
			{"GEOSEARCH k BYPOLYGON 4 14 37 16 37 16 39 14 39", "[Catania]"},
			{"GEOSEARCH k BYPOLYGON 3 12 37 14 37 13 39 ASC COUNT 9 WITHHASH", "[[7 3479065152021743] [Palermo 3479099956230698]]"},
			{"GEOSEARCH missing FROMMEMBER a BYBOX 1 1 m", "[]"},
			{"GEOSEARCHSTORE d k FROMLONLAT 15 37 BYBOX 400 400 km COUNT 2", "2"},
			{"ZRANGE d 0 -1 WITHSCORES", "[Palermo 3479099956230698 Catania 3479447370796909]"},
			{"GEOSEARCHSTORE d k FROMLONLAT 15 37 BYBOX 400 400 km COUNT 2 DESC STOREDIST", "2"},
			{"ZRANGE d 0 -1", "[Palermo 7]"},
			{"GEORADIUS k 15 37 60 km STORE d STOREDIST e", "1"},
			{"ZRANGE e 0 -1", "[Catania]"},
			{"georadiusbymember_ro k Palermo 20 km", "[Palermo]"},
			{"GEOSEARCHSTORE k k FROMMEMBER Palermo BYRADIUS 50 km", "2"}, // over the source
			{"ZRANGE k 0 -1", "[7 Palermo]"},
		} {
			do(db, tt.call).Want(tt.want)
		}
	})
}

// What is stored is journalled as it was called; what changes nothing is not.
func TestStoreJournal(t *testing.T) {
	db := newDB(t)
	sicily(db)
	db.RecordJournal()
	do(db, "GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC").WantArray("Catania", "Palermo")
	do(db, "GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km").Want("2")
	do(db, "GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 m").Want("0")
	do(db, "GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 m").Want("0")
	do(db, "GEORADIUS k 15 37 200 km STORE d").Want("2")
	do(db, "GEORADIUS missing 15 37 200 km STORE d").Want("0")
	do(db, "GEORADIUS missing 15 37 200 km STORE d").Want("0")
	do(db, "EXISTS d").Want("0")
	db.WantJournal("GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km",
		"GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 m",
		"GEORADIUS k 15 37 200 km STORE d", "GEORADIUS missing 15 37 200 km STORE d")
}
