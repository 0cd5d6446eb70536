package keyspace

import "github.com/spineldb/spinel/internal/mem"

// What commands ask of the whole keyspace. A command may hold every stripe already, in
// exclusive mode or within a transaction, where the Keyspace's own methods would wait
// for themselves.

// Info counts the keys of every database, at one moment.
func (t *Txn) Info() []Info {
	out := make([]Info, t.ks.dbs)
	t.withAll(func() {
		for i := range t.ks.stripes {
			for db, tb := range t.ks.stripes[i].dbs {
				if tb != nil {
					out[db].Keys += int64(tb.dict.Len())
					out[db].Expires += int64(tb.expires)
				}
			}
		}
	})
	return out
}

// MemoryParts measures every stripe, at one moment.
func (t *Txn) MemoryParts() (m MemoryParts) {
	t.withAll(func() {
		for i := range t.ks.stripes {
			st := &t.ks.stripes[i]
			m.Live += st.heap.arena.Live()
			m.Held += st.heap.arena.Held()
			for _, tb := range st.dbs {
				if tb != nil {
					m.Tables += tb.dict.Bytes()
				}
			}
		}
	})
	return m
}

// TableBytes is the memory of a database's tables, without the keys and values.
func (t *Txn) TableBytes(db int) (n int64) {
	t.withAll(func() {
		for i := range t.ks.stripes {
			if tb := t.ks.stripes[i].dbs[db]; tb != nil {
				n += tb.dict.Bytes()
			}
		}
	})
	return n
}

// Trim gives up to max bytes of free memory of every stripe back to the system, and
// returns how many it gave.
func (t *Txn) Trim(max int64) (given int64) {
	t.withAll(func() {
		for i := range t.ks.stripes {
			given += t.ks.stripes[i].heap.arena.Trim(max)
		}
	})
	return given
}

// FreeDetached frees at once what FlushDB has detached, as a flush must that nobody
// wants to be done in the background. It takes some 50 ns a key, during which nobody
// else works.
func (t *Txn) FreeDetached() {
	t.withAll(func() {
		for i := range t.ks.stripes {
			st := &t.ks.stripes[i]
			for _, tb := range st.lazy {
				n := int64(tb.dict.Len())
				tb.dict.Clear(func(ref mem.Ref) { st.free(tb.heap, ref) })
				t.ks.Stats.LazyFreePending.Add(-n)
			}
			st.lazy = nil
			for st.freeHusks(huskLeaves) {
			}
		}
	})
}
