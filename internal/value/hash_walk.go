package value

import (
	"fmt"
	"math/bits"

	"github.com/spineldb/spinel/internal/ds/hashtable"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
)

// A FieldFunc is given a field, its value and its expiry. A name or a text that is nil is
// the integer beside it: so they fit into registers.
type FieldFunc func(name []byte, nameInt int64, text []byte, textInt, expiry int64) bool

// Each calls fn for every field that is seen until it returns false. The hash must not
// change meanwhile.
func (h *Hash) Each(fn FieldFunc) {
	if h.isRooted() {
		h.table.Each(h.Arena, func(e hashtable.Entry) bool {
			return h.isPast(e.Expiry()) || fn(e.Field(), 0, e.Value(), 0, e.Expiry())
		})
		return
	}
	l := h.list()
	expiry := int64(NoExpiry)
	for at := l.First(); at != 0; {
		valueAt := l.Next(at)
		next := l.Next(valueAt)
		if h.enc == record.PackedEx {
			expiry = timeAt(l, valueAt)
			next = l.Next(next)
		}
		name, nameInt := l.Value(at)
		text, textInt := l.Value(valueAt)
		if !h.isPast(expiry) && !fn(name, nameInt, text, textInt, expiry) {
			return
		}
		at = next
	}
}

// Seen is the number of fields that Each comes to. It costs nothing unless a time has come.
func (h *Hash) Seen() int {
	if !h.Expires() || !h.isPast(h.first()) {
		return h.Len()
	}
	n := 0
	h.Each(func([]byte, int64, []byte, int64, int64) bool {
		n++
		return true
	})
	return n
}

// IsSmall says whether the hash comes whole in one call of Scan.
func (h *Hash) IsSmall() bool { return !h.isRooted() }

// Scan calls fn for some fields, and returns the cursor for the next call, 0 at the end. A
// small hash comes at once. A field that is there from the first call, with cursor 0, to
// the last comes at least once.
//
// A table's cursor is a position whose low bits are zero: turned around it is a small
// number, which clients can take that have no 64 bits for it.
func (h *Hash) Scan(cursor uint64, fn FieldFunc) (next uint64) {
	if !h.isRooted() {
		h.Each(fn)
		return 0
	}
	return bits.Reverse64(h.table.Scan(h.Arena, bits.Reverse64(cursor), func(e hashtable.Entry) {
		if !h.isPast(e.Expiry()) {
			fn(e.Field(), 0, e.Value(), 0, e.Expiry())
		}
	}))
}

// Random calls fn for n fields of those that are seen, or fewer if it returns false. Each is
// equally likely each time, and may come again. draw returns random numbers. There is at
// least one field that is seen.
func (h *Hash) Random(n int64, draw func() uint64, fn FieldFunc) {
	if !h.isRooted() {
		h.randomPacked(n, draw, fn)
		return
	}
	for missed := 0; n > 0; {
		e, ok := h.table.Random(h.Arena, draw)
		switch {
		case !ok:
			return
		case !h.isPast(e.Expiry()):
			if !fn(e.Field(), 0, e.Value(), 0, e.Expiry()) {
				return
			}
		case missed < missesMax:
			missed++
			continue
		case !h.randomAmongPast(draw, fn):
			return
		}
		n--
	}
}

// missesMax is how many fields whose time has come are met before Random rather looks at
// all of them: most may be so.
const missesMax = 1000

// randomAmongPast chooses one field in a walk, in which the n-th one seen takes the place
// of the one chosen before it with a probability of 1/n.
func (h *Hash) randomAmongPast(draw func() uint64, fn FieldFunc) (more bool) {
	chosen, n := uint64(0), uint64(0)
	h.Each(func([]byte, int64, []byte, int64, int64) bool {
		if n++; draw()%n == 0 {
			chosen = n
		}
		return true
	})
	n = 0
	h.Each(func(name []byte, nameInt int64, text []byte, textInt, expiry int64) bool {
		if n++; n == chosen {
			more = fn(name, nameInt, text, textInt, expiry)
		}
		return n < chosen
	})
	return more
}

