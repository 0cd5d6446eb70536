package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/thread"
)

// LoadOptions are what differs from one load to another.
type LoadOptions struct {
	// KeepExpired loads keys whose time has come, as a replica does: its primary
	// tells when they go.
	KeepExpired bool

	// StringBytesMax is the longest string to accept, proto-max-bulk-len; 0 is its
	// default.
	StringBytesMax int64

	// Trailing allows something behind the snapshot, as in an append-only file of which it is
	// the beginning. The source may have been read beyond Loaded.End.
	Trailing bool

	// Workers is how many goroutines decode and insert; 0 is the processors.
	Workers int

	// Dropped, if set, is called for each key that is dropped because its time had come, by
	// several goroutines. info is what the file has said of itself by then.
	Dropped func(info *rdb.Info, db int, key []byte)

	// Into is the keyspace to fill; nil for the Saver's own.
	Into *keyspace.Keyspace
}

// Loaded is what came of a load.
type Loaded struct {
	Found   bool // there was a file
	Keys    int64
	Expired int64    // that were dropped, as their time had come
	Empty   int64    // that were dropped, as their values had no elements
	Info    rdb.Info // what the file says about itself
	End     int64    // how many bytes it has
}

// A DatabaseError means that a file has keys of a database that this server lacks.
type DatabaseError struct {
	Path      string
	Offset    int64
	DB        int
	Databases int
}

func (e *DatabaseError) Error() string {
	return fmt.Sprintf("rdb: %s: byte %d: database %d: %s", e.Path, e.Offset, e.DB, e.text())
}

// text is what Redis prints.
func (e *DatabaseError) text() string {
	return fmt.Sprintf("FATAL: Data file was created with a Redis server configured to handle "+
		"more than %d databases. Exiting", e.Databases)
}

var errTwice = errors.New("the key was there already")

// Load fills the keyspace, which must be empty, from the snapshot file. That there is
// none is no error. After an error the keyspace holds a part of the file: the server
// must not start with it, since what is missing would be lost with the next save.
func (s *Saver) Load(opts LoadOptions) (Loaded, error) {
	path := s.Path()
	info, err := s.FS.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Loaded{}, nil
	}
	if err != nil {
		return Loaded{}, fmt.Errorf("snapshot: %w", err)
	}
	if info.IsDir() {
		return Loaded{}, fmt.Errorf("snapshot: %s: it is a folder", path)
	}
	f, err := s.FS.Open(path)
	if err != nil {
		return Loaded{}, fmt.Errorf("snapshot: %w", err)
	}
	defer f.Close()
	start := s.Clock.Mono()
	s.progress.begin(s.Clock, info.Size())
	defer s.progress.end()
	loaded, err := s.LoadFrom(f, info.Size(), path, opts)
	if err != nil {
		return loaded, err
	}
	done := fmt.Sprintf("Done loading RDB, keys loaded: %d, keys expired: %d", loaded.Keys, loaded.Expired)
	if loaded.Empty > 0 {
		s.Log.Warn(fmt.Sprintf("%s, empty keys skipped: %d.", done, loaded.Empty))
	} else {
		s.Log.Info(done + ".")
	}
	s.Log.Info(fmt.Sprintf("DB loaded from disk: %.3f seconds", float64(s.Clock.Mono()-start)/1e9))
	return loaded, nil
}

// LoadFrom fills the keyspace from any source: path names it in errors, size is its
// length, or 0 if that is not known.
func (s *Saver) LoadFrom(src io.Reader, size int64, path string, opts LoadOptions) (Loaded, error) {
	l := newLoad(s, src, size, opts)
	err := l.run()
	loaded := Loaded{
		Found: true, Keys: l.keys.Load(), Expired: l.expired.Load(), Empty: l.skipped.Load(), Info: l.info,
		End: l.reader.Offset(),
	}
	s.progress.done(loaded.Keys, loaded.Expired)
	if err == nil {
		return loaded, nil
	}
	if corrupt, ok := errors.AsType[*rdb.CorruptError](err); ok {
		corrupt.Path = path
		s.Log.Warn(corrupt.LogText())
	}
	if unsupported, ok := errors.AsType[*rdb.UnsupportedTypeError](err); ok {
		unsupported.Path = path
	}
	if databases, ok := errors.AsType[*DatabaseError](err); ok {
		databases.Path = path
		s.Log.Warn(databases.text())
	}
	return loaded, err
}

