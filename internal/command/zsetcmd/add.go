package zsetcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	errNXXX     = resp.Errorf("XX and NX options at the same time are not compatible")
	errGTLTNX   = resp.Errorf("GT, LT, and/or NX options at the same time are not compatible")
	errIncrMany = resp.Errorf("INCR option supports a single increment-element pair")
	errNaN      = resp.Errorf("resulting score is not a number (NaN)")
)

var _ = Family.Add(command.Spec{
	Name:       "ZADD",
	Summary:    "Add one or more members to a sorted set, or update its score if it already exists",
	Since:      "1.2.0",
	Complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
	History: [][2]string{
		{"2.4.0", "Accepts multiple elements."},
		{"3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."},
		{"6.2.0", "Added the `GT` and `LT` options."},
	},
	Syntax: "key [condition=(NX|XX)]{since 3.0.2} [comparison=(GT|LT)]{since 6.2.0} [change=CH]{since" +
		" 3.0.2} [increment=INCR]{since 3.0.2} {score:double member}...",
	Arity: -4,
	Flags: command.Write | command.DenyOOM | command.Fast,
	ACL:   command.CatSortedSet,
	Keys:  command.OneKey(1, command.RW|command.Update),
	Run:   zadd,
})

func zadd(c *command.Ctx) error {
	a := addition{key: c.Args[1]}
	i := 2
options:
	for ; i < len(c.Args); i++ {
		switch {
		case c.Args.Is(i, "NX"):
			a.mode |= value.ZNX
		case c.Args.Is(i, "XX"):
			a.mode |= value.ZXX
		case c.Args.Is(i, "GT"):
			a.mode |= value.ZGT
		case c.Args.Is(i, "LT"):
			a.mode |= value.ZLT
		case c.Args.Is(i, "INCR"):
			a.mode |= value.ZIncr
		case c.Args.Is(i, "CH"):
			a.changed = true
		default:
			break options
		}
	}
	a.pairs = c.Args[i:]
	has := func(m value.ZMode) bool { return a.mode&m == m }
	switch {
	case len(a.pairs) == 0, len(a.pairs)%2 != 0:
		return resp.ErrSyntax
	case has(value.ZNX | value.ZXX):
		return errNXXX
	case has(value.ZGT | value.ZNX), has(value.ZLT | value.ZNX), has(value.ZGT | value.ZLT):
		return errGTLTNX
	case has(value.ZIncr) && len(a.pairs) > 2:
		return errIncrMany
	}
	return a.run(c)
}

var _ = Family.Add(command.Spec{
	Name:       "ZINCRBY",
	Summary:    "Increment the score of a member in a sorted set",
	Since:      "1.2.0",
	Complexity: "O(log(N)) where N is the number of elements in the sorted set.",
	Syntax:     "key increment:integer member",
	Arity:      4,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        zincrby,
})

func zincrby(c *command.Ctx) error {
	a := addition{key: c.Args[1], mode: value.ZIncr, pairs: c.Args[2:]}
	return a.run(c)
}

// An addition is a ZADD whose options are read.
type addition struct {
	key     []byte
	mode    value.ZMode
	changed bool     // the reply counts members whose score changed, too
	pairs   [][]byte // of score and member

	added, updated int
	score          float64 // of the last member,
	refused        bool    // unless it was refused
}

func (a *addition) run(c *command.Ctx) error {
	first, err := a.checkScores()
	if err != nil {
		return err
	}
	var cell value.Cell
	ok := true
	if a.mode&value.ZXX != 0 {
		cell, ok, err = edit(c, a.key)
	} else {
		cell, err = c.DB.Make(a.key, record.ZSet)
	}
	if err != nil {
		return err
	}
	a.refused = true
	if ok {
		err = a.put(&cell, first)
		c.DB.Edited(a.key, &cell, a.added+a.updated)
		if err != nil {
			return err
		}
	}
	switch {
	case a.mode&value.ZIncr == 0 && a.changed:
		c.Out.Int(int64(a.added + a.updated))
	case a.mode&value.ZIncr == 0:
		c.Out.Int(int64(a.added))
	case a.refused:
		c.Out.Null()
	default:
		c.Out.Double(a.score)
	}
	return nil
}

// checkScores finds scores that are no numbers, and returns the first.
func (a *addition) checkScores() (first float64, err error) {
	for i := 0; i < len(a.pairs); i += 2 {
		score, ok := numtext.ParseFloat(a.pairs[i])
		if !ok {
			return 0, resp.ErrNotFloat
		}
		if i == 0 {
			first = score
		}
	}
	return first, nil
}

// put puts the pairs, of which the first has the score that is given.
func (a *addition) put(cell *value.Cell, score float64) error {
	z := value.ZSetOf(cell)
	for i := 0; i < len(a.pairs); i += 2 {
		if i > 0 {
			score, _ = numtext.ParseFloat(a.pairs[i])
		}
		now, out, err := z.Put(a.pairs[i+1], score, a.mode)
		if err != nil {
			return err
		}
		switch out {
		case value.ZAdded:
			a.added++
		case value.ZUpdated:
			a.updated++
		case value.ZNotNumber:
			return errNaN
		}
		a.score, a.refused = now, out == value.ZRefused
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:    "ZREM",
	Summary: "Remove one or more members from a sorted set",
	Since:   "1.2.0",
	Complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M the number of " +
		"elements to be removed.",
	History: [][2]string{{"2.4.0", "Accepts multiple elements."}},
	Syntax:  "key member...",
	Arity:   -3,
	Flags:   command.Write | command.Fast,
	ACL:     command.CatSortedSet,
	Keys:    command.OneKey(1, command.RW|command.Delete),
	Run:     zrem,
})

func zrem(c *command.Ctx) error {
	key := c.Args[1]
	cell, ok, err := edit(c, key)
	if err != nil {
		return err
	}
	n := 0
	if ok {
		z := value.ZSetOf(&cell)
		for _, member := range c.Args[2:] {
			var gone bool
			if gone, err = z.Delete(member); err != nil {
				break
			}
			if gone {
				n++
			}
			if gone && z.Len() == 0 {
				break
			}
		}
		c.DB.Edited(key, &cell, n)
		if err != nil {
			return err
		}
	}
	c.Out.Int(int64(n))
	return nil
}
