package quicklist

import (
	"encoding/binary"
	"math"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/lzf"
	"github.com/spineldb/spinel/internal/mem"
)

// Flags of a node, in the last byte of its leaf's head.
const (
	flagLZF   = 1 << iota // its content is compressed
	flagPlain             // its content is one element and not a list
	flagGap               // its list begins behind a gap
	flagTried             // its content does not compress
)

const (
	flagsAt = leaf.HeadSize - 1

	listStart  = leaf.HeadSize     // of a list without a gap
	gapStart   = leaf.HeadSize + 4 // of the gap, behind its size
	plainStart = leaf.HeadSize + 8
	lzfStart   = leaf.HeadSize + 8
)

// As in Redis, nodes are not worth compressing below a size, or for so little.
const (
	compressMin     = 48
	compressSaveMin = 8
)

// Options are what a list must be told whenever it is changed, as it does not remember
// them: two options of the server and one of DEBUG.
type Options struct {
	// Fill is list-max-listpack-size. A node has up to Fill elements and 8 KiB; or
	// from -1 to -5 up to 4, 8, 16, 32, 64 KiB.
	Fill int
	// Depth is list-compress-depth: how many nodes from both ends are not compressed, or
	// 0 if none is.
	Depth int
	// PackedThreshold is the size in bytes from which on an element is alone in its
	// node, and not in a list. It is 0 if Fill says so.
	PackedThreshold int
	Scratch         *Scratch
}

// A Scratch is memory for compressed nodes, which any number of lists share. It is not
// safe for concurrent use.
type Scratch struct {
	compressor  lzf.Compressor
	raw, packed []byte
}

// scratchMax is how many bytes of a buffer are kept for the next node.
const scratchMax = 1 << 20

const safetyLimit = 8 << 10 // bytes of a node whose elements are counted

// limits is how much a node may have.
func (o *Options) limits() (bytes int, elements uint32) {
	if o.Fill >= 0 {
		return safetyLimit, uint32(min(max(o.Fill, 1), math.MaxUint16/2))
	}
	return 2 << 10 << min(-o.Fill, 5), math.MaxUint32
}

// isLarge says whether an element of n bytes gets a node of its own.
func (o *Options) isLarge(n int) bool {
	if o.PackedThreshold > 0 {
		return n >= min(o.PackedThreshold, listpack.SizeMax)
	}
	bytes, _ := o.limits()
	return n > bytes
}

// elementOverhead is what Redis reckons for an element when it asks whether it fits.
// That it reckons too much leaves room for a leaf's head in a block of 8 KiB.
const elementOverhead = 8

// fits says whether one more element of so many bytes may come to a node.
func (o *Options) fits(n node, count uint32, elem int) bool {
	bytes, elements := o.limits()
	return n.flags&flagPlain == 0 && count < elements && n.raw+elem+elementOverhead <= bytes && !o.isLarge(elem)
}

// fitTogether says whether two nodes may become one.
func (o *Options) fitTogether(l, r node, count uint32) bool {
	bytes, elements := o.limits()
	return (l.flags|r.flags)&flagPlain == 0 && count <= elements && l.raw+r.raw-listpack.EmptySize <= bytes
}

// A node is where things are in a leaf.
type node struct {
	start int // of the content
	size  int // of the content as it is stored, in bytes
	raw   int // the same when it is not compressed
	flags byte
}

// end is behind the content.
func (n node) end() int { return n.start + n.size }

func look(a *mem.Arena, r mem.Ref) node {
	b := a.Bytes(r, lzfStart) // the smallest leaf has 13 bytes
	n := node{flags: b[flagsAt]}
	switch {
	case n.flags&flagLZF != 0:
		n.start = lzfStart
		n.raw = int(binary.LittleEndian.Uint32(b[leaf.HeadSize:]))
		n.size = int(binary.LittleEndian.Uint32(b[leaf.HeadSize+4:]))
		return n
	case n.flags&flagPlain != 0:
		n.start = plainStart
		n.size = int(binary.LittleEndian.Uint64(b[leaf.HeadSize:]))
	case n.flags&flagGap != 0:
		n.start = int(binary.LittleEndian.Uint32(b[leaf.HeadSize:]))
		n.size = int(binary.LittleEndian.Uint32(a.Bytes(r, n.start+4)[n.start:]))
	default:
		n.start = listStart
		n.size = int(binary.LittleEndian.Uint32(b[listStart:]))
	}
	n.raw = n.size
	return n
}

// stored is the content of a node as it is.
func (n node) stored(a *mem.Arena, r mem.Ref) []byte { return a.Bytes(r, n.end())[n.start:] }

