package hashtable

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// The bytes of a leaf, see the package's layout.
const (
	atFlags   = leaf.HeadSize - 1
	atCount   = 4
	atSpecial = 6
	atUsed    = 8
	atDepth   = 11
	headSize  = 12
	atMin     = headSize // with flagExpires

	flagValues  = 1
	flagExpires = minSize // so that the flag is the size of what it announces
	minSize     = 8

	// Tags and lengths are read in words, so of a leaf with few entries two words behind
	// the longest head must be readable. One with more has bodies behind them.
	wordSize = 8
	blockMin = headSize + minSize + 2*wordSize
)

// A node is a leaf opened for reading: its address and what its head says.
type node struct {
	p       unsafe.Pointer
	n       int // entries
	special int // of them
	used    int // bytes
	head    int // bytes before the tags
	depth   uint
	values  bool
}

func open(a *mem.Arena, r mem.Ref) (nd node) {
	nd.open(a, r)
	return nd
}

// open fills a node in place: copying one costs as much as a lookup in the cache.
func (nd *node) open(a *mem.Arena, r mem.Ref) {
	nd.p = a.Ptr(r)
	h := (*[headSize]byte)(nd.p)
	tail := binary.LittleEndian.Uint32(h[atUsed:])
	nd.n = int(binary.LittleEndian.Uint16(h[atCount:]))
	nd.special = int(binary.LittleEndian.Uint16(h[atSpecial:]))
	nd.used = int(tail & 0xffffff)
	nd.head = headSize + int(h[atFlags]&flagExpires)
	nd.depth = uint(tail >> 24)
	nd.values = h[atFlags]&flagValues != 0
}

// writeHead puts what the node says into the leaf, except the smallest expiry.
func (nd *node) writeHead() {
	h := (*[headSize]byte)(nd.p)
	h[atFlags] = uint8(nd.head - headSize)
	if nd.values {
		h[atFlags] |= flagValues
	}
	binary.LittleEndian.PutUint16(h[atCount:], uint16(nd.n))
	binary.LittleEndian.PutUint16(h[atSpecial:], uint16(nd.special))
	binary.LittleEndian.PutUint32(h[atUsed:], uint32(nd.used)|uint32(nd.depth)<<24)
}

// blockSize is what is allocated for a leaf of used bytes.
func blockSize(used int) int { return max(used, blockMin) }

func (nd *node) expires() bool { return nd.head > headSize }

// min is a time before which no entry of the leaf expires.
func (nd *node) min() int64 {
	if !nd.expires() {
		return never
	}
	return int64(binary.LittleEndian.Uint64((*[minSize]byte)(unsafe.Add(nd.p, atMin))[:]))
}

func (nd *node) setMin(at int64) {
	binary.LittleEndian.PutUint64((*[minSize]byte)(unsafe.Add(nd.p, atMin))[:], uint64(at))
}

// bytes is the leaf as a slice of n bytes, which its block must have.
func (nd *node) bytes(n int) []byte { return unsafe.Slice((*byte)(nd.p), n) }

func (nd *node) tag(i int) uint8 { return *(*uint8)(unsafe.Add(nd.p, nd.head+i)) }
func (nd *node) len(i int) int   { return int(*(*uint8)(unsafe.Add(nd.p, nd.head+nd.n+i))) }

func (nd *node) body(at, n int) []byte { return unsafe.Slice((*byte)(unsafe.Add(nd.p, at)), n) }

// bodies is where the first body begins.
func (nd *node) bodies() int { return nd.head + 2*nd.n }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	evens = 0x00ff00ff00ff00ff
	lows  = 0x0000ffff0000ffff
)

// zeros has the high bit set of each byte of x that is zero. Bytes above a zero byte may
// be marked too, if they are one.
func zeros(x uint64) uint64 { return (x - ones) &^ x & highs }

func (nd *node) word(at int) uint64 {
	return binary.LittleEndian.Uint64((*[wordSize]byte)(unsafe.Add(nd.p, at))[:])
}

// pairs adds the bytes of x two by two, and total adds up such sums. Four sums of 16 bits
// hold those of 1024 lengths.
func pairs(x uint64) uint64 { return x&evens + x>>8&evens }

func total(sums uint64) int {
	sums = sums&lows + sums>>16&lows
	return int(uint32(sums) + uint32(sums>>32))
}

// at is where the body of entry i begins: the sum of the lengths before it, eight at a
// time.
func (nd *node) at(i int) int {
	lens := nd.head + nd.n
	sums := uint64(0)
	for ; i >= wordSize; i -= wordSize {
		sums += pairs(nd.word(lens))
		lens += wordSize
	}
	sums += pairs(nd.word(lens) & (1<<(8*uint(i)) - 1))
	return nd.bodies() + total(sums)
}

