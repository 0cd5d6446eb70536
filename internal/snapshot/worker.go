package snapshot

import (
	"math/bits"

	"github.com/spineldb/spinel/internal/dump"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/rdb"
)

// A worker decodes batches and puts their records into the keyspace, those of each
// stripe together.
type worker struct {
	load  *load
	dec   rdb.Decoder
	obj   rdb.Pieces   // of a value that is no string
	build dump.Builder // and what becomes of it

	items []keyspace.Item // decoded, in the order of the file
	at    []uint64        // their placements
	from  []int           // which record of the batch each came from
	copy  []byte          // keys and values that are not in the batch as they are

	sorted   []keyspace.Item // the same, by stripe
	sortedAt []uint64
	sortedBy []int
	ends     [keyspace.Stripes]int // where each stripe's items end in sorted
	turn     int                   // stripe that the next batch begins with
}

func newWorker(l *load) *worker {
	w := &worker{load: l}
	w.dec.StringBytesMax = l.opts.StringBytesMax
	w.obj.StringBytesMax = l.opts.StringBytesMax
	return w
}

// work takes batches until there are no more or something failed.
func (w *worker) work() {
	for b := range w.load.full {
		if !w.decode(b) || !w.insert(b) {
			return
		}
		select {
		case w.load.free <- b:
		case <-w.load.stop:
			return
		}
	}
}

// decode fills items.
func (w *worker) decode(b *batch) bool {
	w.items, w.at, w.from = w.items[:0], w.at[:0], w.from[:0]
	if cap(w.copy) > batchBytesKept {
		w.copy = nil
	}
	w.copy = w.copy[:0]
	ks := w.load.into
	track := ks.Tuning.TrackClock.Load()
	var rec rdb.Record
	for i := range b.records {
		r := &b.records[i]
		raw := b.raw[r.Start:r.End]
		if r.Type != rdb.TypeString {
			if !w.object(b, r, raw) {
				return false
			}
			continue
		}
		if err := w.dec.DecodeKeyValue(&r.Head, raw, &rec); err != nil {
			w.load.fail(r.Offset, err)
			return false
		}
		if w.isExpired(&rec.Head) {
			w.load.drop(rec.DB, rec.Key)
			continue
		}
		it := keyspace.Item{DB: rec.DB, Key: w.keep(rec.Key, raw), Expiry: expiryOf(&rec.Head)}
		if it.Int, it.IsInt = rec.Int, rec.IsInt; !it.IsInt && len(rec.Value) <= intTextBytesMax {
			it.Int, it.IsInt = numtext.ParseInt(rec.Value)
		}
		if !it.IsInt {
			it.Value = w.keep(rec.Value, raw)
		}
		if track {
			it.Clock = ks.LoadedClock(rec.IdleSeconds, int64(rec.Freq), w.load.now)
		}
		w.items = append(w.items, it)
		w.at = append(w.at, w.load.loader.Placement(&it))
		w.from = append(w.from, i)
	}
	return true
}

// isExpired says whether a key's time has come.
func (w *worker) isExpired(h *rdb.Head) bool {
	return h.ExpireMS != rdb.None && h.ExpireMS < int64(w.load.now) && !w.load.opts.KeepExpired
}

// expiryOf is when a key expires. A time before 1970 has come as well as 1970 has, and is
// none of the keyspace's special numbers.
func expiryOf(h *rdb.Head) int64 {
	if h.ExpireMS == rdb.None {
		return keyspace.NoTTL
	}
	return max(h.ExpireMS, 0)
}

// intTextBytesMax is the length of the longest text that is kept as an integer.
const intTextBytesMax = 20

// keep returns b so that it outlives the next record: itself if it is a part of raw,
// which does, else a copy.
func (w *worker) keep(b, raw []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if len(b) < len(raw) {
		if &b[0] == &raw[len(raw)-len(b)] {
			return b // a value, which comes last
		}
		for _, head := range [...]int{1, 2, 5, 9} { // the sizes of a length
			if head < len(raw) && &b[0] == &raw[head] {
				return b // a key, behind its length
			}
		}
	}
	// What was copied before stays where it is if copy must grow.
	n := len(w.copy)
	w.copy = append(w.copy, b...)
	return w.copy[n:len(w.copy):len(w.copy)]
}

// insert puts the items into the keyspace.
func (w *worker) insert(b *batch) bool {
	w.sort()
	w.turn = (w.turn + keyspace.Stripes/2 + 1) % keyspace.Stripes
	for i := range keyspace.Stripes {
		stripe := (w.turn + i) % keyspace.Stripes
		start := 0
		if stripe > 0 {
			start = w.ends[stripe-1]
		}
		end := w.ends[stripe]
		n, err := w.load.loader.Add(w.sortedAt[start:end], w.sorted[start:end])
		w.load.keys.Add(int64(n))
		if err == nil {
			continue
		}
		it, r := &w.sorted[start+n], &b.records[w.sortedBy[start+n]]
		if keyspace.IsDuplicate(err) {
			err = errTwice
		}
		w.load.fail(r.Offset, &rdb.CorruptError{Offset: r.Offset, What: keyPlace(it), Err: err})
		return false
	}
	return true
}

// sort is a counting sort by stripe, which keeps the order of the file otherwise.
func (w *worker) sort() {
	n := len(w.items)
	if cap(w.sorted) < n {
		w.sorted, w.sortedAt, w.sortedBy = make([]keyspace.Item, n), make([]uint64, n), make([]int, n)
	}
	w.sorted, w.sortedAt, w.sortedBy = w.sorted[:n], w.sortedAt[:n], w.sortedBy[:n]
	clear(w.ends[:])
	for _, at := range w.at {
		w.ends[stripeOf(at)]++
	}
	sum := 0
	for i, count := range w.ends {
		w.ends[i], sum = sum, sum+count
	}
	for i, at := range w.at {
		to := w.ends[stripeOf(at)]
		w.ends[stripeOf(at)]++
		w.sorted[to], w.sortedAt[to], w.sortedBy[to] = w.items[i], at, w.from[i]
	}
}

func stripeOf(placement uint64) int { return bits.TrailingZeros64(keyspace.StripeSet(placement)) }
