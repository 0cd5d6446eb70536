package keyspace

import (
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/resp"
)

// Operations on whole databases.

// withAll runs fn with every stripe locked.
func (t *Txn) withAll(fn func()) {
	if t.LockedAll() {
		fn()
		return
	}
	t.LockAll()
	fn()
	t.Unlock()
}

// Size is the number of keys of a database, those whose time has come and who are not
// yet removed included.
func (t *Txn) Size(db int) (n int64) {
	t.withAll(func() {
		for i := range t.ks.stripes {
			if tb := t.ks.stripes[i].dbs[db]; tb != nil {
				n += int64(tb.dict.Len())
			}
		}
	})
	return n
}

// cursorShift leaves 53 bits of a placement for a SCAN cursor, which fit a double:
// some clients keep cursors in one. They name every bucket of a table of up to 10^11
// keys.
const cursorShift = 11

// Scan calls fn for the keys of whole buckets, beginning at a cursor, until at least
// count keys were seen, and returns the next cursor, 0 at the end. Every key that is
// there all the time between cursor 0 and cursor 0 is seen at least once.
func (t *Txn) Scan(db int, cursor uint64, count int, fn func(key []byte, v Value)) (next uint64) {
	at, more := cursor<<cursorShift, true
	for seen := 0; more && seen < count; {
		st := &t.ks.stripes[stripeOf(at)]
		all := t.LockedAll()
		if !all {
			t.LockOne(at)
		}
		for more && seen < count {
			var n int
			n, at, more = t.scanBucket(st, db, at, fn)
			for _, ref := range st.refs {
				t.dead(st, db, record.At(st.heap.arena, ref)) // and removed, as by Redis's SCAN
			}
			seen += max(n, 1) // empty buckets cost time too
		}
		if !all {
			t.Unlock()
		}
		if !more {
			more = st.index+1 < Stripes
			at = uint64(st.index+1) << stripeShift
		}
	}
	if !more {
		return 0
	}
	return at >> cursorShift
}

func (t *Txn) scanBucket(
	st *stripe, db int, at uint64, fn func([]byte, Value),
) (n int, next uint64, more bool) {
	st.refs = st.refs[:0]
	tb := st.dbs[db]
	if tb == nil {
		return 0, 0, false
	}
	b, next, more := tb.dict.At(at)
	if b == nil {
		return 0, 0, false
	}
	refs := tb.dict.AppendRefs(st.refs, b)
	st.refs = refs
	for _, ref := range refs {
		rec := record.At(st.heap.arena, ref)
		if rec.HasExpiry() && t.expired(rec) {
			continue
		}
		fn(rec.Key(), Value{Record: rec, st: st, ref: ref})
	}
	return len(refs), next, more
}

// Each calls fn for every key of a database, with every stripe locked, so that what it
// sees is one moment. fn returns false to stop.
func (t *Txn) Each(db int, fn func(key []byte, v Value) bool) {
	t.withAll(func() {
		for i := range t.ks.stripes {
			st := &t.ks.stripes[i]
			at, more := uint64(i)<<stripeShift, true
			stop := false
			for more && !stop {
				_, at, more = t.scanBucket(st, db, at, func(key []byte, v Value) {
					stop = stop || !fn(key, v)
				})
			}
			if stop {
				return
			}
		}
	})
}

// randomTries bounds how many keys whose time has come RANDOMKEY passes over.
const randomTries = 100

// Random returns a copy of a key of a database, each being equally likely.
func (t *Txn) Random(db int) (key []byte, ok bool) {
	t.withAll(func() {
		for range randomTries {
			total := int64(0)
			for i := range t.ks.stripes {
				if tb := t.ks.stripes[i].dbs[db]; tb != nil {
					total += int64(tb.dict.Len())
				}
			}
			if total == 0 {
				return
			}
			k := rand.Int64N(total)
			for i := range t.ks.stripes {
				st := &t.ks.stripes[i]
				tb := st.dbs[db]
				if tb == nil {
					continue
				}
				if k -= int64(tb.dict.Len()); k >= 0 {
					continue
				}
				slot, _ := tb.dict.Random(rand.Uint64)
				rec := record.At(st.heap.arena, slot.Ref())
				if !t.dead(st, db, rec) {
					key, ok = append([]byte(nil), rec.Key()...), true
					return
				}
				break // and draw again
			}
		}
	})
	return key, ok
}

