package stream

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// A Pending is a reference of a group to an entry that was delivered and not yet
// acknowledged. The entry itself may be gone.
type Pending struct {
	ID         ID
	Delivered  int64 // milliseconds since the epoch
	Deliveries uint64
	Consumer   uint32 // its number
}

func pendingOf(id ID, payload []byte) Pending {
	return Pending{
		ID:         id,
		Delivered:  int64(binary.LittleEndian.Uint64(payload)),
		Deliveries: binary.LittleEndian.Uint64(payload[8:]),
		Consumer:   binary.LittleEndian.Uint32(payload[16:]),
	}
}

func (p *Pending) put(payload []byte) {
	binary.LittleEndian.PutUint64(payload, uint64(p.Delivered))
	binary.LittleEndian.PutUint64(payload[8:], p.Deliveries)
	binary.LittleEndian.PutUint32(payload[16:], p.Consumer)
}

// ownedTail is what is behind the first eight bytes of the key of an entry among those
// of a consumer.
func ownedTail(id ID) (b [numberSize + 8]byte) {
	binary.BigEndian.PutUint32(b[:], uint32(id.Ms))
	binary.BigEndian.PutUint64(b[numberSize:], id.Seq)
	return b
}

func ownedKey(number uint32, id ID, tail *[numberSize + 8]byte) ranktree.Key {
	return ranktree.Joined(uint64(number)<<32|id.Ms>>32, tail[:])
}

// PendingCount is the number of pending entries.
func (g *Group) PendingCount() int64 { return g.pending.Len() }

// PendingEdges are the IDs of the first and the last pending entry, if there are any.
func (g *Group) PendingEdges(a *mem.Arena) (first, last ID) {
	if g.pending.Len() > 0 {
		from, to := g.pending.At(a, 0), g.pending.Last(a)
		first, last = IDOf(from.Key()), IDOf(to.Key())
	}
	return first, last
}

// UnownedCount is the number of pending entries of nobody.
func (g *Group) UnownedCount(a *mem.Arena) int64 {
	tail := ownedTail(ID{})
	n, _ := g.owned.Rank(a, ownedKey(Nobody+1, ID{}, &tail))
	return n
}

// Find looks a pending entry up.
func (g *Group) Find(a *mem.Arena, id ID) (Pending, bool) {
	seq := seqKey(id)
	payload, ok := g.pending.Find(a, ranktree.Joined(id.Ms, seq[:]))
	if !ok {
		return Pending{}, false
	}
	return pendingOf(id, payload), true
}

// figures are the figures of a consumer, to be changed, or nil for nobody.
func (g *Group) figures(h leaf.Heap, number uint32) ([]byte, error) {
	if number == Nobody || number == unassigned {
		return nil, nil
	}
	c, _ := g.ConsumerAt(h.Arena, number)
	return g.consumers.Update(h, consumerKey(number, c.Name))
}

// count adds to the number of pending entries in a consumer's figures.
func count(figures []byte, d int) {
	if figures != nil {
		n := binary.LittleEndian.Uint32(figures[16:])
		binary.LittleEndian.PutUint32(figures[16:], uint32(int(n)+d))
	}
}

// Put makes an entry pending as p says. If it is pending already, it gets p's figures
// and p's consumer. The consumer must be there, or be Nobody.
func (g *Group) Put(h leaf.Heap, p Pending) (added bool, err error) {
	to, err := g.figures(h, p.Consumer)
	if err != nil {
		return false, err
	}
	defer g.store(h.Arena)
	timeIsNew, err := g.addTime(h, p.Delivered, p.ID)
	if err != nil {
		return false, err
	}
	added, err = g.put(h, p, to)
	if err != nil && timeIsNew {
		g.dropTime(h, p.Delivered, p.ID)
	}
	return added, err
}

func (g *Group) put(h leaf.Heap, p Pending, to []byte) (added bool, err error) {
	seq := seqKey(p.ID)
	key := ranktree.Joined(p.ID.Ms, seq[:])
	var payload [pendingSize]byte
	p.put(payload[:])
	added, err = g.pending.Insert(h, key, payload[:])
	if err != nil {
		return false, err
	}
	if !added {
		return false, g.replace(h, key, p, to)
	}
	tail := ownedTail(p.ID)
	if _, err := g.owned.Insert(h, ownedKey(p.Consumer, p.ID, &tail), nil); err != nil {
		_, _ = g.pending.Delete(h, key) // its leaf was just written, so it is not frozen
		return false, err
	}
	count(to, 1)
	return true, nil
}

