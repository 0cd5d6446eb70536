package hashcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// exSyntax is the times that HGETEX and HSETEX take.
const exSyntax = "EX=seconds:integer|PX=milliseconds:integer|EXAT=unix-time-seconds:unix-time|" +
	"PXAT=unix-time-milliseconds:unix-time"

var (
	errOneOfPersist = resp.Errorf("Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified")
	errOneOfKeepTTL = resp.Errorf("Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")
	errOneOfFields  = resp.Errorf("Only one of FXX or FNX arguments can be specified")
	errOneOfKey     = resp.Errorf("Only one of XX or NX arguments can be specified")
	errMissingTime  = resp.Errorf("missing expire time")
	errFieldsNumber = resp.Errorf("invalid number of fields")
)

// What is asked of the key or of the fields before HSETEX sets them.
type presence uint8

const (
	anyway presence = iota
	ifAbsent
	ifPresent
)

// exOptions are the words of HGETEX and HSETEX. at is a time, or value.NoExpiry or
// value.KeepExpiry.
type exOptions struct {
	at          int64
	given       bool // a time, PERSIST or KEEPTTL
	key, fields presence
	rest        [][]byte // what FIELDS announces
}

// parseEx reads the words from argument 2 on, for HSETEX if sets. Valkey 9.1 also knows NX
// and XX there, which ask for the key.
func parseEx(c *command.Ctx, sets bool) (o exOptions, err error) {
	per, width := errOneOfPersist, 1
	o.at = value.KeepExpiry // what HGETEX does without a word
	if sets {
		per, width, o.at = errOneOfKeepTTL, 2, value.NoExpiry
	}
	args := c.Args
	for i := 2; i < len(args); i++ {
		base, unit := int64(0), int64(0)
		switch {
		case args.Is(i, "FIELDS"):
			o.rest, err = exFields(c, i, width)
			return o, err
		case args.Is(i, "EX"):
			base, unit = int64(c.DB.Now), second
		case args.Is(i, "PX"):
			base, unit = int64(c.DB.Now), millisecond
		case args.Is(i, "EXAT"):
			unit = second
		case args.Is(i, "PXAT"):
			unit = millisecond
		case !sets && args.Is(i, "PERSIST"):
			o.at, err = value.NoExpiry, o.give(per)
		case sets && args.Is(i, "KEEPTTL"):
			o.at, err = value.KeepExpiry, o.give(per)
		case sets && args.Is(i, "FNX"):
			err = o.fields.ask(ifAbsent, errOneOfFields)
		case sets && args.Is(i, "FXX"):
			err = o.fields.ask(ifPresent, errOneOfFields)
		case sets && args.Is(i, "NX"):
			err = o.key.ask(ifAbsent, errOneOfKey)
		case sets && args.Is(i, "XX"):
			err = o.key.ask(ifPresent, errOneOfKey)
		default:
			return o, resp.Errorf("unknown argument: " + string(args[i]))
		}
		if unit > 0 && err == nil {
			err = o.give(per)
			if i++; err == nil {
				o.at, err = exTime(c, i, base, unit)
			}
		}
		if err != nil {
			return o, err
		}
	}
	return o, resp.WrongArity(c.Name())
}

func (o *exOptions) give(per error) error {
	if o.given {
		return per
	}
	o.given = true
	return nil
}

func (e *presence) ask(what presence, one error) error {
	if *e != anyway {
		return one
	}
	*e = what
	return nil
}

func exTime(c *command.Ctx, i int, base, unit int64) (int64, error) {
	if i >= len(c.Args) {
		return 0, errMissingTime
	}
	return timeAt(c, i, base, unit)
}

// exFields is the arguments behind FIELDS at argument i, width of them for a field.
func exFields(c *command.Ctx, i, width int) ([][]byte, error) {
	if i+1+width >= len(c.Args) {
		return nil, resp.WrongArity(c.Name())
	}
	n, ok := numtext.ParseInt(c.Args[i+1])
	rest := c.Args[i+2:]
	switch {
	case !ok || n < 1:
		return nil, errFieldsNumber
	case n > int64(len(rest)) || int(n)*width != len(rest):
		return nil, resp.WrongArity(c.Name())
	}
	return rest, nil
}

var _ = Family.Add(command.Spec{
	Name:       "HGETEX",
	Summary:    "Get the value of one or more fields of a given hash key, and optionally set their expiration.",
	Since:      "8.0.0",
	Complexity: "O(N) where N is the number of specified fields.",
	Syntax:     "key [expiration=(" + exSyntax + "|PERSIST)] FIELDS=fields={numfields:integer field...}",
	Arity:      -5,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatHash,
	Keys: []command.KeySpec{{Flags: command.RW | command.Access | command.Update, Index: 1, Step: 1,
		Notes: "RW and UPDATE because it changes the TTL"}},
	Run: getEx,
})

