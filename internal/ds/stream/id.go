package stream

import (
	"cmp"
	"encoding/binary"
	"math"

	"github.com/spineldb/spinel/internal/numtext"
)

// An ID names an entry: a time in milliseconds and a number within it. Entries are in
// the order of their IDs.
type ID struct{ Ms, Seq uint64 }

// MaxID is the greatest ID. The least is the zero ID, which no entry has.
var MaxID = ID{math.MaxUint64, math.MaxUint64}

// idSize is the size of an ID as a key: two big-endian numbers, so that keys are in the
// order of the IDs.
const idSize = 16

// Compare is negative, zero or positive as a is less than, equal to or greater than b.
func (a ID) Compare(b ID) int {
	if a.Ms != b.Ms {
		return cmp.Compare(a.Ms, b.Ms)
	}
	return cmp.Compare(a.Seq, b.Seq)
}

// Less says whether a is less than b.
func (a ID) Less(b ID) bool { return a.Ms < b.Ms || a.Ms == b.Ms && a.Seq < b.Seq }

// IsZero says whether a is 0-0.
func (a ID) IsZero() bool { return a == ID{} }

// Next is the least ID that is greater than a. There is none if a is MaxID.
func (a ID) Next() (next ID, ok bool) {
	if a.Seq < math.MaxUint64 {
		return ID{a.Ms, a.Seq + 1}, true
	}
	if a.Ms < math.MaxUint64 {
		return ID{a.Ms + 1, 0}, true
	}
	return ID{}, false
}

// Prev is the greatest ID that is less than a. There is none if a is zero.
func (a ID) Prev() (prev ID, ok bool) {
	if a.Seq > 0 {
		return ID{a.Ms, a.Seq - 1}, true
	}
	if a.Ms > 0 {
		return ID{a.Ms - 1, math.MaxUint64}, true
	}
	return ID{}, false
}

// AppendTo appends the ID as text: 1526919030474-55.
func (a ID) AppendTo(dst []byte) []byte {
	dst = numtext.AppendUint(dst, a.Ms)
	dst = append(dst, '-')
	return numtext.AppendUint(dst, a.Seq)
}

// IDTextMax is the length of the longest ID as text.
const IDTextMax = 41

// Key is the ID in 16 bytes, as files and indexes have it.
func (a ID) Key() (key [idSize]byte) {
	a.put(key[:])
	return key
}

// IDOf is the ID whose key b begins with.
func IDOf(b []byte) ID {
	return ID{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:idSize])}
}

func (a ID) put(b []byte) {
	binary.BigEndian.PutUint64(b, a.Ms)
	binary.BigEndian.PutUint64(b[8:], a.Seq)
}
