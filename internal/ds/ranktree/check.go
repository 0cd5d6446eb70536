package ranktree

import (
	"bytes"
	"fmt"

	"github.com/spineldb/spinel/internal/mem"
)

// Check walks the tree and reports the first invariant that does not hold.
func (t *Tree) Check(a *mem.Arena) error {
	if t.root == 0 {
		if t.count != 0 || t.height != 0 {
			return fmt.Errorf("ranktree: %d keys at height %d and no root", t.count, t.height)
		}
		return nil
	}
	if t.height > 0 && nodeAt(a, t.root).count() == 1 {
		return fmt.Errorf("ranktree: the root %d has one child", t.root)
	}
	count, err := t.checkNode(a, t.root, t.height, bound{}, bound{})
	if err == nil && count != int(t.count) {
		err = fmt.Errorf("ranktree: counts %d keys and holds %d", t.count, count)
	}
	return err
}

// A bound is a separator, or none.
type bound struct {
	key []byte
	is  bool
}

// checkNode looks at a node whose keys must not be below low, and below high, and
// returns how many elements it has.
func (t *Tree) checkNode(a *mem.Arena, r mem.Ref, height int, low, high bound) (int, error) {
	n := nodeAt(a, r)
	payload, most := t.payload, leafMax
	if height > 0 {
		payload, most = childSize, innerMax
	}
	count := n.count()
	size := keysAt(count, payload)
	if count == 0 || n.payloadSize() != payload {
		return 0, fmt.Errorf("ranktree: node %d has %d entries with payloads of %d bytes",
			r, count, n.payloadSize())
	}
	size += n.offset(count)
	if size != n.size() || size > most || size > a.Cap(r) {
		return 0, fmt.Errorf("ranktree: node %d says %d bytes and has %d, of %d", r, n.size(), size, a.Cap(r))
	}
	if err := checkKeys(a, n, r, height, low, high); err != nil {
		return 0, err
	}
	if height == 0 {
		return count, nil
	}
	sum, off := 0, 0
	for i := range count {
		from, to := low, high
		if i > 0 {
			from = bound{n.key(a, i, off), true}
		}
		off += int(n.code(i) & lengthMask)
		if i+1 < count {
			to = bound{n.key(a, i+1, off), true}
		}
		below, err := t.checkNode(a, n.child(i), height-1, from, to)
		if err != nil {
			return 0, err
		}
		if below != n.below(i) {
			return 0, fmt.Errorf("ranktree: child %d of node %d counts %d keys and holds %d",
				i, r, n.below(i), below)
		}
		sum += below
	}
	return sum, nil
}

func checkKeys(a *mem.Arena, n node, r mem.Ref, height int, low, high bound) error {
	var before []byte
	off := 0
	for i := range n.count() {
		key := n.key(a, i, off)
		code := n.code(i)
		stub := n.bytes(n.size())[keysAt(n.count(), n.payloadSize())+off:]
		off += int(code & lengthMask)
		if height > 0 && i == 0 {
			if code != 0 {
				return fmt.Errorf("ranktree: node %d has a separator before its first child", r)
			}
			continue
		}
		if i > 0 && bytes.Compare(before, key) >= 0 && !(height > 0 && i == 1) {
			return fmt.Errorf("ranktree: keys %d and %d of node %d are not in order", i-1, i, r)
		}
		if low.is && bytes.Compare(key, low.key) < 0 || high.is && bytes.Compare(key, high.key) >= 0 {
			return fmt.Errorf("ranktree: key %d of node %d is outside of its separators", i, r)
		}
		if code&longBit == 0 != (len(key) <= inlineMax) ||
			code&longBit != 0 && (code != longCode || !bytes.Equal(stub[:stubPrefix], key[:stubPrefix])) {
			return fmt.Errorf("ranktree: key %d of node %d has %d bytes and code %#x", i, r, len(key), code)
		}
		before = key
	}
	return nil
}
