package keyspace

import (
	"encoding/binary"
	"math"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/value"
)

// keptChunk is the number of bytes of a chunk of copied elements, unless one is larger.
const keptChunk = 64 << 10

// A kept is copies of elements, one behind the other, in chunks that go when they were
// read. An element takes its text and a few bytes: a flag byte, then what the flags name,
// in their order, lengths and integers as varints.
type kept struct {
	chunks [][]byte
	at     int // in the first chunk
}

// bytes is the memory of the copies.
func (k *kept) bytes() (n int64) {
	for _, b := range k.chunks {
		n += int64(cap(b))
	}
	return n
}

// Flags of a copied element.
const (
	keptName    = 1 << iota // there is a name
	keptNameInt             // which is an integer
	keptValue
	keptValueInt
	keptScore
	keptExpiry
	keptNode // with an ID
	keptPlain
)

// noFieldExpiry is what elements that are no nodes say that do not expire.
const noFieldExpiry = -1

// add copies an element.
func (k *kept) add(e value.Element) {
	need := 1 + 3*binary.MaxVarintLen64 + len(e.Name.Bytes) + len(e.Value.Bytes) + len(e.Node) + 4*8
	last := len(k.chunks) - 1
	if last < 0 || cap(k.chunks[last])-len(k.chunks[last]) < need {
		k.chunks = append(k.chunks, make([]byte, 0, max(keptChunk, need)))
		last++
	}
	b := k.chunks[last]
	at, flags := len(b), byte(0)
	b = append(b, 0)
	b = keepElem(b, e.Name, &flags, keptName)
	b = keepElem(b, e.Value, &flags, keptValue)
	if score := math.Float64bits(e.Score); score != 0 {
		flags |= keptScore
		b = binary.LittleEndian.AppendUint64(b, score)
	}
	if e.Node == nil && e.Expiry != noFieldExpiry {
		flags |= keptExpiry
		b = binary.LittleEndian.AppendUint64(b, uint64(e.Expiry))
	}
	if e.Node != nil {
		flags |= keptNode
		if e.IsPlain {
			flags |= keptPlain
		}
		b = binary.LittleEndian.AppendUint64(b, e.MS)
		b = binary.LittleEndian.AppendUint64(b, e.Seq)
		b = keepBytes(b, e.Node)
	}
	b[at] = flags
	k.chunks[last] = b
}

// keepElem copies a name or a value. The flag above the one for it says that it is an
// integer.
func keepElem(b []byte, e listpack.Elem, flags *byte, flag byte) []byte {
	switch {
	case e.IsInt:
		*flags |= flag | flag<<1
		return binary.AppendVarint(b, e.Int)
	case e.Bytes != nil:
		*flags |= flag
		return keepBytes(b, e.Bytes)
	}
	return b
}

func keepBytes(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// read calls fn for the next elements until enough returns true, and says whether more are
// left.
func (k *kept) read(fn func(e value.Element), enough func() bool) (more bool) {
	for len(k.chunks) > 0 {
		b := k.chunks[0]
		for k.at < len(b) {
			e, n := keptElement(b[k.at:])
			k.at += n
			fn(e)
			if enough() {
				break
			}
		}
		if k.at < len(b) {
			return true
		}
		k.chunks[0] = nil
		k.chunks, k.at = k.chunks[1:], 0
		if len(k.chunks) > 0 && enough() {
			return true
		}
	}
	return false
}

// keptElement is the first of copied elements, and the number of its bytes.
func keptElement(all []byte) (e value.Element, n int) {
	flags, b := all[0], all[1:]
	e.Name, b = keptElem(b, flags&keptName != 0, flags&keptNameInt != 0)
	e.Value, b = keptElem(b, flags&keptValue != 0, flags&keptValueInt != 0)
	if flags&keptScore != 0 {
		e.Score = math.Float64frombits(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	switch {
	case flags&keptExpiry != 0:
		e.Expiry = int64(binary.LittleEndian.Uint64(b))
		b = b[8:]
	case flags&keptNode == 0:
		e.Expiry = noFieldExpiry
	default:
		e.IsPlain = flags&keptPlain != 0
		e.MS, e.Seq = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		e.Node, b = keptBytes(b[16:])
	}
	return e, len(all) - len(b)
}

func keptElem(b []byte, is, isInt bool) (e listpack.Elem, rest []byte) {
	switch {
	case isInt:
		v, n := binary.Varint(b)
		return listpack.Int(v), b[n:]
	case is:
		e.Bytes, b = keptBytes(b)
	}
	return e, b
}

func keptBytes(b []byte) (text, rest []byte) {
	size, n := binary.Uvarint(b)
	b = b[n:]
	return b[:size:size], b[size:]
}
