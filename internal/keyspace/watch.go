package keyspace

import (
	"sync/atomic"

	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/record"
)

// A Watch is what WATCH leaves at keys: the first change of any of them sets it off.
// It belongs to one connection.
type Watch struct {
	fired atomic.Bool
	keys  []watchedKey
	set   uint64 // stripes of the keys
}

type watchedKey struct {
	db  int
	key string
}

// A watcher is a Watch at one key. A key whose time has come counts as not there,
// although its record may be, which only SWAPDB brings about: stale says so, until the
// record goes.
type watcher struct {
	*Watch
	stale bool
}

// Fired says whether a watched key has changed.
func (w *Watch) Fired() bool { return w.fired.Load() }

// Stripes is the set of stripes that must be locked for Watching and Unwatch to see
// all of the keys.
func (w *Watch) Stripes() uint64 { return w.set }

// Len is the number of watched keys.
func (w *Watch) Len() int { return len(w.keys) }

// Watch adds keys of the current database to w, which may be nil. The keys' stripes
// are locked. A key whose time has come is removed first, so that its later removal is
// not taken for a change.
func (t *Txn) Watch(w *Watch, keys [][]byte) *Watch {
	if w == nil {
		w = &Watch{}
	}
	for _, key := range keys {
		p, _ := t.live(t.DB, key)
		k := watchedKey{t.DB, string(key)}
		if w.has(k) {
			continue
		}
		w.keys = append(w.keys, k)
		w.set |= 1 << p.st.index
		if p.st.watches == nil {
			p.st.watches = map[watchedKey][]watcher{}
		}
		p.st.watches[k] = append(p.st.watches[k], watcher{Watch: w})
	}
	return w
}

func (w *Watch) has(k watchedKey) bool {
	for _, old := range w.keys {
		if old == k {
			return true
		}
	}
	return false
}

// CheckWatch is called by EXEC with the watched keys' stripes locked: a key whose time
// has come since WATCH counts as changed.
func (t *Txn) CheckWatch(w *Watch) bool {
	for _, k := range w.keys {
		p := t.find(k.db, []byte(k.key))
		if p.found() && p.rec().HasExpiry() && t.expired(p.rec()) && !p.st.isStale(k, w) {
			return false
		}
	}
	return !w.Fired()
}

// Unwatch removes w from its keys, whose stripes it locks one after another. Nothing
// may be locked.
func (ks *Keyspace) Unwatch(w *Watch) {
	for _, k := range w.keys {
		st := &ks.stripes[stripeOf(ks.Placement([]byte(k.key)))]
		st.mu.Lock()
		st.unwatch(k, w)
		st.mu.Unlock()
	}
	w.keys, w.set = nil, 0
}

// UnwatchLocked is Unwatch while the Txn holds the watched keys' stripes.
func (t *Txn) UnwatchLocked(w *Watch) {
	for _, k := range w.keys {
		t.ks.stripes[stripeOf(t.ks.Placement([]byte(k.key)))].unwatch(k, w)
	}
	w.keys, w.set = nil, 0
}

func (st *stripe) unwatch(k watchedKey, w *Watch) {
	list := st.watches[k]
	for i := range list {
		if list[i].Watch == w {
			list[i] = list[len(list)-1]
			list[len(list)-1] = watcher{}
			list = list[:len(list)-1]
			break
		}
	}
	if len(list) == 0 {
		delete(st.watches, k)
	} else {
		st.watches[k] = list
	}
}

func (st *stripe) isStale(k watchedKey, w *Watch) bool {
	for _, at := range st.watches[k] {
		if at.Watch == w {
			return at.stale
		}
	}
	return false
}

// signal sets off the watches of a key.
func (st *stripe) signal(db int, key []byte) {
	for _, w := range st.watches[watchedKey{db, string(key)}] {
		w.fired.Store(true)
	}
}

// gone sets off the watches of a key whose record is removed, but not those for which it
// was not there before.
func (st *stripe) gone(db int, key []byte) {
	list := st.watches[watchedKey{db, string(key)}]
	for i := range list {
		if !list[i].stale {
			list[i].fired.Store(true)
		}
		list[i].stale = false
	}
}

// signalFlushed sets off the watches of all keys that a database has.
func (st *stripe) signalFlushed(db int, tb *table) {
	for k := range st.watches {
		if k.db == db && st.at(tb, k.key).Found() {
			st.gone(db, []byte(k.key))
		}
	}
}

// signalSwapped sets off the watches of all keys that a database has or will have. A
// record whose time has come is none, if there was none before.
func (st *stripe) signalSwapped(db int, old, fresh *table, now int64) {
	for k, list := range st.watches {
		if k.db != db {
			continue
		}
		had, has, stale := st.at(old, k.key).Found(), false, false
		if slot := st.at(fresh, k.key); slot.Found() {
			rec := record.At(fresh.heap.arena, slot.Ref())
			has, stale = true, rec.HasExpiry() && rec.Expiry() <= now
		}
		for i := range list {
			if (!had || list[i].stale) && (!has || stale) {
				list[i].stale = has
			} else if had || has {
				list[i].fired.Store(true)
			}
		}
	}
}

// at finds a key in a table, which may be nil.
func (st *stripe) at(tb *table, key string) (none dict.Slot) {
	if tb == nil {
		return none
	}
	return tb.dict.Find(st.ks.Placement([]byte(key)), []byte(key))
}
