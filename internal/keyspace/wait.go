package keyspace

import (
	"math/bits"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/record"
)

// # Waiting for keys
//
// A command that finds nothing to take leaves a Waiter at its keys. Whoever changes such
// a key notes it in its Txn, and its executor serves the waiters before it unlocks
// the key: in the order in which they came, by running each one's command again. So
// nobody else can take what they were waiting for.
//
// To serve may need stripes that are not locked (the destination of BLMOVE). They are
// tried for, out of order, without waiting for long; if one cannot be had the executor
// unlocks, locks all that is needed, and serves then.

// A Waiter is a client's wait for keys. It is made by the executor of the client and
// registered by Txn.Wait.
type Waiter struct {
	DB    int
	Keys  [][]byte
	Type  record.Type // of the keys that can serve it
	Extra uint64      // stripes that serving needs besides the key's
	Owner any         // the executor's

	state atomic.Uint32
	at    []watchedKey
}

// The states of a Waiter. Serving lasts as long as the command that is tried.
const (
	waiting uint32 = iota
	serving
	over
)

// Cancel ends the wait for another reason than being served. It returns ok = false if
// the wait is over already, and busy = true if somebody is just trying to serve it, after
// which the question is to be asked again.
func (w *Waiter) Cancel() (ok, busy bool) {
	if w.state.CompareAndSwap(waiting, over) {
		return true, false
	}
	return false, w.state.Load() == serving
}

// Over says whether the wait has ended.
func (w *Waiter) Over() bool { return w.state.Load() == over }

// A waitList is the waiters at one key, in order of arrival. Those whose wait is over are
// taken out when there are as many of them as others.
type waitList struct {
	waiters []*Waiter
	gone    int
	ready   bool // on a Txn's list of ready keys
}

// readyKey is a key that changed and that somebody waits for.
type readyKey struct {
	st   *stripe
	key  watchedKey
	list *waitList
}

// Wait registers a waiter at its keys, whose stripes are locked.
func (t *Txn) Wait(w *Waiter) {
	for _, key := range w.Keys {
		k := watchedKey{w.DB, string(key)}
		if w.has(k) {
			continue
		}
		w.at = append(w.at, k)
		st := &t.ks.stripes[stripeOf(t.placement(key))]
		if st.waiters == nil {
			st.waiters = map[watchedKey]*waitList{}
		}
		l := st.waiters[k]
		if l == nil {
			l = &waitList{}
			st.waiters[k] = l
		}
		l.waiters = append(l.waiters, w)
	}
	t.ks.waitingKeys.Add(int64(len(w.at)))
}

func (w *Waiter) has(k watchedKey) bool {
	for _, old := range w.at {
		if old == k {
			return true
		}
	}
	return false
}

// Forget takes a waiter whose wait is over away from its keys. Nothing may be locked.
func (ks *Keyspace) Forget(w *Waiter) {
	for _, k := range w.at {
		st := &ks.stripes[stripeOf(ks.Placement([]byte(k.key)))]
		st.mu.Lock()
		if l := st.waiters[k]; l != nil {
			if l.gone++; 2*l.gone >= len(l.waiters) {
				l.compact()
			}
			if len(l.waiters) == 0 {
				delete(st.waiters, k)
			}
		}
		st.mu.Unlock()
	}
	ks.waitingKeys.Add(-int64(len(w.at)))
	w.at = nil
}

func (l *waitList) compact() {
	kept := l.waiters[:0]
	for _, w := range l.waiters {
		if !w.Over() {
			kept = append(kept, w)
		}
	}
	clear(l.waiters[len(kept):])
	l.waiters, l.gone = kept, 0
}

// wake notes that a key changed for which somebody may wait.
func (t *Txn) wake(st *stripe, db int, key []byte) {
	l := st.waiters[watchedKey{db, string(key)}]
	if l != nil && !l.ready {
		l.ready = true
		t.ready = append(t.ready, readyKey{st, watchedKey{db, string(key)}, l})
	}
}

