package aof

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/vfs"
)

// # Rewriting
//
// In this order, so that what a crash leaves is complete at any moment:
//
//	the next incremental file is made, and named by the manifest behind the others
//	the cut: what is appended from now on goes there
//	the base is written beside, synced, and gets its name
//	the manifest names the base and that one file; all others are history
//	history is removed, and forgotten by the manifest
//
// A file that is switched on is made so: its first incremental file has a temporary name as
// long as there is no base, and what is in it counts for nobody. Before it gets its name the
// manifest that will name both is on the disk under a temporary name of its own: that is how
// the next start tells them from files that have lost their manifest.

// A rewrite is one that is in progress.
type rewrite struct {
	mode     Mode // when it began
	commands bool
	incr     FileInfo // that was made for it, if mode is not Off
	log      *Log     // in mode Waiting

	isCut    atomic.Bool // the snapshot is this one's
	canceled atomic.Bool
	again    atomic.Bool // begin another one
	give     func()      // gives the snapshot up
	done     chan struct{}
}

// cancel gives the rewrite up. It does not wait.
func (j *rewrite) cancel(again bool) {
	if again {
		j.again.Store(true)
	}
	j.canceled.Store(true)
	if j.isCut.Load() {
		j.give()
	}
}

var errCanceled = errors.New("the rewrite was canceled")

// Errors of Rewrite.
var (
	ErrRewriting = errors.New("aof: a rewrite is in progress")
	ErrCannot    = errors.New("aof: a rewrite cannot begin")
)

// Rewrite begins a rewrite, or schedules one behind the snapshot that is in progress, or if
// it is to begin later.
func (k *Keeper) Rewrite(later bool) (scheduled bool, err error) {
	k.status.mu.Lock()
	if k.status.rewriting {
		k.status.mu.Unlock()
		return false, ErrRewriting
	}
	if later = later || k.IsBusy(); later {
		k.status.scheduled, k.status.failures = true, 0 // and no limit keeps it from beginning
	}
	k.status.mu.Unlock()
	if later {
		return true, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.job != nil {
		return false, ErrRewriting
	}
	if err := k.ready(); err != nil {
		k.Log.Warn("Can't begin to rewrite the AOF: " + text(err))
		return false, ErrCannot
	}
	k.beginRewrite()
	return false, nil
}

// ready makes sure that the folder is ours. mu is held.
func (k *Keeper) ready() error {
	if k.Mode() != Off {
		return nil
	}
	if err := k.claim(); err != nil {
		return err
	}
	return k.readManifest()
}

// IsRewriting says whether a rewrite is in progress.
func (k *Keeper) IsRewriting() bool {
	k.status.mu.Lock()
	defer k.status.mu.Unlock()
	return k.status.rewriting
}

// Yield gives a rewrite that is in progress up, to begin again when it can, and waits for its
// end.
func (k *Keeper) Yield() { k.giveUp(true) }

// GiveUp gives a rewrite that is in progress up, and waits for its end.
func (k *Keeper) GiveUp() { k.giveUp(false) }

func (k *Keeper) giveUp(again bool) {
	k.mu.Lock()
	j := k.job
	if j != nil {
		j.cancel(again)
	}
	k.mu.Unlock()
	if j != nil {
		<-j.done
	}
}

// beginRewrite begins one. mu is held, and the manifest is known.
func (k *Keeper) beginRewrite() {
	j := &rewrite{mode: k.Mode(), commands: !optPreamble.Get(k.Options), give: k.CancelSnapshot,
		done: make(chan struct{})}
	k.job = j
	s := &k.status
	s.mu.Lock()
	s.rewriting, s.scheduled, s.startMono = true, false, k.Clock.Mono()
	s.rewrites++
	s.mu.Unlock()
	k.relax()
	k.Log.Info(fmt.Sprintf("Background append only file rewriting started by pid %d", k.PID))
	k.working.Go(func() {
		err := k.rewrite(j)
		k.endRewrite(j, err)
	})
}

func (k *Keeper) rewrite(j *rewrite) error {
	if err := k.prepare(j); err != nil {
		return err
	}
	size, err := k.writeBase(j.commands, func() { k.cut(j) })
	if j.canceled.Load() {
		err = errCanceled
	}
	if err == nil {
		return k.install(j, size)
	}
	k.cleanUp(j)
	return err
}

// prepare makes the file that the stream will go on in.
func (k *Keeper) prepare(j *rewrite) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if j.canceled.Load() {
		return errCanceled
	}
	switch l := k.log.Load(); {
	case j.mode == On && l.Postpone():
		// An earlier rewrite has failed before anything was written to its file.
	case j.mode == On:
		info, err := k.nextIncr(l)
		if err != nil {
			return err
		}
		return l.Prepare(info)
	case j.mode == Waiting:
		j.incr = k.manifest.nextIncr(k.dir.Prefix)
		temp := j.incr
		temp.Name = k.tempIncr()
		if err := k.dir.CreateIncr(temp); err != nil {
			return err
		}
		l, err := newLog(&k.dir, k.Journal, temp, 0)
		if err != nil {
			return err
		}
		l.file.seq = j.incr.Seq
		k.configure(l)
		j.log = l
	}
	return nil
}

// nextIncr is the incremental file behind the one that is written: durable, empty, and named
// by the manifest. A rewrite that could not open it has left it: nothing may be written to a
// later one then, since a file says how much there was of the one right before it. mu is held.
func (k *Keeper) nextIncr(l *Log) (FileInfo, error) {
	if last := k.manifest.Incrs[len(k.manifest.Incrs)-1]; last.Seq != l.Seq() {
		return last, nil
	}
	m := k.manifest.Clone()
	info := m.NewIncr(k.dir.Prefix)
	if err := k.dir.CreateIncr(info); err != nil {
		return FileInfo{}, err
	}
	if err := k.dir.WriteManifest(m); err != nil {
		return FileInfo{}, err // an older one does as well, and the file is empty
	}
	k.manifest, k.unsure = m, false
	return info, nil
}