// batchBytes is how much a worker gets at once, about. Some hundred records: enough
// for several to fall into each stripe.
const batchBytes = 128 << 10

// batchRecords bounds the records of a batch, which may be very small.
const batchRecords = 1024

// Follow makes Loading tell of a load from elsewhere, of so many bytes if that is known, until
// done is called.
func (s *Saver) Follow(size int64) (done func()) {
	s.progress.begin(s.Clock, size)
	return s.progress.end
}

// A load reads one file.
//
//	reader --splits--> batches --> workers: decode, sort by stripe, insert
//
// Batches are recycled through free; a worker's error stops the reader.
type load struct {
	saver   *Saver
	into    *keyspace.Keyspace
	opts    LoadOptions
	reader  *rdb.Reader
	loader  *keyspace.Loader
	now     clock.Millis
	full    chan *batch
	free    chan *batch
	stop    chan struct{} // closed when a worker has failed
	once    sync.Once
	keys    atomic.Int64
	expired atomic.Int64
	said    atomic.Pointer[rdb.Info] // info, for workers
	skipped atomic.Int64
	info    rdb.Info
	aux     rdb.Decoder
	delay   delay

	mu   sync.Mutex
	errs []placedError
}

// A placedError is an error and where in the file it happened. Workers may find a
// later one before an earlier one.
type placedError struct {
	offset int64
	err    error
}

// A batch is some records, not yet decoded.
type batch struct {
	raw     []byte
	records []rdb.Raw

	// parts, if set, brings the further parts of the last record's value, a batch each.
	// The last one does not say More.
	parts chan *batch
}

func newLoad(s *Saver, src io.Reader, size int64, opts LoadOptions) *load {
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	into := opts.Into
	if into == nil {
		into = s.Keyspace
	}
	l := &load{
		saver: s,
		into:  into,
		opts:  opts,
		reader: rdb.NewReader(src, rdb.Options{
			Size:           size,
			Accept:         rdb.Collections,
			StringBytesMax: opts.StringBytesMax,
			SkipChecksum:   !optChecksum.Get(s.Options),
			Trailing:       opts.Trailing,
		}),
		loader: into.NewLoader(),
		now:    clock.Now(s.Clock),
		full:   make(chan *batch, opts.Workers),
		free:   make(chan *batch, 2*opts.Workers+1),
		stop:   make(chan struct{}),
	}
	l.aux.StringBytesMax = opts.StringBytesMax
	l.delay.micros = optLoadDelay.Get(s.Options)
	for range cap(l.free) {
		l.free <- &batch{}
	}
	into.SetNow(l.now) // expiry hints count from it
	return l
}

func (l *load) run() error {
	var working sync.WaitGroup
	for range l.opts.Workers {
		working.Go(func() { onOwnThread(newWorker(l).work) })
	}
	var err error
	working.Go(func() {
		onOwnThread(func() { err = l.readAll() })
		close(l.full)
	})
	working.Wait()
	if err != nil {
		l.fail(l.reader.Offset(), err)
	}
	if len(l.errs) == 0 {
		return nil
	}
	first := slices.MinFunc(l.errs, func(a, b placedError) int { return cmp.Compare(a.offset, b.offset) })
	return first.err
}

// onOwnThread runs f in this goroutine, which must end with it, where it does not stand in the
// way of those who answer clients meanwhile.
func onOwnThread(f func()) {
	runtime.LockOSThread() // and never unlocked
	thread.LongSlices()
	f()
}

// fail notes an error and stops the reader.
func (l *load) fail(offset int64, err error) {
	l.mu.Lock()
	l.errs = append(l.errs, placedError{offset, err})
	l.mu.Unlock()
	l.once.Do(func() { close(l.stop) })
}

// emptyLogged is how many keys without elements are named in the log.
const emptyLogged = 10

// skip passes over a key whose value has no elements, as Redis does: such a key was
// never there.
func (l *load) skip(key []byte) {
	if l.skipped.Add(1) <= emptyLogged {
		l.saver.Log.Warn("RDB: skipping empty key: " + string(key[:min(len(key), keyShownBytesMax)]))
	}
}

// readAll splits the file into batches until its end, the first error, or stop.
func (l *load) readAll() error {
	b := <-l.free
	for {
		more, err := l.readRecord(b)
		if err != nil {
			return err
		}
		if len(b.raw) < batchBytes && len(b.records) < batchRecords && more && !b.goesOn() {
			continue
		}
		if b.goesOn() {
			b.parts = make(chan *batch, partsMax)
		}
		l.saver.progress.loadedBytes.Store(l.reader.Offset())
		select {
		case l.full <- b:
		case <-l.stop:
			return nil
		}
		if !more {
			return nil
		}
		if b.parts != nil {
			if err := l.readParts(b.parts); err != nil {
				return err
			}
		}
		if b = l.empty(); b == nil {
			return nil
		}
	}
}

