package stringcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
)

var _ = Family.Add(command.Spec{
	Name:       "SET",
	Summary:    "Set the string value of a key",
	Since:      "1.0.0",
	Complexity: "O(1)",
	History: [][2]string{
		{"2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."},
		{"6.0.0", "Added the `KEEPTTL` option."},
		{"6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."},
		{"7.0.0", "Allowed the `NX` and `GET` options to be used together."},
		{"8.4.0", "Added the `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE` options."},
	},
	Syntax: "key value " +
		"[condition=(NX|XX|IFEQ=ifeq-value{since 8.4.0}|IFNE=ifne-value{since 8.4.0}|" +
		"IFDEQ=ifdeq-digest{since 8.4.0}|IFDNE=ifdne-digest{since 8.4.0}){since 2.6.12}] [GET{since 6.2.0}] " +
		"[expiration=(EX=seconds:integer{since 2.6.12}|PX=milliseconds:integer{since 2.6.12}|" +
		"EXAT=unix-time-seconds:unix-time{since 6.2.0}|PXAT=unix-time-milliseconds:unix-time{since 6.2.0}|" +
		"KEEPTTL{since 6.0.0})]",
	Arity: -3,
	Flags: command.Write | command.DenyOOM | command.Quick,
	ACL:   command.CatString,
	Keys: []command.KeySpec{{Flags: command.RW | command.Access | command.Update | command.VariableFlags,
		Index: 1, Step: 1, Notes: "RW and ACCESS due to the optional `GET` argument"}},
	CallFlags: setFlags,
	Run:       set,
}, none)

// setFlags says whether a call tells the old value.
func setFlags(args command.Args) command.KeyFlags {
	for i := 3; i < len(args); i++ {
		if args.Is(i, "GET") {
			return command.RW | command.Access | command.Update
		}
	}
	return command.OW | command.Update
}

func set(c *command.Ctx) error {
	if len(c.Args) > 3 {
		return setWithOptions(c)
	}
	if err := c.DB.SetString(c.Args[1], c.Args[2], keyspace.NoTTL); err != nil {
		return err
	}
	c.Out.OK()
	return nil
}

// setWithOptions replies with the old value if GET asks for it, whether it sets the key
// or not, and otherwise with OK or nothing.
func setWithOptions(c *command.Ctx) error {
	key, value := c.Args[1], c.Args[2]
	o, err := parseOptions(c.Args, 3, forSet)
	if err != nil {
		return err
	}
	at, err := o.expiry(c)
	if err != nil {
		return err
	}
	getting := o.set&optGet != 0
	if getting {
		if err := replyOld(c, key); err != nil {
			return err
		}
	}
	ok, err := o.hold(c, key)
	switch {
	case err != nil:
		return err
	case !ok && getting:
		return nil
	case !ok:
		c.Out.Null()
		return nil
	}
	if err := c.DB.SetString(key, value, at); err != nil {
		return err
	}
	if c.Journaling() {
		o.journalSet(c, at)
	}
	if !getting {
		c.Out.OK()
	}
	return nil
}

func replyOld(c *command.Ctx, key []byte) error {
	old, err := c.DB.String(key)
	if err != nil {
		return err
	}
	if old.Exists() {
		replyCopied(c, &old)
	} else {
		c.Out.Null()
	}
	return nil
}

// hold says whether the conditions for a key hold.
func (o *options) hold(c *command.Ctx, key []byte) (bool, error) {
	switch {
	case o.set&optNX != 0:
		return !c.DB.Exists(key), nil
	case o.set&optXX != 0:
		return c.DB.Exists(key), nil
	case o.set&comparisons != 0:
		s, err := c.DB.PeekString(key)
		if err != nil {
			return false, err
		}
		return compare(&s, o.set&comparisons, c.Args[o.operand])
	default:
		return true, nil
	}
}

// journalSet journals a SET that was done: with an absolute time, and without what
// only mattered for the reply or was decided here by comparing.
func (o *options) journalSet(c *command.Ctx, at int64) {
	switch {
	case at >= 0:
		c.JournalAs(wordSet, c.Args[1], c.Args[2], wordPXAT, decimal(at))
	case o.set&(optGet|comparisons) != 0:
		kept := append(make([][]byte, 0, len(c.Args)), c.Args[:3]...)
		for i := 3; i < len(c.Args); i++ {
			switch w := word(c.Args[i]); {
			case w == optGet:
			case w&comparisons != 0:
				i++
			default:
				kept = append(kept, c.Args[i])
			}
		}
		c.JournalAs(kept...)
	}
}

var _ = Family.Add(command.Spec{
	Name:       "SETNX",
	Summary:    "Set the value of a key, only if the key does not exist",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key value",
	Arity:      3,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.OW|command.Insert),
	Run:        setNX,
}, none)

func setNX(c *command.Ctx) error {
	if c.DB.Exists(c.Args[1]) {
		c.Out.Int(0)
		return nil
	}
	if err := c.DB.SetString(c.Args[1], c.Args[2], keyspace.NoTTL); err != nil {
		return err
	}
	c.Out.Int(1)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SETEX",
	Summary:    "Set the value and expiration of a key",
	Since:      "2.0.0",
	Complexity: "O(1)",
	Syntax:     "key seconds:integer value",
	Arity:      4,
	Flags:      command.Write | command.DenyOOM | command.Quick,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.OW|command.Update),
	Run:        func(c *command.Ctx) error { return setFor(c, optEX) },
}, none)

var _ = Family.Add(command.Spec{
	Name:       "PSETEX",
	Summary:    "Set the value and expiration in milliseconds of a key",
	Since:      "2.6.0",
	Complexity: "O(1)",
	Syntax:     "key milliseconds:integer value",
	Arity:      4,
	Flags:      command.Write | command.DenyOOM | command.Quick,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.OW|command.Update),
	Run:        func(c *command.Ctx) error { return setFor(c, optPX) },
}, none)

// setFor sets a key for a time in a unit.
func setFor(c *command.Ctx, unit option) error {
	key, value := c.Args[1], c.Args[3]
	at, err := deadline(c, 2, unit)
	if err != nil {
		return err
	}
	if err := c.DB.SetString(key, value, at); err != nil {
		return err
	}
	if c.Journaling() {
		c.JournalAs(wordSet, key, value, wordPXAT, decimal(at))
	}
	c.Out.OK()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "GETSET",
	Summary:    "Set the string value of a key and return its old value",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Deprecated: "6.2.0",
	ReplacedBy: "`SET` with the `!GET` argument",
	Syntax:     "key value",
	Arity:      3,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        getSet,
}, none)

func getSet(c *command.Ctx) error {
	key, value := c.Args[1], c.Args[2]
	if err := replyOld(c, key); err != nil {
		return err
	}
	if err := c.DB.SetString(key, value, keyspace.NoTTL); err != nil {
		return err
	}
	if c.Journaling() {
		c.JournalAs(wordSet, key, value)
	}
	return nil
}
