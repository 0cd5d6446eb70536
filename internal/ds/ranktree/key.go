package ranktree

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"

	"github.com/spineldb/spinel/internal/mem"
)

// headBytes is how much of a key is compared at once, as a number.
const headBytes = 8

// A Key is a byte string to look for or to insert, with its first eight bytes taken
// apart. It does not copy: the bytes it was made of must stay as they are.
type Key struct {
	head uint64 // the first bytes, big endian, padded with zeros
	tail []byte // those behind the head
	n    int    // of all bytes
}

// KeyOf is a key of plain bytes.
func KeyOf(b []byte) Key {
	if len(b) >= headBytes {
		return Key{binary.BigEndian.Uint64(b), b[headBytes:], len(b)}
	}
	var head uint64
	for i, c := range b {
		head |= uint64(c) << (56 - 8*i)
	}
	return Key{head: head, n: len(b)}
}

// Joined is the key of head's eight bytes, big endian, followed by tail.
func Joined(head uint64, tail []byte) Key { return Key{head, tail, headBytes + len(tail)} }

// ScoreKey is the key of a sorted set's element: score first, then the member.
func ScoreKey(score float64, member []byte) Key { return Joined(ScoreHead(score), member) }

// Len is the number of bytes.
func (k *Key) Len() int { return k.n }

// Append appends the key's bytes.
func (k *Key) Append(dst []byte) []byte {
	var b [headBytes]byte
	binary.BigEndian.PutUint64(b[:], k.head)
	return append(append(dst, b[:min(k.n, headBytes)]...), k.tail...)
}

// ScoreHead is a score as a number in the order of scores. There is no NaN among scores, and
// -0 is 0. Redis keeps the sign of a zero, and orders zeros by their members all the same: a
// key has no place for a bit that is not part of its order, since the member is its end; as
// payload it would cost every member a byte.
func ScoreHead(score float64) uint64 {
	b := math.Float64bits(score + 0) // -0 + 0 is 0
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// AppendScore appends the eight bytes that a key with that score begins with.
func AppendScore(dst []byte, score float64) []byte {
	return binary.BigEndian.AppendUint64(dst, ScoreHead(score))
}

// ScoreOf is the score that a key begins with.
func ScoreOf(key []byte) float64 {
	b := binary.BigEndian.Uint64(key)
	if b>>63 != 0 {
		return math.Float64frombits(b &^ (1 << 63))
	}
	return math.Float64frombits(^b)
}

// cut is the key of the first n bytes.
func (k *Key) cut(n int) Key {
	if n >= headBytes {
		return Key{k.head, k.tail[:n-headBytes], n}
	}
	return Key{head: k.head &^ (1<<(64-8*n) - 1), n: n}
}

// separator is the shortest key s with a < s <= b, where a < b.
func separator(a, b *Key) Key {
	n := min(a.n, b.n, bits.LeadingZeros64(a.head^b.head)/8)
	if n == headBytes {
		for n-headBytes < min(len(a.tail), len(b.tail)) && a.tail[n-headBytes] == b.tail[n-headBytes] {
			n++
		}
	}
	return b.cut(n + 1)
}

// --- keys in nodes ---

const (
	inlineMax  = 127 // bytes of a key that stands in the node
	longBit    = 0x80
	lengthMask = 0x7f

	// A longer key has a stub there: its first bytes, its length, and the block.
	stubPrefix = 24
	stubSize   = stubPrefix + 8
	longCode   = longBit | stubSize
)

// An entry is a key as it stands in a node: code says how many bytes of raw, and
// whether they are the key itself or a stub.
type entry struct {
	code uint8
	raw  [inlineMax]byte
}

func (e *entry) bytes() []byte { return e.raw[:e.code&lengthMask] }

// inlineSize is the number of bytes that a key of n bytes takes in a node.
func inlineSize(n int) int {
	if n > inlineMax {
		return stubSize
	}
	return n
}

// headOf is the first eight bytes of the n at p. With fewer, it reads those before p
// too: a node's head is in front of its keys.
func headOf(p unsafe.Pointer, n int) uint64 {
	n = min(n, headBytes)
	return binary.BigEndian.Uint64((*[headBytes]byte)(unsafe.Add(p, n-headBytes))[:]) << (64 - 8*n)
}

// compareTail puts the key with that code at p in order with k, -1, 0 or 1, where their
// heads are equal. If one has fewer than eight bytes, they differ in zeros at its end, if
// at all.
func compareTail(a *mem.Arena, p unsafe.Pointer, code uint8, k *Key) int {
	n := int(code & lengthMask)
	if n < headBytes || k.n < headBytes {
		return compareInts(n, k.n)
	}
	if code&longBit == 0 {
		return bytes.Compare(unsafe.Slice((*byte)(unsafe.Add(p, headBytes)), n-headBytes), k.tail)
	}
	const more = stubPrefix - headBytes
	prefix := unsafe.Slice((*byte)(unsafe.Add(p, headBytes)), more)
	if c := bytes.Compare(prefix, k.tail[:min(len(k.tail), more)]); c != 0 {
		return c
	}
	return bytes.Compare(longKey(a, p)[headBytes:], k.tail)
}

func compareInts(a, b int) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}