// randomPacked notes where the fields are if more than one is needed.
func (h *Hash) randomPacked(n int64, draw func() uint64, fn FieldFunc) {
	l, w := h.list(), width(h.enc)
	first, fields := 0, l.Len()/w
	if w == 3 { // those whose time has come are at the front
		for at := l.First(); first < fields && h.isPast(timeAt(l, l.Next(at))); at = l.Skip(at, w) {
			first++
		}
	}
	if first == fields {
		return
	}
	var room [128]uint32
	places := room[:0]
	if n > 1 {
		for at := l.Skip(l.First(), first*w); at < l.End(); at = l.Skip(at, w) {
			places = append(places, uint32(at))
		}
	}
	for range n {
		at, i := 0, int(draw()%uint64(fields-first))
		if n > 1 {
			at = int(places[i])
		} else {
			at = l.Seek((first + i) * w)
		}
		valueAt := l.Next(at)
		expiry := int64(NoExpiry)
		if w == 3 {
			expiry = timeAt(l, valueAt)
		}
		name, nameInt := l.Value(at)
		text, textInt := l.Value(valueAt)
		if !fn(name, nameInt, text, textInt, expiry) {
			return
		}
	}
}

// fieldsPerLeaf is how many fields of a small hash ExpireSome removes for one leaf of its
// budget.
const fieldsPerLeaf = 64

// ExpireSome removes fields whose time has come, looking at about so many leaves, and says
// whether none is left. fn is called with each before it goes. An error means that there is
// no memory for it now, as in a value that a snapshot is reading.
func (h *Hash) ExpireSome(budget int, fn func(field []byte)) (done bool, err error) {
	switch h.enc {
	case record.RootedEx:
		done, err = h.table.ExpireSome(h.Heap(), h.now, budget, func(e hashtable.Entry) { fn(e.Field()) })
	case record.PackedEx:
		done = h.expirePacked(budget*fieldsPerLeaf, fn)
	default:
		return true, nil
	}
	h.settle()
	return done, err
}

// expirePacked cuts off the front of the listpack.
func (h *Hash) expirePacked(most int, fn func(field []byte)) (done bool) {
	l, n := h.list(), 0
	at := l.First()
	done = true
	var digits [numtext.MaxIntLen]byte
	for at != 0 && at < l.End() && h.isPast(timeAt(l, l.Next(at))) {
		if n == most {
			done = false
			break
		}
		fn(l.Get(at).Text(&digits))
		n++
		at = l.Skip(at, 3)
	}
	if n > 0 {
		h.cut(listpack.DeleteRaw(h.part(), l.First(), at, 3*n))
	}
	return done
}

// checkHash reports what is wrong with a hash.
func checkHash(c *Cell) error {
	var h Hash
	h.Open(*c, Unseen)
	if h.isRooted() {
		if h.enc == record.Rooted && h.table.Expiring() > 0 || h.enc == record.RootedEx && h.table.Expiring() == 0 {
			return fmt.Errorf("value: hash of encoding %d with %d expiries", h.enc, h.table.Expiring())
		}
		if first := FieldExpiry(c.Record()); h.enc == record.RootedEx && first != h.first() {
			return fmt.Errorf("value: hash expires first at %d, and says %d", h.first(), first)
		}
		return h.table.Check(c.Arena, c.Hash)
	}
	b := h.part()
	if err := listpack.Validate(b, true, nil); err != nil {
		return err
	}
	if n := h.list().Len(); n%width(h.enc) != 0 {
		return fmt.Errorf("value: hash of %d entries", n)
	}
	if h.enc != record.PackedEx {
		return nil
	}
	if first := FieldExpiry(c.Record()); first < 0 || first != h.first() {
		return fmt.Errorf("value: hash expires first at %d, and says %d", h.first(), first)
	}
	last, err := int64(0), error(nil)
	h.Each(func(name []byte, nameInt int64, _ []byte, _, expiry int64) bool {
		if uint64(expiry) < uint64(last) { // NoExpiry is the greatest
			err = fmt.Errorf("value: field %q %d expires at %d, behind %d", name, nameInt, expiry, last)
		}
		last = expiry
		return err == nil
	})
	return err
}
