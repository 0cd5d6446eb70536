package quicklist

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// Set replaces the element at i, which there is.
func (l *List) Set(h leaf.Heap, o *Options, i int, elem []byte) error {
	var p place
	rest := l.seek(h.Arena, i, &p)
	e := l.at(h.Arena, &p)
	n := look(h.Arena, e.ref)
	if n.flags&flagPlain != 0 || o.isLarge(len(elem)) {
		return l.replaceBySplit(h, o, i, rest, &p, elem)
	}
	packed := n.flags&flagLZF != 0
	if !open(h, o, e) {
		return mem.ErrExhausted
	}
	text := listpack.Text(elem)
	list := listpack.List(look(h.Arena, e.ref).stored(h.Arena, e.ref))
	at := seekIn(list, rest, e.count)
	if more := text.Size() - list.SizeAt(at); more > 0 {
		if bytes, _ := o.limits(); len(list)+more > bytes {
			return l.replaceBySplit(h, o, i, rest, &p, elem)
		}
		if !l.widen(h, o, &p, more) {
			return mem.ErrExhausted
		}
	}
	b, n := l.block(h, e)
	listpack.Replace(b[n.start:], at, text)
	if packed {
		deflate(h, o, e)
	}
	return nil
}

// replaceBySplit replaces an element by one in a node of its own, since it is too large
// for the old one's, or the old one's is not a list.
func (l *List) replaceBySplit(h leaf.Heap, o *Options, i int, rest uint32, p *place, elem []byte) error {
	mid := l.innerNode(h, o, elem)
	if mid == 0 || !l.wedge(h, o, i, rest, p, 1, mid) {
		return mem.ErrExhausted
	}
	l.join(h, o, i)
	l.settle(h, o, i-1, i+2)
	return nil
}

// innerNode returns a node of one element without more room than it needs, or 0.
func (l *List) innerNode(h leaf.Heap, o *Options, elem []byte) mem.Ref {
	if o.isLarge(len(elem)) {
		return newLeaf(h, true, elem)
	}
	e := listpack.Text(elem)
	r := h.New(listStart + listpack.EmptySize + e.Size())
	if r != 0 {
		b := h.Bytes(r, listStart+listpack.EmptySize+e.Size())[listStart:]
		listpack.Finish(listpack.AppendElem(listpack.AppendHeader(b[:0]), e), 0, 1)
	}
	return r
}

// block is the whole block of a node that may be changed, and where things are in it.
// That it is about to be changed is noted.
func (l *List) block(h leaf.Heap, e *entry) ([]byte, node) {
	b := h.Bytes(e.ref, h.Cap(e.ref))
	b[flagsAt] &^= flagTried
	return b, look(h.Arena, e.ref)
}

// widen sees to more bytes of room behind the list of a node that may be changed.
func (l *List) widen(h leaf.Heap, o *Options, p *place, more int) bool {
	e := l.at(h.Arena, p)
	if p.where != atInner {
		_, ok := l.room(h, o, e, more, false)
		return ok
	}
	n := look(h.Arena, e.ref)
	return n.end()+more <= h.Cap(e.ref) || move(h, e, n, listStart+n.size+more, listStart)
}

// InsertAt puts an element before the one at i, or behind all if i is the length.
func (l *List) InsertAt(h leaf.Heap, o *Options, i int, elem []byte) error {
	switch i {
	case 0:
		return l.PushHead(h, o, elem)
	case l.Len():
		return l.PushTail(h, o, elem)
	}
	if l.Len() == lenMax {
		return mem.ErrExhausted
	}
	var p place
	rest := l.seek(h.Arena, i, &p)
	e := l.at(h.Arena, &p)
	if o.fits(look(h.Arena, e.ref), e.count, len(elem)) {
		return l.insertInto(h, o, &p, rest, elem)
	}
	if rest == 0 { // then the end of the node before will do as well
		before := p
		l.prev(h.Arena, &before)
		e := l.at(h.Arena, &before)
		if o.fits(look(h.Arena, e.ref), e.count, len(elem)) {
			return l.insertInto(h, o, &before, e.count, elem)
		}
	}
	mid := l.innerNode(h, o, elem)
	if mid == 0 || !l.wedge(h, o, i, rest, &p, 0, mid) {
		return mem.ErrExhausted
	}
	l.join(h, o, i)
	l.settle(h, o, i-1, i+2)
	return nil
}

// insertInto puts an element into a node that has room for it by the limits.
func (l *List) insertInto(h leaf.Heap, o *Options, p *place, at uint32, elem []byte) error {
	e := l.at(h.Arena, p)
	packed := look(h.Arena, e.ref).flags&flagLZF != 0
	text := listpack.Text(elem)
	if !open(h, o, e) || !l.widen(h, o, p, text.Size()) {
		return mem.ErrExhausted
	}
	b, n := l.block(h, e)
	list := listpack.List(b[n.start:n.end()])
	pos := list.End()
	if at < e.count {
		pos = seekIn(list, at, e.count)
	}
	listpack.Insert(b[n.start:], pos, text)
	l.add(h.Arena, p, 1)
	if packed {
		deflate(h, o, e)
	}
	return nil
}

