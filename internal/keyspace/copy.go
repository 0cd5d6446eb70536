package keyspace

import (
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// # Copying and moving
//
// A key and its value are in the stripe of the key's name. So a key that moves within its
// stripe, to another database or to a name of the same stripe, takes along what its root
// names. All else is a copy, also when the original is removed behind it, and may be a
// copy of gigabytes. A Copying makes it in pieces:
//
//	original   ......###########   ->   copy  ......          in no table: nobody sees it
//	            done  to come
//
// and puts the copy into the table when it is whole. The original must be what it was when
// the copying began. Who works on under other locks keeps it so: commands that would change
// it have to wait (exec holds the key), its fields do not expire and it is not evicted (it
// is kept, see Keep); and what cannot be prevented, that its time comes or that it is
// flushed or swapped away, sets off a watch.

// A Copying is a copy of a key's value under another name that is being made. It is used
// under the locks of both keys. Who began one ends it with Finish or Drop.
type Copying struct {
	from, to []byte
	fromDB   int
	db       int // of the copy

	st     *stripe // of the copy
	heap   *heap   // a flush may take it from the stripe
	ref    mem.Ref // the copy's record, 0 if it has a place or is freed
	copier value.Copier
	watch  *Watch    // if it is kept
	ahead  mem.Ahead // for the next piece
}

// unlimited is a budget that is never used up.
const unlimited = 1 << 62

// flatMax is the size in bytes up to which a string is copied in one go: some 30 us.
const flatMax = 128 << 10

// MovesAtOnce says whether a key gets another name, or another database, without a copy of
// its value that might take long.
func (t *Txn) MovesAtOnce(from, to []byte) bool {
	p, ok := t.live(t.DB, from)
	if !ok || isFlat(p.rec()) {
		return true
	}
	return p.rec().IsRooted() && stripeOf(t.placement(to)) == p.st.index
}

// CopiesAtOnce says whether the copy of a key's value cannot take long.
func (t *Txn) CopiesAtOnce(key []byte) bool {
	p, ok := t.live(t.DB, key)
	return !ok || isFlat(p.rec())
}

// isFlat says whether a value is its record, and not a long one.
func isFlat(rec record.Record) bool {
	return !rec.IsRooted() && (rec.IsInt() || len(rec.Bytes()) <= flatMax)
}

// StartCopy begins to copy a key, which is there and does not copy at once.
func (t *Txn) StartCopy(from []byte, db int, to []byte) (*Copying, error) {
	p, _ := t.live(t.DB, from)
	rec := p.rec()
	st := &t.ks.stripes[stripeOf(t.placement(to))]
	c := &Copying{
		from: append([]byte(nil), from...), to: append([]byte(nil), to...), fromDB: t.DB, db: db,
		st: st, heap: st.heap,
	}
	s := record.Shape{
		Key: to, Type: rec.Type(), Expiry: rec.Expiry(), Clocks: rec.HasClock(), Clock: rec.Clock(),
	}
	n := len(rec.Bytes())
	if c.ref = st.heap.arena.Alloc(s.SizeBytes(n)); c.ref == 0 {
		return nil, resp.ErrOOM
	}
	value.StartCopy(rec, s.WriteBytes(st.heap.arena, c.ref, rec.Encoding(), n))
	return c, nil
}

// Some copies more, about as many bytes as budget says (see leaf.CloneCost), and says
// whether the copy is whole. If there is no memory, it is to be dropped.
func (c *Copying) Some(t *Txn, budget int) (done bool, err error) {
	p := t.find(c.fromDB, c.from)
	src := value.NewView(t.ks.values, p.st.heap.arena, p.slot.Ref())
	dst := value.NewView(t.ks.values, c.heap.arena, c.ref)
	if done, err = c.copier.Some(&src, &dst, budget); err != nil {
		return false, resp.ErrOOM
	}
	if c.watch != nil && !done {
		c.ahead = c.heap.arena.Ahead(budget)
	}
	return done, nil
}

// Prepare readies the memory for the next piece of a kept copy, without the locks.
func (c *Copying) Prepare() {
	c.ahead.Populate()
	c.ahead = mem.Ahead{}
}

// Keep makes it possible to go on when the locks have been released meanwhile, as long as
// the copy is not Stale.
func (c *Copying) Keep(t *Txn) {
	p := t.find(c.fromDB, c.from)
	if p.st.kept == nil {
		p.st.kept = map[watchedKey]int{}
	}
	p.st.kept[watchedKey{c.fromDB, string(c.from)}]++
	c.watch = t.Watch(nil, [][]byte{c.from})
}

// IsStale says whether the original has changed in spite of all. Then the Copying is to be
// dropped.
func (c *Copying) IsStale(t *Txn) bool {
	return c.watch != nil && !t.CheckWatch(c.watch) || c.heap != c.st.heap
}

// Finish puts the copy, which is whole, in the place of what its key held. With move it
// removes the original. If there is no memory, nothing has changed.
func (c *Copying) Finish(t *Txn, move bool) error {
	defer c.end(t)
	from := t.find(c.fromDB, c.from)
	p, _ := t.live(c.db, c.to)
	t.prepare(&p, c.db)
	rec := record.At(c.heap.arena, c.ref)
	if old := from.rec(); rec.HasClock() && old.HasClock() { // it may have been read meanwhile
		rec.SetClock(old.Clock())
	}
	ref := c.ref
	c.ref = 0
	if err := t.insert(&p, ref, rec.Expiry()); err != nil {
		return err
	}
	p.noteMoved(rec)
	t.changed(p.st, c.db, c.to)
	if move {
		t.removeAs(c.from)
	}
	return nil
}

// Drop gives the copy up.
func (c *Copying) Drop(t *Txn) {
	if c.ref != 0 && c.heap == c.st.heap { // or the flush has freed it
		c.st.free(c.heap, c.ref)
		c.ref = 0
	}
	c.end(t)
}

// end ends Keep.
func (c *Copying) end(t *Txn) {
	if c.watch == nil {
		return
	}
	t.UnwatchLocked(c.watch)
	st := &t.ks.stripes[stripeOf(t.ks.Placement(c.from))]
	k := watchedKey{c.fromDB, string(c.from)}
	if st.kept[k]--; st.kept[k] == 0 {
		delete(st.kept, k)
	}
	c.watch = nil
}

// isKept says whether a key must neither be evicted nor lose fields.
func (st *stripe) isKept(db int, key []byte) bool {
	return len(st.kept) > 0 && st.kept[watchedKey{db, string(key)}] > 0
}

// # At once

// replaceMoved puts a record in the place of one of the same stripe that holds the same
// value: the old block goes, what its root names stays.
func (p *place) replaceMoved(ref mem.Ref, expiry int64) {
	old := p.slot.Ref()
	had := record.At(p.st.heap.arena, old).HasExpiry()
	p.slot.SetRef(ref)
	p.st.freeBlock(p.st.heap, old)
	p.tb.count(had, expiry >= 0)
	p.noteRecord(record.At(p.st.heap.arena, ref))
}

// noteRecord leaves the hints of a record in its home bucket.
func (p *place) noteRecord(rec record.Record) {
	p.note(rec.Expiry(), rec.Size())
	p.noteFields(rec)
}

// noteFields leaves the hint of the fields of a hash that expire.
func (p *place) noteFields(rec record.Record) {
	if at := value.FieldExpiry(rec); at >= 0 {
		p.tb.fields = true
		p.note(at, 0)
	}
}

// Rename gives the value and the expiry of a key another name, replacing what that
// name held. Both keys' stripes are locked. It returns false if there is no such key.
func (t *Txn) Rename(from, to []byte) (bool, error) {
	p, ok := t.live(t.DB, from)
	switch {
	case !ok:
		return false, nil
	case p.rec().IsRooted() && stripeOf(t.placement(to)) == p.st.index:
		return true, t.renameRoot(&p, from, to)
	case !isFlat(p.rec()):
		return true, t.copyWhole(from, t.DB, to, true)
	}
	if _, err := t.copyRecord(&p, t.DB, to); err != nil {
		return true, err
	}
	t.removeAs(from)
	return true, nil
}

// Copy copies a key to another name, in another database perhaps.
func (t *Txn) Copy(from []byte, db int, to []byte) (bool, error) {
	p, ok := t.live(t.DB, from)
	if !ok {
		return false, nil
	}
	if !isFlat(p.rec()) {
		return true, t.copyWhole(from, db, to, false)
	}
	_, err := t.copyRecord(&p, db, to)
	return true, err
}

func (t *Txn) copyWhole(from []byte, db int, to []byte, move bool) error {
	c, err := t.StartCopy(from, db, to)
	if err != nil {
		return err
	}
	if _, err := c.Some(t, unlimited); err != nil {
		c.Drop(t)
		return err
	}
	return c.Finish(t, move)
}

// copyRecord puts a copy of a key's record under another name.
func (t *Txn) copyRecord(from *place, db int, name []byte) (record.Record, error) {
	rec := from.rec()
	to := t.find(db, name)
	t.prepare(&to, db)
	s := record.Shape{
		Key: name, Type: rec.Type(), Expiry: rec.Expiry(),
		Clocks: rec.HasClock(), Clock: rec.Clock(),
	}
	ref, err := to.st.copyRecord(&s, rec, to.st.heap.arena)
	if err != nil {
		return rec, err
	}
	fresh := record.At(to.st.heap.arena, ref)
	if !to.link(ref, s.Expiry) {
		to.st.freeBlock(to.st.heap, ref) // what its root names is the other's
		return rec, resp.ErrOOM
	}
	to.noteMoved(fresh)
	t.changed(to.st, db, name)
	return fresh, nil
}

// noteMoved leaves the hint of a hash's fields, wherever link has put it.
func (p *place) noteMoved(rec record.Record) {
	if value.FieldExpiry(rec) >= 0 {
		p.slot.Home = p.tb.dict.Home(p.at)
		p.noteFields(rec)
	}
}

// renameRoot gives a rooted value another name of the same stripe. What the root names stays.
func (t *Txn) renameRoot(p *place, from, to []byte) error {
	t.prepare(p, t.DB) // the snapshot must see the value before it seems to be empty
	if _, err := t.copyRecord(p, t.DB, to); err != nil {
		return err
	}
	old := t.find(t.DB, from)
	value.Abandon(old.rec())
	t.removeAs(from)
	return nil
}

// removeAs removes a key as a change of it.
func (t *Txn) removeAs(key []byte) {
	p := t.find(t.DB, key)
	t.ks.remove(p.st, p.tb, t.DB, p.at, p.slot, key)
	t.changed(p.st, t.DB, key)
}

// Move moves a key to another database. The caller has seen that it is not there. The
// record stays where it is.
func (t *Txn) Move(key []byte, db int) (bool, error) {
	p, ok := t.live(t.DB, key)
	if !ok {
		return false, nil
	}
	to := t.find(db, key)
	t.prepare(&p, t.DB)
	t.prepare(&to, db)
	ref, rec := p.slot.Ref(), p.rec()
	if !to.link(ref, rec.Expiry()) {
		return true, resp.ErrOOM
	}
	to.noteMoved(rec)
	t.ks.unlink(p.st, p.tb, t.DB, p.at, p.slot, key)
	t.changed(p.st, db, key)
	t.changed(p.st, t.DB, key)
	return true, nil
}
