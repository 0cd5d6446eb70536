package hashtable

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"

	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

const (
	leafBytes   = 1024 // a leaf that would be larger is split,
	leafFew     = 8    // if it has more entries than this
	leafEntries = 64   // or if it has more than this
	leafMax     = 1024 // entries of a leaf that cannot be split, see Set

	// orderDepth is the depth that leaves reach if 10^9 elements come in the order of their
	// hashes.
	orderDepth = 24

	never = math.MaxInt64
)

// What Set does to the expiry of a field.
const (
	NoExpiry   int64 = -1 // the field does not expire
	KeepExpiry int64 = -2 // as before; a new field does not expire
)

// Size is the number of bytes that Store writes.
const Size = hashdir.Size + 44

// A Table is the root of a hash or a set. Make it with New or Load.
type Table struct {
	dir      hashdir.Dir
	count    int
	expiring int    // fields with an expiry
	min      int64  // no field expires before it
	sweep    uint64 // the hash where ExpireSome goes on
	sweepMin int64  // min of what it has left behind
	most     uint16 // at least the number of entries of every leaf
	values   bool
}

// An Env is what a table needs of its surroundings when it changes. Hash gives the hash
// that a stored field was set with.
type Env struct {
	leaf.Heap
	Hash func(field []byte) uint64
}

// An Entry is a view of one element. It is valid until the table changes. It is of a kind
// that fits in registers: the value stands behind the field wherever the two are.
type Entry struct {
	field              unsafe.Pointer
	fieldLen, valueLen uint32
	expiry             int64
}

// Field is the element's field.
func (e Entry) Field() []byte { return unsafe.Slice((*byte)(e.field), e.fieldLen) }

// Value is the field's value; empty in a set.
func (e Entry) Value() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(e.field, e.fieldLen)), e.valueLen)
}

// Expiry is when the field expires, or NoExpiry.
func (e Entry) Expiry() int64 { return e.expiry }

// New returns an empty table, of fields with values or without.
func New(values bool) Table { return Table{min: never, sweepMin: never, values: values} }

// Load reads a root that Store wrote.
func (t *Table) Load(b []byte) {
	t.dir.Load(b)
	b = b[hashdir.Size:Size]
	t.count = int(binary.LittleEndian.Uint64(b))
	t.expiring = int(binary.LittleEndian.Uint64(b[8:]))
	t.min = int64(binary.LittleEndian.Uint64(b[16:]))
	t.sweep = binary.LittleEndian.Uint64(b[24:])
	t.sweepMin = int64(binary.LittleEndian.Uint64(b[32:]))
	t.most = binary.LittleEndian.Uint16(b[40:])
	t.values = b[42] != 0
}

// Store writes the root into Size bytes.
func (t *Table) Store(b []byte) {
	t.dir.Store(b)
	b = b[hashdir.Size:Size]
	binary.LittleEndian.PutUint64(b, uint64(t.count))
	binary.LittleEndian.PutUint64(b[8:], uint64(t.expiring))
	binary.LittleEndian.PutUint64(b[16:], uint64(t.min))
	binary.LittleEndian.PutUint64(b[24:], t.sweep)
	binary.LittleEndian.PutUint64(b[32:], uint64(t.sweepMin))
	binary.LittleEndian.PutUint16(b[40:], t.most)
	b[42], b[43] = 0, 0
	if t.values {
		b[42] = 1
	}
}

// Len is the number of fields.
func (t *Table) Len() int { return t.count }

// Home is the address of the leaf for a hash, to be prefetched; 0 if there is none.
func (t *Table) Home(a *mem.Arena, hash uint64) uintptr {
	r := t.dir.Find(a, hashdir.Position(hash))
	if r == 0 {
		return 0
	}
	return a.Address(r)
}

// Find looks a field up.
func (t *Table) Find(a *mem.Arena, hash uint64, field []byte) (e Entry, found bool) {
	r := t.dir.Find(a, hashdir.Position(hash))
	if r == 0 {
		return Entry{}, false
	}
	var nd node
	nd.open(a, r)
	i, at := nd.find(a, uint8(hash), field)
	if i < 0 {
		return Entry{}, false
	}
	return nd.entry(a, i, at), true
}

// Has says whether there is a field.
func (t *Table) Has(a *mem.Arena, hash uint64, field []byte) bool {
	r := t.dir.Find(a, hashdir.Position(hash))
	if r == 0 {
		return false
	}
	var nd node
	nd.open(a, r)
	i, _ := nd.find(a, uint8(hash), field)
	return i >= 0
}

