package scoreindex

import (
	"fmt"

	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/mem"
)

// Check walks the index and reports the first invariant that does not hold.
func (x *Index) Check(a *mem.Arena) error {
	if x.dir.IsEmpty() != (x.count == 0) {
		return fmt.Errorf("scoreindex: %d elements, empty is %v", x.count, x.dir.IsEmpty())
	}
	if x.count == 0 {
		return nil
	}
	if err := x.dir.Check(a, func(r mem.Ref) uint { return open(a, r).depth }); err != nil {
		return err
	}
	count := 0
	for pos := uint64(0); ; {
		r := x.dir.Find(a, pos)
		nd := open(a, r)
		if size := max(nd.size(), blockMin); size > a.Cap(r) {
			return fmt.Errorf("scoreindex: leaf of %d bytes in a block of %d", size, a.Cap(r))
		}
		first, next := keyOf(pos), hashdir.Next(pos, nd.depth)
		for i := range nd.n {
			key := first&^nd.low(1<<keyBits-1) | nd.key(i)
			if key < first || next != 0 && key >= keyOf(next) || i > 0 && nd.key(i-1) > nd.key(i) {
				return fmt.Errorf("scoreindex: key %#x is entry %d of the leaf from %#x", key, i, first)
			}
		}
		count += nd.n
		if pos = next; pos == 0 {
			break
		}
	}
	if count != x.count {
		return fmt.Errorf("scoreindex: counts %d elements and holds %d", x.count, count)
	}
	return nil
}
