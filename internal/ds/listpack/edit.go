package listpack

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/invariant"
)

// Insert puts an element before the one at a position of the list in b; at End it
// becomes the last. B has room for e.Size() bytes more. It returns the new size.
func Insert(b []byte, at int, e Elem) (size int) {
	size = splice(b, at, 0, e.Size(), 1)
	e.put(b[at:])
	return size
}

// Append puts an element behind the last. B has room for e.Size() bytes more. It
// returns the new size.
func Append(b []byte, e Elem) (size int) { return Insert(b, In(b).End(), e) }

// Prepend puts an element before the first. B has room for e.Size() bytes more. It
// returns the new size.
func Prepend(b []byte, e Elem) (size int) { return Insert(b, HeaderSize, e) }

// Replace puts an element in the place of the one at a position. B has room for the
// difference of e.Size() and SizeAt(at), if it is positive. It returns the new size.
func Replace(b []byte, at int, e Elem) (size int) {
	size = splice(b, at, In(b).SizeAt(at), e.Size(), 0)
	e.put(b[at:])
	return size
}

// Delete removes up to n elements from a position on. What is behind them is at that
// position afterwards. It returns the new size.
func Delete(b []byte, at, n int) (size int) {
	l := In(b)
	end, deleted := at, 0
	for ; deleted < n && l[end] != tagEnd; deleted++ {
		end += l.SizeAt(end)
	}
	return DeleteRaw(b, at, end, deleted)
}

// DeleteRaw removes the n elements between two positions, the second of which may be
// End. It returns the new size.
func DeleteRaw(b []byte, from, to, n int) (size int) {
	return splice(b, from, to-from, 0, -n)
}

// InsertRaw puts n entries, which come from Raw, before the one at a position. B has
// room for them. It returns the new size.
func InsertRaw(b []byte, at int, entries []byte, n int) (size int) {
	size = splice(b, at, 0, len(entries), n)
	copy(b[at:], entries)
	return size
}

// SizeAll is the number of bytes that all the elements take in a list.
func SizeAll(elems [][]byte) int {
	n := 0
	for _, b := range elems {
		n += EntrySize(b)
	}
	return n
}

// AppendAll puts elements behind the last, in their order. B has room for SizeAll bytes
// more. It returns the new size.
func AppendAll(b []byte, elems [][]byte) (size int) {
	size = len(In(b))
	at := size - 1
	for _, text := range elems {
		at += Text(text).put(b[at:])
	}
	b[at] = tagEnd
	return resize(b, at+1, len(elems))
}

// PrependAll puts each element before the first, one after another as LPUSH does, so
// that the last of them becomes the first. B has room for SizeAll bytes more. It returns
// the new size.
func PrependAll(b []byte, elems [][]byte) (size int) {
	size = splice(b, HeaderSize, 0, SizeAll(elems), len(elems))
	at := HeaderSize
	for i := len(elems) - 1; i >= 0; i-- {
		at += Text(elems[i]).put(b[at:])
	}
	return size
}

// splice makes room bytes, which the caller fills, out of the cut bytes at a position.
// There are more elements more than before.
func splice(b []byte, at, cut, room, more int) (size int) {
	old := len(In(b))
	size = old - cut + room
	if invariant.Enabled && (size > len(b) || at < HeaderSize || at+cut >= old) {
		invariant.Check(false, "listpack: %d bytes for %d at %d of %d; room %d", room, cut, at, old, len(b))
	}
	copy(b[at+room:size], b[at+cut:old])
	return resize(b, size, more)
}

// resize makes the header right for a list of size bytes that has more elements more
// than it says. Who shrinks a list whose count is unknown counts it once, as soon as it
// is certain that the count can be written down.
func resize(b []byte, size, more int) int {
	binary.LittleEndian.PutUint32(b, uint32(size))
	n := List(b).count()
	if n != countUnknown {
		setCount(b, n+more)
	} else if more < 0 && size < EmptySize+2*countUnknown {
		setCount(b, List(b[:size]).Count(HeaderSize, size-1))
	}
	return size
}

func setCount(b []byte, n int) {
	binary.LittleEndian.PutUint16(b[4:], uint16(min(n, countUnknown)))
}
