package keyspace

import (
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// # Expiry without an index
//
// A bucket has one byte for all its records' expiries: the tick (1.024 s, modulo 255,
// plus one) in which somebody should look at it next, 0 if nothing in it expires. A
// sweep walks the buckets' bytes in order, a few nanoseconds each, and reads only
// records of buckets that are due. An expiry beyond the horizon puts the bucket off by
// the horizon, so a key that lives for an hour is looked at some twenty times.
const (
	tickShift = 10 // milliseconds to ticks
	tickRing  = 255
	horizon   = 180 // ticks
	overdue   = 225 // a distance from here on lies in the past
)

// hintOf is the byte for an expiry, seen from tick now.
func hintOf(expiry int64, now int64) uint8 {
	at := expiry >> tickShift
	at = min(max(at, now), now+horizon)
	return uint8(at%tickRing) + 1
}

// distance is the number of ticks from now until a hint is due; 0 or less: it is.
func distance(hint uint8, now int64) int {
	d := (int(hint) - 1 - int(now%tickRing) + tickRing) % tickRing
	if d >= overdue {
		d -= tickRing
	}
	return d
}

// sooner is the hint of two that is due first; 0 is never due.
func sooner(a, b uint8, now int64) uint8 {
	switch {
	case a == 0:
		return b
	case b == 0 || distance(a, now) <= distance(b, now):
		return a
	default:
		return b
	}
}

func (st *stripe) tick() int64 { return st.ks.now.Load() >> tickShift }

// SetNow tells the keyspace the time, some times a second.
func (ks *Keyspace) SetNow(now clock.Millis) { ks.now.Store(int64(now)) }

// hinter recomputes the hint of a bucket from its records.
func (st *stripe) hinter(tb *table) func(*dict.Bucket) {
	return func(b *dict.Bucket) {
		hint, now := uint8(0), st.tick()
		tb.dict.Each(b, func(s dict.Slot) bool {
			rec := record.At(tb.heap.arena, s.Ref())
			if rec.HasExpiry() {
				hint = sooner(hint, hintOf(rec.Expiry(), now), now)
			}
			if at := value.FieldExpiry(rec); at >= 0 {
				hint = sooner(hint, hintOf(at, now), now)
			}
			return true
		})
		b.SetTTL(hint)
	}
}

// Expiry is when a key expires, in milliseconds since the epoch; NoTTL if it does not.
func (t *Txn) Expiry(key []byte) (at int64, ok bool) {
	v, ok := t.Peek(key)
	if !ok {
		return 0, false
	}
	return v.Expiry(), true
}

// SetExpiry makes a key expire at a time, or never with NoTTL. It returns false if the
// key is not there.
func (t *Txn) SetExpiry(key []byte, at int64) (bool, error) {
	p, ok := t.live(t.DB, key)
	if !ok {
		return false, nil
	}
	t.prepare(&p, t.DB)
	rec := p.rec()
	if rec.HasExpiry() && at >= 0 {
		rec.SetExpiry(at)
		p.note(at, 0)
		t.changed(p.st, t.DB, key)
		return true, nil
	}
	if rec.HasExpiry() == (at >= 0) {
		return true, nil
	}
	if err := t.reshape(&p, at); err != nil {
		return false, err
	}
	t.changed(p.st, t.DB, key)
	return true, nil
}

// reshape rewrites a record with another expiry.
func (t *Txn) reshape(p *place, expiry int64) error {
	rec := p.rec()
	s := record.Shape{
		Key: rec.Key(), Type: rec.Type(), Expiry: expiry,
		Clocks: rec.HasClock(), Clock: rec.Clock(),
	}
	ref, err := p.st.copyRecord(&s, rec, p.st.heap.arena)
	if err != nil {
		return err
	}
	p.replaceMoved(ref, expiry)
	return nil
}

// copyRecord makes a record of another shape with the same value.
func (st *stripe) copyRecord(s *record.Shape, rec record.Record, to *mem.Arena) (mem.Ref, error) {
	if rec.IsInt() {
		ref := to.Alloc(s.SizeInt(rec.Int()))
		if ref == 0 {
			return 0, resp.ErrOOM
		}
		s.WriteInt(to, ref, rec.Int())
		return ref, nil
	}
	b := rec.Bytes()
	ref := to.Alloc(s.SizeBytes(len(b)))
	if ref == 0 {
		return 0, resp.ErrOOM
	}
	copy(s.WriteBytes(to, ref, rec.Encoding(), len(b)), b)
	return ref, nil
}

// A sweepCursor is how far a sweep has come in a stripe.
type sweepCursor struct {
	db int
	at uint64
}

// sweepBuckets bounds the buckets looked at under one lock: about 20 us when nothing
// is due.
const sweepBuckets = 256

// sweepRecords bounds the records looked at under one lock.
const sweepRecords = 200

// Sweep removes keys whose time has come, for at most the given time, and returns
// whether a whole pass over all databases was finished. It is called by one goroutine.
func (ks *Keyspace) Sweep(budget time.Duration) (whole bool) {
	start := ks.clock.Mono()
	for ; ks.sweepStripe < Stripes; ks.sweepStripe++ {
		for {
			done := ks.sweepSome(&ks.stripes[ks.sweepStripe])
			if ks.clock.Mono()-start > int64(budget) {
				if done {
					ks.sweepStripe++
				}
				ks.Stats.ExpiredTimeCap.Add(1)
				return false
			}
			if done {
				break
			}
		}
	}
	ks.sweepStripe = 0
	return true
}

// sweepSome looks at the next buckets of a stripe. It returns true when it has been
// through all databases.
func (ks *Keyspace) sweepSome(st *stripe) (done bool) {
	st.mu.Lock()
	defer func() {
		ks.used.Add(st.settle())
		st.mu.Unlock()
	}()
	now := clock.Now(ks.clock)
	c := &st.sweep
	if c.at == 0 {
		c.at = uint64(st.index) << stripeShift
	}
	for c.db < len(st.dbs) && !st.dbs[c.db].mayExpire() {
		c.db, c.at = c.db+1, uint64(st.index)<<stripeShift
	}
	if c.db >= len(st.dbs) {
		c.db, c.at = 0, uint64(st.index)<<stripeShift
		return true
	}
	tb := st.dbs[c.db]
	looked := 0
	for range sweepBuckets {
		b, next, more := tb.dict.At(c.at)
		if b != nil && b.TTL() != 0 && distance(b.TTL(), st.tick()) <= 0 {
			n, again := ks.sweepBucket(st, tb, c.db, c.at, b, now)
			if again {
				break
			}
			looked += n
		}
		if !more {
			c.db, c.at = c.db+1, uint64(st.index)<<stripeShift
			break
		}
		c.at = next
		if looked > sweepRecords {
			break
		}
	}
	return false
}

// sweepBucket removes the dead of one bucket. Removing may rebuild the segment, so it
// begins anew after each. It is to be called again if a hash has more fields to remove.
func (ks *Keyspace) sweepBucket(
	st *stripe, tb *table, db int, at uint64, b *dict.Bucket, now clock.Millis,
) (looked int, again bool) {
	refs := tb.dict.AppendRefs(st.refs[:0], b)
	st.refs = refs
	for _, ref := range refs {
		rec := record.At(st.heap.arena, ref)
		looked++
		if ks.keepsDead() {
			continue
		}
		if !rec.HasExpiry() || rec.Expiry() > int64(now) {
			first := value.FieldExpiry(rec)
			if first >= 0 && first <= int64(now) && !st.isKept(db, rec.Key()) {
				again = ks.sweepFields(st, tb, db, rec, now) || again
			}
			continue
		}
		ks.bury(st, db, rec)
	}
	if b, _, _ := tb.dict.At(at); b != nil {
		tb.dict.Hint(b)
	}
	return looked, again
}

// ExpireKey removes a key if its time has come, also while a master says when keys go: one that
// is nobody else's. It says whether the key is still to expire.
func (ks *Keyspace) ExpireKey(db int, key []byte) (pending bool) {
	p := ks.Placement(key)
	st := &ks.stripes[stripeOf(p)]
	st.mu.Lock()
	defer func() {
		ks.used.Add(st.settle())
		st.mu.Unlock()
	}()
	s := st.at(st.dbs[db], string(key))
	if !s.Found() {
		return false
	}
	rec := record.At(st.heap.arena, s.Ref())
	if !rec.HasExpiry() {
		return false
	}
	if rec.Expiry() > int64(clock.Now(ks.clock)) || st.isKept(db, key) {
		return true
	}
	ks.bury(st, db, rec)
	return false
}

// dead says whether the time of a key that no command uses has come. Such a key is removed,
// unless nothing may expire.
func (t *Txn) dead(st *stripe, db int, rec record.Record) bool {
	if !rec.HasExpiry() || !t.expired(rec) {
		return false
	}
	if !t.ks.keepsDead() {
		t.ks.bury(st, db, rec)
	}
	return true
}

// bury removes a key whose time has come and that no command uses, and journals that at once:
// its stripe is locked, so nobody can journal something about that key before.
func (ks *Keyspace) bury(st *stripe, db int, rec record.Record) {
	key, tb := rec.Key(), st.dbs[db]
	if ks.Expired != nil {
		ks.Expired(db, key)
	}
	ks.goes(st, db, rec)
	at := ks.Placement(key)
	ks.remove(st, tb, db, at, tb.dict.Find(at, key), key)
	ks.Stats.Expired.Add(1)
}
