package snapshot

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/rdb"
)

const (
	// compressBytesMax is the longest value that is compressed. A compressed one has
	// its length in front, so all of it must be in memory before the first byte is
	// written; and compressing 1 MB takes 3 ms, in which the processor serves nobody.
	compressBytesMax = 1 << 20

	// turnBytes is how much is encoded before looking at the clock: some 50 us.
	turnBytes = 16 << 10

	// writeBytes is the largest piece of a lent value that is written at once. A
	// value that is shorter is copied, now that no lock is held: being a number or
	// empty, it may need another form.
	writeBytes = 128 << 10

	// bufferBytesKept is how much memory an encoder keeps after a large record.
	bufferBytesKept = 4 << 20
)

// turnNanos is how long we work before others get their turn. Other goroutines of this
// processor wait meanwhile; loops that have much to do keep the processor until the
// scheduler takes it from them, which is 10 ms, so giving it up more often than needed
// would make a save of a busy server last for ever.
const turnNanos = 250_000

// restMaxNanos bounds a rest: a turn may have been long only because somebody else had
// the processor.
const restMaxNanos = 500_000

// A pace is one goroutine's turns. A save that nobody waits for rests as long as it
// works, so that it takes at most half a processor from those who serve.
type pace struct {
	clock clock.Clock
	began int64
	rests bool
}

// over says whether the turn is over.
func (p *pace) over() bool { return p.clock.Mono()-p.began >= turnNanos }

// yield lets others have the processor if the turn is over.
func (p *pace) yield() {
	worked := p.clock.Mono() - p.began
	if worked < turnNanos {
		return
	}
	if p.rests {
		time.Sleep(time.Duration(min(worked, restMaxNanos)))
	} else {
		runtime.Gosched()
	}
	p.began = p.clock.Mono()
}

// An output is the file being written. Whoever has encoded something writes it, in
// whatever order: the output sees that keys get into the right database.
type output struct {
	keys  atomic.Int64
	bytes atomic.Int64

	mu       sync.Mutex
	w        io.Writer
	form     form
	checksum bool
	crc      uint64
	db       int // that is selected in the file; -1 before the first
	scratch  []byte
	err      error // the first one; nothing is written afterwards
}

// A span is what the output must know about encoded records.
type span struct {
	first, last int // databases of the first and the last key
	keys        int
}

// write writes encoded records.
func (o *output) write(records []byte, at span) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.selectDB(at.first); err != nil {
		return err
	}
	if err := o.put(records); err != nil {
		return err
	}
	o.db = at.last
	o.keys.Add(int64(at.keys))
	return nil
}

func (o *output) selectDB(db int) error {
	if db == o.db || o.err != nil {
		return o.err
	}
	o.db = db
	o.scratch = o.form.selectDB(o.scratch[:0], db)
	return o.put(o.scratch)
}

// put writes bytes. mu is held, or nobody else writes.
func (o *output) put(p []byte) error {
	if o.err != nil {
		return o.err
	}
	if o.checksum {
		o.crc = hash.CRC64(o.crc, p)
	}
	if _, o.err = o.w.Write(p); o.err == nil {
		o.bytes.Add(int64(len(p)))
	}
	return o.err
}

// writeLent writes encoded records, the last of which lacks its value, which is written from
// where it is, and what stands behind that.
func (o *output) writeLent(records, value, behind []byte, at span, p *pace) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.selectDB(at.first)
	if err == nil {
		err = o.put(records)
	}
	for err == nil && len(value) > 0 {
		n := min(len(value), writeBytes)
		err = o.put(value[:n])
		value = value[n:]
		p.yield()
	}
	if err == nil && len(behind) > 0 {
		err = o.put(behind)
	}
	o.db = at.last
	o.keys.Add(int64(at.keys))
	return err
}

// failed is the error that ended writing.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// end completes a file of format RDB.
func (o *output) end() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	footer := rdb.AppendEOFUnchecked(nil)
	if o.checksum {
		footer = rdb.AppendEOF(nil, o.crc)
		o.checksum = false // it isn't part of itself
	}
	return o.put(footer)
}

// An encoder turns chunks into the bytes of a file. Each goroutine has its own.
type encoder struct {
	out   *output
	form  form
	buf   []byte
	tail  []byte // what stands behind a lent value
	parts elements
	delay delay
	pace  pace
	stop  <-chan struct{} // ends a delay
}

// encode writes all records of a chunk and gives the lent ones back.
func (e *encoder) encode(c *chunk) error {
	defer c.release()
	var r rawRecord
	first, keys, lentBefore, turn := -1, 0, 0, 0
	if e.buf = e.buf[:0]; cap(e.buf) > bufferBytesKept {
		e.buf = nil
	}
	for raw := c.buf; len(raw) > 0; {
		before := len(raw)
		was := r.db
		raw = r.next(raw, c, lentBefore)
		switch {
		case first < 0:
			first = r.db
		case r.db != was:
			e.buf = e.form.selectDB(e.buf, r.db)
		}
		if r.flags&flagFrozen != 0 {
			if err := e.flushFrozen(&r, first, keys); err != nil {
				return err
			}
			first, keys = -1, 0
			continue
		}
		if r.isLong() && e.form.inPlace(&r) {
			lentBefore++
			if err := e.flushLent(&r, first, keys); err != nil {
				return err
			}
			first, keys = -1, 0
			continue
		}
		if r.flags&flagLent != 0 {
			lentBefore++
			before += len(r.value)
		}
		e.buf = e.form.record(e.buf, &r)
		keys++
		if e.delay.micros != 0 {
			e.delay.wait(1, e.stop)
		}
		if turn += before - len(raw); turn >= turnBytes {
			turn = 0
			e.pace.yield()
		}
	}
	if keys == 0 {
		return nil
	}
	return e.out.write(e.buf, span{first, r.db, keys})
}

// flushLent writes what is encoded, and behind it a record whose value goes to the file from
// where it is.
func (e *encoder) flushLent(r *rawRecord, first, keys int) error {
	if e.delay.micros != 0 {
		e.delay.wait(1, e.stop)
	}
	e.buf = e.form.before(e.buf, r)
	e.tail = e.form.behind(e.tail[:0], r)
	err := e.out.writeLent(e.buf, r.value, e.tail, span{first, r.db, keys + 1}, &e.pace)
	e.buf = e.buf[:0]
	return err
}

// A delay is one of the options for tests that slow things down.
type delay struct {
	micros int64 // for each key; below 0 one for that many keys
	owed   time.Duration
	keys   int64
}

// delayMin is the shortest time that is worth a sleep; the rest is owed.
const delayMin = time.Millisecond

// wait waits for what n keys cost, unless stop is closed.
func (d *delay) wait(n int64, stop <-chan struct{}) {
	if d.micros > 0 {
		d.owed += time.Duration(n*d.micros) * time.Microsecond
	} else {
		d.keys += n
		d.owed += time.Duration(d.keys/-d.micros) * time.Microsecond
		d.keys %= -d.micros
	}
	if d.owed < delayMin {
		return
	}
	select {
	case <-stop:
	case <-time.After(d.owed):
	}
	d.owed = 0
}
