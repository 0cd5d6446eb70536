package quicklist

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// DeleteRange removes n elements from the one at from on, all of which there are.
func (l *List) DeleteRange(h leaf.Heap, o *Options, from, n int) error {
	switch {
	case n == 0:
		return nil
	case n == l.Len():
		for !l.FreeSome(h, l.Nodes()) {
		}
		return nil
	case n == 1 && from == 0:
		return l.PopHead(h, o)
	case n == 1 && from == l.Len()-1:
		return l.PopTail(h, o)
	}
	to := from + n
	if !l.openBorders(h, o, from, to) {
		return mem.ErrExhausted
	}
	// From here on nothing needs memory. First the elements at the end of a node go,
	// then whole nodes, last those at the beginning of a node.
	a := h.Arena
	var p place
	if rest := l.seek(a, from, &p); rest > 0 {
		lost := min(l.at(a, &p).count-rest, uint32(to-from))
		l.cut(h, &p, rest, lost)
		l.tidy(h, &p)
		to -= int(lost)
	}
	l.deleteNodes(h, o, from, to)
	l.mend(h, o, from)
	return nil
}

// openBorders opens the nodes that lose some of their elements when those from from up to
// to are removed, and those that become the first or last.
func (l *List) openBorders(h leaf.Heap, o *Options, from, to int) bool {
	var p place
	if from > 0 {
		rest := l.seek(h.Arena, from, &p)
		if to == l.Len() && rest == 0 {
			l.seek(h.Arena, from-1, &p)
			rest = 1
		}
		if rest > 0 && !open(h, o, l.at(h.Arena, &p)) {
			return false
		}
	}
	if to < l.Len() {
		if rest := l.seek(h.Arena, to, &p); rest > 0 || from == 0 {
			return open(h, o, l.at(h.Arena, &p))
		}
	}
	return true
}

// deleteNodes removes the elements from from up to to, the first of which begins a node.
func (l *List) deleteNodes(h leaf.Heap, o *Options, from, to int) {
	a := h.Arena
	var p place
	// The head and the tail are kept until their successors are at the border: else
	// nodes would be decompressed only to be removed.
	at := from
	if from == 0 && to >= int(l.head.count) {
		at = int(l.head.count)
	}
	for at < to {
		l.seek(a, at, &p)
		count := int(l.at(a, &p).count)
		if count > to-at {
			l.cut(h, &p, 0, uint32(to-at))
			l.tidy(h, &p)
			break
		}
		l.unlink(h, o, &p)
		to -= count
	}
	if at > from {
		p.where = atHead
		l.unlink(h, o, &p)
	}
}

// mend makes the nodes around element i, where others were removed, one node if they fit,
// unless they are at an end, where small ones are usual.
func (l *List) mend(h leaf.Heap, o *Options, i int) {
	var p place
	if i > 0 && i < l.Len() {
		l.seek(h.Arena, i, &p)
		if p.where == atInner {
			l.join(h, o, i)
		}
		l.seek(h.Arena, i-1, &p)
		if p.where == atInner {
			l.join(h, o, i-1)
		}
	}
	l.settle(h, o, i-1, i+1)
}

// Remove removes elements that equal elem: the first count from the head, or from the
// tail if fromTail; all if count is 0. It returns how many. If there is no memory it
// stops, and says so.
func (l *List) Remove(h leaf.Heap, o *Options, elem []byte, count int, fromTail bool) (int, error) {
	a := h.Arena
	if count == 0 {
		count = l.Len()
	}
	want := listpack.Text(elem)
	removed := 0
	var p place
	// What is before pos, or from end on, has been looked at. Nodes that were joined may
	// have more of that, and are looked at again.
	for pos, end := 0, l.Len(); removed < count && pos < end; {
		i := pos
		if fromTail {
			i = end - 1
		}
		first := i - int(l.seek(a, i, &p))
		had := int(l.at(a, &p).count)
		n, err := l.removeIn(h, o, &p, want, elem, count-removed, fromTail)
		removed += n
		if err != nil {
			return removed, err
		}
		if fromTail {
			end = first
		} else {
			pos, end = first+had-n, end-n
		}
		if n > 0 {
			l.mend(h, o, first)
		}
	}
	return removed, nil
}

// removeIn is Remove in one node.
func (l *List) removeIn(h leaf.Heap, o *Options, p *place, want listpack.Elem, elem []byte,
	count int, fromTail bool) (int, error) {
	a := h.Arena
	e := l.at(a, p)
	n := look(a, e.ref)
	b := n.content(a, e.ref, o.Scratch)
	if n.flags&flagPlain != 0 {
		if string(b) != string(elem) {
			return 0, nil
		}
		return l.removeNode(h, o, p)
	}
	list := listpack.List(b)
	found, from := 0, 0
	for at := list.Find(want, listpack.HeaderSize, 0); at != 0; at = list.Find(want, list.Next(at), 0) {
		if found++; found == 1 {
			from = at
		} else if found == count && !fromTail {
			break
		}
	}
	switch {
	case found == 0:
		return 0, nil
	case min(found, count) == int(e.count):
		return l.removeNode(h, o, p)
	}
	packed := n.flags&flagLZF != 0
	if !open(h, o, e) {
		return 0, mem.ErrExhausted
	}
	block, n := l.block(h, e)
	skip := max(found-count, 0)
	if !fromTail {
		skip = 0
	}
	count = min(count, found)
	squeeze(block[n.start:], want, from, skip, count)
	l.add(a, p, -count)
	l.tidy(h, p)
	if packed {
		deflate(h, o, l.at(a, p))
	}
	return count, nil
}

// removeNode removes a node with all its elements.
func (l *List) removeNode(h leaf.Heap, o *Options, p *place) (int, error) {
	n := int(l.at(h.Arena, p).count)
	if !l.unlink(h, o, p) {
		return 0, mem.ErrExhausted
	}
	return n, nil
}

// squeeze removes count elements that equal want from the list in b, the first of which
// is at from, after passing over skip of them. It moves every byte once.
func squeeze(b []byte, want listpack.Elem, from, skip, count int) {
	list := listpack.In(b)
	for ; skip > 0; skip-- {
		from = list.Find(want, list.Next(from), 0)
	}
	to := from // what is kept goes here
	for removed := 1; ; removed++ {
		keep := from + list.SizeAt(from)
		next := list.End()
		if removed < count {
			next = list.Find(want, keep, 0)
		}
		copy(list[to:], list[keep:next])
		to += next - keep
		if removed == count {
			break
		}
		from = next
	}
	listpack.DeleteRaw(b, to, list.End(), count)
}
