package hll

import (
	"encoding/binary"
	"math/bits"
)

// seed is what Redis gives the hash.
const seed = 0xadc83b19

// Rank is where an element is counted: its register, and its rank.
func Rank(element []byte) (index int, rank uint8) {
	h := murmur64(element, seed)
	const all = 1 << (64 - indexBits) // so that the zeros end somewhere
	return int(h % Registers), uint8(bits.TrailingZeros64(h>>indexBits|all) + 1)
}

// murmur64 is MurmurHash64A of Austin Appleby, on little-endian words everywhere.
func murmur64(b []byte, seed uint64) uint64 {
	const (
		m = 0xc6a4a7935bd1e995
		r = 47
	)
	h := seed ^ uint64(len(b))*m
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		k ^= k >> r
		h = (h ^ k*m) * m
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h = (h ^ binary.LittleEndian.Uint64(tail[:])) * m
	}
	h = (h ^ h>>r) * m
	return h ^ h>>r
}
