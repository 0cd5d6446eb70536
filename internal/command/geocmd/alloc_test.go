package geocmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// The common commands allocate nothing, in both encodings, but for the header of a list
// whose length is not known before.
func TestAllocations(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		sicily(db)
		for line, most := range map[string]float64{
			"GEOADD k 13.361389 38.115556 Palermo 1.5 -2.25 7":                               0,
			"GEOPOS k Palermo 7 nowhere top":                                                 0,
			"GEOHASH k Palermo 7 nowhere":                                                    0,
			"GEODIST k Palermo Catania":                                                      0,
			"GEODIST k Palermo bottom km":                                                    0,
			"GEOSEARCH k FROMMEMBER Palermo BYRADIUS 200 km ASC COUNT 1":                     0,
			"GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHDIST WITHCOORD WITHHASH": 0,
			"GEORADIUS_RO k 15 37 200 km ASC":                                                0,
			"georadiusbymember_ro k Palermo 200 km COUNT 10":                                 0,
			"GEOSEARCH k FROMMEMBER Palermo BYRADIUS 200 km":                                 2,
		} {
			if n := db.AllocsPerRun(strings.Fields(line)...); n > most {
				t.Errorf("%s: %v allocations", line, n)
			}
		}
	})
}
