package hashtable

import (
	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/ds/leaf"
)

// A builder fills a new leaf. The node says what it will hold; special entries must be
// added before plain ones.
type builder struct {
	node
	added int
	at    int // of the next body
}

// start begins the leaf in a block of blockSize(used) bytes.
func (b *builder) start() {
	b.writeHead()
	b.added, b.at = 0, b.bodies()
}

// add appends entry i of another leaf, whose body begins at an offset.
func (b *builder) add(from *node, i, at int) {
	n := from.len(i)
	all := b.bytes(b.used)
	all[b.head+b.added] = from.tag(i)
	all[b.head+b.n+b.added] = uint8(n)
	copy(all[b.at:], from.body(at, n))
	b.added++
	b.at += n
}

// A half is what a leaf's entries with the same next bit of their hashes come to.
type half struct {
	builder
	min int64
}

func newHalf(nd *node, depth uint) half {
	return half{builder{node: node{used: headSize, head: headSize, depth: depth, values: nd.values}}, never}
}

// count notes that an entry will be added.
func (b *half) count(nd *node, i, at int) {
	b.n++
	b.used += 2 + nd.len(i)
	if i >= nd.special {
		return
	}
	b.special++
	if expiry, _ := nd.specialOf(i, at); expiry >= 0 {
		if !b.expires() {
			b.head += minSize
			b.used += minSize
		}
		b.min = min(b.min, expiry)
	}
}

// split makes two leaves of p's. It returns false, and has changed nothing, if there is
// no memory.
func (t *Table) split(e *Env, p *place) bool {
	var halves [2]half
	for i := range halves {
		halves[i] = newHalf(&p.node, p.depth+1)
	}
	var sides [leafMax]uint8
	at := p.bodies()
	for i := range p.n {
		el := p.element(e.Arena, i, at)
		sides[i] = uint8(hashdir.Position(e.Hash(el.field)) >> (63 - p.depth) & 1)
		halves[sides[i]].count(&p.node, i, at)
		at += p.len(i)
	}
	left := e.New(blockSize(halves[0].used))
	if left == 0 {
		return false
	}
	right := e.New(blockSize(halves[1].used))
	if right == 0 {
		e.Drop(left)
		return false
	}
	if !t.dir.Split(e.Arena, p.pos, p.depth, left, right) {
		e.Drop(left)
		e.Drop(right)
		return false
	}
	halves[0].p, halves[1].p = e.Ptr(left), e.Ptr(right)
	for i := range halves {
		b := &halves[i]
		b.start()
		if b.expires() {
			b.setMin(b.min)
		}
	}
	at = p.bodies()
	for i := range p.n {
		halves[sides[i]].add(&p.node, i, at)
		at += p.len(i)
	}
	e.Drop(p.ref)
	return true
}

// join makes one leaf of p's and its buddy, if there is one and together they are half
// of what a leaf may be, and puts it into p.
func (t *Table) join(h leaf.Heap, p *place) bool {
	ref := t.dir.Buddy(h.Arena, p.pos, p.depth)
	if ref == 0 {
		return false
	}
	other := open(h.Arena, ref)
	if other.depth != p.depth || other.n+p.n > leafEntries/2 || other.used+p.used > leafBytes/2 {
		return false
	}
	b := builder{node: node{
		n:       p.n + other.n,
		special: p.special + other.special,
		used:    p.used + other.used - min(p.head, other.head),
		head:    max(p.head, other.head),
		depth:   p.depth - 1,
		values:  p.values,
	}}
	fresh := h.New(blockSize(b.used))
	if fresh == 0 {
		return false
	}
	b.p = h.Ptr(fresh)
	b.start()
	if b.expires() {
		b.setMin(min(p.min(), other.min()))
	}
	at := [2]int{p.bodies(), other.bodies()}
	for _, special := range [2]bool{true, false} {
		for k, nd := range [2]*node{&p.node, &other} {
			from, to := 0, nd.special
			if !special {
				from, to = nd.special, nd.n
			}
			for i := from; i < to; i++ {
				b.add(nd, i, at[k])
				at[k] += nd.len(i)
			}
		}
	}
	t.dir.Join(h.Arena, p.pos, p.depth, fresh)
	h.Drop(p.ref)
	h.Drop(ref)
	p.node, p.ref, p.i = b.node, fresh, -1
	t.most = max(t.most, uint16(p.n))
	return true
}