// partsMax is how many parts of a value wait for the worker that builds it.
const partsMax = 2

// goesOn says whether the last record of a batch has only the first part of its value.
func (b *batch) goesOn() bool { return len(b.records) > 0 && b.records[len(b.records)-1].More }

// empty returns a batch to fill, or nil if a worker has failed.
func (l *load) empty() *batch {
	select {
	case b := <-l.free:
		b.reset()
		return b
	case <-l.stop:
		return nil
	}
}

// readParts reads the further parts of a value for the worker that builds it.
func (l *load) readParts(parts chan<- *batch) error {
	defer close(parts)
	for {
		b := l.empty()
		if b == nil {
			return nil
		}
		var r rdb.Raw
		var err error
		if b.raw, err = l.reader.NextRaw(b.raw, &r); err != nil {
			return err
		}
		b.records = append(b.records, r)
		l.saver.progress.loadedBytes.Store(l.reader.Offset())
		more := r.More // the worker may have the batch at once
		select {
		case parts <- b:
		case <-l.stop:
			return nil
		}
		if !more {
			return nil
		}
	}
}

// batchBytesKept is how much memory a batch keeps after a large value.
const batchBytesKept = 4 << 20

func (b *batch) reset() {
	if cap(b.raw) > batchBytesKept {
		b.raw = nil
	}
	b.raw, b.records, b.parts = b.raw[:0], b.records[:0], nil
}

// readRecord adds the next record to b if it is a key; more is false at the end.
func (l *load) readRecord(b *batch) (more bool, err error) {
	var r rdb.Raw
	if b.raw, err = l.reader.NextRaw(b.raw, &r); err != nil {
		return false, err
	}
	switch r.Kind {
	case rdb.KindKey:
		b.records = append(b.records, r)
		if l.delay.micros != 0 {
			l.delay.wait(1, l.stop)
		}
	case rdb.KindAux:
		err = l.readAux(&r, b.raw[r.Start:r.End])
		b.raw = b.raw[:r.Start]
	case rdb.KindSelectDB:
		if r.DB >= l.into.Databases() {
			err = &DatabaseError{Offset: r.Offset, DB: r.DB, Databases: l.into.Databases()}
		}
	case rdb.KindEOF:
		return false, nil
	}
	return true, err
}

// readAux notes what the file says about itself. Names that nobody knows are for
// other programs.
func (l *load) readAux(r *rdb.Raw, raw []byte) error {
	var rec rdb.Record
	if err := l.aux.DecodeKeyValue(&r.Head, raw, &rec); err != nil {
		return err
	}
	log, value := l.saver.Log, string(rec.Value)
	number, err := strconv.ParseInt(value, 10, 64)
	isNumber := err == nil
	switch name := string(rec.Key); {
	case name == "redis-ver" || name == "valkey-ver":
		l.info.RedisVersion = value
		log.Info("Loading RDB produced by version " + value)
	case name == "ctime" && isNumber:
		l.info.CTime = number
		log.Info(fmt.Sprintf("RDB age %d seconds", max(int64(l.now)/1000-number, 0)))
	case name == "used-mem" && isNumber:
		l.info.UsedMemBytes = number
		log.Info(fmt.Sprintf("RDB memory usage when created %.2f Mb", float64(number)/(1<<20)))
	case name == "aof-base" && isNumber:
		l.info.AOFBase = number != 0
	case name == "repl-id" && len(value) == replIDLen:
		l.info.ReplID = value
	case name == "repl-offset" && isNumber:
		l.info.ReplOffset = number
	case name == "repl-stream-db" && isNumber:
		l.info.ReplStreamDB = int(number)
	default:
		log.Debug(fmt.Sprintf("Unrecognized RDB AUX field: '%s'", name))
	}
	said := l.info
	l.said.Store(&said)
	return nil
}

// drop counts a key whose time had come.
func (l *load) drop(db int, key []byte) {
	l.expired.Add(1)
	if l.opts.Dropped == nil {
		return
	}
	said := l.said.Load()
	if said == nil {
		said = &rdb.Info{}
	}
	l.opts.Dropped(said, db, key)
}

const replIDLen = 40
