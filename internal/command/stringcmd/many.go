package stringcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errNumKeys = resp.Errorf("invalid numkeys value")
	errPairs   = resp.Errorf("wrong number of key-value pairs")
)

var _ = Family.Add(command.Spec{
	Name:       "MSET",
	Summary:    "Set multiple keys to multiple values",
	Since:      "1.0.1",
	Complexity: "O(N) where N is the number of keys to set.",
	Syntax:     "key_value={key value}...",
	Arity:      -3,
	Flags:      command.Write | command.DenyOOM | command.Quick,
	ACL:        command.CatString,
	Keys:       command.KeyRange(1, -1, 2, command.OW|command.Update),
	Tips:       []string{"request_policy:multi_shard", "response_policy:all_succeeded"},
	Run:        mset,
}, none)

func mset(c *command.Ctx) error {
	if len(c.Args)%2 == 0 {
		return resp.WrongArity(c.Name())
	}
	if err := setAll(c); err != nil {
		return err
	}
	c.Out.OK()
	return nil
}

// setAll sets the pairs from argument 1 on. If the memory ends in the middle, the pairs
// that were set are journalled, and nothing else.
func setAll(c *command.Ctx) error {
	for i := 1; i < len(c.Args); i += 2 {
		if err := c.DB.SetString(c.Args[i], c.Args[i+1], keyspace.NoTTL); err != nil {
			if i > 1 && c.Journaling() {
				c.JournalAs(c.Args[:i]...)
			}
			return err
		}
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "MSETNX",
	Summary:    "Set multiple keys to multiple values, only if none of the keys exist",
	Since:      "1.0.1",
	Complexity: "O(N) where N is the number of keys to set.",
	Syntax:     "key_value={key value}...",
	Arity:      -3,
	Flags:      command.Write | command.DenyOOM | command.Quick,
	ACL:        command.CatString,
	Keys:       command.KeyRange(1, -1, 2, command.OW|command.Insert),
	Tips:       []string{"request_policy:multi_shard", "response_policy:agg_min"},
	Run:        msetNX,
}, none)

// msetNX sets all keys or none. A key that is given twice gets its last value.
func msetNX(c *command.Ctx) error {
	if len(c.Args)%2 == 0 {
		return resp.WrongArity(c.Name())
	}
	for i := 1; i < len(c.Args); i += 2 {
		if c.DB.Exists(c.Args[i]) {
			c.Out.Int(0)
			return nil
		}
	}
	if err := setAll(c); err != nil {
		return err
	}
	c.Out.Int(1)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "MSETEX",
	Summary:    "Atomically sets multiple string keys with a shared expiration in a single operation.",
	Since:      "8.4.0",
	Complexity: "O(N) where N is the number of keys to set.",
	Syntax: "numkeys:integer data={key value}... [condition=(NX|XX)] " +
		"[expiration=(EX=seconds:integer|PX=milliseconds:integer|EXAT=unix-time-seconds:unix-time|" +
		"PXAT=unix-time-milliseconds:unix-time|KEEPTTL)]",
	Arity: -4,
	Flags: command.Write | command.DenyOOM | command.MovableKeys,
	ACL:   command.CatString,
	Keys: []command.KeySpec{{Flags: command.OW | command.Update, Index: 1, KeyNum: true, FirstKey: 1,
		Step: 2}},
	Tips: []string{"request_policy:multi_shard", "response_policy:all_succeeded"},
	Run:  msetEx,
}, none)

func msetEx(c *command.Ctx) error {
	n, ok := numtext.ParseInt(c.Args[1])
	if !ok || n <= 0 || n > math.MaxInt32 {
		return errNumKeys
	}
	if n > int64(len(c.Args)-2)/2 {
		return errPairs
	}
	end := 2 + 2*int(n)
	o, err := parseOptions(c.Args, end, forMSetEx)
	if err != nil {
		return err
	}
	at, err := o.expiry(c)
	if err != nil {
		return err
	}
	for i := 2; i < end; i += 2 {
		if ok, err := o.hold(c, c.Args[i]); !ok || err != nil {
			c.Out.Int(0)
			return err
		}
	}
	for i := 2; i < end; i += 2 {
		if err := c.DB.SetString(c.Args[i], c.Args[i+1], at); err != nil {
			journalPairs(c, i, at)
			return err
		}
	}
	journalPairs(c, end, at)
	c.Out.Int(1)
	return nil
}

// journalPairs journals what MSETEX did with its arguments up to end, in commands that
// older servers know.
func journalPairs(c *command.Ctx, end int, at int64) {
	if !c.Journaling() || end == 2 {
		return
	}
	if at == keyspace.NoTTL {
		c.JournalAs(append(append(make([][]byte, 0, end-1), wordMSet), c.Args[2:end]...)...)
		return
	}
	var when []byte
	if at >= 0 {
		when = decimal(at)
	}
	for i := 2; i < end; i += 2 {
		if at == keyspace.KeepTTL {
			c.JournalAs(wordSet, c.Args[i], c.Args[i+1], wordKeepTTL)
		} else {
			c.JournalAs(wordSet, c.Args[i], c.Args[i+1], wordPXAT, when)
		}
	}
}
