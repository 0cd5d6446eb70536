package quicklist

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// AppendNode puts a node with a copy of content behind all others: a list that is
// valid, of which an empty one is nothing, or if plain one element.
func (l *List) AppendNode(h leaf.Heap, o *Options, plain bool, content []byte) error {
	count := 1
	if !plain {
		count = listpack.List(content).Len()
	}
	if count == 0 {
		return nil
	}
	if l.Len()+count > lenMax {
		return mem.ErrExhausted
	}
	r := newLeaf(h, plain, content)
	if r == 0 || !l.pushNode(h, o, entry{r, uint32(count)}, false) {
		return mem.ErrExhausted
	}
	return nil
}

// FromListpack is the list of one node that is a copy of a valid listpack, which has
// elements.
func FromListpack(h leaf.Heap, o *Options, list listpack.List) (l List, err error) {
	err = l.AppendNode(h, o, false, list)
	return l, err
}

// AppendLeaves appends the leaves in order. It does not touch them.
func (l *List) AppendLeaves(a *mem.Arena, dst []mem.Ref) []mem.Ref {
	if l.head.ref == 0 {
		return dst
	}
	dst = append(dst, l.head.ref)
	for p := (place{where: atHead}); l.next(a, &p); {
		dst = append(dst, l.at(a, &p).ref)
	}
	return dst
}

// LeafAt is the leaf of the element at pos, which there is, and how many elements of the leaf
// come before it and behind it. It does not touch the leaf.
func (l *List) LeafAt(a *mem.Arena, pos int) (r mem.Ref, before, behind int) {
	var p place
	rest := l.seek(a, pos, &p)
	e := l.at(a, &p)
	return e.ref, int(rest), int(e.count - 1 - rest)
}

// LeafBytes is what a leaf holds: a listpack, or if plain an element. It is valid until
// the leaf is changed or s is used again.
func LeafBytes(a *mem.Arena, r mem.Ref, s *Scratch) (content []byte, plain bool) {
	n := look(a, r)
	return n.content(a, r, s), n.flags&flagPlain != 0
}

// LeafPacked is the LZF stream of a compressed leaf, and the size in bytes of its content;
// or ok is false.
func LeafPacked(a *mem.Arena, r mem.Ref) (stream []byte, size int, ok bool) {
	n := look(a, r)
	if n.flags&flagLZF == 0 {
		return nil, 0, false
	}
	return n.stored(a, r), n.raw, true
}

// EachInLeaf calls each for the elements of a leaf, until it returns an error, which is
// returned.
func EachInLeaf(a *mem.Arena, r mem.Ref, s *Scratch, each func(listpack.Elem) error) error {
	b, plain := LeafBytes(a, r, s)
	if plain {
		return each(listpack.Elem{Bytes: b})
	}
	list := listpack.List(b)
	for at := list.First(); at != 0; {
		var e listpack.Elem
		e, at = list.Read(at)
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// FreeSome frees the list from the tail, budget nodes at a time, and says when it is
// done. Meanwhile nothing else may be done with it, and then it is empty.
func (l *List) FreeSome(h leaf.Heap, budget int) (done bool) {
	for ; budget > 0 && l.inner.nodes > 0; budget-- {
		var p path
		l.inner.last(h.Arena, &p)
		h.Drop(p.entry(h.Arena).ref)
		l.inner.remove(h.Arena, &p)
	}
	if l.inner.nodes > 0 {
		return false
	}
	for _, end := range [2]*entry{&l.tail, &l.head} {
		if end.ref != 0 {
			h.Drop(end.ref)
			*end = entry{}
		}
	}
	return true
}

// MemoryBytes is how many bytes the blocks of the list can hold: estimated from about so
// many nodes at its head, or exactly if samples is 0.
func (l *List) MemoryBytes(a *mem.Arena, samples int) int64 {
	if l.head.ref == 0 {
		return 0
	}
	total, seen := int64(0), 0
	for p := (place{where: atHead}); ; {
		total += int64(a.Cap(l.at(a, &p).ref))
		seen++
		if seen == samples || !l.next(a, &p) {
			break
		}
	}
	total = int64(float64(total) / float64(seen) * float64(l.Nodes()))
	if l.inner.root != 0 {
		total += blockBytes(a, l.inner.root, int(l.inner.height)-1)
	}
	return total
}

// UncompressedBytes is the size in bytes of all nodes' contents when they are not
// compressed: what DEBUG OBJECT calls ql_uncompressed_size.
func (l *List) UncompressedBytes(a *mem.Arena) int64 {
	if l.head.ref == 0 {
		return 0
	}
	total := int64(0)
	for p := (place{where: atHead}); ; {
		total += int64(look(a, l.at(a, &p).ref).raw)
		if !l.next(a, &p) {
			return total
		}
	}
}
