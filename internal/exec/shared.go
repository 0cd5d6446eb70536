package exec

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/session"
)

// Shared is what all executors of a server have in common.
type Shared struct {
	Table    *command.Table
	Keyspace *keyspace.Keyspace
	Journal  *journal.Journal
	Sessions *session.Registry
	Clock    clock.Clock
	Log      *slog.Logger
	Logs     *observe.CommandLogs
	Latency  *observe.LatencyMonitor

	Split func(line []byte) ([][]byte, error) // for inline commands

	// Gates are asked about every command while Attention is not zero or clients are
	// paused.
	Gates     []Gate
	Attention atomic.Uint32

	Limits Limits

	// Monitor, if there are monitors, is shown every command before it runs.
	Monitor func(s *session.Session, db int, args command.Args)
	// Redact, if set, removes secrets from what logs show of a command.
	Redact func(spec *command.Spec, args command.Args) [][]byte

	// Changed, if set, is told once a turn how many changes there were.
	Changed func(n int64)
	// Local says that what clients write is for the append-only file alone: a replica's own
	// writes are not its replicas'.
	Local atomic.Bool
	// OwnWrote, if set, is told of those, under the locks of their keys.
	OwnWrote func(effects []command.Effect)
	// Unreplayed, if set, is told when a command of a session that replays fails; spec is nil
	// if there is no such command.
	Unreplayed func(s *session.Session, spec *command.Spec, args command.Args, err error)

	// TurnEnds, if set, is called at the end of a turn while there are replicas, before what
	// was appended is sent to them.
	TurnEnds func()

	// Help, if set, is called once in a turn that executed something.
	Help func()
	// Congested, if set, says that loops should slow down.
	Congested func() bool

	// Background, if set, runs tasks, so that whoever sets it can wait for their end.
	Background func(task func())
	// Ending makes tasks give up where they can.
	Ending atomic.Bool
	tasks  tasks
	gone   goneStreams

	Tracking atomic.Bool // latency-tracking

	feeding  feeding
	awaiting awaiting

	barrier     barrier
	executorsMu sync.Mutex
	executors   []*Executor
}

// Limits are what options bound, read once a turn.
type Limits struct {
	Bulk  atomic.Int64 // proto-max-bulk-len
	Query atomic.Int64 // client-query-buffer-limit
	Out   [3]OutLimits // client-output-buffer-limit, by session.Class
	Idle  atomic.Int64 // timeout, seconds
}

// OutLimits are the bytes that may wait for a connection: 0 is no limit.
type OutLimits struct{ Hard, Soft, SoftMillis atomic.Int64 }

// Store takes the option's value for a class over. What a replica may have wait is at least
// what is kept for replicas anyway.
func (l *OutLimits) Store(c OutputClass, least int64) {
	if c.Hard > 0 {
		c.Hard = max(c.Hard, least)
	}
	l.Hard.Store(c.Hard)
	l.Soft.Store(c.Soft)
	l.SoftMillis.Store(c.SoftSeconds * 1000)
}

// A Gate can hold a command back. All are asked while any bit of Attention is set or
// clients are paused, so subsystems that are calm cost nothing.
type Gate interface {
	// Admit returns nil, an error that becomes the reply, or ErrPostpone.
	Admit(s *session.Session, spec *command.Spec, flags command.Flags, now int64) error
}

// Bits of Attention, one for each gate that can wake.
const (
	AttendLoading uint32 = 1 << iota
	AttendMemory
	AttendMisconf
	AttendReplicas
	AttendFollower // this server is a replica
	AttendBeside   // new data are loaded beside the old ones
)

// Attend sets or clears a bit of Attention.
func (sh *Shared) Attend(bit uint32, on bool) {
	if on {
		sh.Attention.Or(bit)
	} else {
		sh.Attention.And(^bit)
	}
}

type postpone struct{}

func (postpone) Error() string { return "postponed" }

// A PauseGate holds commands back during CLIENT PAUSE.
type PauseGate struct{ Pause *session.Pause }

// Admit implements Gate.
func (g PauseGate) Admit(_ *session.Session, _ *command.Spec, flags command.Flags, now int64) error {
	switch g.Pause.Mode(now) {
	case session.PauseAll:
		return ErrPostpone
	case session.PauseWrites:
		if flags&(command.Write|command.MayReplicate) != 0 {
			return ErrPostpone
		}
	}
	return nil
}

// ErrPostpone makes the executor keep the request and stop the session until it is
// resumed.
var ErrPostpone error = postpone{}
