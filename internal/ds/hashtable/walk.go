package hashtable

import (
	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// EachInLeaf calls fn for every element of one leaf until it returns false, and says
// whether it came to the end. The leaf may be frozen.
func EachInLeaf(a *mem.Arena, r mem.Ref, fn func(Entry) bool) bool {
	nd := open(a, r)
	at := nd.bodies()
	for i := range nd.n {
		if !fn(nd.entry(a, i, at)) {
			return false
		}
		at += nd.len(i)
	}
	return true
}

// Each calls fn for every element until it returns false. The table must not change
// meanwhile.
func (t *Table) Each(a *mem.Arena, fn func(Entry) bool) {
	if t.dir.IsEmpty() {
		return
	}
	for pos := uint64(0); ; {
		r := t.dir.Find(a, pos)
		if !EachInLeaf(a, r, fn) {
			return
		}
		if pos = hashdir.Next(pos, open(a, r).depth); pos == 0 {
			return
		}
	}
}

// Scan calls fn for the elements of the leaf at a cursor, and returns the cursor of the
// next, or 0 after the last. A cursor is a position, so it stays good while the table grows
// and shrinks: an element that is there from the first call, with cursor 0, to the last
// is visited, possibly twice if leaves were joined meanwhile.
func (t *Table) Scan(a *mem.Arena, cursor uint64, fn func(Entry)) (next uint64) {
	if t.dir.IsEmpty() {
		return 0
	}
	r := t.dir.Find(a, cursor)
	EachInLeaf(a, r, func(e Entry) bool { fn(e); return true })
	return hashdir.Next(cursor, open(a, r).depth)
}

// Random returns an element, each being equally likely, or false if there is none. draw
// returns random numbers.
//
// A random position meets a leaf of depth d with probability 2^-d; then a number below
// most * 2^(deep-d) chooses one of the leaf's entries, or none, and all is repeated. So
// in one round every element has the probability 1 / (most * 2^deep). Of three or four
// rounds one succeeds, because leaves differ little.
func (t *Table) Random(a *mem.Arena, draw func() uint64) (Entry, bool) {
	for t.count > 0 {
		nd := open(a, t.dir.Find(a, draw()))
		bound := uint64(t.most) << (t.dir.Deep() - nd.depth)
		if t.dir.IsSingle() {
			bound = uint64(nd.n)
		}
		if i := draw() % bound; i < uint64(nd.n) {
			return nd.entry(a, int(i), nd.at(int(i))), true
		}
	}
	return Entry{}, false
}

// AppendLeaves appends all leaves in the order of Each. It does not read them.
func (t *Table) AppendLeaves(a *mem.Arena, dst []mem.Ref) []mem.Ref {
	return t.dir.AppendLeaves(a, dst)
}

// Thaw is leaf.Heap's, for a leaf and for the blocks of its elements that are outside.
func Thaw(h leaf.Heap, r mem.Ref) {
	eachOutside(h.Arena, r, h.Thaw)
	h.Thaw(r)
}

func eachOutside(a *mem.Arena, r mem.Ref, fn func(mem.Ref)) {
	nd := open(a, r)
	at := nd.bodies()
	for i := range nd.special {
		if _, outside := nd.specialOf(i, at); outside != 0 {
			fn(outside)
		}
		at += nd.len(i)
	}
}

// FreeSome frees about budget leaves and says whether the table is gone. Until it is,
// only FreeSome may be called.
func (t *Table) FreeSome(h leaf.Heap, budget int) (done bool) {
	done = t.dir.FreeSome(h.Arena, budget, func(r mem.Ref) {
		eachOutside(h.Arena, r, h.Drop)
		h.Drop(r)
	})
	if done {
		*t = New(t.values)
	}
	return done
}

// MemoryBytes is the memory of the table, estimated from that many leaves; exact if
// samples is 0.
func (t *Table) MemoryBytes(a *mem.Arena, samples int) int64 {
	total := t.dir.Bytes(a)
	if t.dir.IsEmpty() {
		return total
	}
	var sampled, elements int64
	for pos, leaves := uint64(0), 1; ; leaves++ {
		r := t.dir.Find(a, pos)
		nd := open(a, r)
		sampled += int64(a.Cap(r))
		eachOutside(a, r, func(r mem.Ref) { sampled += int64(a.Cap(r)) })
		elements += int64(nd.n)
		if pos = hashdir.Next(pos, nd.depth); pos == 0 {
			return total + sampled
		}
		if leaves >= samples && samples > 0 && elements > 0 {
			return total + int64(float64(sampled)/float64(elements)*float64(t.count))
		}
	}
}
