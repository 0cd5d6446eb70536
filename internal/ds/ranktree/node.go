package ranktree

import (
	"encoding/binary"
	"unsafe"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// nodeHead is the number of bytes in a node before its entries.
const nodeHead = 8

// A node is a block with entries in order, see the package's layout. Those of leaves
// are the tree's elements; those of inner nodes are separators, each with the eight
// bytes of its child as payload.
type node struct{ p unsafe.Pointer }

func nodeAt(a *mem.Arena, r mem.Ref) node { return node{a.Ptr(r)} }

func (n node) u16(at int) int {
	return int(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(n.p, at))[:]))
}

func (n node) payloadSize() int { return int(*(*uint8)(unsafe.Add(n.p, 3))) }
func (n node) size() int        { return n.u16(4) }
func (n node) count() int       { return n.u16(6) }

func (n node) setHead(payload, size, count int) {
	b := (*[nodeHead]byte)(n.p)
	b[3] = uint8(payload)
	binary.LittleEndian.PutUint16(b[4:], uint16(size))
	binary.LittleEndian.PutUint16(b[6:], uint16(count))
}

// keysAt is where the keys of a node begin.
func keysAt(count, payload int) int { return nodeHead + count*(1+payload) }

func (n node) code(i int) uint8 { return *(*uint8)(unsafe.Add(n.p, nodeHead+i)) }

// keyPtr is the key at an offset among the keys.
func (n node) keyPtr(off int) unsafe.Pointer {
	return unsafe.Add(n.p, keysAt(n.count(), n.payloadSize())+off)
}

func (n node) bytes(size int) []byte { return unsafe.Slice((*byte)(n.p), size) }

func (n node) payload(i int) []byte {
	size := n.payloadSize()
	return unsafe.Slice((*byte)(unsafe.Add(n.p, nodeHead+n.count()+i*size)), size)
}

const (
	lengthMasks = 0x7f7f7f7f7f7f7f7f
	evenBytes   = 0x00ff00ff00ff00ff
	sumUp       = 0x0001000100010001
)

// eight is the sum of the lengths of eight keys from i on.
func (n node) eight(i int) int {
	x := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(n.p, nodeHead+i))[:]) & lengthMasks
	return int((x&evenBytes + x>>8&evenBytes) * sumUp >> 48)
}

// offset is where key i begins among the keys.
func (n node) offset(i int) (off int) {
	j := 0
	for ; j+8 <= i; j += 8 {
		off += n.eight(j)
	}
	for ; j < i; j++ {
		off += int(n.code(j) & lengthMask)
	}
	return off
}

// search finds the first entry that is not smaller than k: its number and the offset
// of its key. It goes by eights, then by ones. Where the first eight bytes decide, and
// they mostly do, nothing is called: with compare for all it took half as long again.
func (n node) search(a *mem.Arena, k *Key) (i, off int, found bool) {
	count, head := n.count(), k.head
	codes := unsafe.Add(n.p, nodeHead)
	keys := n.keyPtr(0)
	end := count
	for i+8 < count {
		next := off + n.eight(i)
		code := *(*uint8)(unsafe.Add(codes, i+8))
		p := unsafe.Add(keys, next)
		h := headOf(p, int(code&lengthMask))
		if h > head {
			end = i + 8
			break
		}
		if h == head {
			c := compareTail(a, p, code, k)
			if c == 0 {
				return i + 8, next, true
			}
			if c > 0 {
				end = i + 8
				break
			}
		}
		i, off = i+8, next
	}
	if i > 0 { // it was found to be smaller
		off += int(*(*uint8)(unsafe.Add(codes, i)) & lengthMask)
		i++
	}
	for ; i < end; i++ {
		code := *(*uint8)(unsafe.Add(codes, i))
		p := unsafe.Add(keys, off)
		h := headOf(p, int(code&lengthMask))
		if h >= head {
			if h > head {
				return i, off, false
			}
			if c := compareTail(a, p, code, k); c >= 0 {
				return i, off, c == 0
			}
		}
		off += int(code & lengthMask)
	}
	return i, off, false
}

