package value

import (
	"math"

	"github.com/spineldb/spinel/internal/ds/hashtable"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/numtext"
)

// A Hash is a hash in its cell. While some field expires it has the extended form of its
// encoding:
//
//	Packed     listpack of field, value
//	PackedEx   first expiry (8 bytes), listpack of field, value, expiry in milliseconds;
//	           sorted by that, those that do not expire have 0 and are last
//	Rooted     hashtable
//	RootedEx   first expiry (8 bytes) and hashtable
//
// The first expiry of a table may be too early after fields were deleted. A small hash becomes a
// table when it outgrows the Limits, and stays one. The extended form goes with the last
// expiry, so that files which older servers read can hold the hash again.
//
// Fields whose time has come are not seen, except by Len, IsDue and ExpireSome. They stay
// until somebody writes to them or ExpireSome finds them.
//
// What comes out of a hash is a text that is not nil, or else an integer; the text is valid
// until the hash changes.
type Hash struct {
	Cell
	enc   record.Encoding
	now   int64
	table hashtable.Table
}

// What Set does to the expiry of a field.
const (
	NoExpiry   = hashtable.NoExpiry   // the field does not expire any more
	KeepExpiry = hashtable.KeepExpiry // as before; a new field does not expire
)

// Unseen is a time at which no field has expired yet, for Open.
const Unseen = math.MinInt64

// Open makes h the hash that a cell holds, as it is seen at a time.
func (h *Hash) Open(c Cell, now int64) {
	h.Cell, h.now = c, now
	rec := c.Record()
	if h.enc = rec.Encoding(); h.enc >= record.Rooted {
		h.table.Load(rootOf(rec))
	}
}

// Expires says whether some field has an expiry.
func (h *Hash) Expires() bool { return h.enc == record.PackedEx || h.enc == record.RootedEx }

func (h *Hash) isRooted() bool { return h.enc >= record.Rooted }

// offset is where the listpack of a small hash begins in the value part, and width the
// number of its entries for a field.
func offset(e record.Encoding) int {
	if e == record.PackedEx {
		return ExpirySize
	}
	return 0
}

func width(e record.Encoding) int {
	if e == record.PackedEx {
		return 3
	}
	return 2
}

// list is the listpack of a small hash.
func (h *Hash) list() listpack.List { return listpack.In(h.Bytes()[offset(h.enc):]) }

// find is the position of a field in the listpack of a small hash, or 0.
func (h *Hash) find(l listpack.List, field []byte) int {
	return l.Find(listpack.Text(field), l.First(), width(h.enc)-1)
}

// timeAt is the expiry behind the value at a position of an extended listpack.
func timeAt(l listpack.List, value int) int64 {
	if ms, _ := l.Get(l.Next(value)).Integer(); ms != 0 {
		return ms
	}
	return NoExpiry
}

// isPast says whether a field with an expiry is not seen any more.
func (h *Hash) isPast(expiry int64) bool { return expiry >= 0 && expiry <= h.now }

// Len is the number of fields, those included whose time has come.
func (h *Hash) Len() int {
	if h.isRooted() {
		return h.table.Len()
	}
	return h.list().Len() / width(h.enc)
}

// Get is the value of a field.
func (h *Hash) Get(field []byte) (text []byte, v int64, ok bool) {
	text, v, _, ok = h.Lookup(field)
	return text, v, ok
}

// Lookup is the value of a field and its expiry, or NoExpiry.
func (h *Hash) Lookup(field []byte) (text []byte, v int64, expiry int64, ok bool) {
	text, v, expiry, ok = h.lookup(field)
	if !ok || h.isPast(expiry) {
		return nil, 0, NoExpiry, false
	}
	return text, v, expiry, true
}

// IsDue says whether a field is there whose time has come.
func (h *Hash) IsDue(field []byte) bool {
	if !h.Expires() {
		return false
	}
	_, _, expiry, ok := h.lookup(field)
	return ok && h.isPast(expiry)
}

func (h *Hash) lookup(field []byte) (text []byte, v int64, expiry int64, ok bool) {
	if h.isRooted() {
		e, ok := h.table.Find(h.Arena, h.Hash(field), field)
		if !ok {
			return nil, 0, NoExpiry, false
		}
		return e.Value(), 0, e.Expiry(), true
	}
	l := h.list()
	at := h.find(l, field)
	if at == 0 {
		return nil, 0, NoExpiry, false
	}
	at = l.Next(at)
	text, v = l.Value(at)
	expiry = NoExpiry
	if h.enc == record.PackedEx {
		expiry = timeAt(l, at)
	}
	return text, v, expiry, true
}

// hashRoot is the table of a root.
func hashRoot(root []byte) (t hashtable.Table) {
	t.Load(root)
	return t
}

var _ = describe(record.Hash, kind{
	words: map[record.Encoding]string{
		record.Packed: "listpack", record.PackedEx: "listpackex",
		record.Rooted: "hashtable", record.RootedEx: "hashtable",
	},
	count: func(rec record.Record) int {
		e := rec.Encoding()
		if e >= record.Rooted {
			t := hashRoot(rootOf(rec))
			return t.Len()
		}
		return listpack.In(rec.Bytes()[offset(e):]).Len() / width(e)
	},
	freeSome: func(h leaf.Heap, root []byte, leaves int) bool {
		t := hashRoot(root)
		done := t.FreeSome(h, leaves)
		t.Store(root)
		return done
	},
	leaves: func(a *mem.Arena, root []byte, dst []mem.Ref) []mem.Ref {
		t := hashRoot(root)
		return t.AppendLeaves(a, dst)
	},
	each: func(a *mem.Arena, ref mem.Ref, fn func(Element)) {
		hashtable.EachInLeaf(a, ref, func(e hashtable.Entry) bool {
			fn(Element{
				Name: listpack.Elem{Bytes: e.Field()}, Value: listpack.Elem{Bytes: e.Value()}, Expiry: e.Expiry(),
			})
			return true
		})
	},
	texts: eachEntry,
	thaw:  hashtable.Thaw,
	load:  loadHash,
	add: func(c *Cell, e *Element) (bool, error) {
		var h Hash
		var name, value [numtext.MaxIntLen]byte
		h.Open(*c, Unseen)
		isNew, err := h.Set(e.Name.Text(&name), e.Value.Text(&value), e.Expiry)
		*c = h.Cell
		return isNew, err
	},
	memory: func(c *Cell, samples int) int {
		t := hashRoot(rootOf(c.Record()))
		return int(t.MemoryBytes(c.Arena, samples))
	},
	check: checkHash,
})

// eachEntry calls fn for the elements of a leaf of a table.
func eachEntry(a *mem.Arena, ref mem.Ref, _ bool, fn TextFunc) {
	hashtable.EachInLeaf(a, ref, func(e hashtable.Entry) bool {
		fn(e.Field(), e.Value(), 0, e.Expiry())
		return true
	})
}

// loadHash takes a listpack over. Expiries are sorted already.
func loadHash(c *Cell, e record.Encoding, packed []byte) error {
	b, err := c.Resize(e, offset(e)+len(packed))
	if err != nil {
		return err
	}
	copy(b[offset(e):], packed)
	h := Hash{Cell: *c, enc: e, now: Unseen}
	if e == record.PackedEx {
		h.settle()
	}
	err = h.limit()
	*c = h.Cell
	return err
}
