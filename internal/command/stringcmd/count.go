package stringcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errOverflow    = resp.Errorf("increment or decrement would overflow")
	errDecOverflow = resp.Errorf("decrement would overflow")
	errNaNOrInf    = resp.Errorf("increment would produce NaN or Infinity")
)

var _ = Family.Add(command.Spec{
	Name:       "INCR",
	Summary:    "Increment the integer value of a key by one",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        func(c *command.Ctx) error { return add(c, 1) },
}, none)

var _ = Family.Add(command.Spec{
	Name:       "DECR",
	Summary:    "Decrement the integer value of a key by one",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        func(c *command.Ctx) error { return add(c, -1) },
}, none)

var _ = Family.Add(command.Spec{
	Name:       "INCRBY",
	Summary:    "Increment the integer value of a key by the given amount",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key increment:integer",
	Arity:      3,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        incrBy,
}, none)

func incrBy(c *command.Ctx) error {
	by, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	return add(c, by)
}

var _ = Family.Add(command.Spec{
	Name:       "DECRBY",
	Summary:    "Decrement the integer value of a key by the given number",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key decrement:integer",
	Arity:      3,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        decrBy,
}, none)

func decrBy(c *command.Ctx) error {
	by, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	if by == math.MinInt64 { // its negative is no int64
		return errDecOverflow
	}
	return add(c, -by)
}

func add(c *command.Ctx, by int64) error {
	sum, ok, err := c.DB.AddInt(c.Args[1], by)
	if err != nil {
		return err
	}
	if !ok {
		return errOverflow
	}
	c.Out.Int(sum)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "INCRBYFLOAT",
	Summary:    "Increment the float value of a key by the given amount",
	Since:      "2.6.0",
	Complexity: "O(1)",
	Syntax:     "key increment:double",
	Arity:      3,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        incrByFloat,
}, none)

// incrByFloat journals the sum: other processors would compute another one.
func incrByFloat(c *command.Ctx) error {
	key := c.Args[1]
	s, err := c.DB.PeekString(key)
	if err != nil {
		return err
	}
	var x numtext.LongDouble
	if n, ok := s.Int(); ok {
		x = numtext.LongDoubleOf(n)
	} else if s.Exists() {
		if x, ok = numtext.ParseLongDouble(s.Bytes(nil)); !ok {
			return resp.ErrNotFloat
		}
	}
	by, ok := numtext.ParseLongDouble(c.Args[2])
	if !ok {
		return resp.ErrNotFloat
	}
	x = x.Add(by)
	if x.IsNaNOrInf() {
		return errNaNOrInf
	}
	text := x.AppendHuman(nil)
	if err := c.DB.SetString(key, text, keyspace.KeepTTL); err != nil {
		return err
	}
	if c.Journaling() {
		c.JournalAs(wordSet, key, text, wordKeepTTL)
	}
	c.Out.Bulk(text)
	return nil
}
