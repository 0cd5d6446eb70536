package stream

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// A Trim says which of the first entries are to go.
type Trim struct {
	ByID   bool
	MaxLen uint64 // how many entries are to stay, unless ByID:
	MinID  ID     // those less than it go

	// Approx trims whole nodes only, and with a Limit no node that would make more
	// than Limit entries in all.
	Approx bool
	Limit  int64 // 0: none

	Refs Refs
}

// Trim deletes entries from the beginning of the stream, and returns how many. It
// counts as Redis does: a node goes if what it has is to go and, with a limit, if all
// of it is within the limit; and unless it is to be approximate, entries of the next
// node go one by one.
//
// An error means that there was no memory to go on.
func (s *Stream) Trim(h leaf.Heap, t Trim) (deleted int64, err error) {
	if t.isDone(s) {
		return 0, nil
	}
	if t.Refs == KeepRef || s.groups.Len() == 0 {
		return s.trimNodes(h, &t)
	}
	deleted, err = s.trimEntries(h, &t)
	s.First = s.firstLive(h.Arena)
	return deleted, err
}

// isDone says whether nothing is to go.
func (t *Trim) isDone(s *Stream) bool {
	if s.Length == 0 {
		return true
	}
	if t.ByID {
		return !s.First.Less(t.MinID)
	}
	return s.Length <= t.MaxLen
}

// takesAll says whether a whole node of so many entries is to go, if length entries are
// left.
func (t *Trim) takesAll(n *Node, length uint64, live int64) bool {
	if t.ByID {
		e := n.last()
		return e.id.Less(t.MinID)
	}
	return length-uint64(live) >= t.MaxLen
}

// stops says whether an entry stays, and all that follow it, if length entries are left.
func (t *Trim) stops(id ID, length uint64) bool {
	if t.ByID {
		return !id.Less(t.MinID)
	}
	return length <= t.MaxLen
}

// trimNodes trims without regard to groups. What may fail for lack of memory comes
// first: the node of which a part goes.
func (s *Stream) trimNodes(h leaf.Heap, t *Trim) (deleted int64, err error) {
	var p place
	s.firstPlace(h.Arena, &p)
	length, whole, first := s.Length, int64(0), ID{}
	for ; p.ref != 0; s.next(&p) {
		n := NodeAt(h.Arena, p.ref)
		live, _ := n.counts()
		if !t.ByID && length <= t.MaxLen || t.Limit > 0 && deleted+live > t.Limit {
			break
		}
		if t.takesAll(&n, length, live) {
			length -= uint64(live)
			deleted += live
			whole++
			continue
		}
		if t.Approx {
			break
		}
		var part int64
		if part, first, err = s.trimPart(h, t, p.ref, length); err != nil {
			return 0, err
		}
		if part == live { // Redis keeps a node of deleted entries until the next trim
			whole++
		}
		length -= uint64(part)
		deleted += part
		break
	}
	if deleted == 0 {
		return 0, nil
	}
	s.Length = length
	s.dropFirst(h, whole)
	if first.IsZero() {
		first = s.firstLive(h.Arena)
	}
	s.First = first
	return deleted, nil
}

// trimPart deletes entries of a node one by one, length being left with it. It returns
// how many, and the first live one that stays, if there is one. It does not change the
// stream's length.
func (s *Stream) trimPart(h leaf.Heap, t *Trim, ref mem.Ref, length uint64) (gone int64, first ID, _ error) {
	n := NodeAt(h.Arena, ref)
	live, deleted := n.counts()
	fresh := own(h, ref, live)
	if fresh == 0 {
		return 0, ID{}, mem.ErrExhausted
	}
	s.setNode(h, ref, fresh)
	b := h.Bytes(fresh, h.Cap(fresh))[nodeHead:]
	n = NodeAt(h.Arena, fresh)
	var e entry
	fields, _, at := n.master()
	for !n.isEnd(at) {
		n.read(at, fields, &e)
		if e.flags&flagDeleted == 0 {
			if t.stops(e.id, length-uint64(gone)) {
				first = e.id
				break
			}
			putInt(b, e.at, e.flags|flagDeleted)
			n = NodeAt(h.Arena, fresh) // a flag from elsewhere may have been longer
			n.read(at, fields, &e)
			gone++
		}
		at = n.end(&e)
	}
	putCounts(b, live-gone, deleted+gone)
	return gone, first, nil
}

// dropFirst removes so many nodes from the beginning.
func (s *Stream) dropFirst(h leaf.Heap, count int64) {
	inner := min(count, s.nodes.Len())
	if inner > 0 {
		// Nothing of the index is frozen, so that it cannot fail.
		_, _ = s.nodes.DeleteRange(plain(h), 0, inner, func(_, payload []byte) { h.Drop(refOf(payload)) })
	}
	if count > inner {
		h.Drop(s.tail)
		s.tail = 0
	}
}

// trimEntries trims entry by entry and asks the groups about each. Entries that a group
// refers to are passed over with Acked, and those behind them go in their place.
func (s *Stream) trimEntries(h leaf.Heap, t *Trim) (deleted int64, err error) {
	examined, kept := int64(0), false
	node := ID{} // of the last entry of the node that is being trimmed
	it := s.Range(h.Arena, ID{}, MaxID, false)
	for it.Next() && !t.stops(it.ID(), s.Length) {
		id := it.ID()
		if node.Less(id) {
			live, _ := it.node.counts()
			if t.Limit > 0 && examined+live > t.Limit ||
				t.Approx && !t.takesAll(&it.node, s.Length, live) {
				break
			}
			examined += live
			e := it.node.last()
			node = e.id
		}
		if t.Refs == Acked && s.IsReferenced(h.Arena, id) {
			kept = true
			continue
		}
		if t.Refs == DelRef {
			if _, err := s.DropReferences(h, id); err != nil {
				return deleted, err
			}
		}
		if err := s.mark(h, it.place.ref, it.e); err != nil {
			return deleted, err
		}
		deleted++
		if kept && s.MaxDeleted.Less(id) { // it has left a hole
			s.MaxDeleted = id
		}
		it = s.Range(h.Arena, id, MaxID, false) // the node may be another now
	}
	return deleted, nil
}
