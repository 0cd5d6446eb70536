// Package bitcmd is the bitmap family of commands: strings seen as arrays of bits. Bit 0
// is the highest bit of the first byte, and what lies behind the end of a string is zero.
//
//	bit.go       one bit: SETBIT GETBIT
//	count.go     BITCOUNT BITPOS, and the ranges that they take
//	op.go        BITOP
//	field.go     BITFIELD BITFIELD_RO: what they are asked, and doing it
//	overflow.go  integers of some bits, and what happens when they overflow
//	words.go     loops over bytes, eight at a time
//
// Values are read where they lie: no command copies a bitmap that it only reads. What
// writes lets Txn.Stretch make the string long enough, which also turns an integer into
// its text.
//
// One effect differs from Redis 7.0: a BITFIELD that makes a string longer and then sets
// nothing, since OVERFLOW FAIL forbids it, is journalled. Redis keeps it from its replicas.
package bitcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// Deps is what the family is given; command/all fills it in.
type Deps struct {
	MaxBulk func() int64 // proto-max-bulk-len: bytes of the longest value
}

// Family is every command in this package; each file adds its own.
var Family = command.ServiceFamily[Deps]{Group: "bitmap"}

// none stands where a function that takes Deps would, for commands whose Spec names
// their function.
var none func(Deps, *command.Ctx) error

// longest bounds values whatever proto-max-bulk-len says: a record counts its bytes in
// 32 bits. What a BITFIELD may write behind an offset is left free.
const longest = 1<<32 - 1 - 16

var errOffset = resp.Errorf("bit offset is not an integer or out of range")

// offset reads a number of a bit. Its byte must be one that a string may have.
func (d Deps) offset(arg []byte) (uint64, error) {
	n, ok := numtext.ParseInt(arg)
	if !ok {
		return 0, errOffset
	}
	return d.inRange(n)
}

func (d Deps) inRange(n int64) (uint64, error) {
	if n < 0 || n>>3 >= min(d.MaxBulk(), longest) {
		return 0, errOffset
	}
	return uint64(n), nil
}
