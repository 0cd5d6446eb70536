package geocmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// searchSyntax is what GEOSEARCH and GEOSEARCHSTORE have in common. A polygon needs no from.
const searchSyntax = "from=(FROMMEMBER=member | FROMLONLAT={longitude:double latitude:double}) " +
	"by=(circle={BYRADIUS=radius:double unit=" + unitSyntax + "} | box={BYBOX=width:double height:double " +
	"unit=" + unitSyntax + "} | polygon={BYPOLYGON=num-vertices:integer vertices={longitude:double " +
	"latitude:double}...}{since 9.0.0}) [order=(ASC|DESC)] [count={COUNT=count:integer [ANY]}]"

const searchComplexity = "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box " +
	"area around the shape provided as the filter and M is the number of items inside the shape"

var searchHistory = [][2]string{
	{"7.0.0", "Added support for uppercase unit names."},
	{"9.0.0", "Added support for the `BYPOLYGON` option."},
}

var _ = Family.Add(command.Spec{
	Name: "GEOSEARCH",
	Summary: "Query a sorted set representing a geospatial index to fetch members inside an area of a box " +
		"or a circle.",
	Since:      "6.2.0",
	Complexity: searchComplexity,
	History:    searchHistory,
	Syntax:     "key " + searchSyntax + " [WITHCOORD] [WITHDIST] [WITHHASH]",
	Arity:      -7,
	Flags:      command.ReadOnly,
	ACL:        command.CatGeo,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        geosearch,
})

func geosearch(c *command.Ctx) error {
	q := query{args: c.Args, options: 2, search: true}
	return q.run(c, c.Args[1])
}

var _ = Family.Add(command.Spec{
	Name: "GEOSEARCHSTORE",
	Summary: "Query a sorted set representing a geospatial index to fetch members inside an area of a box " +
		"or a circle, and store the result in another key.",
	Since:      "6.2.0",
	Complexity: searchComplexity,
	History:    searchHistory,
	Syntax:     "destination:key source:key@1 " + searchSyntax + " [STOREDIST]",
	Arity:      -8,
	Flags:      command.Write | command.DenyOOM,
	ACL:        command.CatGeo,
	Keys: []command.KeySpec{
		{Flags: command.OW | command.Update, Index: 1, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, Step: 1},
	},
	Run: geosearchstore,
})

func geosearchstore(c *command.Ctx) error {
	q := query{args: c.Args, options: 3, search: true, store: 1}
	return q.run(c, c.Args[2])
}

// run searches a key for what the options say.
func (q *query) run(c *command.Ctx, key []byte) error {
	cell, ok, err := open(c, key)
	if err != nil {
		return err
	}
	if !ok {
		return q.miss(c)
	}
	z := value.ZSetOf(&cell)
	if err := q.read(&z); err != nil {
		return err
	}
	return q.find(c, &z)
}

// miss is the answer if there is no such key.
func (q *query) miss(c *command.Ctx) error {
	if err := q.read(nil); err != nil {
		return err
	}
	if q.store == 0 {
		c.Out.Array(0)
		return nil
	}
	c.DB.Delete(c.Args[q.store])
	c.Out.Int(0)
	return nil
}

// fewHits is how many hits find their place on the stack.
const fewHits = 64

func (q *query) find(c *command.Ctx, set *value.ZSet) error {
	if q.streams() {
		list := c.Out.ArrayLater()
		_, n := q.walk(c.Out, set, nil)
		c.Out.End(list, n)
		return nil
	}
	var room [fewHits]hit
	hits, _ := q.walk(nil, set, room[:0])
	if q.store > 0 {
		return q.keep(c, set, hits)
	}
	q.ranking().sort(hits)
	c.Out.Array(len(hits))
	for i := range hits {
		q.write(c.Out, &hits[i], nameAt(set, hits[i].rank))
	}
	return nil
}

// write writes a hit with what was asked for.
func (q *query) write(out *resp.Writer, h *hit, member name) {
	n := 1
	for _, with := range [...]bool{q.withDistance, q.withHash, q.withPlace} {
		if with {
			n++
		}
	}
	if n > 1 {
		out.Array(n)
	}
	member.write(out)
	if q.withDistance {
		writeDistance(out, h.distance/q.unit)
	}
	if q.withHash {
		out.Int(int64(h.score))
	}
	if q.withPlace {
		writePlace(out, placeOf(h.score))
	}
}

// keep makes hits of a set the sorted set of the key that they are to be stored over, which
// may be the one that they come from.
func (q *query) keep(c *command.Ctx, set *value.ZSet, hits []hit) error {
	unit, distances := q.unit, q.storeDistance
	fill := func(cell *value.Cell) error {
		z := value.ZSetOf(cell)
		var digits [numtext.MaxIntLen]byte
		for i := range hits {
			h := &hits[i]
			member, score := nameAt(set, h.rank), h.score
			if member.text == nil {
				member.text = numtext.AppendInt(digits[:0], member.integer)
			}
			if distances {
				score = h.distance / unit
			}
			if _, _, err := z.Put(member.text, score, value.ZNX); err != nil {
				return err
			}
		}
		return nil
	}
	n, err := c.DB.Replace(c.Args[q.store], record.ZSet, keyspace.NoTTL, fill)
	if err != nil {
		return err
	}
	if n > 1 {
		c.DB.MarkDirty(n - 1) // Redis counts each member
	}
	c.Out.Int(int64(n))
	return nil
}
