package stream

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// Size is the number of bytes of a stored Stream.
const Size = 68 + 2*ranktree.Size

// A Stream is the root of a stream: what its owner keeps of it, to be stored again
// after every change. The figures may be read and, where a method does not keep
// them, be set.
type Stream struct {
	Length     uint64 // entries that are not deleted
	Added      uint64 // entries ever added, as far as it is known
	Last       ID     // the greatest ID ever, of an entry or set by XSETID
	First      ID     // of the first entry, zero if there is none
	MaxDeleted ID     // the greatest ID that XDEL has deleted

	tail   mem.Ref       // the last node, 0 if there are no entries
	nodes  ranktree.Tree // the others by their master IDs
	groups ranktree.Tree // the groups' blocks by their names
}

// New is a stream without entries.
func New() Stream {
	return Stream{nodes: ranktree.New(refSize), groups: ranktree.New(refSize)}
}

// Load reads what Store wrote.
func Load(b []byte) Stream {
	return Stream{
		Length:     binary.LittleEndian.Uint64(b),
		Added:      binary.LittleEndian.Uint64(b[8:]),
		Last:       IDOf(b[16:]),
		First:      IDOf(b[32:]),
		MaxDeleted: IDOf(b[48:]),
		tail:       mem.Ref(binary.LittleEndian.Uint32(b[64:])),
		nodes:      ranktree.Load(b[68:]),
		groups:     ranktree.Load(b[68+ranktree.Size:]),
	}
}

// Store writes the root to the first Size bytes of b.
func (s *Stream) Store(b []byte) {
	binary.LittleEndian.PutUint64(b, s.Length)
	binary.LittleEndian.PutUint64(b[8:], s.Added)
	s.Last.put(b[16:])
	s.First.put(b[32:])
	s.MaxDeleted.put(b[48:])
	binary.LittleEndian.PutUint32(b[64:], uint32(s.tail))
	s.nodes.Store(b[68:])
	s.groups.Store(b[68+ranktree.Size:])
}

// refSize is the size of a reference as the payload of a key.
const refSize = 4

func refOf(payload []byte) mem.Ref { return mem.Ref(binary.LittleEndian.Uint32(payload)) }

func refPayload(ref mem.Ref) (b [refSize]byte) {
	binary.LittleEndian.PutUint32(b[:], uint32(ref))
	return b
}

// plain is where the trees are that no snapshot freezes.
func plain(h leaf.Heap) leaf.Heap { return leaf.Heap{Arena: h.Arena} }

// --- nodes ---

// Nodes is the number of nodes.
func (s *Stream) Nodes() int64 {
	if s.tail == 0 {
		return 0
	}
	return s.nodes.Len() + 1
}

// seqKey are the last bytes of an ID's key; the first are the time.
func seqKey(id ID) (b [8]byte) {
	binary.BigEndian.PutUint64(b[:], id.Seq)
	return b
}

// A place is a node in the order of the nodes.
type place struct {
	ref   mem.Ref         // 0 if there is no such node
	inner ranktree.Cursor // where it is in the index, unless it is the tail
}

// firstPlace is the first node.
func (s *Stream) firstPlace(a *mem.Arena, p *place) {
	p.inner = s.nodes.At(a, 0)
	p.ref = s.tail
	if p.inner.Valid() {
		p.ref = refOf(p.inner.Payload())
	}
}

// placeOf is the last node whose entries may have IDs up to id.
func (s *Stream) placeOf(a *mem.Arena, id ID, p *place) {
	if s.tail == 0 || !id.Less(masterOf(a, s.tail)) {
		p.ref = s.tail
		return
	}
	seq := seqKey(id)
	p.inner = s.nodes.Seek(a, ranktree.Joined(id.Ms, seq[:]))
	if !p.inner.Valid() || id.Less(IDOf(p.inner.Key())) {
		p.inner.Prev()
	}
	p.ref = 0
	if p.inner.Valid() {
		p.ref = refOf(p.inner.Payload())
	}
}

// next goes to the next node.
func (s *Stream) next(p *place) {
	switch {
	case p.ref == s.tail:
		p.ref = 0
	case p.inner.Next():
		p.ref = refOf(p.inner.Payload())
	default:
		p.ref = s.tail
	}
}

// prev goes to the previous node.
func (s *Stream) prev(a *mem.Arena, p *place) {
	more := false
	if p.ref == s.tail {
		p.inner = s.nodes.Last(a)
		more = p.inner.Valid()
	} else {
		more = p.inner.Prev()
	}
	p.ref = 0
	if more {
		p.ref = refOf(p.inner.Payload())
	}
}

// addNode puts a node into the index.
func (s *Stream) addNode(h leaf.Heap, master ID, ref mem.Ref) error {
	seq, payload := seqKey(master), refPayload(ref)
	_, err := s.nodes.Insert(plain(h), ranktree.Joined(master.Ms, seq[:]), payload[:])
	return err
}

// setNode notes that the node with a master ID has another reference.
func (s *Stream) setNode(h leaf.Heap, old, ref mem.Ref) {
	switch {
	case old == ref:
	case old == s.tail:
		s.tail = ref
	default:
		master := masterOf(h.Arena, ref)
		seq := seqKey(master)
		payload, _ := s.nodes.Update(plain(h), ranktree.Joined(master.Ms, seq[:])) // nothing there is frozen
		binary.LittleEndian.PutUint32(payload, uint32(ref))
	}
}

// dropNode removes a node.
func (s *Stream) dropNode(h leaf.Heap, ref mem.Ref) {
	if ref != s.tail {
		master := masterOf(h.Arena, ref)
		seq := seqKey(master)
		_, _ = s.nodes.Delete(plain(h), ranktree.Joined(master.Ms, seq[:])) // nothing there is frozen
		h.Drop(ref)
		return
	}
	h.Drop(ref)
	s.tail = 0
	if n := s.nodes.Len(); n > 0 {
		c := s.nodes.At(h.Arena, n-1)
		s.tail = refOf(c.Payload())
		_, _ = s.nodes.DeleteRange(plain(h), n-1, n, nil)
	}
}

// AppendLeaves appends the references of all nodes in order. It does not touch them.
func (s *Stream) AppendLeaves(a *mem.Arena, dst []mem.Ref) []mem.Ref {
	for c := s.nodes.At(a, 0); c.Valid(); c.Next() {
		dst = append(dst, refOf(c.Payload()))
	}
	if s.tail != 0 {
		dst = append(dst, s.tail)
	}
	return dst
}
