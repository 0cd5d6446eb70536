package lzf

import (
	"encoding/binary"
	"errors"
	"slices"
)

// What can be wrong with a stream. Who reads it knows its place and wraps them.
var (
	errBadLength = errors.New("lzf: no stream of this size has that uncompressed length")
	errTruncated = errors.New("lzf: stream ends inside an item")
	errReference = errors.New("lzf: repetition from before the start")
	errTooLong   = errors.New("lzf: stream is longer than its uncompressed length")
	errTooShort  = errors.New("lzf: stream is shorter than its uncompressed length")
)

// AppendDecompressed appends the content of the stream src, which must be
// exactly uncompressedLen bytes long, to dst. On an error it returns dst as it
// was.
//
// It grows dst by uncompressedLen at most, and only if src is long enough to
// hold that much: 88 bytes for each of its own. Repetitions can't reach into
// what dst held before.
func AppendDecompressed(dst, src []byte, uncompressedLen int) ([]byte, error) {
	if uncompressedLen < 0 || int64(uncompressedLen) > maxExpansion*int64(len(src)) {
		return dst, errBadLength
	}
	dst = slices.Grow(dst, uncompressedLen)
	out := dst[len(dst) : len(dst)+uncompressedLen]
	if err := decompress(out, src); err != nil {
		return dst, err
	}
	return dst[:len(dst)+uncompressedLen], nil
}

// decompress fills out, neither more nor less, from src.
func decompress(out, src []byte) error {
	used := 0 // bytes of out that are written
	for len(src) > 0 {
		control := int(src[0])
		src = src[1:]
		if control < maxLiterals {
			n := control + 1
			if n > len(src) {
				return errTruncated
			}
			if n > len(out)-used {
				return errTooLong
			}
			if n <= 8 && len(src) >= 8 && len(out)-used >= 8 {
				// One move whatever n is, without a call. What it writes past n
				// is written again by the items that follow, or else an error.
				binary.LittleEndian.PutUint64(out[used:], binary.LittleEndian.Uint64(src))
				used += n
			} else {
				used += copy(out[used:], src[:n])
			}
			src = src[n:]
			continue
		}

		n := control>>5 + 2
		if n == 9 {
			if len(src) == 0 {
				return errTruncated
			}
			n += int(src[0])
			src = src[1:]
		}
		if len(src) == 0 {
			return errTruncated
		}
		from := used - ((control&0x1f)<<8 | int(src[0])) - 1
		src = src[1:]
		if from < 0 {
			return errReference
		}
		if n > len(out)-used {
			return errTooLong
		}
		if n <= 8 && used-from >= n && len(out)-used >= 8 {
			binary.LittleEndian.PutUint64(out[used:], binary.LittleEndian.Uint64(out[from:]))
			used += n
			continue
		}
		// A repetition that overlaps itself has a period of used-from bytes, and
		// so has what each round writes: the piece to copy doubles every time.
		for end := used + n; used < end; {
			used += copy(out[used:end], out[from:used])
		}
	}
	if used < len(out) {
		return errTooShort
	}
	return nil
}
