package exec

import (
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
	if s.Upstream == nil {
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

// A Replayer executes commands that are in memory. It is used by one goroutine at a time.
type Replayer struct {
	Session *session.Session
	x       *Executor
}

// NewReplayer makes a Replayer in database 0.
func (sh *Shared) NewReplayer() *Replayer {
	s := &session.Session{Link: noLink{}, Authenticated: true, Replays: true}
	return &Replayer{Session: s, x: New(sh)}
}

// Run executes the commands of data, encoded, of which the last may be cut: its rest is in
// the data of the next call.
func (r *Replayer) Run(data []byte) {
	x := r.x
	x.Begin(x.Clock.Mono())
	x.Received(r.Session, data)
	x.Run()
	x.Dirty()
	r.Session.Out.Discard()
	x.End()
}

// Midway says whether the data so far ended inside a command or a transaction.
func (r *Replayer) Midway() bool { return len(r.Session.Query) > 0 || r.Session.Multi.Open }

// Close ends the replaying. What was not whole is forgotten.
func (r *Replayer) Close() {
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
