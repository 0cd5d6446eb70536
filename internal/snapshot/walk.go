package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/dump"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/thread"
)

const (
	// stepRecords is how many records are copied under one lock. Measured with keys of
	// 16 and values of 64 bytes, half a million of them: 13 us, one in a hundred 45 us.
	stepRecords = 144

	// queueBytesMax is what may wait to be encoded before the walk stands still.
	queueBytesMax = 8 << 20

	// congestedBytes is what may wait before writers should slow down: they cannot be
	// stopped, since they must save a bucket before they change it.
	congestedBytes = 32 << 20

	// stockMin is how many empty chunks the walker keeps ready, so that nobody has to
	// make one while a stripe is locked.
	stockMin = 4
)

// ErrCanceled means that a save was given up because somebody asked for it, or because
// the data set was flushed.
var ErrCanceled = errors.New("snapshot: the save was canceled")

// A walk writes the keyspace, as it is at one moment, to one writer.
//
//	executors  --save()--+                        before they change a bucket
//	                     v
//	walker     --save()--> lanes --> queue --+--> helper: encode, checksum, write
//	                                         +--> walker: the same, when too much waits
//
// A lane is a stripe's chunk that is being filled, under the stripe's lock.
type walk struct {
	ks    *keyspace.Keyspace
	clock clock.Clock
	snap  *keyspace.Snapshot
	opts  walkOptions
	stop  <-chan struct{}
	queue queue
	lanes [keyspace.Stripes]lane
	out   output
	total atomic.Int64 // keys at the cut

	idle, freq bool         // keys are saved with their idle time or access counter
	now        clock.Millis // the time of the cut

	failure atomic.Pointer[error] // of save(), which has nobody to tell
	wake    chan struct{}         // the helper has work

	steps stepping
	turns atomic.Uint64 // steps that event loops made
}

// stepping is who walks next where. Event loops that have much to do make the steps
// themselves, one a turn: a walker that loses the processor in the middle of a step
// would keep them waiting at the stripe's lock. When they are calm the walker walks.
type stepping struct {
	mu   sync.Mutex
	open bool // the cut was made and there is something left
	done [keyspace.Stripes]bool
	left int
	next int
}

// step makes one step. steps.mu is held.
func (w *walk) step(records int) {
	st := &w.steps
	for range keyspace.Stripes {
		i := st.next
		st.next = (st.next + 1) % keyspace.Stripes
		if st.done[i] {
			continue
		}
		if !w.snap.Step(i, records) {
			st.done[i] = true
			st.left--
			st.open = st.left > 0
		}
		return
	}
}

// loopRecords is how many records an event loop saves in a turn: some 2 us, which writers do
// not feel. With 96 a save of three million keys took 3.6 s in place of 6, and writes were
// a tenth slower meanwhile.
const loopRecords = 16

// stepOnLoop makes a step if nobody else is making one.
func (w *walk) stepOnLoop() {
	if !w.steps.mu.TryLock() {
		return
	}
	if w.steps.open {
		w.step(loopRecords)
		w.turns.Add(1)
	}
	w.steps.mu.Unlock()
}

// walkOptions are what may differ from one walk to the next.
type walkOptions struct {
	version     rdb.Version
	info        rdb.Info // what the caller knows; CTime and UsedMemBytes are filled in
	compress    bool
	checksum    bool
	commands    bool // write commands instead
	delayMicros int64
	helper      bool // use another goroutine to encode
	rests       bool // nobody waits for it
	// cut, if set, is called at the moment of the cut, in exclusive mode.
	cut func(info *rdb.Info)
}

type lane struct {
	c  *chunk   // nil until there is something to put in it
	db int      // of the last record in c, -1 if it is empty
	_  [48]byte // lanes are filled by different processors
}

