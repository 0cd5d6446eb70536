package hashdir

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/spineldb/spinel/internal/mem"
)

const (
	chunkBitsMax = 10 // a chunk is a page at most
	joinBitsMax  = 8  // two chunks become one when both are a quarter of that

	refSize  = 4
	wordSize = 8
)

// Size is the number of bytes that Store writes.
const Size = 12

// A Dir is the root of a directory. The zero Dir is empty.
type Dir struct {
	sole uint64  // the word of the only chunk, if there is no top array
	tops mem.Ref // the top array
	top  uint8   // log2 of its length; 0: there is none
	deep uint8   // the most bits that any chunk tells apart
	next uint32  // where FreeSome goes on
}

// Load reads a root that Store wrote.
func (d *Dir) Load(b []byte) {
	ref, top, bits, deep := binary.LittleEndian.Uint32(b), b[4], b[5], b[6]
	*d = Dir{top: top, deep: deep, next: binary.LittleEndian.Uint32(b[8:])}
	if top == 0 {
		d.sole = pack(mem.Ref(ref), bits, 0)
	} else {
		d.tops = mem.Ref(ref)
	}
}

// Store writes the root into Size bytes.
func (d *Dir) Store(b []byte) {
	ref := d.tops
	if d.top == 0 {
		ref = refIn(d.sole)
	}
	binary.LittleEndian.PutUint32(b, uint32(ref))
	b[4], b[5], b[6], b[7] = d.top, uint8(bitsIn(d.sole)), d.deep, 0
	binary.LittleEndian.PutUint32(b[8:], d.next)
}

// A chunk's word.
func pack(r mem.Ref, bits, depth uint8) uint64 {
	return uint64(r) | uint64(bits)<<32 | uint64(depth)<<40
}

func refIn(w uint64) mem.Ref { return mem.Ref(w) }
func bitsIn(w uint64) uint   { return uint(w >> 32 & 0xff) }
func depthIn(w uint64) uint  { return uint(w >> 40 & 0xff) }

// reachIn is the number of bits that the chunk tells apart.
func reachIn(w uint64) uint { return bitsIn(w) + depthIn(w) }

func entry(a *mem.Arena, r mem.Ref, i uint64) *[refSize]byte {
	return (*[refSize]byte)(unsafe.Add(a.Ptr(r), i*refSize))
}

func get(a *mem.Arena, chunk mem.Ref, i uint64) mem.Ref {
	return mem.Ref(binary.LittleEndian.Uint32(entry(a, chunk, i)[:]))
}

func set(a *mem.Arena, chunk mem.Ref, i uint64, r mem.Ref) {
	binary.LittleEndian.PutUint32(entry(a, chunk, i)[:], uint32(r))
}

func (d *Dir) wordAt(a *mem.Arena, i uint64) uint64 {
	if d.top == 0 {
		return d.sole
	}
	return binary.LittleEndian.Uint64((*[wordSize]byte)(unsafe.Add(a.Ptr(d.tops), i*wordSize))[:])
}

// word is the chunk for a hash.
func (d *Dir) word(a *mem.Arena, hash uint64) uint64 { return d.wordAt(a, hash>>(64-d.top)) }

// setWord puts a chunk's word in all its places; hash is any of its hashes.
func (d *Dir) setWord(a *mem.Arena, hash, w uint64) {
	d.deep = max(d.deep, uint8(reachIn(w)))
	if d.top == 0 {
		d.sole = w
		return
	}
	width := uint64(1) << (uint(d.top) - depthIn(w))
	first := hash >> (64 - d.top) &^ (width - 1)
	for i := range width {
		d.setWordAt(a, first+i, w)
	}
}

func (d *Dir) setWordAt(a *mem.Arena, i, w uint64) {
	binary.LittleEndian.PutUint64((*[wordSize]byte)(unsafe.Add(a.Ptr(d.tops), i*wordSize))[:], w)
}

// Position spreads random hashes so that the density of positions doubles from the first
// to the last, evenly on a logarithmic scale. Owners give positions in the place of
// hashes to the directory.
//
// With even positions all leaves fill and split at the same time. Their sizes move
// through the size classes of the arena as one wave, which leaves half-empty spans
// behind: a set of 16-byte members held 23 % more than was live. With these positions,
// at every number of elements as many leaves have one size as have another, every class's
// blocks only become more, and growth costs the same at all times. This is the density
// of Martin's spiral storage, 2^x, whose integral is approximated by a parabola.
func Position(hash uint64) uint64 {
	bend, _ := bits.Mul64(hash, ^hash)
	return hash + bend/3
}

