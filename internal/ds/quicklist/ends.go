package quicklist

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// endTag ends a list.
const endTag = 0xff

// PushHead puts an element before the first.
func (l *List) PushHead(h leaf.Heap, o *Options, elem []byte) error { return l.push(h, o, elem, true) }

// PushTail puts an element behind the last.
func (l *List) PushTail(h leaf.Heap, o *Options, elem []byte) error { return l.push(h, o, elem, false) }

// end is the node at an end of the list.
func (l *List) end(front bool) *entry {
	if front || l.tail.ref == 0 {
		return &l.head
	}
	return &l.tail
}

func (l *List) push(h leaf.Heap, o *Options, elem []byte, front bool) error {
	end := l.end(front)
	if l.Len() == lenMax {
		return mem.ErrExhausted
	}
	if end.ref == 0 || !o.fits(look(h.Arena, end.ref), end.count, len(elem)) {
		fresh := l.newNode(h, o, elem, front)
		if fresh == 0 || !l.pushNode(h, o, entry{fresh, 1}, front) {
			return mem.ErrExhausted
		}
		return nil
	}
	e := listpack.Text(elem)
	more := e.Size()
	n, ok := l.room(h, o, end, more, front)
	if !ok {
		return mem.ErrExhausted
	}
	if front {
		// The entry ends where the first one begins, and the header moves before it.
		start := n.start - more
		b := h.Bytes(end.ref, n.end())
		listpack.AppendElem(b[:start+listpack.HeaderSize], e)
		setStart(b, start)
		putHeader(b[start:], n.size+more, end.count+1)
	} else {
		b := h.Bytes(end.ref, n.end()+more)
		listpack.AppendElem(b[:n.end()-1], e)
		b[n.end()+more-1] = endTag
		b[flagsAt] &^= flagTried
		putHeader(b[n.start:], n.size+more, end.count+1)
	}
	end.count++
	return nil
}

// room sees to more bytes of room before or behind the list of a node at an end of ours.
func (l *List) room(h leaf.Heap, o *Options, end *entry, more int, front bool) (n node, ok bool) {
	n = look(h.Arena, end.ref)
	if !h.IsFrozen(end.ref) {
		room := h.Cap(end.ref)
		if front && n.start-more >= gapStart || !front && n.end()+more <= room {
			return n, true
		}
		if spare := room - gapStart - n.size - more; spare >= 0 {
			// The room is on the other side. From now on each side has half of it.
			b := h.Bytes(end.ref, room)
			start := gapStart + spare/2
			if front {
				start += more
			}
			copy(b[start:], b[n.start:n.end()])
			setStart(b, start)
			n.start = start
			return n, true
		}
	}
	start, size := listStart, l.blockFor(o, listStart+n.size+more)
	if front {
		start, size = 0, l.blockFor(o, gapStart+n.size+more)
	}
	if !move(h, end, n, size, start) {
		return n, false
	}
	return look(h.Arena, end.ref), true
}

// roomPerNode is the room, in bytes, that an end of a list gets for every node that the
// list has. With 256 of them, the first bytes of a node get 8 KiB at once, and that is
// not half a percent of the list.
const roomPerNode = 32

// blockFor is the size to ask for when a node at an end needs so many bytes.
func (l *List) blockFor(o *Options, need int) int {
	bytes, _ := o.limits()
	return max(need, min(need+need/4+roomPerNode*(l.Nodes()-1), bytes))
}

// newNode returns a node of one element, to be put at an end, or 0.
func (l *List) newNode(h leaf.Heap, o *Options, elem []byte, front bool) mem.Ref {
	if o.isLarge(len(elem)) {
		return newLeaf(h, true, elem)
	}
	e := listpack.Text(elem)
	size := listpack.EmptySize + e.Size()
	block := listStart + size
	if l.head.ref != 0 { // else it may well remain the only one
		block = l.blockFor(o, gapStart+size)
	}
	r := h.New(block)
	if r == 0 {
		return 0
	}
	b := h.Bytes(r, h.Cap(r))
	start := listStart
	if front && len(b)-size >= gapStart {
		start = len(b) - size
	}
	setStart(b, start)
	listpack.AppendElem(b[:start+listpack.HeaderSize], e)
	b[start+size-1] = endTag
	putHeader(b[start:], size, 1)
	return r
}

