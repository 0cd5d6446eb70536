package lzf

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

const (
	// hashBits sets the size of the table, which is 4 bytes wide: 64 KiB. Twice
	// the window leaves few of its positions overwritten.
	hashBits = 14

	// minSaved is what compression must save, in bytes. As in Redis: the longer
	// header of a compressed string would eat what is less.
	minSaved = 4

	// maxInput keeps positions within 32 bits. Longer strings stay as they are.
	maxInput = math.MaxInt32

	// The search steps over what doesn't compress: one position more for every
	// 2^skipShift literals since the last repetition, up to maxStep. Longer steps
	// would be blind to what is compressible behind a long stretch of noise.
	skipShift = 7
	maxStep   = 16
)

// A Compressor is the memory of the search for repetitions, kept by the caller
// so that compressing allocates nothing. It carries nothing from one string to
// the next: the output depends on the input only. Its zero value is ready. It
// is not safe for concurrent use.
type Compressor struct {
	// table holds, by the hash of three bytes, base plus the position where they
	// were last seen. What is less than base is left over from older strings,
	// which saves clearing the table for each.
	table [1 << hashBits]uint32
	base  uint32
}

// AppendCompressed appends the LZF stream for src to dst and says true, or
// returns dst as it was and false if the stream would not be at least 4 bytes
// shorter than src. It allocates only if dst has no room for len(src) bytes.
func (c *Compressor) AppendCompressed(dst, src []byte) ([]byte, bool) {
	if len(src) <= minSaved || len(src) > maxInput {
		return dst, false
	}
	base := c.begin(len(src))
	dst = slices.Grow(dst, len(src))
	out := dst[len(dst) : len(dst)+len(src)-minSaved]

	used := 0     // bytes of out that are written
	literals := 0 // where the literals begin that are not written yet
	for pos := 0; pos+4 <= len(src); {
		four := binary.LittleEndian.Uint32(src[pos:])
		slot := &c.table[hash3(four)]
		seen := *slot
		*slot = base + uint32(pos)
		from := int(seen - base)
		if seen < base || pos-from > maxDistance ||
			(binary.LittleEndian.Uint32(src[from:])^four)<<8 != 0 {
			pos += min(1+(pos-literals)>>skipShift, maxStep)
			continue
		}

		n := minMatch + matchLen(src, from+minMatch, pos+minMatch, maxMatch-minMatch)
		used = putLiterals(out, used, src[literals:pos])
		if used < 0 {
			return dst, false
		}
		used = putMatch(out, used, pos-from, n)
		if used < 0 {
			return dst, false
		}
		pos += n
		literals = pos
		c.learn(src, base, pos)
	}
	used = putLiterals(out, used, src[literals:])
	if used < 0 {
		return dst, false
	}
	return dst[:len(dst)+used], true
}

// begin makes what the table holds stale, and returns the base for a string of
// n bytes.
func (c *Compressor) begin(n int) uint32 {
	if c.base == 0 || uint32(n) > math.MaxUint32-c.base {
		clear(c.table[:])
		c.base = 1 // so that the zeros of an empty table are stale
	}
	base := c.base
	c.base += uint32(n)
	return base
}

// learn enters the last two positions inside a repetition that ended before
// pos. Entering all of them costs more time than it saves space.
func (c *Compressor) learn(src []byte, base uint32, pos int) {
	if pos+2 > len(src) {
		return
	}
	c.table[hash3(binary.LittleEndian.Uint32(src[pos-2:]))] = base + uint32(pos-2)
	if pos+3 <= len(src) {
		c.table[hash3(binary.LittleEndian.Uint32(src[pos-1:]))] = base + uint32(pos-1)
	}
}

// hash3 spreads the three low bytes of four over the table.
func hash3(four uint32) uint32 {
	return (four << 8) * 0x9e3779b1 >> (32 - hashBits)
}

// matchLen counts the bytes from a and from b on that are equal, up to limit or
// the end of src. It needs a < b.
func matchLen(src []byte, a, b, limit int) int {
	limit = min(limit, len(src)-b)
	n := 0
	for n+8 <= limit {
		differ := binary.LittleEndian.Uint64(src[a+n:]) ^ binary.LittleEndian.Uint64(src[b+n:])
		if differ != 0 {
			return n + bits.TrailingZeros64(differ)/8
		}
		n += 8
	}
	for n < limit && src[a+n] == src[b+n] {
		n++
	}
	return n
}

// putLiterals writes literal items at out[used:] and returns how much of out is
// used then, or -1 if they don't fit.
func putLiterals(out []byte, used int, literals []byte) int {
	if len(literals)+(len(literals)+maxLiterals-1)/maxLiterals > len(out)-used {
		return -1
	}
	for len(literals) > 0 {
		n := min(len(literals), maxLiterals)
		out[used] = byte(n - 1)
		copy(out[used+1:], literals[:n])
		used += 1 + n
		literals = literals[n:]
	}
	return used
}

// putMatch writes a repetition item at out[used:] and returns how much of out
// is used then, or -1 if it doesn't fit.
func putMatch(out []byte, used, distance, n int) int {
	if len(out)-used < 3 {
		return -1 // the short form might fit still, but hardly ever decides
	}
	d := distance - 1
	if n <= 8 {
		out[used] = byte(n-2)<<5 | byte(d>>8)
		out[used+1] = byte(d)
		return used + 2
	}
	out[used] = 7<<5 | byte(d>>8)
	out[used+1] = byte(n - 9)
	out[used+2] = byte(d)
	return used + 3
}
