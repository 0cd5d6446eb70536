package geocmd_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// benchSize is the number of places of a country, ten degrees wide and high.
const benchSize = 100_000

// BenchmarkCountry measures searches whose circles hold some thirty or some thousand places.
func BenchmarkCountry(b *testing.B) {
	db := newDB(b)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < benchSize; {
		args := []string{"GEOADD", "k"}
		for range 1000 {
			lon, lat := 5+10*rng.Float64(), 45+10*rng.Float64()
			args = append(args, strconv.FormatFloat(lon, 'f', 6, 64), strconv.FormatFloat(lat, 'f', 6, 64),
				fmt.Sprintf("place:%06d", i))
			i++
		}
		db.Do(args...)
	}
	for _, line := range []string{
		"GEOPOS k place:055555", "GEODIST k place:055555 place:044444",
		"GEOADD k 10.5 50.5 place:055555",
		"GEOSEARCH k FROMLONLAT 10 50 BYRADIUS 9 km",
		"GEOSEARCH k FROMLONLAT 10 50 BYRADIUS 9 km ASC",
		"GEOSEARCH k FROMLONLAT 10 50 BYRADIUS 9 km WITHDIST WITHCOORD",
		"GEOSEARCH k FROMLONLAT 10 50 BYRADIUS 90 km ASC COUNT 10",
		"GEOSEARCH k FROMLONLAT 10 50 BYRADIUS 90 km COUNT 10 ANY",
		"GEOSEARCH k FROMLONLAT 10 50 BYBOX 160 160 km",
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) { db.Bench(b, strings.Fields(line)...) })
	}
}
