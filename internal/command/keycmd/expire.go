package keycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// expireHistory is what all commands that give a key an expiry have in common.
var expireHistory = [][2]string{{"7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."}}

var _ = Family.Add(command.Spec{
	Name:       "EXPIRE",
	Summary:    "Set a key's time to live in seconds",
	Since:      "1.0.0",
	Complexity: "O(1)",
	History:    expireHistory,
	Syntax:     "key seconds:integer [condition=(NX|XX|GT|LT){since 7.0.0}]",
	Arity:      -3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, c.Now, second) },
})

var _ = Family.Add(command.Spec{
	Name:       "PEXPIRE",
	Summary:    "Set a key's time to live in milliseconds",
	Since:      "2.6.0",
	Complexity: "O(1)",
	History:    expireHistory,
	Syntax:     "key milliseconds:integer [condition=(NX|XX|GT|LT){since 7.0.0}]",
	Arity:      -3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, c.Now, millisecond) },
})

var _ = Family.Add(command.Spec{
	Name:       "EXPIREAT",
	Summary:    "Set the expiration for a key as a UNIX timestamp",
	Since:      "1.2.0",
	Complexity: "O(1)",
	History:    expireHistory,
	Syntax:     "key unix-time-seconds:unix-time [condition=(NX|XX|GT|LT){since 7.0.0}]",
	Arity:      -3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, epoch, second) },
})

var _ = Family.Add(command.Spec{
	Name:       "PEXPIREAT",
	Summary:    "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
	Since:      "2.6.0",
	Complexity: "O(1)",
	History:    expireHistory,
	Syntax:     "key unix-time-milliseconds:unix-time [condition=(NX|XX|GT|LT){since 7.0.0}]",
	Arity:      -3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, epoch, millisecond) },
})

// What times are counted from, and their units in milliseconds.
const (
	epoch clock.Millis = 0

	millisecond = 1
	second      = 1000
)

// expire makes a key expire at argument 2, counted in units from base. A time that is
// over removes the key at once.
//
// Options and the number are looked at before the key, so that a wrong call is an error
// whether or not the key is there.
func expire(c *command.Ctx, base clock.Millis, unit int64) error {
	cond, next := c.Args.ExpiryCondition(3)
	if next < len(c.Args) {
		return resp.Errorf("Unsupported option " + string(c.Args[next]))
	}
	if err := cond.Check(); err != nil {
		return err
	}
	when, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	at, ok := absolute(when, base, unit)
	if !ok {
		return resp.InvalidExpire(c.Name())
	}
	key := c.Args[1]
	access(c, key)
	old, ok := c.DB.Expiry(key)
	if !ok || !cond.Allows(old, at) {
		c.Out.Int(0)
		return nil
	}
	if c.DB.Past(at) {
		c.DB.Delete(key)
		removed(c, key)
		c.Out.Int(1)
		return nil
	}
	if _, err := c.DB.SetExpiry(key, max(at, 0)); err != nil {
		return err
	}
	if c.Journaling() {
		c.JournalAs(wordPExpireAt, key, numtext.AppendInt(nil, at))
	}
	c.Out.Int(1)
	return nil
}

// absolute is the time in milliseconds since the epoch; ok is false if 64 bits do not
// hold it.
func absolute(when int64, base clock.Millis, unit int64) (at int64, ok bool) {
	if when > math.MaxInt64/unit || when < math.MinInt64/unit {
		return 0, false
	}
	when *= unit
	if when > math.MaxInt64-int64(base) {
		return 0, false
	}
	return when + int64(base), true
}
