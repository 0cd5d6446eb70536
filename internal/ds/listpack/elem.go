package listpack

import (
	"bytes"
	"encoding/binary"

	"github.com/spineldb/spinel/internal/numtext"
)

// The first byte of an entry. Those below 0xf0 carry bits of the integer or length.
const (
	tagText6  = 0x80
	tagInt13  = 0xc0
	tagText12 = 0xe0
	tagText32 = 0xf0
	tagInt16  = 0xf1
	tagInt24  = 0xf2
	tagInt32  = 0xf3
	tagInt64  = 0xf4
	tagEnd    = 0xff
)

// An Elem is what an entry holds: an integer if IsInt, else Bytes, which lie in the
// list and are valid as long as it is not changed.
type Elem struct {
	Bytes []byte
	Int   int64
	IsInt bool
}

// Text is the element for b: an integer if b is the canonical decimal form of one.
func Text(b []byte) Elem {
	if len(b) <= numtext.MaxIntLen {
		if v, ok := numtext.ParseInt(b); ok {
			return Elem{Int: v, IsInt: true}
		}
	}
	return Elem{Bytes: b}
}

// Int is the element for v.
func Int(v int64) Elem { return Elem{Int: v, IsInt: true} }

// EntrySize is the number of bytes that the element for b takes in a list.
func EntrySize(b []byte) int { return Text(b).Size() }

// IntSize is the number of bytes that the element for v takes in a list.
func IntSize(v int64) int { return Int(v).Size() }

// Size is the number of bytes that e takes in a list.
func (e Elem) Size() int {
	if e.IsInt {
		return intSize(e.Int) + 1
	}
	n := textHead(len(e.Bytes)) + len(e.Bytes)
	return n + backlenSize(n)
}

// Len is the length of e as text.
func (e Elem) Len() int {
	if e.IsInt {
		return numtext.IntLen(e.Int)
	}
	return len(e.Bytes)
}

// AppendTo appends e as text.
func (e Elem) AppendTo(dst []byte) []byte {
	if e.IsInt {
		return numtext.AppendInt(dst, e.Int)
	}
	return append(dst, e.Bytes...)
}

// Text is e as text: in buf if it is an integer, else where it is.
func (e Elem) Text(buf *[numtext.MaxIntLen]byte) []byte {
	if e.IsInt {
		return numtext.AppendInt(buf[:0], e.Int)
	}
	return e.Bytes
}

// Equal says whether e is b as text.
func (e Elem) Equal(b []byte) bool {
	if !e.IsInt {
		return bytes.Equal(e.Bytes, b)
	}
	v, ok := numtext.ParseInt(b)
	return ok && v == e.Int
}

// Integer is e as an integer, if it is the canonical form of one.
func (e Elem) Integer() (int64, bool) {
	if e.IsInt {
		return e.Int, true
	}
	return numtext.ParseInt(e.Bytes)
}

// intSize is the size of an integer's encoding and data.
func intSize(v int64) int {
	switch {
	case uint64(v) < 1<<7:
		return 1
	case fits(v, 13):
		return 2
	case fits(v, 16):
		return 3
	case fits(v, 24):
		return 4
	case fits(v, 32):
		return 5
	}
	return 9
}

// fits says whether v is a signed integer of so many bits.
func fits(v int64, bits uint) bool {
	shift := 64 - bits
	return v<<shift>>shift == v
}

// textHead is the size of the encoding before a text of n bytes.
func textHead(n int) int {
	switch {
	case n < 1<<6:
		return 1
	case n < 1<<12:
		return 2
	}
	return 5
}

// backlenSize is the size of the backlen for n bytes of encoding and data. The
// greatest numbers of each size take one more byte than they need, as in Redis.
func backlenSize(n int) int {
	switch {
	case n <= 1<<7-1:
		return 1
	case n < 1<<14-1:
		return 2
	case n < 1<<21-1:
		return 3
	case n < 1<<28-1:
		return 4
	}
	return 5
}

// put writes e as an entry to b and returns its size.
func (e Elem) put(b []byte) int {
	n := 0
	if e.IsInt {
		n = putInt(b, e.Int)
	} else {
		n = putText(b, e.Bytes)
	}
	return n + putBacklen(b[n:], n)
}

func putInt(b []byte, v int64) int {
	n := intSize(v)
	switch n {
	case 1:
		b[0] = byte(v)
	case 2:
		b[0], b[1] = tagInt13|byte(v>>8)&0x1f, byte(v)
	case 3:
		b[0] = tagInt16
		binary.LittleEndian.PutUint16(b[1:], uint16(v))
	case 4:
		b[0], b[3] = tagInt24, byte(v>>16)
		binary.LittleEndian.PutUint16(b[1:], uint16(v))
	case 5:
		b[0] = tagInt32
		binary.LittleEndian.PutUint32(b[1:], uint32(v))
	default:
		b[0] = tagInt64
		binary.LittleEndian.PutUint64(b[1:], uint64(v))
	}
	return n
}

func putText(b, text []byte) int {
	n := len(text)
	head := textHead(n)
	switch head {
	case 1:
		b[0] = tagText6 | byte(n)
	case 2:
		b[0], b[1] = tagText12|byte(n>>8), byte(n)
	default:
		b[0] = tagText32
		binary.LittleEndian.PutUint32(b[1:], uint32(n))
	}
	return head + copy(b[head:head+n], text)
}

func putBacklen(b []byte, n int) int {
	size := backlenSize(n)
	b[0] = byte(n >> (7 * (size - 1)))
	for i := 1; i < size; i++ {
		b[i] = 0x80 | byte(n>>(7*(size-1-i)))
	}
	return size
}
