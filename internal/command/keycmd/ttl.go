package keycmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
)

// Replies of TTL and its kin in the place of a time.
const (
	replyNoTTL = -1
	replyNoKey = -2
)

var ttlHistory = [][2]string{{"2.8.0", "Added the -2 reply."}}

var _ = Family.Add(command.Spec{
	Name:       "TTL",
	Summary:    "Get the time to live for a key in seconds",
	Since:      "1.0.0",
	Complexity: "O(1)",
	History:    ttlHistory,
	Tips:       []string{"nondeterministic_output"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, int64(c.Now), second) },
})

var _ = Family.Add(command.Spec{
	Name:       "PTTL",
	Summary:    "Get the time to live for a key in milliseconds",
	Since:      "2.6.0",
	Complexity: "O(1)",
	History:    ttlHistory,
	Tips:       []string{"nondeterministic_output"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, int64(c.Now), millisecond) },
})

var _ = Family.Add(command.Spec{
	Name:       "EXPIRETIME",
	Summary:    "Get the expiration Unix timestamp for a key",
	Since:      "7.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, 0, second) },
})

var _ = Family.Add(command.Spec{
	Name:       "PEXPIRETIME",
	Summary:    "Get the expiration Unix timestamp for a key in milliseconds",
	Since:      "7.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return ttl(c, 0, millisecond) },
})

// ttl replies with the time at which a key expires, counted from base in units to the
// nearest.
func ttl(c *command.Ctx, base, unit int64) error {
	v, ok := look(c, c.Args[1])
	switch {
	case !ok:
		c.Out.Int(replyNoKey)
	case !v.HasExpiry():
		c.Out.Int(replyNoTTL)
	default:
		left := max(v.Expiry()-base, 0)
		c.Out.Int(left/unit + (left%unit+unit/2)/unit) // left+unit/2 may be too much for 64 bits
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "PERSIST",
	Summary:    "Remove the expiration from a key",
	Since:      "2.2.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        persist,
})

func persist(c *command.Ctx) error {
	key := c.Args[1]
	access(c, key)
	at, ok := c.DB.Expiry(key)
	if ok = ok && at != keyspace.NoTTL; ok {
		if _, err := c.DB.SetExpiry(key, keyspace.NoTTL); err != nil {
			return err
		}
	}
	c.Out.OneIf(ok)
	return nil
}
