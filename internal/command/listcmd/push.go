package listcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/value"
)

const complexityOfPush = "O(1) for each element added, so O(N) to add N elements when the command is " +
	"called with multiple arguments."

func pushSpec(name, summary, since, several string, run func(*command.Ctx) error) command.Spec {
	return command.Spec{
		Name:       name,
		Summary:    summary,
		Since:      since,
		Complexity: complexityOfPush,
		History:    [][2]string{{several, "Accepts multiple `element` arguments."}},
		Syntax:     "key element...",
		Arity:      -3,
		Flags:      command.Write | command.DenyOOM | command.Fast,
		ACL:        command.CatList,
		Keys:       command.OneKey(1, command.RW|command.Insert),
		Run:        run,
	}
}

var (
	_ = Family.Add(pushSpec("LPUSH", "Prepend one or multiple elements to a list", "1.0.0", "2.4.0",
		func(c *command.Ctx) error { return push(c, true) }))
	_ = Family.Add(pushSpec("RPUSH", "Append one or multiple elements to a list", "1.0.0", "2.4.0",
		func(c *command.Ctx) error { return push(c, false) }))
	_ = Family.Add(pushSpec("LPUSHX", "Prepend an element to a list, only if the list exists", "2.2.0", "4.0.0",
		func(c *command.Ctx) error { return pushExisting(c, true) }))
	_ = Family.Add(pushSpec("RPUSHX", "Append an element to a list, only if the list exists", "2.2.0", "4.0.0",
		func(c *command.Ctx) error { return pushExisting(c, false) }))
)

func push(c *command.Ctx, front bool) error {
	cell, err := c.DB.Make(c.Args[1], record.List)
	if err != nil {
		return err
	}
	return pushInto(c, &cell, front)
}

func pushExisting(c *command.Ctx, front bool) error {
	cell, ok, err := c.DB.Edit(c.Args[1], record.List)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Int(0)
		return nil
	}
	return pushInto(c, &cell, front)
}

func pushInto(c *command.Ctx, cell *value.Cell, front bool) error {
	l := value.ListIn(cell)
	elems := c.Args[2:]
	var err error
	if len(elems) == 1 {
		err = l.PushOne(elems[0], front)
	} else {
		err = l.Push(elems, front)
	}
	n := l.Len()
	c.DB.Edited(c.Args[1], cell, len(elems))
	if err != nil {
		return err
	}
	c.Out.Int(int64(n))
	return nil
}
