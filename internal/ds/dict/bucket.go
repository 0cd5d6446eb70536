package dict

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/spineldb/spinel/internal/mem"
)

// Places is the number of references in a bucket.
const Places = 12

const bucketSize = 64

// A Bucket is one cache line of the table.
type Bucket struct {
	tags    [Places]uint8
	ttl     uint8
	flags   uint8
	version uint16
	refs    [Places]mem.Ref
}

const _ = uint(bucketSize - unsafe.Sizeof(Bucket{}))
const _ = uint(unsafe.Sizeof(Bucket{}) - bucketSize)

const (
	flagChained = 1 << iota
	flagBig     // the caller's: some record here is big, see SetBig
)

// Version is the epoch that the caller last stamped on the bucket.
func (b *Bucket) Version() uint16 { return b.version }

// Stamp sets the version.
func (b *Bucket) Stamp(v uint16) { b.version = v }

// TTL is the caller's hint about the expiry of the records in the bucket.
func (b *Bucket) TTL() uint8 { return b.ttl }

// SetTTL sets the hint.
func (b *Bucket) SetTTL(h uint8) { b.ttl = h }

// Big says whether SetBig was called since the bucket was made.
func (b *Bucket) Big() bool { return b.flags&flagBig != 0 }

// SetBig notes that a record in the bucket is big.
func (b *Bucket) SetBig() { b.flags |= flagBig }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// zeros has the high bit set of each byte of x that is zero. Bytes above a zero
// byte may be marked too, if they are one.
func zeros(x uint64) uint64 { return (x - ones) &^ x & highs }

func (b *Bucket) words() (lo, hi uint64) {
	p := unsafe.Pointer(b)
	lo = binary.LittleEndian.Uint64((*[8]byte)(p)[:])
	hi = uint64(binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(p, 8))[:]))
	return lo, hi
}

// places is the number of places for records: the last may hold the chain.
func (b *Bucket) places() int {
	if b.flags&flagChained != 0 {
		return Places - 1
	}
	return Places
}

func (b *Bucket) chained() bool { return b.flags&flagChained != 0 }

// empty is the first empty place, or -1.
func (b *Bucket) empty() int {
	lo, hi := b.words()
	if m := zeros(lo); m != 0 {
		return bits.TrailingZeros64(m) >> 3
	}
	if m := zeros(hi) & 0x80808080; m != 0 {
		if i := 8 + bits.TrailingZeros64(m)>>3; i < b.places() {
			return i
		}
	}
	return -1
}

// last is the last used place, or -1.
func (b *Bucket) last() int {
	for i := b.places() - 1; i >= 0; i-- {
		if b.tags[i] != 0 {
			return i
		}
	}
	return -1
}

// --- records ---

const longKey = 255

// HeadSize is the number of bytes that a record needs before its key.
func HeadSize(keyLen int) int {
	if keyLen < longKey {
		return 2
	}
	return 6
}

// PutHead writes a record's first bytes and its key, and returns their number.
//
//	kind, length, key                      for keys of up to 254 bytes
//	kind, 255, length in 4 bytes, key      for longer ones
func PutHead(rec []byte, kind uint8, key []byte) int {
	rec[0] = kind
	if len(key) < longKey {
		rec[1] = uint8(len(key))
		return 2 + copy(rec[2:], key)
	}
	rec[1] = longKey
	binary.LittleEndian.PutUint32(rec[2:], uint32(len(key)))
	return 6 + copy(rec[6:], key)
}

// KeyOf is the key of the record at p.
func KeyOf(p unsafe.Pointer) []byte {
	n := int(*(*uint8)(unsafe.Add(p, 1)))
	if n != longKey {
		return unsafe.Slice((*byte)(unsafe.Add(p, 2)), n)
	}
	n = int(binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(p, 2))[:]))
	return unsafe.Slice((*byte)(unsafe.Add(p, 6)), n)
}
