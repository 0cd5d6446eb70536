// Package intset is Redis's packed set of integers: sorted numbers of one width in one
// run of bytes, the same bytes that RDB files carry.
//
// # Layout
//
//	+-------+-------+----------+----------+-- ... --+--------------+
//	| width | count | number 0 | number 1 |         | number count |
//	+-------+-------+----------+----------+-- ... --+--------------+
//	  4       4       width      width                width           bytes
//
// All are little endian. Width is 2, 4 or 8; the numbers are signed.
//
// # Example
//
// The set of -1 and 1000 takes 12 bytes:
//
//	02 00 00 00  02 00 00 00  ff ff  e8 03
//	width        count        -1     1000
//
// A number that does not fit widens all of them. They are never narrowed again, as in
// Redis, so the width may be greater than the numbers need.
//
// # Changes
//
// Nothing here allocates. A set lies at the beginning of a buffer, mostly a block of an
// arena; who inserts first makes the buffer large enough and then calls:
//
//	b = grow(b, s.SizeAfter(v))      // the caller's
//	size := intset.Insert(b, v)      // of the set now: In(b) is it
//
// # Invariants
//
//  1. The length of a set is 8 + width x count.
//  2. The numbers ascend, and no two are equal.
//
// Validate proves them for bytes from outside.
//
// # Cost
//
//	Find            a binary search
//	Insert, Delete  a search and a move of what is behind; of everything if it widens
package intset

import (
	"encoding/binary"
	"fmt"

	"github.com/spineldb/spinel/internal/invariant"
)

const (
	// HeaderSize is the size of what is before the first number, and of an empty set.
	HeaderSize = 8
	// SizeMax is the size in bytes that no set should outgrow. Callers see to it.
	SizeMax = 1 << 30
)

// A Set is the bytes of a set.
type Set []byte

// AppendEmpty appends a set without numbers.
func AppendEmpty(dst []byte) []byte { return append(dst, 2, 0, 0, 0, 0, 0, 0, 0) }

// In is the set at the beginning of b.
func In(b []byte) Set {
	s := Set(b)
	n := HeaderSize + s.width()*s.Len()
	return s[:n:n]
}

func (s Set) width() int { return int(s[0]) }

// Len is the number of numbers.
func (s Set) Len() int { return int(binary.LittleEndian.Uint32(s[4:])) }

// At is the number with an index, which is below Len.
func (s Set) At(i int) int64 { return s.at(i, s.width()) }

func (s Set) at(i, width int) int64 {
	b := s[HeaderSize+i*width:]
	switch width {
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

func (s Set) put(i, width int, v int64) {
	b := s[HeaderSize+i*width:]
	switch width {
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	default:
		binary.LittleEndian.PutUint64(b, uint64(v))
	}
}

// Min is the least number of a set that is not empty.
func (s Set) Min() int64 { return s.At(0) }

// Max is the greatest number of a set that is not empty.
func (s Set) Max() int64 { return s.At(s.Len() - 1) }

// Find is the index of v, or the one that it would have.
func (s Set) Find(v int64) (i int, found bool) {
	width, n := s.width(), s.Len()
	// Sets are mostly filled in ascending order.
	if n == 0 || s.at(n-1, width) < v {
		return n, false
	}
	low := 0 // those before it are less than v
	for n > 1 {
		half := n / 2
		if s.at(low+half-1, width) < v {
			low += half
		}
		n -= half
	}
	return low, s.at(low, width) == v
}

// Contains says whether v is in the set.
func (s Set) Contains(v int64) bool {
	_, found := s.Find(v)
	return found
}

// widthOf is the least width that holds v.
func widthOf(v int64) int {
	switch {
	case v == int64(int16(v)):
		return 2
	case v == int64(int32(v)):
		return 4
	}
	return 8
}

// SizeAfter is the size that the set has once v has been inserted, if it is not in it
// yet.
func (s Set) SizeAfter(v int64) int {
	return HeaderSize + max(s.width(), widthOf(v))*(s.Len()+1)
}

// Insert puts v, which must not be in it, into the set in b. B has room for SizeAfter(v)
// bytes. It returns the new size.
func Insert(b []byte, v int64) (size int) {
	i, found := In(b).Find(v)
	if invariant.Enabled && found {
		invariant.Check(false, "intset: %d is there", v)
	}
	return InsertAt(b, i, v)
}

// InsertAt is Insert for who has called Find.
func InsertAt(b []byte, i int, v int64) (size int) {
	s := In(b)
	size, n := s.SizeAfter(v), s.Len()
	old, width := s.width(), max(s.width(), widthOf(v))
	if invariant.Enabled && (size > len(b) || i > n) {
		invariant.Check(false, "intset: %d of %d, room for %d of %d bytes", i, n, len(b), size)
	}
	s = Set(b[:size])
	if width == old {
		copy(s[HeaderSize+(i+1)*width:], s[HeaderSize+i*width:HeaderSize+n*width])
	} else {
		// From the last on, as the new places lie behind the old ones. A number that
		// widens the set is the least or the greatest of it.
		moved := 0
		if i == 0 {
			moved = 1
		}
		for j := n - 1; j >= 0; j-- {
			s.put(j+moved, width, s.at(j, old))
		}
		binary.LittleEndian.PutUint32(s, uint32(width))
	}
	s.put(i, width, v)
	binary.LittleEndian.PutUint32(s[4:], uint32(n+1))
	return size
}

// DeleteAt removes the number with an index, which is below Len. It returns the new
// size.
func DeleteAt(b []byte, i int) (size int) { return DeleteRange(b, i, i+1) }

// DeleteRange removes the numbers with the indexes from <= i < to. It returns the new
// size.
func DeleteRange(b []byte, from, to int) (size int) {
	s := In(b)
	width, n := s.width(), s.Len()
	copy(s[HeaderSize+from*width:], s[HeaderSize+to*width:])
	n -= to - from
	binary.LittleEndian.PutUint32(s[4:], uint32(n))
	return HeaderSize + n*width
}

// Validate says what is wrong with bytes that claim to be a set, or nil. If deep, it
// looks at the order of the numbers too. Only bytes that passed a deep validation may
// be used as a Set without fear.
func Validate(b []byte, deep bool) error {
	if len(b) < HeaderSize {
		return fmt.Errorf("intset: %d bytes are fewer than an empty one has", len(b))
	}
	width, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if width != 2 && width != 4 && width != 8 {
		return fmt.Errorf("intset: numbers of %d bytes", width)
	}
	if uint64(len(b)-HeaderSize) != uint64(width)*uint64(n) {
		return fmt.Errorf("intset: %d bytes hold %d numbers of %d", len(b), n, width)
	}
	if !deep {
		return nil
	}
	s := Set(b)
	for i := 1; i < s.Len(); i++ {
		if s.At(i-1) >= s.At(i) {
			return fmt.Errorf("intset: number %d is %d, after %d", i, s.At(i), s.At(i-1))
		}
	}
	return nil
}
