package stream

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// Refs says what is to become of the groups' pending references to an entry that is to
// be deleted.
type Refs uint8

const (
	KeepRef Refs = iota // they stay
	DelRef              // they go too
	Acked               // the entry stays if a group has a reference or has still to read it
)

// An Outcome is what Delete did.
type Outcome uint8

const (
	NotFound Outcome = iota
	Deleted
	Referenced // and therefore not deleted
)

// Delete deletes an entry. Its place in the node remains, with a mark; a node without
// entries goes.
func (s *Stream) Delete(h leaf.Heap, id ID, refs Refs) (Outcome, error) {
	if s.Length == 0 || id.Less(s.First) || s.Last.Less(id) {
		return NotFound, nil
	}
	var p place
	s.placeOf(h.Arena, id, &p)
	if p.ref == 0 {
		return NotFound, nil
	}
	n := NodeAt(h.Arena, p.ref)
	e, ok := n.find(id)
	if !ok || e.id != id {
		return NotFound, nil
	}
	switch refs {
	case Acked:
		if s.IsReferenced(h.Arena, id) {
			return Referenced, nil
		}
	case DelRef:
		if _, err := s.DropReferences(h, id); err != nil {
			return NotFound, err
		}
	}
	if err := s.mark(h, p.ref, e); err != nil {
		return NotFound, err
	}
	if s.MaxDeleted.Less(id) {
		s.MaxDeleted = id
	}
	if id == s.First {
		s.First = s.firstLive(h.Arena)
	}
	return Deleted, nil
}

// mark deletes an entry of a node, and the node with the last one.
func (s *Stream) mark(h leaf.Heap, ref mem.Ref, e entry) error {
	n := NodeAt(h.Arena, ref)
	live, deleted := n.counts()
	if live == 1 {
		s.dropNode(h, ref)
		s.Length--
		return nil
	}
	fresh := own(h, ref, 1)
	if fresh == 0 {
		return mem.ErrExhausted
	}
	s.setNode(h, ref, fresh)
	b := h.Bytes(fresh, h.Cap(fresh))[nodeHead:]
	putInt(b, e.at, e.flags|flagDeleted)
	putCounts(b, live-1, deleted+1)
	s.Length--
	return nil
}

// firstLive is the ID of the first entry, or zero.
func (s *Stream) firstLive(a *mem.Arena) ID {
	if it := s.Range(a, ID{}, MaxID, false); it.Next() {
		return it.ID()
	}
	return ID{}
}

// LastLive is the ID of the last entry that is not deleted, or zero.
func (s *Stream) LastLive(a *mem.Arena) ID {
	if it := s.Range(a, ID{}, MaxID, true); it.Next() {
		return it.ID()
	}
	return ID{}
}
