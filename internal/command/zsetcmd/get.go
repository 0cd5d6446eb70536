package zsetcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "ZCARD",
	Summary:    "Get the number of members in a sorted set",
	Since:      "1.2.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO),
	Run:        zcard,
})

func zcard(c *command.Ctx) error {
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	n := 0
	if ok {
		z := value.ZSetOf(&cell)
		n = z.Len()
	}
	c.Out.Int(int64(n))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "ZSCORE",
	Summary:    "Get the score associated with the given member in a sorted set",
	Since:      "1.2.0",
	Complexity: "O(1)",
	Syntax:     "key member",
	Arity:      3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zscore,
})

func zscore(c *command.Ctx) error {
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if ok {
		z := value.ZSetOf(&cell)
		if score, ok := z.Score(c.Args[2]); ok {
			c.Out.Double(score)
			return nil
		}
	}
	c.Out.Null()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "ZMSCORE",
	Summary:    "Get the score associated with the given members in a sorted set",
	Since:      "6.2.0",
	Complexity: "O(N) where N is the number of members being requested.",
	Syntax:     "key member...",
	Arity:      -3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zmscore,
})

func zmscore(c *command.Ctx) error {
	cell, found, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	var z value.ZSet
	if found {
		z = value.ZSetOf(&cell)
	}
	c.Out.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		score, ok := 0.0, false
		if found {
			score, ok = z.Score(member)
		}
		if ok {
			c.Out.Double(score)
		} else {
			c.Out.Null()
		}
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "ZRANK",
	Summary:    "Determine the index of a member in a sorted set",
	Since:      "2.0.0",
	Complexity: "O(log(N))",
	History:    [][2]string{{"7.2.0", "Added the optional `WITHSCORE` argument."}},
	Syntax:     "key member [WITHSCORE]{since 7.2.0}",
	Arity:      -3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zrank,
})

func zrank(c *command.Ctx) error { return rank(c, false) }

var _ = Family.Add(command.Spec{
	Name:       "ZREVRANK",
	Summary:    "Determine the index of a member in a sorted set, with scores ordered from high to low",
	Since:      "2.0.0",
	Complexity: "O(log(N))",
	History:    [][2]string{{"7.2.0", "Added the optional `WITHSCORE` argument."}},
	Syntax:     "key member [WITHSCORE]{since 7.2.0}",
	Arity:      -3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zrevrank,
})

func zrevrank(c *command.Ctx) error { return rank(c, true) }

// rank replies with the number of members before a member, or behind it, and with its
// score if that is wanted.
func rank(c *command.Ctx, behind bool) error {
	if len(c.Args) > 4 {
		return resp.WrongArity(c.Name())
	}
	withScore := len(c.Args) == 4
	if withScore && !c.Args.Is(3, "WITHSCORE") {
		return resp.ErrSyntax
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	var rank int
	var score float64
	if ok {
		z := value.ZSetOf(&cell)
		if rank, score, ok = z.Rank(c.Args[2]); behind {
			rank = z.Len() - 1 - rank
		}
	}
	switch {
	case !ok && withScore:
		c.Out.NullArray()
	case !ok:
		c.Out.Null()
	case withScore:
		c.Out.Array(2)
		c.Out.Int(int64(rank))
		c.Out.Double(score)
	default:
		c.Out.Int(int64(rank))
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "ZCOUNT",
	Summary:    "Count the members in a sorted set with scores within the given values",
	Since:      "2.0.0",
	Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
	Syntax:     "key min:double max:double",
	Arity:      4,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zcount,
})

func zcount(c *command.Ctx) error {
	var r value.ScoreRange
	if err := readScores(&r, c.Args[2], c.Args[3]); err != nil {
		return err
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	from, to := 0, 0
	if ok {
		z := value.ZSetOf(&cell)
		from, to = z.Scores(&r)
	}
	c.Out.Int(int64(to - from))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "ZLEXCOUNT",
	Summary:    "Count the number of members in a sorted set between a given lexicographical range",
	Since:      "2.8.9",
	Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
	Syntax:     "key min max",
	Arity:      4,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zlexcount,
})

func zlexcount(c *command.Ctx) error {
	var r value.LexRange
	if err := readMembers(&r, c.Args[2], c.Args[3]); err != nil {
		return err
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	from, to := 0, 0
	if ok {
		z := value.ZSetOf(&cell)
		from, to = z.Members(&r)
	}
	c.Out.Int(int64(to - from))
	return nil
}
