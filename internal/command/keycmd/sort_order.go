package keycmd

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/value"
)

// A sorter puts the elements of a value in order.
//
//	order   [ key | at | pos ]...     16 bytes each, the only thing that is moved
//	                 |
//	items   [ element | weight ]...   elements stay in the arena, where they are
//
// The key is a number that orders like the weight as far as it goes: the weight itself if
// it is a number, else its first eight bytes. So most comparisons look at nothing else.
//
// If only the first few are wanted no more than these are kept, in a heap with the last
// of them on top.
type sorter struct {
	c     *command.Ctx
	o     *sortOptions
	items []item
	order []rank
	most  int    // of items that are kept; all if negative
	seen  uint32 // elements
	spare uint32 // the item that is not in the heap
	bad   bool   // some weight is no number

	key []byte
	buf [numtext.MaxIntLen]byte
}

type item struct {
	elem   listpack.Elem
	weight listpack.Elem // of ALPHA with BY
	has    bool          // a weight
}

type rank struct {
	key uint64
	at  uint32 // in items
	pos uint32 // in the value: equal ones stay in this order
}

// heapShare is the share of the elements, one in so many, up to which keeping the first
// ones in a heap is cheaper than sorting all.
const heapShare = 4

// gather makes order the elements of a value that are wanted.
func (s *sorter) gather(v keyspace.Value) error {
	cell := v.Cell()
	n := int64(value.Len(&cell))
	from, to := s.window(n)
	if s.o.unsorted && v.Type() == record.Set && s.o.store > 0 {
		// Elsewhere the set may be in another order, and the same list is to come out.
		s.o.unsorted, s.o.alpha, s.o.by = false, true, nil
	}
	if s.o.unsorted {
		s.take(&cell, v.Type(), n, from, to)
		return nil
	}
	room := n
	if s.most = -1; to <= n/heapShare || from == to {
		room = to
		s.most = int(to)
	}
	s.items = make([]item, 0, room+1)
	s.order = make([]rank, 0, room)
	value.Each(&cell, func(e *value.Element) { s.add(e.Name) })
	if s.bad {
		return errSortScore
	}
	slices.SortFunc(s.order, s.compare)
	s.order = s.order[min(from, int64(len(s.order))):min(to, int64(len(s.order)))]
	return nil
}

// window is LIMIT as a range of n elements, from <= to <= n.
func (s *sorter) window(n int64) (from, to int64) {
	from, to = min(max(s.o.offset, 0), n), n
	if s.o.count >= 0 && s.o.count < n-from {
		to = from + s.o.count
	}
	return from, to
}

// take takes the elements of a range as they come. Lists and sorted sets have an order,
// which DESC turns around.
func (s *sorter) take(cell *value.Cell, t record.Type, n, from, to int64) {
	s.order = make([]rank, 0, to-from)
	s.items = make([]item, 0, to-from)
	switch {
	case t == record.List && to-from <= n/heapShare:
		s.takeOfList(cell, n, from, to)
		return
	case t == record.ZSet:
		s.takeOfZSet(cell, n, from, to)
		return
	}
	back := s.o.desc && t == record.List
	if back {
		from, to = n-to, n-from
	}
	i := int64(0)
	value.Each(cell, func(e *value.Element) {
		if i >= from && i < to {
			s.keep(e.Name)
		}
		i++
	})
	if back {
		slices.Reverse(s.order)
	}
}

// takeOfList takes a few elements of a list without passing over all others. They are
// copied: what a compressed node holds is there until the next is looked at.
func (s *sorter) takeOfList(cell *value.Cell, n, from, to int64) {
	l := value.ListIn(cell)
	first := from
	if s.o.desc {
		first = n - 1 - from
	}
	it := l.Iter(int(first), s.o.desc)
	for range to - from {
		e, ok := it.Next()
		if !ok {
			return
		}
		if !e.IsInt {
			e.Bytes = append([]byte{}, e.Bytes...)
		}
		s.keep(e)
	}
}

func (s *sorter) takeOfZSet(cell *value.Cell, n, from, to int64) {
	z := value.ZSetOf(cell)
	first := from
	if s.o.desc {
		first = n - 1 - from
	}
	it := z.Iter(int(first), s.o.desc)
	for range to - from {
		text, v, _, ok := it.Next()
		if !ok {
			return
		}
		s.keep(listpack.Elem{Bytes: text, Int: v, IsInt: text == nil})
	}
}

