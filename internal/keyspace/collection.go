package keyspace

import (
	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// # Values that are not strings
//
// A command opens a key for reading, or edits it:
//
//	c, ok, err := t.Open(key, record.Hash)     // HGET
//	c, ok, err := t.Edit(key, record.Hash)     // HDEL: ok = false if it is not there
//	c, err := t.Make(key, record.Hash)         // HSET: makes it, empty
//	... the value's own functions on c ...
//	t.Edited(key, &c, n)                       // after Edit and Make, with n changes
//
// Whatever a command does between Edit and Edited is one change to watches, waiters and a
// snapshot. Arguments are checked before: a command that has edited does not fail.

// Open finds a key that must hold a type, or nothing, for reading. It counts a hit or a
// miss and is an access.
func (t *Txn) Open(key []byte, typ record.Type) (c value.Cell, ok bool, err error) {
	p, ok := t.live(t.DB, key)
	if !ok {
		t.Misses++
		return c, false, nil
	}
	t.Hits++
	rec := p.rec()
	if rec.HasClock() {
		t.touch(rec)
	}
	if rec.Type() != typ {
		return c, false, resp.ErrWrongType
	}
	return t.cell(&p), true, nil
}

// Edit finds a key that must hold a type, or nothing, to change it.
func (t *Txn) Edit(key []byte, typ record.Type) (c value.Cell, ok bool, err error) {
	return t.EditIn(t.DB, key, typ)
}

// EditIn is Edit in another database.
func (t *Txn) EditIn(db int, key []byte, typ record.Type) (c value.Cell, ok bool, err error) {
	p, ok := t.live(db, key)
	if !ok {
		return c, false, nil
	}
	rec := p.rec()
	if rec.Type() != typ {
		return c, false, resp.ErrWrongType
	}
	if rec.HasClock() {
		t.touch(rec)
	}
	t.prepare(&p, db)
	return t.cell(&p), true, nil
}

// Make is Edit of a key that is made, with an empty value, if it is not there.
func (t *Txn) Make(key []byte, typ record.Type) (c value.Cell, err error) {
	c, ok, err := t.Edit(key, typ)
	if ok || err != nil {
		return c, err
	}
	return t.Fresh(t.DB, key, typ, NoTTL)
}

// Fresh makes a key of a database with an empty value, in place of what it held.
func (t *Txn) Fresh(db int, key []byte, typ record.Type, expiry int64) (c value.Cell, err error) {
	p, _ := t.live(db, key)
	t.prepare(&p, db)
	s := record.Shape{Key: key, Type: typ, Expiry: expiry, Clocks: t.ks.Tuning.TrackClock.Load()}
	if s.Clocks {
		s.Clock = t.ks.fresh(t.Now)
	}
	e, n := value.Empty(typ)
	ref := p.st.heap.arena.Alloc(s.SizeBytes(n))
	if ref == 0 {
		return c, resp.ErrOOM
	}
	value.InitEmpty(typ, s.WriteBytes(p.st.heap.arena, ref, e, n))
	if err := t.insert(&p, ref, expiry); err != nil {
		return c, err
	}
	if !p.found() {
		p.slot = p.tb.dict.Find(p.at, key)
	}
	return t.cell(&p), nil
}

// Edited ends what Edit, Make or Fresh began, with n changes. A value that is empty now
// is removed.
func (t *Txn) Edited(key []byte, c *value.Cell, n int) { t.EditedIn(t.DB, key, c, n) }

// EditedIn is Edited in another database.
func (t *Txn) EditedIn(db int, key []byte, c *value.Cell, n int) {
	p := t.find(db, key)
	if value.IsEmpty(c) {
		t.ks.remove(p.st, p.tb, db, p.at, p.slot, key)
	} else {
		p.noteFields(c.Record())
	}
	if n > 0 {
		t.changed(p.st, db, key)
		t.dirty += n - 1
	}
}

func (t *Txn) cell(p *place) value.Cell {
	c := value.NewCell(t.ks.values, p.st.heap.arena, p.tb.dict, p.at, p.slot)
	c.Scratch = &t.scratch
	return c
}

// Cell is the value's place, for the value's own functions that read.
func (v Value) Cell() value.Cell {
	return value.NewView(v.st.ks.values, v.st.heap.arena, v.ref)
}

// Limits say when small encodings become big ones.
func (ks *Keyspace) Limits() *value.Limits { return &ks.values.Limits }

// Limits are the keyspace's.
func (t *Txn) Limits() *value.Limits { return &t.ks.values.Limits }

// # Freeing
//
// The record of a rooted value goes at once, what its root names in pieces: a husk is the
// root of a value that is being freed.

// freeSmall is the number of leaves up to which a value is freed at once, some 10 us.
const freeSmall = 64

// free frees a record and its value, now or when nothing is lent of it any more.
func (st *stripe) free(h *heap, ref mem.Ref) {
	if rec := record.At(h.arena, ref); rec.IsRooted() {
		if husk := value.NewHusk(rec); !husk.FreeSome(h.arena, freeSmall) {
			st.husks = append(st.husks, husk)
			st.ks.husks.Add(1)
			st.ks.Stats.LazyFreePending.Add(1)
		}
	}
	st.freeBlock(h, ref)
}

// freeHusks frees about as many leaves of removed values, and says whether more are left.
func (st *stripe) freeHusks(leaves int) (more bool) {
	n := len(st.husks)
	if n == 0 {
		return false
	}
	if st.husks[n-1].FreeSome(st.heap.arena, leaves) {
		st.husks = st.husks[:n-1]
		st.ks.husks.Add(-1)
		st.ks.Stats.LazyFreePending.Add(-1)
		st.ks.Stats.LazyFreed.Add(1)
	}
	return len(st.husks) > 0
}

// huskLeaves is how many leaves are freed under one lock: some 50 us.
const huskLeaves = 256

// freeSomeHusks frees some of what removed values have left, in one stripe, and says
// whether there was any. Nothing may be locked.
func (ks *Keyspace) freeSomeHusks() bool {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		some := len(st.husks) > 0
		if some {
			st.freeHusks(huskLeaves)
			ks.used.Add(st.settle())
		}
		st.mu.Unlock()
		if some {
			return true
		}
	}
	return false
}

