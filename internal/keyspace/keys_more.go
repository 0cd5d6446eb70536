package keyspace

import (
	"github.com/spineldb/spinel/internal/ds/record"
)

// What the commands about keys as such need, beside reading and changing values.

// AllStripes is the set of stripes of commands that may use any key.
const AllStripes uint64 = allStripes

// Tuning is what options change at run time.
func (t *Txn) Tuning() *Tuning { return &t.ks.Tuning }

// Databases is their number.
func (t *Txn) Databases() int { return t.ks.dbs }

// Cluster says whether keys are ordered by slot, which leaves one database.
func (t *Txn) Cluster() bool { return t.ks.cluster }

// # Access clocks that come late
//
// A record has an access clock if accesses were tracked when it was written. So a key
// that was written before has none, and nothing is known of its use. Such a key counts
// as unused since the server began; whoever asks about it or accesses it by Access
// gives it a clock, and from then on what is said of it is exact.

// Access notes an access to a key whose value is not read, as TOUCH and EXPIRE are. It
// returns false if the key is not there.
func (t *Txn) Access(key []byte) bool {
	p, ok := t.live(t.DB, key)
	if !ok {
		return false
	}
	if rec := p.rec(); rec.HasClock() {
		t.touch(rec)
	} else if t.ks.Tuning.TrackClock.Load() && !t.NoTouch {
		t.giveClock(&p, t.ks.fresh(t.Now))
	}
	return true
}

// IdleTime is for how many seconds a key was not used. It makes the keyspace track
// accesses, if it did not before.
func (t *Txn) IdleTime(key []byte) (seconds int64, ok bool) {
	p, ok := t.live(t.DB, key)
	if !ok {
		return 0, false
	}
	if rec := p.rec(); rec.HasClock() {
		return Idle(rec.Clock(), t.Now), true
	}
	t.ks.Tuning.TrackClock.Store(true)
	idle := min(t.ks.clock.Mono()/1e9, IdleMax) // clocks begin to count with the server
	t.giveClock(&p, uint32(int64(t.Now)/1000-idle)&clockMask)
	return idle, true
}

// IdleMax is the longest idle time in seconds that an access clock can tell, 194 days.
const IdleMax = clockMask - 1

// AccessFrequency is the access counter of a key under an LFU policy; that of a new
// key if its accesses were not tracked until now.
func (t *Txn) AccessFrequency(key []byte) (n int64, ok bool) {
	p, ok := t.live(t.DB, key)
	if !ok {
		return 0, false
	}
	if rec := p.rec(); rec.HasClock() {
		return int64(t.ks.decayed(rec.Clock(), t.Now)), true
	}
	t.giveClock(&p, t.ks.fresh(t.Now))
	return lfuInit, true
}

// giveClock rewrites a record with an access clock. The key has not changed in any
// other respect, so nobody is told. Without memory for it the record stays as it is.
func (t *Txn) giveClock(p *place, clock uint32) {
	t.prepare(p, t.DB)
	rec := p.rec()
	s := record.Shape{Key: rec.Key(), Type: rec.Type(), Expiry: rec.Expiry(), Clocks: true, Clock: clock}
	if ref, err := p.st.copyRecord(&s, rec, p.st.heap.arena); err == nil {
		p.replaceMoved(ref, s.Expiry)
	}
}
