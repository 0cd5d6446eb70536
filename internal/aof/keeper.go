package aof

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/vfs"
)

// # Keeping the file
//
// A Keeper is the append-only file of a running server. It is the barrier that replies wait
// for, has the file written and synced as appendfsync says, rewrites it, and knows what to do
// when the disk fails.
//
//	loops    end of a turn --Flush--> write(2), or leave it to a goroutine; Open, Strict
//	writer   writes while a sync is under way, since a write may wait for it in the kernel
//	syncer   syncs; tries again what failed
//	rewrite  a goroutine while it lasts
//
// It is in one of three modes, which are Redis's:
//
//	Off      nothing is written
//	Waiting  switched on; what is written counts when the first rewrite has succeeded
//	On

// A Mode says whether there is a file to be written.
type Mode int32

// The modes.
const (
	Off Mode = iota
	Waiting
	On
)

// KeeperConfig is what a Keeper is made of.
type KeeperConfig struct {
	FS      vfs.FS
	Clock   clock.Clock
	Log     *slog.Logger
	Latency *observe.LatencyMonitor
	Options *config.Set
	Journal *journal.Journal
	PID     int

	// DataDir is the option dir, absolute.
	DataDir func() string
	// Lock takes the lock of a file, which it makes, or says who has it. It may be nil.
	Lock func(name string) (io.Closer, error)

	// Snapshot writes the data set to w, as commands or else in the form of RDB. It calls cut
	// at the moment whose state that is, in exclusive mode. Its error is ErrSnapshotBusy if
	// another snapshot is in progress, and ErrFlushed if it was given up for no fault.
	Snapshot func(w io.Writer, commands bool, cut func()) error
	// IsBusy says whether a snapshot is in progress, for whomever.
	IsBusy func() bool
	// CancelSnapshot gives up the one of Snapshot. It does not wait.
	CancelSnapshot func()

	// Guard makes replies wait for the keeper, or for nobody.
	Guard func(on bool)
	// Release has replies sent that no longer wait.
	Release func()
	// Changed, if set, is called when Failing has another answer.
	Changed func()
}

// What Snapshot may fail with.
var (
	ErrSnapshotBusy = errors.New("aof: another snapshot is in progress")
	ErrFlushed      = errors.New("aof: the data set was flushed")
)

// A Keeper is a server's. It is safe for concurrent use.
type Keeper struct {
	KeeperConfig

	mode    atomic.Int32
	log     atomic.Pointer[Log] // what is written; nil if nothing is
	policy  atomic.Int32
	relaxed atomic.Bool // no sync while a snapshot or a rewrite is written: no-appendfsync-on-rewrite
	pacer               // keeper_sync.go
	status  status      // keeper_status.go

	// mu is of what follows, and is held while files are made and removed. No loop waits for
	// it but in CONFIG SET.
	mu       sync.Mutex
	dir      Dir
	lock     io.Closer // of the folder; nil before it is needed
	manifest *Manifest // nil if there is none
	unsure   bool      // the manifest on the disk may be a later one, which failed
	job      *rewrite  // the rewrite in progress

	stop    chan struct{}
	working sync.WaitGroup
}

// NewKeeper makes a Keeper that is Off.
func NewKeeper(c KeeperConfig) *Keeper {
	k := &Keeper{KeeperConfig: c, stop: make(chan struct{})}
	k.pacer.init()
	k.status.init()
	k.follow()
	k.Options.OnChange(optSync, k.follow, optNoSyncOnRewrite, optTimestamps, optChecksum)
	k.Options.OnChange(optNoHistoryGC, k.collect)
	k.Options.OnApply(optOn, k.apply)
	k.working.Go(k.sync)
	k.working.Go(k.write)
	return k
}

// follow takes options over.
func (k *Keeper) follow() {
	k.policy.Store(int32(optSync.Get(k.Options)))
	if l := k.log.Load(); l != nil {
		k.configure(l)
	}
	k.relax()
	k.Release()
}

var errCannotSwitchOn = config.Reason("Unable to turn on AOF. Check server logs.")

// apply is called when appendonly was changed.
func (k *Keeper) apply() error {
	if !optOn.Get(k.Options) {
		_ = k.SwitchOff() // it is off in any case
		return nil
	}
	if k.SwitchOn() != nil {
		return errCannotSwitchOn
	}
	return nil
}

func (k *Keeper) configure(l *Log) {
	l.bare.Store(!optChecksum.Get(k.Options))
	if optTimestamps.Get(k.Options) {
		now := func() int64 { return k.Clock.Wall() / 1e6 }
		l.clock.Store(&now)
	} else {
		l.clock.Store(nil)
	}
}

// relax finds out whether nothing is to be synced since a snapshot or a rewrite is written:
// no-appendfsync-on-rewrite.
func (k *Keeper) relax() {
	relaxed := optNoSyncOnRewrite.Get(k.Options) && (k.IsBusy() || k.IsRewriting())
	if k.relaxed.Swap(relaxed) != relaxed {
		k.Release()
	}
	k.wakeSyncer()
}