// # Results
//
// Some values are made of others, of which the key's old one may be a part, or of a
// payload that may turn out to be damaged. Replace builds them aside.

// Replace gives a key the value that fill makes of an empty one, in place of what it
// held. If fill fails, or there is no memory, the key keeps what it has. A value that
// stays empty deletes the key. It counts one change, if there is any, and returns the
// number of elements.
func (t *Txn) Replace(
	key []byte, typ record.Type, expiry int64, fill func(c *value.Cell) error,
) (elements int, err error) {
	p, _ := t.live(t.DB, key)
	t.prepare(&p, t.DB)
	a := p.st.heap.arena
	s := record.Shape{Key: key, Type: typ, Expiry: expiry, Clocks: t.ks.Tuning.TrackClock.Load()}
	if s.Clocks {
		s.Clock = t.ks.fresh(t.Now)
	}
	e, n := value.Empty(typ)
	ref := a.Alloc(s.SizeBytes(n))
	if ref == 0 {
		return 0, resp.ErrOOM
	}
	value.InitEmpty(typ, s.WriteBytes(a, ref, e, n))
	aside := dict.New(a, t.ks.place, stripeBits, t.ks.scratches)
	if !aside.Insert(p.at, ref) {
		a.Free(ref)
		return 0, resp.ErrOOM
	}
	c := value.NewCell(t.ks.values, a, aside, p.at, aside.Find(p.at, key))
	err = fill(&c)
	ref, elements = c.Ref(), value.Len(&c)
	isEmpty := value.IsEmpty(&c)
	aside.Delete(p.at, aside.Find(p.at, key))
	aside.Clear(nil)
	if err != nil || isEmpty {
		p.st.free(p.st.heap, ref)
		if err == mem.ErrExhausted {
			err = resp.ErrOOM
		}
		if err == nil {
			t.Delete(key)
		}
		return 0, err
	}
	p, _ = t.live(t.DB, key) // fill may have used keys of the same table
	if err := t.insert(&p, ref, expiry); err != nil {
		return 0, err
	}
	if p.slot.Home == nil {
		p.slot.Home = p.tb.dict.Home(p.at)
	}
	p.noteFields(record.At(a, ref))
	t.changed(p.st, t.DB, key)
	return elements, nil
}
