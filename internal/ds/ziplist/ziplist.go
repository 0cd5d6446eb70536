// Package ziplist reads the two packed forms of small collections that files of old
// servers hold: ziplists (Redis before 7.0) and zipmaps (hashes before 2.6). Nothing
// here writes them: they become listpacks when they are loaded.
//
// # Ziplist
//
//	+-------+------+-------+---------+-- ... --+---------+------+
//	| total | tail | count | entry 0 |         | entry n | 0xff |
//	+-------+------+-------+---------+-- ... --+---------+------+
//	  4       4      2                                     1      bytes
//
// Total is the number of all bytes, tail the offset of the last entry. All three are
// little endian. A count of 65535 means that who wants to know must count.
//
//	+---------+----------+------+
//	| prevlen | encoding | data |
//	+---------+----------+------+
//
// Prevlen is the size of the entry before, 0 for the first: one byte below 254, or a
// byte 254 and four little endian ones. The longer form may hold any number.
//
//	00llllll                    a text of up to 63 bytes, which follow
//	01llllll llllllll           a text of up to 16383 bytes; length big endian
//	10------ llllllll x 4       a longer text; length big endian
//	11000000 11010000 11100000  a signed integer of 2, 4, 8 bytes, little endian
//	11110000 11111110           a signed integer of 3 bytes, 1 byte
//	11110001 to 11111101        the integer 0 to 12
//
// The list of the integers 2 and 5 takes 15 bytes:
//
//	0f 00 00 00  0c 00 00 00  02 00  00 f3  02 f6  ff
//	total        tail         count  2      5      end
//
// # Zipmap
//
//	+-------+--------+-------+--------+------+-------+------+-- ... --+------+
//	| count | length | field | length | free | value | idle |         | 0xff |
//	+-------+--------+-------+--------+------+-------+------+-- ... --+------+
//	  1       1 or 5            1 or 5   1             free bytes        1
//
// Count is the number of pairs; 254 means that who wants to know must count. A length
// is a byte below 254, or a byte 254 and four little endian ones. The hash of "a" with
// the value "xyz" takes 9 bytes:
//
//	01     01 61  03 00 78 79 7a  ff
//	count  "a"    "xyz"           end
//
// # Invariants
//
// ValidateMap and Validate prove for bytes from outside:
//
//  1. The total and tail of a list, and all counts that are known, are true.
//  2. Walking by the lengths of the entries or pairs meets the 0xff that is last.
//  3. Every prevlen is the size of the entry before.
//
// After that, and only then, nothing reads outside of the bytes. Redis lets two damages
// of a zipmap pass that no server wrote and that are refused here: bytes behind the
// first 0xff that is met, and a value's length that begins with 255.
package ziplist

import (
	"encoding/binary"
	"fmt"
)

const (
	headerSize   = 10
	countUnknown = 1<<16 - 1
	bigLen       = 254 // four bytes follow
	end          = 0xff
)

// The encodings of integers.
const (
	int16Tag    = 0xc0
	int32Tag    = 0xd0
	int64Tag    = 0xe0
	int24Tag    = 0xf0
	smallestTag = 0xf1 // of those that hold the integer themselves
	greatestTag = 0xfd
	int8Tag     = 0xfe
)

// An Elem is what an entry holds: an integer if IsInt, else Bytes, which lie in the
// list.
type Elem struct {
	Bytes []byte
	Int   int64
	IsInt bool
}

// A List is the bytes of a ziplist that passed Validate.
type List []byte

// Len is the number of elements. It is a walk if there are or were 65535.
func (l List) Len() int {
	if n := binary.LittleEndian.Uint16(l[8:]); n != countUnknown {
		return int(n)
	}
	n := 0
	for at := l.First(); at != 0; n++ {
		_, at = l.Read(at)
	}
	return n
}

// First is the position of the first element, or 0 if there is none.
func (l List) First() int { return l.orNone(headerSize) }

func (l List) orNone(at int) int {
	if l[at] == end {
		return 0
	}
	return at
}

