package stream

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// A group whose pending entries are claimed by their age has a fifth tree, times, with them
// in the order of their delivery. It is made when it is needed first, so that other groups
// pay nothing for it; from then on it is kept up. It is not in files.

// timeTail is what is behind the first eight bytes of a key of times: the ID.
func timeTail(id ID) (b [idSize]byte) {
	id.put(b[:])
	return b
}

// timeKey puts times before 1970 first.
func timeKey(at int64, tail *[idSize]byte) ranktree.Key {
	return ranktree.Joined(uint64(at)^1<<63, tail[:])
}

// addTime enters a pending entry into times, and says whether it was not there before.
func (g *Group) addTime(h leaf.Heap, at int64, id ID) (isNew bool, err error) {
	if !g.timed {
		return false, nil
	}
	tail := timeTail(id)
	return g.times.Insert(plain(h), timeKey(at, &tail), nil)
}

// dropTime takes one out.
func (g *Group) dropTime(h leaf.Heap, at int64, id ID) {
	if g.timed {
		tail := timeTail(id)
		_, _ = g.times.Delete(plain(h), timeKey(at, &tail)) // nothing there is frozen
	}
}

// KeepTimes makes Oldest and AppendIdle possible. The first time it looks at all that is
// pending, which takes some 0.4 s for a million entries; then it costs nothing.
func (g *Group) KeepTimes(h leaf.Heap) error {
	if g.timed {
		return nil
	}
	type delivery struct {
		at int64
		id ID
	}
	all := make([]delivery, 0, g.pending.Len())
	for it := g.Pending(h.Arena, ID{}); it.Next(); {
		all = append(all, delivery{it.Delivered, it.ID})
	}
	slices.SortFunc(all, func(a, b delivery) int { // the tree splits less if they come in order
		if a.at == b.at && a.id.Less(b.id) {
			return -1
		}
		return cmp.Compare(a.at, b.at)
	})
	g.timed = true
	defer g.store(h.Arena)
	for _, d := range all {
		if _, err := g.addTime(h, d.at, d.id); err != nil {
			for !g.times.FreeSome(plain(h), 1<<20) {
				continue
			}
			g.timed = false
			return err
		}
	}
	return nil
}

// Oldest is when the pending entry was delivered whose delivery is longest ago.
func (g *Group) Oldest(a *mem.Arena) (at int64, ok bool) {
	c := g.times.At(a, 0)
	if !c.Valid() {
		return 0, false
	}
	return timeOf(c.Key()), true
}

func timeOf(key []byte) int64 { return int64(binary.BigEndian.Uint64(key) ^ 1<<63) }

// AppendIdle appends the IDs of pending entries that were delivered at a time or before, the
// oldest first, but no more than so many.
func (g *Group) AppendIdle(a *mem.Arena, dst []ID, until, most int64) []ID {
	c := g.times.At(a, 0)
	for more := c.Valid(); more && most > 0; more = c.Next() {
		key := c.Key()
		if timeOf(key) > until {
			break
		}
		dst = append(dst, IDOf(key[8:]))
		most--
	}
	return dst
}