func newWalk(
	ks *keyspace.Keyspace, c clock.Clock, w io.Writer, stop <-chan struct{}, opts walkOptions,
) *walk {
	wk := &walk{ks: ks, clock: c, opts: opts, stop: stop, wake: make(chan struct{}, 1)}
	wk.out.w, wk.out.checksum, wk.out.db = w, opts.checksum && !opts.commands, -1
	wk.out.form = wk.newForm()
	for i := range wk.lanes {
		wk.lanes[i].db = -1
	}
	wk.stock()
	return wk
}

// run makes the cut and writes the file. The caller is not inside a gate.
func (w *walk) run() error {
	if err := w.cut(); err != nil {
		w.discard()
		return err
	}
	return w.finish()
}

// finish writes what there was at the cut.
func (w *walk) finish() error {
	var helping sync.WaitGroup
	if w.opts.helper {
		helping.Go(w.help)
	}
	enc := w.newEncoder()
	err := w.walkAll(enc)
	w.endSnapshot(err)
	if err == nil {
		err = w.drain(enc, 0)
	}
	close(w.wake)
	helping.Wait()
	if err != nil {
		w.discard()
		return err
	}
	if err := w.out.failed(); err != nil { // for the helper
		w.discard()
		return err
	}
	if got, want := w.out.keys.Load(), w.total.Load(); got != want {
		return fmt.Errorf("snapshot: %d keys were written, and there were %d at the cut", got, want)
	}
	if w.opts.commands {
		return nil // they have no end
	}
	return w.out.end()
}

func (w *walk) newEncoder() *encoder {
	e := &encoder{out: &w.out, stop: w.stop, form: w.newForm()}
	e.delay.micros = w.opts.delayMicros
	e.pace = pace{clock: w.clock, began: w.clock.Mono(), rests: w.opts.rests}
	return e
}

// cut begins the snapshot and writes everything that comes before the first key.
func (w *walk) cut() error {
	busy := false
	var head []byte
	w.ks.Exclusive(nil, func() {
		if busy = w.ks.Snapshot() != nil; busy {
			return
		}
		policy := keyspace.Policy(w.ks.Tuning.Policy.Load())
		w.freq = policy.LFU()
		w.idle = policy.Clocks() && !w.freq
		w.now = clock.Now(w.clock)
		info := w.opts.info
		info.CTime, info.UsedMemBytes = int64(w.now)/1000, w.ks.Used()
		if w.opts.cut != nil {
			w.opts.cut(&info)
		}
		w.ks.ForgetDetached()
		w.snap = w.ks.BeginSnapshot(w.save)
		if w.snap.Fields {
			w.opts.version = max(w.opts.version, fieldsVersion)
		}
		if !w.opts.commands {
			head = rdb.AppendInfo(rdb.AppendHeader(nil, w.opts.version), &info)
		}
	})
	if busy {
		return errors.New("snapshot: another one is being made")
	}
	for db, size := range w.snap.Sizes {
		w.total.Add(size.Keys)
		if size.Keys > 0 && !w.opts.commands {
			head = rdb.AppendSelectDB(head, db)
			head = rdb.AppendResizeDB(head, uint64(size.Keys), uint64(size.Expires))
			w.out.db = db
		}
	}
	if err := w.out.put(head); err != nil {
		w.endSnapshot(err)
		return err
	}
	return nil
}

// fieldsVersion is the first version of the format in which a field can expire.
const fieldsVersion = 12

