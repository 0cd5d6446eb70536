package server

import (
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/catalogcmd"
	"github.com/spineldb/spinel/internal/command/configcmd"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/debugcmd"
	"github.com/spineldb/spinel/internal/command/infocmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/latencycmd"
	"github.com/spineldb/spinel/internal/command/memorycmd"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/vfs"
)

// makeParts makes the subsystems that commands drive.
func (s *Server) makeParts() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	s.saver, err = snapshot.New(snapshot.Config{
		Keyspace: s.keyspace, Options: s.config, FS: vfs.OS{}, Clock: s.clock, Log: s.slog,
		WorkDir: wd, PID: os.Getpid(), RedisVersion: RedisVersion,
	})
	if err != nil {
		return err
	}
	s.keeper = s.newKeeper(os.Getpid())
	s.saver.Describe = s.describe
	s.master = s.newMaster()
	s.follower = s.newFollower()
	after := func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	s.migrator = keycmd.NewMigrator(keycmd.Deps{Dial: s.dialPeer, After: after})
	return err
}

// families are all commands, given what they drive.
func (s *Server) families() [][]*command.Spec {
	table := func() *command.Table { return s.table }
	maxBulk := func() int64 { return s.shared.Limits.Bulk.Load() }
	return all.Families(all.Deps{
		Bit:     bitcmd.Deps{MaxBulk: maxBulk},
		Catalog: catalogcmd.Deps{Table: table},
		Config: configcmd.Deps{Options: s.config, Files: config.OSFiles{}, Log: s.slog, ResetStats: s.resetStats,
			Loading: func() bool { return s.loading.Load() || s.follower.beside.Load() }},
		Conn: conncmd.Deps{Version: RedisVersion, Databases: s.keyspace.Databases(), Sessions: s.sessions,
			Users: s.users, Paused: s.paused, IsReplica: s.follows},
		Debug: debugcmd.Deps{Keyspace: s.keyspace, Options: s.config, Log: s.slog, Sleep: time.Sleep,
			Files: config.OSFiles{}, PauseCron: s.cronPaused.Store,
			Reload: s.reload, LoadFile: s.reloadFile, SlowWrites: s.keeper.SlowWrites,
			Replicate: s.replicate, ChangeReplID: s.changeReplID},
		Info: infocmd.Deps{Build: s.build(), Keyspace: s.keyspace, Sessions: s.sessions, Options: s.config,
			Clock: s.clock, Figures: s.figures, Table: table,
			Sections: []infocmd.Section{{Name: "replication", Default: true, Append: s.replicationInfo}}},
		Key: s.migrator,
		Latency: latencycmd.Deps{Options: s.config, Logs: s.logs, Monitor: s.latency,
			Histograms: s.histograms, Table: table},
		Replication: s.replicationDeps(),
		Memory:      memorycmd.Deps{Keyspace: s.keyspace, Figures: s.memoryFigures},
		Server: servercmd.Deps{
			Keyspace: s.keyspace, Sessions: s.sessions, Clock: s.clock, Saver: s.saver, Stopper: s, Keeper: s.keeper,
			LazyFlush:  func() bool { return keyspace.LazyUserFlush.Get(s.config) },
			Background: s.inBackground, Flushed: s.flushed, Version: Version, RedisVersion: RedisVersion,
		},
		String: stringcmd.Deps{MaxBulk: maxBulk},
	})
}

// followParts hands options to those whom they concern.
func (s *Server) followParts() {
	latencycmd.Follow(s.config, s.logs, s.latency, &s.shared.Tracking)
	s.shared.Changed = s.saver.AddChanges
	s.shared.Redact = s.redact
	s.shared.Background = s.inBackground
	s.keyspace.StreamGone = s.shared.StreamGone
	s.shared.Congested = s.saver.Congested
	s.shared.Help = s.saver.Help
	s.shared.TurnEnds = s.master.TurnEnds
	s.master.Recount()
	s.shared.Unreplayed = s.follower.unreplayed
	s.shared.OwnWrote = s.follower.own.wrote
	s.keeper.OnSynced(s.shared.Reached)
}

// paused is called when CLIENT PAUSE changed what is held back: nothing is removed by
// its time or for want of memory while writes are.
func (s *Server) paused() {
	s.keyspace.Tuning.Frozen.Store(s.sessions.Pause.Mode(s.clock.Mono()) != session.PauseOff)
}

// inBackground runs a task soon, on a goroutine that Close waits for.
func (s *Server) inBackground(task func()) { s.background.start(task) }

// flushed ends a save that is in progress, saves an empty snapshot after FLUSHALL, if there
// are save points, so that the old one does not bring the keys back, and has what the Go
// heap holds free go back to the system as well.
func (s *Server) flushed(c *command.Ctx) {
	s.giving.due.Store(true)
	// A save that had not begun to walk would find nothing, and count as a success.
	s.saver.Abandon()
	if len(snapshot.SavePoints(s.config)) > 0 {
		gate := s.gateOf(c)
		s.saver.Cancel()
		s.saver.Wait(gate)
		if err := s.saver.Save(gate); err != nil {
			s.log.Warnf("Saving after FLUSHALL: %v", err)
		}
	}
}