// Mode says whether there is a file that is written.
func (k *Keeper) Mode() Mode { return Mode(k.mode.Load()) }

// claim makes the folder and takes its lock. mu is held.
func (k *Keeper) claim() error {
	if k.Mode() != Off {
		return nil
	}
	data := k.DataDir()
	path := filepath.Join(data, optDirName.Get(k.Options))
	if k.lock != nil {
		if k.dir.Path != path {
			return fmt.Errorf("a rewrite in %s has not ended", k.dir.Path)
		}
		return nil
	}
	k.dir = Dir{FS: k.FS, Path: path, Prefix: optFileName.Get(k.Options)}
	if err := k.FS.Mkdir(k.dir.Path); err != nil {
		//lint:ignore ST1005 Redis's words
		return fmt.Errorf("Can't open or create append-only dir %s: %w", k.dir.Path, err)
	}
	if err := k.FS.SyncDir(data); err != nil {
		return err
	}
	if k.Lock == nil {
		return nil
	}
	lock, err := k.Lock(k.dir.In(k.dir.Prefix + ".lock"))
	if err != nil {
		return fmt.Errorf("the append-only file in %s cannot be used: %w", k.dir.Path, err)
	}
	k.lock = lock
	return nil
}

// Claim makes the folder and takes its lock, before the files are loaded.
func (k *Keeper) Claim() (*Dir, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.claim()
	return &k.dir, err
}

// Dir is where the files are, whether there is a file that is written or not.
func (k *Keeper) Dir() *Dir {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mode.Load() != int32(Off) {
		d := k.dir
		return &d
	}
	return &Dir{FS: k.FS, Path: filepath.Join(k.DataDir(), optDirName.Get(k.Options)),
		Prefix: optFileName.Get(k.Options)}
}

// Begin goes on with the files that were loaded, or makes the first ones of the data that
// are there. Nothing may be appended to the journal before it returns. The folder was
// claimed.
func (k *Keeper) Begin(loaded Loaded) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := loaded.Manifest
	if m == nil {
		m = &Manifest{}
	}
	m = m.Clone()
	bytes, changed := loaded.Bytes, false
	if m.Base == nil && len(m.Incrs) == 0 {
		n, err := k.firstBase(m)
		if err != nil {
			return err
		}
		bytes, changed = n, true
	}
	size := int64(0)
	if len(m.Incrs) == 0 {
		info := m.NewIncr(k.dir.Prefix)
		k.Log.Info(fmt.Sprintf("Creating AOF incr file %s on server start", info.Name))
		if err := k.dir.CreateIncr(info); err != nil {
			return fmt.Errorf("aof: %w", err)
		}
		changed = true
	} else {
		size = loaded.Files[len(loaded.Files)-1].Size
		k.Log.Info(fmt.Sprintf("Opening AOF incr file %s on server start", m.Incrs[len(m.Incrs)-1].Name))
	}
	err := k.dir.syncIncrs(m)
	if err == nil && changed {
		err = k.dir.WriteManifest(m)
	}
	if err != nil {
		return fmt.Errorf("aof: %w", err)
	}
	l, err := newLog(&k.dir, k.Journal, m.Incrs[len(m.Incrs)-1], size)
	if err != nil {
		return fmt.Errorf("aof: %w", err)
	}
	k.manifest = m
	k.status.sized(bytes)
	k.configure(l)
	l.attach()
	k.log.Store(l)
	k.setMode(On)
	k.gather()
	return nil
}

// syncIncrs makes the incremental files durable, and the names of all: what was loaded may
// have been written by a process that was killed before it got to the disk.
func (d *Dir) syncIncrs(m *Manifest) error {
	for _, info := range m.Incrs {
		f, err := d.FS.Append(d.In(info.Name))
		if err != nil {
			return err
		}
		if err = errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return d.FS.SyncDir(d.Path)
}

// firstBase makes the base of the data that are there.
func (k *Keeper) firstBase(m *Manifest) (size int64, err error) {
	rdb := optPreamble.Get(k.Options)
	info := m.NewBase(k.dir.Prefix, rdb, 0)
	k.Log.Info(fmt.Sprintf("Creating AOF base file %s on server start", info.Name))
	if size, err = k.writeBase(!rdb, func() {}); err == nil {
		err = k.dir.FS.Rename(k.tempBase(), k.dir.In(info.Name))
	}
	if err == nil {
		err = k.dir.FS.SyncDir(k.dir.Path)
	}
	if err != nil {
		return 0, fmt.Errorf("aof: %w", err)
	}
	return size, nil
}

func (k *Keeper) setMode(m Mode) {
	k.mode.Store(int32(m))
	k.Guard(m == On)
	k.wakeSyncer()
}

// SwitchOn begins with a rewrite, or schedules one behind the snapshot in progress. From its
// success on the mode is On.
func (k *Keeper) SwitchOn() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.Mode() != Off {
		return nil
	}
	if err := k.ready(); err != nil {
		return k.cannot(err)
	}
	k.clearFailures()
	k.setMode(Waiting)
	switch {
	case k.job != nil:
		k.Log.Warn("AOF was enabled but there is already an AOF rewriting in background. " +
			"Stopping background AOF and starting a rewrite now.")
		k.job.cancel(true)
		k.status.schedule()
	case k.IsBusy():
		k.Log.Warn("AOF was enabled but there is already another background operation. " +
			"An AOF background was scheduled to start when possible.")
		k.status.schedule()
	default:
		k.beginRewrite()
	}
	return nil
}

