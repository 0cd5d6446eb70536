package exec

import (
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// # Blocked sessions
//
// A command that calls Ctx.Block leaves a blocked: its arguments, and a waiter at its
// keys. The session executes nothing further until the wait is over, which is said by
// whoever ends it, on whatever loop:
//
//	served    an executor that changed a key ran the command again, and pushed its reply
//	timeout   the session's own loop, in Tick; it also runs a command again that asked for it
//	unblocked CLIENT UNBLOCK, in exclusive mode
//	closed    the session's own loop
//
// Only one of them can: keyspace.Waiter decides. The others push the reply and order the
// session's loop to go on, in one step; it forgets the waiter then.

// A blocked is what a session's blocking command waits for. It implements session.Wait.
type blocked struct {
	waiter keyspace.Waiter
	s      *session.Session
	spec   *command.Spec
	args   command.Args
	resp3  bool
	until  int64        // monotonic nanoseconds, 0 for never
	again  atomic.Int64 // when to look again whether it can be served, likewise
	due    int64        // the sooner of the two, as its loop knows it; 0: it is not in the heap
	place  int          // in the heap
	erred  bool         // it ended with an error; written before the loop is told
	empty  func(*resp.Writer)

	reached func() bool // of one that waits for a position; see await
	awaits  int         // its place on the list of those
}

// block registers the wait of a session's command, under the locks of its keys.
func (x *Executor) block(s *session.Session, spec *command.Spec, w *command.Wait) {
	args := x.ctx.Args
	if w.Args != nil {
		args = w.Args
	}
	args = clone(args)
	b := &blocked{s: s, spec: spec, args: args, resp3: s.Out.Resp3, until: w.Until, empty: w.Empty}
	b.waiter = keyspace.Waiter{DB: s.DB, Type: w.Type, Owner: b}
	for _, key := range w.Keys {
		b.waiter.Keys = append(b.waiter.Keys, append([]byte(nil), key...))
	}
	if w.More != nil {
		b.waiter.Extra = keyspace.StripeSet(x.Keyspace.Placement(w.More))
	}
	x.txn.Wait(&b.waiter)
	s.Wait, s.Stopped = b, true
	x.Sessions.Blocked.Add(1)
	if b.until > 0 {
		x.Sessions.Timeouts.Add(1)
	}
	b.again.Store(w.Again)
	x.schedule(b)
}

// afterCall ends a command: it journals what it did, serves those who waited for a key
// that it changed, and blocks the session if it asked for that. The locks are held, but
// may be others afterwards.
func (x *Executor) afterCall(s *session.Session, spec *command.Spec) {
	x.commit(s) // also of one that blocks: it may have found that a key's time had come
	if w := x.ctx.TakeBlock(); w != nil {
		x.block(s, spec, w)
		return
	}
	if w := x.ctx.TakeAwait(); w != nil {
		x.await(s, spec, w)
		return
	}
	if t := x.ctx.TakeTask(); t != nil {
		x.startTask(s, spec, t)
		return
	}
	if r := x.ctx.TakeStream(); r != nil {
		x.startStream(s, spec, r)
		return
	}
	if x.txn.HasReady() {
		x.serve()
	}
}

// serve serves the clients that wait for keys which changed. It looks at the clock: the
// command may have taken long enough for a key's time to come. Keys that are not locked,
// since the command had them in exclusive mode, are locked, and the caller unlocks.
func (x *Executor) serve() {
	x.ctx.Now = clock.Now(x.Clock)
	for {
		need := x.txn.Serve(x.ctx.Now, x.try)
		if need == 0 {
			break
		}
		x.txn.Unlock()
		x.txn.Lock(need)
	}
}

// tryServe runs the command of a client that waits, for a key that changed, and says
// whether it has a reply.
func (x *Executor) tryServe(w *keyspace.Waiter, key []byte) bool {
	b := w.Owner.(*blocked)
	if !x.mayServe(b, key) {
		return false
	}
	c := &x.ctx
	session, out, inMulti := c.Session, c.Out, c.InMulti
	defer func() {
		c.Session, c.Out, c.InMulti = session, out, inMulti
		c.Serve(nil)
	}()
	x.reply.Resp3 = b.resp3
	c.Session, c.Out, c.InMulti = b.s, &x.reply, false
	c.Reset(b.spec, b.args, x.Journal.Active())
	c.Serve(key)
	x.txn.Begin(w.DB, c.Now)
	start := x.Clock.Mono()
	err := x.run(b.spec)
	if err == nil {
		if wait := c.TakeBlock(); wait != nil {
			x.commit(b.s)
			x.reply.Discard()
			b.lookAt(wait.Again)
			return false
		}
	}
	if err != nil {
		x.reply.Discard()
		x.reply.Error(err)
		x.count(err)
		x.Stats.Commands[b.spec.ID].Failed++
	}
	x.changes += int64(x.txn.Dirty())
	x.commit(b.s)
	x.chargeServed(b, start)
	b.s.Answer(taken(&x.reply))
	return true
}

// taken is everything that was written, in one piece.
func taken(w *resp.Writer) (all []byte) {
	for _, chunk := range w.Take(nil) {
		all = append(all, chunk.Bytes...)
		chunk.Free(nil)
	}
	return all
}

// chargeServed charges the command of a client that was served with the time since start,
// and takes that off what the command that served it will be charged.
func (x *Executor) chargeServed(b *blocked, start int64) {
	serving := x.mono
	x.mono = start
	x.charge(b.spec, &request{args: b.args})
	x.mono = serving + max(x.mono-start, 0)
}

var errUnblocked = &resp.Error{Code: "UNBLOCKED", Text: "client unblocked via CLIENT UNBLOCK"}

// Unblock implements session.Wait.
func (b *blocked) Unblock(asError bool) bool {
	if ok, _ := b.waiter.Cancel(); !ok {
		return false
	}
	out := resp.Writer{Resp3: b.resp3}
	if asError {
		b.erred = true
		out.Error(errUnblocked)
	} else {
		b.empty(&out)
	}
	b.s.Answer(taken(&out))
	return true
}

// unblocked goes on with a session whose wait is over.
func (x *Executor) unblocked(s *session.Session) {
	switch w := s.Wait.(type) {
	case *blocked:
		if w.erred {
			x.count(errUnblocked)
			x.Stats.Commands[w.spec.ID].Failed++
		}
		x.endWait(s, w)
	case *task:
		x.endTask(s, w)
	default:
		return
	}
	if s.Closing == session.Open {
		s.Stopped = false
		x.feed(s, s.Query, true)
	}
}

// endWait forgets a wait that is over.
func (x *Executor) endWait(s *session.Session, b *blocked) {
	x.Keyspace.Forget(&b.waiter)
	s.Wait = nil
	x.Sessions.Blocked.Add(-1)
	if b.until > 0 {
		x.Sessions.Timeouts.Add(-1)
	}
	x.waits.remove(b)
	if b.reached != nil {
		x.unawait(b)
	}
}

// abandon ends the wait of a session whose connection is gone.
func (x *Executor) abandon(s *session.Session) {
	var b *blocked
	switch w := s.Wait.(type) {
	case *blocked:
		b = w
	case *task:
		w.gone.Store(true)
		s.Wait = nil
		return
	case *streamed:
		w.reply.Release()
		s.Wait, s.Stream = nil, nil
		return
	default:
		return
	}
	for {
		done, busy := b.waiter.Cancel()
		if done || !busy {
			break
		}
		time.Sleep(waitBusy) // another loop is running its command
	}
	x.endWait(s, b)
}

// waitBusy is how long to wait for a command that another loop is running.
const waitBusy = 10 * time.Microsecond
