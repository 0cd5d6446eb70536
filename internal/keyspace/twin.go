package keyspace

import "github.com/spineldb/spinel/internal/clock"

// # Twins
//
// A replica that gets all of its master's data anew may load them while it serves the old
// ones. They go into a twin: an empty keyspace that places keys like ours. When they are
// whole ours takes them over: tables and arenas change their owner, and nothing is copied.

// Twin makes an empty keyspace to load data into, for TakeOver. What options have changed since
// then does not matter to it.
func (ks *Keyspace) Twin() (*Keyspace, error) {
	twin := &Keyspace{
		seed: ks.seed, cluster: ks.cluster, reserve: ks.reserve, dbs: ks.dbs, clock: ks.clock,
		scratches: ks.scratches, values: ks.values, place: ks.place, version: ks.version,
	}
	twin.now.Store(ks.now.Load())
	twin.Tuning.Policy.Store(ks.Tuning.Policy.Load())
	twin.Tuning.TrackClock.Store(ks.Tuning.TrackClock.Load())
	twin.Tuning.LFULogFactor.Store(ks.Tuning.LFULogFactor.Load())
	twin.Tuning.LFUDecayTime.Store(ks.Tuning.LFUDecayTime.Load())
	twin.Tuning.Follows.Store(true)
	if err := twin.makeStripes(); err != nil {
		return nil, err
	}
	return twin, nil
}

// TakeOver replaces all data by those of a twin, which nobody may use any more. It is called in
// exclusive mode; what it costs grows with databases and with who waits, not with keys. It
// returns how many keys were removed; the memory is given back by release, which is to be called
// outside.
func (ks *Keyspace) TakeOver(twin *Keyspace) (removed int64, release func()) {
	ks.AbortSnapshot()
	now := int64(clock.Now(ks.clock))
	var old []*heap
	for i := range ks.stripes {
		st, other := &ks.stripes[i], &twin.stripes[i]
		for db, fresh := range other.dbs {
			if tb := st.dbs[db]; tb != nil {
				removed += int64(tb.dict.Len())
			}
			st.signalSwapped(db, st.dbs[db], fresh, now)
			if fresh != nil {
				st.own(fresh)
			}
			st.dbs[db] = fresh
			st.shown[db].Store(fresh)
		}
		old = st.renew(other.heap, old)
		st.husks = other.husks
		ks.husks.Add(int64(len(st.husks)))
		other.heap, other.dbs, other.husks = nil, nil, nil
	}
	return removed, func() { releaseAll(old) }
}
