package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// Check walks the stream and reports the first invariant that does not hold.
func (s *Stream) Check(a *mem.Arena) error {
	if err := s.nodes.Check(a); err != nil {
		return fmt.Errorf("stream: nodes: %w", err)
	}
	if s.tail == 0 && s.nodes.Len() != 0 {
		return fmt.Errorf("stream: no last node behind %d", s.nodes.Len())
	}
	var length uint64
	var last, first ID
	for c, i := s.nodes.At(a, 0), int64(0); i < s.Nodes(); i++ {
		ref := s.tail
		if c.Valid() {
			ref = refOf(c.Payload())
			if IDOf(c.Key()) != masterOf(a, ref) {
				return fmt.Errorf("stream: node %d is not the one of its master ID", i)
			}
			c.Next()
		}
		n := NodeAt(a, ref)
		info, err := ValidateNode(n.Master, n.List)
		if err != nil {
			return fmt.Errorf("stream: node %d: %w", i, err)
		}
		if size := nodeHead + len(n.List); size > a.Cap(ref) {
			return fmt.Errorf("stream: node %d has %d bytes in a block of %d", i, size, a.Cap(ref))
		}
		if info.Live == 0 || i > 0 && !last.Less(n.Master) {
			return fmt.Errorf("stream: node %d has %d entries from %v behind %v", i, info.Live, n.Master, last)
		}
		if i == 0 {
			if e, ok := n.find(ID{}); ok {
				first = e.id
			}
		}
		last = info.Last
		length += uint64(info.Live)
	}
	if length != s.Length || first != s.First || s.Last.Less(last) {
		return fmt.Errorf("stream: %d entries from %v to %v are %d from %v to %v",
			s.Length, s.First, s.Last, length, first, last)
	}
	return s.checkGroups(a)
}

func (s *Stream) checkGroups(a *mem.Arena) error {
	if err := s.groups.Check(a); err != nil {
		return fmt.Errorf("stream: groups: %w", err)
	}
	for it := s.EachGroup(a); it.Next(); {
		g := it.Group()
		if err := g.check(a); err != nil {
			return fmt.Errorf("stream: group %q: %w", it.Name(), err)
		}
	}
	return nil
}

func (g *Group) check(a *mem.Arena) error {
	for _, t := range [...]*ranktree.Tree{&g.pending, &g.owned, &g.consumers, &g.names, &g.times} {
		if err := t.Check(a); err != nil {
			return err
		}
	}
	if g.names.Len() != g.consumers.Len() {
		return fmt.Errorf("%d names of %d consumers", g.names.Len(), g.consumers.Len())
	}
	for it := g.EachConsumer(a); it.Next(); {
		c := it.Consumer()
		number := binary.LittleEndian.Uint32(it.cursor.Payload())
		if c.Number != number || string(c.Name) != string(it.cursor.Key()) {
			return fmt.Errorf("consumer %q with number %d is %q with %d", it.cursor.Key(), number, c.Name, c.Number)
		}
		owned := uint32(0)
		for p := g.Owned(a, number, ID{}); p.Next(); {
			owned++
		}
		if owned != c.Pending {
			return fmt.Errorf("consumer %q: %d pending entries of %d", c.Name, owned, c.Pending)
		}
	}
	if want := g.pending.Len(); g.timed && g.times.Len() != want || !g.timed && g.times.Len() != 0 {
		return fmt.Errorf("%d pending entries by their times, of %d", g.times.Len(), want)
	}
	unassignedCount := int64(0)
	for p := g.Pending(a, ID{}); p.Next(); {
		tail := timeTail(p.ID)
		if _, ok := g.times.Find(a, timeKey(p.Delivered, &tail)); !ok && g.timed {
			return fmt.Errorf("entry %v is not among the times", p.ID)
		}
		if p.Consumer == unassigned {
			unassignedCount++
			continue
		}
		of := ownedTail(p.ID)
		if _, ok := g.owned.Find(a, ownedKey(p.Consumer, p.ID, &of)); !ok {
			return fmt.Errorf("entry %v is not among those of consumer %d", p.ID, p.Consumer)
		}
		if _, ok := g.ConsumerAt(a, p.Consumer); !ok && p.Consumer != Nobody {
			return fmt.Errorf("entry %v is of consumer %d, who is not there", p.ID, p.Consumer)
		}
	}
	if g.owned.Len()+unassignedCount != g.pending.Len() {
		return fmt.Errorf("%d pending entries are of consumers, %d of %d not", g.owned.Len(),
			unassignedCount, g.pending.Len())
	}
	return nil
}
