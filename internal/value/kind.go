package value

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
)

// A kind is what is done with all values of a type alike. The file of each type has one.
type kind struct {
	// words are the names of the encodings as OBJECT ENCODING has them.
	words map[record.Encoding]string
	// empty writes the root of an empty value of a type whose values are always rooted.
	rootSize int
	empty    func(root []byte)
	// len is the number of elements; fields, not words. A kind that gives count instead
	// is asked without an allocation.
	len   func(c *Cell) int
	count func(rec record.Record) int
	// freeSome frees about as many leaves of a root, and says whether all is freed.
	freeSome func(h leaf.Heap, root []byte, leaves int) (done bool)
	// leaves appends the references of the leaves of a root, in order.
	leaves func(a *mem.Arena, root []byte, dst []mem.Ref) []mem.Ref
	// seek is the leaf of the element of a rank, and how many elements of the leaf come before
	// it and behind it. Lists and sorted sets have it.
	seek func(a *mem.Arena, root []byte, rank int) (ref mem.Ref, before, behind int)
	// each calls fn for every element of a leaf.
	each func(a *mem.Arena, ref mem.Ref, fn func(e Element))
	// texts does the same, or backward, if elements are no nodes: in fewer words, which stay
	// in registers.
	texts func(a *mem.Arena, ref mem.Ref, back bool, fn TextFunc)
	// thaw is leaf.Heap.Thaw, for the leaf and what is outside of it.
	thaw func(h leaf.Heap, ref mem.Ref)
	// thawRest thaws the leaves that are not among those of leaves, of a value that has just
	// been frozen. freezeRest notes them instead, to be read behind the others. They may be
	// nil.
	thawRest   func(c *Cell)
	freezeRest func(c *Cell) *Rest
	// load makes an empty value one of packed bytes, which are sound: a listpack, an
	// intset, or a listpack with expiries. They become what the Limits want. If an
	// expiry has passed that is for others to see.
	load func(c *Cell, e record.Encoding, packed []byte) error
	// add puts an element into a value that is being made: in a list at the end, in a
	// stream too. It returns false if the element is there already.
	add func(c *Cell, e *Element) (bool, error)
	// memory is the number of bytes of what the root names, perhaps from so many samples.
	memory func(c *Cell, samples int) int
	// check reports the first invariant that does not hold.
	check func(c *Cell) error
}

// An Element is one element of a value, or for lists and streams one node, as a snapshot
// reads and writes it.
type Element struct {
	Name    listpack.Elem // the member or field; of a list the element, if Node is nil
	Value   listpack.Elem // of a field
	Score   float64
	Expiry  int64  // of a field, -1 for none
	Node    []byte // of a list or stream, a listpack
	IsPlain bool   // of a list: Node is one large element
	MS, Seq uint64 // of a stream's node, its first ID

	// Part is not 0 if this is no node of a stream but another part of it, which has a Name,
	// an ID, and its figures in Node.
	Part stream.Part
}

var kinds [record.Stream + 1]*kind

// describe enters a type's kind. Its result only gives the declaration a place to stand.
func describe(t record.Type, k kind) struct{} {
	kinds[t] = &k
	return struct{}{}
}

// Empty is the encoding and the size of the value part of an empty value.
func Empty(t record.Type) (record.Encoding, int) {
	if k := kinds[t]; k.empty != nil {
		return record.Rooted, epochSize + k.rootSize
	}
	return record.Packed, listpack.EmptySize
}

// InitEmpty writes the value part of an empty value.
func InitEmpty(t record.Type, b []byte) {
	if k := kinds[t]; k.empty != nil {
		clear(b[:epochSize])
		k.empty(b[epochSize:])
		return
	}
	listpack.AppendEmpty(b[:0])
}

// EncodingName is the encoding of a value other than a string, as OBJECT ENCODING has it.
func EncodingName(rec record.Record) string { return kinds[rec.Type()].words[rec.Encoding()] }

// Len is the number of elements of a value other than a string.
func Len(c *Cell) int {
	rec := c.Record()
	k := kinds[rec.Type()]
	if k.count != nil {
		return k.count(rec)
	}
	moved := *c // so that c itself need not be on the heap
	return k.len(&moved)
}

// IsEmpty says whether a key must not go on to exist with this value.
func IsEmpty(c *Cell) bool { return c.Type() != record.Stream && Len(c) == 0 }

// ExpirySize is the number of bytes of the earliest expiry that a hash with field
// expiries has: before the listpack, or between the epoch and the root.
const ExpirySize = 8

// FieldExpiry is the time in milliseconds since the epoch at which the first field of a
// hash may expire, -1 if none does.
func FieldExpiry(rec record.Record) int64 {
	if rec.Type() != record.Hash {
		return -1
	}
	switch rec.Encoding() {
	case record.PackedEx:
		return int64(binary.LittleEndian.Uint64(rec.Bytes()))
	case record.RootedEx:
		return int64(binary.LittleEndian.Uint64(rec.Bytes()[epochSize:]))
	}
	return -1
}

