package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/vfs"
)

// versionLowest is the version that we write: the lowest that can represent strings,
// so that Redis 7.0 reads our files too. A value type that needs more raises it for
// the files that have such values at the cut.
const versionLowest rdb.Version = 10

// retrySeconds is how long a save that nobody asked for waits after one that failed.
const retrySeconds = 5

// ErrBusy means that a save is in progress, and there is only one at a time.
var ErrBusy = errors.New("snapshot: a save is in progress")

// Config is what a Saver is made of.
type Config struct {
	Keyspace *keyspace.Keyspace
	Options  *config.Set
	FS       vfs.FS
	Clock    clock.Clock
	Log      *slog.Logger

	// WorkDir is what a dir that is not absolute is taken from: the folder that the
	// program was started in.
	WorkDir string

	// PID names the temporary file. Servers in one process that share a folder must
	// have different ones.
	PID int

	// RedisVersion is what files say about the program that wrote them.
	RedisVersion string

	// Describe, if set, fills in what replication knows about a cut: identifier and
	// offset. It is called in exclusive mode.
	Describe func(info *rdb.Info)
}

// A Saver writes and loads the snapshot file of one server. Its methods are safe for
// concurrent use.
type Saver struct {
	Config

	walking  atomic.Pointer[walk] // of a background save
	dirty    atomic.Int64
	stopped  atomic.Bool
	progress progress

	mu        sync.Mutex
	dir       string // absolute
	job       *job   // what is in progress, or nil
	scheduled bool
	status    Status // what does not change from moment to moment
	lastTry   int64  // seconds
}

// A job is one save.
type job struct {
	background  bool
	output      *Output // of one that is not to the snapshot file
	replicas    *replicas
	startMono   int64
	dirtyBefore int64
	walk        atomic.Pointer[walk]
	stop        chan struct{} // closed to cancel
	stopOnce    sync.Once
	done        chan struct{} // closed when everything is over
	err         error         // once done is closed
}

// New makes a server's Saver. It makes the option dir absolute, and from then on
// accepts only folders that are there.
func New(c Config) (*Saver, error) {
	s := &Saver{Config: c, dir: c.WorkDir}
	if !filepath.IsAbs(c.WorkDir) {
		return nil, fmt.Errorf("snapshot: the working directory %q is not absolute", c.WorkDir)
	}
	if err := s.applyDir(); err != nil {
		return nil, fmt.Errorf("snapshot: dir %s: %w", optDir.Get(c.Options), err)
	}
	s.status.LastSave = c.Clock.Wall() / 1e6
	s.status.LastOK, s.status.LastSeconds = true, -1
	c.Options.OnApply(optDir, s.applyDir)
	c.Options.OnChange(optStopWrites, s.refreshStopped, optSave)
	return s, nil
}

// applyDir takes the option dir over.
func (s *Saver) applyDir() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := optDir.Get(s.Options)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.dir, dir)
	}
	dir = filepath.Clean(dir)
	info, err := s.FS.Stat(dir)
	if err != nil {
		if cause, ok := errors.AsType[*fs.PathError](err); ok {
			return sentence(cause.Err)
		}
		return err
	}
	if !info.IsDir() {
		return config.Reason("Not a directory")
	}
	s.dir = dir
	optDir.Store(s.Options, dir)
	return nil
}

// sentence is the system's error as C programs print it, which replies show.
func sentence(err error) error {
	text := err.Error()
	if text != "" && text[0] >= 'a' && text[0] <= 'z' {
		text = string(text[0]-'a'+'A') + text[1:]
	}
	return config.Reason(text)
}

// Path is the file that is saved to and loaded from.
func (s *Saver) Path() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return filepath.Join(s.dir, optFileName.Get(s.Options))
}

// AddChanges counts changes of the data set since the last save.
func (s *Saver) AddChanges(n int64) { s.dirty.Add(n) }

// Save saves and returns when the file is durable. gate is the caller's, if it is
// inside one, which it leaves meanwhile: it may hold no stripe, and must have counted
// its changes.
func (s *Saver) Save(gate *keyspace.Gate) error {
	j, err := s.begin(false, nil, nil)
	if err != nil {
		return err
	}
	if gate != nil {
		gate.Leave()
		defer gate.Enter()
	}
	s.run(j)
	return j.err
}

// SaveInBackground begins a save and returns at once. Its outcome is in Status.
func (s *Saver) SaveInBackground() error {
	j, err := s.begin(true, nil, nil)
	if err != nil {
		return err
	}
	s.Log.Info(fmt.Sprintf("Background saving started by pid %d", s.PID))
	go s.run(j)
	return nil
}

// Schedule has a background save begin as soon as Cron finds none in progress.
func (s *Saver) Schedule() {
	s.mu.Lock()
	s.scheduled = true
	s.mu.Unlock()
}

