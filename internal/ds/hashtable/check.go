package hashtable

import (
	"fmt"

	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/mem"
)

// Check walks the table and reports the first invariant that does not hold. hash is that
// of a field.
func (t *Table) Check(a *mem.Arena, hash func(field []byte) uint64) error {
	if t.dir.IsEmpty() {
		if t.count != 0 || t.expiring != 0 {
			return fmt.Errorf("hashtable: %d fields and no leaf", t.count)
		}
		return nil
	}
	if t.count == 0 {
		return fmt.Errorf("hashtable: no fields, and leaves")
	}
	if err := t.dir.Check(a, func(r mem.Ref) uint { return open(a, r).depth }); err != nil {
		return err
	}
	count, expiring := 0, 0
	for at := uint64(0); ; {
		r := t.dir.Find(a, at)
		nd := open(a, r)
		if size := blockSize(nd.used); size > a.Cap(r) {
			return fmt.Errorf("hashtable: leaf of %d bytes in a block of %d", size, a.Cap(r))
		}
		n, err := t.checkLeaf(a, &nd, at, hash)
		if err != nil {
			return fmt.Errorf("hashtable: leaf at %#x of depth %d: %w", at, nd.depth, err)
		}
		count, expiring = count+nd.n, expiring+n
		if at = hashdir.Next(at, nd.depth); at == 0 {
			break
		}
	}
	if count != t.count || expiring != t.expiring {
		return fmt.Errorf("hashtable: counts %d fields, %d expiring, and holds %d and %d",
			t.count, t.expiring, count, expiring)
	}
	return nil
}

// checkLeaf returns how many entries expire.
func (t *Table) checkLeaf(a *mem.Arena, nd *node, first uint64, hash func([]byte) uint64) (int, error) {
	if nd.values != t.values || nd.special > nd.n || nd.n > int(t.most) {
		return 0, fmt.Errorf("%d entries, %d special, values %v, of at most %d",
			nd.n, nd.special, nd.values, t.most)
	}
	expiring := 0
	at := nd.bodies()
	for i := range nd.n {
		if got := nd.at(i); got != at {
			return 0, fmt.Errorf("entry %d is found at %d and is at %d", i, got, at)
		}
		el := nd.element(a, i, at)
		h := hash(el.field)
		if uint8(h) != nd.tag(i) || hashdir.First(hashdir.Position(h), nd.depth) != first {
			return 0, fmt.Errorf("field %q with hash %#x and tag %d does not belong here",
				el.field, h, nd.tag(i))
		}
		if (i < nd.special) != el.isSpecial() || el.outside == 0 && nd.needsBlock(&el) {
			return 0, fmt.Errorf("entry %d of %d special ones has the wrong form", i, nd.special)
		}
		if nd.bodySize(&el, el.outside != 0) != nd.len(i) {
			return 0, fmt.Errorf("entry %d has %d bytes", i, nd.len(i))
		}
		if el.expiry >= 0 {
			expiring++
			if el.expiry < nd.min() || el.expiry < t.min {
				return 0, fmt.Errorf("entry %d expires at %d, before %d or %d", i, el.expiry, nd.min(), t.min)
			}
		}
		at += nd.len(i)
	}
	if at != nd.used {
		return 0, fmt.Errorf("ends at %d and uses %d bytes", at, nd.used)
	}
	return expiring, nil
}
