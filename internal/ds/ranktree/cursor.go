package ranktree

import (
	"github.com/spineldb/spinel/internal/mem"
)

// A Cursor is a place in the order of the keys: at one, behind the last or before the
// first. It is valid until the tree changes.
type Cursor struct {
	a      *mem.Arena
	leaf   node
	i      int // of the key in the leaf
	count  int // of the leaf's keys
	off    int // of the key i among the leaf's
	height int
	path   path
}

func (t *Tree) cursor(a *mem.Arena) Cursor { return Cursor{a: a, height: t.height} }

// At is the cursor at the key of a rank; behind the last key for ranks from Len on,
// before the first for negative ones.
func (t *Tree) At(a *mem.Arena, rank int64) Cursor {
	c := t.cursor(a)
	if t.root == 0 {
		return c
	}
	in := max(min(rank, t.count-1), 0)
	c.leaf, c.i = t.walk(a, in, &c.path)
	c.count = c.leaf.count()
	c.off = c.leaf.offset(c.i)
	if rank < 0 {
		c.Prev()
	} else if rank >= t.count {
		c.Next()
	}
	return c
}

// Last is the cursor at the greatest key.
func (t *Tree) Last(a *mem.Arena) Cursor { return t.At(a, t.count-1) }

// Seek is the cursor at the first key that is not smaller than k. Behind the last key,
// if there is none: Prev goes to the greatest smaller key in any case.
func (t *Tree) Seek(a *mem.Arena, k Key) Cursor {
	c := t.cursor(a)
	if t.root == 0 {
		return c
	}
	c.leaf = t.descend(a, &k, &c.path)
	c.count = c.leaf.count()
	c.i, c.off, _ = c.leaf.search(a, &k)
	if c.i == c.count && c.turn(1) {
		c.i, c.off = 0, 0
	}
	return c
}

// Valid says whether the cursor is at a key.
func (c *Cursor) Valid() bool { return uint(c.i) < uint(c.count) }

// Key is the key at the cursor; it must not be changed.
func (c *Cursor) Key() []byte { return c.leaf.key(c.a, c.i, c.off) }

// Payload is the key's payload; it must not be changed.
func (c *Cursor) Payload() []byte { return c.leaf.payload(c.i) }

// Next goes to the next key and says whether there is one.
func (c *Cursor) Next() bool {
	if c.i >= 0 && c.i < c.count {
		c.off += int(c.leaf.code(c.i) & lengthMask)
	}
	if c.i+1 < c.count {
		c.i++
		return true
	}
	if c.i < c.count && c.turn(1) {
		c.i, c.off = 0, 0
		return true
	}
	c.i = c.count
	return false
}

// Prev goes to the previous key and says whether there is one.
func (c *Cursor) Prev() bool {
	if c.i > 0 {
		c.i--
		c.off -= int(c.leaf.code(c.i) & lengthMask)
		return true
	}
	if c.i == 0 && c.turn(-1) {
		c.i = c.count - 1
		c.off = c.leaf.offset(c.i)
		return true
	}
	c.i = -1
	return false
}

// turn goes to the next leaf in a direction, if there is one.
func (c *Cursor) turn(d int) bool {
	l := c.height - 1
	for ; l >= 0; l-- {
		i := int(c.path.idx[l]) + d
		if i >= 0 && i < nodeAt(c.a, c.path.ref[l]).count() {
			break
		}
	}
	if l < 0 {
		return false
	}
	c.path.idx[l] = uint16(int(c.path.idx[l]) + d)
	for ; l < c.height; l++ {
		r := nodeAt(c.a, c.path.ref[l]).child(int(c.path.idx[l]))
		c.path.ref[l+1] = r
		if l+1 < c.height {
			c.path.idx[l+1] = 0
			if d < 0 {
				c.path.idx[l+1] = uint16(nodeAt(c.a, r).count() - 1)
			}
		}
	}
	c.leaf = nodeAt(c.a, c.path.ref[c.height])
	c.count = c.leaf.count()
	return true
}

// each calls fn with the entries from i up to j.
func (n node) each(a *mem.Arena, i, j int, fn func(key, payload []byte)) {
	off := n.offset(i)
	for ; i < j; i++ {
		fn(n.key(a, i, off), n.payload(i))
		off += int(n.code(i) & lengthMask)
	}
}
