package exec

import (
	"math"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/session"
)

// # The gate of replies
//
// With an append-only file a reply leaves when what it tells of is as safe as the policy
// promises. At the end of a turn the barrier is asked to write what was appended, and says
// up to which mark of the journal replies may be sent. Who has to wait is held: its replies
// stay in its writer, and its loop goes on reading and executing. When the barrier has got
// further it calls Release, which wakes the loops that hold somebody.

// A Barrier makes what was appended to the journal safe. Its methods are called by all loops.
type Barrier interface {
	// Flush begins to make everything safe that was appended, and does it if that takes no
	// longer than a command may. It returns the mark up to which replies may be sent.
	Flush() (open int64)
	// Open is that mark, by now.
	Open() int64
	// Strict says whether replies to reads wait as well, since they may tell of what another
	// client has written and is still waiting for.
	Strict() bool
}

// barrier is a field of Shared: a Barrier may come and go while loops run.
type barrier struct{ atomic.Pointer[Barrier] }

// SetBarrier makes replies wait for a barrier, or for none if it is nil.
func (sh *Shared) SetBarrier(b Barrier) {
	if b == nil {
		sh.barrier.Store(nil)
	} else {
		sh.barrier.Store(&b)
	}
	sh.Release()
}

// Release has the replies sent that no longer wait. It is called by the barrier, from any
// goroutine, when it has got further.
func (sh *Shared) Release() {
	sh.executorsMu.Lock()
	defer sh.executorsMu.Unlock()
	for _, x := range sh.executors {
		if s := x.holding.Load(); s != nil {
			s.Link.Wake()
		}
	}
}

// pass keeps back the sessions of d that have to wait, and adds those that were held and
// need not any more.
func (x *Executor) pass(d []*session.Session) []*session.Session {
	open, tail, isStrict := int64(math.MaxInt64), int64(0), false
	p := x.barrier.Load()
	if p != nil {
		tail = x.Journal.Tail() // behind everything that this turn did
		open, isStrict = (*p).Flush(), (*p).Strict()
	}
	free := d[:0]
	for _, s := range d {
		gate := s.Wrote.Mark
		if isStrict {
			gate = tail
		}
		isPeer := s.Class == session.Replica || s.Class == session.Master // what it gets is no reply
		if gate <= open && !s.Held || isPeer || s.Closing == session.Immediately || s.Out.Len() == 0 && !s.Held {
			free = append(free, s)
			continue
		}
		s.Gate = max(s.Gate, gate)
		if !s.Held {
			s.Held = true
			x.held = append(x.held, s)
		}
	}
	clear(d[len(free):])
	for len(x.held) > 0 {
		free = x.free(free, open)
		if len(x.held) == 0 {
			break
		}
		x.holding.Store(x.held[0])
		now := int64(math.MaxInt64) // or what has become of it before holding was set
		if p != nil {
			now = (*p).Open()
		}
		if now == open {
			return free
		}
		open = now
	}
	x.holding.Store(nil)
	return free
}

// free moves the sessions that no longer wait from those held to list.
func (x *Executor) free(list []*session.Session, open int64) []*session.Session {
	left := x.held[:0]
	for _, s := range x.held {
		if s.Gate > open {
			left = append(left, s)
			continue
		}
		s.Held = false
		list = append(list, s)
	}
	clear(x.held[len(left):])
	x.held = left
	return list
}

// forgetHeld forgets a session that has gone.
func (x *Executor) forgetHeld(s *session.Session) {
	if !s.Held {
		return
	}
	s.Held = false
	left := x.held[:0]
	for _, h := range x.held {
		if h != s {
			left = append(left, h)
		}
	}
	clear(x.held[len(left):])
	x.held = left
	if len(left) == 0 {
		x.holding.Store(nil)
	} else {
		x.holding.Store(left[0])
	}
}

// wrote notes how far the journal is behind what a session has done.
func (x *Executor) wrote(s *session.Session) {
	x.appended = false
	s.Wrote = session.Position{Offset: x.Journal.Appended(), Mark: x.Journal.Tail()}
}
