package exec

import (
	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/mem"
)

// A seeker is the memory for prefetching a window.
type seeker struct {
	lines []uintptr
	items []seek
}

type seek struct {
	table     *dict.Dict
	bucket    *dict.Bucket
	placement uint64
}

// prefetch begins the cache misses of a window: first those of all buckets, then, when
// they have come, those of all records in them that may be the keys'. They overlap, so
// a window costs little more time than one request's two misses.
func (x *Executor) prefetch(w []request) {
	k := &x.seek
	k.items, k.lines = k.items[:0], k.lines[:0]
	for i := range w {
		r := &w[i]
		db := x.feeds[r.feed].s.DB
		if r.keys {
			x.seekOne(db, r.placement)
		}
		for _, p := range r.places {
			x.seekOne(db, p)
		}
	}
	mem.PrefetchLines(k.lines)
	k.lines = k.lines[:0]
	for i := range k.items {
		it := &k.items[i]
		k.lines = it.table.AppendCandidates(k.lines, it.bucket, it.placement)
	}
	mem.Prefetch(k.lines)
}

func (x *Executor) seekOne(db int, placement uint64) {
	table, bucket := x.txn.Seek(db, placement)
	if bucket == nil {
		return
	}
	x.seek.items = append(x.seek.items, seek{table, bucket, placement})
	x.seek.lines = append(x.seek.lines, bucket.Address())
}
