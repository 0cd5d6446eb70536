// Package server puts the parts together: it is the only package that sees all of them,
// and it decides nothing that one of them could decide.
//
//	New      options -> keyspace, journal, table of commands, executors, event loops
//	Start    listen, load the data, accept
//	Close    send what is pending, close; SHUTDOWN and signals save before
//
// Main is the program spinel-server: command line, daemon, pid file, signals.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
)

// Version is this program's; RedisVersion is the one that it is compatible with and
// says it is.
const (
	Version      = "0.1.0"
	RedisVersion = "7.2.4"
)

// Config is what a Server is made with.
type Config struct {
	Set    *config.Set // the options; see Schema
	Clock  clock.Clock // nil for the machine's
	Stdout io.Writer   // where it logs unless told otherwise
	Exe    string      // for INFO

	// DialMaster, if set, connects to a master in place of the network, and RetryMaster is how
	// long a replica waits before it tries again; 0 for a second.
	DialMaster  func(ctx context.Context, to replication.Target) (net.Conn, error)
	RetryMaster time.Duration
}

// A Server is one instance. Any number of them may live in a process.
type Server struct {
	config *config.Set
	clock  clock.Clock
	log    *observe.Log
	slog   *slog.Logger

	keyspace *keyspace.Keyspace
	journal  *journal.Journal
	users    *acl.Users
	sessions *session.Registry
	logs     *observe.CommandLogs
	latency  *observe.LatencyMonitor
	table    *command.Table
	shared   *exec.Shared
	net      *netloop.Server
	saver    *snapshot.Saver
	master   *replication.Master
	keeper   *aof.Keeper
	follower *follower
	dial     func(ctx context.Context, to replication.Target) (net.Conn, error) // nil for the network
	retry    time.Duration
	migrator *keycmd.Migrator

	executors []*exec.Executor
	started   int64 // monotonic
	startedAt int64 // wall, milliseconds
	runID     string
	exe       string
	loading   atomic.Bool

	stop       chan struct{}
	stopOnce   sync.Once
	background crew
	ended      chan int // exit code

	rates      struct{ ops, in, out observe.Rate }
	nextSample int64
	peak       atomic.Int64 // the most memory that was ever used
	baseline   int64        // used when nothing was stored yet
	shutting   atomic.Bool
	signalled  chan servercmd.ShutdownFlags // a shutdown that a signal asked for and cron has not begun
	asked      atomic.Bool                  // by a signal, and not given up since
	farewells  farewells
	cronPaused atomic.Bool
	giving     giveBack
}