// load fills the keyspace from what is on the disk, and returns what a snapshot says of the
// stream that continues it.
func (s *Server) load() (info rdb.Info, err error) {
	if aof.IsWanted(s.config) {
		return info, s.loadFile()
	}
	opts := s.loadOptions()
	opts.KeepExpired, opts.Dropped = s.follows(), s.dropped
	loaded, err := s.saver.Load(opts)
	return loaded.Info, err
}

// reload saves the data and loads them again, for DEBUG RELOAD.
func (s *Server) reload(c *command.Ctx, o debugcmd.ReloadOptions) error {
	gate := s.gateOf(c)
	if o.NoFlush || o.Merge {
		return errReloadInto
	}
	if !o.NoSave {
		outside(gate, s.keeper.Yield)
		if err := s.saver.Save(gate); err != nil {
			return errReload
		}
	}
	var release func()
	var err error
	c.Engine.Exclusive(func() { _, release, err = s.keyspace.FlushAll() })
	if err != nil {
		return err
	}
	s.inBackground(release)
	if _, err := s.saver.Load(snapshot.LoadOptions{StringBytesMax: exec.BulkMax.Get(s.config)}); err != nil {
		// A part of the data is there: were it saved, the rest would be lost on the disk too.
		s.log.Warnf("DEBUG RELOAD: %v. The file is as it was; exiting.", err)
		s.end(1)
		return errReloadLoad
	}
	return nil
}

// gateOf is the gate of the executor that runs a command.
func (s *Server) gateOf(c *command.Ctx) *keyspace.Gate {
	if x, ok := c.Engine.(*exec.Executor); ok {
		return x.Gate()
	}
	return nil
}

// monitor shows a command to every monitor.
func (s *Server) monitor(from *session.Session, db int, args command.Args) {
	line := servercmd.AppendMonitor(nil, s.clock.Wall(), db, from, s.redact(s.table.Resolve(args), args))
	for _, m := range s.sessions.Seeing() {
		m.Push(line, monitorMax)
	}
}

// monitorMax bounds the lines that wait for a monitor that does not read.
const monitorMax = 64 << 20

// redact is what others may see of a command.
func (s *Server) redact(spec *command.Spec, args command.Args) [][]byte {
	switch {
	case spec == nil:
		return args
	case spec.FullName() == "config|set":
		return configcmd.Redacted(s.config.Schema(), args)
	case spec.FullName() == "hello":
		return conncmd.RedactedHello(args)
	case spec.FullName() == "migrate":
		return keycmd.Redacted(args)
	default:
		return exec.Redacted(spec, args)
	}
}

// build is what does not change while the server runs.
func (s *Server) build() infocmd.Build {
	return infocmd.Build{
		RedisVersion: RedisVersion, Version: Version, RunID: s.runID, Executable: s.exe, PID: os.Getpid(),
		Supervised: [...]string{"no", "upstart", "systemd"}[supervision(s.config)], Multiplexing: s.multiplexing(),
		GoVersion: runtime.Version(), OS: systemName(), MemoryBytes: systemMemory(),
	}
}

// sample feeds the rates of INFO, and the peak of the memory.
func (s *Server) sample(now int64) {
	if used := s.keyspace.UsedMemory() + s.keyspace.Buffers.Load(); used > s.peak.Load() {
		s.peak.Store(used)
	}
	if now < s.nextSample {
		return
	}
	s.nextSample = now + int64(samplePeriod)
	s.keyspace.Exclusive(nil, func() {
		c := s.counters()
		s.rates.ops.Sample(now, uint64(c.Processed))
		s.rates.in.Sample(now, uint64(c.BytesIn))
		s.rates.out.Sample(now, uint64(c.BytesOut))
	})
	if s.sessions.Pause.Mode(now) == session.PauseOff && s.keyspace.Tuning.Frozen.Load() {
		s.keyspace.Tuning.Frozen.Store(false)
	}
}

// saveIfDue begins a save if it is time for one, and lets the gate ask whether writes are to
// be refused.
func (s *Server) saveIfDue() {
	if !s.loading.Load() { // else it would be a half
		s.saver.Cron()
	}
	s.keeper.Cron()
	s.attendMisconf()
}

func (s *Server) closeParts() {
	s.background.wait() // for what the last commands began
	s.saver.Cancel()
	s.saver.Wait(nil)
	if err := s.keeper.Close(); err != nil {
		s.log.Warnf("Closing the append-only file: %v", err)
	}
}

// A crew is the goroutines that somebody waits for. Unlike with a sync.WaitGroup, others may
// start while he does: loops begin tasks as long as they run.
type crew struct {
	mu      sync.Mutex
	working int
	free    sync.Cond // working is 0; its L is &mu once somebody has waited
}

// start runs a function on a goroutine of its own.
func (c *crew) start(task func()) {
	c.mu.Lock()
	c.working++
	c.mu.Unlock()
	go func() {
		defer c.leave()
		task()
	}()
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.working--; c.working == 0 {
		c.free.Broadcast()
	}
}

// wait waits until nobody is working.
func (c *crew) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free.L = &c.mu
	for c.working > 0 {
		c.free.Wait()
	}
}
