// Package setcmd is the set family of commands.
//
//	member.go   one set and its members: SADD SREM SISMEMBER SMISMEMBER SCARD SMOVE
//	walk.go     all members, at once or in pieces: SMEMBERS SSCAN
//	random.go   SRANDMEMBER
//	pop.go      SPOP
//	operands.go the sets that a command combines
//	combine.go  what SINTER, SUNION and SDIFF reply with
//	store.go    SINTERSTORE SUNIONSTORE SDIFFSTORE
//
// # How sets are combined
//
// A reply needs no copy of the result: the members of one set are looked for in the
// others and written where they lie. A union writes those members of each set that none of
// the sets before it has; that is cheaper than to gather them as long as the sets are few.
// Only with many sets SUNION and SDIFF gather, in a table that lies in the arena of one
// of them, whose lock the command holds anyway: members there cost twenty bytes and the
// garbage collector nothing, where a Go map would take a hundred and make it look at
// every one.
//
// What is stored is made as a loose set (value.LooseSet) in the arena of the destination and
// put in its place at the end. So the destination may be a source, and when there is no
// memory it stays what it was.
package setcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/value"
)

// Family is every command in this package; each file adds its own.
var Family = command.Family{Group: "set"}

// Words of the journal.
var (
	wordDel  = []byte("DEL")
	wordSRem = []byte("SREM")
)

// open is the set of a key, for reading.
func open(c *command.Ctx, key []byte) (s value.Set, ok bool, err error) {
	cell, ok, err := c.DB.Open(key, record.Set)
	if ok {
		s = value.SetOf(cell)
	}
	return s, ok, err
}

// edit is the set of a key, to be changed. It ends with edited.
func edit(c *command.Ctx, key []byte) (s value.Set, ok bool, err error) {
	cell, ok, err := c.DB.Edit(key, record.Set)
	if ok {
		s = value.SetOf(cell)
	}
	return s, ok, err
}

// edited keeps n changes of a set.
func edited(c *command.Ctx, key []byte, s *value.Set, n int) {
	s.Store()
	c.DB.Edited(key, &s.Cell, n)
}
