package keyspace

import (
	"sync/atomic"

	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/value"
)

// A Snapshot is the keyspace as it was at one moment, the cut, read while it changes.
//
// Every bucket has a version. The cut gives all tables a new version for buckets made
// from then on; a bucket of an older version has not changed since the cut and has not
// been saved. Whoever is about to change such a bucket saves it first, all records of
// it, and stamps it; the walk (Step) does the same to the rest. So every record is
// saved once, as it was at the cut.
//
// Big records are not copied: the one who saves a bucket lends them instead.
type Snapshot struct {
	ks    *Keyspace
	epoch uint16
	// Save takes one record, under the lock of its stripe; it must not wait.
	Save func(stripe, db int, v Value)

	aborted atomic.Bool
	cuts    [Stripes]stripeCut
	Sizes   []Info // of every database at the cut
	Fields  bool   // there may be hashes with fields that expire
	Saved   atomic.Int64
}

// A stripeCut is how far the walk has come in a stripe.
type stripeCut struct {
	tables []*table
	next   int
	at     uint64
	begun  bool
}

// BeginSnapshot makes the cut. It is called in exclusive mode, with no snapshot
// running.
func (ks *Keyspace) BeginSnapshot(save func(stripe, db int, v Value)) *Snapshot {
	ks.version++
	s := &Snapshot{ks: ks, epoch: ks.version, Save: save, Sizes: make([]Info, ks.dbs)}
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.snap = s
		for db, tb := range st.dbs {
			if tb == nil {
				continue
			}
			tb.snapDB = db
			tb.dict.Version = ks.version
			s.cuts[i].tables = append(s.cuts[i].tables, tb)
			s.Sizes[db].Keys += int64(tb.dict.Len())
			s.Sizes[db].Expires += int64(tb.expires)
			s.Fields = s.Fields || tb.fields
		}
	}
	ks.snapshot.Store(s)
	return s
}

// Snapshot is the running snapshot, or nil.
func (ks *Keyspace) Snapshot() *Snapshot { return ks.snapshot.Load() }

// AbortSnapshot ends a running snapshot without result. It is called in exclusive mode.
func (ks *Keyspace) AbortSnapshot() {
	if s := ks.snapshot.Load(); s != nil {
		s.aborted.Store(true)
		s.end()
	}
}

// Aborted says whether AbortSnapshot was called.
func (s *Snapshot) Aborted() bool { return s.aborted.Load() }

// End forgets the snapshot. It is called in exclusive mode.
func (s *Snapshot) End() {
	if s.ks.snapshot.Load() == s {
		s.end()
	}
}

func (s *Snapshot) end() {
	for i := range s.ks.stripes {
		s.ks.stripes[i].snap = nil
	}
	s.ks.snapshot.Store(nil)
}

// save gives all records of a bucket to the snapshot and stamps it.
func (s *Snapshot) save(st *stripe, tb *table, b *dict.Bucket) {
	b.Stamp(s.epoch)
	n := int64(0)
	tb.dict.Each(b, func(slot dict.Slot) bool {
		ref := slot.Ref()
		s.Save(st.index, tb.snapDB, Value{Record: record.At(tb.heap.arena, ref), st: st, ref: ref})
		n++
		return true
	})
	s.Saved.Add(n)
}

// Step walks up to max records of a stripe, under its lock, and returns whether the
// stripe is not finished. A table that a flush detached is finished when it is freed,
// since freeing saves.
func (s *Snapshot) Step(stripe, max int) (more bool) {
	st := &s.ks.stripes[stripe]
	st.mu.Lock()
	defer st.mu.Unlock()
	if s.aborted.Load() {
		return false
	}
	c := &s.cuts[stripe]
	if !c.begun {
		c.begun, c.at = true, uint64(stripe)<<stripeShift
	}
	for max > 0 && c.next < len(c.tables) {
		tb := c.tables[c.next]
		if tb.gone {
			if tb.dict.Len() > 0 {
				return true
			}
			c.next, c.at = c.next+1, uint64(stripe)<<stripeShift
			continue
		}
		b, next, more := tb.dict.At(c.at)
		if b != nil && b.Version() != s.epoch {
			s.save(st, tb, b)
			max -= dict.Places
		} else {
			max--
		}
		c.at = next
		if !more {
			c.next, c.at = c.next+1, uint64(stripe)<<stripeShift
		}
	}
	return c.next < len(c.tables)
}