func (k *Keeper) cannot(err error) error {
	k.Log.Warn("Redis needs to enable the AOF but can't trigger a background AOF rewrite operation: " +
		text(err))
	return err
}

// readManifest takes over what is on the disk, when nobody has written since. After an error the
// folder is not ours any more. mu is held.
func (k *Keeper) readManifest() error {
	m, err := k.dir.ReadManifest()
	if err != nil {
		k.release()
		return err
	}
	if m == nil {
		m = &Manifest{}
	}
	k.manifest, k.unsure = m, false
	return nil
}

// SwitchOff ends the writing when everything is on the disk, and a rewrite in progress. An
// error says what is not.
func (k *Keeper) SwitchOff() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.Mode() == Off {
		return nil
	}
	if k.job != nil {
		k.Log.Info("Killing running AOF rewrite child")
		k.job.cancel(false)
	}
	k.status.unschedule()
	l := k.log.Load()
	var err error
	if l != nil && k.Mode() == On {
		if err = errors.Join(l.Flush(), l.Sync()); err != nil {
			k.Log.Warn("Fail to fsync the AOF file: " + text(err) + ". AOF was switched off all the same.")
		}
	}
	k.detach()
	k.setMode(Off)
	k.release()
	return err
}

// detach ends the writing. mu is held.
func (k *Keeper) detach() {
	if l := k.log.Swap(nil); l != nil {
		_ = l.drop()
	}
	k.clearFailures()
}

// release gives the folder back. mu is held.
func (k *Keeper) release() {
	if k.lock != nil && k.job == nil {
		_ = k.lock.Close()
		k.lock = nil
	}
}

// Suspend ends the writing to the file, whose data set is about to be replaced as a whole,
// until Rebase. Nothing is lost by that but what is not wanted any more.
func (k *Keeper) Suspend() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.Mode() == Off {
		return
	}
	if k.job != nil {
		k.job.cancel(false)
	}
	k.status.unschedule()
	k.detach()
	k.setMode(Waiting)
}

// Rebase begins anew with a base of the data that are there.
func (k *Keeper) Rebase() {
	k.Suspend()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.Mode() != Waiting {
		return
	}
	if k.job != nil || k.IsBusy() {
		k.status.schedule()
		return
	}
	k.beginRewrite()
}

// Close ends everything, when all is written and synced that can be.
func (k *Keeper) Close() error {
	k.mu.Lock()
	j := k.job
	if j != nil {
		j.cancel(false)
	}
	k.mu.Unlock()
	if j != nil {
		<-j.done
	}
	close(k.stop)
	k.working.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	var err error
	if l := k.log.Swap(nil); l != nil {
		err = l.Close()
	}
	k.mode.Store(int32(Off))
	k.release()
	return err
}

// SyncNow writes and syncs everything that was appended, as SHUTDOWN wants it.
func (k *Keeper) SyncNow() error {
	l := k.log.Load()
	if l == nil {
		return nil
	}
	return errors.Join(l.Flush(), l.Sync())
}

// WriteNow writes what was appended.
func (k *Keeper) WriteNow() error {
	if l := k.log.Load(); l != nil {
		return l.Flush()
	}
	return nil
}

// collect removes the files that rewrites have replaced, if that is wanted.
func (k *Keeper) collect() {
	if optNoHistoryGC.Get(k.Options) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.manifest != nil && k.job == nil && k.Mode() != Off {
		k.gather()
	}
}

// gather removes what the manifest calls history. mu is held.
func (k *Keeper) gather() {
	if optNoHistoryGC.Get(k.Options) || len(k.manifest.History) == 0 {
		return
	}
	m := k.manifest.Clone()
	err := error(nil)
	if k.unsure { // what the disk's manifest names must not go
		err = k.dir.WriteManifest(m)
	}
	if err == nil {
		k.unsure = false
		err = k.dir.RemoveHistory(m)
		k.manifest = m
	}
	if err != nil {
		k.Log.Warn("Removing the AOF files that are history failed: " + text(err))
	}
}

// text is an error in the words of C programs, which scripts look for.
func text(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	s := err.Error()
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