// Cancel gives up the save in progress, if it is of the background, and every one
// that is scheduled. It does not wait; Wait does.
func (s *Saver) Cancel() (canceled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	canceled = s.scheduled
	s.scheduled = false
	if s.job != nil && s.job.background && s.job.output == nil {
		s.job.cancel()
		canceled = true
	}
	return canceled
}

// Abandon gives up the save in progress, of the background or not. It does not wait.
func (s *Saver) Abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.job != nil {
		s.job.cancel()
	}
}

func (j *job) cancel() { j.stopOnce.Do(func() { close(j.stop) }) }

// Wait returns when no save is in progress that was when it was called. gate is the
// caller's, if it is inside one, which it leaves meanwhile.
func (s *Saver) Wait(gate *keyspace.Gate) {
	s.mu.Lock()
	j := s.job
	s.mu.Unlock()
	if j == nil {
		return
	}
	if gate != nil {
		gate.Leave()
		defer gate.Enter()
	}
	<-j.done
}

// Congested says whether writers should slow down because a save cannot keep up: what
// they change must be copied first. It costs an atomic load if nothing is saved.
func (s *Saver) Congested() bool {
	if s.Keyspace.Snapshot() == nil {
		return false
	}
	s.mu.Lock()
	j := s.job
	s.mu.Unlock()
	if j == nil {
		return false
	}
	w := j.walk.Load()
	return w != nil && w.congested()
}

// begin registers a save: to the snapshot file, or to o; for replicas, or not if r is nil.
func (s *Saver) begin(background bool, o *Output, r *replicas) (*job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.job != nil {
		return nil, ErrBusy
	}
	s.job = &job{
		background: background,
		output:     o,
		replicas:   r,
		startMono:  s.Clock.Mono(),
		stop:       make(chan struct{}),
		done:       make(chan struct{}),
	}
	if o != nil {
		return s.job, nil
	}
	if background {
		s.lastTry = s.Clock.Wall() / 1e6
	}
	s.status.Saves++
	return s.job, nil
}

// run does the work of a job and notes what came of it.
func (s *Saver) run(j *job) {
	err := s.writeFile(j)
	j.err = err
	s.report(j)
	s.mu.Lock()
	s.job = nil
	st := &s.status
	if j.background {
		st.LastSeconds = (s.Clock.Mono() - j.startMono) / 1e9
	}
	switch {
	case err == nil:
		s.dirty.Add(-j.dirtyBefore)
		st.LastSave, st.LastOK = s.Clock.Wall()/1e6, true
	case j.background && !errors.Is(err, ErrCanceled):
		st.LastOK = false
	}
	s.setStopped()
	s.mu.Unlock()
	close(j.done)
}

func (s *Saver) report(j *job) {
	switch {
	case j.err == nil && j.background:
		s.Log.Info("DB saved on disk")
		s.Log.Info("Background saving terminated with success")
	case j.err == nil:
		s.Log.Info("DB saved on disk")
	case errors.Is(j.err, ErrCanceled):
		s.Log.Warn("Saving was given up: it was canceled, or the data set was flushed")
	default:
		s.Log.Warn("Write error while saving DB to the disk: " + j.err.Error())
		if j.background {
			s.Log.Warn("Background saving error")
		}
	}
}

// refreshStopped is called when an option changed that stopped depends on.
func (s *Saver) refreshStopped() {
	s.mu.Lock()
	s.setStopped()
	s.mu.Unlock()
}

// setStopped is called with mu held.
func (s *Saver) setStopped() {
	s.stopped.Store(!s.status.LastOK && optStopWrites.Get(s.Options) && len(optSave.Get(s.Options)) > 0)
}

// Help makes a small step of a background save. Event loops call it once a turn, inside
// their gate and holding no stripe; it costs an atomic load if nothing is saved.
func (s *Saver) Help() {
	if w := s.walking.Load(); w != nil {
		w.stepOnLoop()
	}
}

// WritesStopped says whether writes are to be refused because saving does not work.
func (s *Saver) WritesStopped() bool { return s.stopped.Load() }

// walkOptions are those of a save to the file.
func (s *Saver) walkOptions(j *job) walkOptions {
	return walkOptions{
		version:     versionLowest,
		info:        rdb.Info{RedisVersion: s.RedisVersion},
		compress:    optCompress.Get(s.Options),
		checksum:    optChecksum.Get(s.Options),
		commands:    j.output != nil && j.output.Commands,
		delayMicros: optSaveDelay.Get(s.Options),
		helper:      runtime.GOMAXPROCS(0) > 1,
		rests:       j.background,
		cut: func(info *rdb.Info) {
			j.dirtyBefore = s.dirty.Load()
			if s.Describe != nil {
				s.Describe(info)
			}
			if j.output != nil {
				info.AOFBase = j.output.AOFBase
				if j.output.Cut != nil {
					j.output.Cut(info)
				}
			}
			if j.replicas != nil {
				j.replicas.cut(info)
			}
		},
	}
}
