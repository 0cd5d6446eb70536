package zsetcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "ZPOPMIN",
	Summary: "Remove and return members with the lowest scores in a sorted set",
	Since:   "5.0.0",
	Complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the " +
		"number of elements popped.",
	Syntax: "key [count:integer]",
	Arity:  -2,
	Flags:  command.Write | command.Fast,
	ACL:    command.CatSortedSet,
	Keys:   command.OneKey(1, command.RW|command.Access|command.Delete),
	Run:    zpopmin,
})

func zpopmin(c *command.Ctx) error { return popOne(c, false) }

var _ = Family.Add(command.Spec{
	Name:    "ZPOPMAX",
	Summary: "Remove and return members with the highest scores in a sorted set",
	Since:   "5.0.0",
	Complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the " +
		"number of elements popped.",
	Syntax: "key [count:integer]",
	Arity:  -2,
	Flags:  command.Write | command.Fast,
	ACL:    command.CatSortedSet,
	Keys:   command.OneKey(1, command.RW|command.Access|command.Delete),
	Run:    zpopmax,
})

func zpopmax(c *command.Ctx) error { return popOne(c, true) }

// popOne pops from one key. A count makes the reply an array of arrays in RESP3.
func popOne(c *command.Ctx, fromTop bool) error {
	if len(c.Args) > 3 {
		return resp.ErrSyntax
	}
	p := popping{fromTop: fromTop, count: 1}
	if len(c.Args) == 3 {
		var ok bool
		if p.count, ok = numtext.ParseInt(c.Args[2]); !ok || p.count < 0 {
			return resp.ErrNotPositive
		}
		p.nested = c.Out.Resp3
	}
	done, err := p.from(c, c.Args[1])
	if !done && err == nil {
		c.Out.Array(0)
	}
	return err
}

// A popping is what the commands that take members away have in common.
type popping struct {
	fromTop bool  // the greatest first
	count   int64 // at most
	nested  bool  // each member is an array with its score
	naming  naming
}

// A naming is how the reply names the key.
type naming uint8

const (
	notNamed  naming = iota
	namedFlat        // in the same array as the member and the score
	namedPair        // in an array with the list of members
)

// from pops from a key and replies, or returns false if there is nothing to pop.
func (p *popping) from(c *command.Ctx, key []byte) (done bool, err error) {
	cell, ok, err := edit(c, key)
	if !ok || err != nil {
		return false, err
	}
	z := value.ZSetOf(&cell)
	n := int(min(p.count, int64(z.Len())))
	list := pairs{out: c.Out, scores: true, nested: p.nested}
	switch p.naming {
	case namedFlat:
		c.Out.Array(3)
		c.Out.Bulk(key)
	case namedPair:
		c.Out.Array(2)
		c.Out.Bulk(key)
		fallthrough
	default:
		list = listPairs(c.Out, n, true, p.nested)
	}
	gone := 0
	if p.fromTop {
		size := z.Len()
		it := z.Iter(size-1, true)
		for range n {
			list.next(&it)
		}
		gone, err = z.DeleteRange(size-n, size, nil)
	} else {
		gone, err = z.DeleteRange(0, n, list.add)
	}
	c.DB.Edited(key, &cell, gone)
	return true, err
}

var _ = Family.Add(command.Spec{
	Name:    "ZMPOP",
	Summary: "Remove and return members with scores in a sorted set",
	Since:   "7.0.0",
	Complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of " +
		"elements in the sorted set, and M being the number of elements popped.",
	Syntax: "numkeys:integer key... where=(MIN|MAX) [COUNT=count:integer]",
	Arity:  -4,
	Flags:  command.Write | command.MovableKeys,
	ACL:    command.CatSortedSet,
	Keys:   command.NumKeys(1, command.RW|command.Access|command.Delete),
	Run:    zmpop,
})

func zmpop(c *command.Ctx) error {
	p, keys, err := readMultiPop(c.Args, 1)
	if err != nil {
		return err
	}
	done, err := p.fromFirst(c, keys)
	if !done && err == nil {
		c.Out.NullArray()
	}
	return err
}

