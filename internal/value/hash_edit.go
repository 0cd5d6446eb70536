package value

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/hashtable"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
)

// Set gives a field a value and an expiry, a time or NoExpiry or KeepExpiry, and says
// whether the field is new. If there is no memory it returns mem.ErrExhausted and nothing
// has changed but perhaps the encoding.
func (h *Hash) Set(field, value []byte, expiry int64) (added bool, err error) {
	if !h.isRooted() {
		if h.fits(field, value) {
			if added, err = h.setPacked(field, value, expiry); err == nil {
				_ = h.limit() // without memory for a table it stays a listpack
			}
			return added, err
		}
		if err := h.grow(); err != nil {
			return false, err
		}
	}
	if err := h.extend(expiry); err != nil {
		return false, err
	}
	env := h.env()
	added, err = h.table.Set(&env, h.Hash(field), field, value, expiry)
	h.settle()
	return added, err
}

// fits says whether a listpack may hold a field and its value: they obey the Limits, and
// the listpack does not get too long, whatever the Limits are.
func (h *Hash) fits(field, value []byte) bool {
	most := h.Limits.HashValue.Load()
	return int64(len(field)) <= most && int64(len(value)) <= most &&
		len(h.Bytes())+len(field)+len(value) < listpack.SizeMax
}

// Prepare makes room for what texts will bring: a table at once if one of them is too long
// for a listpack.
func (h *Hash) Prepare(texts [][]byte) error {
	if h.isRooted() {
		return nil
	}
	most := int(h.Limits.HashValue.Load())
	for _, text := range texts {
		if len(text) > most {
			return h.grow()
		}
	}
	return nil
}

// Delete removes a field, due or not, and says whether it was there. It can fail only while
// a snapshot reads the hash, if there is no memory.
func (h *Hash) Delete(field []byte) (found bool, err error) {
	if h.isRooted() {
		if found, err = h.table.Delete(h.Heap(), h.Hash(field), field); found {
			h.settle()
		}
		return found, err
	}
	l := h.list()
	at := h.find(l, field)
	if at == 0 {
		return false, nil
	}
	w := width(h.enc)
	h.cut(listpack.DeleteRaw(h.part(), at, l.Skip(at, w), w))
	h.settle()
	return true, nil
}

// SetExpiry changes when a field expires, or lets it live with NoExpiry, and says whether
// there is such a field, due or not.
func (h *Hash) SetExpiry(field []byte, expiry int64) (found bool, err error) {
	if h.isRooted() {
		if err := h.extend(expiry); err != nil {
			return false, err
		}
		env := h.env()
		found, err = h.table.SetExpiry(&env, h.Hash(field), field, expiry)
		h.settle()
		return found, err
	}
	if h.find(h.list(), field) == 0 {
		return false, nil
	}
	if err := h.extend(expiry); err != nil || h.enc == record.Packed {
		return true, err
	}
	l := h.list()
	at := h.find(l, field)
	value := l.Next(at)
	var room [pairRoom]byte
	pair := append(room[:0], l.Raw(at, l.Next(value))...)
	return true, h.place(at, pair, expiry)
}

// pairRoom is the size in bytes of a field and its value that can be put together without
// memory of the heap, unless the Limits are raised.
const pairRoom = 256

// env is what the table works in. Its heap is that of the record, if that is rooted.
func (h *Hash) env() hashtable.Env { return hashtable.Env{Heap: h.Heap(), Hash: h.Hash} }

// part is the listpack of a small hash with all the room that its part of the record has.
func (h *Hash) part() []byte { return h.Bytes()[offset(h.enc):] }

// reserve makes the listpack of a small hash have room for n bytes.
func (h *Hash) reserve(n int) (b []byte, err error) {
	b, err = h.Resize(h.enc, offset(h.enc)+n)
	if err != nil {
		return nil, err
	}
	return b[offset(h.enc):], nil
}

// cut gives back what a listpack of n bytes does not need. Where there is no memory for a
// smaller block it stays in the one that it has.
func (h *Hash) cut(n int) { h.shrink(h.enc, offset(h.enc)+n) }

func (h *Hash) shrink(e record.Encoding, n int) {
	if _, err := h.Resize(e, n); err != nil {
		h.Record().Resize(e, n)
	}
	h.enc = e
}

// setPacked is Set of a small hash.
func (h *Hash) setPacked(field, value []byte, expiry int64) (added bool, err error) {
	if err := h.extend(expiry); err != nil {
		return false, err
	}
	l, v := h.list(), listpack.Text(value)
	at := h.find(l, field)
	old := int64(NoExpiry)
	if at != 0 {
		valueAt := l.Next(at)
		if h.enc == record.PackedEx {
			old = timeAt(l, valueAt)
		}
		if expiry == KeepExpiry || expiry == old {
			return false, h.replace(l, valueAt, v)
		}
	}
	if expiry == KeepExpiry {
		expiry = NoExpiry
	}
	f := listpack.Text(field)
	if h.enc == record.Packed { // the field is new
		b, err := h.reserve(len(l) + f.Size() + v.Size())
		if err != nil {
			return false, err
		}
		listpack.Append(b, f)
		listpack.Append(b, v)
		return true, nil
	}
	var room [pairRoom]byte
	pair := listpack.AppendElem(listpack.AppendElem(room[:0], f), v)
	return at == 0, h.place(at, pair, expiry)
}

// replace puts another value at a position.
func (h *Hash) replace(l listpack.List, at int, v listpack.Elem) error {
	more := v.Size() - l.SizeAt(at)
	if more > 0 {
		b, err := h.reserve(len(l) + more)
		if err != nil {
			return err
		}
		listpack.Replace(b, at, v)
		return nil
	}
	if size := listpack.Replace(h.part(), at, v); more < 0 {
		h.cut(size)
	}
	return nil
}

