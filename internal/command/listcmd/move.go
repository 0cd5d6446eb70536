package listcmd

import (
	"bytes"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var moveKeys = []command.KeySpec{
	{Flags: command.RW | command.Access | command.Delete, Index: 1, Step: 1},
	{Flags: command.RW | command.Insert, Index: 2, Step: 1},
}

const moveSyntax = "source:key destination:key@1"

var doubleTimeout = [][2]string{{"6.0.0", "`timeout` is interpreted as a double instead of an integer."}}

var (
	_ = Family.Add(command.Spec{
		Name:       "LMOVE",
		Summary:    "Pop an element from a list, push it to another list and return it",
		Since:      "6.2.0",
		Complexity: "O(1)",
		Syntax:     moveSyntax + " wherefrom=(LEFT|RIGHT) whereto=(LEFT|RIGHT)",
		Arity:      5,
		Flags:      command.Write | command.DenyOOM,
		ACL:        command.CatList,
		Keys:       moveKeys,
		Run:        func(c *command.Ctx) error { return moveSides(c, nil) },
	})
	_ = Family.Add(command.Spec{
		Name:       "RPOPLPUSH",
		Summary:    "Remove the last element in a list, prepend it to another list and return it",
		Since:      "1.2.0",
		Complexity: "O(1)",
		Deprecated: "6.2.0",
		ReplacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
		Syntax:     moveSyntax,
		Arity:      3,
		Flags:      command.Write | command.DenyOOM,
		ACL:        command.CatList,
		Keys:       moveKeys,
		Run:        func(c *command.Ctx) error { return move(c, false, true, nil) },
	})
	_ = Family.Add(command.Spec{
		Name: "BLMOVE",
		Summary: "Pop an element from a list, push it to another list and return it; or block until one is " +
			"available",
		Since:      "6.2.0",
		Complexity: "O(1)",
		Syntax:     moveSyntax + " wherefrom=(LEFT|RIGHT) whereto=(LEFT|RIGHT) timeout:double",
		Arity:      6,
		Flags:      command.Write | command.DenyOOM | command.NoScript | command.Blocking,
		ACL:        command.CatList,
		Keys:       moveKeys,
		Run:        func(c *command.Ctx) error { return blockingMove(c, 5) },
	})
	_ = Family.Add(command.Spec{
		Name: "BRPOPLPUSH",
		Summary: "Pop an element from a list, push it to another list and return it; or block until one is " +
			"available",
		Since:      "2.2.0",
		Complexity: "O(1)",
		Deprecated: "6.2.0",
		ReplacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
		History:    doubleTimeout,
		Syntax:     moveSyntax + " timeout:double",
		Arity:      4,
		Flags:      command.Write | command.DenyOOM | command.NoScript | command.Blocking,
		ACL:        command.CatList,
		Keys:       moveKeys,
		Run:        func(c *command.Ctx) error { return blockingMove(c, 3) },
	})
)

// blockingMove is BLMOVE or BRPOPLPUSH, whose timeout is an argument.
func blockingMove(c *command.Ctx, at int) error {
	if at == 5 {
		if _, _, err := sides(c.Args); err != nil {
			return err
		}
	}
	until, err := c.Timeout(at)
	if err != nil {
		return err
	}
	if at == 5 {
		return moveSides(c, &until)
	}
	return move(c, false, true, &until)
}

func sides(args command.Args) (from, to bool, err error) {
	if from, err = side(args, 3); err == nil {
		to, err = side(args, 4)
	}
	return from, to, err
}

func moveSides(c *command.Ctx, until *int64) error {
	from, to, err := sides(c.Args)
	if err != nil {
		return err
	}
	return move(c, from, to, until)
}

// move moves an element from an end of a list to one of another, or waits for it.
func move(c *command.Ctx, from, to bool, until *int64) error {
	source, target := c.Args[1], c.Args[2]
	cell, ok, err := c.DB.Edit(source, record.List)
	switch {
	case err != nil:
		return err
	case !ok && until == nil:
		c.Out.Null()
		return nil
	case !ok:
		return c.Block(command.Wait{
			Type: record.List, Keys: [][]byte{source}, More: target, Until: *until, Empty: (*resp.Writer).Null,
		})
	}
	if v, ok := c.DB.Peek(target); ok && v.Type() != record.List {
		return resp.ErrWrongType
	}
	l := value.ListIn(&cell)
	e := l.End(from)
	c.Out.Element(e.Bytes, e.Int)
	var buf [64]byte
	elem := e.AppendTo(buf[:0]) // the list is about to change
	if bytes.Equal(source, target) {
		err = rotate(c, &l, elem, from, to)
	} else if err = pushTo(c, target, elem, to); err == nil {
		err = l.Pop(from)
		c.DB.Edited(source, &cell, 1)
	}
	if err != nil {
		return err
	}
	journalMove(c, from, to)
	return nil
}

// rotate moves an element within its list.
func rotate(c *command.Ctx, l *value.List, elem []byte, from, to bool) error {
	var err error
	if from != to {
		if err = l.PushOne(elem, to); err == nil {
			err = l.Pop(from)
		}
	}
	c.DB.Edited(c.Args[1], l.Cell, 1)
	return err
}

func pushTo(c *command.Ctx, key, elem []byte, front bool) error {
	cell, err := c.DB.Make(key, record.List)
	if err != nil {
		return err
	}
	l := value.ListIn(&cell)
	err = l.PushOne(elem, front)
	c.DB.Edited(key, &cell, 1)
	return err
}

var lmoveName, rpoplpushName = []byte("LMOVE"), []byte("RPOPLPUSH")

// journalMove journals what a blocking command did as one that does not wait.
func journalMove(c *command.Ctx, from, to bool) {
	switch c.Spec.Name {
	case "BLMOVE":
		c.JournalAs(lmoveName, c.Args[1], c.Args[2], c.Args[3], c.Args[4])
	case "BRPOPLPUSH":
		c.JournalAs(rpoplpushName, c.Args[1], c.Args[2])
	}
}
