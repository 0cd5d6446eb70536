package listcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	_ = Family.Add(command.Spec{
		Name:    "LSET",
		Summary: "Set the value of an element in a list by its index",
		Since:   "1.0.0",
		Complexity: "O(N) where N is the length of the list. Setting either the first or the last element of the " +
			"list is O(1).",
		Syntax: "key index:integer element",
		Arity:  4,
		Flags:  command.Write | command.DenyOOM,
		ACL:    command.CatList,
		Keys:   command.OneKey(1, command.RW|command.Update),
		Run:    lset,
	})
	_ = Family.Add(command.Spec{
		Name:    "LINSERT",
		Summary: "Insert an element before or after another element in a list",
		Since:   "2.2.0",
		Complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot. This " +
			"means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting " +
			"somewhere on the right end (tail) is O(N).",
		Syntax: "key where=(BEFORE|AFTER) pivot element",
		Arity:  5,
		Flags:  command.Write | command.DenyOOM,
		ACL:    command.CatList,
		Keys:   command.OneKey(1, command.RW|command.Insert),
		Run:    linsert,
	})
	_ = Family.Add(command.Spec{
		Name:       "LREM",
		Summary:    "Remove elements from a list",
		Since:      "1.0.0",
		Complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
		Syntax:     "key count:integer element",
		Arity:      4,
		Flags:      command.Write,
		ACL:        command.CatList,
		Keys:       command.OneKey(1, command.RW|command.Delete),
		Run:        lrem,
	})
	_ = Family.Add(command.Spec{
		Name:       "LTRIM",
		Summary:    "Trim a list to the specified range",
		Since:      "1.0.0",
		Complexity: "O(N) where N is the number of elements to be removed by the operation.",
		Syntax:     "key start:integer stop:integer",
		Arity:      4,
		Flags:      command.Write,
		ACL:        command.CatList,
		Keys:       command.OneKey(1, command.RW|command.Delete),
		Run:        ltrim,
	})
)

var errIndex = &resp.Error{Code: "ERR", Text: "index out of range"}

func lset(c *command.Ctx) error {
	cell, ok, err := c.DB.Edit(c.Args[1], record.List)
	if err != nil {
		return err
	}
	if !ok {
		return resp.ErrNoKey
	}
	i, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	l := value.ListIn(&cell)
	n := int64(l.Len())
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return errIndex
	}
	if err := l.Set(int(i), c.Args[3]); err != nil {
		return err
	}
	c.DB.Edited(c.Args[1], &cell, 1)
	c.Out.OK()
	return nil
}

func linsert(c *command.Ctx) error {
	after := c.Args.Is(2, "AFTER")
	if !after && !c.Args.Is(2, "BEFORE") {
		return resp.ErrSyntax
	}
	cell, ok, err := c.DB.Edit(c.Args[1], record.List)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Int(0)
		return nil
	}
	l := value.ListIn(&cell)
	at := -1
	first := search{rank: 1, count: -1}
	first.run(&l, c.Args[3], func(i int64) { at = int(i) })
	if at < 0 {
		c.Out.Int(-1)
		return nil
	}
	if after {
		at++
	}
	if err := l.InsertAt(at, c.Args[4]); err != nil {
		return err
	}
	n := l.Len()
	c.DB.Edited(c.Args[1], &cell, 1)
	c.Out.Int(int64(n))
	return nil
}

func lrem(c *command.Ctx) error {
	count, err := c.Args.IntIn(2, -1<<63+1, 1<<63-1)
	if err != nil {
		return err
	}
	cell, ok, err := c.DB.Edit(c.Args[1], record.List)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Int(0)
		return nil
	}
	l := value.ListIn(&cell)
	fromTail := count < 0
	if fromTail {
		count = -count
	}
	n, err := l.Remove(c.Args[3], int(count), fromTail)
	c.DB.Edited(c.Args[1], &cell, n)
	if err != nil {
		return err
	}
	c.Out.Int(int64(n))
	return nil
}

func ltrim(c *command.Ctx) error {
	start, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	stop, err := c.Args.Int(3)
	if err != nil {
		return err
	}
	cell, ok, err := c.DB.Edit(c.Args[1], record.List)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.OK()
		return nil
	}
	l := value.ListIn(&cell)
	n := l.Len()
	from, to := command.Span(start, stop, n)
	if from == to { // nothing stays
		c.DB.Delete(c.Args[1])
		c.DB.MarkDirty(n - 1)
		c.Out.OK()
		return nil
	}
	err = l.DeleteRange(to, n-to)
	if err == nil {
		err = l.DeleteRange(0, from)
	}
	c.DB.Edited(c.Args[1], &cell, n-(to-from))
	if err != nil {
		return err
	}
	c.Out.OK()
	return nil
}
