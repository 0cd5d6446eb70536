package listcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

func popSpec(name, summary string, run func(*command.Ctx) error) command.Spec {
	return command.Spec{
		Name:       name,
		Summary:    summary,
		Since:      "1.0.0",
		Complexity: "O(N) where N is the number of elements returned",
		History:    [][2]string{{"6.2.0", "Added the `count` argument."}},
		Syntax:     "key [count:integer{since 6.2.0}]",
		Arity:      -2,
		Flags:      command.Write | command.Fast,
		ACL:        command.CatList,
		Keys:       command.OneKey(1, command.RW|command.Access|command.Delete),
		Run:        run,
	}
}

var (
	_ = Family.Add(popSpec("LPOP", "Remove and get the first elements in a list",
		func(c *command.Ctx) error { return pop(c, true) }))
	_ = Family.Add(popSpec("RPOP", "Remove and get the last elements in a list",
		func(c *command.Ctx) error { return pop(c, false) }))
)

func pop(c *command.Ctx, front bool) error {
	if len(c.Args) > 3 {
		return resp.WrongArity(c.Name())
	}
	count, hasCount := 1, len(c.Args) == 3
	if hasCount {
		var err error
		if count, err = positive(c.Args, 2); err != nil {
			return err
		}
	}
	key := c.Args[1]
	cell, ok, err := c.DB.Edit(key, record.List)
	switch {
	case err != nil:
		return err
	case !ok && hasCount:
		c.Out.NullArray()
		return nil
	case !ok:
		c.Out.Null()
		return nil
	case count == 0:
		c.Out.Array(0)
		return nil
	}
	l := value.ListIn(&cell)
	if hasCount {
		c.Out.Array(min(count, l.Len()))
	}
	return popSome(c, key, &l, count, front)
}

// popSome replies with up to count elements and removes them.
func popSome(c *command.Ctx, key []byte, l *value.List, count int, front bool) error {
	n := min(count, l.Len())
	if n == 1 {
		e := l.End(front)
		c.Out.Element(e.Bytes, e.Int)
		err := l.Pop(front)
		c.DB.Edited(key, l.Cell, 1)
		return err
	}
	length := l.Len()
	from := 0
	if !front {
		from = length - 1
	}
	it := l.Iter(from, !front)
	for range n {
		e, _ := it.Next()
		c.Out.Element(e.Bytes, e.Int)
	}
	if !front {
		from = length - n
	}
	err := l.DeleteRange(from, n)
	c.DB.Edited(key, l.Cell, n)
	return err
}

const complexityOfMPop = "O(N+M) where N is the number of provided keys and M is the number of elements " +
	"returned."

var _ = Family.Add(command.Spec{
	Name:       "LMPOP",
	Summary:    "Pop elements from a list",
	Since:      "7.0.0",
	Complexity: complexityOfMPop,
	Syntax:     "numkeys:integer key... where=(LEFT|RIGHT) [COUNT=count:integer]",
	Arity:      -4,
	Flags:      command.Write | command.MovableKeys,
	ACL:        command.CatList,
	Keys:       command.NumKeys(1, command.RW|command.Access|command.Delete),
	Run:        func(c *command.Ctx) error { return multiPop(c, 1, nil) },
})

var _ = Family.Add(command.Spec{
	Name:       "BLMPOP",
	Summary:    "Pop elements from a list, or block until one is available",
	Since:      "7.0.0",
	Complexity: complexityOfMPop,
	Syntax:     "timeout:double numkeys:integer key... where=(LEFT|RIGHT) [COUNT=count:integer]",
	Arity:      -5,
	Flags:      command.Write | command.Blocking | command.MovableKeys,
	ACL:        command.CatList,
	Keys:       command.NumKeys(2, command.RW|command.Access|command.Delete),
	Run: func(c *command.Ctx) error {
		until, err := c.Timeout(1)
		if err != nil {
			return err
		}
		return multiPop(c, 2, &until)
	},
})

// multiPop pops from the first key that has elements. With until it waits for one.
func multiPop(c *command.Ctx, at int, until *int64) error {
	m, err := c.Args.MultiPop(at, "LEFT", "RIGHT")
	if err != nil {
		return err
	}
	var cell value.Cell
	key, ok, err := first(c, m.Keys, &cell)
	switch {
	case err != nil:
		return err
	case !ok && until == nil:
		c.Out.NullArray()
		return nil
	case !ok:
		return waitForAny(c, m.Keys, *until)
	}
	l := value.ListIn(&cell)
	n, front := int(min(m.Count, int64(l.Len()))), !m.Second
	c.Out.Array(2)
	c.Out.Bulk(key)
	c.Out.Array(n)
	if err := popSome(c, key, &l, n, front); err != nil {
		return err
	}
	c.JournalAs(popName(front), key, numtext.AppendInt(nil, int64(n)))
	return nil
}

// first finds the first key that holds a list, to be changed.
func first(c *command.Ctx, keys [][]byte, cell *value.Cell) (key []byte, ok bool, err error) {
	for _, key := range keys {
		if c.Skips(key) {
			continue
		}
		if *cell, ok, err = c.DB.Edit(key, record.List); ok || err != nil {
			return key, ok, err
		}
	}
	return nil, false, nil
}

func waitForAny(c *command.Ctx, keys [][]byte, until int64) error {
	return c.Block(command.Wait{Type: record.List, Keys: keys, Until: until, Empty: (*resp.Writer).NullArray})
}

var lpopName, rpopName = []byte("LPOP"), []byte("RPOP")

func popName(front bool) []byte {
	if front {
		return lpopName
	}
	return rpopName
}

func blockingPopSpec(name, summary string, run func(*command.Ctx) error) command.Spec {
	return command.Spec{
		Name:       name,
		Summary:    summary,
		Since:      "2.0.0",
		Complexity: "O(N) where N is the number of provided keys.",
		History:    [][2]string{{"6.0.0", "`timeout` is interpreted as a double instead of an integer."}},
		Syntax:     "key... timeout:double",
		Arity:      -3,
		Flags:      command.Write | command.NoScript | command.Blocking,
		ACL:        command.CatList,
		Keys:       command.KeyRange(1, -2, 1, command.RW|command.Access|command.Delete),
		Run:        run,
	}
}

var (
	_ = Family.Add(blockingPopSpec("BLPOP", "Remove and get the first element in a list, or block until one is "+
		"available", func(c *command.Ctx) error { return blockingPop(c, true) }))
	_ = Family.Add(blockingPopSpec("BRPOP", "Remove and get the last element in a list, or block until one is "+
		"available", func(c *command.Ctx) error { return blockingPop(c, false) }))
)

func blockingPop(c *command.Ctx, front bool) error {
	last := len(c.Args) - 1
	until, err := c.Timeout(last)
	if err != nil {
		return err
	}
	var cell value.Cell
	key, ok, err := first(c, c.Args[1:last], &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		return waitForAny(c, c.Args[1:last], until)
	}
	l := value.ListIn(&cell)
	c.Out.Array(2)
	c.Out.Bulk(key)
	if err := popSome(c, key, &l, 1, front); err != nil {
		return err
	}
	c.JournalAs(popName(front), key)
	return nil
}
