package geocmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/geohash"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "GEOADD",
	Summary:    "Add one or more geospatial items in the geospatial index represented using a sorted set",
	Since:      "3.2.0",
	Complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
	History:    [][2]string{{"6.2.0", "Added the `CH`, `NX` and `XX` options."}},
	Syntax: "key [condition=(NX|XX)]{since 6.2.0} [change=CH]{since 6.2.0} {longitude:double " +
		"latitude:double member}...",
	Arity: -5,
	Flags: command.Write | command.DenyOOM,
	ACL:   command.CatGeo,
	Keys:  command.OneKey(1, command.RW|command.Update),
	Run:   geoadd,
})

func geoadd(c *command.Ctx) error {
	a := addition{c: c, first: 2}
options:
	for ; a.first < len(c.Args); a.first++ {
		switch {
		case c.Args.Is(a.first, "NX"):
			a.mode |= value.ZNX
		case c.Args.Is(a.first, "XX"):
			a.mode |= value.ZXX
		case c.Args.Is(a.first, "CH"):
			a.changed = true
		default:
			break options
		}
	}
	n := len(c.Args) - a.first
	if n == 0 || n%itemArgs != 0 || a.mode == value.ZNX|value.ZXX {
		return resp.ErrSyntax
	}
	for i := a.first; i < len(c.Args); i += itemArgs {
		if _, err := readPlace(c.Args, i); err != nil {
			return err
		}
	}
	return a.run()
}

// itemArgs are the arguments of an item: longitude, latitude and member.
const itemArgs = 3

// An addition is a GEOADD whose options are read, and whose places are sound.
type addition struct {
	c       *command.Ctx
	mode    value.ZMode
	changed bool // the reply counts members that were moved, too
	first   int  // argument of the items

	added, updated int
}

func (a *addition) run() error {
	c, key := a.c, a.c.Args[1]
	var cell value.Cell
	var err error
	ok := true
	if a.mode&value.ZXX != 0 {
		cell, ok, err = c.DB.Edit(key, record.ZSet)
	} else {
		cell, err = c.DB.Make(key, record.ZSet)
	}
	if err != nil {
		return err
	}
	if ok {
		var end int
		end, err = a.put(&cell)
		n := a.added + a.updated
		c.DB.Edited(key, &cell, n)
		if n > 0 && c.Journaling() {
			a.journal(end)
		}
		if err != nil {
			return err
		}
	}
	if a.changed {
		a.added += a.updated
	}
	c.Out.Int(int64(a.added))
	return nil
}

// put puts the items, and returns the argument up to which it came.
func (a *addition) put(cell *value.Cell) (end int, err error) {
	z, args := value.ZSetOf(cell), a.c.Args
	for i := a.first; i < len(args); i += itemArgs {
		p, _ := readPlace(args, i)
		_, out, err := z.Put(args[i+2], float64(geohash.Encode(p.Lon, p.Lat)), a.mode)
		if err != nil {
			return i, err
		}
		switch out {
		case value.ZAdded:
			a.added++
		case value.ZUpdated:
			a.updated++
		}
	}
	return len(args), nil
}

// journal journals what Redis does: a ZADD of the items up to an argument.
func (a *addition) journal(end int) {
	args := a.c.Args
	effect := append([][]byte{[]byte("zadd")}, args[1:a.first]...)
	for i := a.first; i < end; i += itemArgs {
		p, _ := readPlace(args, i)
		score := numtext.AppendUint(nil, geohash.Encode(p.Lon, p.Lat))
		effect = append(effect, score, args[i+2])
	}
	a.c.JournalAs(effect...)
}
