package snapshot

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/vfs"
)

// A writer is one executor, which changes keys at random.
type writer struct {
	st   *store
	rng  *rand.Rand
	gate *keyspace.Gate
	txn  *keyspace.Txn
	keys int // keys are numbers below it
	buf  []byte
}

func newWriter(st *store, seed uint64, keys int) *writer {
	w := &writer{st: st, rng: rand.New(rand.NewPCG(seed, 1)), keys: keys, buf: make([]byte, 2*keyspace.Big)}
	w.gate, w.txn = st.ks.NewGate(), st.ks.NewTxn()
	for i := range w.buf {
		w.buf[i] = byte(w.rng.IntN(4)) + 'a' // compressible, but not to nothing
	}
	return w
}

// value is an integer, a short text, a longer one, or seldom a big one.
func (w *writer) value() []byte {
	switch w.rng.IntN(8) {
	case 0, 1:
		return fmt.Appendf(nil, "%d", w.rng.Int64()>>w.rng.IntN(64))
	case 2, 3, 4, 5:
		return w.buf[:w.rng.IntN(30)]
	case 6:
		return w.buf[:w.rng.IntN(400)]
	}
	if w.rng.IntN(100) > 0 {
		return nil
	}
	return w.buf[:keyspace.Big-30+w.rng.IntN(keyspace.Big)]
}

func (w *writer) expiry() int64 {
	now := int64(clock.Now(w.st.Clock))
	switch w.rng.IntN(8) {
	case 0:
		return now + w.rng.Int64N(40)
	case 1:
		return now + 1_000_000
	case 2:
		return keyspace.KeepTTL
	}
	return keyspace.NoTTL
}

func (w *writer) key() []byte { return fmt.Appendf(nil, "k%d", w.rng.IntN(w.keys)) }

