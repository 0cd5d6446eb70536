package server

import (
	"errors"
	"io"
	"runtime"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/infocmd"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/vfs"
)

// newKeeper makes what writes the append-only file.
func (s *Server) newKeeper(pid int) *aof.Keeper {
	k := aof.NewKeeper(aof.KeeperConfig{
		FS: vfs.OS{}, Clock: s.clock, Log: s.slog, Latency: s.latency, Options: s.config, Journal: s.journal,
		PID: pid, DataDir: func() string { return snapshot.Dir(s.config) }, Lock: vfs.OS{}.Lock,
		Snapshot: s.writeBase, IsBusy: s.saver.Busy, CancelSnapshot: s.saver.CancelOutput,
		Guard: func(on bool) {
			if on {
				s.shared.SetBarrier(s.keeper)
			} else {
				s.shared.SetBarrier(nil)
			}
		},
		Release: func() {
			if s.shared != nil { // else it is being made
				s.shared.Release()
			}
		},
		Changed: s.attendMisconf,
	})
	snapshot.OnDir(s.config, func() error {
		if k.Mode() != aof.Off {
			return errDirInUse
		}
		return nil
	})
	return k
}

// errDirInUse keeps the data of a server that appends to a file together.
var errDirInUse = config.Reason("the append-only file is written there; set appendonly to no first")

// writeBase writes the data set for the keeper.
func (s *Server) writeBase(w io.Writer, commands bool, cut func()) error {
	err := s.saver.WriteTo(w, snapshot.Output{
		AOFBase: true, Commands: commands, Cut: func(*rdb.Info) { cut() },
	})
	switch {
	case errors.Is(err, snapshot.ErrBusy):
		return aof.ErrSnapshotBusy
	case errors.Is(err, snapshot.ErrCanceled):
		return aof.ErrFlushed
	}
	return err
}

// attendMisconf has the gates asked about writes while there is something to object to.
func (s *Server) attendMisconf() {
	if s.shared != nil {
		s.shared.Attend(exec.AttendMisconf, s.saver.WritesStopped() || s.keeper.Failing() != nil)
	}
}

// loadFile fills the keyspace from the append-only file, or from the snapshot if there is no
// such file, and begins to append.
func (s *Server) loadFile() error {
	dir, err := s.keeper.Claim()
	if err != nil {
		return err
	}
	loaded, err := s.loadAppendOnly(dir)
	if err != nil {
		return err
	}
	if !loaded.Found {
		found, err := s.saver.Load(s.loadOptions())
		if err != nil {
			return err
		}
		if found.Found {
			s.log.Warnf("There is no append-only file in %s: the data were loaded from the snapshot %s, "+
				"and are the append-only file's base from now on.", dir.Path, s.saver.Path())
		}
	}
	return s.keeper.Begin(loaded)
}

func (s *Server) loadOptions() snapshot.LoadOptions {
	return snapshot.LoadOptions{StringBytesMax: exec.BulkMax.Get(s.config)}
}

// loadAppendOnly executes what the append-only file of a folder holds.
func (s *Server) loadAppendOnly(dir *aof.Dir) (aof.Loaded, error) {
	defer s.saver.EndProgress()
	return aof.Load(aof.LoadConfig{
		Dir: dir, DataDir: snapshot.Dir(s.config), Log: s.slog, Clock: s.clock,
		NewReplayer: func() aof.Replayer { return s.shared.NewCrew(runtime.GOMAXPROCS(0) - 1) }, // see run
		Base: func(r io.Reader, size int64, path string) (int64, error) {
			opts := s.loadOptions()
			opts.KeepExpired, opts.Trailing = true, true
			loaded, err := s.saver.LoadFrom(r, size, path, opts)
			return loaded.End, err
		},
		Truncated: aof.Truncates(s.config), CorruptTailMax: aof.CorruptTailMax(s.config),
		Progress: s.saver.Progress, Stop: s.stop,
	})
}

// outside calls fn outside of a gate, if the caller is inside one: others may enter exclusive
// mode meanwhile.
func outside(gate *keyspace.Gate, fn func()) {
	if gate != nil {
		gate.Leave()
		defer gate.Enter()
	}
	fn()
}

// errLoadAOF is the reply to DEBUG LOADAOF if that fails, of which nobody is told: the server
// ends.
var errLoadAOF = &resp.Error{Code: "ERR", Text: "Error trying to load the AOF files, check server logs"}

// reloadFile is DEBUG LOADAOF.
func (s *Server) reloadFile(c *command.Ctx) error {
	if err := s.keeper.WriteNow(); err != nil {
		return errLoadAOF
	}
	var release func()
	var err error
	c.Engine.Exclusive(func() {
		if err = s.keeper.WriteNow(); err != nil {
			return
		}
		s.setLoading(true)
		_, release, err = s.keyspace.FlushAll()
	})
	defer s.setLoading(false)
	if err != nil {
		return err
	}
	s.inBackground(release)
	// The commands are executed by others, who enter gates of their own: whoever waits for
	// exclusive mode meanwhile must get it.
	outside(s.gateOf(c), func() { _, err = s.loadAppendOnly(s.keeper.Dir()) })
	if err != nil {
		// A part of the data is there, and whatever is appended now would be wrong.
		s.log.Warnf("DEBUG LOADAOF: %v. Exiting.", err)
		s.end(1)
		return errLoadAOF
	}
	s.saver.AddChanges(-s.saver.Status().Changes)
	s.log.Warnf("Append Only File loaded by DEBUG LOADAOF")
	return nil
}

// setLoading refuses what needs the data, or no longer.
func (s *Server) setLoading(on bool) {
	s.loading.Store(on)
	s.shared.Attend(exec.AttendLoading, on)
}

// endFile readies the append-only file for the end of the server, and says whether that may
// be.
func (s *Server) endFile(gate *keyspace.Gate, f servercmd.ShutdownFlags) error {
	mode := s.keeper.Mode()
	if s.keeper.IsRewriting() {
		if mode == aof.Waiting {
			if f&servercmd.ShutdownForce == 0 {
				s.log.Warnf("Writing initial AOF, can't exit.")
				return errShutdown
			}
			s.log.Warnf("Writing initial AOF. Exit anyway.")
		}
		s.log.Warnf("There is a child rewriting the AOF. Killing it!")
		outside(gate, s.keeper.GiveUp)
	}
	if mode == aof.Off {
		return nil
	}
	s.log.Noticef("Calling fsync() on the AOF file.")
	if err := s.keeper.SyncNow(); err != nil {
		s.log.Warnf("Fail to fsync the AOF file: %v.", err)
	}
	return nil
}

// appendOnlyFigures is what INFO shows of the append-only file.
func (s *Server) appendOnlyFigures() infocmd.AppendOnly {
	st := s.keeper.Status()
	return infocmd.AppendOnly{
		Enabled: st.Mode != aof.Off, Rewriting: st.Rewriting, Scheduled: st.Scheduled,
		LastTook: st.LastSeconds, TakesFor: st.NowSeconds, LastOK: st.LastOK, Rewrites: st.Rewrites,
		Failures: st.Failures, WriteOK: st.WriteOK, Size: st.Size, BaseSize: st.BaseSize,
		Buffered: st.Buffered, Syncing: st.Syncing, Delayed: st.DelayedSyncs,
	}
}