// wedge puts the node mid, of one element, into the node at p before its element k,
// which is the list's element i, in the place of the next drop elements. It splits the
// node if there are elements before and behind. If there is no memory, it returns false
// and drops mid, and the list is as it was.
func (l *List) wedge(h leaf.Heap, o *Options, i int, k uint32, p *place, drop uint32, mid mem.Ref) bool {
	a := h.Arena
	e := l.at(a, p)
	count := e.count
	if drop == count { // one
		h.Drop(e.ref)
		e.ref = mid
		return true
	}
	first := i - int(k)
	behind := count - k - drop
	// A node that is not split nor loses elements may stay as it is.
	if (drop > 0 || k > 0 && behind > 0) && !open(h, o, e) {
		h.Drop(mid)
		return false
	}
	split := k > 0 && behind > 0
	if split && !l.splitOff(h, p, k+drop) {
		h.Drop(mid)
		return false
	}
	l.seek(a, first, p)
	if !l.link(a, p, entry{mid, 1}, k > 0) {
		if split {
			l.unsplit(h, o, first, count)
		}
		h.Drop(mid)
		return false
	}
	if k == 0 {
		first++
	}
	// Now the node loses what was replaced, and what is in the split-off part too.
	l.seek(a, first, p)
	lost := drop
	if split {
		lost += behind
	}
	if lost > 0 {
		l.cut(h, p, k, lost)
		l.tidy(h, p)
	}
	return true
}

// splitOff makes a node of the elements from k on of the one at p, and puts it behind.
// The elements stay in the old one too, until the caller cuts them off.
func (l *List) splitOff(h leaf.Heap, p *place, k uint32) bool {
	e := l.at(h.Arena, p)
	list := listpack.List(look(h.Arena, e.ref).stored(h.Arena, e.ref))
	at := seekIn(list, k, e.count)
	size := list.RestSize(at)
	r := h.New(listStart + size)
	if r == 0 {
		return false
	}
	rest := entry{r, e.count - k}
	listpack.Build(h.Bytes(r, listStart+size)[listStart:], int(rest.count), list.Raw(at, list.End()))
	if !l.link(h.Arena, p, rest, true) {
		h.Drop(r)
		return false
	}
	return true
}

// unsplit removes what splitOff has put behind the node of count elements at first.
func (l *List) unsplit(h leaf.Heap, o *Options, first int, count uint32) {
	var p place
	l.seek(h.Arena, first+int(count), &p)
	l.unlink(h, o, &p) // needs no memory: what is before it is not compressed
}

// cut removes n elements, but not all, from k on of a node that may be changed.
func (l *List) cut(h leaf.Heap, p *place, k, n uint32) {
	e := l.at(h.Arena, p)
	b, nd := l.block(h, e)
	list := listpack.List(b[nd.start:nd.end()])
	at := seekIn(list, k, e.count)
	to := list.End()
	if k+n < e.count {
		to = list.Skip(at, int(n))
		if rest := e.count - k - n; n > rest {
			to = seekIn(list, k+n, e.count)
		}
	}
	listpack.DeleteRaw(b[nd.start:], at, to, int(n))
	l.add(h.Arena, p, -int(n))
}

// tidy gives a node that has become smaller a smaller block.
func (l *List) tidy(h leaf.Heap, p *place) {
	e := l.at(h.Arena, p)
	if p.where == atInner {
		fit(h, e)
	} else {
		l.relax(h, e, look(h.Arena, e.ref), p.where == atHead)
	}
}

// join makes the node of element i one with its neighbours, as far as the limits allow.
// It does not if there is no memory.
func (l *List) join(h leaf.Heap, o *Options, i int) {
	var p place
	for {
		rest := l.seek(h.Arena, i, &p)
		first := i - int(rest)
		behind := first + int(l.at(h.Arena, &p).count)
		if first > 0 && l.joinAt(h, o, first) {
			continue
		}
		if behind == l.Len() || !l.joinAt(h, o, behind) {
			return
		}
	}
}

// joinAt makes the node that begins with element i one with the node before it.
func (l *List) joinAt(h leaf.Heap, o *Options, i int) bool {
	a := h.Arena
	var left, right place
	l.seek(a, i-1, &left)
	l.seek(a, i, &right)
	le, re := l.at(a, &left), l.at(a, &right)
	ln, rn := look(a, le.ref), look(a, re.ref)
	if !o.fitTogether(ln, rn, le.count+re.count) {
		return false
	}
	more := rn.raw - listpack.EmptySize
	if !open(h, o, le) || !l.widen(h, o, &left, more) {
		return false
	}
	tail := listpack.List(rn.content(a, re.ref, o.Scratch))
	b, ln := l.block(h, le)
	count := re.count
	listpack.InsertRaw(b[ln.start:], ln.end()-ln.start-1, tail.Raw(listpack.HeaderSize, tail.End()), int(count))
	// If the right one was the tail, the left one follows it, and is not compressed.
	l.add(a, &left, int(count))
	l.unlink(h, o, &right)
	return true
}