// place puts the entries of a field and its value where they belong by their expiry, in the
// place of those at a position if that is not 0.
func (h *Hash) place(old int, pair []byte, expiry int64) error {
	time := listpack.Int(max(expiry, 0))
	l := h.list()
	end := old
	if old != 0 {
		end = l.Skip(old, 3)
	}
	size := len(l) - (end - old) + len(pair) + time.Size()
	b := h.part()
	if size > len(l) {
		var err error
		if b, err = h.reserve(size); err != nil {
			h.settle() // it may have been extended for this
			return err
		}
	}
	if old != 0 {
		listpack.DeleteRaw(b, old, end, 3)
	}
	at := spot(listpack.In(b), expiry)
	listpack.Insert(b, at, time)
	listpack.InsertRaw(b, at, pair, 2)
	if size < len(l) {
		h.cut(size)
	}
	h.settle()
	return nil
}

// spot is where a field with an expiry belongs in an extended listpack.
func spot(l listpack.List, expiry int64) int {
	if expiry < 0 {
		return l.End()
	}
	at := l.First()
	for at != 0 {
		value := l.Next(at)
		if t := timeAt(l, value); t < 0 || t > expiry {
			return at
		}
		at = l.Next(l.Next(value))
	}
	return l.End()
}

// extend gives the hash the form that has expiries, if it is going to have its first.
func (h *Hash) extend(expiry int64) error {
	if expiry < 0 || h.Expires() {
		return nil
	}
	if h.isRooted() {
		if _, err := h.Resize(record.RootedEx, epochSize+ExpirySize+hashtable.Size); err != nil {
			return err
		}
		h.enc = record.RootedEx
		h.store()
		return nil
	}
	l := h.list()
	n, size := l.Len()/2, len(l)
	never := listpack.Int(0)
	b, err := h.Resize(record.PackedEx, ExpirySize+size+n*never.Size())
	if err != nil {
		return err
	}
	// From the last field to the first, so that nothing is overwritten before it has moved.
	l = listpack.In(b)
	b = b[ExpirySize:]
	end := len(b) - 1
	to, from := end, size-1
	for range n {
		at := l.Prev(l.Prev(from))
		to -= never.Size()
		listpack.AppendElem(b[:to], never)
		to -= from - at
		copy(b[to:], l[at:from])
		from = at
	}
	listpack.Build(b, 3*n, b[listpack.HeaderSize:end])
	h.enc = record.PackedEx
	h.store()
	return nil
}

// settle ends a change: it keeps what the value part says beside the elements, and takes
// the extended form away when nothing expires any more.
func (h *Hash) settle() {
	if h.Expires() && h.first() < 0 {
		if h.isRooted() {
			h.shrink(record.Rooted, epochSize+hashtable.Size)
		} else {
			h.reduce()
		}
	}
	h.store()
}

// first is a time before which no field expires, NoExpiry if none does.
func (h *Hash) first() int64 {
	if h.isRooted() {
		if at, ok := h.table.MinExpiry(); ok {
			return at
		}
		return NoExpiry
	}
	l := h.list()
	if l.First() == 0 {
		return NoExpiry
	}
	return timeAt(l, l.Next(l.First()))
}

// store keeps a changed root, and the first expiry.
func (h *Hash) store() {
	if h.Expires() {
		b := h.Bytes()
		if h.isRooted() {
			b = b[epochSize:]
		}
		binary.LittleEndian.PutUint64(b, uint64(h.first()))
	}
	if h.isRooted() {
		h.table.Store(rootOf(h.Record()))
	}
}

// reduce takes the expiries, none of which is one, out of a listpack.
func (h *Hash) reduce() {
	l := h.list()
	b := h.Bytes()
	to, n := listpack.HeaderSize, l.Len()/3
	for at := l.First(); at != 0; {
		time := l.Skip(at, 2)
		next := l.Next(time)
		to += copy(b[to:], l[at:time])
		at = next
	}
	listpack.Build(b, 2*n, b[listpack.HeaderSize:to])
	h.shrink(record.Packed, to+1)
}

// limit makes a table of a small hash that has too many fields.
func (h *Hash) limit() error {
	if h.isRooted() || int64(h.Len()) <= h.Limits.HashEntries.Load() {
		return nil
	}
	return h.grow()
}

// grow makes a table of a small hash.
func (h *Hash) grow() (err error) {
	env := hashtable.Env{Heap: leaf.Heap{Arena: h.Arena}, Hash: h.Hash}
	t := hashtable.New(true)
	var name, value [numtext.MaxIntLen]byte
	l := h.list()
	for at := l.First(); at != 0 && err == nil; {
		expiry := int64(NoExpiry)
		valueAt := l.Next(at)
		f, v, last := l.Get(at), l.Get(valueAt), valueAt
		if h.enc == record.PackedEx {
			expiry, last = timeAt(l, valueAt), l.Next(valueAt)
		}
		text := f.Text(&name)
		_, err = t.Set(&env, h.Hash(text), text, v.Text(&value), expiry)
		at = l.Next(last)
	}
	e, extra := record.Rooted, 0
	if t.Expiring() > 0 {
		e, extra = record.RootedEx, ExpirySize
	}
	if err == nil {
		_, err = h.MakeRoot(e, extra+hashtable.Size)
	}
	if err != nil {
		for !t.FreeSome(env.Heap, 64) {
		}
		return err
	}
	h.table, h.enc = t, e
	h.store()
	return nil
}
