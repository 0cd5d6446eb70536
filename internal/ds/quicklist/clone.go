package quicklist

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// CloneSome goes on with making l, which was empty when this began, a copy of another
// list, which may be in another arena and must not change until the two have the same Len.
// It stops when the budget is used up (see leaf.CloneCost), and returns what is left of it.
// Without memory it returns mem.ErrExhausted; l can be freed after each call.
//
// Nodes are copied as they are, compressed or not, only without gaps.
func (l *List) CloneSome(h leaf.Heap, a *mem.Arena, from *List, budget int) (left int, err error) {
	for l.Len() < from.Len() && budget > 0 {
		var p place
		from.seek(a, l.Len(), &p)
		e := *from.at(a, &p)
		cost := 0
		if e.ref, cost = cloneNode(h, a, e.ref); e.ref == 0 {
			return 0, mem.ErrExhausted
		}
		if !l.append(h.Arena, e) {
			h.Drop(e.ref)
			return 0, mem.ErrExhausted
		}
		budget -= cost
	}
	return budget, nil
}

// append puts a node behind all others.
func (l *List) append(a *mem.Arena, e entry) bool {
	if l.head.ref == 0 {
		l.head = e
		return true
	}
	p := place{where: atTail}
	if l.tail.ref == 0 {
		p.where = atHead
	}
	return l.link(a, &p, e, true)
}

// cloneNode copies a node. It returns 0 if there is no memory.
func cloneNode(h leaf.Heap, a *mem.Arena, r mem.Ref) (fresh mem.Ref, cost int) {
	n := look(a, r)
	if n.flags&flagGap == 0 {
		return h.Clone(a, r, n.end()), leaf.CloneCost(n.end())
	}
	size := listStart + n.size
	if fresh = h.New(size); fresh != 0 {
		b := h.Bytes(fresh, size)
		b[flagsAt] = n.flags &^ flagGap
		copy(b[listStart:], n.stored(a, r))
	}
	return fresh, leaf.CloneCost(size)
}
