package zsetcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "ZSCAN",
	Summary: "Incrementally iterate sorted sets elements and associated scores",
	Since:   "2.8.0",
	Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for " +
		"the cursor to return back to 0. N is the number of elements inside the collection..",
	Tips:   []string{"nondeterministic_output"},
	Syntax: "key cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] [NOSCORES]{since 8.0.0}",
	Arity:  -3,
	Flags:  command.ReadOnly,
	ACL:    command.CatSortedSet,
	Keys:   command.OneKey(1, command.RO|command.Access),
	Run:    zscan,
})

// scanRoom is the size in bytes of a page of members that needs no memory of its own.
const scanRoom = 2 << 10

// zscan replies with some members and the cursor for the next call. The words behind the
// cursor are looked at only if there is a sorted set, as in Redis.
func zscan(c *command.Ctx) error {
	cursor, err := c.Args.Cursor(2)
	if err != nil {
		return err
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		command.Page{}.Reply(c.Out, 0)
		return nil
	}
	bare := false // without scores
	asked, err := c.Args.Scan(3, func(rest command.Args) int {
		if !rest.Is(0, "NOSCORES") {
			return 0
		}
		bare = true
		return 1
	})
	if err != nil {
		return err
	}
	var room [scanRoom]byte
	var digits [numtext.MaxFloatLen]byte
	page := command.PageIn(room[:])
	z := value.ZSetOf(&cell)
	cursor = z.Scan(cursor, asked.Count, func(name []byte, v int64, score float64) {
		if name == nil {
			name = numtext.AppendInt(digits[:0], v)
		}
		if !asked.Match.Matches(name) {
			return
		}
		if page = page.Add(name); !bare {
			page = page.Add(numtext.AppendFloat17(digits[:0], score))
		}
	})
	page.Reply(c.Out, cursor)
	return nil
}