// getEx replies with each field before it changes it. It is journalled as what it changes.
func getEx(c *command.Ctx) error {
	o, err := parseEx(c, false)
	if err != nil {
		return err
	}
	var h value.Hash
	ok, err := edit(c, &h)
	if err != nil {
		return err
	}
	if !ok {
		nulls(c, len(o.rest))
		return nil
	}
	var ch change
	reaped, err := reap(c, &h, o.rest, 1)
	c.Out.Array(len(o.rest))
	for i := 0; i < len(o.rest) && err == nil; i++ {
		text, v, old, exists := h.Lookup(o.rest[i])
		if !exists {
			c.Out.Null()
			continue
		}
		c.Out.Element(text, v)
		switch {
		case o.at >= 0:
			_, err = ch.expireField(c, &h, o.rest[i], o.at)
		case o.at == value.NoExpiry && old >= 0:
			if _, err = h.SetExpiry(o.rest[i], value.NoExpiry); err == nil {
				ch.n++
				if c.Journaling() {
					ch.kept = append(ch.kept, o.rest[i])
				}
			}
		}
	}
	if o.at >= 0 {
		ch.journal(c, o.at)
	} else if len(ch.kept) > 0 {
		journalFields(c, ch.kept, wordHPersist, c.Args[1])
	}
	edited(c, &h, ch.n, reaped)
	return err
}

var _ = Family.Add(command.Spec{
	Name:       "HSETEX",
	Summary:    "Set the value of one or more fields of a given hash key, and optionally set their expiration.",
	Since:      "8.0.0",
	Complexity: "O(N) where N is the number of fields being set.",
	Syntax: "key [condition=(FNX|FXX)] [expiration=(" + exSyntax + "|KEEPTTL)] " +
		"FIELDS=fields={numfields:integer data={field value}...}",
	Arity: -6,
	Flags: command.Write | command.DenyOOM | command.Fast,
	ACL:   command.CatHash,
	Keys:  command.OneKey(1, command.RW|command.Update),
	Run:   setEx,
})

// setEx sets all of the fields or none. With a time that has come they are removed.
func setEx(c *command.Ctx) error {
	o, err := parseEx(c, true)
	if err != nil {
		return err
	}
	var h value.Hash
	ok, err := edit(c, &h)
	if err != nil {
		return err
	}
	past := o.at >= 0 && c.DB.Past(o.at)
	switch {
	case ok:
	case o.key == ifPresent || o.fields == ifPresent:
		c.Out.Int(0)
		return nil
	case past:
		c.Out.Int(1)
		return nil
	default:
		cell, err := c.DB.Fresh(c.DB.DB, c.Args[1], record.Hash, keyspace.NoTTL)
		if err != nil {
			return err
		}
		h.Open(cell, c.DB.FieldsNow())
	}
	n, set := 0, false
	reaped, err := reap(c, &h, o.rest, 2)
	if err == nil && !(ok && o.key == ifAbsent) && o.meets(&h) {
		set = true
		n, err = setFields(c, &h, &o, past)
	}
	edited(c, &h, n, reaped)
	if err == nil {
		c.Out.OneIf(set)
	}
	return err
}

// meets says whether the fields are as FNX or FXX want them.
func (o *exOptions) meets(h *value.Hash) bool {
	for i := 0; i < len(o.rest) && o.fields != anyway; i += 2 {
		if _, _, exists := h.Get(o.rest[i]); exists != (o.fields == ifPresent) {
			return false
		}
	}
	return true
}

// setFields sets or removes the fields, and journals that.
func setFields(c *command.Ctx, h *value.Hash, o *exOptions, past bool) (n int, err error) {
	var deleted [][]byte
	if !past {
		err = h.Prepare(o.rest)
	}
	for i := 0; i < len(o.rest) && err == nil; i += 2 {
		if !past {
			if _, err = h.Set(o.rest[i], o.rest[i+1], o.at); err == nil {
				n++
			}
			continue
		}
		var found bool
		if found, err = h.Delete(o.rest[i]); found && err == nil {
			n++
			if c.Journaling() {
				deleted = append(deleted, o.rest[i])
			}
		}
	}
	switch {
	case !c.Journaling():
	case past:
		journalDeleted(c, deleted)
	case o.at == value.NoExpiry:
		c.JournalAs(append([][]byte{wordHSet, c.Args[1]}, o.rest...)...)
	default:
		args := [][]byte{wordHSetEx, c.Args[1]}
		if o.at == value.KeepExpiry {
			args = append(args, wordKeepTTL)
		} else {
			args = append(args, wordPXAT, numtext.AppendInt(nil, o.at))
		}
		args = append(args, wordFields, numtext.AppendInt(nil, int64(len(o.rest)/2)))
		c.JournalAs(append(args, o.rest...)...)
	}
	return n, err
}
