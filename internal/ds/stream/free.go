package stream

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// FreeSome frees the stream in pieces of about budget leaves and says whether nothing is
// left. Until then nothing else may be done with it.
func (s *Stream) FreeSome(h leaf.Heap, budget int) (done bool) {
	for s.groups.Len() > 0 {
		if budget <= 0 {
			return false
		}
		last := s.groups.Len() - 1
		c := s.groups.At(h.Arena, last)
		g := groupAt(h.Arena, refOf(c.Payload()))
		if budget = g.freeSome(h, budget); budget <= 0 && g.leaves() > 0 {
			g.store(h.Arena)
			return false
		}
		h.Free(g.ref)
		_, _ = s.groups.DeleteRange(plain(h), last, last+1, nil) // nothing there is frozen
	}
	for ; s.tail != 0; budget-- {
		if budget <= 0 {
			return false
		}
		s.dropNode(h, s.tail)
	}
	*s = New()
	return true
}

// leaves is not zero if one of the group's trees is not empty.
func (g *Group) leaves() int64 {
	return g.pending.Len() + g.owned.Len() + g.consumers.Len() + g.names.Len() + g.times.Len()
}

// freeSome frees about budget leaves of the group's trees, and returns what is left of
// the budget. They are empty if that is more than nothing.
func (g *Group) freeSome(h leaf.Heap, budget int) (left int) {
	for _, t := range [...]struct {
		*ranktree.Tree
		heap leaf.Heap
	}{{&g.pending, h}, {&g.owned, h}, {&g.consumers, h}, {&g.names, plain(h)}, {&g.times, plain(h)}} {
		if t.Len() == 0 {
			continue
		}
		if budget <= 0 {
			return 0
		}
		leaves := 1 + int(t.Len()/entriesPerLeaf)
		if !t.FreeSome(t.heap, budget) {
			return 0
		}
		budget -= leaves
	}
	return max(budget, 1)
}

// entriesPerLeaf is about how many pending entries a tree's leaf has.
const entriesPerLeaf = 32

// MemoryBytes is the memory of the stream's blocks. With samples > 0 it looks at no more
// than so many nodes, and at so many leaves of each tree, and estimates.
func (s *Stream) MemoryBytes(a *mem.Arena, samples int) int64 {
	sum := s.nodes.MemoryBytes(a, samples) + s.groups.MemoryBytes(a, samples)
	nodes, looked, bytes := s.nodes.Len(), int64(0), int64(0)
	if samples <= 0 || int64(samples) >= nodes {
		for c := s.nodes.At(a, 0); c.Valid(); c.Next() {
			sum += int64(a.Cap(refOf(c.Payload())))
		}
	} else {
		for ; looked < int64(samples); looked++ {
			c := s.nodes.At(a, nodes*looked/int64(samples))
			bytes += int64(a.Cap(refOf(c.Payload())))
		}
		sum += int64(float64(bytes) / float64(looked) * float64(nodes))
	}
	if s.tail != 0 {
		sum += int64(a.Cap(s.tail))
	}
	for it := s.EachGroup(a); it.Next(); {
		g := it.Group()
		sum += int64(a.Cap(g.ref)) + g.pending.MemoryBytes(a, samples) + g.owned.MemoryBytes(a, samples) +
			g.consumers.MemoryBytes(a, samples) + g.names.MemoryBytes(a, samples) + g.times.MemoryBytes(a, samples)
	}
	return sum
}