// replace gives a pending entry other figures. To are those of the consumer who gets it.
func (g *Group) replace(h leaf.Heap, key ranktree.Key, p Pending, to []byte) error {
	payload, err := g.pending.Update(h, key)
	if err != nil {
		return err
	}
	old := pendingOf(p.ID, payload)
	if old.Consumer != p.Consumer {
		from, err := g.figures(h, old.Consumer)
		if err != nil {
			return err
		}
		tail := ownedTail(p.ID)
		mine := ownedKey(p.Consumer, p.ID, &tail)
		if _, err := g.owned.Insert(h, mine, nil); err != nil {
			return err
		}
		if old.Consumer != unassigned {
			if _, err := g.owned.Delete(h, ownedKey(old.Consumer, p.ID, &tail)); err != nil {
				_, _ = g.owned.Delete(h, mine) // its leaf was just written
				return err
			}
		}
		count(from, -1)
		count(to, 1)
	}
	if old.Delivered != p.Delivered {
		g.dropTime(h, old.Delivered, p.ID)
	}
	p.put(payload)
	return nil
}

// Ack removes a pending entry and says whether there was one.
func (g *Group) Ack(h leaf.Heap, id ID) (bool, error) {
	seq := seqKey(id)
	key := ranktree.Joined(id.Ms, seq[:])
	payload, err := g.pending.Update(h, key)
	if payload == nil {
		return false, err
	}
	defer g.store(h.Arena)
	old := pendingOf(id, payload)
	from, err := g.figures(h, old.Consumer)
	if err != nil {
		return false, err
	}
	tail := ownedTail(id)
	if _, err := g.owned.Delete(h, ownedKey(old.Consumer, id, &tail)); err != nil {
		return false, err
	}
	g.dropTime(h, old.Delivered, id)
	_, _ = g.pending.Delete(h, key) // Update has made its leaf one that may be changed
	count(from, -1)
	return true, nil
}

// A PendingIter goes through pending entries in the order of their IDs. It is valid
// until an entry becomes pending or is no longer; Put of one that is pending does not
// harm it, if it goes through all of a group.
type PendingIter struct {
	Pending // the current one

	a      *mem.Arena
	g      *Group
	cursor ranktree.Cursor
	number uint32
	owned  bool // it goes through those of a consumer
	bare   bool // of which it says nothing but the ID
	begun  bool
}

// Pending goes through all pending entries from an ID on.
func (g *Group) Pending(a *mem.Arena, from ID) PendingIter {
	seq := seqKey(from)
	return PendingIter{a: a, g: g, cursor: g.pending.Seek(a, ranktree.Joined(from.Ms, seq[:]))}
}

// Owned goes through the pending entries of a consumer from an ID on.
func (g *Group) Owned(a *mem.Arena, number uint32, from ID) PendingIter {
	tail := ownedTail(from)
	return PendingIter{a: a, g: g, number: number, owned: true,
		cursor: g.owned.Seek(a, ownedKey(number, from, &tail))}
}

// OwnedIDs is Owned for who wants no more than the IDs, which saves a look-up for each.
func (g *Group) OwnedIDs(a *mem.Arena, number uint32) PendingIter {
	it := g.Owned(a, number, ID{})
	it.bare = true
	return it
}

// Next goes to the next pending entry, the first at first, and says whether there is
// one.
func (it *PendingIter) Next() bool {
	if it.begun {
		it.cursor.Next()
	}
	it.begun = true
	if !it.cursor.Valid() {
		return false
	}
	key := it.cursor.Key()
	if !it.owned {
		it.Pending = pendingOf(IDOf(key), it.cursor.Payload())
		return true
	}
	if binary.BigEndian.Uint32(key) != it.number {
		return false
	}
	if it.ID = IDOf(key[numberSize:]); !it.bare {
		it.Pending, _ = it.g.Find(it.a, it.ID)
	}
	return true
}

// key is the current entry's among all.
func (it *PendingIter) key() ranktree.Key {
	if it.owned {
		return ranktree.KeyOf(it.cursor.Key()[numberSize:])
	}
	return ranktree.KeyOf(it.cursor.Key())
}
