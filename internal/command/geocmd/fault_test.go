package geocmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/geocmd"
)

// TestX9 is what calls with wrong numbers and wrong words get. None changes anything.
func TestX9(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		const (
			syntax = "ERR syntax error"
			notPos = "ERR COUNT must be > 0"
			member = "ERR could not decode requested zset member"
			pair   = "ERR invalid longitude,latitude pair "
		)
		sicily(db)
		do(db, "SET str x").Want("OK")
		db.RecordJournal()
		for _, tt := range []struct{ call, want string }{
			{"GEOADD k nan 1 a", "ERR value is not a valid float"},
			{"GEOADD k 1 x a", "ERR value is not a valid float"},
			{"GEOADD k 181 2 a", pair + "181.000000,2.000000"},
			{"GEOADD k 1 1 a 0 90.1 b", pair + "0.000000,90.100000"},
			{"GEOADD k 1 -90.1 a", pair + "1.000000,-90.100000"},
			{"GEOADD k inf -inf a", pair + "inf,-inf"},
			{"GEOADD k 1e308 0 a", pair + "10000000000000000109790636294404554174"},
			{"GEOADD k XX NX 1 2 a", syntax},
			{"GEOADD k CH CH CH", syntax},
			{"GEOADD k 1 2 a 3 4", syntax},
			{"GEOADD str 1 2 a", "WRONGTYPE"},
			{"GEOPOS str a", "WRONGTYPE"},
			{"GEODIST k a b c", "ERR unsupported unit provided. please use M, KM, FT, MI"},
			{"GEODIST k a b m m", syntax},
			{"GEORADIUS str x x x x", "WRONGTYPE"},
			{"GEORADIUS k x 1 1 m", "ERR value is not a valid float"},
			{"GEORADIUS k 1 1 nan m", "ERR need numeric radius"},
			{"GEORADIUS k 1 1 -1 m", "ERR radius cannot be negative"},
			{"GEORADIUS k 1 1 1 m STORE", syntax},
			{"GEORADIUS k 1 1 1 m STORE d WITHDIST",
				"ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"},
			{"GEORADIUS_RO k 1 1 1 m STORE d", syntax},
			{"georadiusbymember k nobody x m", member},
			{"georadiusbymember k Palermo x m", "ERR need numeric radius"},
			{"georadiusbymember missing a x m COUNT", syntax},
			{"GEOSEARCH k FROMMEMBER nobody BYRADIUS 1 m", member},
			{"GEOSEARCH k FROMLONLAT 1 90 BYRADIUS 1 m", pair + "1.000000,90.000000"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 1 m COUNT -1", notPos},
			{"GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 1 m COUNT 0", notPos},
			{"GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 1 m COUNT x", "ERR value is not an integer or out of range"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 1 m ANY", "ERR the ANY argument requires COUNT argument"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYRADIUS -1 m", "ERR radius cannot be negative"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYBOX -1 1 m", "ERR height or width cannot be negative"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYBOX 1 -1 m", "ERR height or width cannot be negative"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYBOX x 1 m", "ERR need numeric width"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYBOX 1 x m", "ERR need numeric height"},
			{"GEOSEARCH k FROMLONLAT 1 1 BYBOX 1 1 m BYRADIUS 1 m", syntax},
			{"GEOSEARCH k FROMLONLAT 1 1 FROMMEMBER 7 BYRADIUS 1 m", syntax},
			{"GEOSEARCH k FROMLONLAT 1 1 BYBOX 1 1 m STORE d", syntax},
			{"GEOSEARCH k FROMLONLAT 1 1 BYBOX 1 1 m STOREDIST", syntax},
			{"GEOSEARCH k FROMLONLAT 1 1 ASC ASC",
				"ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH"},
			{"geosearch k BYBOX 1 1 m ASC",
				"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geosearch"},
			{"GEOSEARCHSTORE d k FROMLONLAT 1 1 BYBOX 1 1 m WITHHASH", "ERR GEOSEARCHSTORE is not compatible with"},
			{"GEOSEARCHSTORE k str FROMLONLAT 1 1 BYBOX 1 1 m", "WRONGTYPE"},
			{"GEOSEARCH k BYPOLYGON x 1 1 2 2 3 1", "ERR invalid number of vertices"},
			{"GEOSEARCH k BYPOLYGON 4294967299 1 1 2 2 3 1", "ERR invalid number of vertices"},
			{"GEOSEARCH k BYPOLYGON 2 1 1 2 2 3 1", "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"},
			{"GEOSEARCH k BYPOLYGON 4 1 1 2 2 3 1", "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"},
			{"GEOSEARCH k BYPOLYGON 3 1 1 2 2 3 91", pair + "3.000000,91.000000"},
			{"GEOSEARCH k BYPOLYGON 3 1 1 2 2 3 1 BYRADIUS 1 m", syntax},
			{"GEOSEARCH k BYPOLYGON 3 1 1 2 2 3 1 FROMMEMBER 7", syntax},
			{"GEOSEARCH k FROMMEMBER 7 BYPOLYGON 3 1 1 2 2 3 1", syntax},
		} {
			do(db, tt.call).WantError(tt.want)
		}
		do(db, "GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 1e308 km COUNT 9 ANY").
			WantArray("7", "Palermo", "Catania", "bottom")
		do(db, "GEORADIUS k 1 1 1 m STORE str").Want("0") // nothing was found, so there is nothing
		do(db, "EXISTS str").Want("0")
		db.WantJournal("GEORADIUS k 1 1 1 m STORE str")
	})
}

