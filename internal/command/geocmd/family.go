// Package geocmd is the geo family of commands. A geospatial index is a sorted set whose
// scores are the numbers of places, as package geohash makes them: so its members are
// removed, counted and kept like those of any other, and here is what is about places.
//
//	add.go     GEOADD
//	get.go     GEOPOS GEODIST GEOHASH
//	search.go  GEOSEARCH GEOSEARCHSTORE
//	radius.go  GEORADIUS GEORADIUSBYMEMBER, and those that only read
//	query.go   the arguments of all that search
//	walk.go    how members in an area are found
//	nearest.go which of them are wanted if they are sorted
//	text.go    how numbers are read and written
//
// A search walks over at most nine ranges of scores, in which there are few members that
// are not in the area. Its results are written as they are found, or, if they must be
// sorted first, named in a list that is no longer than COUNT says.
package geocmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/geohash"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/value"
)

// Family is every command in this package; each file adds its own.
var Family = command.Family{Group: "geo"}

// open finds a sorted set for reading.
func open(c *command.Ctx, key []byte) (cell value.Cell, ok bool, err error) {
	return c.DB.Open(key, record.ZSet)
}

// placeOf is the place that a score says.
func placeOf(score float64) geohash.Point {
	lon, lat := geohash.Decode(bitsOf(score))
	return geohash.Point{Lon: lon, Lat: lat}
}

// bitsOf is a score as the number of a place. Any score is one: what makes no sense is
// converted as Redis's processor does it, where Go leaves it to each processor.
func bitsOf(score float64) uint64 {
	const two63 = 1 << 63
	switch {
	case score >= 2*two63:
		return 0
	case score >= two63:
		return uint64(score-two63) + two63
	case score < -two63:
		return two63
	}
	return uint64(int64(score))
}