// Find is the leaf for a hash; 0 if the directory is empty.
func (d *Dir) Find(a *mem.Arena, hash uint64) mem.Ref {
	w := d.word(a, hash)
	bits := bitsIn(w)
	if bits == 0 {
		return refIn(w)
	}
	return get(a, refIn(w), hash<<depthIn(w)>>(64-bits))
}

// IsEmpty says whether there is no leaf.
func (d *Dir) IsEmpty() bool { return d.top == 0 && d.sole == 0 }

// IsSingle says whether there is one leaf, or none.
func (d *Dir) IsSingle() bool { return d.top == 0 && bitsIn(d.sole) == 0 }

// Deep is a depth that no leaf exceeds.
func (d *Dir) Deep() uint { return uint(d.deep) }

// Replace puts a leaf of the given depth in the place of the one for a hash. In an empty
// directory it puts the first, of depth 0.
func (d *Dir) Replace(a *mem.Arena, hash uint64, depth uint, leaf mem.Ref) {
	d.fill(a, d.word(a, hash), hash, depth, leaf)
}

// fill makes all entries of a chunk that a leaf of the given depth covers name it.
func (d *Dir) fill(a *mem.Arena, w, hash uint64, depth uint, leaf mem.Ref) {
	bits := bitsIn(w)
	if bits == 0 {
		d.setWord(a, hash, w&^0xffffffff|uint64(leaf))
		return
	}
	run := uint64(1) << (reachIn(w) - depth)
	first := hash << depthIn(w) >> (64 - bits) &^ (run - 1)
	for i := range run {
		set(a, refIn(w), first+i, leaf)
	}
}

// Next is the first hash behind the leaf of the given depth that hash belongs to, or 0
// if it is the last.
func Next(hash uint64, depth uint) uint64 { return First(hash, depth) + 1<<(64-depth) }

// First is the first hash of the leaf of the given depth that hash belongs to.
func First(hash uint64, depth uint) uint64 { return hash &^ (1<<(64-depth) - 1) }

// eachChunk calls fn with the word of every chunk, in order, and its first hash.
func (d *Dir) eachChunk(a *mem.Arena, fn func(w, hash uint64) bool) {
	if d.IsEmpty() {
		return
	}
	for i := uint64(0); i < 1<<d.top; {
		w := d.wordAt(a, i)
		if !fn(w, i<<(64-d.top)) {
			return
		}
		i += 1 << (uint(d.top) - depthIn(w))
	}
}

// AppendLeaves appends all leaves in the order of their hashes. It does not read them.
func (d *Dir) AppendLeaves(a *mem.Arena, dst []mem.Ref) []mem.Ref {
	d.eachChunk(a, func(w, _ uint64) bool {
		if bitsIn(w) == 0 {
			dst = append(dst, refIn(w))
			return true
		}
		last := mem.Ref(0)
		for i := range uint64(1) << bitsIn(w) {
			if r := get(a, refIn(w), i); r != last {
				dst, last = append(dst, r), r
			}
		}
		return true
	})
	return dst
}

// FreeSome calls drop for about budget leaves, frees the chunks that they were in, and
// says whether the directory is gone. Only FreeSome may be called after it.
func (d *Dir) FreeSome(a *mem.Arena, budget int, drop func(mem.Ref)) (done bool) {
	for !d.IsEmpty() {
		if budget <= 0 {
			return false
		}
		i := uint64(d.next)
		w := d.wordAt(a, i)
		if bitsIn(w) == 0 {
			drop(refIn(w))
			budget--
		} else {
			var left bool
			if budget, left = drain(a, w, budget, drop); left {
				return false
			}
			a.Free(refIn(w))
		}
		if i += 1 << (uint(d.top) - depthIn(w)); i == 1<<d.top {
			if d.top != 0 {
				a.Free(d.tops)
			}
			*d = Dir{}
			return true
		}
		d.next = uint32(i)
	}
	return true
}

// drain drops leaves of a chunk and leaves zeros where they were.
func drain(a *mem.Arena, w uint64, budget int, drop func(mem.Ref)) (rest int, left bool) {
	last := mem.Ref(0)
	for i := range uint64(1) << bitsIn(w) {
		r := get(a, refIn(w), i)
		if r != last && r != 0 {
			if budget <= 0 {
				return 0, true
			}
			drop(r)
			budget--
		}
		last = r
		set(a, refIn(w), i, 0)
	}
	return budget, false
}

// Bytes is the memory of the directory's own blocks.
func (d *Dir) Bytes(a *mem.Arena) (n int64) {
	d.eachChunk(a, func(w, _ uint64) bool {
		if bitsIn(w) != 0 {
			n += int64(a.Cap(refIn(w)))
		}
		return true
	})
	if d.top != 0 {
		n += int64(a.Cap(d.tops))
	}
	return n
}