// find is the number of the entry with a field and where its body begins, or -1.
//
// The lengths are added up beside the comparison of the tags, whether they will be needed
// or not: their cache line comes sooner, and there is no second loop whose end the
// processor would have to guess.
func (nd *node) find(a *mem.Arena, tag uint8, field []byte) (i, at int) {
	want := ones * uint64(tag)
	tags, lens := nd.head, nd.head+nd.n
	sums := uint64(0)
	for base := 0; base < nd.n; base += wordSize {
		lengths := nd.word(lens + base)
		for m := zeros(nd.word(tags+base) ^ want); m != 0; m &= m - 1 {
			bit := uint(bits.TrailingZeros64(m)) &^ 7
			i := base + int(bit>>3)
			if i >= nd.n {
				return -1, 0
			}
			n := int(uint8(lengths >> bit))
			at := nd.bodies() + total(sums+pairs(lengths&(1<<bit-1)))
			if nd.holds(a, i, at, n, field) {
				return i, at
			}
		}
		sums += pairs(lengths)
	}
	return -1, 0
}

// holds says whether entry i, whose body begins at an offset and has n bytes, has this
// field.
func (nd *node) holds(a *mem.Arena, i, at, n int, field []byte) bool {
	if i < nd.special {
		return string(nd.element(a, i, at).field) == string(field)
	}
	b := nd.body(at, n)
	if nd.values {
		if n <= len(field) || int(b[0]) != len(field) {
			return false
		}
		b = b[1 : 1+len(field)]
	}
	return string(b) == string(field)
}

// --- bodies ---

// The first byte of a special body.
const (
	bodyOutside = 1 << iota // the element is in a block of its own
	bodyExpires             // an expiry follows
)

const (
	expirySize  = 8
	bodyMax     = 255 // larger elements go outside
	outsideHead = leaf.HeadSize + 8
)

// An element is what a body is made of. The value stands behind the field where the two
// are stored, and the field's capacity reaches there, so that the address of an empty
// field is right too.
type element struct {
	field, value []byte
	expiry       int64
	outside      mem.Ref // where field and value are, if not 0
}

// plainSize is the size of the element's body without flags and expiry.
func (nd *node) plainSize(e *element) int {
	if !nd.values {
		return len(e.field)
	}
	return 1 + len(e.field) + len(e.value)
}

func (e *element) isSpecial() bool { return e.outside != 0 || e.expiry >= 0 }

// needsBlock says whether the element is too large to be in the leaf, whether or not it
// expires: an expiry that comes later does not move it.
func (nd *node) needsBlock(e *element) bool {
	return nd.plainSize(e) > bodyMax-1-expirySize
}

// bodySize is the size of the body, outside or not.
func (nd *node) bodySize(e *element, outside bool) int {
	n := nd.plainSize(e)
	if outside {
		n = 4
	}
	if e.expiry >= 0 {
		n += expirySize
	}
	if outside || e.expiry >= 0 {
		n++
	}
	return n
}

// writeBody fills a body of bodySize bytes.
func (nd *node) writeBody(b []byte, e *element) {
	if e.isSpecial() {
		b[0] = 0
		rest := b[1:]
		if e.expiry >= 0 {
			b[0] |= bodyExpires
			binary.LittleEndian.PutUint64(rest, uint64(e.expiry))
			rest = rest[expirySize:]
		}
		if e.outside != 0 {
			b[0] |= bodyOutside
			binary.LittleEndian.PutUint32(rest, uint32(e.outside))
			return
		}
		b = rest
	}
	if nd.values {
		b[0] = uint8(len(e.field))
		b = b[1:]
	}
	copy(b[copy(b, e.field):], e.value)
}

// element is entry i, whose body begins at an offset.
func (nd *node) element(a *mem.Arena, i, at int) element {
	b := nd.body(at, nd.len(i))
	e := element{expiry: NoExpiry}
	if i < nd.special {
		flags := b[0]
		b = b[1:]
		if flags&bodyExpires != 0 {
			e.expiry = int64(binary.LittleEndian.Uint64(b))
			b = b[expirySize:]
		}
		if flags&bodyOutside != 0 {
			e.outside = mem.Ref(binary.LittleEndian.Uint32(b))
			e.field, e.value = readOutside(a, e.outside)
			return e
		}
	}
	if !nd.values {
		e.field = b
		return e
	}
	n := int(b[0])
	e.field, e.value = b[1:1+n], b[1+n:]
	return e
}

