package hashtable

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// A Clone is how far the copying of a table has come. The zero Clone has not begun.
type Clone struct {
	pos   uint64 // of the next leaf
	begun bool
	done  bool
}

// CloneSome goes on with making t, which was empty when this began, a copy of another
// table with the same hashes, which may be in another arena and must not change until it
// is done. It stops when the budget is used up (see leaf.CloneCost), and returns what is
// left of it. Without memory it returns mem.ErrExhausted; t can be freed after each call.
//
// Leaves are copied as they are, in the order of their positions. What is to come is one
// empty leaf for each bit of the position that the last one had, and they are split
// until the next leaf has the place of one.
func (t *Table) CloneSome(
	c *Clone, h leaf.Heap, a *mem.Arena, from *Table, budget int,
) (left int, done bool, err error) {
	if from.dir.IsEmpty() {
		return budget, true, nil
	}
	if !c.begun {
		if !t.begin(h) {
			return 0, false, mem.ErrExhausted
		}
		c.begun = true
	}
	for ; !c.done && budget > 0; c.done = c.pos == 0 {
		r := from.dir.Find(a, c.pos)
		nd := open(a, r)
		at, ok := t.reach(h, c.pos, nd.depth)
		if !ok {
			return 0, false, mem.ErrExhausted
		}
		fresh, cost := cloneLeaf(h, a, r, &nd)
		if fresh == 0 {
			return 0, false, mem.ErrExhausted
		}
		t.dir.Replace(h.Arena, c.pos, nd.depth, fresh)
		h.Drop(at)
		t.count += nd.n
		budget -= cost
		c.pos = hashdir.Next(c.pos, nd.depth)
	}
	if c.done {
		t.expiring, t.min, t.most = from.expiring, from.min, from.most
		t.sweep, t.sweepMin = from.sweep, from.sweepMin
	}
	return budget, c.done, nil
}

// reach splits the empty leaf at a position until it has a depth.
func (t *Table) reach(h leaf.Heap, pos uint64, depth uint) (r mem.Ref, ok bool) {
	r = t.dir.Find(h.Arena, pos)
	nd := open(h.Arena, r)
	for nd.depth < depth {
		behind := t.newEmpty(h, nd.depth+1)
		if behind == 0 {
			return 0, false
		}
		if !t.dir.Split(h.Arena, pos, nd.depth, r, behind) {
			h.Drop(behind)
			return 0, false
		}
		nd.depth++
		nd.writeHead()
	}
	return r, true
}

// newEmpty makes a leaf without entries, or returns 0.
func (t *Table) newEmpty(h leaf.Heap, depth uint) mem.Ref {
	r := h.New(blockMin)
	if r != 0 {
		nd := node{p: h.Ptr(r), used: headSize, head: headSize, depth: depth, values: t.values}
		nd.writeHead()
	}
	return r
}

// cloneLeaf copies a leaf and the blocks of its elements that are outside. It returns 0 if
// there is no memory.
func cloneLeaf(h leaf.Heap, a *mem.Arena, r mem.Ref, nd *node) (fresh mem.Ref, cost int) {
	if fresh = h.New(blockSize(nd.used)); fresh == 0 {
		return 0, 0
	}
	copy(h.Bytes(fresh, nd.used)[atFlags:], nd.bytes(nd.used)[atFlags:])
	cost = leaf.CloneCost(nd.used)
	own := open(h.Arena, fresh)
	at := own.bodies()
	for i := range own.special {
		n := own.len(i)
		if _, outside := own.specialOf(i, at); outside != 0 {
			field, value := readOutside(a, outside)
			block := newOutside(h, field, value)
			if block == 0 {
				own.special = i // the others are not copies
				own.writeHead()
				eachOutside(h.Arena, fresh, h.Drop)
				h.Drop(fresh)
				return 0, 0
			}
			body := own.body(at, n)
			binary.LittleEndian.PutUint32(body[n-4:], uint32(block))
			cost += leaf.CloneCost(outsideHead + len(field) + len(value))
		}
		at += n
	}
	return fresh, cost
}
