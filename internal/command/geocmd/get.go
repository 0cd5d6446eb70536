package geocmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/geohash"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "GEOPOS",
	Summary:    "Returns longitude and latitude of members of a geospatial index",
	Since:      "3.2.0",
	Complexity: "O(N) where N is the number of members requested.",
	Syntax:     "key member...",
	Arity:      -2,
	Flags:      command.ReadOnly,
	ACL:        command.CatGeo,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        geopos,
})

func geopos(c *command.Ctx) error {
	return eachPlace(c, func(out *resp.Writer, score float64, ok bool) {
		if ok {
			writePlace(out, placeOf(score))
		} else {
			out.NullArray()
		}
	})
}

var _ = Family.Add(command.Spec{
	Name:       "GEOHASH",
	Summary:    "Returns members of a geospatial index as standard geohash strings",
	Since:      "3.2.0",
	Complexity: "O(log(N)) for each member requested, where N is the number of elements in the sorted set.",
	Syntax:     "key member...",
	Arity:      -2,
	Flags:      command.ReadOnly,
	ACL:        command.CatGeo,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        geohashes,
})

func geohashes(c *command.Ctx) error {
	return eachPlace(c, func(out *resp.Writer, score float64, ok bool) {
		if ok {
			var buf [16]byte
			out.Bulk(geohash.AppendText(buf[:0], bitsOf(score)))
		} else {
			out.Null()
		}
	})
}

// eachPlace replies with an element for each member that the arguments name, which write
// writes: of the member's score if it is there.
func eachPlace(c *command.Ctx, write func(out *resp.Writer, score float64, ok bool)) error {
	cell, found, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	var z value.ZSet
	if found {
		z = value.ZSetOf(&cell)
	}
	members := c.Args[2:]
	c.Out.Array(len(members))
	for _, member := range members {
		score, ok := 0.0, false
		if found {
			score, ok = z.Score(member)
		}
		write(c.Out, score, ok)
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "GEODIST",
	Summary:    "Returns the distance between two members of a geospatial index",
	Since:      "3.2.0",
	Complexity: "O(log(N))",
	Syntax:     "key member1 member2 [unit=" + unitSyntax + "]",
	Arity:      -4,
	Flags:      command.ReadOnly,
	ACL:        command.CatGeo,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        geodist,
})

const unitSyntax = "(M|KM|FT|MI)"

func geodist(c *command.Ctx) error {
	unit := 1.0
	switch {
	case len(c.Args) > 5:
		return resp.ErrSyntax
	case len(c.Args) == 5:
		var err error
		if unit, err = readUnit(c.Args, 4); err != nil {
			return err
		}
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	var from, to float64
	if ok {
		z := value.ZSetOf(&cell)
		if from, ok = z.Score(c.Args[2]); ok {
			to, ok = z.Score(c.Args[3])
		}
	}
	if !ok {
		c.Out.Null()
		return nil
	}
	p, q := placeOf(from), placeOf(to)
	writeDistance(c.Out, geohash.Distance(p.Lon, p.Lat, q.Lon, q.Lat)/unit)
	return nil
}