// key is the key of entry i, which begins at an offset.
func (n node) key(a *mem.Arena, i, off int) []byte {
	p := n.keyPtr(off)
	code := n.code(i)
	if code&longBit != 0 {
		return longKey(a, p)
	}
	return unsafe.Slice((*byte)(p), int(code))
}

// entry copies the key of entry i, which begins at an offset, as it stands.
func (n node) entry(i, off int, e *entry) {
	e.code = n.code(i)
	copy(e.raw[:], unsafe.Slice((*byte)(n.keyPtr(off)), int(e.code&lengthMask)))
}

// --- children of inner nodes ---

const childSize = 8 // the reference, then the number of elements below

func (n node) childPtr(i int) *[childSize]byte {
	return (*[childSize]byte)(unsafe.Add(n.p, nodeHead+n.count()+i*childSize))
}

func (n node) child(i int) mem.Ref {
	return mem.Ref(binary.LittleEndian.Uint32(n.childPtr(i)[:]))
}

func (n node) below(i int) int { return int(binary.LittleEndian.Uint32(n.childPtr(i)[4:])) }

func putChild(b []byte, r mem.Ref, below int) {
	binary.LittleEndian.PutUint32(b, uint32(r))
	binary.LittleEndian.PutUint32(b[4:], uint32(below))
}

func (n node) addBelow(i, d int) {
	b := n.childPtr(i)[4:]
	binary.LittleEndian.PutUint32(b, uint32(int(binary.LittleEndian.Uint32(b))+d))
}

// total is the number of elements below an inner node's children from i up to j.
func (n node) total(i, j int) (sum int) {
	for ; i < j; i++ {
		sum += n.below(i)
	}
	return sum
}

// --- long keys ---

// longKey is the key whose stub is at p.
func longKey(a *mem.Arena, p unsafe.Pointer) []byte {
	b := (*[8]byte)(unsafe.Add(p, stubPrefix))
	size := int(binary.LittleEndian.Uint32(b[:]))
	return a.Bytes(mem.Ref(binary.LittleEndian.Uint32(b[4:])), leaf.HeadSize+size)[leaf.HeadSize:]
}

func stubRef(raw []byte) mem.Ref {
	return mem.Ref(binary.LittleEndian.Uint32(raw[stubPrefix+4:]))
}

// setStubRef makes the stub at p name another block.
func setStubRef(p unsafe.Pointer, r mem.Ref) {
	binary.LittleEndian.PutUint32((*[8]byte)(unsafe.Add(p, stubPrefix))[4:], uint32(r))
}

// setKey makes e the entry of k. A long key gets a block; it returns false if there
// is no memory for it.
func (e *entry) setKey(h leaf.Heap, k *Key) bool {
	if k.n <= inlineMax {
		e.code = uint8(k.n)
		k.Append(e.raw[:0])
		return true
	}
	r := h.New(leaf.HeadSize + k.n)
	if r == 0 {
		return false
	}
	whole := h.Bytes(r, leaf.HeadSize+k.n)[leaf.HeadSize:]
	k.Append(whole[:0])
	e.code = longCode
	copy(e.raw[:stubPrefix], whole)
	binary.LittleEndian.PutUint32(e.raw[stubPrefix:], uint32(k.n))
	binary.LittleEndian.PutUint32(e.raw[stubPrefix+4:], uint32(r))
	return true
}

// drop gives up the block of an entry's key, if it has one.
func (e *entry) drop(h leaf.Heap) {
	if e.code&longBit != 0 {
		h.Drop(stubRef(e.raw[:]))
	}
}

// eachLong calls fn with the block of every long key of entries from i up to j.
func (n node) eachLong(i, j int, fn func(mem.Ref)) {
	for at := i; at < j; at++ {
		if n.code(at)&longBit == 0 {
			continue
		}
		off := n.offset(at)
		for ; at < j; at++ {
			code := n.code(at)
			if code&longBit != 0 {
				fn(stubRef(unsafe.Slice((*byte)(n.keyPtr(off)), stubSize)))
			}
			off += int(code & lengthMask)
		}
	}
}