// entry is the view of entry i. Plain ones are taken apart here and not by element, whose
// result is too long for registers.
func (nd *node) entry(a *mem.Arena, i, at int) Entry {
	if i < nd.special {
		return nd.specialEntry(a, i, at)
	}
	n, p := nd.len(i), unsafe.Add(nd.p, at)
	if !nd.values {
		return Entry{field: p, fieldLen: uint32(n), expiry: NoExpiry}
	}
	m := int(*(*uint8)(p))
	return Entry{field: unsafe.Add(p, 1), fieldLen: uint32(m), valueLen: uint32(n - 1 - m), expiry: NoExpiry}
}

func (nd *node) specialEntry(a *mem.Arena, i, at int) Entry {
	el := nd.element(a, i, at)
	return Entry{
		field:    unsafe.Pointer(unsafe.SliceData(el.field)),
		fieldLen: uint32(len(el.field)),
		valueLen: uint32(len(el.value)),
		expiry:   el.expiry,
	}
}

// specialOf is the expiry and the outside block of a special entry, without reading that.
func (nd *node) specialOf(i, at int) (expiry int64, outside mem.Ref) {
	b := nd.body(at, nd.len(i))
	expiry = NoExpiry
	rest := b[1:]
	if b[0]&bodyExpires != 0 {
		expiry = int64(binary.LittleEndian.Uint64(rest))
		rest = rest[expirySize:]
	}
	if b[0]&bodyOutside != 0 {
		outside = mem.Ref(binary.LittleEndian.Uint32(rest))
	}
	return expiry, outside
}

// newOutside makes a block for an element, or returns 0.
func newOutside(h leaf.Heap, field, value []byte) mem.Ref {
	size := outsideHead + len(field) + len(value)
	r := h.New(size)
	if r != 0 {
		b := h.Bytes(r, size)[leaf.HeadSize:]
		binary.LittleEndian.PutUint32(b, uint32(len(field)))
		binary.LittleEndian.PutUint32(b[4:], uint32(len(value)))
		copy(b[8+copy(b[8:], field):], value)
	}
	return r
}

func readOutside(a *mem.Arena, r mem.Ref) (field, value []byte) {
	b := a.Bytes(r, outsideHead)
	n := int(binary.LittleEndian.Uint32(b[leaf.HeadSize:]))
	m := int(binary.LittleEndian.Uint32(b[leaf.HeadSize+4:]))
	b = a.Bytes(r, outsideHead+n+m)[outsideHead:]
	return b[:n], b[n:]
}

// --- changes, in a leaf with room for them ---

// insert makes room for entry i of size bytes and returns its body.
func (nd *node) insert(i int, tag uint8, size int, special bool) []byte {
	b := nd.bytes(nd.used + 2 + size)
	at, lens := nd.at(i), nd.head+nd.n
	copy(b[at+2+size:], b[at:nd.used])
	copy(b[lens+i+2:at+2], b[lens+i:at])
	copy(b[nd.head+i+1:lens+i+1], b[nd.head+i:lens+i])
	b[nd.head+i] = tag
	b[lens+1+i] = uint8(size)
	nd.n++
	nd.used += 2 + size
	if special {
		nd.special++
	}
	nd.writeHead()
	return b[at+2 : at+2+size]
}

// remove takes entry i out, whose body begins at an offset.
func (nd *node) remove(i, at int) {
	b := nd.bytes(nd.used)
	size, lens := nd.len(i), nd.head+nd.n
	copy(b[nd.head+i:], b[nd.head+i+1:lens+i])
	copy(b[lens+i-1:], b[lens+i+1:at])
	copy(b[at-2:], b[at+size:])
	nd.n--
	nd.used -= 2 + size
	if i < nd.special {
		nd.special--
	}
	nd.writeHead()
}

// resize gives entry i a body of another size, whose bytes are arbitrary.
func (nd *node) resize(i, at, size int) []byte {
	old := nd.len(i)
	if size != old {
		b := nd.bytes(max(nd.used, nd.used+size-old))
		copy(b[at+size:], b[at+old:nd.used])
		b[nd.head+nd.n+i] = uint8(size)
		nd.used += size - old
		nd.writeHead()
	}
	return nd.body(at, size)
}

// startMin makes room for the smallest expiry.
func (nd *node) startMin() {
	b := nd.bytes(nd.used + minSize)
	copy(b[headSize+minSize:], b[headSize:nd.used])
	nd.head += minSize
	nd.used += minSize
	nd.writeHead()
	nd.setMin(never)
}

// stopMin takes it out again.
func (nd *node) stopMin() {
	b := nd.bytes(nd.used)
	copy(b[headSize:], b[headSize+minSize:])
	nd.head -= minSize
	nd.used -= minSize
	nd.writeHead()
}
