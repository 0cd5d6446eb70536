// Package hll is Redis's HyperLogLog: a string of bytes that estimates how many different
// elements it was given, 16384 registers in at most 12304 bytes, with a standard error of
// 0.81%. The bytes are Redis's to the last, since clients, dumps and files carry them.
//
// # Layout
//
//	+------+----------+-----+-------------+---------------------------------
//	| HYLL | encoding | 000 | cardinality | registers
//	+------+----------+-----+-------------+---------------------------------
//	  4      1          3     8             bytes
//
// The cardinality is the last estimate, little endian; its highest bit says that the
// registers have changed since. In the dense encoding, 0, each register takes six bits, the
// lowest bits of a byte first. In the sparse one, 1, runs of equal registers are
//
//	00nnnnnn            ZERO   n+1 registers that are 0
//	01nnnnnn nnnnnnnn   XZERO  n+1 registers that are 0
//	1vvvvvnn            VAL    n+1 registers that are v+1
//
// So a new one is HYLL, 1, 000, eight zeros, and 7f ff: one run of 16384 zeros.
//
// # How it counts
//
// An element's hash chooses a register by its lowest 14 bits, and has a rank: one more
// than the number of zeros that the bits above begin with. A register keeps the greatest
// rank that it has seen. The estimate is Ertl's ("New cardinality estimation algorithms
// for HyperLogLog sketches", 2017), from the histogram of the registers.
//
// # Invariants
//
//  1. A dense one has exactly DenseSize bytes.
//  2. The runs of a sparse one add up to Registers, and each ends where the next begins.
//
// Strings come from clients, who can write anything into them. Is checks what Redis checks
// before each command, which includes 1. Whatever walks over a sparse body finds out about
// 2 on its way and returns ErrCorrupt; no function reads or writes outside of its bytes.
//
// # Costs
//
//	Rank       one hash of the element
//	IsLower    dense 1 load; sparse a walk over the runs before the register
//	Raise      as IsLower, and moving the bytes behind
//	Merge      dense 2048 steps of 8 registers each
//	Estimate   a histogram and some 100 floating-point operations
package hll

import (
	"encoding/binary"
	"errors"
)

// Sizes.
const (
	indexBits = 14
	// Registers is how many there are.
	Registers = 1 << indexBits
	// MaxRank is the greatest rank an element can have.
	MaxRank = 64 - indexBits + 1

	headerSize = 16
	// DenseSize is the length of a dense one, in bytes.
	DenseSize = headerSize + Registers*registerBits/8
	// LongestSparse is more than any valid one has: no register takes more than two bytes.
	LongestSparse = headerSize + 2*Registers
)

const (
	magic = "HYLL"

	encodingAt    = 4
	cardinalityAt = 8
	staleAt       = 15 // the byte of the cardinality with the highest bit
	stale         = 0x80
)

const (
	dense  = 0
	sparse = 1
)

// ErrCorrupt means that the runs of a sparse body do not add up to all registers.
var ErrCorrupt = errors.New("hll: corrupt sparse body")

// empty is a new one.
const empty = magic + "\x01\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x7f\xff"

// AppendEmpty appends one that has seen nothing.
func AppendEmpty(dst []byte) []byte { return append(dst, empty...) }

// Is says whether bytes look like one: whatever it accepts may be given to the other
// functions.
func Is(b []byte) bool {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return false
	}
	return b[encodingAt] == sparse || b[encodingAt] == dense && len(b) == DenseSize
}

// IsDense tells the encoding.
func IsDense(b []byte) bool { return b[encodingAt] == dense }

// Validate checks everything that there is to check.
func Validate(b []byte) error {
	if !Is(b) {
		return errors.New("hll: neither a dense nor a sparse header")
	}
	if !IsDense(b) {
		_, err := histogramOfRuns(b[headerSize:])
		return err
	}
	return nil
}

// Cached is the last estimate, if nothing has changed since.
func Cached(b []byte) (uint64, bool) {
	return binary.LittleEndian.Uint64(b[cardinalityAt:]), b[staleAt]&stale == 0
}

// SetCached keeps an estimate.
func SetCached(b []byte, n uint64) { binary.LittleEndian.PutUint64(b[cardinalityAt:], n) }

// Invalidate says that the estimate is not that of the registers any more.
func Invalidate(b []byte) { b[staleAt] |= stale }

// IsLower says whether a register is less than a rank, so that Raise would change it.
func IsLower(b []byte, index int, rank uint8) (bool, error) {
	if IsDense(b) {
		return getDense(b[headerSize:], index) < rank, nil
	}
	r, ok := find(b[headerSize:], index, run{})
	if !ok {
		return false, ErrCorrupt
	}
	return r.value < rank, nil
}

// Raise makes a register at least a rank. A sparse one grows as by append: the caller gives
// it a buffer of his own, with room if he cares, and it becomes dense if it would have
// more than sparseMax bytes, or if the rank is too great for it. A dense one is changed
// where it is. The cached estimate stays, so that many can be raised before Invalidate.
func Raise(b []byte, index int, rank uint8, sparseMax int) ([]byte, error) {
	if IsDense(b) {
		if getDense(b[headerSize:], index) < rank {
			setDense(b[headerSize:], index, rank)
		}
		return b, nil
	}
	b, _, err := raiseSparse(b, index, rank, sparseMax, run{})
	return b, err
}

// ToDense makes a sparse one dense, as Raise does.
func ToDense(b []byte) ([]byte, error) {
	if IsDense(b) {
		return b, nil
	}
	var r Set
	if err := r.Merge(b); err != nil {
		return b, err
	}
	return r.writeDense(b), nil
}

// A Set is the registers of any number of them taken together, one byte each. Its zero
// value is empty.
type Set [Registers]uint8

// Merge takes the registers of b in: of each the greater value.
func (s *Set) Merge(b []byte) error {
	if IsDense(b) {
		s.mergeDense(b[headerSize:])
		return nil
	}
	return s.mergeRuns(b[headerSize:])
}

// AppendTo makes dst, which is as for Raise and has nothing that s has not, hold s: dense
// if asked to or if it must be. Registers are raised in order, which leaves the same runs
// as Redis's.
func (s *Set) AppendTo(dst []byte, toDense bool, sparseMax int) ([]byte, error) {
	at := run{}
	for i := 0; i < Registers && !toDense && !IsDense(dst); i++ {
		if s[i] == 0 {
			continue
		}
		var err error
		if dst, at, err = raiseSparse(dst, i, s[i], sparseMax, at); err != nil {
			return dst, err
		}
	}
	if toDense || IsDense(dst) {
		dst = s.writeDense(dst)
	}
	return dst, nil
}

// writeDense keeps the header of b and makes it dense.
func (s *Set) writeDense(b []byte) []byte {
	if cap(b) < DenseSize {
		b = append(make([]byte, 0, DenseSize), b[:headerSize]...)
	}
	b = b[:DenseSize]
	b[encodingAt] = dense
	s.packDense(b[headerSize:])
	return b
}

// Register is the value of one register.
func (s *Set) Register(i int) uint8 { return s[i] }
