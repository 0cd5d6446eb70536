package zsetcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "ZRANGE",
	Summary: "Return a range of members in a sorted set",
	Since:   "1.2.0",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements returned.",
	History: [][2]string{{"6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options."}},
	Syntax: "key start stop [sortby=(BYSCORE|BYLEX)]{since 6.2.0} [REV]{since 6.2.0} " +
		"[LIMIT={offset:integer count:integer}]{since 6.2.0} [WITHSCORES]",
	Arity: -4,
	Flags: command.ReadOnly,
	ACL:   command.CatSortedSet,
	Keys:  command.OneKey(1, command.RO|command.Access),
	Run:   zrange,
})

func zrange(c *command.Ctx) error { return showRange(c, window{}, true) }

var _ = Family.Add(command.Spec{
	Name: "ZREVRANGE",
	Summary: "Return a range of members in a sorted set, by index, with scores ordered from high to " +
		"low",
	Since: "1.2.0",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements returned.",
	Deprecated: "6.2.0",
	ReplacedBy: "`ZRANGE` with the `REV` argument",
	Syntax:     "key start:integer stop:integer [WITHSCORES]",
	Arity:      -4,
	Flags:      command.ReadOnly,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zrevrange,
})

func zrevrange(c *command.Ctx) error { return showRange(c, window{by: byRank, back: true}, false) }

var _ = Family.Add(command.Spec{
	Name:    "ZRANGEBYSCORE",
	Summary: "Return a range of members in a sorted set, by score",
	Since:   "1.0.5",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements being returned. If M is constant (e.g. always asking for the first 10 elements " +
		"with LIMIT), you can consider it O(log(N)).",
	Deprecated: "6.2.0",
	ReplacedBy: "`ZRANGE` with the `BYSCORE` argument",
	History:    [][2]string{{"2.0.0", "Added the `WITHSCORES` modifier."}},
	Syntax: "key min:double max:double [WITHSCORES]{since 2.0.0} [LIMIT={offset:integer " +
		"count:integer}]",
	Arity: -4,
	Flags: command.ReadOnly,
	ACL:   command.CatSortedSet,
	Keys:  command.OneKey(1, command.RO|command.Access),
	Run:   zrangebyscore,
})

func zrangebyscore(c *command.Ctx) error { return showRange(c, window{by: byScore}, false) }

var _ = Family.Add(command.Spec{
	Name: "ZREVRANGEBYSCORE",
	Summary: "Return a range of members in a sorted set, by score, with scores ordered from high to " +
		"low",
	Since: "2.2.0",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements being returned. If M is constant (e.g. always asking for the first 10 elements " +
		"with LIMIT), you can consider it O(log(N)).",
	Deprecated: "6.2.0",
	ReplacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
	History:    [][2]string{{"2.1.6", "`min` and `max` can be exclusive."}},
	Syntax:     "key max:double min:double [WITHSCORES] [LIMIT={offset:integer count:integer}]",
	Arity:      -4,
	Flags:      command.ReadOnly,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zrevrangebyscore,
})

func zrevrangebyscore(c *command.Ctx) error {
	return showRange(c, window{by: byScore, back: true}, false)
}

var _ = Family.Add(command.Spec{
	Name:    "ZRANGEBYLEX",
	Summary: "Return a range of members in a sorted set, by lexicographical range",
	Since:   "2.8.9",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements being returned. If M is constant (e.g. always asking for the first 10 elements " +
		"with LIMIT), you can consider it O(log(N)).",
	Deprecated: "6.2.0",
	ReplacedBy: "`ZRANGE` with the `BYLEX` argument",
	Syntax:     "key min max [LIMIT={offset:integer count:integer}]",
	Arity:      -4,
	Flags:      command.ReadOnly,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zrangebylex,
})

func zrangebylex(c *command.Ctx) error { return showRange(c, window{by: byLex}, false) }

var _ = Family.Add(command.Spec{
	Name: "ZREVRANGEBYLEX",
	Summary: "Return a range of members in a sorted set, by lexicographical range, ordered from higher" +
		" to lower strings.",
	Since: "2.8.9",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements being returned. If M is constant (e.g. always asking for the first 10 elements " +
		"with LIMIT), you can consider it O(log(N)).",
	Deprecated: "6.2.0",
	ReplacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
	Syntax:     "key max min [LIMIT={offset:integer count:integer}]",
	Arity:      -4,
	Flags:      command.ReadOnly,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zrevrangebylex,
})

func zrevrangebylex(c *command.Ctx) error {
	return showRange(c, window{by: byLex, back: true}, false)
}

// showRange replies with the members in a window. free says whether the options may tell
// what it is about.
func showRange(c *command.Ctx, w window, free bool) error {
	scores, err := w.read(c.Args, 2, free, true)
	if err != nil {
		return err
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Array(0)
		return nil
	}
	z := value.ZSetOf(&cell)
	from, to := w.ranks(&z)
	list := listMembers(c.Out, to-from, scores)
	if c.StreamRange(c.Args[1], &cell, from, to, w.back, list.elementWriter()) {
		return nil
	}
	it := walk(&z, from, to, w.back)
	for range to - from {
		list.next(&it)
	}
	return nil
}

// walk goes over the ranks from up to to, or back.
func walk(z *value.ZSet, from, to int, back bool) value.ZIter {
	if back {
		return z.Iter(to-1, true)
	}
	return z.Iter(from, false)
}

var _ = Family.Add(command.Spec{
	Name:    "ZRANGESTORE",
	Summary: "Store a range of members from sorted set into another key",
	Since:   "6.2.0",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements stored into the destination key.",
	Syntax: "dst:key src:key@1 min max [sortby=(BYSCORE|BYLEX)] [REV] [LIMIT={offset:integer " +
		"count:integer}]",
	Arity: -5,
	Flags: command.Write | command.DenyOOM,
	ACL:   command.CatSortedSet,
	Keys: []command.KeySpec{
		{Flags: command.OW | command.Update, Index: 1, LastKey: 0, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, LastKey: 0, Step: 1},
	},
	Run: zrangestore,
})

// zrangestore makes a set of the members in a window of another set, which may be the one
// that it replaces.
func zrangestore(c *command.Ctx) error {
	var w window
	if _, err := w.read(c.Args, 3, true, false); err != nil {
		return err
	}
	dst := c.Args[1]
	cell, ok, err := open(c, c.Args[2])
	if err != nil {
		return err
	}
	n, err := c.DB.Replace(dst, record.ZSet, keyspace.NoTTL, func(made *value.Cell) error {
		if !ok {
			return nil
		}
		src, fresh := value.ZSetOf(&cell), value.ZSetOf(made)
		from, to := w.ranks(&src)
		var digits []byte
		it := src.Iter(from, false)
		for range to - from {
			text, v, score, _ := it.Next()
			if text == nil {
				digits = numtext.AppendInt(digits[:0], v)
				text = digits
			}
			if _, _, err := fresh.Put(text, score, value.ZNX); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Out.Int(int64(n))
	return nil
}

// What a range is a range of. None is said at first.
type subject uint8

const (
	unsaid subject = iota
	byRank
	byScore
	byLex
)

var (
	errLimitRank = resp.Errorf(
		"syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
	errLexScores = resp.Errorf("syntax error, WITHSCORES not supported in combination with BYLEX")
)
