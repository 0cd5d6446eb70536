package ranktree

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

const (
	mergeBelow = leafMax * 3 / 8 // nodes that get smaller look for a neighbour
	mergeMax   = leafMax * 7 / 8 // with which they make one of at most this size
)

// Delete removes a key and says whether it was there. It fails only where a frozen leaf
// cannot be copied.
func (t *Tree) Delete(h leaf.Heap, k Key) (bool, error) {
	if t.root == 0 {
		return false, nil
	}
	var p path
	n := t.descend(h.Arena, &k, &p)
	i, _, found := n.search(h.Arena, &k)
	if !found {
		return false, nil
	}
	err := t.removeAt(h, &p, i, i+1, nil)
	return err == nil, err
}

// DeleteRange removes the keys of ranks from up to to, and calls fn, if it is not nil,
// with each before it goes. It returns how many went: fewer only if there is no memory
// to copy a frozen leaf. fn may use the arena but not the tree.
func (t *Tree) DeleteRange(h leaf.Heap, from, to int64, fn func(key, payload []byte)) (int64, error) {
	from, to = max(from, 0), min(to, t.count)
	var gone int64
	for from+gone < to {
		var p path
		n, i := t.walk(h.Arena, from, &p)
		j := int(min(int64(n.count()), int64(i)+to-from-gone))
		if err := t.removeAt(h, &p, i, j, fn); err != nil {
			return gone, err
		}
		gone += int64(j - i)
	}
	return gone, nil
}

// removeAt takes the entries from i up to j out of the path's leaf.
func (t *Tree) removeAt(h leaf.Heap, p *path, i, j int, fn func(key, payload []byte)) error {
	a := h.Arena
	old := p.ref[t.height]
	n := nodeAt(a, old)
	whole := i == 0 && j == n.count()
	if !whole {
		r := h.Own(old, n.size())
		if r == 0 {
			return mem.ErrExhausted
		}
		if r != old {
			t.setNode(a, p, t.height, r)
			n = nodeAt(a, r)
		}
	}
	if fn != nil {
		n.each(a, i, j, fn)
	}
	n.eachLong(i, j, h.Drop)
	t.recount(a, p, i-j)
	if whole {
		h.Drop(old)
		t.removeChild(h, p, t.height-1)
	} else {
		n.remove(i, j)
		t.tidy(h, p, t.height)
	}
	t.lower(h)
	return nil
}

// removeChild takes the path's child out of its node at a level, with the node if it
// was the only one. The child is gone already.
func (t *Tree) removeChild(h leaf.Heap, p *path, level int) {
	if level < 0 {
		t.root, t.height = 0, 0
		return
	}
	n := nodeAt(h.Arena, p.ref[level])
	i := int(p.idx[level])
	if n.count() == 1 {
		plain(h).Drop(p.ref[level])
		t.removeChild(h, p, level-1)
		return
	}
	t.removeEntry(h, n, i)
	t.tidy(h, p, level)
}

// removeEntry takes child i out of an inner node with others. The first one left has
// no separator, whatever it was.
func (t *Tree) removeEntry(h leaf.Heap, n node, i int) {
	sep := max(i, 1)
	n.eachLong(sep, sep+1, plain(h).Drop)
	if i == 0 {
		n.clearKey(1)
	}
	n.remove(i, i+1)
}

// tidy is called when the path's node at a level has become smaller: it merges it with
// a neighbour or fits its block. Nothing here has to succeed.
func (t *Tree) tidy(h leaf.Heap, p *path, level int) {
	from := h
	if level < t.height {
		from = plain(h)
	}
	a := h.Arena
	r := p.ref[level]
	if level > 0 && nodeAt(a, r).size() < mergeBelow {
		i := int(p.idx[level-1])
		parent := nodeAt(a, p.ref[level-1])
		if i > 0 && t.merge(h, p, level, i-1) || i+1 < parent.count() && t.merge(h, p, level, i) {
			t.tidy(h, p, level-1)
			return
		}
	}
	if fit := refit(from, r); fit != r {
		t.setNode(a, p, level, fit)
	}
}

// merge makes one node of children i and i+1 of the path's node above a level, if they
// are small enough together.
func (t *Tree) merge(h leaf.Heap, p *path, level, i int) bool {
	a := h.Arena
	parent := nodeAt(a, p.ref[level-1])
	one, two := parent.child(i), parent.child(i+1)
	left, right := nodeAt(a, one), nodeAt(a, two)
	var sep entry
	parts := [2]part{{node: left, to: left.count()}, {node: right, to: right.count()}}
	from := h
	if level < t.height { // the separator comes down
		from = plain(h)
		parent.entry(i+1, parent.offset(i+1), &sep)
		parts[1].first = &sep
	}
	if left.size()+right.size()+len(sep.bytes()) > mergeMax {
		return false
	}
	both := build(from, parts[:]...)
	if both == 0 {
		return false
	}
	putChild(parent.childPtr(i)[:], both, parent.total(i, i+2))
	if level == t.height {
		parent.eachLong(i+1, i+2, plain(h).Drop)
	}
	parent.remove(i+1, i+2)
	from.Drop(one)
	from.Drop(two)
	return true
}

// lower removes roots with one child.
func (t *Tree) lower(h leaf.Heap) {
	for t.height > 0 {
		n := nodeAt(h.Arena, t.root)
		if n.count() > 1 {
			return
		}
		child := n.child(0)
		plain(h).Drop(t.root)
		t.root = child
		t.height--
	}
}