// cut is called in exclusive mode at the moment of the snapshot.
func (k *Keeper) cut(j *rewrite) {
	switch j.mode {
	case On:
		if l := k.log.Load(); l != nil {
			l.Cut()
		}
	case Waiting:
		if k.Mode() == Waiting {
			j.log.attach()
			k.log.Store(j.log)
		}
	}
	j.isCut.Store(true)
	if j.canceled.Load() {
		j.give()
	}
}

func (k *Keeper) tempBase() string { return k.dir.In("temp-" + k.dir.Prefix + ".base") }
func (k *Keeper) tempIncr() string { return "temp-" + k.dir.Prefix + ".incr" }

// writeBase writes the data set to a temporary file, and syncs that.
func (k *Keeper) writeBase(commands bool, cut func()) (size int64, err error) {
	if err := k.dir.remove(k.tempBase()); err != nil {
		return 0, err
	}
	f, err := k.dir.FS.Create(k.tempBase())
	if err != nil {
		return 0, err
	}
	w := &baseWriter{f: f, incremental: optIncrementalSync.Get(k.Options)}
	if commands && optTimestamps.Get(k.Options) {
		_, err = fmt.Fprintf(w, "#TS:%d\r\n", k.Clock.Wall()/1e6)
	}
	if err == nil {
		err = k.Snapshot(w, commands, cut)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		if removing := k.dir.remove(k.tempBase()); removing != nil {
			k.Log.Warn("A temporary file is left: " + removing.Error())
		}
		return 0, err
	}
	return w.size, nil
}

// remove removes a file that may be there.
func (d *Dir) remove(path string) error {
	if err := d.FS.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// install makes what was written the data set that the manifest names.
func (k *Keeper) install(j *rewrite, size int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if j.canceled.Load() {
		_ = k.dir.remove(k.tempBase())
		k.dropIncr(j)
		return errCanceled
	}
	begin := k.Clock.Mono()
	m := k.manifest.Clone()
	keep := 0
	if j.mode == On {
		keep = 1
	}
	base := m.NewBase(k.dir.Prefix, !j.commands, keep)
	if j.mode == Waiting {
		m.addIncr(j.incr)
	}
	if err := k.name(j, m, base); err != nil {
		return err
	}
	k.Latency.Observe("aof-rename", (k.Clock.Mono()-begin)/1e6)
	k.manifest, k.unsure = m, false
	s := &k.status
	switch j.mode {
	case On:
		l := k.log.Load()
		l.Rebased()
		if !l.IsLost() { // a sync of the file that goes on may have failed too
			k.clearFailures()
		}
	case Waiting:
		k.setMode(On)
	}
	s.mu.Lock()
	s.bytes, s.logBefore = size, 0
	if l := k.log.Load(); l != nil {
		s.logBefore = l.beforeCut()
	}
	s.baseBytes = s.bytes
	if l := k.log.Load(); l != nil {
		s.baseBytes += l.Bytes() - s.logBefore
	}
	s.mu.Unlock()
	k.gather()
	k.wakeSyncer()
	k.Release()
	return nil
}

// name gives the files their names, and replaces the manifest.
func (k *Keeper) name(j *rewrite, m *Manifest, base FileInfo) error {
	err := k.dir.stage(m)
	if err == nil {
		err = k.dir.FS.Rename(k.tempBase(), k.dir.In(base.Name))
	}
	if err != nil {
		_ = k.dir.remove(k.tempBase())
		k.dropIncr(j)
		return err
	}
	if j.mode == Waiting {
		err = k.dir.FS.Rename(k.dir.In(k.tempIncr()), k.dir.In(j.incr.Name))
	}
	if err == nil {
		err = k.dir.FS.SyncDir(k.dir.Path)
	}
	if err == nil {
		err = k.dir.commit()
	}
	if err != nil {
		// The disk's manifest may be the new one. What it names stays.
		k.manifest.abandon(base)
		k.unsure = true
		if j.mode == Waiting {
			k.manifest.incrSeq = j.incr.Seq
			k.detachIncr(j)
		}
	}
	return err
}

// cleanUp removes what a rewrite that failed has made.
func (k *Keeper) cleanUp(j *rewrite) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropIncr(j)
}

// dropIncr removes the file that was written for nobody. mu is held.
func (k *Keeper) dropIncr(j *rewrite) {
	if j.log == nil {
		return
	}
	k.Log.Info(fmt.Sprintf("Removing the temp incr aof file %s in the background", k.tempIncr()))
	k.detachIncr(j)
	if err := k.dir.remove(k.dir.In(k.tempIncr())); err != nil {
		k.Log.Warn("A temporary file is left: " + err.Error())
	}
}

func (k *Keeper) detachIncr(j *rewrite) {
	if j.log != nil {
		k.log.CompareAndSwap(j.log, nil)
		_ = j.log.drop()
	}
}

// A baseWriter counts, and brings to the disk, what is written to a base.
type baseWriter struct {
	f           vfs.File
	size        int64
	unsynced    int64
	incremental bool
}

// baseSyncBytes is how much of a base is written between two syncs.
const baseSyncBytes = 4 << 20

// Write implements [io.Writer].
func (w *baseWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.size += int64(n)
	w.unsynced += int64(n)
	if err == nil && w.incremental && w.unsynced >= baseSyncBytes {
		w.unsynced = 0
		err = w.f.Sync()
	}
	return n, err
}

var _ io.Writer = (*baseWriter)(nil)
