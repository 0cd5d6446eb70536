package stringcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
)

var _ = Family.Add(command.Spec{
	Name:       "GET",
	Summary:    "Get the value of a key",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        get,
}, none)

func get(c *command.Ctx) error {
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	if !s.Exists() {
		c.Out.Null()
		return nil
	}
	reply(c, &s)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "MGET",
	Summary:    "Get the values of all the given keys",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the number of keys to retrieve.",
	Syntax:     "key...",
	Arity:      -2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatString,
	Keys:       command.KeyRange(1, -1, 1, command.RO|command.Access),
	Tips:       []string{"request_policy:multi_shard"},
	Run:        mget,
}, none)

// mget answers with nothing for what is no string: one key cannot spoil the others.
func mget(c *command.Ctx) error {
	keys := c.Args[1:]
	c.Out.Array(len(keys))
	for _, key := range keys {
		s, err := c.DB.String(key)
		if err != nil || !s.Exists() {
			c.Out.Null()
			continue
		}
		reply(c, &s)
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "STRLEN",
	Summary:    "Get the length of the value stored in a key",
	Since:      "2.2.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RO),
	Run:        strlen,
}, none)

func strlen(c *command.Ctx) error {
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	c.Out.Int(int64(s.Len()))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "GETDEL",
	Summary:    "Get the value of a key and delete the key",
	Since:      "6.2.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Delete),
	Run:        getDel,
}, none)

func getDel(c *command.Ctx) error {
	key := c.Args[1]
	s, err := c.DB.String(key)
	if err != nil {
		return err
	}
	if !s.Exists() {
		c.Out.Null()
		return nil
	}
	reply(c, &s)
	remove(c, key)
	return nil
}

// remove deletes a key and journals that as what it is.
func remove(c *command.Ctx, key []byte) {
	c.DB.Delete(key)
	if c.Journaling() {
		c.JournalAs(wordDel, key)
	}
}

// expiredBy is the command that removes a key whose time has come.
func expiredBy(c *command.Ctx) []byte {
	if c.DB.Tuning().LazyExpire.Load() {
		return wordUnlink
	}
	return wordDel
}

// Words of journalled commands.
var (
	wordSet       = []byte("SET")
	wordMSet      = []byte("MSET")
	wordPXAT      = []byte("PXAT")
	wordKeepTTL   = []byte("KEEPTTL")
	wordDel       = []byte("DEL")
	wordUnlink    = []byte("UNLINK")
	wordPExpireAt = []byte("PEXPIREAT")
	wordPersist   = []byte("PERSIST")
)

var _ = Family.Add(command.Spec{
	Name:       "GETEX",
	Summary:    "Get the value of a key and optionally set its expiration",
	Since:      "6.2.0",
	Complexity: "O(1)",
	Syntax: "key [expiration=(EX=seconds:integer|PX=milliseconds:integer|EXAT=unix-time-seconds:unix-time|" +
		"PXAT=unix-time-milliseconds:unix-time|PERSIST)]",
	Arity: -2,
	Flags: command.Write | command.Fast,
	ACL:   command.CatString,
	Keys: []command.KeySpec{{Flags: command.RW | command.Access | command.Update, Index: 1, Step: 1,
		Notes: "RW and UPDATE because it changes the TTL"}},
	Run: getEx,
}, none)

// getEx changes the key before it replies, because a lent reply cannot be taken back.
// A time in the past, which only the absolute options can mean, deletes the key.
func getEx(c *command.Ctx) error {
	o, err := parseOptions(c.Args, 2, expiries|optPersist)
	if err != nil {
		return err
	}
	key := c.Args[1]
	s, err := c.DB.String(key)
	if err != nil {
		return err
	}
	if !s.Exists() {
		c.Out.Null()
		return nil
	}
	at, err := o.expiry(c)
	if err != nil {
		return err
	}
	switch {
	case at >= 0 && c.DB.Past(at):
		reply(c, &s)
		c.DB.Delete(key)
		if c.Journaling() {
			c.JournalAs(expiredBy(c), key)
		}
		return nil
	case at >= 0:
		if _, err := c.DB.SetExpiry(key, at); err != nil {
			return err
		}
		if c.Journaling() {
			c.JournalAs(wordPExpireAt, key, decimal(at))
		}
	case o.set&optPersist != 0 && s.Value().HasExpiry():
		if _, err := c.DB.SetExpiry(key, keyspace.NoTTL); err != nil {
			return err
		}
		if c.Journaling() {
			c.JournalAs(wordPersist, key)
		}
	default:
		reply(c, &s)
		return nil
	}
	if s, err = c.DB.PeekString(key); err != nil { // its block may be another one now
		return err
	}
	reply(c, &s)
	return nil
}
