package quicklist

import (
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// Index is the element at i, which there is. It is valid until the list is changed or s
// is used again.
func (l *List) Index(a *mem.Arena, i int, s *Scratch) listpack.Elem {
	var p place
	rest := l.seek(a, i, &p)
	e := l.at(a, &p)
	n := look(a, e.ref)
	b := n.content(a, e.ref, s)
	if n.flags&flagPlain != 0 {
		return listpack.Elem{Bytes: b}
	}
	list := listpack.List(b)
	return list.Get(seekIn(list, rest, e.count))
}

// seekIn is the position of an element of a list of count, from the nearer end.
func seekIn(list listpack.List, i, count uint32) int {
	if i > count/2 {
		return list.Seek(int(i) - int(count))
	}
	return list.Seek(int(i))
}

// An Iter walks over a list that does not change meanwhile.
type Iter struct {
	list    List // a copy, so that who walks need not have the list on the heap
	arena   *mem.Arena
	scratch *Scratch
	place   place
	node    []byte
	at      int // of the next element in a list
	left    int // elements in the node that have not been returned
	plain   bool
	back    bool
	done    bool
}

// Iter begins a walk with the element at i, towards the tail, or the head if back. If
// there is no such element, the walk is over.
func (l *List) Iter(a *mem.Arena, i int, back bool, s *Scratch) Iter {
	it := Iter{list: *l, arena: a, scratch: s, back: back}
	if i < 0 || i >= l.Len() {
		it.done = true
		return it
	}
	rest := l.seek(a, i, &it.place)
	it.enter()
	if back {
		it.left = int(rest) + 1
	} else {
		it.left -= int(rest)
	}
	if !it.plain {
		it.at = seekIn(it.node, rest, l.at(a, &it.place).count)
	}
	return it
}

// enter takes the node at the iterator's place.
func (it *Iter) enter() {
	e := it.list.at(it.arena, &it.place)
	n := look(it.arena, e.ref)
	it.node = n.content(it.arena, e.ref, it.scratch)
	it.plain = n.flags&flagPlain != 0
	it.left = int(e.count)
	if !it.plain {
		it.at = listpack.HeaderSize
		if it.back {
			it.at = listpack.List(it.node).Last()
		}
	}
}

// Next is the next element, if there is one. It is valid until Next is called again, the
// list is changed or the scratch used.
func (it *Iter) Next() (e listpack.Elem, ok bool) {
	if it.left == 0 && !it.advance() {
		return e, false
	}
	it.left--
	if it.plain {
		return listpack.Elem{Bytes: it.node}, true
	}
	list := listpack.List(it.node)
	e = list.Get(it.at)
	if it.back {
		it.at = list.Prev(it.at)
	} else {
		it.at += list.SizeAt(it.at)
	}
	return e, true
}

// Each calls fn for the next n elements, or for all that are left, of a walk towards the
// tail: a text that is not nil, or an integer. It is Next without the cost of an Elem.
func (it *Iter) Each(n int, fn func(text []byte, v int64)) {
	for n > 0 && (it.left > 0 || it.advance()) {
		now := min(n, it.left)
		n -= now
		it.left -= now
		if it.plain {
			fn(it.node, 0)
			continue
		}
		list, at := listpack.List(it.node), it.at
		for range now {
			fn(list.Value(at))
			at += list.SizeAt(at)
		}
		it.at = at
	}
}

// advance goes to the next node, if there is one.
func (it *Iter) advance() bool {
	if it.done {
		return false
	}
	if it.back {
		it.done = !it.list.prev(it.arena, &it.place)
	} else {
		it.done = !it.list.next(it.arena, &it.place)
	}
	if it.done {
		return false
	}
	it.enter()
	return true
}