// Read is the element at a position, and the position of the next one or 0:
//
//	for at := l.First(); at != 0; {
//		e, at = l.Read(at)
func (l List) Read(at int) (e Elem, next int) {
	h, _ := readHead(l, at)
	data := at + h.size
	next = data + int(h.data)
	if h.tag < int16Tag {
		return Elem{Bytes: l[data:next:next]}, l.orNone(next)
	}
	return Elem{Int: integer(h.tag, l[data:next]), IsInt: true}, l.orNone(next)
}

// A head is what is before the data of an entry.
type head struct {
	size    int    // of the head
	prevlen uint32 // size of the entry before
	tag     byte   // first byte of the encoding
	data    uint64 // size of the data; it may be any 32 bits
}

// readHead reads the head of the entry at a position. It is not ok if the head goes
// beyond the end of b or if it has no meaning.
func readHead(b []byte, at int) (h head, ok bool) {
	rest := b[at:]
	switch {
	case len(rest) >= 2 && rest[0] < bigLen:
		h.size, h.prevlen = 1, uint32(rest[0])
	case len(rest) >= 6 && rest[0] == bigLen:
		h.size, h.prevlen = 5, binary.LittleEndian.Uint32(rest[1:])
	default:
		return h, false
	}
	rest = rest[h.size:]
	h.tag = rest[0]
	h.size++
	switch c := h.tag; {
	case c < 0x40:
		h.data = uint64(c)
	case c < 0x80:
		if len(rest) < 2 {
			return h, false
		}
		h.size, h.data = h.size+1, uint64(c&0x3f)<<8|uint64(rest[1])
	case c < int16Tag:
		if len(rest) < 5 {
			return h, false
		}
		h.size, h.data = h.size+4, uint64(binary.BigEndian.Uint32(rest[1:]))
	case c == int16Tag:
		h.data = 2
	case c == int32Tag:
		h.data = 4
	case c == int64Tag:
		h.data = 8
	case c == int24Tag:
		h.data = 3
	case c == int8Tag:
		h.data = 1
	case c < smallestTag || c > greatestTag:
		return h, false
	}
	return h, true
}

func integer(tag byte, b []byte) int64 {
	switch tag {
	case int8Tag:
		return int64(int8(b[0]))
	case int16Tag:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case int24Tag:
		return int64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8)
	case int32Tag:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case int64Tag:
		return int64(binary.LittleEndian.Uint64(b))
	}
	return int64(tag - smallestTag)
}

// Validate says what is wrong with bytes that claim to be a ziplist, or nil. It calls
// each, if that is not nil, for every element; an error that each returns ends the walk
// and is returned.
func Validate(b []byte, each func(Elem) error) error {
	if len(b) < headerSize+1 {
		return fmt.Errorf("ziplist: %d bytes are fewer than an empty one has", len(b))
	}
	total, tail := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if uint64(total) != uint64(len(b)) {
		return fmt.Errorf("ziplist: the header says %d bytes of %d", total, len(b))
	}
	last := len(b) - 1
	if b[last] != end {
		return fmt.Errorf("ziplist: byte %d: the end is %#02x", last, b[last])
	}
	n, before, at := 0, 0, headerSize
	for ; at < last; n++ {
		h, ok := readHead(b[:last], at)
		switch {
		case !ok:
			return fmt.Errorf("ziplist: entry %d at byte %d: its head is damaged", n, at)
		case uint64(h.prevlen) != uint64(before):
			return fmt.Errorf("ziplist: entry %d at byte %d: the one before has %d bytes, not %d",
				n, at, before, h.prevlen)
		case h.data > uint64(last-at-h.size):
			return fmt.Errorf("ziplist: entry %d at byte %d: %d bytes are more than follow", n, at, h.data)
		}
		if each != nil {
			e, _ := List(b).Read(at)
			if err := each(e); err != nil {
				return err
			}
		}
		before = h.size + int(h.data)
		at += before
	}
	if uint64(tail) != uint64(last-before) {
		return fmt.Errorf("ziplist: the last entry is at byte %d, not %d", last-before, tail)
	}
	if count := binary.LittleEndian.Uint16(b[8:]); count != countUnknown && int(count) != n {
		return fmt.Errorf("ziplist: the header counts %d entries of %d", count, n)
	}
	return nil
}
