package snapshot

import (
	"github.com/spineldb/spinel/internal/dump"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/value"
)

// object builds a value that is no string, which may come in parts, and says whether all
// went well. Each part is built under the lock of the key's stripe.
func (w *worker) object(b *batch, r *rdb.Raw, raw []byte) bool {
	err := w.obj.Begin(r, raw)
	if err != nil {
		return w.refuse(b, r, err)
	}
	typ, ok := dump.TypeOf(w.obj.Object.Type)
	if !ok {
		err := &rdb.UnsupportedTypeError{Offset: r.Offset, Code: byte(r.Type), DB: r.DB, Key: w.obj.Key}
		return w.refuse(b, r, err)
	}
	it := keyspace.Item{DB: r.DB, Key: w.obj.Key, Expiry: expiryOf(&r.Head)}
	ks := w.load.into
	if ks.Tuning.TrackClock.Load() {
		it.Clock = ks.LoadedClock(r.IdleSeconds, int64(r.Freq), w.load.now)
	}
	expired := w.isExpired(&r.Head)
	at := w.load.loader.Placement(&it)
	fill := w.fill
	if expired {
		err = w.skim()
	} else {
		err = w.load.loader.Build(at, &it, typ, fill)
	}
	for part := range partsOf(b, r) {
		last := &part.records[0]
		if err == nil {
			if err = w.obj.Continue(last, part.raw[last.Start:last.End]); err == nil && expired {
				err = w.skim()
			} else if err == nil {
				err = w.load.loader.BuildMore(at, &it, typ, fill)
			}
		}
		if !w.giveBack(part) {
			return false
		}
	}
	switch {
	case keyspace.IsDuplicate(err):
		err = &rdb.CorruptError{Offset: r.Offset, What: keyPlace(&it), Err: errTwice}
	case err == rdb.ErrEmpty:
		w.load.skip(it.Key)
		return true
	case err == nil && expired:
		w.load.drop(it.DB, it.Key)
	case err == nil:
		w.load.keys.Add(1)
	}
	return err == nil || w.fail(r, err)
}

// partsOf is where the further parts of a record's value come from.
func partsOf(b *batch, r *rdb.Raw) <-chan *batch {
	if r.More {
		return b.parts
	}
	none := make(chan *batch)
	close(none)
	return none
}

// refuse takes what comes of a value that is refused, so that the reader is not kept
// waiting, and fails.
func (w *worker) refuse(b *batch, r *rdb.Raw, err error) bool {
	w.fail(r, err)
	for part := range partsOf(b, r) {
		w.giveBack(part)
	}
	return false
}

func (w *worker) fail(r *rdb.Raw, err error) bool {
	w.load.fail(r.Offset, err)
	return false
}

func (w *worker) giveBack(b *batch) bool {
	select {
	case w.load.free <- b:
		return true
	case <-w.load.stop:
		return false
	}
}

// fill puts the pieces of a part into a value.
func (w *worker) fill(c *value.Cell) error {
	var p rdb.Piece
	for {
		ok, err := w.obj.Next(&p)
		if !ok {
			return err
		}
		if err := w.build.Add(c, &p); err != nil {
			if err == mem.ErrExhausted {
				return err
			}
			return w.obj.Blame(&p, err)
		}
	}
}

// skim reads the pieces of a part that nobody wants.
func (w *worker) skim() error {
	var p rdb.Piece
	for {
		if ok, err := w.obj.Next(&p); !ok {
			return err
		}
	}
}