// A place is where an entry is, or would be.
type place struct {
	node
	ref   mem.Ref
	pos   uint64 // in the directory
	tag   uint8
	i, at int // i < 0 if there is no such entry
}

func (t *Table) locate(a *mem.Arena, hash uint64, field []byte) (p place) {
	p.pos, p.tag = hashdir.Position(hash), uint8(hash)
	t.relocate(a, &p, field)
	return p
}

// relocate fills p from its pos and tag.
func (t *Table) relocate(a *mem.Arena, p *place, field []byte) {
	p.ref = t.dir.Find(a, p.pos)
	p.node.open(a, p.ref)
	p.i, p.at = p.find(a, p.tag, field)
}

// Set gives a field a value and an expiry, and says whether the field is new. In a set
// the value must be empty. Neither field nor value may be views of this table.
//
// It returns mem.ErrExhausted if there is no memory; and also if the hashes of more than
// 1024 fields begin with the same log2(Len) bits, at least 24, which random hashes do not.
func (t *Table) Set(e *Env, hash uint64, field, value []byte, expiry int64) (added bool, err error) {
	if t.dir.IsEmpty() && !t.begin(e.Heap) {
		return false, mem.ErrExhausted
	}
	el := element{field: field, value: value, expiry: expiry}
	p := t.locate(e.Arena, hash, field)
	if expiry == KeepExpiry {
		el.expiry = NoExpiry
		if p.i >= 0 && p.i < p.special {
			el.expiry, _ = p.specialOf(p.i, p.at)
		}
	}
	if p.needsBlock(&el) {
		if el.outside = newOutside(e.Heap, field, value); el.outside == 0 {
			return false, t.giveUp(e.Heap, &el)
		}
	}
	if !t.put(e, &p, &el) {
		return false, t.giveUp(e.Heap, &el)
	}
	return p.i < 0, nil
}

// giveUp frees what was made for an element that cannot be stored.
func (t *Table) giveUp(h leaf.Heap, el *element) error {
	if el.outside != 0 {
		h.Drop(el.outside)
	}
	if t.count == 0 {
		t.freeEmpty(h)
	}
	return mem.ErrExhausted
}

// begin makes the first leaf.
func (t *Table) begin(h leaf.Heap) bool {
	r := t.newEmpty(h, 0)
	if r != 0 {
		t.dir.Replace(h.Arena, 0, 0, r)
	}
	return r != 0
}

// freeEmpty frees what a table without elements still has: one leaf, or some if there was
// no memory to join them.
func (t *Table) freeEmpty(h leaf.Heap) { t.FreeSome(h, math.MaxInt) }

// SetExpiry changes the expiry of a field, or takes it away with NoExpiry, and says
// whether there is such a field.
func (t *Table) SetExpiry(e *Env, hash uint64, field []byte, expiry int64) (found bool, err error) {
	if t.dir.IsEmpty() {
		return false, nil
	}
	p := t.locate(e.Arena, hash, field)
	if p.i < 0 {
		return false, nil
	}
	el := p.element(e.Arena, p.i, p.at)
	el.expiry = expiry
	if el.outside == 0 { // the body that the element is a view of will move
		var buf [bodyMax]byte
		n := copy(buf[:], el.field)
		m := n + copy(buf[n:], el.value)
		el.field, el.value = buf[:n], buf[n:m]
	}
	if !t.put(e, &p, &el) {
		return true, mem.ErrExhausted
	}
	return true, nil
}

// put stores an element at its place, which is split first if it gets too large. It
// returns false if there is no memory, and then the elements are the same as before.
func (t *Table) put(e *Env, p *place, el *element) bool {
	var used, size int
	for {
		size = p.bodySize(el, el.outside != 0)
		n := p.n
		used = p.used + size
		if p.i >= 0 {
			used -= p.len(p.i)
		} else {
			used += 2
			n++
		}
		if el.expiry >= 0 && !p.expires() {
			used += minSize
		}
		if !t.isFull(used, n, p.depth) {
			if n > leafMax {
				return false
			}
			break
		}
		if !t.split(e, p) {
			return false
		}
		t.relocate(e.Arena, p, el.field)
	}
	starts := el.expiry >= 0 && !p.expires()
	if starts {
		used = max(used, p.used+minSize) // before the entry's old body goes
	}
	if !t.makeRoom(e.Heap, p, used) {
		return false
	}
	if starts {
		p.startMin()
		p.at += minSize
	}
	t.write(e.Heap, p, el, size)
	return true
}

