package aof

import (
	"errors"
	"io/fs"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/vfs"
)

// # Writing
//
// A Log writes the journal's stream into the last incremental file:
//
//	Flush   writes everything that was appended, as one batch: one write(2) for all
//	        loops that wait
//	Sync    waits for the disk: one fsync for all who wait
//
// Two watermarks say how far these are, as marks of the journal. A failed write is cut
// off again, and the next Flush tries the same bytes. A failed sync may have lost what was
// written, for good: the file is not synced again, and Synced stands still until a rewrite
// has put everything before a position into a base and goes on in another file. If a write
// to such a file fails too, nothing more is written to it.

// A Log is the append-only file that a server writes. It is safe for concurrent use.
type Log struct {
	dir     *Dir
	journal *journal.Journal

	written, synced atomic.Int64 // marks
	syncedAt        atomic.Int64 // the position of the stream where synced is
	bytes           atomic.Int64 // written since it was opened
	cut             atomic.Int64 // from this mark on next is written; -1 while that is not known

	bare  atomic.Bool                  // leave the lines with sums out
	clock atomic.Pointer[func() int64] // the time of day in seconds, to be told in the file; may be nil

	mu     sync.Mutex // of writing; a sync does not hold it
	cursor *journal.FileCursor
	file   *output
	next   *output   // to which the stream will go, if there is one
	old    []*output // written whole, and not yet synced
	err    error     // of the last write
	time   int64     // of day, as the file told it last
	closed bool
	buf    []byte
	pieces [][]byte

	syncing sync.Mutex
	syncErr atomic.Pointer[error]
}

// An output is an incremental file that is written.
type output struct {
	vfs.File
	seq    int64
	size   int64 // of what is whole
	synced int64 // bytes that were
	told   int64 // of these, in a #SY line
	before int64 // size of the file that this one goes on behind, until that is told
	torn   bool  // more than size is there, and could not be cut off
	unsure bool  // a write behind size has failed, and the disk may have got some of it

	syncing sync.Mutex            // of two syncs at once the kernel tells one alone of an error
	lost    atomic.Pointer[error] // of a sync: what was not synced by then may be gone
}

// bufferKept is how much memory for batches is kept.
const bufferKept = 1 << 20

// Open begins to write to a file of the folder, behind its first size bytes, what is
// appended to the journal from now on. All of the file counts as synced.
func Open(d *Dir, j *journal.Journal, info FileInfo, size int64) (*Log, error) {
	l, err := newLog(d, j, info, size)
	if err == nil {
		l.attach()
	}
	return l, err
}

// newLog opens a file to be written to, and waits for attach with the beginning.
func newLog(d *Dir, j *journal.Journal, info FileInfo, size int64) (*Log, error) {
	out, err := d.appendTo(info, size)
	if err != nil {
		return nil, err
	}
	l := &Log{dir: d, journal: j, file: out}
	l.cut.Store(-1)
	return l, nil
}

// attach begins behind everything that was appended.
func (l *Log) attach() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor = l.journal.NewFileCursor()
	l.written.Store(l.cursor.Mark())
	l.synced.Store(l.cursor.Mark())
	l.syncedAt.Store(l.cursor.At())
}

func (d *Dir) appendTo(info FileInfo, size int64) (*output, error) {
	f, err := d.FS.Append(d.In(info.Name))
	if err != nil {
		return nil, err
	}
	return &output{File: f, seq: info.Seq, size: size, synced: size, told: size}, nil
}

// CreateIncr makes an empty incremental file, durable by its name. One that is there was
// left by an attempt that failed, and is emptied: a manifest may name it.
func (d *Dir) CreateIncr(info FileInfo) error {
	f, err := d.FS.Create(d.In(info.Name))
	if errors.Is(err, fs.ErrExist) {
		if f, err = d.FS.Append(d.In(info.Name)); err == nil {
			err = f.Truncate(0)
		}
	}
	if err != nil {
		return err
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return d.FS.SyncDir(d.Path)
}

// Written is the mark up to which the kernel has what was appended.
func (l *Log) Written() int64 { return l.written.Load() }

// Synced is the mark up to which the disk has it.
func (l *Log) Synced() int64 { return l.synced.Load() }

// SyncedAt is the position of the stream up to which the disk has it.
func (l *Log) SyncedAt() int64 { return l.syncedAt.Load() }

// Bytes is how many were written since the beginning, to all files.
func (l *Log) Bytes() int64 { return l.bytes.Load() }

// beforeCut is how many bytes were written to the files before the one that is written now.
func (l *Log) beforeCut() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.Load() - l.file.size
}

// IsLost says whether a sync has failed, and what it was about may be lost.
func (l *Log) IsLost() bool { return l.syncErr.Load() != nil }