// readMultiPop reads the arguments from the number of keys on.
func readMultiPop(args command.Args, i int) (p popping, keys [][]byte, err error) {
	m, err := args.MultiPop(i, "MIN", "MAX")
	return popping{fromTop: m.Second, count: m.Count, nested: true, naming: namedPair}, m.Keys, err
}

// fromFirst pops from the first key that has anything. What is journalled is what it did
// to that key.
func (p *popping) fromFirst(c *command.Ctx, keys [][]byte) (done bool, err error) {
	for _, key := range keys {
		if c.Skips(key) {
			continue
		}
		before := c.DB.Dirty()
		if done, err = p.from(c, key); err != nil {
			return false, err
		}
		if done {
			p.journal(c, key, c.DB.Dirty()-before)
			return true, nil
		}
	}
	return false, nil
}

var (
	nameZPopMin = []byte("ZPOPMIN")
	nameZPopMax = []byte("ZPOPMAX")
)

func (p *popping) journal(c *command.Ctx, key []byte, n int) {
	name := nameZPopMin
	if p.fromTop {
		name = nameZPopMax
	}
	switch {
	case !c.Journaling():
		c.JournalNothing()
	case p.naming == namedPair:
		c.JournalAs(name, key, numtext.AppendInt(nil, int64(n)))
	default:
		c.JournalAs(name, key)
	}
}

var _ = Family.Add(command.Spec{
	Name: "BZPOPMIN",
	Summary: "Remove and return the member with the lowest score from one or more sorted sets, or " +
		"block until one is available",
	Since:      "5.0.0",
	Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
	History:    [][2]string{{"6.0.0", "`timeout` is interpreted as a double instead of an integer."}},
	Syntax:     "key... timeout:double",
	Arity:      -3,
	Flags:      command.Write | command.NoScript | command.Blocking | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.KeyRange(1, -2, 1, command.RW|command.Access|command.Delete),
	Run:        bzpopmin,
})

func bzpopmin(c *command.Ctx) error { return waitToPop(c, false) }

var _ = Family.Add(command.Spec{
	Name: "BZPOPMAX",
	Summary: "Remove and return the member with the highest score from one or more sorted sets, or " +
		"block until one is available",
	Since:      "5.0.0",
	Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
	History:    [][2]string{{"6.0.0", "`timeout` is interpreted as a double instead of an integer."}},
	Syntax:     "key... timeout:double",
	Arity:      -3,
	Flags:      command.Write | command.NoScript | command.Blocking | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.KeyRange(1, -2, 1, command.RW|command.Access|command.Delete),
	Run:        bzpopmax,
})

func bzpopmax(c *command.Ctx) error { return waitToPop(c, true) }

func waitToPop(c *command.Ctx, fromTop bool) error {
	last := len(c.Args) - 1
	until, err := c.Timeout(last)
	if err != nil {
		return err
	}
	p := popping{fromTop: fromTop, count: 1, naming: namedFlat}
	return p.wait(c, c.Args[1:last], until)
}

var _ = Family.Add(command.Spec{
	Name:    "BZMPOP",
	Summary: "Remove and return members with scores in a sorted set or block until one is available",
	Since:   "7.0.0",
	Complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of " +
		"elements in the sorted set, and M being the number of elements popped.",
	Syntax: "timeout:double numkeys:integer key... where=(MIN|MAX) [COUNT=count:integer]",
	Arity:  -5,
	Flags:  command.Write | command.Blocking | command.MovableKeys,
	ACL:    command.CatSortedSet,
	Keys:   command.NumKeys(2, command.RW|command.Access|command.Delete),
	Run:    bzmpop,
})

func bzmpop(c *command.Ctx) error {
	p, keys, err := readMultiPop(c.Args, 2)
	if err != nil {
		return err
	}
	until, err := c.Timeout(1)
	if err != nil {
		return err
	}
	return p.wait(c, keys, until)
}

// wait pops from the first key that has anything, or from the first that gets something.
func (p *popping) wait(c *command.Ctx, keys [][]byte, until int64) error {
	done, err := p.fromFirst(c, keys)
	if done || err != nil {
		return err
	}
	return c.Block(command.Wait{
		Type: record.ZSet, Keys: keys, Until: until, Empty: (*resp.Writer).NullArray,
	})
}