// keep enters an element that is wanted whatever comes.
func (s *sorter) keep(e listpack.Elem) {
	s.order = append(s.order, rank{at: uint32(len(s.items))})
	s.items = append(s.items, item{elem: e})
}

// add enters an element with its weight.
func (s *sorter) add(e listpack.Elem) {
	r := rank{at: uint32(len(s.items)), pos: s.seen}
	it := item{elem: e}
	s.seen++
	s.weigh(&it, &r)
	switch {
	case s.most < 0:
		s.items, s.order = append(s.items, it), append(s.order, r)
	case s.most > 0: // if none is wanted, all must be numbers nevertheless
		s.addToHeap(it, r)
	}
}

// weigh finds the weight of an element, and makes the key of it.
func (s *sorter) weigh(it *item, r *rank) {
	weight, has := it.elem, true
	if s.o.by != nil {
		weight, has = s.lookup(s.o.by, it.elem)
	}
	switch {
	case s.o.alpha:
		it.weight, it.has = weight, has
		r.key = textKey(weight.Text(&s.buf))
	case !has: // weighs 0
		r.key = floatKey(0)
	case weight.IsInt:
		r.key = floatKey(float64(weight.Int))
	default:
		f, ok := parseWeight(weight.Bytes)
		s.bad = s.bad || !ok
		r.key = floatKey(f)
	}
}

// parseWeight reads a number as C's strtod does, and takes nothing at all for 0.
func parseWeight(b []byte) (float64, bool) {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if len(b) == 0 {
		return 0, true
	}
	return numtext.ParseFloat(bytes.TrimLeft(b, " \t\n\v\f\r"))
}

// floatKey orders like f.
func floatKey(f float64) uint64 {
	if f == 0 {
		f = 0 // and not -0
	}
	if b := math.Float64bits(f); b>>63 == 0 {
		return b | 1<<63
	} else {
		return ^b
	}
}

// textKey orders like text, as far as it goes.
func textKey(text []byte) uint64 {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64(text)
	}
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
}

// compare orders elements. Numbers that are equal are ordered as texts, so that the result
// does not depend on how the value is kept; all else that is equal stays in its order.
func (s *sorter) compare(a, b rank) int {
	order := cmp.Compare(a.key, b.key)
	if order == 0 {
		order = s.compareTexts(&s.items[a.at], &s.items[b.at])
	}
	if s.o.desc {
		order = -order
	}
	if order == 0 {
		order = cmp.Compare(a.pos, b.pos)
	}
	return order
}

// compareTexts compares what ALPHA asks for: weights, of which one that is missing is
// first; else the elements.
func (s *sorter) compareTexts(a, b *item) int {
	x, y := a.elem, b.elem
	if s.o.alpha {
		switch {
		case !a.has && !b.has:
			return 0
		case !a.has:
			return -1
		case !b.has:
			return 1
		}
		x, y = a.weight, b.weight
	}
	var other [numtext.MaxIntLen]byte
	return bytes.Compare(x.Text(&s.buf), y.Text(&other))
}

// addToHeap keeps an element if it is one of the first so far. The items have one place
// more than there are in the heap: for the one that is looked at.
func (s *sorter) addToHeap(it item, r rank) {
	n := len(s.order)
	if n < s.most {
		s.items, s.order = append(s.items, it), append(s.order, r)
		for i := n; i > 0; {
			up := (i - 1) / 2
			if s.compare(s.order[up], s.order[i]) >= 0 {
				break
			}
			s.order[up], s.order[i] = s.order[i], s.order[up]
			i = up
		}
		return
	}
	if len(s.items) == n {
		s.items = append(s.items, item{})
		s.spare = uint32(n)
	}
	r.at = s.spare
	s.items[r.at] = it
	if s.compare(r, s.order[0]) >= 0 {
		return
	}
	s.spare, s.order[0] = s.order[0].at, r
	s.sink()
}

// sink moves the top of the heap to where it belongs.
func (s *sorter) sink() {
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(s.order) {
			return
		}
		if right := down + 1; right < len(s.order) && s.compare(s.order[right], s.order[down]) > 0 {
			down = right
		}
		if s.compare(s.order[i], s.order[down]) >= 0 {
			return
		}
		s.order[i], s.order[down] = s.order[down], s.order[i]
		i = down
	}
}
