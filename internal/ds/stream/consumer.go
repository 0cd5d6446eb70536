package stream

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// Nobody is the number of no consumer: that of pending entries that are to be claimed.
const Nobody = 0

// unassigned is the number of the consumer of a pending entry that is being loaded.
const unassigned = 1<<32 - 1

// A Consumer is a member of a group. Its number is never another's as long as it is
// there.
type Consumer struct {
	Name    []byte // the arena's bytes, valid until a consumer comes or goes
	Number  uint32
	Seen    int64 // milliseconds since the epoch, of the last attempt,
	Active  int64 // and of the last success, -1 for none
	Pending uint32
}

// consumerKey is where a consumer's figures are: in the order of the numbers.
func consumerKey(number uint32, name []byte) ranktree.Key {
	return ranktree.Joined(uint64(number), name)
}

// consumerOf makes a Consumer of a key and its payload.
func consumerOf(key, payload []byte) Consumer {
	c := figuresOf(payload)
	c.Name, c.Number = key[8:], uint32(binary.BigEndian.Uint64(key))
	return c
}

// figuresOf is a Consumer without name and number.
func figuresOf(payload []byte) Consumer {
	return Consumer{
		Seen:    int64(binary.LittleEndian.Uint64(payload)),
		Active:  int64(binary.LittleEndian.Uint64(payload[8:])),
		Pending: binary.LittleEndian.Uint32(payload[16:]),
	}
}

// Consumers is the number of consumers.
func (g *Group) Consumers() int64 { return g.names.Len() }

// Consumer looks a consumer up by name.
func (g *Group) Consumer(a *mem.Arena, name []byte) (Consumer, bool) {
	payload, ok := g.names.Find(a, ranktree.KeyOf(name))
	if !ok {
		return Consumer{}, false
	}
	return g.ConsumerAt(a, binary.LittleEndian.Uint32(payload))
}

// ConsumerAt looks a consumer up by number.
func (g *Group) ConsumerAt(a *mem.Arena, number uint32) (Consumer, bool) {
	c := g.consumers.Seek(a, ranktree.Joined(uint64(number), nil))
	if !c.Valid() || binary.BigEndian.Uint64(c.Key()) != uint64(number) {
		return Consumer{}, false
	}
	return consumerOf(c.Key(), c.Payload()), true
}

// CreateConsumer makes a consumer, or returns the one of that name and false.
func (g *Group) CreateConsumer(h leaf.Heap, name []byte, seen, active int64) (Consumer, bool, error) {
	if c, ok := g.Consumer(h.Arena, name); ok {
		return c, false, nil
	}
	for g.next == Nobody || g.next == unassigned || g.isTaken(h.Arena, g.next) {
		g.next++ // it wraps around in a group that had four billion consumers
	}
	var number [numberSize]byte
	binary.LittleEndian.PutUint32(number[:], g.next)
	if _, err := g.names.Insert(plain(h), ranktree.KeyOf(name), number[:]); err != nil {
		return Consumer{}, false, err
	}
	var payload [consumerSize]byte
	binary.LittleEndian.PutUint64(payload[:], uint64(seen))
	binary.LittleEndian.PutUint64(payload[8:], uint64(active))
	if _, err := g.consumers.Insert(h, consumerKey(g.next, name), payload[:]); err != nil {
		_, _ = g.names.Delete(plain(h), ranktree.KeyOf(name)) // nothing there is frozen
		g.store(h.Arena)
		return Consumer{}, false, err
	}
	g.next++
	g.store(h.Arena)
	c, _ := g.ConsumerAt(h.Arena, g.next-1)
	return c, true, nil
}

func (g *Group) isTaken(a *mem.Arena, number uint32) bool {
	_, ok := g.ConsumerAt(a, number)
	return ok
}

// SetTimes notes when a consumer was seen and active.
func (g *Group) SetTimes(h leaf.Heap, c Consumer, seen, active int64) error {
	payload, err := g.consumers.Update(h, consumerKey(c.Number, c.Name))
	if payload == nil {
		return err
	}
	binary.LittleEndian.PutUint64(payload, uint64(seen))
	binary.LittleEndian.PutUint64(payload[8:], uint64(active))
	g.store(h.Arena)
	return nil
}

// DeleteConsumer removes a consumer and its pending entries, and returns how many it
// had. If there is no memory for it, the consumer stays, maybe with fewer of them.
func (g *Group) DeleteConsumer(h leaf.Heap, name []byte) (pending int64, existed bool, err error) {
	c, ok := g.Consumer(h.Arena, name)
	if !ok {
		return 0, false, nil
	}
	pending, err = g.dropOwned(h, c)
	if err == nil {
		_, err = g.consumers.Delete(h, consumerKey(c.Number, name))
	}
	if err == nil {
		_, _ = g.names.Delete(plain(h), ranktree.KeyOf(name)) // nothing there is frozen
	}
	g.store(h.Arena)
	return pending, true, err
}

// dropOwned removes the pending entries of a consumer.
func (g *Group) dropOwned(h leaf.Heap, c Consumer) (int64, error) {
	count, err := g.consumers.Update(h, consumerKey(c.Number, c.Name))
	if err != nil {
		return 0, err
	}
	if h.Epoch != 0 { // what follows cannot fail halfway if nothing of it is frozen
		for it := g.Owned(h.Arena, c.Number, ID{}); it.Next(); {
			if _, err := g.pending.Update(h, it.key()); err != nil {
				return 0, err
			}
		}
	}
	tail := ownedTail(ID{})
	from, _ := g.owned.Rank(h.Arena, ownedKey(c.Number, ID{}, &tail))
	gone, err := g.owned.DeleteRange(h, from, from+int64(c.Pending), func(key, _ []byte) {
		if g.timed {
			id := IDOf(key[numberSize:])
			p, _ := g.Find(h.Arena, id)
			g.dropTime(h, p.Delivered, id)
		}
		_, _ = g.pending.Delete(h, ranktree.KeyOf(key[numberSize:]))
	})
	binary.LittleEndian.PutUint32(count[16:], c.Pending-uint32(gone))
	return gone, err
}

// A ConsumerIter goes through a group's consumers in the order of their names. It is
// valid until a consumer comes or goes.
type ConsumerIter struct {
	a      *mem.Arena
	g      *Group
	cursor ranktree.Cursor
	begun  bool
}

// EachConsumer goes through the consumers.
func (g *Group) EachConsumer(a *mem.Arena) ConsumerIter {
	return ConsumerIter{a: a, g: g, cursor: g.names.At(a, 0)}
}

// Next goes to the next consumer, the first at first, and says whether there is one.
func (it *ConsumerIter) Next() bool {
	if it.begun {
		it.cursor.Next()
	}
	it.begun = true
	return it.cursor.Valid()
}

// Consumer is the current consumer.
func (it *ConsumerIter) Consumer() Consumer {
	c, _ := it.g.ConsumerAt(it.a, binary.LittleEndian.Uint32(it.cursor.Payload()))
	return c
}
