package exec

import (
	"errors"
	"fmt"
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/session"
)

// # Replaying
//
// Commands of the append-only file and of a master were executed before, and are executed
// again as they are: see session.Session.Replays. They take the same path as those of
// clients, in windows whose cache misses overlap. The master's session belongs to a loop;
// the file is read by a Replayer, which is a loop without sockets.

// replay executes a request of a session that replays, of which nobody sees the reply.
func (x *Executor) replay(f *feed, r *request) {
	s := f.s
	mark := s.Out.Mark()
	x.do(f, r)
	s.Out.Rewind(mark)
	if s.Upstream == nil || f.stopped && f.stopAt == int(r.start) { // or it waits, and comes again
		return
	}
	raw := f.buf[r.start:r.end]
	if s.Multi.Open {
		s.Raw = append(s.Raw, raw...)
		return
	}
	if len(s.Raw) > 0 {
		s.Raw = append(s.Raw, raw...)
		raw = s.Raw
	}
	s.Upstream.Applied(raw, s.DB)
	if s.Raw = s.Raw[:0]; cap(s.Raw) > rawKept {
		s.Raw = nil
	}
}

// rawKept is how much memory for the bytes of a transaction is kept.
const rawKept = 64 << 10

// unreplayed tells of a command of a session that replays, and that failed. spec is nil if
// there is no such command.
func (x *Executor) unreplayed(s *session.Session, spec *command.Spec, args command.Args, err error) {
	switch r := x.replayer; {
	case r != nil:
		r.failed(spec, args, err)
	case x.Unreplayed != nil:
		x.Unreplayed(s, spec, args, err)
	}
}

// A Replayer executes commands that are in memory. It is used by one goroutine at a time.
type Replayer struct {
	Session *session.Session
	x       *Executor
	err     error
	failing int // commands
}

// An UnknownCommandError is a command to replay that there is not.
type UnknownCommandError struct{ Name string }

func (e *UnknownCommandError) Error() string {
	return fmt.Sprintf("Unknown command '%s'", e.Name)
}

// NewReplayer makes a Replayer in database 0.
func (sh *Shared) NewReplayer() *Replayer {
	s := &session.Session{Link: noLink{}, Authenticated: true, Replays: true}
	r := &Replayer{Session: s, x: New(sh)}
	r.x.replayer = r
	return r
}

// Run executes the commands of data, encoded, of which the last may be cut: its rest is in
// the data of the next call. An error says that there is something that cannot be executed;
// it stays. Commands that fail are logged, and are no error.
func (r *Replayer) Run(data []byte) error {
	if r.err != nil {
		return r.err
	}
	x := r.x
	x.Begin(x.Clock.Mono())
	x.lim.Bulk = math.MaxInt64 // who wrote it was asked
	x.Received(r.Session, data)
	x.Run()
	x.Dirty()
	r.Session.Out.Discard()
	x.End()
	if r.err == nil && r.Session.Closing != session.Open {
		r.err = errNoCommand
	}
	return r.err
}

//lint:ignore ST1005 Redis's words
var errNoCommand = errors.New("Bad file format")

// failuresLogged is how many commands that fail are logged each by itself.
const failuresLogged = 100

// failed takes note of a command that failed.
func (r *Replayer) failed(spec *command.Spec, args command.Args, err error) {
	if spec == nil {
		if r.err == nil {
			r.err = &UnknownCommandError{string(args[0][:min(len(args[0]), nameShownMax)])}
		}
		return
	}
	if r.failing++; r.failing <= failuresLogged {
		r.x.Log.Warn(fmt.Sprintf("== CRITICAL == This server is sending an error to its AOF-loading-client: "+
			"'-%s' after processing the command '%s'", err, spec.FullName()))
	}
}

// nameShownMax is how much of a name that nobody knows is shown.
const nameShownMax = 128

// Wait returns what Run has found: everything that it was given is executed.
func (r *Replayer) Wait() error { return r.err }

// Midway says whether the data so far ended inside a command or a transaction.
func (r *Replayer) Midway() bool { return len(r.Session.Query) > 0 || r.Session.Multi.Open }

// Close ends the replaying. What was not whole is forgotten.
func (r *Replayer) Close() {
	if more := r.failing - failuresLogged; more > 0 {
		r.x.Log.Warn(fmt.Sprintf("%d more commands of the append only file failed", more))
	}
	r.x.dropQuery(r.Session)
	r.x.countQuery(r.Session)
	r.x.gate.Close()
	sh := r.x.Shared
	sh.executorsMu.Lock()
	defer sh.executorsMu.Unlock()
	for i, x := range sh.executors {
		if x == r.x {
			sh.executors = append(sh.executors[:i], sh.executors[i+1:]...)
			break
		}
	}
}

// noLink is the link of a session without a loop.
type noLink struct{}

func (noLink) Wake()       {}
func (noLink) FD() int     { return -1 }
func (noLink) Loop() int   { return 0 }
func (noLink) Unsent() int { return 0 }
