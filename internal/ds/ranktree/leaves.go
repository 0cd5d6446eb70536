package ranktree

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// AppendLeaves appends the references of all leaves in order. It does not touch them.
func (t *Tree) AppendLeaves(a *mem.Arena, dst []mem.Ref) []mem.Ref {
	if t.root == 0 {
		return dst
	}
	return appendLeaves(a, dst, t.root, t.height)
}

func appendLeaves(a *mem.Arena, dst []mem.Ref, r mem.Ref, height int) []mem.Ref {
	if height == 0 {
		return append(dst, r)
	}
	n := nodeAt(a, r)
	for i := range n.count() {
		dst = appendLeaves(a, dst, n.child(i), height-1)
	}
	return dst
}

// LeafAt is the leaf of the key of a rank, which there is, and how many keys of the leaf come
// before it and behind it.
func (t *Tree) LeafAt(a *mem.Arena, rank int64) (r mem.Ref, before, behind int) {
	var p path
	n, i := t.walk(a, rank, &p)
	return p.ref[t.height], i, n.count() - 1 - i
}

// EachInLeaf calls fn with the keys of one leaf in order, until it returns false. The
// leaf may be frozen.
func EachInLeaf(a *mem.Arena, r mem.Ref, fn func(key, payload []byte) bool) {
	n := nodeAt(a, r)
	off := 0
	for i := range n.count() {
		if !fn(n.key(a, i, off), n.payload(i)) {
			return
		}
		off += int(n.code(i) & lengthMask)
	}
}

// EachInLeafBackward is EachInLeaf from the last key to the first.
func EachInLeafBackward(a *mem.Arena, r mem.Ref, fn func(key, payload []byte) bool) {
	n := nodeAt(a, r)
	off := n.offset(n.count())
	for i := n.count() - 1; i >= 0; i-- {
		off -= int(n.code(i) & lengthMask)
		if !fn(n.key(a, i, off), n.payload(i)) {
			return
		}
	}
}

// LeafLen is the number of keys in a leaf.
func LeafLen(a *mem.Arena, r mem.Ref) int { return nodeAt(a, r).count() }

// Thaw is leaf.Heap's Thaw for a leaf and the blocks of its long keys.
func Thaw(h leaf.Heap, r mem.Ref) {
	n := nodeAt(h.Arena, r)
	n.eachLong(0, n.count(), h.Thaw)
	h.Thaw(r)
}

// dropLeaf gives up a leaf and the blocks of its long keys.
func dropLeaf(h leaf.Heap, r mem.Ref) {
	n := nodeAt(h.Arena, r)
	n.eachLong(0, n.count(), h.Drop)
	h.Drop(r)
}

// FreeSome frees up to about budget leaves and says whether nothing is left. Until then
// nothing else may be done with the tree.
func (t *Tree) FreeSome(h leaf.Heap, budget int) (done bool) {
	for t.root != 0 && budget > 0 {
		if t.height == 0 {
			dropLeaf(h, t.root)
			*t = New(t.payload)
			break
		}
		var p path // to the last of the lowest inner nodes
		r := t.root
		for l := range t.height {
			n := nodeAt(h.Arena, r)
			p.ref[l], p.idx[l] = r, uint16(n.count()-1)
			r = n.child(n.count() - 1)
		}
		level := t.height - 1
		n := nodeAt(h.Arena, p.ref[level])
		count := n.count()
		gone := min(budget, count)
		budget -= gone
		for i := count - gone; i < count; i++ {
			dropLeaf(h, n.child(i))
		}
		n.eachLong(count-gone, count, plain(h).Drop)
		if gone < count {
			n.remove(count-gone, count)
			break
		}
		t.freeNode(h, &p, level)
	}
	return t.root == 0
}

// freeNode frees the path's inner node at a level, whose children are gone, and those
// above it that have no other.
func (t *Tree) freeNode(h leaf.Heap, p *path, level int) {
	for ; level >= 0; level-- {
		h.Free(p.ref[level])
		if level == 0 {
			*t = New(t.payload)
			return
		}
		n := nodeAt(h.Arena, p.ref[level-1])
		last := n.count() - 1
		n.eachLong(last, last+1, plain(h).Drop)
		if last > 0 {
			n.remove(last, last+1)
			return
		}
	}
}

// MemoryBytes is the memory of the tree's blocks. With samples > 0 it looks at no more
// than that many leaves, and estimates.
func (t *Tree) MemoryBytes(a *mem.Arena, samples int) int64 {
	if t.root == 0 {
		return 0
	}
	if samples <= 0 || int64(samples) >= t.count {
		return memoryBelow(a, t.root, t.height)
	}
	var sum, keys int64
	for i := range int64(samples) {
		var p path
		n, _ := t.walk(a, t.count*i/int64(samples), &p)
		bytes := memoryBelow(a, p.ref[t.height], 0)
		for l, children := t.height-1, int64(1); l >= 0; l-- { // the leaf's part of those above
			children *= int64(nodeAt(a, p.ref[l]).count())
			bytes += int64(a.Cap(p.ref[l])) / children
		}
		sum += bytes
		keys += int64(n.count())
	}
	return int64(float64(sum) / float64(keys) * float64(t.count))
}

// memoryBelow is the memory of a node, its long keys and its children.
func memoryBelow(a *mem.Arena, r mem.Ref, height int) int64 {
	n := nodeAt(a, r)
	sum := int64(a.Cap(r))
	n.eachLong(0, n.count(), func(r mem.Ref) { sum += int64(a.Cap(r)) })
	if height > 0 {
		for i := range n.count() {
			sum += memoryBelow(a, n.child(i), height-1)
		}
	}
	return sum
}
