package exec

import (
	"sync/atomic"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/session"
)

// # Waiting for positions
//
// A command that calls Ctx.Await leaves a wait that ends when others have got somewhere: so
// many replicas, or the disk, up to a position of the journal. It is a blocked without keys,
// on the list of its loop. Whoever gets further says so (Reached), which wakes the loops that
// have such waits; each asks all of its own, which is a comparison for each.

// awaiting is what the waits of a server for positions have in common.
type awaiting struct {
	waits   atomic.Int64
	reached atomic.Uint64 // how often somebody got further
}

// await registers a wait of a session's command.
func (x *Executor) await(s *session.Session, spec *command.Spec, w *command.Await) {
	b := &blocked{s: s, spec: spec, args: clone(x.ctx.Args), resp3: s.Out.Resp3, until: w.Until, empty: w.Reply,
		reached: w.Reached}
	b.waiter.Owner = b
	s.Wait, s.Stopped = b, true
	x.Sessions.Blocked.Add(1)
	if b.until > 0 {
		x.Sessions.Timeouts.Add(1)
	}
	b.awaits = len(x.awaits)
	x.awaits = append(x.awaits, b)
	x.awaiter.Store(x.awaits[0].s)
	x.awaiting.waits.Add(1)
	x.schedule(b)
	// Somebody may have got there since the command looked, and not have seen it here.
	if w.Reached() {
		s.Link.Wake()
		x.awaitsSeen--
	}
}

// unawait takes a wait that is over off the list.
func (x *Executor) unawait(b *blocked) {
	last := len(x.awaits) - 1
	x.awaits[b.awaits] = x.awaits[last]
	x.awaits[b.awaits].awaits = b.awaits
	x.awaits[last] = nil
	x.awaits = x.awaits[:last]
	x.awaiting.waits.Add(-1)
	if last == 0 {
		x.awaiter.Store(nil)
	} else {
		x.awaiter.Store(x.awaits[0].s)
	}
}

// Reached is called when somebody whom commands may wait for has got further, from any
// goroutine.
func (sh *Shared) Reached() {
	if sh.awaiting.waits.Load() == 0 {
		return
	}
	sh.awaiting.reached.Add(1)
	sh.executorsMu.Lock()
	defer sh.executorsMu.Unlock()
	for _, x := range sh.executors {
		if s := x.awaiter.Load(); s != nil {
			s.Link.Wake()
		}
	}
}

// endAwaits ends the waits whose position is reached, if somebody has got further.
func (x *Executor) endAwaits() {
	now := x.awaiting.reached.Load()
	if now == x.awaitsSeen {
		return
	}
	x.awaitsSeen = now
	for i := 0; i < len(x.awaits); {
		b := x.awaits[i]
		if !b.reached() {
			i++
			continue
		}
		if ok, _ := b.waiter.Cancel(); !ok {
			i++ // CLIENT UNBLOCK was first; its order is on its way
			continue
		}
		b.empty(&b.s.Out)
		x.mark(b.s)
		x.unblocked(b.s) // which puts another one at i
	}
}
