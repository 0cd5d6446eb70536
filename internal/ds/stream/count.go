package stream

import "github.com/spineldb/spinel/internal/mem"

// Count is the number of entries from one ID to another, both included, up to most. It
// looks into the nodes at both ends, and of those between at their counts only.
func (s *Stream) Count(a *mem.Arena, from, to ID, most int64) (n int64) {
	if to.Less(from) {
		return 0
	}
	var p place
	s.placeOf(a, from, &p)
	if p.ref == 0 {
		s.firstPlace(a, &p)
	}
	for ; p.ref != 0 && n < most; s.next(&p) {
		node := NodeAt(a, p.ref)
		if to.Less(node.Master) {
			break
		}
		if live, whole := node.within(from, to); whole {
			n += live
		} else {
			n += node.countSome(from, to, most-n)
		}
	}
	return min(n, most)
}

// within is how many entries the node has, if all are between two IDs.
func (n *Node) within(from, to ID) (live int64, whole bool) {
	if n.Master.Less(from) {
		return 0, false
	}
	if e := n.last(); to.Less(e.id) {
		return 0, false
	}
	live, _ = n.counts()
	return live, true
}

// countSome is the number of the node's entries between two IDs, up to most.
func (n *Node) countSome(from, to ID, most int64) (live int64) {
	var e entry
	fields, _, first := n.master()
	for at := n.start(from, fields, first); live < most && !n.isEnd(at); at = n.end(&e) {
		if n.read(at, fields, &e); to.Less(e.id) {
			break
		}
		if e.flags&flagDeleted == 0 && !e.id.Less(from) {
			live++
		}
	}
	return live
}