// isFull says whether a leaf of that many bytes and entries should be split. Where the
// leaves are as many as the elements it is no use; but elements that come in the order of
// their hashes, from another table, are first as close together as those of the whole.
func (t *Table) isFull(used, n int, depth uint) bool {
	deepest := max(orderDepth, uint(bits.Len(uint(t.count))))
	return (n > leafEntries || used > leafBytes && n > leafFew) && depth < deepest
}

// write puts an element into a leaf that has room for it, in the place of the entry of
// p if there is one.
func (t *Table) write(h leaf.Heap, p *place, el *element, size int) {
	var old element
	old.expiry = NoExpiry
	was, shrunk := p.i >= 0, false
	if was {
		shrunk = size < p.len(p.i)
		if p.i < p.special {
			old.expiry, old.outside = p.specialOf(p.i, p.at)
		}
	}
	var body []byte
	if was && el.isSpecial() == (p.i < p.special) {
		body = p.resize(p.i, p.at, size)
	} else {
		if was {
			p.remove(p.i, p.at)
		}
		to := p.n
		if el.isSpecial() {
			to = p.special
		}
		body = p.insert(to, p.tag, size, el.isSpecial())
	}
	p.writeBody(body, el)

	if old.outside != 0 && old.outside != el.outside {
		h.Drop(old.outside)
	}
	if old.expiry >= 0 {
		t.expiring--
	}
	if el.expiry >= 0 {
		t.expiring++
		p.setMin(min(p.min(), el.expiry))
		t.min = min(t.min, el.expiry)
		t.sweepMin = min(t.sweepMin, el.expiry)
	}
	if !was {
		t.count++
		t.most = max(t.most, uint16(p.n))
	}
	if shrunk {
		t.trim(h, p)
	}
}

// makeRoom makes p's leaf one that may be changed and has room for used bytes.
func (t *Table) makeRoom(h leaf.Heap, p *place, used int) bool {
	want, have := blockSize(max(used, p.used)), blockSize(p.used)
	if !h.IsFrozen(p.ref) &&
		(want == have || mem.RoundUp(want) == mem.RoundUp(have) || want <= h.Cap(p.ref)) {
		return true
	}
	return t.move(h, p, want)
}

// move puts p's leaf into a new block.
func (t *Table) move(h leaf.Heap, p *place, size int) bool {
	fresh := h.New(size)
	if fresh == 0 {
		return false
	}
	copy(h.Bytes(fresh, p.used)[atFlags:], p.bytes(p.used)[atFlags:])
	h.Drop(p.ref)
	t.dir.Replace(h.Arena, p.pos, p.depth, fresh)
	p.ref, p.p = fresh, h.Ptr(fresh)
	return true
}

// trim moves a leaf that has shrunk to a smaller block, if that saves an eighth.
func (t *Table) trim(h leaf.Heap, p *place) {
	if size := blockSize(p.used); mem.RoundUp(size) <= h.Cap(p.ref)/8*7 {
		t.move(h, p, size)
	}
}

// Delete removes a field and says whether it was there. The field may be a view of the
// table. There can be no memory for it only while a snapshot has the table frozen.
func (t *Table) Delete(h leaf.Heap, hash uint64, field []byte) (found bool, err error) {
	if t.dir.IsEmpty() {
		return false, nil
	}
	p := t.locate(h.Arena, hash, field)
	if p.i < 0 {
		return false, nil
	}
	if !t.makeRoom(h, &p, p.used) {
		return true, mem.ErrExhausted
	}
	t.remove(h, &p)
	t.settle(h, &p)
	return true, nil
}

// remove takes an entry out of a leaf that may be changed.
func (t *Table) remove(h leaf.Heap, p *place) {
	if p.i < p.special {
		expiry, outside := p.specialOf(p.i, p.at)
		if outside != 0 {
			h.Drop(outside)
		}
		if expiry >= 0 {
			t.expiring--
		}
	}
	p.node.remove(p.i, p.at)
	t.count--
}

// settle gives memory back after removals: it joins the leaf with its buddy while both
// are small, or moves it to a smaller block.
func (t *Table) settle(h leaf.Heap, p *place) {
	if t.count == 0 {
		t.freeEmpty(h)
		return
	}
	if t.expiring == 0 {
		t.min, t.sweepMin, t.sweep = never, never, 0
	}
	joined := false
	for p.used < leafBytes/4 && p.n < leafEntries/4 && t.join(h, p) {
		joined = true
	}
	if !joined {
		t.trim(h, p)
	}
}
