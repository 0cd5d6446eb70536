package rdb

import (
	"encoding/binary"
	"math"
)

// The first byte of a length tells its form. From stringInt8 on it is no length:
// where a string is expected, it is one of the special string forms.
const (
	len14 = 0x40 // 6 bits here, 8 in the next byte
	len32 = 0x80 // 4 bytes big endian follow
	len64 = 0x81 // 8 bytes big endian follow

	stringInt8  = 0xc0
	stringInt16 = 0xc1 // little endian, as the next
	stringInt32 = 0xc2
	stringLZF   = 0xc3 // compressed length, length, compressed bytes
)

// lzfExpansionMax is how many bytes one byte of an LZF stream can become at
// most: a repetition of 264 bytes takes three.
const lzfExpansionMax = 88

// AppendLen appends n in the shortest of the four forms.
func AppendLen(dst []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(dst, byte(n))
	case n < 1<<14:
		return append(dst, len14|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, len32), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, len64), n)
	}
}

// lenBytes says how many bytes AppendLen takes for n.
func lenBytes(n uint64) int {
	switch {
	case n < 1<<6:
		return 1
	case n < 1<<14:
		return 2
	case n <= math.MaxUint32:
		return 5
	default:
		return 9
	}
}

// lenForm says how many bytes a length takes that begins with b, or 0 if none does.
func lenForm(b byte) int {
	switch {
	case b < len14:
		return 1
	case b < len32:
		return 2
	case b == len32:
		return 5
	case b == len64:
		return 9
	default:
		return 0
	}
}

// parseLen reads the length at the start of p, which holds lenForm(p[0]) bytes.
func parseLen(p []byte) uint64 {
	switch b := p[0]; {
	case b < len14:
		return uint64(b)
	case b < len32:
		return uint64(b&^len14)<<8 | uint64(p[1])
	case b == len32:
		return uint64(binary.BigEndian.Uint32(p[1:]))
	default:
		return binary.BigEndian.Uint64(p[1:])
	}
}

// A stringHead is what stands in front of a string's bytes.
type stringHead struct {
	size int    // bytes of the head itself
	body uint64 // bytes that follow it
	full uint64 // bytes of the string; not known, and 0, for the integer forms
	form byte   // stringInt8 ... stringLZF, or 0 for a plain string
}

// parseStringHead reads the head at the start of p.
//
// If p is too short for it, need says how many bytes are needed to go on, which
// isn't more than the head has: a reader on a socket must not wait for bytes
// that nobody is going to send. Otherwise need is 0.
func parseStringHead(p []byte) (h stringHead, need int, err error) {
	if len(p) == 0 {
		return h, 1, nil
	}
	switch p[0] {
	case stringInt8, stringInt16, stringInt32:
		return stringHead{form: p[0], size: 1, body: 1 << (p[0] - stringInt8)}, 0, nil
	case stringLZF:
		h.form, h.size = stringLZF, 1
		h.body, need, err = h.length(p)
		if need == 0 && err == nil {
			h.full, need, err = h.length(p)
		}
		return h, need, err
	default:
		h.body, need, err = h.length(p)
		h.full = h.body
		return h, need, err
	}
}

// length reads one length behind what is read of the head already.
func (h *stringHead) length(p []byte) (n uint64, need int, err error) {
	if len(p) == h.size {
		return 0, h.size + 1, nil
	}
	size := lenForm(p[h.size])
	if size == 0 {
		return 0, 0, errLength
	}
	if len(p) < h.size+size {
		return 0, h.size + size, nil
	}
	n = parseLen(p[h.size:])
	h.size += size
	return n, 0, nil
}
