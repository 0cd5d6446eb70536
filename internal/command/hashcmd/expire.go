package hashcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

const expireSyntax = " [condition=(NX|XX|GT|LT)] FIELDS=fields={numfields:integer field...}"

var _ = Family.Add(command.Spec{
	Name:       "HEXPIRE",
	Summary:    "Set expiry for hash field using relative time to expire (seconds)",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key seconds:integer" + expireSyntax,
	Arity:      -6,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, int64(c.DB.Now), second) },
})

var _ = Family.Add(command.Spec{
	Name:       "HPEXPIRE",
	Summary:    "Set expiry for hash field using relative time to expire (milliseconds)",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key milliseconds:integer" + expireSyntax,
	Arity:      -6,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, int64(c.DB.Now), millisecond) },
})

var _ = Family.Add(command.Spec{
	Name:       "HEXPIREAT",
	Summary:    "Set expiry for hash field using an absolute Unix timestamp (seconds)",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key unix-time-seconds:unix-time" + expireSyntax,
	Arity:      -6,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, 0, second) },
})

var _ = Family.Add(command.Spec{
	Name:       "HPEXPIREAT",
	Summary:    "Set expiry for hash field using an absolute Unix timestamp (milliseconds)",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key unix-time-milliseconds:unix-time" + expireSyntax,
	Arity:      -6,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        func(c *command.Ctx) error { return expire(c, 0, millisecond) },
})

// Units of time, in milliseconds.
const (
	millisecond = 1
	second      = 1000
)

// latest is the last time at which a field may expire, in milliseconds. It is Redis's, in
// whose files there are no more bits for it.
const latest = 1<<46 - 1

var (
	errNoFields   = resp.Errorf("Mandatory argument FIELDS is missing or not at the right position")
	errNumFields  = resp.Errorf("Parameter `numFields` should be greater than 0")
	errFieldCount = resp.Errorf("Number of fields must be a positive integer")
	errFieldsDiff = resp.Errorf("The `numfields` parameter must match the number of arguments")
	errNegative   = resp.Errorf("invalid expire time, must be >= 0")
)

// fieldsAt is the fields that the word FIELDS and their number at argument i announce. They
// are the rest of the arguments.
func fieldsAt(args command.Args, i int, notPositive error) ([][]byte, error) {
	if i+1 >= len(args) || !args.Is(i, "FIELDS") {
		return nil, errNoFields
	}
	n, ok := numtext.ParseInt(args[i+1])
	switch {
	case !ok || n < 1:
		return nil, notPositive
	case n != int64(len(args)-i-2):
		return nil, errFieldsDiff
	}
	return args[i+2:], nil
}

// timeAt is argument i as a time in milliseconds since the epoch, counted in units from a
// base.
func timeAt(c *command.Ctx, i int, base, unit int64) (at int64, err error) {
	n, err := c.Args.Int(i)
	switch {
	case err != nil:
		return 0, err
	case n < 0:
		return 0, errNegative
	case n > latest/unit || n*unit > latest-base:
		return 0, resp.InvalidExpire(c.Name())
	}
	return n*unit + base, nil
}

// A change is what a command does to the expiries of fields, for the journal.
type change struct {
	n             int      // fields that were changed
	deleted, kept [][]byte // if it is journalled: fields that were past, and the others
}

// expireField makes a field expire at a time, which removes it if that has come.
func (ch *change) expireField(c *command.Ctx, h *value.Hash, field []byte, at int64) (past bool, err error) {
	past = c.DB.Past(at)
	if past {
		_, err = h.Delete(field)
	} else {
		_, err = h.SetExpiry(field, at)
	}
	if err != nil {
		return past, err
	}
	ch.n++
	switch {
	case !c.Journaling():
	case past:
		ch.deleted = append(ch.deleted, field)
	default:
		ch.kept = append(ch.kept, field)
	}
	return past, nil
}

// journal journals the change as HDEL of what is gone and HPEXPIREAT of the others.
func (ch *change) journal(c *command.Ctx, at int64) {
	journalDeleted(c, ch.deleted)
	if len(ch.kept) > 0 {
		journalFields(c, ch.kept, wordHPExpireAt, c.Args[1], numtext.AppendInt(nil, at))
	}
}

// journalFields journals a command that ends with FIELDS.
func journalFields(c *command.Ctx, fields [][]byte, head ...[]byte) {
	args := append(head, wordFields, numtext.AppendInt(nil, int64(len(fields))))
	c.JournalAs(append(args, fields...)...)
}

// expire makes fields expire at argument 2, counted in units from base. A key that is not
// there is a hash without fields.
func expire(c *command.Ctx, base, unit int64) error {
	var h value.Hash
	ok, err := edit(c, &h)
	if err != nil {
		return err
	}
	at, err := timeAt(c, 2, base, unit)
	if err != nil {
		return err
	}
	// Redis knows one word, Valkey also XX with GT or LT, which means the same in both.
	cond, next := c.Args.ExpiryCondition(3)
	if next < len(c.Args) {
		if err := cond.Check(); err != nil {
			return err
		}
	}
	fields, err := fieldsAt(c.Args, next, errNumFields)
	if err != nil {
		return err
	}
	c.Out.Array(len(fields))
	if !ok {
		for range fields {
			c.Out.Int(replyNoField)
		}
		return nil
	}
	var ch change
	reaped, err := reap(c, &h, fields, 1)
	for i := 0; i < len(fields) && err == nil; i++ {
		var past bool
		_, _, old, exists := h.Lookup(fields[i])
		switch {
		case !exists:
			c.Out.Int(replyNoField)
		case !cond.Allows(old, at):
			c.Out.Int(replyUnmet)
		default:
			if past, err = ch.expireField(c, &h, fields[i], at); past {
				c.Out.Int(replyDeleted)
			} else {
				c.Out.Int(replyDone)
			}
		}
	}
	ch.journal(c, at)
	edited(c, &h, ch.n, reaped)
	return err
}

var _ = Family.Add(command.Spec{
	Name:       "HPERSIST",
	Summary:    "Removes the expiration time for each specified field",
	Since:      "7.4.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key FIELDS=fields={numfields:integer field...}",
	Arity:      -5,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RW|command.Update),
	Run:        persist,
})

func persist(c *command.Ctx) error {
	var h value.Hash
	ok, err := edit(c, &h)
	if err != nil {
		return err
	}
	fields, err := fieldsAt(c.Args, 2, errFieldCount)
	if err != nil {
		return err
	}
	c.Out.Array(len(fields))
	if !ok {
		for range fields {
			c.Out.Int(replyNoField)
		}
		return nil
	}
	n := 0
	reaped, err := reap(c, &h, fields, 1)
	for i := 0; i < len(fields) && err == nil; i++ {
		_, _, old, exists := h.Lookup(fields[i])
		switch {
		case !exists:
			c.Out.Int(replyNoField)
		case old < 0:
			c.Out.Int(replyNoTTL)
		default:
			if _, err = h.SetExpiry(fields[i], value.NoExpiry); err == nil {
				n++
			}
			c.Out.Int(replyDone)
		}
	}
	edited(c, &h, n, reaped)
	return err
}