// pushNode makes a node the first or last. If there is no memory, it returns false and
// drops the node.
func (l *List) pushNode(h leaf.Heap, o *Options, e entry, front bool) bool {
	if l.head.ref == 0 {
		l.head = e
		return true
	}
	p := place{where: atTail}
	if front || l.tail.ref == 0 {
		p.where = atHead
	}
	if l.tail.ref != 0 { // the one that is the end now will be an inner node
		fit(h, l.at(h.Arena, &p))
	}
	if !l.link(h.Arena, &p, e, !front) {
		h.Drop(e.ref)
		return false
	}
	l.settle(h, o, 0, 0)
	return true
}

// PopHead removes the first element of a list that has one. Its value is what First says.
func (l *List) PopHead(h leaf.Heap, o *Options) error { return l.pop(h, o, true) }

// PopTail removes the last element of a list that has one. Its value is what Last says.
func (l *List) PopTail(h leaf.Heap, o *Options) error { return l.pop(h, o, false) }

func (l *List) pop(h leaf.Heap, o *Options, front bool) error {
	end := l.end(front)
	if end.count == 1 {
		p := place{where: atHead}
		if end == &l.tail {
			p.where = atTail
		}
		if !l.unlink(h, o, &p) {
			return mem.ErrExhausted
		}
		l.settle(h, o, 0, 0)
		return nil
	}
	n := look(h.Arena, end.ref)
	own := h.Own(end.ref, n.end())
	if own == 0 {
		return mem.ErrExhausted
	}
	end.ref = own
	b := h.Bytes(own, h.Cap(own))
	end.count--
	if front {
		n = dropFirst(b, n, end.count)
	} else {
		list := listpack.List(b[n.start:n.end()])
		at := list.Last()
		list[at] = endTag
		b[flagsAt] &^= flagTried
		n.size = at + 1
		putHeader(list, n.size, end.count)
	}
	l.relax(h, end, n, front)
	return nil
}

// dropFirst removes the first element of the list of a block, which has count others.
// It moves the header up to the others if there is room for the size of a gap before it.
func dropFirst(b []byte, n node, count uint32) node {
	list := listpack.List(b[n.start:n.end()])
	gone := list.SizeAt(listpack.HeaderSize)
	others := list[listpack.HeaderSize+gone:]
	n.start += gone
	n.size -= gone
	if n.start < gapStart {
		n.start = listStart
		if gapStart+n.size <= len(b) {
			n.start = gapStart
		}
		copy(b[n.start+listpack.HeaderSize:], others)
	}
	setStart(b, n.start)
	putHeader(b[n.start:], n.size, count)
	return n
}

// relax gives a node at an end a smaller block when two fifths of it are used, but
// not if that is little beside the whole list.
func (l *List) relax(h leaf.Heap, end *entry, n node, front bool) {
	want := gapStart + n.size + n.size/4
	if room := h.Cap(end.ref); room <= 2*want+roomPerNode*(l.Nodes()-1)+64 {
		return
	}
	start := listStart
	if front {
		start = 0
	}
	move(h, end, n, want, start) // if there is no memory, it stays
}

// First is the first element of a list that has one. It is valid until the list is changed.
func (l *List) First(a *mem.Arena) listpack.Elem { return edgeOf(a, l.head.ref, true) }

// Last is the last element of a list that has one. It is valid until the list is changed.
func (l *List) Last(a *mem.Arena) listpack.Elem { return edgeOf(a, l.end(false).ref, false) }

// edgeOf is the first or last element of a node that is not compressed.
func edgeOf(a *mem.Arena, r mem.Ref, first bool) listpack.Elem {
	n := look(a, r)
	b := n.stored(a, r)
	if n.flags&flagPlain != 0 {
		return listpack.Elem{Bytes: b}
	}
	list := listpack.List(b)
	if first {
		return list.Get(listpack.HeaderSize)
	}
	return list.Get(list.Last())
}