// FlushAll removes every key of every database, and returns how many there were. It is
// called in exclusive mode. Arenas are replaced, so it takes microseconds; the memory
// is given back by the returned function, which is to be called outside.
func (ks *Keyspace) FlushAll() (removed int64, release func(), err error) {
	fresh := make([]*heap, Stripes)
	for i := range fresh {
		if fresh[i], err = ks.newHeap(); err != nil {
			for _, h := range fresh[:i] {
				h.arena.Release()
			}
			return 0, nil, resp.ErrOOM
		}
	}
	ks.AbortSnapshot()
	var old []*heap
	for i := range ks.stripes {
		st := &ks.stripes[i]
		for db, tb := range st.dbs {
			if tb != nil {
				removed += int64(tb.dict.Len())
				st.signalFlushed(db, tb)
				st.dbs[db] = nil
				st.shown[db].Store(nil)
			}
		}
		old = st.renew(fresh[i], old)
	}
	return removed, func() { releaseAll(old) }, nil
}

// renew gives a stripe without tables another heap, and appends the old one to a list if
// nobody needs it any more.
func (st *stripe) renew(fresh *heap, old []*heap) []*heap {
	st.ks.Stats.LazyFreePending.Add(-st.forget())
	if len(st.heap.pins) > 0 || len(st.heap.frozen) > 0 {
		st.heap.dead = true
	} else {
		old = append(old, st.heap)
	}
	st.heap = fresh
	st.sweep, st.refs = sweepCursor{}, nil
	return old
}

func releaseAll(old []*heap) {
	for _, h := range old {
		h.arena.Release()
	}
}

// forget drops the detached tables, whose arena goes as a whole.
func (st *stripe) forget() (records int64) {
	for _, tb := range st.lazy {
		records += int64(tb.dict.Len())
	}
	st.lazy = nil
	records += int64(len(st.husks))
	st.ks.husks.Add(-int64(len(st.husks)))
	st.husks = nil
	return records
}

// FlushDB removes every key of one database, and returns how many there were. It is
// called in exclusive mode. The tables are detached; LazyFree frees them in pieces.
func (ks *Keyspace) FlushDB(db int) (removed int64) {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		tb := st.dbs[db]
		if tb == nil {
			continue
		}
		st.signalFlushed(db, tb)
		removed += int64(tb.dict.Len())
		tb.gone = true
		st.lazy = append(st.lazy, tb)
		st.dbs[db] = nil
		st.shown[db].Store(nil)
	}
	ks.Stats.LazyFreePending.Add(removed)
	return removed
}

// lazyBatch is how many records are freed under one lock: some 50 us.
const lazyBatch = 1000

// LazyFree frees some of what was detached in one stripe after another, and returns
// false when nothing is left.
func (ks *Keyspace) LazyFree() (more bool) {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		if n := len(st.lazy); n > 0 {
			tb := st.lazy[n-1]
			before := tb.dict.Len()
			left := tb.dict.ClearSome(func(ref mem.Ref) { st.free(tb.heap, ref) }, lazyBatch)
			ks.Stats.LazyFreed.Add(int64(before - left))
			ks.Stats.LazyFreePending.Add(int64(left - before))
			if left == 0 {
				st.lazy = st.lazy[:n-1]
			}
			more = more || len(st.lazy) > 0
			ks.used.Add(st.settle())
		}
		if len(st.husks) > 0 {
			more = st.freeHusks(huskLeaves) || more
			ks.used.Add(st.settle())
		}
		if n := len(st.thawing); n > 0 {
			if st.thawing[n-1].thaw(thawLeaves) {
				st.thawing[n-1] = nil
				st.thawing = st.thawing[:n-1]
			}
			more = more || len(st.thawing) > 0
			ks.used.Add(st.settle())
		}
		st.mu.Unlock()
	}
	return more
}

// SwapDB exchanges two databases. It is called in exclusive mode.
func (ks *Keyspace) SwapDB(a, b int) {
	now := int64(clock.Now(ks.clock))
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.signalSwapped(a, st.dbs[a], st.dbs[b], now)
		st.signalSwapped(b, st.dbs[b], st.dbs[a], now)
		st.dbs[a], st.dbs[b] = st.dbs[b], st.dbs[a]
		st.shown[a].Store(st.dbs[a])
		st.shown[b].Store(st.dbs[b])
	}
}