// batch runs some commands inside the gate.
func (w *writer) batch() error {
	w.gate.Enter()
	defer w.gate.Leave()
	defer w.txn.Report()
	for range 1 + w.rng.IntN(16) {
		key, other := w.key(), w.key()
		w.txn.Begin(w.rng.IntN(w.st.ks.Databases()), clock.Now(w.st.Clock))
		w.txn.Lock(keyspace.StripeSet(w.st.ks.Placement(key)) | keyspace.StripeSet(w.st.ks.Placement(other)))
		err := w.command(key, other)
		w.txn.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) command(key, other []byte) (err error) {
	switch w.rng.IntN(10) {
	case 0, 1, 2:
		err = w.txn.SetString(key, w.value(), w.expiry())
	case 3, 4:
		w.txn.Delete(key)
	case 5:
		at := w.expiry()
		if at == keyspace.KeepTTL {
			at = keyspace.NoTTL
		}
		_, err = w.txn.SetExpiry(key, at)
	case 6:
		var b []byte
		old, _ := w.txn.PeekString(key)
		n := old.Len() + w.rng.IntN(20)
		if b, err = w.txn.Stretch(key, n); err == nil && n > 0 {
			b[w.rng.IntN(n)] = 'X'
		}
	case 7:
		_, err = w.txn.Rename(key, other)
	case 8:
		_, err = w.txn.Copy(key, w.rng.IntN(w.st.ks.Databases()), other)
	case 9:
		w.txn.Read(key)
	}
	return err
}

// A crowd changes a store from several goroutines until it is stopped.
type crowd struct {
	working sync.WaitGroup
	stop    atomic.Bool
	err     atomic.Pointer[error]
}

func (c *crowd) each(fn func() error) {
	c.working.Go(func() {
		for !c.stop.Load() {
			if err := fn(); err != nil {
				c.err.Store(&err)
				return
			}
		}
	})
}

func (c *crowd) end(t *testing.T) {
	t.Helper()
	c.stop.Store(true)
	c.working.Wait()
	if err := c.err.Load(); err != nil {
		t.Error(*err)
	}
}

func startCrowd(st *store, seed uint64, keys int) *crowd {
	c := &crowd{}
	st.t.Cleanup(func() { // before the keyspace is closed, whatever failed
		c.stop.Store(true)
		c.working.Wait()
	})
	for i := range 4 {
		c.each(newWriter(st, seed+uint64(i), keys).batch)
	}
	c.each(func() error { // the cron
		st.ks.SetNow(clock.Now(st.Clock))
		st.ks.Sweep(100 * time.Microsecond)
		st.ks.LazyFree()
		time.Sleep(time.Millisecond)
		return nil
	})
	return c
}

// fill gives every writer keys to begin with.
func fill(t *testing.T, st *store, n int) {
	t.Helper()
	w := newWriter(st, 99, n)
	for range n / 4 {
		if err := w.batch(); err != nil {
			t.Fatal(err)
		}
	}
}

// A file is the keyspace as it was at the cut, whatever happens while it is written:
// keys are set, changed in place, deleted, renamed, copied and expire. (Fault 3B21: keys
// that expired during a save.)
func TestFileEqualsCut(t *testing.T) {
	fs := vfs.NewMem("/data")
	st := newStore(t, fs, "/data", 3)
	var atCut model
	st.Describe = func(*rdb.Info) { atCut = modelNow(st.ks) }
	fill(t, st, 15_000)
	c := startCrowd(st, 1, 15_000)
	for round := range 5 {
		optCompress.Store(st.set, round%2 == 0)
		if err := st.Save(nil); err != nil {
			t.Fatal(err)
		}
		file, _ := fs.Get("/data/dump.rdb")
		wantModel(t, parse(t, file), atCut)
	}
	c.end(t)
	if err := st.ks.Check(); err != nil {
		t.Error(err)
	}
}

// Databases that are flushed or swapped during a save, or were just before it, do not
// change what is saved; nor do tables that grow and shrink.
func TestWholeDatabasesDuringSave(t *testing.T) {
	fs := vfs.NewMem("/data")
	st := newStore(t, fs, "/data", 3)
	var atCut model
	st.Describe = func(*rdb.Info) { atCut = modelNow(st.ks) }
	c := startCrowd(st, 7, 5_000)
	rng := rand.New(rand.NewPCG(5, 5))
	filler := newWriter(st, 77, 60_000)
	c.each(func() error {
		for range 300 {
			if err := filler.batch(); err != nil {
				return err
			}
		}
		st.ks.Exclusive(nil, func() {
			if rng.IntN(2) == 0 {
				st.ks.FlushDB(rng.IntN(3))
			} else {
				st.ks.SwapDB(rng.IntN(3), rng.IntN(3))
			}
		})
		return nil
	})
	for range 8 {
		if err := st.Save(nil); err != nil {
			t.Fatal(err)
		}
		file, _ := fs.Get("/data/dump.rdb")
		wantModel(t, parse(t, file), atCut)
	}
	c.end(t)
}

// A database flushed before the cut and not freed yet is not saved, though freeing
// saves what was flushed after the cut.
func TestFlushedBeforeTheCut(t *testing.T) {
	st := newStore(t, vfs.NewMem("/data"), "/data", 2)
	for i := range 5000 {
		st.setKey(i%2, fmt.Sprint("k", i), "v", keyspace.NoTTL)
	}
	st.ks.Exclusive(nil, func() { st.ks.FlushDB(0) })
	var file bytes.Buffer
	w := newWalk(st.ks, st.Clock, &file, nil, walkOptions{version: versionLowest})
	if err := w.cut(); err != nil {
		t.Fatal(err)
	}
	for st.ks.LazyFree() {
	}
	if err := w.finish(); err != nil {
		t.Fatal(err)
	}
	wantModel(t, parse(t, file.Bytes()), st.model())
}

// FLUSHALL ends a save. The old file stays, nothing else is left, and the status is
// what it was.
func TestFlushAllDuringSave(t *testing.T) {
	fs := vfs.NewMem("/data")
	fs.Put("/data/dump.rdb", []byte("old"))
	st := newStore(t, fs, "/data", 1)
	flush, cut := make(chan struct{}), make(chan struct{}, 1)
	st.Describe = func(*rdb.Info) { cut <- struct{}{} }
	for round := 0; ; round++ {
		for i := range 20_000 {
			st.setKey(0, fmt.Sprint("k", i), strings.Repeat("v", i%60), keyspace.NoTTL)
		}
		st.setKey(0, "big", strings.Repeat("v", 2<<20), keyspace.NoTTL)
		go func() {
			<-cut
			var release func()
			st.ks.Exclusive(nil, func() { _, release, _ = st.ks.FlushAll() })
			release()
			flush <- struct{}{}
		}()
		err := st.SaveInBackground()
		if err != nil {
			t.Fatal(err)
		}
		st.Wait(nil)
		<-flush
		if strings.Contains(st.log.String(), "given up") {
			break
		}
		if round == 20 {
			t.Skip("every save was faster than the flush")
		}
		fs.Put("/data/dump.rdb", []byte("old"))
	}
	if file, _ := fs.Get("/data/dump.rdb"); string(file) != "old" || len(fs.Names()) != 1 {
		t.Errorf("files %s, %.20q", fs, file)
	}
	if s := st.Status(); !s.LastOK || s.InProgress {
		t.Errorf("status %+v", s)
	}
	if err := st.ks.Check(); err != nil {
		t.Error(err)
	}
}

// Big values are written from where they are, and do not stay lent.
func TestBigValues(t *testing.T) {
	fs := vfs.NewMem("/data")
	st := newStore(t, fs, "/data", 2)
	for _, compress := range []bool{true, false} {
		optCompress.Store(st.set, compress)
		for i, n := range []int{keyspace.Big - 40, keyspace.Big - 1, keyspace.Big, compressBytesMax,
			compressBytesMax + 1, 5 << 20} {
			st.setKey(i%2, fmt.Sprint("big", i), strings.Repeat("abc", n/3), int64(4102444800000+i))
			st.setKey(0, strings.Repeat("k", n), "7", keyspace.NoTTL) // a big key
		}
		if err := st.Save(nil); err != nil {
			t.Fatal(err)
		}
		file, _ := fs.Get("/data/dump.rdb")
		wantModel(t, parse(t, file), st.model())
		if held := st.Status().BytesHeld; held != 0 {
			t.Errorf("%d bytes are held", held)
		}
	}
	var release func()
	st.ks.Exclusive(nil, func() { _, release, _ = st.ks.FlushAll() })
	release()
	if used := st.ks.UsedMemory(); used != 0 {
		t.Errorf("%d bytes live in an empty keyspace", used)
	}
}

// A save and a load keep idle times or access counters, by the policy.
func TestAccessIsSaved(t *testing.T) {
	for _, policy := range []keyspace.Policy{keyspace.AllKeysLRU, keyspace.VolatileLFU, keyspace.NoEviction} {
		fs := vfs.NewMem("/data")
		c := clock.NewManual(1_800_000_000_000)
		set := func(st *store) {
			st.ks.Tuning.Policy.Store(int32(policy))
			st.ks.Tuning.TrackClock.Store(policy.Clocks())
		}
		st := newStoreAt(t, fs, "/data", 1, c)
		set(st)
		st.setKey(0, "old", "v", keyspace.NoTTL)
		st.do(0, func(x *keyspace.Txn) { x.SetAccess([]byte("old"), 0, 9) })
		c.Advance(100 * time.Second)
		st.setKey(0, "new", "v", keyspace.NoTTL)
		if err := st.Save(nil); err != nil {
			t.Fatal(err)
		}
		again := newStoreAt(t, fs, "/data", 1, c)
		set(again)
		if _, err := again.Load(LoadOptions{}); err != nil {
			t.Fatal(err)
		}
		access := func(st *store, key string) (n int64) {
			st.do(0, func(x *keyspace.Txn) {
				v, _ := x.Peek([]byte(key))
				if n = keyspace.Idle(v.Clock(), x.Now); policy.LFU() {
					n = st.ks.Frequency(v, x.Now)
				}
			})
			return n
		}
		for _, key := range []string{"old", "new"} {
			if got, want := access(again, key), access(st, key); got != want {
				t.Errorf("policy %d: the access of %s is %d, was %d", policy, key, got, want)
			}
		}
		if policy.LFU() && access(again, "old") < 8 {
			t.Errorf("the counter was lost: %d", access(again, "old"))
		}
	}
}

// Copying a record into its chunk allocates nothing.
func TestSavingAllocatesNothing(t *testing.T) {
	st := newStore(t, vfs.NewMem("/data"), "/data", 1)
	st.setKey(0, "key", "value", 4102444800000)
	w := newWalk(st.ks, st.Clock, nil, nil, walkOptions{})
	st.do(0, func(x *keyspace.Txn) {
		v, ok := x.Peek([]byte("key"))
		if !ok {
			t.Fatal("no key")
		}
		if n := testing.AllocsPerRun(1000, func() {
			w.save(3, 0, v)
			w.lanes[3].c.buf, w.lanes[3].db = w.lanes[3].c.buf[:0], -1
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