// save takes a record, under its stripe's lock. It is called by the walker, and by
// executors that are about to change the record's bucket.
func (w *walk) save(stripe, db int, v keyspace.Value) {
	l := &w.lanes[stripe]
	size := v.Size()
	isLent := size >= keyspace.Big || v.IsRooted()
	if l.c == nil {
		l.c = w.queue.take()
	} else if !isLent && len(l.c.buf)+size+headBytesMax > cap(l.c.buf) {
		w.passOn(l)
	}
	var flags byte
	if db != l.db {
		flags, l.db = flagDB, db
	}
	l.c.keys++
	if v.Type() != record.String {
		w.saveValue(l, flags, db, v)
		return
	}
	if isLent {
		w.lend(l, flags|flagLent, db, v)
		w.passOn(l) // to be written soon: while it is lent it cannot be changed in place
		return
	}
	key := v.Key()
	if v.IsInt() {
		b := w.appendHead(l.c.buf, flags|flagInt, db, v)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(key)))
		b = append(b, key...)
		l.c.buf = binary.LittleEndian.AppendUint64(b, uint64(v.Int()))
		return
	}
	value := v.Bytes()
	b := w.appendHead(l.c.buf, flags, db, v)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(key)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	b = append(b, key...)
	l.c.buf = append(b, value...)
}

// saveValue takes a value that is no string: the value part of a small one, the leaves of
// a rooted one.
func (w *walk) saveValue(l *lane, flags byte, db int, v keyspace.Value) {
	key := v.Key()
	kind := byte(v.Type()) | byte(v.Encoding())<<kindEncodingShift
	switch {
	case v.IsRooted():
		c := v.Cell()
		f := w.snap.Freeze(v)
		if w.opts.commands {
			f.ConsumersFirst()
		}
		fz := frozen{key: append([]byte(nil), key...), leaves: f, head: dump.HeadOf(&c, f.Leaves())}
		l.c.frozen = append(l.c.frozen, fz)
		l.c.buf = append(w.appendHead(l.c.buf, flags|flagFrozen, db, v), kind)
		w.passOn(l) // so that its leaves are thawed soon
	case len(v.Bytes()) >= keyspace.Big:
		// It changes in place, so it is copied instead of lent.
		big := lent{key: append([]byte(nil), key...), value: append([]byte(nil), v.Bytes()...), release: func() {}}
		l.c.lent = append(l.c.lent, big)
		l.c.buf = append(w.appendHead(l.c.buf, flags|flagPart|flagLent, db, v), kind)
		w.passOn(l)
	default:
		b := append(w.appendHead(l.c.buf, flags|flagPart, db, v), kind)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(key)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(v.Bytes())))
		b = append(b, key...)
		l.c.buf = append(b, v.Bytes()...)
	}
}

// lend notes a big record without copying it.
func (w *walk) lend(l *lane, flags byte, db int, v keyspace.Value) {
	big := lent{key: v.Key(), release: v.Lend()}
	if v.IsInt() { // of a big key
		l.c.buf = w.appendHead(l.c.buf, flags|flagInt, db, v)
		l.c.buf = binary.LittleEndian.AppendUint64(l.c.buf, uint64(v.Int()))
	} else {
		l.c.buf = w.appendHead(l.c.buf, flags, db, v)
		big.value = v.Bytes()
	}
	l.c.lent = append(l.c.lent, big)
}

func (w *walk) appendHead(b []byte, flags byte, db int, v keyspace.Value) []byte {
	at := len(b)
	b = append(b, 0)
	if flags&flagDB != 0 {
		b = binary.LittleEndian.AppendUint32(b, uint32(db))
	}
	if v.HasExpiry() {
		flags |= flagExpiry
		b = binary.LittleEndian.AppendUint64(b, uint64(v.Expiry()))
	}
	if (w.idle || w.freq) && v.HasClock() {
		access := uint32(0)
		if w.freq {
			flags |= flagFreq
			access = uint32(w.ks.Frequency(v, w.now))
		} else {
			flags |= flagIdle
			access = uint32(keyspace.Idle(v.Clock(), w.now))
		}
		b = binary.LittleEndian.AppendUint32(b, access)
	}
	b[at] = flags
	return b
}

// passOn hands a lane's chunk to the queue.
func (w *walk) passOn(l *lane) {
	w.queue.push(l.c)
	l.c, l.db = w.queue.take(), -1
}

// stock sees to it that empty chunks are ready.
func (w *walk) stock() {
	w.queue.mu.Lock()
	missing := stockMin - len(w.queue.spare)
	w.queue.mu.Unlock()
	for range missing {
		w.queue.recycle(newChunk())
	}
}

