package stream

import (
	"errors"
	"fmt"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// Loading a stream from a file: New, AddNode for each node, SetMeta, then for each group
// CreateGroup, AddPending, CreateConsumer and Assign, and Complete. What is refused
// leaves the stream whole, so that it can be freed.

// AddNode adds a node behind the last. It refuses what ValidateNode does, and IDs that
// are not greater than those of the nodes before. A node without live entries is
// dropped, though Redis may have written it.
func (s *Stream) AddNode(h leaf.Heap, master ID, list []byte) error {
	info, err := ValidateNode(master, list)
	if err != nil {
		return err
	}
	if info.Live == 0 {
		return nil
	}
	if info.First.IsZero() || s.Length > 0 && !s.Last.Less(master) {
		return fmt.Errorf("stream: a node of %d-%d behind %d-%d", master.Ms, master.Seq, s.Last.Ms, s.Last.Seq)
	}
	size := nodeHead + len(list)
	ref := h.New(size)
	if ref == 0 {
		return mem.ErrExhausted
	}
	if err := s.closeTail(h); err != nil {
		h.Drop(ref)
		return err
	}
	b := h.Bytes(ref, size)
	master.put(b[leaf.HeadSize:])
	copy(b[nodeHead:], list)
	s.tail = ref
	if s.Length == 0 {
		s.First = s.firstLive(h.Arena)
	}
	s.Length += uint64(info.Live)
	s.Added, s.Last = s.Length, info.Last
	return nil
}

// Meta is what a file says of a stream beside its nodes. What older ones do not say,
// they know from the nodes: First, MaxDeleted zero, and Added the length.
type Meta struct {
	Length     uint64
	Last       ID
	MaxDeleted ID
	Added      uint64
}

// SetMeta compares a file's figures with the nodes and takes them over.
func (s *Stream) SetMeta(m Meta) error {
	if m.Length != s.Length {
		return fmt.Errorf("stream: a length of %d and nodes with %d entries", m.Length, s.Length)
	}
	if m.Last.Less(s.Last) {
		return fmt.Errorf("stream: the last ID %d-%d is less than an entry's, %d-%d",
			m.Last.Ms, m.Last.Seq, s.Last.Ms, s.Last.Seq)
	}
	s.Last, s.MaxDeleted, s.Added = m.Last, m.MaxDeleted, m.Added
	return nil
}

var (
	errTwice      = errors.New("stream: an entry is pending twice")
	errNotPending = errors.New("stream: a consumer has an entry that is not pending")
	errTwoOwners  = errors.New("stream: two consumers have the same pending entry")
	errNoOwner    = errors.New("stream: a pending entry has no consumer")
)

// AddPending makes an entry pending whose consumer is to be said by Assign.
func (g *Group) AddPending(h leaf.Heap, id ID, delivered int64, deliveries uint64) error {
	p := Pending{ID: id, Delivered: delivered, Deliveries: deliveries, Consumer: unassigned}
	var payload [pendingSize]byte
	p.put(payload[:])
	seq := seqKey(id)
	added, err := g.pending.Insert(h, ranktree.Joined(id.Ms, seq[:]), payload[:])
	if err == nil && !added {
		err = errTwice
	}
	g.store(h.Arena)
	return err
}

// Assign says whose a pending entry is: a consumer's, or Nobody's.
func (g *Group) Assign(h leaf.Heap, id ID, number uint32) error {
	p, ok := g.Find(h.Arena, id)
	switch {
	case !ok:
		return errNotPending
	case p.Consumer != unassigned:
		return errTwoOwners
	}
	p.Consumer = number
	_, err := g.Put(h, p)
	return err
}

// Complete says whether every pending entry is somebody's.
func (g *Group) Complete() error {
	if g.owned.Len() != g.pending.Len() {
		return errNoOwner
	}
	return nil
}
