package setcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var _ = Family.Add(command.Spec{
	Name:       "SMEMBERS",
	Summary:    "Get all the members in a set",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the set cardinality.",
	Tips:       []string{"nondeterministic_output_order"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly,
	ACL:        command.CatSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        smembers,
})

func smembers(c *command.Ctx) error {
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Set(0)
		return nil
	}
	c.Out.Set(s.Len())
	if !c.StreamAll(c.Args[1], &s.Cell, s.Len(), writeElement) {
		each(c, &s)
	}
	return nil
}

// writeElement writes a member of a big set.
func writeElement(out *resp.Writer, member, _ []byte, _ float64) { out.Bulk(member) }

var _ = Family.Add(command.Spec{
	Name:    "SSCAN",
	Summary: "Incrementally iterate Set elements",
	Since:   "2.8.0",
	Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the " +
		"cursor to return back to 0. N is the number of elements inside the collection..",
	Tips:   []string{"nondeterministic_output"},
	Syntax: "key cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer]",
	Arity:  -3,
	Flags:  command.ReadOnly,
	ACL:    command.CatSet,
	Keys:   command.OneKey(1, command.RO|command.Access),
	Run:    sscan,
})

// scanRoom is the size in bytes of a page of members that needs no memory of its own.
const scanRoom = 2 << 10

// sscan replies with some members and the cursor for the next call. A leaf of the table is a
// page, some forty members, so a COUNT below that is exceeded; it is less than Redis promises.
//
// The words behind the cursor are looked at only if there is a set, as in Redis.
func sscan(c *command.Ctx) error {
	cursor, err := c.Args.Cursor(2)
	if err != nil {
		return err
	}
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		command.Page{}.Reply(c.Out, 0)
		return nil
	}
	asked, err := c.Args.Scan(3, nil)
	if err != nil {
		return err
	}
	var room [scanRoom]byte
	var digits [numtext.MaxIntLen]byte
	page, seen := command.PageIn(room[:]), int64(0)
	for {
		cursor = s.Scan(cursor, func(text []byte, v int64) {
			seen++
			if text == nil {
				text = numtext.AppendInt(digits[:0], v)
			}
			if asked.Match.Matches(text) {
				page = page.Add(text)
			}
		})
		if cursor == 0 || seen >= asked.Count {
			break
		}
	}
	page.Reply(c.Out, cursor)
	return nil
}
