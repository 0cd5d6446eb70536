package ranktree

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// grown is the size of a node with one more entry.
func (n node) grown(raw int) int { return n.size() + 1 + n.payloadSize() + raw }

// insert puts an entry before entry i, whose key begins at off. The block has room.
func (n node) insert(i, off int, e *entry, payload []byte) {
	size, count, ps := n.size(), n.count(), n.payloadSize()
	raw := e.bytes()
	grown := size + 1 + ps + len(raw)
	b := n.bytes(grown)
	pays, keys := nodeHead+count, keysAt(count, ps)
	newPays, newKeys := pays+1, keys+1+ps

	copy(b[newKeys+off+len(raw):], b[keys+off:size])
	copy(b[newKeys:], b[keys:keys+off])
	copy(b[newPays+(i+1)*ps:], b[pays+i*ps:keys])
	copy(b[newPays:], b[pays:pays+i*ps])
	copy(b[nodeHead+i+1:], b[nodeHead+i:pays])
	copy(b[newKeys+off:], raw)
	copy(b[newPays+i*ps:newPays+(i+1)*ps], payload)
	b[nodeHead+i] = e.code
	n.setHead(ps, grown, count+1)
}

// remove takes the entries from i up to j out.
func (n node) remove(i, j int) {
	size, count, ps := n.size(), n.count(), n.payloadSize()
	from := n.offset(i)
	to := from
	for at := i; at < j; at++ {
		to += int(n.code(at) & lengthMask)
	}
	b := n.bytes(size)
	gone := j - i
	pays, keys := nodeHead+count, keysAt(count, ps)
	newPays, newKeys := pays-gone, keys-gone*(1+ps)

	copy(b[nodeHead+i:], b[nodeHead+j:pays])
	copy(b[newPays:], b[pays:pays+i*ps])
	copy(b[newPays+i*ps:], b[pays+j*ps:keys])
	copy(b[newKeys:], b[keys:keys+from])
	copy(b[newKeys+from:], b[keys+to:size])
	n.setHead(ps, size-gone*(1+ps)-(to-from), count-gone)
}

// clearKey makes the key of entry i empty.
func (n node) clearKey(i int) {
	size, count, ps := n.size(), n.count(), n.payloadSize()
	at := keysAt(count, ps) + n.offset(i)
	length := int(n.code(i) & lengthMask)
	b := n.bytes(size)
	copy(b[at:], b[at+length:])
	b[nodeHead+i] = 0
	n.setHead(ps, size-length, count)
}

// A part is a run of a node's entries, of which the first may get another key.
type part struct {
	node
	from, to int
	first    *entry
}

// keyRange is where the keys of the part are, without the first if it is replaced.
func (p *part) keyRange() (from, to int) {
	skip := p.from
	if p.first != nil {
		skip++
	}
	keys := keysAt(p.count(), p.payloadSize())
	return keys + p.offset(skip), keys + p.offset(p.to)
}

func (p *part) size() int {
	from, to := p.keyRange()
	n := (p.to-p.from)*(1+p.payloadSize()) + to - from
	if p.first != nil {
		n += len(p.first.bytes())
	}
	return n
}

// build makes a node of the parts one behind the other, or returns 0.
func build(h leaf.Heap, parts ...part) mem.Ref {
	size, count := nodeHead, 0
	for i := range parts {
		size += parts[i].size()
		count += parts[i].to - parts[i].from
	}
	r := h.New(size)
	if r == 0 {
		return 0
	}
	fresh := nodeAt(h.Arena, r)
	ps := parts[0].payloadSize()
	fresh.setHead(ps, size, count)
	b := fresh.bytes(size)
	codes, pays, keys := nodeHead, nodeHead+count, keysAt(count, ps)
	for i := range parts {
		p := &parts[i]
		old := p.bytes(p.node.size())
		from, to := p.keyRange()
		if p.first != nil {
			keys += copy(b[keys:], p.first.bytes())
		}
		keys += copy(b[keys:], old[from:to])
		pays += copy(b[pays:], old[nodeHead+p.count()+p.from*ps:nodeHead+p.count()+p.to*ps])
		n := copy(b[codes:], old[nodeHead+p.from:nodeHead+p.to])
		if p.first != nil {
			b[codes] = p.first.code
		}
		codes += n
	}
	return r
}

// wasteMax is how much of a node's block may be unused after removing, as the part of
// its size.
const wasteMax = 64

// refit returns the reference of a node that was made smaller: the same, or that of a
// block that fits better. The block may be changed.
func refit(h leaf.Heap, r mem.Ref) mem.Ref {
	n := nodeAt(h.Arena, r)
	size := n.size()
	if h.Cap(r)-mem.RoundUp(size) <= size/wasteMax {
		return r
	}
	fresh := h.New(size)
	if fresh == 0 {
		return r
	}
	if h.Cap(fresh) >= h.Cap(r) { // a coarse class serves both
		h.Drop(fresh)
		return r
	}
	copy(h.Bytes(fresh, size)[leaf.HeadSize-1:], n.bytes(size)[leaf.HeadSize-1:])
	h.Drop(r)
	return fresh
}
