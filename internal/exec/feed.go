package exec

import (
	"sync/atomic"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/session"
)

// # Feeding replicas
//
// A replica's session has a Feed, which copies the journal's stream into the session's writer
// as fast as that is sent. It is asked at the end of every turn, so what a turn has appended
// leaves with the turn's replies; and again by the loop when what was written is nearly sent.
// A loop that has appended something for replicas of other loops wakes those.

// feeding is what the feeds of a server have in common.
type feeding struct {
	sessions atomic.Int32 // that have a Feed
}

// feedBelow is how many bytes may wait to be sent to a session that is fed further.
const feedBelow = 64 << 10

// Feed implements command.Engine.
func (x *Executor) Feed(s *session.Session, f session.Feed) {
	s.Stream, s.ReplyMode = f, session.ReplyNever
	x.fed = append(x.fed, s)
	x.feeder.Store(x.fed[0])
	x.feeding.sessions.Add(1)
}

// unfeed forgets the feed of a session that has gone.
func (x *Executor) unfeed(s *session.Session) {
	for i, fed := range x.fed {
		if fed != s {
			continue
		}
		last := len(x.fed) - 1
		x.fed[i], x.fed[last] = x.fed[last], nil
		x.fed = x.fed[:last]
		x.feeding.sessions.Add(-1)
		if last == 0 {
			x.feeder.Store(nil)
		} else {
			x.feeder.Store(x.fed[0])
		}
		s.Stream = nil
		return
	}
}

// feedAll writes what is there for the replicas of this loop, at the end of a turn, and
// wakes the loops of the others.
func (x *Executor) feedAll() {
	if x.TurnEnds != nil {
		x.TurnEnds()
	}
	end := x.Journal.Appended()
	for _, s := range x.fed {
		x.refeed(s)
	}
	if int(x.feeding.sessions.Load()) > len(x.fed) && end != x.fedTo {
		x.wakeFeeders(x)
	}
	x.fedTo = end
}

// refeed writes the next piece for a session that has a Feed, if it wants one.
func (x *Executor) refeed(s *session.Session) {
	f, ok := s.Stream.(session.Feed)
	if !ok || s.Closing != session.Open {
		return
	}
	if f.Ready() && s.Out.Len()+s.Link.Unsent() < feedBelow {
		f.Write(s)
		x.mark(s)
	}
	x.checkOutput(s)
}

// wakeFeeders wakes the loops that have replicas, but for that of one executor.
func (sh *Shared) wakeFeeders(but *Executor) {
	sh.executorsMu.Lock()
	defer sh.executorsMu.Unlock()
	for _, x := range sh.executors {
		if x == but {
			continue
		}
		if s := x.feeder.Load(); s != nil {
			s.Link.Wake()
		}
	}
}

// FeedSoon has the replicas told of what was appended outside of the loops' turns.
func (sh *Shared) FeedSoon() {
	if sh.feeding.sessions.Load() > 0 {
		sh.wakeFeeders(nil)
	}
}

// doFed executes a request of a session that is fed. A reply would get into the stream, so
// whoever makes us send one is not what he said.
func (x *Executor) doFed(f *feed, r *request) {
	s := f.s
	mark := s.Out.Mark()
	was := s.Out.Len()
	x.do(f, r)
	s.ReplyMode = session.ReplyNever
	if s.Out.Len() == was {
		return
	}
	s.Out.Rewind(mark)
	name := "?"
	if r.spec != nil {
		name = r.spec.FullName()
	}
	x.Log.Warn("Replica generated a reply to command '"+name+"', disconnecting it: "+s.Remote, "id", s.ID)
	s.Closing = session.Immediately
}

// tellOfError logs the error of a command that a replica sent: none of those that replicas
// send can fail.
func (x *Executor) tellOfError(s *session.Session, spec *command.Spec, err error) {
	if s.Class != session.Replica {
		return
	}
	name := "?"
	if spec != nil {
		name = spec.FullName()
	}
	x.Log.Warn("== CRITICAL == This master is sending an error to its replica: '-" + err.Error() +
		"' after processing the command '" + name + "'")
}