// New makes a server that does not run yet.
func New(c Config) (*Server, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	s := &Server{
		config: c.Set, clock: c.Clock, exe: c.Exe,
		dial: c.DialMaster, retry: c.RetryMaster,
		journal: &journal.Journal{}, users: acl.New(), sessions: session.NewRegistry(),
		logs: observe.NewCommandLogs(c.Clock), latency: observe.NewLatencyMonitor(c.Clock),
		stop: make(chan struct{}), ended: make(chan int, 1),
		signalled: make(chan servercmd.ShutdownFlags, 1), runID: randomHex(20),
	}
	s.started, s.startedAt = c.Clock.Mono(), int64(clock.Now(c.Clock))
	if err := s.openLog(c.Stdout); err != nil {
		return nil, err
	}
	var err error
	databases := int(keyspace.Databases.Get(c.Set))
	s.keyspace, err = keyspace.New(keyspace.Options{Databases: databases, Clock: c.Clock})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.keyspace.SetNow(clock.Now(c.Clock))
	if err := s.assemble(); err != nil {
		s.keyspace.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) openLog(stdout io.Writer) error {
	if stdout == nil {
		stdout = os.Stdout
	}
	s.log = observe.NewLog(observe.LogOptions{Clock: s.clock, Zone: time.Local, Stdout: stdout, PID: os.Getpid(),
		Role: observe.RolePrimary, Level: level(s.config)})
	s.slog = s.log.Logger()
	if err := s.log.ToFile(logfile.Get(s.config)); err != nil {
		//lint:ignore ST1005 Redis's words
		return fmt.Errorf("Can't open the log file: %w", err)
	}
	if syslogEnabled.Get(s.config) {
		if err := s.log.ToSyslog(syslogIdent.Get(s.config), syslogFacility.Name(s.config)); err != nil {
			return err
		}
	}
	s.config.OnChange(loglevel, func() { s.log.SetLevel(level(s.config)) })
	return nil
}

// assemble connects the parts. What one needs of another it gets here.
func (s *Server) assemble() error {
	s.users.Configure(s.config)
	s.keyspace.Expired = s.journalRemoval(&s.keyspace.Tuning.LazyExpire)
	s.keyspace.Evicted = s.journalRemoval(&s.keyspace.Tuning.LazyEvict)
	s.keyspace.FieldExpired = s.journalField
	if err := s.makeParts(); err != nil {
		return err
	}
	var err error
	if s.table, err = command.NewTable(exec.Rename.Get(s.config), s.families()...); err != nil {
		return err
	}
	s.shared = &exec.Shared{
		Table: s.table, Keyspace: s.keyspace, Journal: s.journal, Sessions: s.sessions, Clock: s.clock,
		Log: s.slog, Logs: s.logs, Latency: s.latency, Split: config.SplitArgs, Monitor: s.monitor,
		Gates: []exec.Gate{
			memoryGate{s.keyspace}, misconfGate{s.saver, s.keeper}, replicasGate{s.tooFewReplicas},
			followerGate{s.follower}, loadingGate{s.loading.Load}, besideGate{s.follower},
			exec.PauseGate{Pause: &s.sessions.Pause},
		},
	}
	s.follow()
	s.net, err = netloop.New(netloop.Config{
		Backend: netloop.IOBackend.Name(s.config),
		Loops:   int(netloop.IOThreads.Get(s.config)),
		NewHandler: func(int) netloop.Handler {
			x := exec.New(s.shared)
			s.executors = append(s.executors, x)
			return x
		},
		Accept:    s.accept,
		KeepAlive: func() int { return int(netloop.KeepAlive.Get(s.config)) },
		Clock:     s.clock,
		Log:       s.slog,
	})
	return err
}

// journalRemoval journals keys that the server removes by itself, with the command that
// an option chooses.
func (s *Server) journalRemoval(lazy *atomic.Bool) func(db int, key []byte) {
	return func(db int, key []byte) {
		if !s.journal.Active() {
			return
		}
		name := []byte("DEL")
		if lazy.Load() {
			name = []byte("UNLINK")
		}
		args := [][]byte{name, append([]byte(nil), key...)}
		s.appendOwn(journal.Effect{DB: db, Args: args})
	}
}

// journalField journals a field that a sweep removes.
func (s *Server) journalField(db int, key, field []byte) {
	if s.journal.Active() {
		args := [][]byte{[]byte("HDEL"), append([]byte(nil), key...), append([]byte(nil), field...)}
		s.appendOwn(journal.Effect{DB: db, Args: args})
	}
}

// appendOwn journals what the server does by itself. A replica's own deeds are not for its
// stream, which is its master's.
func (s *Server) appendOwn(e journal.Effect) {
	if s.follows() {
		s.journal.AppendLocal([]journal.Effect{e})
	} else {
		s.journal.Append([]journal.Effect{e})
	}
}

// follow hands options to those whom they concern, now and when they change.
func (s *Server) follow() {
	apply := func() {
		l := &s.shared.Limits
		l.Bulk.Store(exec.BulkMax.Get(s.config))
		l.Query.Store(exec.QueryLimit.Get(s.config))
		l.Idle.Store(netloop.Timeout.Get(s.config))
		for class, out := range exec.OutputLimit.Get(s.config) {
			least := int64(0)
			if session.Class(class) == session.Replica {
				least = replication.BacklogBytes(s.config)
			}
			l.Out[class].Store(out, least)
		}
		s.shared.Attend(exec.AttendMemory, keyspace.MaxMemory.Get(s.config, systemMemory()) > 0)
	}
	s.keyspace.Configure(s.config, systemMemory())
	apply()
	s.config.OnChange(exec.BulkMax, apply, exec.QueryLimit, netloop.Timeout, exec.OutputLimit,
		replication.OptBacklogSize, keyspace.MaxMemory)
	s.followNetwork()
	s.followParts()
}

// Start listens, loads the data and begins to serve. Commands that need the data are
// refused until they are there.
func (s *Server) Start() error {
	if err := s.open(); err != nil {
		return err
	}
	return s.fill()
}

// open is the part of Start that fails if another server has our addresses.
func (s *Server) open() error {
	s.follower.announce()
	s.setLoading(true)
	if err := s.listen(); err != nil {
		return err
	}
	if err := s.net.Start(); err != nil {
		return err
	}
	s.background.start(s.cron)
	return nil
}

// fill is the part of Start that takes long.
func (s *Server) fill() error {
	info, err := s.load()
	if err != nil {
		return err
	}
	s.follower.begin(&info)
	s.setLoading(false)
	return nil
}

// Wait returns the exit code when the server has been shut down.
func (s *Server) Wait() int { return <-s.ended }

// Close ends the server: pending replies are sent, nothing is saved.
func (s *Server) Close() {
	s.stopOnce.Do(func() {
		close(s.stop)
		s.shared.Ending.Store(true)
		s.master.Close()
		s.follower.link.Close()
		s.background.wait()
		s.net.Shutdown(time.Second)
		s.closeParts()
		s.keyspace.Close()
		_ = s.log.Close()
	})
}

// errNotListening is why a server with port 0 and no unix socket ends at once.
//
//lint:ignore ST1005 Redis's words
var errNotListening = errors.New("Configured to not listen anywhere, exiting.")

// Why CONFIG SET port, bind and io-backend are refused.
var (
	errListen  = config.Reason("Unable to listen on this port. Check server logs.")
	errBind    = config.Reason("Failed to bind to specified addresses.")
	errBackend = config.Reason("the backend is chosen when the server starts")
)
