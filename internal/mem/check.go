package mem

import "fmt"

// Check walks every page and reports the first invariant that does not hold.
func (a *Arena) Check() error {
	var live, blocks int64
	var free, dirty uint32
	lastFree := false
	for p := uint32(1); p < a.next; {
		pi := a.page(p)
		var n uint32
		wasFree := lastFree
		lastFree = false
		switch {
		case pi.kind == kindFree || pi.kind == kindDirty:
			n = pi.a
			if wasFree {
				return fmt.Errorf("mem: two free runs meet at page %d", p)
			}
			if last := a.page(p + n - 1); last.live != lastOfRun || last.a != n {
				return fmt.Errorf("mem: free run at page %d of %d pages has no end mark", p, n)
			}
			free += n
			if pi.kind == kindDirty {
				dirty += n
			}
			lastFree = true
		case pi.kind == kindLarge:
			n = pi.a
			live += int64(n) * pageSize
			blocks++
		case pi.kind >= kindSpan:
			c := int(pi.kind) - kindSpan
			ci := classTable[c]
			n = uint32(ci.pages)
			listed := 0
			for q := uint32(pi.free); q != 0; listed++ {
				q = uint32(*(*uint16)(a.blockPtr(p, q-1, ci.size)))
			}
			if listed+int(pi.live) != int(pi.bump) {
				return fmt.Errorf("mem: span %d: %d live and %d freed of %d used", p, pi.live, listed, pi.bump)
			}
			live += int64(pi.live) * int64(ci.size)
			blocks += int64(pi.live)
		default:
			return fmt.Errorf("mem: page %d belongs to nothing", p)
		}
		if n == 0 {
			return fmt.Errorf("mem: run of no pages at %d", p)
		}
		p += n
	}
	if live != a.live || blocks != a.blocks || free != a.freePages || dirty != a.dirty {
		return fmt.Errorf("mem: counted %d bytes in %d blocks, %d free and %d dirty pages; found %d, %d, %d, %d",
			a.live, a.blocks, a.freePages, a.dirty, live, blocks, free, dirty)
	}
	return a.checkLists()
}

func (a *Arena) checkLists() error {
	for c, p := range a.lists {
		prev := uint32(0)
		for ; p != 0; p = a.page(p).a {
			pi := a.page(p)
			if int(pi.kind) != kindSpan+c || pi.live >= classTable[c].blocks || pi.b != prev {
				return fmt.Errorf("mem: span %d does not belong on the list of class %d", p, c)
			}
			prev = p
		}
	}
	return nil
}
