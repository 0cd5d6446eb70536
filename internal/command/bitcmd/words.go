package bitcmd

import (
	"encoding/binary"
	"math/bits"
)

// A word is eight bytes, and a block four words: loops over blocks keep the processor
// busy where single words would leave it waiting for the sum.
const (
	word  = 8
	block = 4 * word
)

// ones counts the bits that are set.
func ones(b []byte) (n int64) {
	var n0, n1, n2, n3 int
	for len(b) >= block {
		n0 += bits.OnesCount64(binary.LittleEndian.Uint64(b))
		n1 += bits.OnesCount64(binary.LittleEndian.Uint64(b[word:]))
		n2 += bits.OnesCount64(binary.LittleEndian.Uint64(b[2*word:]))
		n3 += bits.OnesCount64(binary.LittleEndian.Uint64(b[3*word:]))
		b = b[block:]
	}
	n = int64(n0 + n1 + n2 + n3)
	for ; len(b) >= word; b = b[word:] {
		n += int64(bits.OnesCount64(binary.LittleEndian.Uint64(b)))
	}
	for _, v := range b {
		n += int64(bits.OnesCount8(v))
	}
	return n
}

// onesBetween counts the bits that are set from one bit to another, both included.
func onesBetween(b []byte, from, to int64) int64 {
	first, last := from/8, to/8
	n := ones(b[first : last+1])
	n -= int64(bits.OnesCount8(b[first] & ^headMask(from)))
	return n - int64(bits.OnesCount8(b[last] & ^tailMask(to)))
}

// headMask are the bits of a byte from a bit on, tailMask those up to a bit.
func headMask(from int64) byte { return 0xff >> (from % 8) }

func tailMask(to int64) byte { return 0xff << (7 - to%8) }

// find is the first place of a bit, 0 or 1, from one bit to another, both included; -1
// if there is none.
func find(b []byte, bit byte, from, to int64) int64 {
	flip := bit - 1 // all ones where zeros are sought, so that ones always are
	first, last := from/8, to/8
	if first == last {
		return placed(first, (b[first]^flip)&headMask(from)&tailMask(to))
	}
	if at := placed(first, (b[first]^flip)&headMask(from)); at >= 0 {
		return at
	}
	at := first + 1 + skip(b[first+1:last], flip)
	if at == last {
		return placed(last, (b[last]^flip)&tailMask(to))
	}
	return placed(at, b[at]^flip)
}

// placed is the place of the first bit of byte i.
func placed(i int64, v byte) int64 {
	if v == 0 {
		return -1
	}
	return 8*i + int64(bits.LeadingZeros8(v))
}

// skip counts the bytes at the beginning that are all equal to v.
func skip(b []byte, v byte) (n int64) {
	all := uint64(v) * 0x0101010101010101
	rest := b
	for len(rest) >= block {
		w0, w1 := binary.LittleEndian.Uint64(rest)^all, binary.LittleEndian.Uint64(rest[word:])^all
		w2, w3 := binary.LittleEndian.Uint64(rest[2*word:])^all, binary.LittleEndian.Uint64(rest[3*word:])^all
		if w0|w1|w2|w3 != 0 {
			break
		}
		rest = rest[block:]
	}
	for len(rest) > 0 && rest[0] == v {
		rest = rest[1:]
	}
	return int64(len(b) - len(rest))
}

// The functions below combine src into dst, which is at least as long. Behind the end of
// src there are zeros.

func and(dst, src []byte) {
	clear(dst[len(src):])
	dst = dst[:len(src)]
	for len(src) >= word && len(dst) >= word {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(dst)&binary.LittleEndian.Uint64(src))
		dst, src = dst[word:], src[word:]
	}
	for i, v := range src {
		dst[i] &= v
	}
}

func or(dst, src []byte) {
	for len(src) >= word && len(dst) >= word {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(dst)|binary.LittleEndian.Uint64(src))
		dst, src = dst[word:], src[word:]
	}
	for i, v := range src {
		dst[i] |= v
	}
}

func xor(dst, src []byte) {
	for len(src) >= word && len(dst) >= word {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(dst)^binary.LittleEndian.Uint64(src))
		dst, src = dst[word:], src[word:]
	}
	for i, v := range src {
		dst[i] ^= v
	}
}

// without takes the bits of src out of dst.
func without(dst, src []byte) {
	for len(src) >= word && len(dst) >= word {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(dst)&^binary.LittleEndian.Uint64(src))
		dst, src = dst[word:], src[word:]
	}
	for i, v := range src {
		dst[i] &^= v
	}
}

// not turns every bit of b.
func not(b []byte) {
	for ; len(b) >= word; b = b[word:] {
		binary.LittleEndian.PutUint64(b, ^binary.LittleEndian.Uint64(b))
	}
	for i := range b {
		b[i] = ^b[i]
	}
}

// again adds to twice the bits that are in both once and src.
func again(twice, once, src []byte) {
	for len(src) >= word && len(once) >= word && len(twice) >= word {
		binary.LittleEndian.PutUint64(twice, binary.LittleEndian.Uint64(twice)|
			binary.LittleEndian.Uint64(once)&binary.LittleEndian.Uint64(src))
		twice, once, src = twice[word:], once[word:], src[word:]
	}
	for i, v := range src {
		twice[i] |= once[i] & v
	}
}
