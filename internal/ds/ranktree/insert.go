package ranktree

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// entryMax is the most bytes that an entry takes in an inner node.
const entryMax = 1 + childSize + inlineMax

// Insert adds a key with its payload and returns true, or leaves the tree as it is if
// the key is there.
//
// A leaf without room is split first, the parent before it if that has no room either,
// and the way is walked again: so the tree is whole after each step, and what fails for
// lack of memory has changed no element.
func (t *Tree) Insert(h leaf.Heap, k Key, payload []byte) (added bool, err error) {
	if t.root == 0 {
		if t.root, err = t.newLeaf(h, &k, payload); err == nil {
			t.height, t.count = 0, 1
		}
		return err == nil, err
	}
	for {
		var p path
		n := t.descend(h.Arena, &k, &p)
		i, off, found := n.search(h.Arena, &k)
		if found {
			return false, nil
		}
		if n.grown(inlineSize(k.n)) <= leafMax {
			err := t.insertAt(h, &p, i, off, &k, payload)
			return err == nil, err
		}
		done, err := t.makeRoom(h, &p, i, &k, payload)
		if done || err != nil {
			return done, err
		}
	}
}

// newLeaf makes a leaf of one key.
func (t *Tree) newLeaf(h leaf.Heap, k *Key, payload []byte) (mem.Ref, error) {
	var e entry
	if !e.setKey(h, k) {
		return 0, mem.ErrExhausted
	}
	r := h.New(nodeHead + 1 + t.payload + len(e.bytes()))
	if r == 0 {
		e.drop(h)
		return 0, mem.ErrExhausted
	}
	n := nodeAt(h.Arena, r)
	n.setHead(t.payload, nodeHead, 0)
	n.insert(0, 0, &e, payload)
	return r, nil
}

// insertAt puts k before entry i of the path's leaf, which may hold it.
func (t *Tree) insertAt(h leaf.Heap, p *path, i, off int, k *Key, payload []byte) error {
	var e entry
	if !e.setKey(h, k) {
		return mem.ErrExhausted
	}
	old := p.ref[t.height]
	n := nodeAt(h.Arena, old)
	r := h.Resize(old, n.size(), n.grown(len(e.bytes())))
	if r == 0 {
		e.drop(h)
		return mem.ErrExhausted
	}
	if r != old {
		t.setNode(h.Arena, p, t.height, r)
	}
	nodeAt(h.Arena, r).insert(i, off, &e, payload)
	t.recount(h.Arena, p, 1)
	return nil
}

// makeRoom is called where k belongs before entry i of the path's leaf, which is full.
// It splits something, or at the tree's edges makes k the first of a leaf of its own
// and is done: keys that come in order fill the leaves.
func (t *Tree) makeRoom(h leaf.Heap, p *path, i int, k *Key, payload []byte) (done bool, err error) {
	level := t.height
	right := i == nodeAt(h.Arena, p.ref[level]).count() && t.onEdge(h.Arena, p, level, true)
	left := i == 0 && t.onEdge(h.Arena, p, level, false)
	if level == 0 || !right && !left || !t.hasRoom(h.Arena, p, level-1) {
		return false, t.split(h, p, level)
	}
	if err := t.insertLeaf(h, p, right, k, payload); err != nil {
		return false, err
	}
	return true, nil
}

// onEdge says whether the path's node at a level is the last, or the first, of its level.
func (t *Tree) onEdge(a *mem.Arena, p *path, level int, right bool) bool {
	for l := range level {
		edge := 0
		if right {
			edge = nodeAt(a, p.ref[l]).count() - 1
		}
		if int(p.idx[l]) != edge {
			return false
		}
	}
	return true
}

func (t *Tree) hasRoom(a *mem.Arena, p *path, level int) bool {
	return nodeAt(a, p.ref[level]).size()+entryMax <= innerMax
}

// insertLeaf makes a leaf of k alone, behind the path's leaf or before it.
func (t *Tree) insertLeaf(h leaf.Heap, p *path, behind bool, k *Key, payload []byte) error {
	a := h.Arena
	n := nodeAt(a, p.ref[t.height])
	var sep Key
	if behind {
		last := n.count() - 1
		other := KeyOf(n.key(a, last, n.offset(last)))
		sep = separator(&other, k)
	} else {
		other := KeyOf(n.key(a, 0, 0))
		sep = separator(k, &other)
	}
	fresh, err := t.newLeaf(h, k, payload)
	if err != nil {
		return err
	}
	i := int(p.idx[t.height-1])
	if !t.insertChild(h, p, t.height-1, i+1, &sep, fresh, 1) {
		dropLeaf(h, fresh)
		return mem.ErrExhausted
	}
	if !behind { // the old leaf is the one behind the separator
		parent := nodeAt(a, p.ref[t.height-1])
		one, two := parent.childPtr(i), parent.childPtr(i+1)
		*one, *two = *two, *one
	}
	for l := range t.height - 1 {
		nodeAt(a, p.ref[l]).addBelow(int(p.idx[l]), 1)
	}
	t.count++
	return nil
}

