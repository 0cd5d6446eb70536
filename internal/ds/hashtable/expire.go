package hashtable

import (
	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// Expiring is the number of fields that have an expiry.
func (t *Table) Expiring() int { return t.expiring }

// MinExpiry is a time before which no field expires, and false if none does. It may be
// too early after fields were deleted, until ExpireSome has been through the table.
func (t *Table) MinExpiry() (at int64, ok bool) { return t.min, t.expiring > 0 }

// ExpireSome removes fields whose expiry is now or earlier, looking at about budget
// leaves, and says whether nothing due is left. fn is called with each before it goes; it
// must not change the table. Leaves in which nothing is due are not read but for their
// head.
func (t *Table) ExpireSome(h leaf.Heap, now int64, budget int, fn func(Entry)) (done bool, err error) {
	for ; t.expiring > 0 && t.min <= now; budget-- {
		if budget <= 0 {
			return false, nil
		}
		if t.sweep == 0 {
			t.sweepMin = never
		}
		p := place{ref: t.dir.Find(h.Arena, t.sweep), pos: t.sweep}
		p.node = open(h.Arena, p.ref)
		next := hashdir.Next(t.sweep, p.depth)
		if p.min() <= now {
			if err := t.expire(h, now, &p, fn); err != nil {
				return false, err
			}
			if t.expiring == 0 {
				return true, nil
			}
		} else {
			t.sweepMin = min(t.sweepMin, p.min())
		}
		if t.sweep = next; next == 0 {
			t.min = t.sweepMin
		}
	}
	return true, nil
}

// expire removes the due entries of p's leaf, the one at t.sweep.
func (t *Table) expire(h leaf.Heap, now int64, p *place, fn func(Entry)) error {
	if !t.makeRoom(h, p, p.used) {
		return mem.ErrExhausted
	}
	soonest := int64(never)
	p.i, p.at = 0, p.bodies()
	for p.i < p.special {
		expiry, _ := p.specialOf(p.i, p.at)
		if expiry < 0 || expiry > now {
			if expiry >= 0 {
				soonest = min(soonest, expiry)
			}
			p.at += p.len(p.i)
			p.i++
			continue
		}
		fn(p.entry(h.Arena, p.i, p.at))
		t.remove(h, p)
		p.at -= 2
	}
	if soonest == never {
		p.stopMin()
	} else {
		p.setMin(soonest)
	}
	t.sweepMin = min(t.sweepMin, soonest)
	t.settle(h, p)
	return nil
}
