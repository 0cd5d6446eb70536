package keyspace

import (
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// AddInt adds to the integer at key, whose expiry stays; a missing key counts from 0.
// If the sum is out of range, ok is false and nothing changes.
//
// It is PeekString and SetInt with one lookup, as long as the sum takes as many bytes
// as the number before it.
func (t *Txn) AddInt(key []byte, by int64) (sum int64, ok bool, err error) {
	p, found := t.live(t.DB, key)
	old := int64(0)
	if found {
		rec := p.rec()
		if rec.Type() != record.String {
			return 0, false, resp.ErrWrongType
		}
		if rec.IsInt() {
			old = rec.Int()
		} else if old, ok = numtext.ParseInt(rec.Bytes()); !ok {
			return 0, false, resp.ErrNotInteger
		}
	}
	sum = old + by
	if (by > 0) != (sum > old) && by != 0 {
		return 0, false, nil
	}
	if !found || !p.rec().IsInt() || p.rec().Encoding() != record.IntEncoding(sum) {
		return sum, true, t.SetInt(key, sum, KeepTTL)
	}
	t.prepare(&p, t.DB)
	rec := p.rec()
	t.touch(rec)
	rec.SetInt(sum)
	t.changed(p.st, t.DB, key)
	return sum, true, nil
}
