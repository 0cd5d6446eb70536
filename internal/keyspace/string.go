package keyspace

import (
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// A Value is what a key holds. It and all bytes that it shows are valid until the key
// changes or the stripe is unlocked.
type Value struct {
	record.Record
	st  *stripe
	ref mem.Ref
}

// Memory is the number of bytes of the value's block.
func (v Value) Memory() int { return v.st.heap.arena.Cap(v.ref) }

// A Str is a string value.
type Str struct {
	v      Value
	exists bool
	isInt  bool
	n      int64
	b      []byte
}

// Exists says whether there is a value; a missing one reads as the empty string.
func (s *Str) Exists() bool { return s.exists }

// Int is the value if it is kept as an integer.
func (s *Str) Int() (int64, bool) { return s.n, s.isInt }

// Len is the length of the text.
func (s *Str) Len() int {
	if s.isInt {
		return numtext.IntLen(s.n)
	}
	return len(s.b)
}

// Bytes is the text. Integers are written into buf.
func (s *Str) Bytes(buf *[20]byte) []byte {
	if s.isInt {
		return numtext.AppendInt(buf[:0], s.n)
	}
	return s.b
}

// Value is the record behind the string.
func (s *Str) Value() Value { return s.v }

// String reads a key that must hold a string, or nothing. It is Read and Str in one,
// because it is on the way of most requests.
func (t *Txn) String(key []byte) (s Str, err error) {
	at := t.placement(key)
	st := &t.ks.stripes[stripeOf(at)]
	if invariant.Enabled && t.locked&(1<<st.index) == 0 {
		invariant.Check(false, "keyspace: %q used without its lock (%x)", key, t.locked)
	}
	tb := st.dbs[t.DB]
	if tb == nil {
		t.Misses++
		return s, nil
	}
	slot := tb.dict.Find(at, key)
	if !slot.Found() {
		t.Misses++
		return s, nil
	}
	ref := slot.Ref()
	rec := record.At(st.heap.arena, ref)
	if rec.HasExpiry() && t.expired(rec) {
		v, _ := t.Read(key)
		return Str{v: v}, nil
	}
	t.Hits++
	if rec.HasClock() {
		t.touch(rec)
	}
	if rec.Type() != record.String {
		return s, resp.ErrWrongType
	}
	s.v = Value{Record: rec, st: st, ref: ref}
	s.exists = true
	if rec.IsInt() {
		s.isInt, s.n = true, rec.Int()
	} else {
		s.b = rec.Bytes()
	}
	return s, nil
}

// PeekString is String without counting a hit or a miss, for commands that write.
func (t *Txn) PeekString(key []byte) (Str, error) {
	p, ok := t.live(t.DB, key)
	if !ok {
		return Str{}, nil
	}
	rec := p.rec()
	t.touch(rec)
	return Value{Record: rec, st: p.st, ref: p.slot.Ref()}.Str()
}

// Str is the value as a string.
func (v Value) Str() (Str, error) {
	if v.Type() != record.String {
		return Str{}, resp.ErrWrongType
	}
	if v.IsInt() {
		return Str{v: v, exists: true, isInt: true, n: v.Int()}, nil
	}
	return Str{v: v, exists: true, b: v.Bytes()}, nil
}

// KeepTTL as an expiry leaves what the key has.
const KeepTTL = -2

// NoTTL as an expiry means that the key does not expire.
const NoTTL = -1

// SetString sets a key to a string, whatever it held. Text that is a number in
// canonical form is kept as an integer. expiry is in milliseconds since the epoch, or
// NoTTL or KeepTTL.
func (t *Txn) SetString(key, value []byte, expiry int64) error {
	if len(value) <= 20 {
		if n, ok := numtext.ParseInt(value); ok {
			return t.SetInt(key, n, expiry)
		}
	}
	if expiry == NoTTL && t.overwrite(key, value) {
		return nil
	}
	p, s, ok := t.shape(key, &expiry)
	if ok && t.fits(&p, &s, s.SizeBytes(len(value))) {
		p.rec().SetBytes(record.Bytes, value)
		t.renewed(&p, key, &s)
		return nil
	}
	ref := p.st.heap.arena.Alloc(s.SizeBytes(len(value)))
	if ref == 0 {
		return resp.ErrOOM
	}
	copy(s.WriteBytes(p.st.heap.arena, ref, record.Bytes, len(value)), value)
	return t.finish(&p, key, ref, &s)
}

// overwrite puts a value in the place of one of the same length, if that is all there
// is to do: no expiry, no access clock. It is what most SETs of a store that is full are.
func (t *Txn) overwrite(key, value []byte) bool {
	p := t.find(t.DB, key)
	if !p.found() {
		return false
	}
	rec := p.rec()
	if !rec.Plain() || !p.st.mayWrite(p.slot.Ref()) || t.ks.Tuning.TrackClock.Load() {
		return false
	}
	old := rec.Bytes()
	if len(old) != len(value) {
		return false
	}
	p.st.before(p.tb, p.slot.Home)
	if !p.st.mayWrite(p.slot.Ref()) { // saving it may have lent it
		return false
	}
	copy(old, value)
	t.changed(p.st, t.DB, key)
	return true
}

// SetInt sets a key to an integer, as SetString of its digits.
func (t *Txn) SetInt(key []byte, n int64, expiry int64) error {
	p, s, ok := t.shape(key, &expiry)
	if ok && t.fits(&p, &s, s.SizeInt(n)) {
		p.rec().SetInt(n)
		t.renewed(&p, key, &s)
		return nil
	}
	ref := p.st.heap.arena.Alloc(s.SizeInt(n))
	if ref == 0 {
		return resp.ErrOOM
	}
	s.WriteInt(p.st.heap.arena, ref, n)
	return t.finish(&p, key, ref, &s)
}

// shape finds the key and decides what its new record looks like. ok says whether
// there is an old one.
func (t *Txn) shape(key []byte, expiry *int64) (p place, s record.Shape, ok bool) {
	p, ok = t.live(t.DB, key)
	t.prepare(&p, t.DB)
	s = record.Shape{Key: key, Expiry: *expiry, Clocks: t.ks.Tuning.TrackClock.Load()}
	if ok && *expiry == KeepTTL {
		s.Expiry = p.rec().Expiry()
	} else if *expiry == KeepTTL {
		s.Expiry = NoTTL
	}
	if s.Clocks {
		s.Clock = t.ks.fresh(t.Now)
		if ok && p.rec().HasClock() && t.ks.policy().lfu() {
			s.Clock = t.ks.accessed(p.rec().Clock(), t.Now)
		}
	}
	return p, s, ok
}

// fits says whether a record of the shape and size can take the place of the old one
// in its block without wasting room.
func (t *Txn) fits(p *place, s *record.Shape, size int) bool {
	rec := p.rec()
	if rec.Type() != record.String || rec.HasExpiry() != (s.Expiry >= 0) || rec.HasClock() != s.Clocks {
		return false
	}
	old := rec.Size()
	if old < Big {
		return old == size || mem.RoundUp(old) == mem.RoundUp(size)
	}
	return p.st.mayWrite(p.slot.Ref()) && size <= p.st.heap.arena.Cap(p.slot.Ref()) && size >= old/2
}

// renewed finishes a change in place.
func (t *Txn) renewed(p *place, key []byte, s *record.Shape) {
	rec := p.rec()
	if s.Expiry >= 0 {
		rec.SetExpiry(s.Expiry)
		p.note(s.Expiry, 0)
	}
	if s.Clocks {
		rec.SetClock(s.Clock)
	}
	t.changed(p.st, t.DB, key)
}

// finish finishes a change by a new block.
func (t *Txn) finish(p *place, key []byte, ref mem.Ref, s *record.Shape) error {
	if err := t.insert(p, ref, s.Expiry); err != nil {
		return err
	}
	t.changed(p.st, t.DB, key)
	return nil
}

// growMax bounds the room left for further growth of a string, as Redis does.
const growMax = 1 << 20

// Stretch makes the string at key n bytes long and returns its bytes to be changed in
// place; new bytes are zero. A missing key becomes one, an integer becomes its text.
// The expiry stays. The caller has checked the type.
func (t *Txn) Stretch(key []byte, n int) ([]byte, error) {
	expiry := int64(KeepTTL)
	p, s, ok := t.shape(key, &expiry)
	if ok && !p.rec().IsInt() {
		ref, rec := p.slot.Ref(), p.rec()
		size := s.SizeBytes(n)
		if rec.HasClock() == s.Clocks && p.st.mayWrite(ref) &&
			(size <= p.st.heap.arena.Cap(ref) || p.st.heap.arena.GrowInPlace(ref, size+min(size/2, growMax))) {
			b := rec.Stretch(n)
			p.note(s.Expiry, size)
			t.changed(p.st, t.DB, key)
			return b, nil
		}
	}
	var buf [20]byte
	var old []byte
	slack := 0
	if ok {
		str, err := Value{Record: p.rec(), st: p.st}.Str()
		if err != nil {
			return nil, err
		}
		old = str.Bytes(&buf)
		slack = min(n, growMax)
	}
	ref := p.st.heap.arena.Alloc(s.SizeBytes(n) + slack)
	if ref == 0 {
		return nil, resp.ErrOOM
	}
	b := s.WriteBytes(p.st.heap.arena, ref, record.Raw, n)
	clear(b[copy(b, old):])
	return b, t.finish(&p, key, ref, &s)
}