// Err is the error of the last write or, for good, of a sync.
func (l *Log) Err() error {
	if err := l.syncErr.Load(); err != nil {
		return *err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Flush writes everything that was appended. It costs two loads if that was done.
func (l *Log) Flush() error {
	if l.written.Load() >= l.journal.Tail() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.err = l.flush(l.journal.Tail())
	return l.err
}

// flush writes up to a mark, to the next file what is behind the cut. A cut that is made
// meanwhile is behind the mark.
func (l *Log) flush(end int64) error {
	if cut := l.cut.Load(); l.next != nil && cut >= 0 {
		if err := l.writeBatch(cut); err != nil {
			return err
		}
		if l.bare.Load() {
			// No line of the next file will tell that it goes on behind this one, so that
			// must not come to the disk later.
			if err := l.file.sync(); err != nil {
				return l.lostSync(err)
			}
		}
		l.next.before = l.file.size
		l.old = append(l.old, l.file)
		l.file, l.next = l.next, nil
	}
	return l.writeBatch(end)
}

// writeBatch writes what is before a mark and was not written, as one batch.
func (l *Log) writeBatch(end int64) error {
	if l.cursor.Mark() >= end {
		return nil
	}
	f := l.file
	if f.torn {
		if err := f.Truncate(f.size); err != nil {
			return err
		}
		f.torn = false
	}
	if f.unsure {
		// What is written there now may be another batch, and a power failure leaves no mixture
		// of two only if the disk has forgotten the first. That cannot be had if a sync fails.
		if err := f.sync(); err != nil {
			return l.lostSync(err)
		}
		f.unsure = false
	}
	l.pieces = l.cursor.Pending(l.pieces[:0], end)
	defer clear(l.pieces)
	time := l.encode(f)
	if _, err := f.Write(l.buf); err != nil {
		f.unsure, f.torn = true, f.Truncate(f.size) != nil
		return err
	}
	f.size += int64(len(l.buf))
	f.told, f.before, l.time = f.synced, 0, time
	l.bytes.Add(int64(len(l.buf)))
	if cap(l.buf) > bufferKept {
		l.buf = nil
	}
	l.cursor.Advance(end)
	l.written.Store(end)
	return nil
}

// encode makes a batch of the pieces, and returns the time of day that it tells.
func (l *Log) encode(f *output) (time int64) {
	hasSum := !l.bare.Load()
	l.buf = l.buf[:0]
	if hasSum {
		l.buf = BeginBatch(l.buf)
		if f.before > 0 {
			l.annotate("#PV:", f.before)
		}
		if f.synced > f.told {
			l.annotate("#SY:", f.synced)
		}
	}
	time = l.time
	if clock := l.clock.Load(); clock != nil {
		if now := (*clock)(); now != time || f.size == 0 {
			time = now
			l.annotate("#TS:", now)
		}
	}
	for _, p := range l.pieces {
		l.buf = append(l.buf, p...)
	}
	if hasSum {
		EndBatch(l.buf, 0, f.seq, f.size)
	}
	return time
}

func (l *Log) annotate(mark string, value int64) {
	l.buf = append(strconv.AppendInt(append(l.buf, mark...), value, 10), '\r', '\n')
}

// Sync waits until the disk has what is written when it begins. A file of which a sync
// has failed is not asked again: the kernel may have forgotten that it lost something.
func (l *Log) Sync() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	mark, f, size := l.written.Load(), l.file, l.file.size
	position, old := l.cursor.At(), l.old
	l.mu.Unlock()
	for _, o := range old { // before the one that goes on behind them
		if err := o.sync(); err != nil {
			return l.lostSync(err)
		}
	}
	if size > f.synced || f.lost.Load() != nil {
		if err := f.sync(); err != nil {
			return l.lostSync(err)
		}
	}
	l.mu.Lock()
	f.synced = size
	l.old = l.old[len(old):]
	l.mu.Unlock()
	l.synced.Store(mark)
	l.syncedAt.Store(position)
	for _, o := range old {
		_ = o.Close() // all of it is on the disk
	}
	return nil
}

func (o *output) sync() error {
	o.syncing.Lock()
	defer o.syncing.Unlock()
	if lost := o.lost.Load(); lost != nil {
		return *lost
	}
	err := o.Sync()
	if err != nil {
		lost := err // err itself would be on the heap for every sync
		o.lost.Store(&lost)
	}
	return err
}

func (l *Log) lostSync(err error) error {
	lost := err
	l.syncErr.Store(&lost)
	return lost
}

// Prepare opens another incremental file, which is durable and empty, for the stream to go
// on in from the next cut on. No other one may be waiting: see Postpone.
func (l *Log) Prepare(info FileInfo) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next != nil {
		return errPrepared
	}
	out, err := l.dir.appendTo(info, 0)
	if err != nil {
		return err
	}
	l.cut.Store(-1)
	l.next = out
	return nil
}

var errPrepared = errors.New("aof: another file waits for its cut")

// Postpone has the file that was prepared wait for another cut, and says whether there is one
// to which nothing was written.
func (l *Log) Postpone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		return false
	}
	l.cut.Store(-1)
	return true
}

// Seq is the number of the file that is written.
func (l *Log) Seq() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.seq
}

// Cut makes what was not appended yet go to the file that was prepared, and returns the
// position of the stream. It takes no time, and waits for no write that is under way: the
// file is written to by a Flush. A Sync covers both. It is called in exclusive mode, when
// there is a file that was prepared.
func (l *Log) Cut() (position int64) {
	mark, position := l.journal.Cut()
	l.cut.Store(mark)
	return position
}

// Rebased says that everything before the last cut is in a base, which is durable: what
// became of older files, of writes that they could not take and of their syncs, does not
// matter any more.
func (l *Log) Rebased() {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	cut := l.cut.Load()
	if l.next != nil && cut >= 0 { // nobody has written to it yet
		if l.cursor.Mark() < cut {
			l.cursor.Advance(cut)
			l.written.Store(cut)
		}
		l.old = append(l.old, l.file)
		l.file, l.next = l.next, nil
	}
	for _, o := range l.old {
		_ = o.Close() // history
	}
	l.old = nil
	if l.file.lost.Load() == nil {
		l.syncErr.Store(nil)
	}
	l.synced.Store(max(l.synced.Load(), cut))
}

// Close writes and syncs everything, and ends the writing.
func (l *Log) Close() error {
	return errors.Join(l.Flush(), l.Sync(), l.drop())
}

// drop ends the writing as it is.
func (l *Log) drop() (err error) {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.cursor != nil {
		l.cursor.Close()
	}
	for _, o := range append(l.old, l.file, l.next) {
		if o != nil {
			err = errors.Join(err, o.Close())
		}
	}
	return err
}
