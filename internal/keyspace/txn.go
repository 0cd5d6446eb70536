package keyspace

import (
	"math/bits"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// A Txn is what commands reach the keyspace through. It belongs to one executor and is
// used again for every command.
type Txn struct {
	ks  *Keyspace
	DB  int          // the database that keys belong to
	Now clock.Millis // when the command began; nothing expires while it runs

	locked uint64 // set of stripes
	hints  []hint // placements of the declared keys, computed before
	hinted int

	ready []readyKey // keys that changed and that somebody waits for

	dirty int   // changes made by the command
	delta int64 // change of memory, not yet reported

	scratch value.Scratch

	NoTouch bool // accesses do not move the access clock (CLIENT NO-TOUCH)

	// KeepExpired has keys and fields seen whose time has come: a command that was executed
	// before saw them.
	KeepExpired bool

	// Counters of this executor; read in exclusive mode.
	Hits, Misses int64

	// Deleted is called, if set, when a key is removed because its time has come.
	Deleted func(db int, key []byte)
}

// A hint is the placement of a key that was hashed ahead, found again by the key's
// first byte.
type hint struct {
	first     *byte
	placement uint64
}

// NewTxn makes an executor's transaction.
func (ks *Keyspace) NewTxn() *Txn { return &Txn{ks: ks} }

// Begin makes the Txn ready for a command.
func (t *Txn) Begin(db int, now clock.Millis) {
	t.DB, t.Now, t.dirty = db, now, 0
	t.hints, t.hinted = t.hints[:0], 0
}

// Hint tells the placement of a key that the command is about to use.
func (t *Txn) Hint(key []byte, placement uint64) {
	if len(key) > 0 {
		t.hints = append(t.hints, hint{&key[0], placement})
	}
}

// Dirty is the number of changes since Begin.
func (t *Txn) Dirty() int { return t.dirty }

// MarkDirty counts n changes that were not made through the Txn.
func (t *Txn) MarkDirty(n int) { t.dirty += n }

// placement finds a hint or hashes the key.
func (t *Txn) placement(key []byte) uint64 {
	if len(key) > 0 && t.hinted < len(t.hints) {
		first := &key[0]
		if h := &t.hints[t.hinted]; h.first == first {
			if t.hinted+1 < len(t.hints) {
				t.hinted++
			}
			return h.placement
		}
		for i := range t.hints {
			if t.hints[i].first == first {
				t.hinted = i
				return t.hints[i].placement
			}
		}
	}
	return t.ks.Placement(key)
}

// Lock locks a set of stripes, in ascending order. Nothing may be locked before.
func (t *Txn) Lock(set uint64) {
	if invariant.Enabled && t.locked != 0 {
		invariant.Check(false, "keyspace: locking %x on top of %x", set, t.locked)
	}
	for s := set; s != 0; s &= s - 1 {
		t.ks.stripes[bits.TrailingZeros64(s)].mu.Lock()
	}
	t.locked = set
}

// LockOne is Lock for one placement.
func (t *Txn) LockOne(placement uint64) {
	i := stripeOf(placement)
	t.ks.stripes[i].mu.Lock()
	t.locked = 1 << i
}

// LockAll locks every stripe.
func (t *Txn) LockAll() { t.Lock(allStripes) }

// Unlock releases what Lock took.
func (t *Txn) Unlock() {
	for s := t.locked; s != 0; s &= s - 1 {
		st := &t.ks.stripes[bits.TrailingZeros64(s)]
		t.delta += st.settle()
		st.mu.Unlock()
	}
	t.locked = 0
}

// Locked is the set of locked stripes.
func (t *Txn) Locked() uint64 { return t.locked }

// LockedAll says whether the command may touch every key.
func (t *Txn) LockedAll() bool { return t.locked == allStripes }

// Adopt takes over locks that Exclusive holds; Disown forgets them.
func (t *Txn) Adopt() { t.locked = allStripes }

// Disown forgets locks that somebody else will release.
func (t *Txn) Disown() { t.locked = 0 }

// Report adds the memory change since the last call to the keyspace's sum.
func (t *Txn) Report() {
	if t.delta != 0 {
		t.ks.used.Add(t.delta)
		t.delta = 0
	}
}

// Seek is the table and the first bucket where a key would be, for prefetching. No
// lock is needed, but the caller's gate must be entered. A nil table means that the
// key is not there.
func (t *Txn) Seek(db int, placement uint64) (*dict.Dict, *dict.Bucket) {
	tb := t.ks.stripes[stripeOf(placement)].shown[db].Load()
	if tb == nil {
		return nil, nil
	}
	return tb.dict, tb.dict.Home(placement)
}

// place is where a key is or would be.
type place struct {
	st   *stripe
	tb   *table // nil if the database was never used in this stripe
	at   uint64 // placement
	slot dict.Slot
}

func (p *place) found() bool { return p.slot.Found() }

func (p *place) rec() record.Record { return record.At(p.st.heap.arena, p.slot.Ref()) }

// find looks a key up as it is, expired or not.
func (t *Txn) find(db int, key []byte) place {
	at := t.placement(key)
	st := &t.ks.stripes[stripeOf(at)]
	if invariant.Enabled && t.locked&(1<<st.index) == 0 {
		invariant.Check(false, "keyspace: %q used without its lock (%x)", key, t.locked)
	}
	p := place{st: st, tb: st.dbs[db], at: at}
	if p.tb != nil {
		p.slot = p.tb.dict.Find(at, key)
	}
	return p
}

// live looks a key up and removes it if its time has come. While nothing may expire,
// such a key is only not seen.
func (t *Txn) live(db int, key []byte) (p place, ok bool) {
	p = t.find(db, key)
	if !p.found() {
		return p, false
	}
	rec := p.rec()
	if rec.HasExpiry() && t.expired(rec) {
		if !t.ks.keepsDead() {
			t.expire(&p, db, key)
		}
		return p, false
	}
	return p, true
}

// keepsDead says whether keys whose time has come stay where they are, unseen.
func (ks *Keyspace) keepsDead() bool { return ks.Tuning.Frozen.Load() || ks.Tuning.Follows.Load() }

func (t *Txn) expired(rec record.Record) bool { return t.Past(rec.Expiry()) }

// Past says whether a time has come. For a command that was executed before none has: what was
// to be deleted is told by another command.
func (t *Txn) Past(at int64) bool { return at <= int64(t.Now) && !t.KeepExpired }

// FieldsNow is the time by which fields of hashes expire.
func (t *Txn) FieldsNow() int64 {
	if t.KeepExpired {
		return value.Unseen
	}
	return int64(t.Now)
}

// expire removes a key whose time has come, on behalf of whoever found it.
func (t *Txn) expire(p *place, db int, key []byte) {
	t.ks.remove(p.st, p.tb, db, p.at, p.slot, key)
	p.slot = dict.Slot{Home: p.tb.dict.Home(p.at)}
	t.ks.Stats.Expired.Add(1)
	if len(p.st.waiters) > 0 {
		t.wake(p.st, db, key)
	}
	if t.Deleted != nil {
		t.Deleted(db, key)
	}
}

// touch moves the access clock of a record.
func (t *Txn) touch(rec record.Record) {
	if rec.HasClock() && !t.NoTouch {
		rec.SetClock(t.ks.accessed(rec.Clock(), t.Now))
	}
}

// Read looks a key up for reading. It counts a hit or a miss and is an access.
func (t *Txn) Read(key []byte) (Value, bool) {
	p, ok := t.live(t.DB, key)
	if !ok {
		t.Misses++
		return Value{}, false
	}
	t.Hits++
	rec := p.rec()
	t.touch(rec)
	return Value{Record: rec, st: p.st, ref: p.slot.Ref()}, true
}

// Peek looks a key up without counting or accessing.
func (t *Txn) Peek(key []byte) (Value, bool) { return t.PeekIn(t.DB, key) }

// PeekIn is Peek in another database.
func (t *Txn) PeekIn(db int, key []byte) (Value, bool) {
	p, ok := t.live(db, key)
	if !ok {
		return Value{}, false
	}
	return Value{Record: p.rec(), st: p.st, ref: p.slot.Ref()}, true
}

// Exists says whether a key is there, without an access.
func (t *Txn) Exists(key []byte) bool {
	_, ok := t.live(t.DB, key)
	return ok
}

// before must be called with the home bucket of a key before it or its record changes.
func (st *stripe) before(tb *table, home *dict.Bucket) {
	if st.snap != nil && home != nil && home.Version() != st.snap.epoch {
		st.snap.save(st, tb, home)
	}
}

// changed must be called after a key changed.
func (t *Txn) changed(st *stripe, db int, key []byte) {
	t.dirty++
	if len(st.watches) > 0 {
		st.signal(db, key)
	}
	if len(st.waiters) > 0 {
		t.wake(st, db, key)
	}
}

// Delete removes a key. It returns false if it was not there.
func (t *Txn) Delete(key []byte) bool {
	p, ok := t.live(t.DB, key)
	if !ok {
		return false
	}
	t.ks.remove(p.st, p.tb, t.DB, p.at, p.slot, key)
	t.changed(p.st, t.DB, key)
	return true
}

// remove takes a record out of its table and frees it.
func (ks *Keyspace) remove(st *stripe, tb *table, db int, at uint64, s dict.Slot, key []byte) {
	st.free(st.heap, ks.unlink(st, tb, db, at, s, key))
}

// unlink takes a record out of its table.
func (ks *Keyspace) unlink(st *stripe, tb *table, db int, at uint64, s dict.Slot, key []byte) mem.Ref {
	st.before(tb, s.Home)
	ref := s.Ref()
	if record.At(st.heap.arena, ref).HasExpiry() {
		tb.expires--
	}
	if len(st.watches) > 0 {
		st.gone(db, key)
	}
	tb.dict.Delete(at, s)
	return ref
}

// insert puts a block in the place of a key: over its old record, or as a new one. If there
// is no memory, the block is freed.
func (t *Txn) insert(p *place, ref mem.Ref, expiry int64) error {
	if !p.link(ref, expiry) {
		p.st.free(p.st.heap, ref)
		return resp.ErrOOM
	}
	return nil
}

// link is insert, but that the block is not freed.
func (p *place) link(ref mem.Ref, expiry int64) bool {
	if p.found() {
		old := p.slot.Ref()
		had := record.At(p.st.heap.arena, old).HasExpiry()
		p.slot.SetRef(ref)
		p.st.free(p.st.heap, old)
		p.tb.count(had, expiry >= 0)
		p.note(expiry, record.At(p.st.heap.arena, ref).Size())
		return true
	}
	if !p.tb.dict.Insert(p.at, ref) {
		return false
	}
	p.tb.count(false, expiry >= 0)
	if size := record.At(p.st.heap.arena, ref).Size(); expiry >= 0 || size >= Big {
		p.slot.Home = p.tb.dict.Home(p.at)
		p.note(expiry, size)
	}
	return true
}

func (tb *table) count(had, has bool) {
	if had != has {
		if has {
			tb.expires++
		} else {
			tb.expires--
		}
	}
}

// note leaves the hints of a record in its home bucket.
func (p *place) note(expiry int64, size int) {
	if expiry >= 0 {
		p.slot.Home.SetTTL(sooner(p.slot.Home.TTL(), hintOf(expiry, p.st.tick()), p.st.tick()))
	}
	if size >= Big {
		p.slot.Home.SetBig()
	}
}

// prepare makes the table exist and saves the bucket for a snapshot; called before a
// change at p.
func (t *Txn) prepare(p *place, db int) {
	if p.tb == nil {
		p.tb = p.st.table(t.ks, db)
	}
	p.st.before(p.tb, p.slot.Home)
}
