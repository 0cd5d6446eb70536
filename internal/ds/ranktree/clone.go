package ranktree

import (
	"unsafe"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// CloneSome goes on with making t, which was empty when this began, a copy of another
// tree, which may be in another arena and must not change until the two have the same Len.
// It stops when the budget is used up (see leaf.CloneCost), and returns what is left of it.
// Without memory it returns mem.ErrExhausted; t can be freed after each call.
//
// Leaves are copied as they are, and inner nodes filled as for keys that come in order. So
// the number of keys that t has says where to go on.
func (t *Tree) CloneSome(h leaf.Heap, a *mem.Arena, from *Tree, budget int) (left int, err error) {
	for t.count < from.count && budget > 0 {
		var p path
		n, _ := from.walk(a, t.count, &p)
		r, cost := cloneLeaf(h, a, p.ref[from.height])
		if r == 0 {
			return 0, mem.ErrExhausted
		}
		if err := t.appendLeaf(h, r, n.count()); err != nil {
			dropLeaf(h, r)
			return 0, err
		}
		budget -= cost
	}
	return budget, nil
}

// cloneLeaf copies a leaf and the blocks of its long keys. It returns 0 if there is no
// memory.
func cloneLeaf(h leaf.Heap, a *mem.Arena, r mem.Ref) (fresh mem.Ref, cost int) {
	size := nodeAt(a, r).size()
	if fresh = h.Clone(a, r, size); fresh == 0 {
		return 0, 0
	}
	cost = leaf.CloneCost(size)
	n := nodeAt(h.Arena, fresh)
	off := 0
	for i := range n.count() {
		code := n.code(i)
		if code&longBit != 0 {
			p := n.keyPtr(off)
			size := leaf.HeadSize + len(longKey(a, p))
			block := h.Clone(a, stubRef(unsafe.Slice((*byte)(p), stubSize)), size)
			if block == 0 {
				n.eachLong(0, i, h.Drop)
				h.Drop(fresh)
				return 0, 0
			}
			setStubRef(p, block)
			cost += leaf.CloneCost(size)
		}
		off += int(code & lengthMask)
	}
	return fresh, cost
}

// appendLeaf puts a leaf of count keys, which are greater than all in the tree, behind the
// last. If there is no memory the tree has the same elements as before, and perhaps a root
// with one child.
func (t *Tree) appendLeaf(h leaf.Heap, r mem.Ref, count int) error {
	if t.root == 0 {
		t.root, t.height, t.count = r, 0, int64(count)
		return nil
	}
	for {
		var p path
		last, i := t.walk(h.Arena, t.count-1, &p)
		level := t.height - 1
		if level < 0 || !t.hasRoom(h.Arena, &p, level) {
			if err := t.split(h, &p, max(level, 0)); err != nil {
				return err
			}
			continue
		}
		before := KeyOf(last.key(h.Arena, i, last.offset(i)))
		first := KeyOf(nodeAt(h.Arena, r).key(h.Arena, 0, 0))
		sep := separator(&before, &first)
		if !t.insertChild(h, &p, level, int(p.idx[level])+1, &sep, r, count) {
			return mem.ErrExhausted
		}
		for l := range level {
			nodeAt(h.Arena, p.ref[l]).addBelow(int(p.idx[l]), count)
		}
		t.count += int64(count)
		return nil
	}
}
