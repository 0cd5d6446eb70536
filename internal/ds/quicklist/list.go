package quicklist

import (
	"encoding/binary"
	"math"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// Size is the size in bytes of a stored root.
const Size = 29

// lenMax is how many elements a list can have: counts in the index are 32 bits wide.
const lenMax = math.MaxUint32

// A List is the root of a list. The zero List is empty and ready.
type List struct {
	head  entry // the first node
	tail  entry // the last one, if there are two
	inner index // what is between
}

// Load reads a root from the Size bytes that Store has written.
func (l *List) Load(b []byte) {
	u32 := binary.LittleEndian.Uint32
	_ = b[Size-1]
	l.head = entry{mem.Ref(u32(b)), u32(b[4:])}
	l.tail = entry{mem.Ref(u32(b[8:])), u32(b[12:])}
	l.inner = index{mem.Ref(u32(b[16:])), u32(b[20:]), u32(b[24:]), b[28]}
}

// Store writes the root to Size bytes.
func (l *List) Store(b []byte) {
	put := binary.LittleEndian.PutUint32
	_ = b[Size-1]
	put(b, uint32(l.head.ref))
	put(b[4:], l.head.count)
	put(b[8:], uint32(l.tail.ref))
	put(b[12:], l.tail.count)
	put(b[16:], uint32(l.inner.root))
	put(b[20:], l.inner.count)
	put(b[24:], l.inner.nodes)
	b[28] = l.inner.height
}

// Len is the number of elements.
func (l *List) Len() int { return int(l.head.count) + int(l.inner.count) + int(l.tail.count) }

// Nodes is the number of nodes.
func (l *List) Nodes() int {
	n := int(l.inner.nodes)
	if l.head.ref != 0 {
		n++
	}
	if l.tail.ref != 0 {
		n++
	}
	return n
}

// Single is the bytes of the only node, if there is only one and it is a list: what
// could be the whole value instead.
func (l *List) Single(a *mem.Arena) (list listpack.List, ok bool) {
	if l.head.ref == 0 || l.tail.ref != 0 {
		return nil, false
	}
	n := look(a, l.head.ref)
	if n.flags&flagPlain != 0 {
		return nil, false
	}
	return listpack.List(n.stored(a, l.head.ref)), true
}

// A place is where a node is. Like a path, it is valid until a node comes or goes.
type place struct {
	where uint8
	path  path // if it is atInner
}

const (
	atHead = iota
	atInner
	atTail
)

// seek finds the node of the element at pos, which there is, and the element's number
// in it.
func (l *List) seek(a *mem.Arena, pos int, p *place) (rest uint32) {
	if pos < int(l.head.count) {
		p.where = atHead
		return uint32(pos)
	}
	pos -= int(l.head.count)
	if pos < int(l.inner.count) {
		p.where = atInner
		return l.inner.seek(a, uint32(pos), &p.path)
	}
	p.where = atTail
	return uint32(pos) - l.inner.count
}

// at is the entry of the node at a place. It is for reading, and for replacing the ref.
func (l *List) at(a *mem.Arena, p *place) *entry {
	switch p.where {
	case atHead:
		return &l.head
	case atTail:
		return &l.tail
	}
	return p.path.entry(a)
}

// next goes on to the following node, or says that there is none.
func (l *List) next(a *mem.Arena, p *place) bool {
	switch {
	case p.where == atTail || l.tail.ref == 0:
		return false
	case p.where == atHead && l.inner.nodes > 0:
		p.where = atInner
		l.inner.first(a, &p.path)
	case p.where == atHead || !l.inner.next(a, &p.path):
		p.where = atTail
	}
	return true
}

// prev goes back to the node before, or says that there is none.
func (l *List) prev(a *mem.Arena, p *place) bool {
	switch {
	case p.where == atHead:
		return false
	case p.where == atTail && l.inner.nodes > 0:
		p.where = atInner
		l.inner.last(a, &p.path)
	case p.where == atTail || !l.inner.prev(a, &p.path):
		p.where = atHead
	}
	return true
}

// add says that the node at a place has delta elements more.
func (l *List) add(a *mem.Arena, p *place, delta int) {
	if p.where == atInner {
		l.inner.add(a, &p.path, delta)
	} else {
		l.at(a, p).count += uint32(delta)
	}
}

// link puts a node before or behind the one at a place. It returns false, and changes
// nothing, if there is no memory.
func (l *List) link(a *mem.Arena, p *place, e entry, behind bool) bool {
	switch {
	case p.where == atInner:
		if behind {
			p.path[0].at++
		}
		return l.inner.insert(a, &p.path, e)
	case p.where == atHead && l.tail.ref == 0:
		if behind {
			l.tail = e
		} else {
			l.head, l.tail = e, l.head
		}
	case p.where == atHead && behind:
		return l.inner.prepend(a, e)
	case p.where == atTail && !behind:
		return l.inner.append(a, e)
	case behind:
		if !l.inner.append(a, l.tail) {
			return false
		}
		l.tail = e
	default:
		if !l.inner.prepend(a, l.head) {
			return false
		}
		l.head = e
	}
	return true
}

// unlink removes a node. It needs memory only if the node that takes the place of a head
// or tail is compressed, and returns false and changes nothing if there is none.
func (l *List) unlink(h leaf.Heap, o *Options, p *place) bool {
	end := l.at(h.Arena, p)
	dead := end.ref
	switch {
	case p.where == atInner:
		l.inner.remove(h.Arena, &p.path)
	case l.inner.nodes > 0:
		if p.where == atHead {
			l.inner.first(h.Arena, &p.path)
		} else {
			l.inner.last(h.Arena, &p.path)
		}
		successor := p.path.entry(h.Arena)
		if !inflate(h, o, successor) {
			return false
		}
		*end = *successor
		l.inner.remove(h.Arena, &p.path)
	case p.where == atHead:
		l.head, l.tail = l.tail, entry{}
	default:
		l.tail = entry{}
	}
	h.Drop(dead)
	return true
}

// settle compresses and decompresses nodes as Depth asks for, after nodes have come or
// gone: those at the border on both sides, and the nodes of the elements from from up to
// to. What there is no memory for stays as it is.
func (l *List) settle(h leaf.Heap, o *Options, from, to int) {
	if o.Depth <= 0 || l.Nodes() <= 2*o.Depth {
		return
	}
	p := place{where: atHead}
	first := 0 // the first element that may be compressed
	for range o.Depth {
		e := l.at(h.Arena, &p)
		inflate(h, o, e)
		first += int(e.count)
		l.next(h.Arena, &p)
	}
	deflate(h, o, l.at(h.Arena, &p))

	p.where = atTail
	behind := l.Len()
	for range o.Depth {
		e := l.at(h.Arena, &p)
		inflate(h, o, e)
		behind -= int(e.count)
		l.prev(h.Arena, &p)
	}
	deflate(h, o, l.at(h.Arena, &p))

	for from = max(from, first); from < min(to, behind); {
		rest := l.seek(h.Arena, from, &p)
		e := l.at(h.Arena, &p)
		deflate(h, o, e)
		from += int(e.count - rest)
	}
}
