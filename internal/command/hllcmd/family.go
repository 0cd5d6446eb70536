// Package hllcmd is the HyperLogLog family of commands: strings that estimate how many
// different elements they were given. The bytes and the arithmetic are those of ds/hll.
//
//	add.go    PFADD
//	count.go  PFCOUNT PFMERGE
//	debug.go  PFDEBUG PFSELFTEST
//
// A sparse one is copied to be changed, and put back when its new length is known: it has
// at most some thousand bytes. A dense one is changed where it is.
package hllcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/hll"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
)

// Family is every command in this package; each file adds its own.
var Family = command.Family{Group: "hyperloglog"}

var (
	errNoHLL   = &resp.Error{Code: "WRONGTYPE", Text: "Key is not a valid HyperLogLog string value."}
	errCorrupt = &resp.Error{Code: "INVALIDOBJ", Text: "Corrupted HLL object detected"}
)

// scratchSize is room for a sparse one that is being changed, unless somebody has made
// sparse ones longer than dense ones, who pays with an allocation.
const scratchSize = hll.DenseSize + 64

// bytesOf is the HyperLogLog that a string is. There is none if the string is missing.
func bytesOf(s *keyspace.Str) ([]byte, error) {
	if _, isInt := s.Int(); isInt {
		return nil, errNoHLL
	}
	b := s.Bytes(nil)
	if s.Exists() && !hll.Is(b) {
		return nil, errNoHLL
	}
	return b, nil
}

// peek is the HyperLogLog at a key that is about to be changed. It is not longer than one
// can be, so that it may be copied.
func peek(c *command.Ctx, key []byte) (b []byte, exists bool, err error) {
	s, err := c.DB.PeekString(key)
	if err != nil {
		return nil, false, err
	}
	b, err = bytesOf(&s)
	if err == nil && len(b) > hll.LongestSparse {
		err = errCorrupt
	}
	return b, s.Exists(), err
}

// replace makes the key hold b, as a change of n.
func replace(c *command.Ctx, key, b []byte, n int) error {
	before := c.DB.Dirty()
	to, err := c.DB.Stretch(key, len(b))
	if err != nil {
		return err
	}
	copy(to, b)
	c.DB.MarkDirty(before + n - c.DB.Dirty())
	return nil
}

// sparseMax is the greatest length of a sparse one, hll-sparse-max-bytes.
func sparseMax(c *command.Ctx) int { return int(c.DB.Limits().HLLSparse.Load()) }