// walkAll saves whatever the executors do not. The stripes take turns, so that each
// is free most of the time.
func (w *walk) walkAll(enc *encoder) error {
	w.steps.mu.Lock()
	w.steps.left, w.steps.open = keyspace.Stripes, true
	w.steps.mu.Unlock()
	defer w.closeSteps()
	for more := true; more; {
		turns, saved := w.turns.Load(), w.snap.Saved.Load()
		if w.opts.rests { // and see meanwhile whether the loops walk
			time.Sleep(turnNanos)
			enc.pace.began = w.clock.Mono()
		} else {
			enc.pace.yield()
		}
		if err := w.relieve(enc); err != nil {
			return err
		}
		if w.opts.rests && w.turns.Load() != turns {
			more = w.isOpen() // the loops are at it
			continue
		}
		for i := 0; i < keyspace.Stripes && more && !enc.pace.over(); i++ {
			w.steps.mu.Lock()
			w.step(stepRecords)
			more = w.steps.open
			w.steps.mu.Unlock()
		}
		if more && w.snap.Saved.Load() == saved {
			// What is left was flushed and is saved by being freed.
			w.ks.LazyFree()
		}
	}
	return w.check()
}

// closeSteps keeps the loops from walking further.
func (w *walk) closeSteps() {
	w.steps.mu.Lock()
	w.steps.open = false
	w.steps.mu.Unlock()
}

func (w *walk) isOpen() bool {
	w.steps.mu.Lock()
	defer w.steps.mu.Unlock()
	return w.steps.open
}

// check says why the walk should end early.
func (w *walk) check() error {
	select {
	case <-w.stop:
		return ErrCanceled
	default:
	}
	if err := w.failure.Load(); err != nil {
		return *err
	}
	if w.snap.Aborted() {
		return ErrCanceled
	}
	return nil
}

// relieve sees to it that what was saved gets written, and that not too much waits.
func (w *walk) relieve(enc *encoder) error {
	if err := w.check(); err != nil {
		return err
	}
	w.stock()
	if !w.opts.helper {
		return w.drain(enc, 0)
	}
	if w.queue.bytes() == 0 {
		return nil
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return w.drain(enc, queueBytesMax)
}

// drain encodes until no more than max bytes wait.
func (w *walk) drain(enc *encoder, max int64) error {
	for w.queue.bytes() > max {
		select {
		case <-w.stop:
			return ErrCanceled
		default:
		}
		c := w.queue.pop()
		if c == nil {
			break
		}
		err := enc.encode(c)
		w.queue.recycle(c)
		if err != nil {
			return err
		}
	}
	return nil
}

// help encodes on another processor while the walker walks, until wake is closed.
func (w *walk) help() {
	if w.opts.rests {
		runtime.LockOSThread() // and never unlocked
		thread.GiveWay()
	}
	enc := w.newEncoder()
	for range w.wake {
		if w.drain(enc, 0) != nil {
			return // the output keeps its error, and the walker meets it
		}
	}
}

// endSnapshot makes writers forget the snapshot. Without error it also collects the
// chunks that are not full.
func (w *walk) endSnapshot(err error) {
	w.ks.Exclusive(nil, func() {
		switch {
		case w.ks.Snapshot() != w.snap:
		case err != nil:
			w.ks.AbortSnapshot()
		default:
			w.snap.End()
		}
		for i := range w.lanes {
			if l := &w.lanes[i]; l.c != nil {
				w.queue.push(l.c)
				l.c = nil
			}
		}
	})
}

// discard gives everything back that will not be written.
func (w *walk) discard() {
	for c := w.queue.pop(); c != nil; c = w.queue.pop() {
		c.release()
	}
}

// congested says whether writers should slow down.
func (w *walk) congested() bool { return w.queue.bytes() > congestedBytes }
