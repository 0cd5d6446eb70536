package chaos

import (
	"errors"
	"hash/fnv"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/vfs"
)

// dataDir is the option dir of all servers here.
const dataDir = "/data"

// A house has a keyspace and an executor that servers live in, one after the other: to make
// one for each of many thousand loads would take most of the time.
type house struct {
	*cmdtest.DB
	t *testing.T
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{DB: cmdtest.New(t), t: t}
	bulk := func() int64 { return 1 << 20 }
	table, err := command.NewTable(nil, all.Families(all.Deps{
		Bit: bitcmd.Deps{MaxBulk: bulk}, String: stringcmd.Deps{MaxBulk: bulk},
		Conn: conncmd.Deps{Databases: 16, Sessions: h.Shared.Sessions},
		Server: servercmd.Deps{Keyspace: h.Keyspace, LazyFlush: func() bool { return false },
			Background: func(task func()) { task() }, Flushed: func(*command.Ctx) {}},
	})...)
	if err != nil {
		t.Fatal(err)
	}
	h.Shared.Table = table
	h.Executor = exec.New(h.Shared)
	return h
}

// empty removes all keys.
func (h *house) empty() {
	h.Keyspace.Exclusive(nil, func() {
		for i := range h.Keyspace.Databases() {
			h.Keyspace.FlushDB(i)
		}
	})
	for h.Keyspace.LazyFree() {
	}
}

// A print is a fingerprint of all contents.
type print uint64

func (h *house) print() print { return printOf(h.Contents()) }

func printOf(contents cmdtest.Contents) print {
	var sum uint64
	for key, text := range contents {
		one := fnv.New64a()
		_, _ = io.WriteString(one, key)
		_, _ = one.Write([]byte{0})
		_, _ = io.WriteString(one, text)
		sum += one.Sum64() // in no order
	}
	return print(sum)
}

// A server is what persists a house's contents on some file system.
type server struct {
	*house
	fs     vfs.FS
	set    *config.Set
	saver  *snapshot.Saver
	keeper *aof.Keeper
	log    *lines
	ended  bool
}

// newServer makes one in an empty house. A bug, if it is not nil, stands between the replies
// and the keeper.
func newServer(h *house, fsys vfs.FS, bug func(*aof.Keeper) exec.Barrier,
	options ...string) (*server, error) {
	h.empty()
	s := &server{house: h, fs: fsys, log: &lines{}}
	s.set = config.NewSchema(snapshot.Options, aof.Options).NewSet()
	var args [][]byte
	for _, o := range options {
		args = append(args, []byte(o))
	}
	if err := s.set.ConfigSet(args, true); err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	var err error
	s.saver, err = snapshot.New(snapshot.Config{Keyspace: h.Keyspace, Options: s.set, FS: fsys,
		Clock: h.Clock, Log: log, WorkDir: dataDir, PID: 7, RedisVersion: "7.4.0"})
	if err != nil {
		return nil, err
	}
	sh := h.Shared
	s.keeper = aof.NewKeeper(aof.KeeperConfig{
		FS: fsys, Clock: h.Clock, Log: log, Latency: sh.Latency, Options: s.set, Journal: sh.Journal, PID: 7,
		DataDir: func() string { return dataDir }, Snapshot: s.writeBase, IsBusy: s.saver.Busy,
		CancelSnapshot: s.saver.CancelOutput,
		Guard: func(on bool) {
			switch {
			case !on:
				sh.SetBarrier(nil)
			case bug != nil:
				sh.SetBarrier(bug(s.keeper))
			default:
				sh.SetBarrier(s.keeper)
			}
		},
		Release: sh.Release,
	})
	sh.Gates = []exec.Gate{misconf{s}}
	sh.Attend(exec.AttendMisconf, true)
	sh.Changed, sh.Congested, sh.Help = s.saver.AddChanges, s.saver.Congested, s.saver.Help
	return s, nil
}

// writeBase writes the data set for the keeper, as package server has it.
func (s *server) writeBase(w io.Writer, commands bool, cut func()) error {
	err := s.saver.WriteTo(w, snapshot.Output{AOFBase: true, Commands: commands, Cut: func(*rdb.Info) { cut() }})
	switch {
	case errors.Is(err, snapshot.ErrBusy):
		return aof.ErrSnapshotBusy
	case errors.Is(err, snapshot.ErrCanceled):
		return aof.ErrFlushed
	}
	return err
}

// misconf refuses writes as package server does.
type misconf struct{ s *server }

// Admit implements [exec.Gate].
func (g misconf) Admit(_ *session.Session, _ *command.Spec, flags command.Flags, _ int64) error {
	switch err := g.s.keeper.Failing(); {
	case flags&command.Write == 0:
		return nil
	case g.s.saver.WritesStopped():
		return &resp.Error{Code: "MISCONF", Text: "snapshots fail"}
	case err != nil:
		return err
	}
	return nil
}

// load fills the house from what is on the disk.
func (s *server) load(members int, tailMax int64) (aof.Loaded, error) {
	dir, err := s.keeper.Claim()
	if err != nil {
		return aof.Loaded{}, err
	}
	loaded, err := aof.Load(aof.LoadConfig{
		Dir: dir, DataDir: dataDir, Log: slog.New(slog.DiscardHandler), Clock: s.Clock,
		NewReplayer: func() aof.Replayer { return s.Shared.NewCrew(members) },
		Base: func(r io.Reader, size int64, path string) (int64, error) {
			l, err := s.saver.LoadFrom(r, size, path, snapshot.LoadOptions{KeepExpired: true, Trailing: true})
			return l.End, err
		},
		Truncated: true, CorruptTailMax: tailMax,
	})
	if err == nil && !loaded.Found {
		_, err = s.saver.Load(snapshot.LoadOptions{})
	}
	return loaded, err
}

// start loads and begins.
func (s *server) start() error {
	loaded, err := s.load(0, 0)
	if err != nil {
		return err
	}
	return s.keeper.Begin(loaded)
}

// stop ends the server in good order, if it has not ended.
func (s *server) stop() error {
	if s.ended {
		return nil
	}
	s.ended = true
	s.saver.Abandon()
	s.saver.Wait(nil)
	err := s.keeper.Close()
	s.Shared.SetBarrier(nil)
	return err
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text []byte
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

// String is all of it.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
