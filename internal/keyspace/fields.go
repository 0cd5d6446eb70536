package keyspace

import (
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/value"
)

// # Fields that expire
//
// The fields of a hash may expire one by one. Readers do not see those whose time has
// come; writers remove the ones that they meet, and the sweep removes the rest: a bucket's
// hint covers the first expiry in its hashes. A hash may have ten million fields that are
// due, so the sweep takes some leaves of it under one lock, and stays at its bucket until
// none is left.

// sweepLeaves bounds the leaves of a hash in which fields are looked at under one lock:
// some 50 us if all of them are due.
const sweepLeaves = 16

// sweepFields removes fields of a hash whose time has come, and the hash with the last of
// them. It says whether more are left.
func (ks *Keyspace) sweepFields(
	st *stripe, tb *table, db int, rec record.Record, now clock.Millis,
) (more bool) {
	st.text = append(st.text[:0], rec.Key()...) // the record may move
	key := st.text
	at := ks.Placement(key)
	s := tb.dict.Find(at, key)
	st.before(tb, s.Home)
	var h value.Hash
	h.Open(value.NewCell(ks.values, st.heap.arena, tb.dict, at, s), int64(now))
	removed := 0
	done, err := h.ExpireSome(sweepLeaves, func(field []byte) {
		removed++
		if ks.FieldExpired != nil {
			ks.FieldExpired(db, key, field)
		}
	})
	if removed == 0 {
		return !done && err == nil
	}
	ks.Stats.ExpiredFields.Add(int64(removed))
	if h.Len() == 0 {
		ks.remove(st, tb, db, at, tb.dict.Find(at, key), key)
		return false
	}
	if len(st.watches) > 0 {
		st.signal(db, key)
	}
	return !done && err == nil
}

// CountFieldsExpired counts fields that a command has removed because their time had come.
func (t *Txn) CountFieldsExpired(n int) {
	if n > 0 {
		t.ks.Stats.ExpiredFields.Add(int64(n))
	}
}