// rootOf is the root in a rooted value part.
func rootOf(rec record.Record) []byte {
	b := rec.Bytes()[epochSize:]
	if rec.Encoding() == record.RootedEx {
		b = b[ExpirySize:]
	}
	return b
}

// rootMax is the size of the largest root.
const rootMax = 128

// A Husk is what a rooted value leaves when its record goes: everything that its root
// names.
type Husk struct {
	kind  *kind
	epoch uint16
	n     uint8
	root  [rootMax]byte
}

// NewHusk is the husk of a value whose record is about to be freed.
func NewHusk(rec record.Record) Husk {
	h := Husk{kind: kinds[rec.Type()], epoch: epochOf(rec)}
	h.n = uint8(copy(h.root[:], rootOf(rec)))
	return h
}

// FreeSome frees about as many leaves, and says whether all is freed.
func (h *Husk) FreeSome(a *mem.Arena, leaves int) (done bool) {
	return h.kind.freeSome(leaf.Heap{Arena: a, Epoch: h.epoch}, h.root[:h.n], leaves)
}

// Abandon makes a rooted value an empty one without freeing what its root names, since
// another record has that root now.
func Abandon(rec record.Record) {
	listpack.AppendEmpty(rec.Resize(record.Packed, listpack.EmptySize)[:0])
}

// Load makes an empty value one of packed bytes, which are sound, in whatever encoding the
// Limits want.
func Load(c *Cell, e record.Encoding, packed []byte) error { return kinds[c.Type()].load(c, e, packed) }

// Add puts an element into a value that is being made. It returns false if the element is
// there already.
func Add(c *Cell, e *Element) (bool, error) { return kinds[c.Type()].add(c, e) }

// Freeze makes the leaves of a rooted value stay as they are, until each is thawed, and
// appends them to dst. Nobody else may be reading the value, and its epoch must be another.
// What is no element is not frozen.
func Freeze(c *Cell, epoch uint16, dst []mem.Ref) []mem.Ref {
	dst = freeze(c, epoch, dst)
	if k := kinds[c.Type()]; k.thawRest != nil {
		k.thawRest(c)
	}
	return dst
}

// FreezeAll is Freeze also for what is no element: groups. The Rest is what is to be read
// behind the leaves; nil if there is nothing.
func FreezeAll(c *Cell, epoch uint16, dst []mem.Ref) ([]mem.Ref, *Rest) {
	dst = freeze(c, epoch, dst)
	if k := kinds[c.Type()]; k.freezeRest != nil {
		return dst, k.freezeRest(c)
	}
	return dst, nil
}

func freeze(c *Cell, epoch uint16, dst []mem.Ref) []mem.Ref {
	before := c.Heap()
	c.SetEpoch(epoch)
	k := kinds[c.Type()]
	had := len(dst)
	dst = k.leaves(c.Arena, rootOf(c.Record()), dst)
	if invariant.Enabled {
		invariant.Check(epoch != before.Epoch && epoch != 0, "value: frozen with epoch %d twice", epoch)
		for _, ref := range dst[had:] {
			invariant.Check(before.IsStamped(ref), "value: leaf %d is not of epoch %d", ref, before.Epoch)
		}
	}
	return dst
}

// Leaves appends the references of the leaves of a rooted value to dst, in order.
func Leaves(c *Cell, dst []mem.Ref) []mem.Ref {
	return kinds[c.Type()].leaves(c.Arena, rootOf(c.Record()), dst)
}

// Seek is the leaf of the element of a rank of a rooted list or sorted set, and how many
// elements of the leaf come before it and behind it.
func Seek(c *Cell, rank int) (ref mem.Ref, before, behind int) {
	return kinds[c.Type()].seek(c.Arena, rootOf(c.Record()), rank)
}

// EachInLeaf calls fn for every element of a leaf of a value of a type, in order.
func EachInLeaf(t record.Type, a *mem.Arena, ref mem.Ref, fn func(e Element)) {
	kinds[t].each(a, ref, fn)
}

// A TextFunc is given an element of a hash, set or sorted set in a leaf: its field or member,
// and what it has of a value, a score and an expiry.
type TextFunc func(name, text []byte, score float64, expiry int64)

// EachText is EachInLeaf in the way of a TextFunc, or backward, which sorted sets can.
func EachText(t record.Type, a *mem.Arena, ref mem.Ref, back bool, fn TextFunc) {
	kinds[t].texts(a, ref, back, fn)
}

// Thaw ends the freezing of one leaf.
func Thaw(t record.Type, a *mem.Arena, epoch uint16, ref mem.Ref) {
	kinds[t].thaw(leaf.Heap{Arena: a, Epoch: epoch}, ref)
}

// Memory is the number of bytes that a value other than a string takes besides its
// record, estimated from so many samples of its elements; 0 samples for all.
func Memory(c *Cell, samples int) int {
	if !c.Record().IsRooted() {
		return 0
	}
	return kinds[c.Type()].memory(c, samples)
}

// Check reports the first invariant of a value that does not hold.
func Check(c *Cell) error { return kinds[c.Type()].check(c) }