// --- loading ---

// A Loader puts records into an empty keyspace, from several goroutines.
type Loader struct{ ks *Keyspace }

// NewLoader returns a loader.
func (ks *Keyspace) NewLoader() *Loader { return &Loader{ks} }

// An Item is a key to be loaded.
type Item struct {
	DB     int
	Key    []byte
	Value  []byte // the text of a string
	IsInt  bool   // the value is Int instead
	Int    int64
	Expiry int64
	Clock  uint32 // if the keyspace tracks accesses
}

// Placement is where the item belongs: callers sort by stripe to lock rarely.
func (l *Loader) Placement(it *Item) uint64 { return l.ks.Placement(it.Key) }

// Build makes a key of another type than a string: fill puts elements into its value,
// which is empty at first. It returns IsDuplicate for a key that is there already, or what
// fill returned.
func (l *Loader) Build(placement uint64, it *Item, typ record.Type, fill func(c *value.Cell) error) error {
	return l.locked(placement, func(t *Txn, st *stripe) error {
		tb := st.table(l.ks, it.DB)
		if tb.dict.Find(placement, it.Key).Found() {
			return errDuplicate
		}
		t.Hint(it.Key, placement)
		c, err := t.Fresh(it.DB, it.Key, typ, it.Expiry)
		if err != nil {
			return errNoMemory
		}
		if rec := c.Record(); rec.HasClock() {
			rec.SetClock(it.Clock)
		}
		return l.fill(t, it, &c, fill)
	})
}

// BuildMore goes on with a key that Build has made.
func (l *Loader) BuildMore(
	placement uint64, it *Item, typ record.Type, fill func(c *value.Cell) error,
) error {
	return l.locked(placement, func(t *Txn, _ *stripe) error {
		t.Hint(it.Key, placement)
		c, ok, err := t.EditIn(it.DB, it.Key, typ)
		if err != nil || !ok {
			return errNoMemory // its only elements were refused
		}
		return l.fill(t, it, &c, fill)
	})
}

func (l *Loader) locked(placement uint64, fn func(t *Txn, st *stripe) error) error {
	st := &l.ks.stripes[stripeOf(placement)]
	t := l.ks.NewTxn()
	t.LockOne(placement)
	defer func() {
		t.Unlock()
		t.Report()
	}()
	return fn(t, st)
}

func (l *Loader) fill(t *Txn, it *Item, c *value.Cell, fill func(c *value.Cell) error) error {
	err := fill(c)
	if err == mem.ErrExhausted {
		err = errNoMemory
	}
	t.EditedIn(it.DB, it.Key, c, 0)
	return err
}

// Add stores items that belong to the same stripe. It returns false for the first one
// whose key is there already, and how many were stored.
func (l *Loader) Add(placements []uint64, items []Item) (n int, err error) {
	if len(items) == 0 {
		return 0, nil
	}
	st := &l.ks.stripes[stripeOf(placements[0])]
	st.mu.Lock()
	defer func() {
		l.ks.used.Add(st.settle())
		st.mu.Unlock()
	}()
	track := l.ks.Tuning.TrackClock.Load()
	for i := range items {
		it := &items[i]
		tb := st.table(l.ks, it.DB)
		slot := tb.dict.Find(placements[i], it.Key)
		if slot.Found() {
			return n, errDuplicate
		}
		s := record.Shape{Key: it.Key, Expiry: it.Expiry, Clocks: track, Clock: it.Clock}
		var ref mem.Ref
		if it.IsInt {
			if ref = st.heap.arena.Alloc(s.SizeInt(it.Int)); ref != 0 {
				s.WriteInt(st.heap.arena, ref, it.Int)
			}
		} else if ref = st.heap.arena.Alloc(s.SizeBytes(len(it.Value))); ref != 0 {
			copy(s.WriteBytes(st.heap.arena, ref, record.Bytes, len(it.Value)), it.Value)
		}
		if ref == 0 {
			return n, errNoMemory
		}
		st.before(tb, slot.Home)
		p := place{st: st, tb: tb, at: placements[i], slot: slot}
		if err := (&Txn{ks: l.ks}).insert(&p, ref, it.Expiry); err != nil {
			return n, errNoMemory
		}
		n++
	}
	return n, nil
}