// content is the content of a node, decompressed into s if it is compressed. It is valid
// until s is used again or the list is changed.
func (n node) content(a *mem.Arena, r mem.Ref, s *Scratch) []byte {
	b := n.stored(a, r)
	if n.flags&flagLZF == 0 {
		return b
	}
	if cap(s.raw) > scratchMax {
		s.raw = nil
	}
	raw, err := lzf.AppendDecompressed(s.raw[:0], b, n.raw)
	if err != nil {
		panic("BUG: quicklist: " + err.Error())
	}
	s.raw = raw
	return raw
}

// setStart says where the list of a leaf begins.
func setStart(b []byte, start int) {
	if start == listStart {
		b[flagsAt] = 0
		return
	}
	b[flagsAt] = flagGap
	binary.LittleEndian.PutUint32(b[leaf.HeadSize:], uint32(start))
}

// putHeader writes the header of a list.
func putHeader(b []byte, size int, count uint32) {
	binary.LittleEndian.PutUint32(b, uint32(size))
	binary.LittleEndian.PutUint16(b[4:], uint16(min(count, math.MaxUint16)))
}

// newLeaf returns a node with a copy of a list or plain element, or 0.
func newLeaf(h leaf.Heap, plain bool, content []byte) mem.Ref {
	start := listStart
	if plain {
		start = plainStart
	}
	r := h.New(start + len(content))
	if r == 0 {
		return 0
	}
	b := h.Bytes(r, start+len(content))
	if plain {
		b[flagsAt] = flagPlain
		binary.LittleEndian.PutUint64(b[leaf.HeadSize:], uint64(len(content)))
	}
	copy(b[start:], content)
	return r
}

// inflate decompresses the node of e if it is compressed. It returns false, and changes
// nothing, if there is no memory.
func inflate(h leaf.Heap, o *Options, e *entry) bool {
	n := look(h.Arena, e.ref)
	if n.flags&flagLZF == 0 {
		return true
	}
	fresh := newLeaf(h, n.flags&flagPlain != 0, n.content(h.Arena, e.ref, o.Scratch))
	if fresh == 0 {
		return false
	}
	h.Drop(e.ref)
	e.ref = fresh
	return true
}

// open makes a node one that may be changed, and that is not compressed.
func open(h leaf.Heap, o *Options, e *entry) bool {
	if !inflate(h, o, e) {
		return false
	}
	own := h.Own(e.ref, look(h.Arena, e.ref).end())
	if own == 0 {
		return false
	}
	e.ref = own
	return true
}

// deflate compresses the node of e, if that saves something.
func deflate(h leaf.Heap, o *Options, e *entry) {
	n := look(h.Arena, e.ref)
	if n.flags&(flagLZF|flagTried) != 0 || n.size < compressMin {
		return
	}
	s := o.Scratch
	if cap(s.packed) > scratchMax {
		s.packed = nil
	}
	packed, ok := s.compressor.AppendCompressed(s.packed[:0], n.stored(h.Arena, e.ref))
	s.packed = packed
	if !ok || len(packed)+compressSaveMin >= n.size {
		if !h.IsFrozen(e.ref) {
			h.Bytes(e.ref, leaf.HeadSize)[flagsAt] |= flagTried
		}
		return
	}
	fresh := h.New(lzfStart + len(packed))
	if fresh == 0 {
		return // it is as good as it is
	}
	b := h.Bytes(fresh, lzfStart+len(packed))
	b[flagsAt] = flagLZF | n.flags&flagPlain
	binary.LittleEndian.PutUint32(b[leaf.HeadSize:], uint32(n.size))
	binary.LittleEndian.PutUint32(b[leaf.HeadSize+4:], uint32(len(packed)))
	copy(b[lzfStart:], packed)
	h.Drop(e.ref)
	e.ref = fresh
}

// fit moves a node into a block of the right size, if it is not in one.
func fit(h leaf.Heap, e *entry) {
	n := look(h.Arena, e.ref)
	if n.flags&(flagLZF|flagPlain) == 0 && mem.RoundUp(listStart+n.size) < mem.RoundUp(h.Cap(e.ref)) {
		move(h, e, n, listStart+n.size, listStart)
	}
}

// move gives the list of a node a block of at least want bytes, in which it begins at
// start, or at the end of the block if start is 0. It returns false, and changes
// nothing, if there is no memory.
func move(h leaf.Heap, e *entry, n node, want, start int) bool {
	fresh := h.New(want)
	if fresh == 0 {
		return false
	}
	b := h.Bytes(fresh, h.Cap(fresh))
	if start == 0 {
		start = len(b) - n.size
	}
	setStart(b, start)
	copy(b[start:], n.stored(h.Arena, e.ref))
	h.Drop(e.ref)
	e.ref = fresh
	return true
}
