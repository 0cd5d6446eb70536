package stream

import (
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// An Iter goes through the entries of a range of IDs. It is valid until the stream's
// entries change.
//
//	for it := s.Range(a, from, to, false); it.Next(); {
//		for field, value, ok := it.NextPair(); ok; field, value, ok = it.NextPair() {
type Iter struct {
	a        *mem.Arena
	s        Stream
	from, to ID
	backward bool

	place    place
	node     Node
	fields   int // of the master entry,
	fieldsAt int // where they are, and
	first    int // where the node's first entry is
	at       int // where to read on: behind the entry, or backward its beginning
	e        entry

	pairs   int // of the entry, that NextPair has not returned
	fieldAt int // the next field, if the entry has those of the master entry
	dataAt  int // the next element of the entry
}

// Range goes through the entries from one ID to another, both included, or backward
// from to to from.
func (s *Stream) Range(a *mem.Arena, from, to ID, backward bool) (it Iter) {
	it.a, it.s, it.from, it.to, it.backward = a, *s, from, to, backward
	switch {
	case to.Less(from):
	case backward:
		s.placeOf(a, to, &it.place)
		it.enter()
	default:
		s.placeOf(a, from, &it.place)
		if it.place.ref == 0 {
			s.firstPlace(a, &it.place)
		}
		it.enter()
		if it.place.ref != 0 {
			it.at = it.node.start(from, it.fields, it.first)
		}
	}
	return it
}

// Get is an iterator at the entry of an ID, if there is one.
func (s *Stream) Get(a *mem.Arena, id ID) (it Iter, ok bool) {
	it = s.Range(a, id, id, false)
	return it, it.Next()
}

// Has says whether there is an entry of an ID.
func (s *Stream) Has(a *mem.Arena, id ID) bool {
	if s.Last.Less(id) || id.Less(s.First) {
		return false
	}
	var p place
	s.placeOf(a, id, &p)
	if p.ref == 0 {
		return false
	}
	n := NodeAt(a, p.ref)
	e, ok := n.find(id)
	return ok && e.id == id
}

// enter begins with the node of the place.
func (it *Iter) enter() {
	if it.place.ref == 0 {
		return
	}
	it.node = NodeAt(it.a, it.place.ref)
	it.start()
}

// start goes to where the entries of the node begin.
func (it *Iter) start() {
	it.fields, it.fieldsAt, it.first = it.node.master()
	it.at = it.first
	if it.backward {
		it.at = it.node.List.End()
	}
}

// Next goes to the next entry, the first at first, and says whether there is one.
func (it *Iter) Next() bool {
	if it.backward {
		return it.nextBackward()
	}
	if it.e.at != 0 {
		it.at = it.behind()
	}
	for it.place.ref != 0 {
		if it.node.isEnd(it.at) {
			it.s.next(&it.place)
			it.enter()
			continue
		}
		it.node.read(it.at, it.fields, &it.e)
		if it.to.Less(it.e.id) {
			break
		}
		if it.e.flags&flagDeleted == 0 && !it.e.id.Less(it.from) {
			it.open()
			return true
		}
		it.at = it.node.end(&it.e)
	}
	it.place.ref, it.e.at = 0, 0
	return false
}

// behind is the position behind the current entry, which is near if all was read.
func (it *Iter) behind() int {
	if it.pairs == 0 {
		return it.dataAt + it.node.List.SizeAt(it.dataAt)
	}
	return it.node.end(&it.e)
}

func (it *Iter) nextBackward() bool {
	for it.place.ref != 0 {
		if it.at == it.first {
			it.s.prev(it.a, &it.place)
			it.enter()
			continue
		}
		it.at = it.node.before(it.at)
		it.node.read(it.at, it.fields, &it.e)
		if it.e.id.Less(it.from) {
			break
		}
		if it.e.flags&flagDeleted == 0 && !it.to.Less(it.e.id) {
			it.open()
			return true
		}
	}
	it.place.ref = 0
	return false
}

// open makes the current entry's first pair the next.
func (it *Iter) open() {
	it.pairs, it.fieldAt, it.dataAt = it.e.pairs, it.fieldsAt, it.e.data
}

// ID is the current entry's.
func (it *Iter) ID() ID { return it.e.id }

// Pairs is the number of fields that the current entry has and NextPair has not
// returned.
func (it *Iter) Pairs() int { return it.pairs }

// NextPair returns the current entry's next field and its value.
func (it *Iter) NextPair() (field, value listpack.Elem, ok bool) {
	if it.pairs == 0 {
		return field, value, false
	}
	it.pairs--
	l := it.node.List
	if it.e.flags&flagSameFields != 0 {
		field = l.Get(it.fieldAt)
		it.fieldAt += l.SizeAt(it.fieldAt)
	} else {
		field = l.Get(it.dataAt)
		it.dataAt += l.SizeAt(it.dataAt)
	}
	value = l.Get(it.dataAt)
	it.dataAt += l.SizeAt(it.dataAt)
	return field, value, true
}

// RangeIn goes through the entries of one node like Stream.Range. It needs no arena: the node
// may be a copy.
func RangeIn(n Node, from, to ID, backward bool) Iter {
	it := Iter{s: New(), from: from, to: to, backward: backward, node: n}
	it.s.tail, it.place.ref = lone, lone
	it.start()
	return it
}

// lone is what stands for a node that is nowhere.
const lone mem.Ref = 1

// RangeNode goes through the entries of one node, which may be frozen.
func RangeNode(a *mem.Arena, ref mem.Ref) Iter {
	only := New()
	only.tail = ref
	return only.Range(a, ID{}, MaxID, false)
}
