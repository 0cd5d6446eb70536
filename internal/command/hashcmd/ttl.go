package hashcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/value"
)

// Replies for a field in the place of a time, or of what became of it.
const (
	replyNoField = -2
	replyNoTTL   = -1
	replyUnmet   = 0 // the condition
	replyDone    = 1
	replyDeleted = 2 // the time had come already
)

var _ = Family.Add(command.Spec{
	Name:       "HTTL",
	Summary:    "Returns the TTL in seconds of a hash field.",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Tips:       []string{"nondeterministic_output"},
	Syntax:     "key FIELDS=fields={numfields:integer field...}",
	Arity:      -5,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, int64(c.DB.Now), second) },
})

var _ = Family.Add(command.Spec{
	Name:       "HPTTL",
	Summary:    "Returns the TTL in milliseconds of a hash field.",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Tips:       []string{"nondeterministic_output"},
	Syntax:     "key FIELDS=fields={numfields:integer field...}",
	Arity:      -5,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, int64(c.DB.Now), millisecond) },
})

var _ = Family.Add(command.Spec{
	Name:       "HEXPIRETIME",
	Summary:    "Returns the expiration time of a hash field as a Unix timestamp, in seconds.",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key FIELDS=fields={numfields:integer field...}",
	Arity:      -5,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, 0, second) },
})

var _ = Family.Add(command.Spec{
	Name:       "HPEXPIRETIME",
	Summary:    "Returns the expiration time of a hash field as a Unix timestamp, in msec.",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key FIELDS=fields={numfields:integer field...}",
	Arity:      -5,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, 0, millisecond) },
})

// ttl replies with the times at which fields expire, counted from base in units that have
// begun, as Redis does; Valkey's HEXPIRETIME counts those that are over. A key that is not
// there is a hash without fields.
func ttl(c *command.Ctx, base, unit int64) error {
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	fields, err := fieldsAt(c.Args, 2, errFieldCount)
	if err != nil {
		return err
	}
	c.Out.Array(len(fields))
	for _, field := range fields {
		expiry, exists := int64(value.NoExpiry), false
		if ok {
			_, _, expiry, exists = h.Lookup(field)
		}
		switch {
		case !exists:
			c.Out.Int(replyNoField)
		case expiry < 0:
			c.Out.Int(replyNoTTL)
		default:
			left := expiry - base
			c.Out.Int(left/unit + min(left%unit, 1))
		}
	}
	return nil
}
