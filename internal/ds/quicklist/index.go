package quicklist

import (
	"unsafe"

	"github.com/spineldb/spinel/internal/mem"
)

const (
	// fanout fills a block of 512 bytes, canary included.
	fanout = 63
	// mergeMax is how many entries two neighbours may have to become one block. It is
	// less than fanout, so that the next insertion does not split them again.
	mergeMax = 48
	// heightMax is enough for the nodes of an arena, 2^30 of 16 bytes: two neighbours
	// have 32 entries together, so a level has a 16th of the entries below it.
	heightMax = 8

	blockHead = 4
	blockSize = blockHead + fanout*entrySize
	entrySize = 8
)

// An entry is a node and how many elements it has, or a block and how many elements are
// below it.
type entry struct {
	ref   mem.Ref
	count uint32
}

// An index has the inner nodes of a list in order. Its blocks are ordinary blocks of
// the arena: two bytes for the number of entries, two unused, and the entries.
type index struct {
	root   mem.Ref // 0 if there are no inner nodes
	count  uint32  // elements
	nodes  uint32
	height uint8 // levels of blocks
}

// A path leads from the root of an index to an entry: step 0 is in the lowest block. It
// is valid until an entry is inserted or removed.
type path [heightMax]step

type step struct {
	block mem.Ref
	at    uint32
}

func size(a *mem.Arena, b mem.Ref) int { return int(*(*uint16)(a.Ptr(b))) }

func setSize(a *mem.Arena, b mem.Ref, n int) { *(*uint16)(a.Ptr(b)) = uint16(n) }

// entriesOf is the first n entries of a block, which may be more than it has.
func entriesOf(a *mem.Arena, b mem.Ref, n int) []entry {
	return unsafe.Slice((*entry)(unsafe.Add(a.Ptr(b), blockHead)), n)
}

func all(a *mem.Arena, b mem.Ref) []entry { return entriesOf(a, b, size(a, b)) }

func sum(entries []entry) (n uint32) {
	for i := range entries {
		n += entries[i].count
	}
	return n
}

// seek finds the node of the element at pos, which is less than count, and the
// element's place in it.
func (x *index) seek(a *mem.Arena, pos uint32, p *path) (rest uint32) {
	b := x.root
	for level := int(x.height) - 1; ; level-- {
		entries := all(a, b)
		at := 0
		for pos >= entries[at].count {
			pos -= entries[at].count
			at++
		}
		p[level] = step{b, uint32(at)}
		if level == 0 {
			return pos
		}
		b = entries[at].ref
	}
}

// first leads to the first node of an index that is not empty.
func (x *index) first(a *mem.Arena, p *path) { x.descend(a, p, int(x.height)-1, x.root, false) }

// last leads to the last one.
func (x *index) last(a *mem.Arena, p *path) { x.descend(a, p, int(x.height)-1, x.root, true) }

// descend completes a path below the block b of a level, along one of its edges.
func (x *index) descend(a *mem.Arena, p *path, level int, b mem.Ref, last bool) {
	for ; ; level-- {
		at := 0
		if last {
			at = size(a, b) - 1
		}
		p[level] = step{b, uint32(at)}
		if level == 0 {
			return
		}
		b = entriesOf(a, b, at+1)[at].ref
	}
}

// entry is where the path leads. The pointer is for reading, and for replacing the ref.
func (p *path) entry(a *mem.Arena) *entry { return p[0].entry(a) }

func (s step) entry(a *mem.Arena) *entry {
	return (*entry)(unsafe.Add(a.Ptr(s.block), blockHead+int(s.at)*entrySize))
}

// next leads on to the following node, or says that there is none and leaves p.
func (x *index) next(a *mem.Arena, p *path) bool {
	for level := range int(x.height) {
		s := &p[level]
		if int(s.at)+1 < size(a, s.block) {
			s.at++
			if level > 0 {
				x.descend(a, p, level-1, s.entry(a).ref, false)
			}
			return true
		}
	}
	return false
}

// prev leads back to the node before, or says that there is none and leaves p.
func (x *index) prev(a *mem.Arena, p *path) bool {
	for level := range int(x.height) {
		s := &p[level]
		if s.at > 0 {
			s.at--
			if level > 0 {
				x.descend(a, p, level-1, s.entry(a).ref, true)
			}
			return true
		}
	}
	return false
}

// add says that the node where the path leads has delta elements more.
func (x *index) add(a *mem.Arena, p *path, delta int) {
	for level := range int(x.height) {
		p[level].entry(a).count += uint32(delta)
	}
	x.count += uint32(delta)
}

// append puts a node behind all others.
func (x *index) append(a *mem.Arena, e entry) bool {
	var p path
	if x.root != 0 {
		x.last(a, &p)
		p[0].at++
	}
	return x.insert(a, &p, e)
}

// prepend puts a node before all others.
func (x *index) prepend(a *mem.Arena, e entry) bool {
	var p path
	if x.root != 0 {
		x.first(a, &p)
	}
	return x.insert(a, &p, e)
}

