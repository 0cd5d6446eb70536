package hashcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "HDEL",
	Summary:    "Delete one or more hash fields",
	Since:      "2.0.0",
	Complexity: "O(N) where N is the number of fields to be removed.",
	History:    [][2]string{{"2.4.0", "Accepts multiple `field` arguments."}},
	Syntax:     "key field...",
	Arity:      -3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Delete),
	Run:        del,
})

func del(c *command.Ctx) error {
	var h value.Hash
	ok, err := edit(c, &h)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Int(0)
		return nil
	}
	n := 0
	reaped, err := reap(c, &h, c.Args[2:], 1)
	for i := 2; i < len(c.Args) && err == nil; i++ {
		var found bool
		if found, err = h.Delete(c.Args[i]); found && err == nil {
			n++
		}
	}
	edited(c, &h, n, reaped)
	if err == nil {
		c.Out.Int(int64(n))
	}
	return err
}

var _ = Family.Add(command.Spec{
	Name:       "HGETDEL",
	Summary:    "Returns the values of fields and deletes them from a hash.",
	Since:      "8.0.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key FIELDS=fields={numfields:integer field...}",
	Arity:      -5,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Delete),
	Run:        getDel,
})

// getDel journals the HDEL that it is besides replying.
func getDel(c *command.Ctx) error {
	fields, err := fieldsAt(c.Args, 2, errFieldCount)
	if err != nil {
		return err
	}
	var h value.Hash
	ok, err := edit(c, &h)
	if err != nil {
		return err
	}
	if !ok {
		nulls(c, len(fields))
		return nil
	}
	var gone [][]byte
	n := 0
	reaped, err := reap(c, &h, fields, 1)
	c.Out.Array(len(fields))
	for i := 0; i < len(fields) && err == nil; i++ {
		text, v, exists := h.Get(fields[i])
		if !exists {
			c.Out.Null()
			continue
		}
		c.Out.Element(text, v)
		if _, err = h.Delete(fields[i]); err == nil {
			n++
			if c.Journaling() {
				gone = append(gone, fields[i])
			}
		}
	}
	journalDeleted(c, gone)
	edited(c, &h, n, reaped)
	return err
}

// journalDeleted journals that fields went.
func journalDeleted(c *command.Ctx, fields [][]byte) {
	if len(fields) > 0 {
		c.JournalAs(append([][]byte{wordHDel, c.Args[1]}, fields...)...)
	}
}
