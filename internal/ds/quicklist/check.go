package quicklist

import (
	"errors"
	"fmt"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/lzf"
	"github.com/spineldb/spinel/internal/mem"
)

// Check walks the whole list and reports the first invariant that does not hold.
func (l *List) Check(a *mem.Arena) error {
	if l.head.ref == 0 {
		if *l != (List{}) {
			return fmt.Errorf("quicklist: no head, but %+v", *l)
		}
		return nil
	}
	if l.tail.ref == 0 && l.inner != (index{}) || l.tail.ref == 0 && l.tail.count != 0 {
		return errors.New("quicklist: inner nodes and no tail")
	}
	for _, end := range []entry{l.head, l.tail} {
		if end.ref == 0 {
			continue
		}
		if look(a, end.ref).flags&flagLZF != 0 {
			return errors.New("quicklist: the head or tail is compressed")
		}
		if err := checkNode(a, end); err != nil {
			return err
		}
	}
	if l.inner.root == 0 {
		if l.inner != (index{}) {
			return fmt.Errorf("quicklist: no index, but %+v", l.inner)
		}
		return nil
	}
	nodes, err := checkBlock(a, l.inner.root, int(l.inner.height)-1, l.inner.count)
	if err == nil && nodes != l.inner.nodes {
		err = fmt.Errorf("quicklist: the index has %d nodes of %d", nodes, l.inner.nodes)
	}
	if err == nil && l.inner.height > 1 && size(a, l.inner.root) < 2 {
		err = errors.New("quicklist: the index is higher than it need be")
	}
	return err
}

// checkBlock holds a block of a level, and all below it, against its number of elements.
func checkBlock(a *mem.Arena, b mem.Ref, level int, count uint32) (nodes uint32, err error) {
	entries := all(a, b)
	if len(entries) == 0 || len(entries) > roomOf(a, b) {
		return 0, fmt.Errorf("quicklist: a block of level %d has %d entries", level, len(entries))
	}
	if n := sum(entries); n != count {
		return 0, fmt.Errorf("quicklist: a block of level %d has %d elements of %d", level, n, count)
	}
	for i, e := range entries {
		if level == 0 {
			nodes++
			err = checkNode(a, e)
		} else {
			var n uint32
			if i > 0 && size(a, entries[i-1].ref)+size(a, e.ref) < fanout/2+1 {
				return 0, fmt.Errorf("quicklist: two small blocks of level %d", level-1)
			}
			n, err = checkBlock(a, e.ref, level-1, e.count)
			nodes += n
		}
		if err != nil {
			return 0, err
		}
	}
	return nodes, nil
}

// checkNode holds a node against its number of elements.
func checkNode(a *mem.Arena, e entry) error {
	n := look(a, e.ref)
	if room := a.Cap(e.ref); n.end() > room {
		return fmt.Errorf("quicklist: a node of %d bytes in a block of %d", n.end(), room)
	}
	if n.flags&flagGap != 0 && n.start < gapStart {
		return fmt.Errorf("quicklist: a gap of %d bytes", n.start)
	}
	b := n.stored(a, e.ref)
	if n.flags&flagLZF != 0 {
		raw, err := lzf.AppendDecompressed(nil, b, n.raw)
		if err != nil {
			return fmt.Errorf("quicklist: node %d: %w", e.ref, err)
		}
		b = raw
	}
	if n.flags&flagPlain != 0 {
		if e.count != 1 {
			return fmt.Errorf("quicklist: a plain node of %d elements", e.count)
		}
		return nil
	}
	if err := listpack.Validate(b, true, nil); err != nil {
		return fmt.Errorf("quicklist: node %d: %w", e.ref, err)
	}
	if got := listpack.List(b).Len(); got != int(e.count) || got == 0 {
		return fmt.Errorf("quicklist: a node has %d elements of %d", got, e.count)
	}
	return nil
}
