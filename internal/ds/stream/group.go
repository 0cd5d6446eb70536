package stream

import (
	"encoding/binary"
	"math"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// A Group is a consumer group. It is a view of a block in the arena, valid until the
// group is changed through another view or destroyed.
type Group struct {
	Last  ID    // the greatest ID delivered, or what XGROUP SETID says
	Reads int64 // entries that were read up to Last, or UnknownReads

	ref       mem.Ref
	next      uint32        // the number of the next consumer
	pending   ranktree.Tree // ID: pendingSize
	owned     ranktree.Tree // consumer's number, ID: nothing
	consumers ranktree.Tree // number, name: consumerSize
	names     ranktree.Tree // name: number
	times     ranktree.Tree // time of delivery, ID: nothing
	timed     bool          // times is kept
}

const (
	groupHead = idSize + 8 + 4 + 4
	groupSize = groupHead + 5*ranktree.Size

	pendingSize  = 8 + 8 + 4 // time of delivery, number of deliveries, consumer
	consumerSize = 8 + 8 + 4 // time seen, time active, entries pending
	numberSize   = 4
)

func groupAt(a *mem.Arena, ref mem.Ref) Group {
	b := a.Bytes(ref, groupSize)
	trees := b[groupHead:]
	return Group{
		Last:      IDOf(b),
		Reads:     int64(binary.LittleEndian.Uint64(b[idSize:])),
		ref:       ref,
		next:      binary.LittleEndian.Uint32(b[idSize+8:]),
		pending:   ranktree.Load(trees),
		owned:     ranktree.Load(trees[ranktree.Size:]),
		consumers: ranktree.Load(trees[2*ranktree.Size:]),
		names:     ranktree.Load(trees[3*ranktree.Size:]),
		times:     ranktree.Load(trees[4*ranktree.Size:]),
		timed:     b[idSize+12] != 0,
	}
}

func (g *Group) store(a *mem.Arena) {
	b := a.Bytes(g.ref, groupSize)
	trees := b[groupHead:]
	g.Last.put(b)
	binary.LittleEndian.PutUint64(b[idSize:], uint64(g.Reads))
	binary.LittleEndian.PutUint32(b[idSize+8:], g.next)
	binary.LittleEndian.PutUint32(b[idSize+12:], 0)
	if g.timed {
		b[idSize+12] = 1
	}
	g.pending.Store(trees)
	g.owned.Store(trees[ranktree.Size:])
	g.consumers.Store(trees[2*ranktree.Size:])
	g.names.Store(trees[3*ranktree.Size:])
	g.times.Store(trees[4*ranktree.Size:])
}

// Groups is the number of groups.
func (s *Stream) Groups() int64 { return s.groups.Len() }

// Group looks a group up.
func (s *Stream) Group(a *mem.Arena, name []byte) (Group, bool) {
	payload, ok := s.groups.Find(a, ranktree.KeyOf(name))
	if !ok {
		return Group{}, false
	}
	return groupAt(a, refOf(payload)), true
}

// CreateGroup makes a group that has read up to last. It returns false if there is one
// of that name.
func (s *Stream) CreateGroup(h leaf.Heap, name []byte, last ID, reads int64) (Group, bool, error) {
	ref := h.Alloc(groupSize)
	if ref == 0 {
		return Group{}, false, mem.ErrExhausted
	}
	payload := refPayload(ref)
	created, err := s.groups.Insert(plain(h), ranktree.KeyOf(name), payload[:])
	if !created {
		h.Free(ref)
		return Group{}, false, err
	}
	g := Group{
		Last:      last,
		Reads:     reads,
		ref:       ref,
		next:      Nobody + 1,
		pending:   ranktree.New(pendingSize),
		owned:     ranktree.New(0),
		consumers: ranktree.New(consumerSize),
		names:     ranktree.New(numberSize),
		times:     ranktree.New(0),
	}
	g.store(h.Arena)
	return g, true, nil
}

// DestroyGroup removes a group with all that it has, and says whether there was one.
func (s *Stream) DestroyGroup(h leaf.Heap, name []byte) bool {
	g, ok := s.Group(h.Arena, name)
	if !ok {
		return false
	}
	g.freeSome(h, math.MaxInt)
	h.Free(g.ref)
	_, _ = s.groups.Delete(plain(h), ranktree.KeyOf(name)) // nothing there is frozen
	return true
}

// SetID says up to where the group has read, and how many entries.
func (g *Group) SetID(a *mem.Arena, last ID, reads int64) {
	g.Last, g.Reads = last, reads
	g.store(a)
}

// A GroupIter goes through a stream's groups in the order of their names. It is valid
// until a group is created or destroyed.
type GroupIter struct {
	a      *mem.Arena
	cursor ranktree.Cursor
	begun  bool
}

// EachGroup goes through the groups.
func (s *Stream) EachGroup(a *mem.Arena) GroupIter { return GroupIter{a: a, cursor: s.groups.At(a, 0)} }

// Next goes to the next group, the first at first, and says whether there is one.
func (it *GroupIter) Next() bool {
	if it.begun {
		it.cursor.Next()
	}
	it.begun = true
	return it.cursor.Valid()
}

// Name is the current group's name. The bytes are the arena's.
func (it *GroupIter) Name() []byte { return it.cursor.Key() }

// Group is the current group.
func (it *GroupIter) Group() Group { return groupAt(it.a, refOf(it.cursor.Payload())) }

// IsReferenced says whether a group has a pending reference to an entry, or has still to
// read it.
func (s *Stream) IsReferenced(a *mem.Arena, id ID) bool {
	seq := seqKey(id)
	key := ranktree.Joined(id.Ms, seq[:])
	for c := s.groups.At(a, 0); c.Valid(); c.Next() {
		b := a.Bytes(refOf(c.Payload()), groupSize)
		if IDOf(b).Less(id) {
			return true
		}
		pending := ranktree.Load(b[groupHead:])
		if _, ok := pending.Find(a, key); ok {
			return true
		}
	}
	return false
}

// DropReferences removes the pending references of all groups to an entry, and returns
// how many there were.
func (s *Stream) DropReferences(h leaf.Heap, id ID) (count int, err error) {
	for it := s.EachGroup(h.Arena); it.Next(); {
		g := it.Group()
		ok, err := g.Ack(h, id)
		if err != nil {
			return count, err
		}
		if ok {
			count++
		}
	}
	return count, nil
}
