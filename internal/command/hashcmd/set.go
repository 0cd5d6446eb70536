package hashcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "HSET",
	Summary: "Set the string value of a hash field",
	Since:   "2.0.0",
	Complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is " +
		"called with multiple field/value pairs.",
	History: [][2]string{{"4.0.0", "Accepts multiple `field` and `value` arguments."}},
	Syntax:  "key {field value}...",
	Arity:   -4,
	Flags:   command.Write | command.DenyOOM | command.Fast,
	ACL:     command.CatHash,
	Keys:    command.OneKey(1, command.RW|command.Update),
	Run: func(c *command.Ctx) error {
		added, err := set(c)
		if err == nil {
			c.Out.Int(int64(added))
		}
		return err
	},
})

var _ = Family.Add(command.Spec{
	Name:       "HMSET",
	Summary:    "Set multiple hash fields to multiple values",
	Since:      "2.0.0",
	Complexity: "O(N) where N is the number of fields being set.",
	Deprecated: "4.0.0",
	ReplacedBy: "`HSET` with multiple field-value pairs",
	Syntax:     "key {field value}...",
	Arity:      -4,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run: func(c *command.Ctx) error {
		_, err := set(c)
		if err == nil {
			c.Out.OK()
		}
		return err
	},
})

// set sets fields to values, which live on without an expiry, and returns how many fields
// are new.
func set(c *command.Ctx) (added int, err error) {
	if len(c.Args)%2 != 0 {
		return 0, resp.WrongArity(c.Name())
	}
	pairs := c.Args[2:]
	var h value.Hash
	if err := create(c, &h); err != nil {
		return 0, err
	}
	reaped, err := reap(c, &h, pairs, 2)
	if err == nil {
		err = h.Prepare(pairs)
	}
	done := 0
	for ; done < len(pairs) && err == nil; done += 2 {
		var isNew bool
		if isNew, err = h.Set(pairs[done], pairs[done+1], value.NoExpiry); isNew {
			added++
		}
	}
	edited(c, &h, done/2, reaped)
	return added, err
}

var _ = Family.Add(command.Spec{
	Name:       "HSETNX",
	Summary:    "Set the value of a hash field, only if the field does not exist",
	Since:      "2.0.0",
	Complexity: "O(1)",
	Syntax:     "key field value",
	Arity:      4,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Insert),
	Run:        setNX,
})

func setNX(c *command.Ctx) error {
	var h value.Hash
	if err := create(c, &h); err != nil {
		return err
	}
	n, field := 0, c.Args[2]
	reaped, err := reap(c, &h, c.Args[2:3], 1)
	if err == nil {
		if _, _, exists := h.Get(field); !exists {
			n = 1
			_, err = h.Set(field, c.Args[3], value.NoExpiry)
		}
	}
	edited(c, &h, n, reaped)
	if err == nil {
		c.Out.OneIf(n == 1)
	}
	return err
}

var (
	errNotInteger = resp.Errorf("hash value is not an integer")
	errNotFloat   = resp.Errorf("hash value is not a float")
	errOverflow   = resp.Errorf("increment or decrement would overflow")
	errInfinite   = resp.Errorf("value is NaN or Infinity")
	errNaNOrInf   = resp.Errorf("increment would produce NaN or Infinity")
)

var _ = Family.Add(command.Spec{
	Name:       "HINCRBY",
	Summary:    "Increment the integer value of a hash field by the given number",
	Since:      "2.0.0",
	Complexity: "O(1)",
	Syntax:     "key field increment:integer",
	Arity:      4,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        incrBy,
})

// incrBy leaves the field's expiry as it is.
func incrBy(c *command.Ctx) error {
	by, err := c.Args.Int(3)
	if err != nil {
		return err
	}
	var h value.Hash
	if err := create(c, &h); err != nil {
		return err
	}
	n := 0
	reaped, err := reap(c, &h, c.Args[2:3], 1)
	var sum int64
	if err == nil {
		sum, err = plus(&h, c.Args[2], by)
	}
	if err == nil {
		n = 1
		var digits [numtext.MaxIntLen]byte
		_, err = h.Set(c.Args[2], numtext.AppendInt(digits[:0], sum), value.KeepExpiry)
	}
	edited(c, &h, n, reaped)
	if err == nil {
		c.Out.Int(sum)
	}
	return err
}

// plus is the sum of a field, 0 if it is not there, and a number.
func plus(h *value.Hash, field []byte, by int64) (sum int64, err error) {
	text, v, _ := h.Get(field)
	if text != nil {
		var ok bool
		if v, ok = numtext.ParseInt(text); !ok {
			return 0, errNotInteger
		}
	}
	if by < 0 && v < math.MinInt64-by || by > 0 && v > math.MaxInt64-by {
		return 0, errOverflow
	}
	return v + by, nil
}

var _ = Family.Add(command.Spec{
	Name:       "HINCRBYFLOAT",
	Summary:    "Increment the float value of a hash field by the given amount",
	Since:      "2.6.0",
	Complexity: "O(1)",
	Syntax:     "key field increment:double",
	Arity:      4,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        incrByFloat,
})

// incrByFloat journals the sum: other processors would compute another one. HSET would
// end the field's expiry, so a field that has one is journalled as HSETEX, which Redis 8
// and Valkey 9 know.
func incrByFloat(c *command.Ctx) error {
	by, ok := numtext.ParseLongDouble(c.Args[3])
	switch {
	case !ok:
		return resp.ErrNotFloat
	case by.IsNaNOrInf():
		return errInfinite
	}
	var h value.Hash
	if err := create(c, &h); err != nil {
		return err
	}
	n := 0
	reaped, err := reap(c, &h, c.Args[2:3], 1)
	var sum []byte
	_, _, expiry, _ := h.Lookup(c.Args[2])
	if err == nil {
		sum, err = plusFloat(&h, c.Args[2], by)
	}
	if err == nil {
		n = 1
		_, err = h.Set(c.Args[2], sum, value.KeepExpiry)
	}
	edited(c, &h, n, reaped)
	if err != nil {
		return err
	}
	switch {
	case !c.Journaling():
	case expiry >= 0:
		c.JournalAs(wordHSetEx, c.Args[1], wordKeepTTL, wordFields, wordOne, c.Args[2], sum)
	default:
		c.JournalAs(wordHSet, c.Args[1], c.Args[2], sum)
	}
	c.Out.Bulk(sum)
	return nil
}

func plusFloat(h *value.Hash, field []byte, by numtext.LongDouble) (sum []byte, err error) {
	text, v, exists := h.Get(field)
	x := numtext.LongDoubleOf(v)
	if exists && text != nil {
		var ok bool
		if x, ok = numtext.ParseLongDouble(text); !ok {
			return nil, errNotFloat
		}
	}
	x = x.Add(by)
	if x.IsNaNOrInf() {
		return nil, errNaNOrInf
	}
	return x.AppendHuman(nil), nil
}