// TestX13 looks for the keys of calls. All that a call uses are among them.
func TestX13(t *testing.T) {
	specs := map[string]*command.Spec{}
	for _, s := range geocmd.Family.Specs {
		specs[s.Name] = s
	}
	for _, tt := range []struct{ call, want string }{
		{"GEORADIUS k 1 2 3 m", "k"},
		{"GEORADIUS k 1 2 3 m STORE", "k"},
		{"GEORADIUS k 1 2 3 m ASC store d", "k d"},
		{"GEORADIUS k 1 2 3 m STORE a STORE b", "k b"},
		{"GEORADIUS k 1 2 3 m STOREDIST b STORE a", "k a b"},
		{"GEORADIUS k 1 2 3 m STORE STORE STOREDIST STORE", "k STORE STORE"},
		{"GEORADIUS k 1 2 3 m COUNT 1 STORE", "k"},
		{"GEORADIUSBYMEMBER k STORE 3 m STOREDIST d", "k d"},
		{"GEORADIUS_RO k 1 2 3 m STORE d", "k"},
		{"GEOSEARCHSTORE d k STORE x STORE y STORE z", "d k"},
	} {
		args := command.Args{}
		for _, word := range strings.Fields(tt.call) {
			args = append(args, []byte(word))
		}
		refs, err := specs[string(args[0])].FindKeyRefs(nil, args)
		if err != nil {
			t.Errorf("%s: %v", tt.call, err)
		}
		var got []string
		for _, ref := range refs {
			got = append(got, string(args[ref.Index]))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: the keys are %s, want %s", tt.call, got, tt.want)
		}
	}
	db := newDB(t)
	sicily(db)
	do(db, "GEORADIUS k 15 37 200 km STORE a STORE b").Want("2")
	do(db, "EXISTS a").Want("0")
	do(db, "ZCARD b").Want("2")
}

// FuzzSearch sends lines of words as searches. Each gets one reply, and none but those
// that store changes the set.
func FuzzSearch(f *testing.F) {
	for _, line := range []string{
		"FROMMEMBER Palermo BYRADIUS 200 km ASC COUNT 1 ANY",
		"FROMLONLAT 15 37 BYBOX 400 1e308 ft WITHDIST WITHCOORD",
		"BYPOLYGON 3 -180 -85 180 85 0 0 WITHHASH", "STORE d STOREDIST", "COUNT 9223372036854775807 DESC",
		"FROMLONLAT 180 85.05112878 BYRADIUS inf mi",
	} {
		f.Add(line)
	}
	db := newDB(f)
	db.Keyspace.Limits().ZSetEntries.Store(3)
	sicily(db)
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Fields(line)
		for _, start := range []string{"GEOSEARCH k", "GEOSEARCHSTORE d k", "GEORADIUS k 15 37 200 km",
			"georadiusbymember k", "GEORADIUS_RO k", "GEOADD new"} {
			call := append(strings.Fields(start), words...)
			in := client.NewReader(strings.NewReader(db.Call(call...)), client.Limits{})
			if _, err := in.Read(); err != nil || in.Buffered() {
				t.Errorf("%q: %v, and more is left: %v", call, err, in.Buffered())
			}
		}
		if strings.Contains(strings.ToUpper(line), "STORE") {
			db.Call("DEL", "k")
			db.Call("GEOADD", "k", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania")
		}
		got := db.Call("GEODIST", "k", "Palermo", "Catania")
		if got != "$11\r\n166274.1516\r\n" {
			t.Errorf("after %q, Catania is %q away", line, got)
		}
	})
}
