package servercmd_test

import (
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/vfs"
)

// A world is a DB with what the family drives. Background tasks run when a test says so.
type world struct {
	*cmdtest.DB
	t       testing.TB
	files   *vfs.Mem
	saver   *snapshot.Saver
	keeper  *aof.Keeper
	options *config.Set
	stopper stopper
	lazy    bool
	flushed int
	tasks   []func()
}

type stopper struct {
	asked    []servercmd.ShutdownFlags
	fails    bool
	underway bool
}

func (s *stopper) Shutdown(_ *command.Ctx, f servercmd.ShutdownFlags) error {
	s.asked = append(s.asked, f)
	if s.fails {
		return io.ErrShortWrite
	}
	return nil
}

func (s *stopper) Abort() bool { return s.underway }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{DB: cmdtest.New(t), t: t, files: vfs.NewMem("/data")}
	options := config.NewSchema(snapshot.Options, aof.Options).NewSet()
	saver, err := snapshot.New(snapshot.Config{
		Keyspace: w.Keyspace, Options: options, FS: w.files, Clock: w.Clock,
		WorkDir: "/data", PID: 1, Log: slog.New(slog.DiscardHandler), RedisVersion: "7.2.4",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.saver, w.options = saver, options
	w.keeper = aof.NewKeeper(aof.KeeperConfig{
		FS: w.files, Clock: w.Clock, Log: slog.New(slog.DiscardHandler), Latency: w.Shared.Latency,
		Options: options, Journal: w.Shared.Journal, DataDir: func() string { return "/data" },
		Snapshot: func(out io.Writer, commands bool, cut func()) error {
			return saver.WriteTo(out, snapshot.Output{Commands: commands, Cut: func(*rdb.Info) { cut() }})
		},
		IsBusy: saver.Busy, CancelSnapshot: saver.CancelOutput, Guard: func(bool) {}, Release: func() {},
	})
	t.Cleanup(func() { _ = w.keeper.Close() })
	table, err := command.NewTable(nil, txcmd.Family.Specs,
		cmdtest.Strings(),
		servercmd.Family.With(servercmd.Deps{
			Keyspace: w.Keyspace, Sessions: w.Shared.Sessions, Clock: w.Clock, Saver: saver,
			Stopper:    &w.stopper,
			Keeper:     w.keeper,
			LazyFlush:  func() bool { return w.lazy },
			Background: func(task func()) { w.tasks = append(w.tasks, task) },
			Flushed:    func(*command.Ctx) { w.flushed++ },
			Version:    "1.2.3", RedisVersion: "7.2.4",
		}))
	if err != nil {
		t.Fatal(err)
	}
	w.Shared.Table = table
	w.Executor = exec.New(w.Shared)
	t.Cleanup(w.runTasks)
	return w
}

func (w *world) runTasks() {
	for _, task := range w.tasks {
		task()
	}
	w.tasks = nil
}

// fill makes keys in a database.
func (w *world) fill(db, n int) {
	w.Session.DB = db
	for i := range n {
		w.Do("SET", fmt.Sprint("key:", i), "v")
	}
	w.Session.DB = 0
}
