package snapshot

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/vfs"
)

// Whichever call fails, once: the old file is there or the new one, whole; no
// temporary file is left; the status says so, and
// writes are stopped; the next save mends it all.
func TestEveryFileCallFails(t *testing.T) {
	mem := vfs.NewMem("/data")
	faults := &vfs.Faults{FS: mem}
	st := newStore(t, faults, "/data", 2)
	optCompress.Store(st.set, false)
	st.setKey(1, "big", strings.Repeat("v", 2*writeBytes), keyspace.NoTTL)
	if err := st.Save(nil); err != nil {
		t.Fatal(err)
	}
	for at := 1; ; at++ {
		content, _ := mem.Get("/data/dump.rdb")
		before := parse(t, content)
		st.AddChanges(-st.Status().Changes)
		for i := range 100 {
			st.setKey(i%2, fmt.Sprint("k", i), fmt.Sprint("value ", at, i), keyspace.NoTTL)
		}
		st.AddChanges(100)
		faults.At, faults.Err = len(faults.Calls())+at, syscall.ENOSPC
		if err := st.SaveInBackground(); err != nil {
			t.Fatal(err)
		}
		st.Wait(nil)
		calls := faults.Calls()
		if len(calls) < faults.At {
			if s := st.Status(); !s.LastOK || s.Changes != 0 || at < 20 {
				t.Errorf("nothing failed in %d calls: %+v", at, s)
			}
			return
		}
		what := calls[faults.At-1]
		wantFailure(t, st, what)
		file, _ := mem.Get("/data/dump.rdb")
		if strings.HasPrefix(what, "syncdir") { // the last call: the new file is complete
			before = st.model()
		}
		wantModel(t, parse(t, file), before)
		if len(mem.Names()) != 1 {
			t.Errorf("%s failed: files %s", what, mem)
		}
		if at%8 == 0 {
			wantMended(t, st, mem)
		}
	}
}

// wantMended saves without faults.
func wantMended(t *testing.T, st *store, mem *vfs.Mem) {
	t.Helper()
	if err := st.Save(nil); err != nil {
		t.Fatal(err)
	}
	if s := st.Status(); !s.LastOK || st.WritesStopped() || s.Changes != 0 {
		t.Errorf("after the next save: %+v", s)
	}
	file, _ := mem.Get("/data/dump.rdb")
	wantModel(t, parse(t, file), st.model())
	if names := mem.Names(); len(names) != 1 {
		t.Errorf("files %q", names)
	}
}

func wantFailure(t *testing.T, st *store, what string) {
	t.Helper()
	s := st.Status()
	if s.LastOK || s.InProgress || s.Changes != 100 || !st.WritesStopped() {
		t.Errorf("%s failed: %+v, writes stopped %v", what, s, st.WritesStopped())
	}
	st.wantLog("no space left on device")
	st.wantLog("Background saving error")
	if st.ks.Snapshot() != nil {
		t.Errorf("%s failed: the snapshot is still there", what)
	}
	if err := st.ks.Check(); err != nil {
		t.Error(err)
	}
}

// Whenever the process is killed or the power fails: the old file or the new one. (Faults 3B10
// and 3B12: a rename whose folder was not synced, one before the file was.)
func TestCrashAtEveryCall(t *testing.T) {
	for at := 1; ; at++ {
		mem := vfs.NewMem("/data")
		faults := &vfs.Faults{FS: mem, Dead: true}
		st := newStore(t, faults, "/data", 1)
		st.setKey(0, "old", "1", keyspace.NoTTL)
		if err := st.Save(nil); err != nil {
			t.Fatal(err)
		}
		content, _ := mem.Get("/data/dump.rdb")
		before := parse(t, content)
		st.AddChanges(-st.Status().Changes)
		for i := range 100 {
			st.setKey(0, fmt.Sprint("k", i), "value", keyspace.NoTTL)
		}
		faults.At, faults.Err = len(faults.Calls())+at, syscall.EIO
		err := st.Save(nil)
		for _, after := range []*vfs.Mem{mem, mem.PowerFailure()} {
			again := newStore(t, after, "/data", 1)
			if _, err := again.Load(LoadOptions{}); err != nil {
				t.Fatalf("crash at call %d: %v", at, err)
			}
			got := again.model()
			want := before
			if len(got) != 1 || err == nil {
				want = st.model()
			}
			wantModel(t, got, want)
		}
		if err == nil {
			return
		}
	}
}

// What is wrong with the folder or the target is an error, and nothing is lost.
func TestHostilePlaces(t *testing.T) {
	mem := vfs.NewMem("/data", "/data/dump.rdb")
	st := newStore(t, mem, "/data", 1)
	st.setKey(0, "k", "v", keyspace.NoTTL)
	if err := st.Save(nil); err == nil {
		t.Error("a folder was replaced")
	}
	if _, err := st.Load(LoadOptions{}); err == nil {
		t.Error("a folder was loaded")
	}
	if names := mem.Names(); len(names) != 0 {
		t.Errorf("files %q", names)
	}
	mem = vfs.NewMem("/data")
	mem.Put("/data/temp-77.rdb", []byte("of a crashed process"))
	st = newStore(t, mem, "/data", 1)
	if err := st.Save(nil); err != nil {
		t.Error(err)
	}
	if names := mem.Names(); len(names) != 1 || names[0] != "/data/dump.rdb" {
		t.Errorf("files %q", names)
	}
}