// WakeIn notes that those who wait for a key may be served, though it has not changed. Its
// stripe is locked.
func (t *Txn) WakeIn(db int, key []byte) { t.wake(&t.ks.stripes[stripeOf(t.placement(key))], db, key) }

// goes is called before a record is removed by nobody's command.
func (ks *Keyspace) goes(st *stripe, db int, rec record.Record) {
	if rec.Type() != record.Stream || len(st.waiters) == 0 || ks.StreamGone == nil {
		return
	}
	key := rec.Key()
	if st.waiters[watchedKey{db, string(key)}] != nil {
		ks.StreamGone(db, key)
	}
}

// HasReady says whether there are waiters to be served.
func (t *Txn) HasReady() bool { return len(t.ready) > 0 }

// Serve serves the waiters of keys that changed, under the locks of these keys: run
// tries a waiter's command for a key, and says whether the waiter has got a reply.
//
// It returns 0, or the set of stripes that must be locked, by itself, before Serve is
// called again.
func (t *Txn) Serve(now clock.Millis, run func(w *Waiter, key []byte) bool) (need uint64) {
	if missing := t.readyStripes() &^ t.locked; missing != 0 {
		return t.locked | missing // the keys changed in exclusive mode, which is over
	}
	for len(t.ready) > 0 {
		r := t.ready[0]
		if need = t.serve(r, now, run); need != 0 {
			return need | 1<<r.st.index | t.readyStripes()
		}
		t.ready = t.ready[1:]
	}
	t.ready = nil
	return 0
}

func (t *Txn) readyStripes() (set uint64) {
	for _, r := range t.ready {
		set |= 1 << r.st.index
	}
	return set
}

// serve serves the waiters of one key. They may be joined by others meanwhile, and the
// key may become ready again.
func (t *Txn) serve(r readyKey, now clock.Millis, run func(w *Waiter, key []byte) bool) (need uint64) {
	key := []byte(r.key.key)
	r.list.ready = false
	for _, w := range r.list.waiters {
		if w.Over() {
			continue
		}
		t.Begin(r.key.db, now)
		p := t.find(r.key.db, key)
		switch {
		case w.Type == record.Stream: // who waits in a group is told when the key goes
		case !p.found() || t.dead(r.st, r.key.db, p.rec()):
			return 0
		case p.rec().Type() != w.Type:
			continue
		}
		if missing := w.Extra &^ t.locked; missing != 0 && !t.tryLock(missing) {
			r.list.ready = true
			return t.locked | w.Extra
		}
		if !w.state.CompareAndSwap(waiting, serving) {
			continue
		}
		if run(w, key) {
			w.state.Store(over)
		} else {
			w.state.Store(waiting)
		}
	}
	return 0
}

// lockTries is how often a stripe is tried for. Stripes are held for some microseconds.
const lockTries = 200

// tryLock adds stripes to the locked ones without waiting for anybody who may wait for
// us. If it cannot have all, it has none.
func (t *Txn) tryLock(set uint64) bool {
	var got uint64
	for s := set; s != 0; s &= s - 1 {
		st := &t.ks.stripes[bits.TrailingZeros64(s)]
		locked := false
		for i := 0; i < lockTries && !locked; i++ {
			locked = st.mu.TryLock()
		}
		if !locked {
			for g := got; g != 0; g &= g - 1 {
				t.ks.stripes[bits.TrailingZeros64(g)].mu.Unlock()
			}
			return false
		}
		got |= 1 << st.index
	}
	t.locked |= got
	return true
}

// WaitingKeys is how many keys are waited for, counted once for each waiter.
func (ks *Keyspace) WaitingKeys() int64 { return ks.waitingKeys.Load() }

// WakeAll notes that any key of a database may have changed, as SWAPDB and FLUSHDB do to
// them. It is called in exclusive mode.
func (t *Txn) WakeAll(db int) {
	for i := range t.ks.stripes {
		st := &t.ks.stripes[i]
		for k := range st.waiters {
			if k.db == db {
				t.wake(st, db, []byte(k.key))
			}
		}
	}
}
