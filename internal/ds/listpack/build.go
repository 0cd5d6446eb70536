package listpack

import (
	"encoding/binary"
	"slices"
)

// AppendEmpty appends a list without elements.
func AppendEmpty(dst []byte) []byte {
	return append(dst, EmptySize, 0, 0, 0, 0, 0, tagEnd)
}

// AppendHeader begins a list that is built with AppendElem and Finish. A list that is
// built into a block, dst being its first no bytes, stays there if it has room.
func AppendHeader(dst []byte) []byte { return append(dst, 0, 0, 0, 0, 0, 0) }

// AppendElem appends the entry of an element.
func AppendElem(dst []byte, e Elem) []byte {
	at := len(dst)
	dst = slices.Grow(dst, e.Size())[:at+e.Size()]
	e.put(dst[at:])
	return dst
}

// Finish ends a list of n elements, which begins at start in dst.
func Finish(dst []byte, start, n int) []byte {
	dst = append(dst, tagEnd)
	l := dst[start:]
	binary.LittleEndian.PutUint32(l, uint32(len(l)))
	setCount(l, n)
	return dst
}

// Build makes dst the list of the n elements that the parts hold together, which come
// from Raw. Dst has EmptySize bytes more than they. The first part may lie in dst where
// it belongs already.
func Build(dst []byte, n int, parts ...[]byte) {
	at := HeaderSize
	for _, part := range parts {
		at += copy(dst[at:], part)
	}
	dst[at] = tagEnd
	binary.LittleEndian.PutUint32(dst, uint32(at+1))
	setCount(dst, n)
}

// Split makes dst the list of the n elements of the list in b from a position on, and
// removes them from b. It returns the new size of what is in b; dst has RestSize(at)
// bytes.
func Split(dst, b []byte, at, n int) (size int) {
	l := In(b)
	Build(dst, n, l.Raw(at, l.End()))
	return DeleteRaw(b, at, l.End(), n)
}

// RestSize is the size of a list of the elements from a position on.
func (l List) RestSize(at int) int { return EmptySize + l.End() - at }

// Join makes dst the list of a's elements and then b's. Its length is
// JoinedSize(a, b). A may be what dst begins with.
func Join(dst []byte, a, b List) {
	n := countUnknown
	if x, y := a.count(), b.count(); x != countUnknown && y != countUnknown {
		n = x + y
	}
	Build(dst, n, a.Raw(HeaderSize, a.End()), b.Raw(HeaderSize, b.End()))
}

// JoinedSize is the size of the list that Join makes.
func JoinedSize(a, b List) int { return len(a) + len(b) - EmptySize }
