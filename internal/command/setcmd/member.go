package setcmd

import (
	"bytes"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "SADD",
	Summary: "Add one or more members to a set",
	Since:   "1.0.0",
	Complexity: "O(1) for each element added, so O(N) to add N elements when the command is called " +
		"with multiple arguments.",
	History: [][2]string{{"2.4.0", "Accepts multiple `member` arguments."}},
	Syntax:  "key member...",
	Arity:   -3,
	Flags:   command.Write | command.DenyOOM | command.Fast,
	ACL:     command.CatSet,
	Keys:    command.OneKey(1, command.RW|command.Insert),
	Run:     sadd,
})

// sadd adds members. If the memory ends in the middle, those that were added before are
// journalled, and nothing else.
func sadd(c *command.Ctx) error {
	key, members := c.Args[1], c.Args[2:]
	cell, err := c.DB.Make(key, record.Set)
	if err != nil {
		return err
	}
	s, n := value.SetOf(cell), 0
	err = s.Expect(members[0], len(members))
	for i := 0; i < len(members) && err == nil; i++ {
		var added bool
		if added, err = s.Add(members[i]); added {
			n++
		}
		if err != nil && n > 0 {
			c.JournalAs(c.Args[:2+i]...)
		}
	}
	edited(c, key, &s, n)
	if err != nil {
		return err
	}
	c.Out.Int(int64(n))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SREM",
	Summary:    "Remove one or more members from a set",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the number of members to be removed.",
	History:    [][2]string{{"2.4.0", "Accepts multiple `member` arguments."}},
	Syntax:     "key member...",
	Arity:      -3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatSet,
	Keys:       command.OneKey(1, command.RW|command.Delete),
	Run:        srem,
})

func srem(c *command.Ctx) error {
	key, members := c.Args[1], c.Args[2:]
	s, ok, err := edit(c, key)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Int(0)
		return nil
	}
	n := 0
	for i := 0; i < len(members) && err == nil && s.Len() > 0; i++ {
		var removed bool
		if removed, err = s.Remove(members[i]); err != nil {
			if n > 0 {
				c.JournalAs(c.Args[:2+i]...)
			}
		} else if removed {
			n++
		}
	}
	edited(c, key, &s, n)
	if err != nil {
		return err
	}
	c.Out.Int(int64(n))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SISMEMBER",
	Summary:    "Determine if a given value is a member of a set",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key member",
	Arity:      3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSet,
	Keys:       command.OneKey(1, command.RO),
	Run:        sismember,
})

func sismember(c *command.Ctx) error {
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	c.Out.OneIf(ok && s.Has(c.Args[2]))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SMISMEMBER",
	Summary:    "Returns the membership associated with the given elements for a set",
	Since:      "6.2.0",
	Complexity: "O(N) where N is the number of elements being checked for membership",
	Syntax:     "key member...",
	Arity:      -3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        smismember,
})

func smismember(c *command.Ctx) error {
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	c.Out.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		c.Out.OneIf(ok && s.Has(member))
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SCARD",
	Summary:    "Get the number of members in a set",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSet,
	Keys:       command.OneKey(1, command.RO),
	Run:        scard,
})

func scard(c *command.Ctx) error {
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	n := 0
	if ok {
		n = s.Len()
	}
	c.Out.Int(int64(n))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SMOVE",
	Summary:    "Move a member from one set to another",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "source:key destination:key@1 member",
	Arity:      4,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatSet,
	Keys: []command.KeySpec{{Flags: command.RW | command.Access | command.Delete, Index: 1, Step: 1},
		{Flags: command.RW | command.Insert, Index: 2, Step: 1}},
	Run: smove,
})

// smove adds before it removes, so that no member is lost when there is no memory.
func smove(c *command.Ctx) error {
	from, to, member := c.Args[1], c.Args[2], c.Args[3]
	src, ok, err := edit(c, from)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Int(0)
		return nil
	}
	dst, there, err := edit(c, to)
	if err != nil {
		return err
	}
	has := src.Has(member)
	if !has || bytes.Equal(from, to) {
		c.Out.OneIf(has)
		return nil
	}
	if !there {
		cell, err := c.DB.Make(to, record.Set)
		if err != nil {
			return err
		}
		dst = value.SetOf(cell)
		err = dst.Expect(member, 1)
		if err != nil {
			edited(c, to, &dst, 0)
			return err
		}
	}
	n := 0
	added, err := dst.Add(member)
	if err == nil {
		if _, err = src.Remove(member); err != nil && added {
			_, _ = dst.Remove(member) // its leaf has just been changed, so it takes no memory
			added = false
		}
	}
	if added {
		n = 1
	}
	if err != nil {
		edited(c, to, &dst, 0)
		return err
	}
	edited(c, from, &src, 1)
	edited(c, to, &dst, n)
	c.Out.Int(1)
	return nil
}
