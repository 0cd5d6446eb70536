package bitcmd

import (
	"encoding/binary"
	"math"
)

// An intType is the integers of some bits, in two's complement if they have a sign.
type intType struct {
	signed bool
	bits   uint8 // 1 to 64, or to 63 without a sign: the reply is a signed integer
}

// A policy is what happens to a value that a field is too small for.
type policy uint8

const (
	wrap policy = iota // the lower bits of it are kept
	sat                // the greatest or the least value takes its place
	fail               // nothing is written
)

// load reads a field. What lies behind the end of b is zero.
func (t intType) load(b []byte, at uint64) int64 {
	w, tail := window(b, at)
	shift := at % 8
	w = w<<shift | uint64(tail)>>(8-shift)
	if t.signed {
		return int64(w) >> (64 - t.bits)
	}
	return int64(w >> (64 - t.bits))
}

// window is the nine bytes that a field of up to 64 bits may touch.
func window(b []byte, at uint64) (head uint64, tail byte) {
	var w [9]byte
	if at/8 < uint64(len(b)) {
		copy(w[:], b[at/8:])
	}
	return binary.BigEndian.Uint64(w[:]), w[8]
}

// store writes the lower bits of v to a field, which must be in b.
func (t intType) store(b []byte, at uint64, v int64) {
	head, tail := window(b, at)
	shift := at % 8
	mask, field := uint64(math.MaxUint64)<<(64-t.bits), uint64(v)<<(64-t.bits)
	var w [9]byte
	binary.BigEndian.PutUint64(w[:], head&^(mask>>shift)|field>>shift)
	w[8] = tail&^byte(mask<<(8-shift)) | byte(field<<(8-shift))
	if shift == 0 {
		w[8] = tail
	}
	last := (at + uint64(t.bits) - 1) / 8
	copy(b[at/8:last+1], w[:])
}

// add is value+by as the field can hold it, and whether it fits without that. A value
// that is to be set comes with 0.
func (t intType) add(value, by int64, p policy) (sum int64, fits bool) {
	if t.signed {
		return t.addSigned(value, by, p)
	}
	return t.addUnsigned(uint64(value), by, p)
}

// addSigned judges a value to be set that is less than the least by so much that the
// distance to the greatest overflows as too great, as Redis does: the distances are only
// right for values of the field.
func (t intType) addSigned(value, by int64, p policy) (sum int64, fits bool) {
	greatest := int64(math.MaxInt64) >> (64 - t.bits)
	least := -greatest - 1
	up, down := greatest-value, least-value
	small := t.bits != 64
	switch {
	case value > greatest || small && by > up || value >= 0 && by > 0 && by > up:
		sum = greatest
	case value < least || small && by < down || value < 0 && by < 0 && by < down:
		sum = least
	default:
		return value + by, true
	}
	if p == wrap {
		sum = (value + by) << (64 - t.bits) >> (64 - t.bits)
	}
	return sum, false
}

func (t intType) addUnsigned(value uint64, by int64, p policy) (sum int64, fits bool) {
	greatest := uint64(1)<<t.bits - 1
	switch {
	case value > greatest || by > 0 && uint64(by) > greatest-value:
		sum = int64(greatest)
	case by < 0 && uint64(-by) > value:
		sum = 0
	default:
		return int64(value + uint64(by)), true
	}
	if p == wrap {
		sum = int64((value + uint64(by)) & greatest)
	}
	return sum, false
}
