package keycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
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
	cond, err := conditions(c)
	if err != nil {
		return err
	}
	when, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	at, ok := absolute(when, base, unit)
	if !ok {
		return invalidExpire(c)
	}
	key := c.Args[1]
	access(c, key)
	old, ok := c.DB.Expiry(key)
	if !ok || !cond.allow(old, at) {
		c.Out.Int(0)
		return nil
	}
	if at <= int64(c.Now) {
		c.DB.Delete(key)
		removed(c, key)
		c.Out.Int(1)
		return nil
	}
	if _, err := c.DB.SetExpiry(key, at); err != nil {
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

func invalidExpire(c *command.Ctx) error {
	return resp.Errorf("invalid expire time in '" + c.Name() + "' command")
}

// A condition is what must be true of the old expiry. Several may be asked for.
type condition uint8

const (
	ifNone    condition = 1 << iota // NX
	ifAny                           // XX
	ifLater                         // GT
	ifEarlier                       // LT
)

var (
	errNXAndOthers = &resp.Error{Code: "ERR",
		Text: "NX and XX, GT or LT options at the same time are not compatible"}
	errGTAndLT = &resp.Error{Code: "ERR", Text: "GT and LT options at the same time are not compatible"}
)

// conditions reads the options from argument 3 on.
func conditions(c *command.Ctx) (cond condition, err error) {
	for i := 3; i < len(c.Args); i++ {
		switch {
		case c.Args.Is(i, "NX"):
			cond |= ifNone
		case c.Args.Is(i, "XX"):
			cond |= ifAny
		case c.Args.Is(i, "GT"):
			cond |= ifLater
		case c.Args.Is(i, "LT"):
			cond |= ifEarlier
		default:
			return 0, resp.Errorf("Unsupported option " + string(c.Args[i]))
		}
	}
	switch {
	case cond&ifNone != 0 && cond != ifNone:
		return 0, errNXAndOthers
	case cond&ifLater != 0 && cond&ifEarlier != 0:
		return 0, errGTAndLT
	}
	return cond, nil
}

// allow says whether the expiry may change from old to at. A key that does not expire
// lives longest: no expiry is later than that, and any is earlier.
func (cond condition) allow(old, at int64) bool {
	none := old == keyspace.NoTTL
	switch {
	case cond&ifNone != 0 && !none,
		cond&ifAny != 0 && none,
		cond&ifLater != 0 && (none || at <= old),
		cond&ifEarlier != 0 && !none && at >= old:
		return false
	}
	return true
}