// A background save can be canceled; there is only one at a time; a failure of SAVE
// does not stop writes, as in Redis.
func TestCancel(t *testing.T) {
	mem := vfs.NewMem("/data")
	st := newStore(t, mem, "/data", 1)
	for i := range 100 {
		st.setKey(0, fmt.Sprint("k", i), "v", keyspace.NoTTL)
	}
	st.AddChanges(100)
	optSaveDelay.Store(st.set, 10_000_000)
	if st.Cancel() {
		t.Error("nothing was canceled")
	}
	if err := st.SaveInBackground(); err != nil {
		t.Fatal(err)
	}
	if err := st.SaveInBackground(); !errors.Is(err, ErrBusy) {
		t.Errorf("a second save: %v", err)
	}
	if err := st.Save(nil); !errors.Is(err, ErrBusy) {
		t.Errorf("SAVE beside it: %v", err)
	}
	for st.Status().KeysTotal == 0 {
		time.Sleep(time.Millisecond)
	}
	if s := st.Status(); !s.InProgress || s.KeysTotal != 100 || s.NowSeconds != 0 || s.LastSeconds != -1 {
		t.Errorf("in progress: %+v", s)
	}
	if !st.Cancel() {
		t.Error("not canceled")
	}
	gate := st.ks.NewGate()
	gate.Enter()
	st.Wait(gate)
	gate.Leave()
	if s := st.Status(); !s.LastOK || s.InProgress || s.Changes != 100 || s.LastSeconds != 0 {
		t.Errorf("canceled: %+v", s)
	}
	if names := mem.Names(); len(names) != 0 {
		t.Errorf("files %q", names)
	}
	optSaveDelay.Store(st.set, 0)
	gate.Enter()
	if err := st.Save(gate); err != nil {
		t.Error(err)
	}
	gate.Leave()
	if s := st.Status(); s.Changes != 0 || s.Saves != 2 {
		t.Errorf("saved: %+v", s)
	}
}

// Save points come due after their time and their changes; after a failure there is a
// pause; a scheduled save needs neither.
func TestCron(t *testing.T) {
	c := clock.NewManual(1_800_000_000_000)
	mem := vfs.NewMem("/data")
	faults := &vfs.Faults{FS: mem, Err: syscall.EIO}
	st := newStoreAt(t, faults, "/data", 1, c)
	optSave.Store(st.set, []SavePoint{{100, 1}, {10, 50}})
	saves := func(want int64) {
		t.Helper()
		st.Cron()
		st.Wait(nil)
		if got := st.Status().Saves; got != want {
			t.Fatalf("%d saves, want %d", got, want)
		}
	}
	c.Advance(1000 * time.Second)
	saves(0) // no changes
	st.AddChanges(1)
	saves(1)
	st.wantLog("1 changes in 100 seconds. Saving...")
	if got := st.Status().LastSave; got != 1_800_001_000 {
		t.Errorf("last save at %d", got)
	}
	st.AddChanges(50)
	c.Advance(10 * time.Second)
	saves(1) // more than 10 seconds must have passed
	c.Advance(time.Second)
	faults.At, faults.Dead = len(faults.Calls())+1, true
	saves(2)
	if s := st.Status(); s.LastOK || s.Changes != 50 || !st.WritesStopped() {
		t.Errorf("after a failure: %+v", s)
	}
	c.Advance(5 * time.Second)
	saves(2)
	st.Schedule()
	saves(2)
	faults.Dead = false
	c.Advance(time.Second)
	saves(3)
	if s := st.Status(); !s.LastOK || s.Changes != 0 || st.WritesStopped() {
		t.Errorf("after a success: %+v", s)
	}
	saves(3)
	st.Schedule()
	saves(4)
}

// A save that has failed is tried again also if nothing has changed since the one before: as
// long as there are save points, writes are refused until one succeeds.
func TestFailedSaveIsTriedAgain(t *testing.T) {
	c := clock.NewManual(1_800_000_000_000)
	mem := vfs.NewMem("/data")
	faults := &vfs.Faults{FS: mem, Err: syscall.EIO}
	st := newStoreAt(t, faults, "/data", 1, c)
	optSave.Store(st.set, []SavePoint{{100, 1}})
	faults.Break(true)
	if err := st.SaveInBackground(); err != nil {
		t.Fatal(err)
	}
	st.Wait(nil)
	faults.Break(false)
	if s := st.Status(); s.LastOK || s.Changes != 0 || !st.WritesStopped() {
		t.Fatalf("after a failure: %+v", s)
	}
	c.Advance(5 * time.Second)
	st.Cron()
	if got := st.Status().Saves; got != 1 {
		t.Errorf("%d saves, want 1: it is too early", got)
	}
	c.Advance(time.Second)
	optSave.Store(st.set, nil)
	st.Cron()
	if got := st.Status().Saves; got != 1 {
		t.Errorf("%d saves, want 1: nobody wants them", got)
	}
	optSave.Store(st.set, []SavePoint{{100, 1}})
	st.Cron()
	st.Wait(nil)
	if s := st.Status(); !s.LastOK || s.Saves != 2 || st.WritesStopped() {
		t.Errorf("after a success: %+v", s)
	}
	st.wantLog("The last background save has failed. Saving...")
}

// Files that a save syncs in pieces report an error of any of them.
func TestSyncingFile(t *testing.T) {
	mem := vfs.NewMem("/d")
	faults := &vfs.Faults{FS: mem, At: 4, Err: syscall.EIO}
	f, err := faults.Create("/d/f")
	if err != nil {
		t.Fatal(err)
	}
	w := &syncingFile{f: f, every: 100}
	piece := make([]byte, 60)
	for range 2 {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if w.running == nil {
		t.Fatal("no sync is running")
	}
	if err := w.wait(); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v", err)
	}
}