// insert puts a node before the place where the path leads, which may be one behind
// the last of its lowest block. It returns false, and changes nothing, if there is no
// memory.
func (x *index) insert(a *mem.Arena, p *path, e entry) bool {
	if x.root == 0 {
		x.root = newBlock(a, 3)
		if x.root == 0 {
			return false
		}
		x.height = 1
		p[0] = step{x.root, 0}
	}
	var spare [heightMax]mem.Ref
	if !x.prepare(a, p, &spare) {
		return false
	}
	edge := x.edge(a, p)
	added := e.count
	x.count += added
	x.nodes++
	for level := 0; ; level++ {
		s := p[level]
		if size(a, s.block) < fanout {
			put(a, s, e)
			for level++; level < int(x.height); level++ {
				p[level].entry(a).count += added
			}
			return true
		}
		right := spare[level]
		split(a, s, right, e, edge)
		e = entry{right, sum(all(a, right))}
		left := entry{s.block, sum(all(a, s.block))}
		if level+1 == int(x.height) {
			x.root = spare[level+1]
			x.height++
			setSize(a, x.root, 2)
			copy(entriesOf(a, x.root, 2), []entry{left, e})
			return true
		}
		*p[level+1].entry(a) = left
		p[level+1].at++
	}
}

// edge says whether a path leads to the very beginning or end of the index.
func (x *index) edge(a *mem.Arena, p *path) bool {
	first, last := true, int(p[0].at) == size(a, p[0].block)
	for level := range int(x.height) {
		first = first && p[level].at == 0
		last = last && (level == 0 || int(p[level].at)+1 == size(a, p[level].block))
	}
	return first || last
}

// prepare gets all the memory that an insertion at p needs.
func (x *index) prepare(a *mem.Arena, p *path, spare *[heightMax]mem.Ref) bool {
	if b := p[0].block; size(a, b) < fanout {
		return size(a, b) < roomOf(a, b) || x.growRoot(a, p)
	}
	for level := range heightMax {
		if level < int(x.height) && size(a, p[level].block) < fanout {
			return true
		}
		if spare[level] = newBlock(a, fanout); spare[level] == 0 {
			for _, b := range spare[:level] {
				a.Free(b)
			}
			return false
		}
		if level == int(x.height) {
			return true
		}
	}
	return false // heightMax makes it impossible
}

// growRoot doubles the only block of an index. The others are of full size from the
// beginning: beside 63 nodes, they are not worth the trouble.
func (x *index) growRoot(a *mem.Arena, p *path) bool {
	n := size(a, x.root)
	fresh := newBlock(a, min(2*n+1, fanout))
	if fresh == 0 {
		return false
	}
	copy(entriesOf(a, fresh, n), all(a, x.root))
	setSize(a, fresh, n)
	a.Free(x.root)
	x.root, p[0].block = fresh, fresh
	return true
}

// newBlock returns an empty block for n entries, or 0.
func newBlock(a *mem.Arena, n int) mem.Ref {
	b := a.Alloc(blockHead + n*entrySize)
	if b != 0 {
		*(*uint32)(a.Ptr(b)) = 0
	}
	return b
}

func roomOf(a *mem.Arena, b mem.Ref) int { return min((a.Cap(b)-blockHead)/entrySize, fanout) }

// put enters e into a block with room.
func put(a *mem.Arena, s step, e entry) {
	n := size(a, s.block)
	entries := entriesOf(a, s.block, n+1)
	copy(entries[s.at+1:], entries[s.at:n])
	entries[s.at] = e
	setSize(a, s.block, n+1)
}

// split moves half of a full block to an empty one on its right and enters e into one
// of them. At an edge of the index it moves none or all, so that a list that grows there
// fills its blocks. Elsewhere that would make a block for each entry.
func split(a *mem.Arena, s step, right mem.Ref, e entry, edge bool) {
	keep := uint32(fanout / 2)
	switch {
	case edge && (s.at <= 1 || s.at == fanout): // 1 if a block below was split at 0
		keep = s.at
	}
	entries := all(a, s.block)
	copy(entriesOf(a, right, fanout), entries[keep:])
	setSize(a, right, int(fanout-keep))
	setSize(a, s.block, int(keep))
	if s.at > keep || s.at == fanout {
		put(a, step{right, s.at - keep}, e)
	} else {
		put(a, s, e)
	}
}

// remove takes the node where the path leads out of the index. It needs no memory.
func (x *index) remove(a *mem.Arena, p *path) {
	x.add(a, p, -int(p.entry(a).count))
	x.nodes--
	for level := 0; ; level++ {
		s := p[level]
		entries := all(a, s.block)
		n := copy(entries[s.at:], entries[s.at+1:]) + int(s.at)
		setSize(a, s.block, n)
		if level+1 == int(x.height) {
			break
		}
		if n == 0 {
			a.Free(s.block)
		} else if !merge(a, &p[level+1]) {
			return
		}
	}
	for x.height > 0 && size(a, x.root) <= min(int(x.height)-1, 1) {
		b := x.root
		x.height--
		x.root = 0
		if x.height > 0 {
			x.root = entriesOf(a, b, 1)[0].ref
		}
		a.Free(b)
	}
}

// merge joins the block of the entry at s with a neighbour if both are small enough,
// and leaves s at the entry of the freed one.
func merge(a *mem.Arena, s *step) bool {
	siblings := all(a, s.block)
	for _, left := range [2]int{int(s.at) - 1, int(s.at)} {
		if left < 0 || left+1 == len(siblings) {
			continue
		}
		l, r := &siblings[left], &siblings[left+1]
		n, more := size(a, l.ref), size(a, r.ref)
		if n+more > mergeMax {
			continue
		}
		copy(entriesOf(a, l.ref, n+more)[n:], all(a, r.ref))
		setSize(a, l.ref, n+more)
		l.count += r.count
		a.Free(r.ref)
		s.at = uint32(left + 1)
		return true
	}
	return false
}

// blockBytes is how many bytes a block of a level and those below it can hold.
func blockBytes(a *mem.Arena, b mem.Ref, level int) int64 {
	total := int64(a.Cap(b))
	if level > 0 {
		for _, e := range all(a, b) {
			total += blockBytes(a, e.ref, level-1)
		}
	}
	return total
}