// insertChild makes r a child of the path's node at a level, before child i. It returns
// false if there is no memory.
func (t *Tree) insertChild(h leaf.Heap, p *path, level, i int, sep *Key, r mem.Ref, below int) bool {
	var e entry
	if !e.setKey(plain(h), sep) {
		return false
	}
	if !t.insertEntry(h, p, level, i, &e, r, below) {
		e.drop(plain(h))
		return false
	}
	return true
}

func (t *Tree) insertEntry(h leaf.Heap, p *path, level, i int, e *entry, r mem.Ref, below int) bool {
	old := p.ref[level]
	n := nodeAt(h.Arena, old)
	at := plain(h).Resize(old, n.size(), n.grown(len(e.bytes())))
	if at == 0 {
		return false
	}
	if at != old {
		t.setNode(h.Arena, p, level, at)
		n = nodeAt(h.Arena, at)
	}
	var child [childSize]byte
	putChild(child[:], r, below)
	n.insert(i, n.offset(i), e, child[:])
	return true
}

// split makes two of the path's node at a level; or, if its parent has no room for
// another child, of the parent; or puts a new root above.
func (t *Tree) split(h leaf.Heap, p *path, level int) error {
	if level == 0 {
		return t.raise(h)
	}
	if !t.hasRoom(h.Arena, p, level-1) {
		return t.split(h, p, level-1)
	}
	a := h.Arena
	old := p.ref[level]
	n := nodeAt(a, old)
	count := n.count()
	inner := level < t.height
	cut := n.middle()
	from := h
	var sep, none entry
	var first *entry
	if inner {
		from = plain(h)
		if t.onEdge(a, p, level+1, true) {
			cut = count - 1
		} else if t.onEdge(a, p, level+1, false) {
			cut = 1
		}
		n.entry(cut, n.offset(cut), &sep)
		first = &none // the parent has it
	} else {
		off := n.offset(cut)
		last, next := KeyOf(n.key(a, cut-1, n.offset(cut-1))), KeyOf(n.key(a, cut, off))
		between := separator(&last, &next)
		if !sep.setKey(plain(h), &between) {
			return mem.ErrExhausted
		}
	}
	left := build(from, part{node: n, from: 0, to: cut})
	right := build(from, part{node: n, from: cut, to: count, first: first})
	belowLeft, belowRight := cut, count-cut
	if inner {
		belowLeft, belowRight = n.total(0, cut), n.total(cut, count)
	}
	i := int(p.idx[level-1])
	if left == 0 || right == 0 || !t.insertEntry(h, p, level-1, i+1, &sep, right, belowRight) {
		for _, r := range [...]mem.Ref{left, right} {
			if r != 0 {
				from.Free(r)
			}
		}
		if !inner {
			sep.drop(plain(h))
		}
		return mem.ErrExhausted
	}
	putChild(nodeAt(a, p.ref[level-1]).childPtr(i)[:], left, belowLeft)
	from.Drop(old)
	return nil
}

// raise puts a root with one child above the root.
func (t *Tree) raise(h leaf.Heap) error {
	if t.height == maxHeight {
		return mem.ErrExhausted
	}
	r := plain(h).New(keysAt(1, childSize))
	if r == 0 {
		return mem.ErrExhausted
	}
	n := nodeAt(h.Arena, r)
	n.setHead(childSize, keysAt(1, childSize), 1)
	n.bytes(nodeHead + 1)[nodeHead] = 0
	putChild(n.childPtr(0)[:], t.root, int(t.count))
	t.root = r
	t.height++
	return nil
}

// middle is the number of entries in the first half of a node's bytes, at least one
// and not all.
func (n node) middle() int {
	count, ps := n.count(), n.payloadSize()
	half := (n.size() - nodeHead) / 2
	i, sum := 0, 0
	for i < count-1 {
		sum += 1 + ps + int(n.code(i)&lengthMask)
		i++
		if sum >= half {
			break
		}
	}
	return i
}
