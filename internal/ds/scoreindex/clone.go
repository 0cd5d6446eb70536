package scoreindex

import (
	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// A Clone is how far the copying of an index has come. The zero Clone has not begun.
type Clone struct {
	pos   uint64 // of the next leaf
	begun bool
	done  bool
}

// CloneSome goes on with making x, which was empty when this began, a copy of another
// index, which may be in another arena and must not change until it is done. It stops when
// the budget is used up (see leaf.CloneCost), and returns what is left of it. Without
// memory it returns mem.ErrExhausted; x can be freed after each call.
func (x *Index) CloneSome(
	c *Clone, a, of *mem.Arena, from *Index, budget int,
) (left int, done bool, err error) {
	if from.dir.IsEmpty() {
		return budget, true, nil
	}
	if !c.begun {
		r := newEmpty(a, 0)
		if r == 0 {
			return 0, false, mem.ErrExhausted
		}
		x.dir.Replace(a, 0, 0, r)
		c.begun = true
	}
	for ; !c.done && budget > 0; c.done = c.pos == 0 {
		nd := open(of, from.dir.Find(of, c.pos))
		at, ok := x.reach(a, c.pos, nd.depth)
		if !ok {
			return 0, false, mem.ErrExhausted
		}
		size := max(nd.size(), blockMin)
		fresh := a.Alloc(size)
		if fresh == 0 {
			return 0, false, mem.ErrExhausted
		}
		copy(a.Bytes(fresh, nd.size()), nd.bytes(nd.size()))
		x.dir.Replace(a, c.pos, nd.depth, fresh)
		a.Free(at)
		x.count += nd.n
		budget -= leaf.CloneCost(size)
		c.pos = hashdir.Next(c.pos, nd.depth)
	}
	return budget, c.done, nil
}

// reach splits the empty leaf at a position until it has a depth.
func (x *Index) reach(a *mem.Arena, pos uint64, depth uint) (r mem.Ref, ok bool) {
	r = x.dir.Find(a, pos)
	nd := open(a, r)
	for nd.depth < depth {
		behind := newEmpty(a, nd.depth+1)
		if behind == 0 {
			return 0, false
		}
		if !x.dir.Split(a, pos, nd.depth, r, behind) {
			a.Free(behind)
			return 0, false
		}
		nd.depth++
		nd.writeHead()
	}
	return r, true
}

// newEmpty makes a leaf without elements, or returns 0.
func newEmpty(a *mem.Arena, depth uint) mem.Ref {
	r := a.Alloc(blockMin)
	if r != 0 {
		nd := node{p: a.Ptr(r), depth: depth, width: widthAt(depth)}
		nd.writeHead()
	}
	return r
}
