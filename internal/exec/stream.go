package exec

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/session"
)

// # Replies in pieces
//
// A command that leaves a Stream has begun a reply. Its session is stopped like one that
// waits, and its loop asks for the next piece (Refill) whenever little of the reply is
// unsent. When the last one is written the session goes on with what it has sent meanwhile.
// What others push to it waits until then.

// A streamed is a session's reply that is being made in pieces. It implements session.Wait
// and session.Stream.
type streamed struct {
	reply *command.Stream
	spec  *command.Spec
	ended bool // the client sends nothing more
}

// Unblock implements session.Wait: the client waits for nothing.
func (w *streamed) Unblock(bool) bool { return false }

// Held implements session.Stream.
func (w *streamed) Held() int64 { return w.reply.Held() }

// Ready implements session.Stream: until the end there is always more.
func (w *streamed) Ready() bool { return true }

// startStream notes the reply of a session's command, under the locks of its keys.
func (x *Executor) startStream(s *session.Session, spec *command.Spec, reply *command.Stream) {
	w := &streamed{reply: reply, spec: spec}
	s.Wait, s.Stream, s.Stopped = w, w, true
}

// begun writes the first piece of a reply, as soon as nothing is locked, and says whether it
// is the last one too.
func (x *Executor) begun(s *session.Session) (done bool) {
	if done = !x.piece(s); done {
		x.endStream(s)
	}
	return done
}

// Refill implements the loop's handler.
func (x *Executor) Refill(s *session.Session) {
	w, ok := s.Wait.(*streamed)
	if !ok {
		x.refeed(s)
		return
	}
	x.mark(s)
	if x.piece(s) {
		x.checkOutput(s)
		return
	}
	x.endStream(s)
	if s.Closing == session.Open {
		x.feed(s, s.Query, true)
		if w.ended {
			x.ended = append(x.ended, s)
		}
	}
}

// piece writes the next piece of a session's reply, charges its command with the time, and
// says whether there may be another.
func (x *Executor) piece(s *session.Session) (more bool) {
	w := s.Wait.(*streamed)
	begin := x.Clock.Mono()
	more = w.reply.Write(&s.Out)
	x.mono = x.Clock.Mono()
	x.setNow()
	x.Stats.Commands[w.spec.ID].Nanos += x.mono - begin
	s.LastUse = x.mono
	return more
}

// endStream goes on to what comes behind a reply that is complete.
func (x *Executor) endStream(s *session.Session) {
	s.Wait, s.Stream, s.Stopped = nil, nil, false
	if b := s.TakePushed(); len(b) > 0 {
		s.Out.Raw(b)
	}
}
