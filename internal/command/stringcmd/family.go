// Package stringcmd is the string family of commands: values of bytes, which are
// numbers if they look like one.
//
//	get.go      reading: GET MGET STRLEN, and GETDEL GETEX, which read and change the key
//	set.go      SET and its older forms: SETNX SETEX PSETEX GETSET
//	options.go  the words behind SET, GETEX and MSETEX
//	compare.go  what depends on the old value: SET's IFEQ and its kin, DELEX DELIFEQ DIGEST
//	many.go     MSET MSETNX MSETEX
//	count.go    INCR and its kin
//	range.go    parts of a value: APPEND GETRANGE SETRANGE SUBSTR
//	lcs.go      the longest common subsequence of two values
//
// It drives nothing but the keyspace, through Ctx.DB; from the options it needs one
// number.
package stringcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
)

// Deps is what the family is given; command/all fills it in.
type Deps struct {
	MaxBulk func() int64 // proto-max-bulk-len: bytes of the longest value
}

// Family is every command in this package; each file adds its own. Commands that need
// no Deps are declared with their function in the Spec, which saves them a call.
var Family = command.ServiceFamily[Deps]{Group: "string"}

// longest bounds values whatever proto-max-bulk-len says: a record counts its bytes in
// 32 bits.
const longest = 1<<32 - 1

// tooLong says whether a value of so many bytes may not grow by more.
func (d Deps) tooLong(size int64, more int) bool {
	return size > min(d.MaxBulk(), longest)-int64(more)
}

// reply answers with a string that exists. Bytes that fill a block which can be pinned
// are lent to the writer. Nothing may fail behind that: taking a lent reply back needs
// the lock that the command holds.
func reply(c *command.Ctx, s *keyspace.Str) {
	if n, ok := s.Int(); ok {
		c.Out.BulkInt(n)
		return
	}
	lend(c, s, s.Bytes(nil))
}

// lend answers with bytes of a string's block.
func lend(c *command.Ctx, s *keyspace.Str, b []byte) {
	if len(b) >= keyspace.Big {
		c.Out.BulkLent(b, s.Value().Lend())
		return
	}
	c.Out.Bulk(b)
}

// replyCopied is reply for a value that is about to be overwritten, which may fail.
func replyCopied(c *command.Ctx, s *keyspace.Str) {
	if n, ok := s.Int(); ok {
		c.Out.BulkInt(n)
		return
	}
	c.Out.Bulk(s.Bytes(nil))
}

// none stands where a function that takes Deps would, for commands whose Spec names
// their function.
var none func(Deps, *command.Ctx) error
