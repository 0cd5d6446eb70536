package listpack

import (
	"encoding/binary"
)

const (
	// HeaderSize is the size of what is before the first entry.
	HeaderSize = 6
	// EmptySize is the size of a list without entries: the header and the end.
	EmptySize = HeaderSize + 1
	// SizeMax is the size in bytes that no list should outgrow, the same as in Redis.
	// Callers see to it.
	SizeMax = 1 << 30

	countUnknown = 1<<16 - 1
)

// A List is the bytes of a list from the header to the end.
type List []byte

// In is the list at the beginning of b.
func In(b []byte) List {
	n := binary.LittleEndian.Uint32(b)
	return List(b[:n:n])
}

// Len is the number of elements. It is a walk if there are or were 65535.
func (l List) Len() int {
	if n := l.count(); n != countUnknown {
		return n
	}
	return l.Count(HeaderSize, l.End())
}

func (l List) count() int { return int(binary.LittleEndian.Uint16(l[4:])) }

// Count is the number of elements between two positions, which may be End. It is a walk.
func (l List) Count(from, to int) int {
	n := 0
	for at := from; at < to; at += l.SizeAt(at) {
		n++
	}
	return n
}

// End is the position behind the last entry. Nothing is to be read there.
func (l List) End() int { return len(l) - 1 }

// First is the position of the first element, or 0 if there is none.
func (l List) First() int {
	if len(l) == EmptySize {
		return 0
	}
	return HeaderSize
}

// Last is the position of the last element, or 0 if there is none.
func (l List) Last() int { return l.Prev(l.End()) }

// Next is the position of the element behind the one at a position, or 0.
func (l List) Next(at int) int {
	at += l.SizeAt(at)
	if l[at] == tagEnd {
		return 0
	}
	return at
}

// Prev is the position of the element before a position, which may be End, or 0.
func (l List) Prev(at int) int {
	if at == HeaderSize {
		return 0
	}
	at--
	n := int(l[at] & 0x7f)
	for shift := 7; l[at]&0x80 != 0; shift += 7 {
		at--
		n |= int(l[at]&0x7f) << shift
	}
	return at - n
}

// Skip is the position n elements behind a position. It is End if there are exactly n,
// and also if there are fewer.
func (l List) Skip(at, n int) int {
	for ; n > 0 && l[at] != tagEnd; n-- {
		at += l.SizeAt(at)
	}
	return at
}

// Seek is the position of the element with an index, or 0 if there is none. Negative
// indexes count from the tail: -1 is the last. It walks from the nearer end.
func (l List) Seek(index int) int {
	if n := l.count(); n != countUnknown {
		if index < 0 {
			index += n
		}
		if index < 0 || index >= n {
			return 0
		}
		if index > n/2 {
			index -= n
		}
	}
	if index < 0 {
		at := l.Last()
		for index++; index < 0 && at != 0; index++ {
			at = l.Prev(at)
		}
		return at
	}
	at := l.Skip(HeaderSize, index)
	if l[at] == tagEnd {
		return 0
	}
	return at
}

// sizes holds for each first byte of an entry the size of the entry, or 0 if that
// depends on what follows. A table, as the branches that it saves are hard to predict.
var sizes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c < tagText6:
			t[c] = 1 + 1
		case c < tagInt13:
			t[c] = uint8(1 + c&0x3f + 1)
		case c < tagText12:
			t[c] = 2 + 1
		}
	}
	t[tagInt16], t[tagInt24], t[tagInt32], t[tagInt64] = 3+1, 4+1, 5+1, 9+1
	return t
}()

// SizeAt is the size in bytes of the entry at a position.
func (l List) SizeAt(at int) int {
	if n := sizes[l[at]]; n != 0 {
		return int(n)
	}
	return l.longSize(at)
}

func (l List) longSize(at int) int {
	n := 0
	if l[at] < tagText32 {
		n = 2 + (int(l[at]&0x0f)<<8 | int(l[at+1]))
	} else {
		n = 5 + int(binary.LittleEndian.Uint32(l[at+1:]))
	}
	return n + backlenSize(n)
}

// Get is the element at a position.
func (l List) Get(at int) Elem {
	text, v := l.Value(at)
	return Elem{Bytes: text, Int: v, IsInt: text == nil}
}

// Read is the element at a position, and the position of the next one or 0.
func (l List) Read(at int) (e Elem, next int) { return l.Get(at), l.Next(at) }

// Value is Get in registers, which an Elem is too big for: a text that is not nil, or
// an integer. Walks that matter should use it.
func (l List) Value(at int) (text []byte, v int64) {
	c := l[at]
	switch {
	case c < tagText6:
		return nil, int64(c)
	case c < tagInt13:
		n := int(c & 0x3f)
		return l[at+1 : at+1+n : at+1+n], 0
	case c < tagText12:
		return nil, int64(uint64(c)<<8|uint64(l[at+1])) << 51 >> 51
	case c < tagText32:
		n := int(c&0x0f)<<8 | int(l[at+1])
		return l[at+2 : at+2+n : at+2+n], 0
	case c == tagText32:
		n := int(binary.LittleEndian.Uint32(l[at+1:]))
		return l[at+5 : at+5+n : at+5+n], 0
	}
	return nil, l.wideInt(at)
}

func (l List) wideInt(at int) int64 {
	b := l[at+1:]
	switch l[at] {
	case tagInt16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case tagInt24:
		return int64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8)
	case tagInt32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// Raw is the entries from one position to another, which may be End, as they are. They
// may be put into another list with InsertRaw.
func (l List) Raw(from, to int) []byte { return l[from:to:to] }
