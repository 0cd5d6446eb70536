package replcmd

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/replication"
)

// never makes no snapshots.
type never struct{}

func (never) Stream(io.Writer, func(*rdb.Info, <-chan struct{})) error { return errors.New("never") }
func (never) Save(func(*rdb.Info), func(string) error) error           { return errors.New("never") }
func (never) Cancel()                                                  {}
func (never) Busy() bool                                               { return true }
func nothing(string) (replication.Source, error)                       { return nil, errors.New("nothing") }
func no() bool                                                         { return false }

// A follower knows its master and does nothing about it.
type follower struct{ target replication.Target }

func (f *follower) Link() replication.Status { return replication.Status{Target: f.target} }

func (f *follower) Offset() int64                               { return 0 }
func (f *follower) Follow(_ *command.Ctx, t replication.Target) { f.target = t }
func (f *follower) Promote(*command.Ctx)                        { f.target = replication.Target{} }
func (f *follower) FailoverState() replication.FailoverState    { return replication.NoFailover }
func (f *follower) Failover(FailoverOptions)                    {}
func (f *follower) AbortFailover(string)                        {}

func newMaster(t testing.TB) (*cmdtest.DB, *replication.Master) {
	m := replication.NewMaster(replication.MasterConfig{
		Options: config.NewSchema(replication.MasterOptions).NewSet(), Clock: clock.NewManual(cmdtest.Start),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Random: rand.Reader, Snapshots: never{}, Open: nothing,
		Follows: no, Paused: no, FileWanted: no, Background: func(task func()) { task() }, Scarce: func(bool) {},
	})
	db := cmdtest.New(t, cmdtest.Strings(), Family.With(Deps{
		Master: m, Follower: &follower{}, Synced: func() (int64, bool) { return 0, false },
	}))
	m.Journal, m.Reached = db.Shared.Journal, db.Shared.Reached
	db.Shared.TurnEnds = m.TurnEnds
	return db, m
}

// FuzzReplicaCommands sends what a replica sends, with other words in it.
func FuzzReplicaCommands(f *testing.F) {
	for _, seed := range []string{
		"REPLCONF listening-port 1", "REPLCONF capa eof capa psync2", "REPLCONF ack 1 fack 2", "REPLCONF getack *",
		"REPLCONF ip-address ::1", "REPLCONF version 9.1.0", "REPLCONF rdb-only 1", "PSYNC ? -1", "SYNC",
		"REPLCONF rdb-filter-only functions", "PSYNC 0123456789012345678901234567890123456789 7",
		"PSYNC ? -1 FAILOVER", "FAILOVER TO h 1 FORCE TIMEOUT 1", "FAILOVER ABORT", "REPLICAOF h 1\nROLE",
		"REPLICAOF NO ONE", "WAIT 1 1", "WAITAOF 0 1 1", "PSYNC ? -1\nREPLCONF ACK 0\nPING\nGET k",
	} {
		f.Add(seed)
	}
	db, m := newMaster(f)
	f.Fuzz(func(t *testing.T, script string) {
		c := db.NewClient()
		defer c.Close()
		defer db.Call("REPLICAOF", "NO", "ONE")
		for line := range strings.Lines(script) {
			words := strings.Fields(line)
			if len(words) == 0 || c.Session.Closing != 0 {
				continue
			}
			reply := c.Call(words...)
			if strings.HasPrefix(reply, "-") && strings.IndexByte(reply, '\n') != len(reply)-1 {
				t.Errorf("%q: the error %q has several lines", line, reply)
			}
		}
		db.Call("SET", "k", "v")
		for field := range strings.SplitSeq(string(m.AppendInfo(nil, "no-failover")), "\r\n") {
			if name, _, ok := strings.Cut(field, ":"); field != "" && (!ok || strings.ContainsAny(name, " \n")) {
				t.Errorf("INFO has the line %q", field)
			}
		}
		if got := db.Call("GET", "k"); got != "$1\r\nv\r\n" {
			t.Errorf("others see %q", got)
		}
	})
}
