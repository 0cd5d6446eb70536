// Package keycmd is the generic family of commands: those about keys as such, whatever
// they hold. WAIT, which Redis counts among them, is elsewhere.
//
//	del.go copy.go expire.go ttl.go   keys as such
//	scan.go object.go                 what keys there are, and what they are like
//	dump.go                           DUMP and RESTORE: values as payloads
//	sort.go sort_order.go             SORT: which words mean what, and the order
//	migrate.go migrate_peer.go        MIGRATE: keys to other servers, and the way there
//
// Commands that ask something about a key without reading its value (EXISTS, TTL, TYPE,
// OBJECT) count as hits and misses but are no accesses: they leave the clocks alone
// that eviction goes by. Those that rewrite the key without reading it (EXPIRE, RENAME,
// MOVE) are accesses and count neither.
package keycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
)

// Family is every command in this package but MIGRATE; each file adds its own.
var Family = command.Family{Group: "generic"}

// Words of the journal.
var (
	wordDel       = []byte("DEL")
	wordUnlink    = []byte("UNLINK")
	wordPExpireAt = []byte("PEXPIREAT")
	wordAbsTTL    = []byte("ABSTTL")
)

// twoKeys is the specification of a command from one key to another.
func twoKeys(from, to command.KeyFlags) []command.KeySpec {
	return []command.KeySpec{{Flags: from, Index: 1, Step: 1}, {Flags: to, Index: 2, Step: 1}}
}

// look finds a key for a command that only asks about it.
func look(c *command.Ctx, key []byte) (keyspace.Value, bool) {
	v, ok := c.DB.Peek(key)
	if ok {
		c.DB.Hits++
	} else {
		c.DB.Misses++
	}
	return v, ok
}

// access notes an access to a key that is about to be changed without being read.
// Where nobody asks for access times it is a branch.
func access(c *command.Ctx, key []byte) {
	if c.DB.Tuning().TrackClock.Load() {
		c.DB.Access(key)
	}
}

// removed journals that a key was removed because its time has come.
func removed(c *command.Ctx, key []byte) {
	if !c.Journaling() {
		return
	}
	if c.DB.Tuning().LazyExpire.Load() {
		c.JournalAs(wordUnlink, key)
	} else {
		c.JournalAs(wordDel, key)
	}
}

var errInt32 = &resp.Error{Code: "ERR",
	Text: "value is out of range, value must between -2147483648 and 2147483647"}

// database is argument i as the number of a database.
func database(c *command.Ctx, i int) (int, error) {
	n, err := c.Args.Int(i)
	switch {
	case err != nil:
		return 0, err
	case n < math.MinInt32 || n > math.MaxInt32:
		return 0, errInt32
	case n < 0 || n >= int64(c.DB.Databases()):
		return 0, resp.ErrDBIndex
	}
	return int(n), nil
}
