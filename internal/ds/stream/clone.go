package stream

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// CloneSome goes on with making s, which was new when this began, a copy of another
// stream, which may be in another arena and must not change until it is done. It stops
// when the budget is used up (see leaf.CloneCost), and returns what is left of it. Without
// memory it returns mem.ErrExhausted; s can be freed after each call.
//
// Nodes come first, then one group after another: each begun with its name and empty
// trees. So what s has says where to go on.
func (s *Stream) CloneSome(
	h leaf.Heap, a *mem.Arena, from *Stream, budget int,
) (left int, done bool, err error) {
	for nodes := from.Nodes(); s.Nodes() < nodes; {
		if budget <= 0 {
			return budget, false, nil
		}
		cost, err := s.cloneNode(h, a, from.node(a, s.Nodes()))
		if err != nil {
			return 0, false, err
		}
		budget -= cost
	}
	s.Length, s.Added, s.Last = from.Length, from.Added, from.Last
	s.First, s.MaxDeleted = from.First, from.MaxDeleted
	for {
		if n := s.groups.Len(); n > 0 {
			c, of := s.groups.At(h.Arena, n-1), from.groups.At(a, n-1)
			g, og := groupAt(h.Arena, refOf(c.Payload())), groupAt(a, refOf(of.Payload()))
			budget, done, err = g.cloneSome(h, a, &og, budget)
			if !done || err != nil {
				return budget, false, err
			}
		}
		if s.groups.Len() == from.groups.Len() {
			return budget, true, nil
		}
		if err := s.cloneGroup(h, a, from, s.groups.Len()); err != nil {
			return 0, false, err
		}
		budget -= leaf.CloneCost(groupSize)
	}
}

// node is the node of a number.
func (s *Stream) node(a *mem.Arena, i int64) mem.Ref {
	if i >= s.nodes.Len() {
		return s.tail
	}
	c := s.nodes.At(a, i)
	return refOf(c.Payload())
}

// cloneNode puts a copy of a node behind the last.
func (s *Stream) cloneNode(h leaf.Heap, a *mem.Arena, r mem.Ref) (cost int, err error) {
	size := nodeSize(a, r)
	fresh := h.Clone(a, r, size)
	if fresh == 0 {
		return 0, mem.ErrExhausted
	}
	if err := s.closeTail(h); err != nil {
		h.Drop(fresh)
		return 0, err
	}
	s.tail = fresh
	return leaf.CloneCost(size), nil
}

// cloneGroup begins the copy of the group of a number.
func (s *Stream) cloneGroup(h leaf.Heap, a *mem.Arena, from *Stream, i int64) error {
	c := from.groups.At(a, i)
	og := groupAt(a, refOf(c.Payload()))
	g, _, err := s.CreateGroup(h, c.Key(), og.Last, og.Reads)
	if err == nil {
		g.next, g.timed = og.next, og.timed
		g.store(h.Arena)
	}
	return err
}

// cloneSome goes on with the copy of a group.
func (g *Group) cloneSome(
	h leaf.Heap, a *mem.Arena, from *Group, budget int,
) (left int, done bool, err error) {
	defer g.store(h.Arena)
	for _, t := range [...]struct {
		to, from *ranktree.Tree
		heap     leaf.Heap
	}{
		{&g.pending, &from.pending, h}, {&g.owned, &from.owned, h},
		{&g.consumers, &from.consumers, h}, {&g.names, &from.names, plain(h)},
		{&g.times, &from.times, plain(h)},
	} {
		if budget, err = t.to.CloneSome(t.heap, a, t.from, budget); err != nil {
			return 0, false, err
		}
		if t.to.Len() < t.from.Len() {
			return budget, false, nil
		}
	}
	return budget, true, nil
}
