package netloop

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/thread"
)

// A poller is a loop's way to the kernel. Its methods are called on the loop's
// thread, except for wake.
//
// An event of a connection that has ended must never reach another connection:
// pollers name connections to the kernel by slot and generation.
type poller interface {
	open() error
	// poll looks for events without waiting; it submits what is queued.
	poll() (ready bool)
	// block waits for events, at most for the given time if it is not negative.
	block(nanos int64)
	// gather delivers the events to the handler.
	gather()
	// settle is called after Run, when received bytes are not needed any more.
	settle()
	// finish ends the turn: what end and leave began and is complete is reported.
	finish()
	// join begins to serve c, leave stops it without closing and reports to l.left,
	// end closes it and reports to l.ended.
	join(c *conn) error
	leave(c *conn) bool // false if it cannot now
	end(c *conn)
	// send takes and sends the replies of c, of which none is under way.
	send(c *conn)
	// listen has l.accepting told when ln has connections, accept takes them.
	listen(ln *listener) error
	unlisten(ln *listener)
	accept()
	// trim gives back memory that is not needed at low load.
	trim()
	close()
	// wake ends the other thread's block. It may be called from any thread.
	wake()
}

// A slot names a connection to the kernel: the generation tells a late event of
// the slot's last owner from one of the present owner.
type slot struct {
	c   *conn
	gen uint32
}

// A loop serves connections on a thread of its own.
type loop struct {
	srv  *Server
	id   int
	h    Handler
	p    poller
	pool resp.Pool

	slots     []slot
	freeSlots []uint32

	now     int64 // when the turn began, monotonic
	tickAt  int64
	again   bool    // the turn left work behind: the next one must not wait
	batch   int     // receives in this turn
	trimDue bool    // memory is to be given back at the end of the turn
	acts    []*conn // to be acted upon at the end of the turn
	refills []*conn // whose replies are to be gone on with in the next turn

	chunks     []resp.Chunk
	chunkLists [][]resp.Chunk

	accepting acceptor
	moving    []*conn // connections still to be handed to their dest
	moveUntil int64   // when that is given up

	measure
	yielder yielder
	stats

	// The inbox: what other threads ask for.
	pending  atomic.Bool // something is in it
	sleeping atomic.Bool // the loop waits, or is about to
	mu       sync.Mutex
	started  bool
	wokenIn  []*conn
	arrived  []*conn
	calls    []func()

	// The other half of the inbox's lists, so that they are swapped and not made anew.
	wokenOld   []*conn
	arrivedOld []*conn
	callsOld   []func()
}

// stats are written by the loop and read by anybody.
type stats struct {
	active       atomic.Bool  // gets new connections
	up           atomic.Bool  // its thread runs
	clients      atomic.Int64 // in its slots or on their way to it
	turns        atomic.Uint64
	busyPermille atomic.Int64
	bytesIn      atomic.Uint64
	bytesOut     atomic.Uint64
	moved        atomic.Uint64
}

func newLoop(s *Server, id int, h Handler) *loop {
	return &loop{srv: s, id: id, h: h}
}

// start runs the loop on a thread of its own and waits until its backend is open.
func (l *loop) start() error {
	opened := make(chan error, 1)
	l.launch(func(err error) { opened <- err })
	return <-opened
}

// launch is start without waiting.
func (l *loop) launch(opened func(error)) {
	l.mu.Lock()
	l.started = true
	l.mu.Unlock()
	l.srv.done.Add(1)
	go func() {
		defer l.srv.done.Done()
		runtime.LockOSThread() // and never unlocked
		thread.ShortSlices()
		l.p = l.srv.newPoller(l)
		if err := l.p.open(); err != nil {
			l.p.close()
			opened(err)
			return
		}
		l.now = l.srv.cfg.Clock.Mono()
		l.thread.open()
		l.windowAt, l.usedAt = l.now, l.used(l.now)
		l.active.Store(l.id == 0)
		l.up.Store(true)
		opened(nil)
		for l.turn() {
		}
		l.up.Store(false)
		l.p.close()
		l.thread.close()
	}()
}

// turn is one round of the loop. It returns false after the last one.
//
//	wait - Begin - events in, inbox, Tick, Refill - Run - replies out, closes, moves - End
func (l *loop) turn() bool {
	l.wait()
	h := l.h
	h.Begin(l.now)
	l.p.gather()
	if l.pending.Load() {
		l.takeInbox()
	}
	if l.accepting.due(l.now) {
		l.p.accept()
	}
	if l.now >= l.tickAt {
		l.tick()
	}
	if len(l.refills) > 0 {
		l.refill()
	}
	if l.sampled() {
		before := l.srv.cfg.Clock.Mono()
		h.Run()
		l.ran(l.srv.cfg.Clock.Mono() - before)
	} else {
		h.Run()
	}
	l.p.settle()
	if d := h.Deadline(); d > 0 && d < l.tickAt {
		l.tickAt = d
	}
	for _, s := range h.Dirty() {
		if c, ok := s.Link.(*conn); ok && c.owner.Load() == l {
			l.act(c)
		}
	}
	if len(l.acts) > 0 {
		l.actLater()
	}
	if len(l.moving) > 0 {
		l.move()
	}
	stopping := l.srv.stopping.Load()
	if stopping {
		l.stop()
	}
	l.p.finish()
	if l.trimDue { // not before Run, which needs what was read
		l.trimDue = false
		l.pool.Trim(poolCalm)
		l.p.trim()
	}
	if l.now-l.windowAt >= windowNanos {
		l.closeWindow()
	}
	h.End()
	return !stopping || l.srv.clients.Load() > 0
}

// wait returns when there is something to do, with the time in l.now.
func (l *loop) wait() {
	yield := l.yielder.due(l.now, l.turnCount)
	if yield || l.again || l.batch >= batchLikely {
		// Where there was much work there is likely to be more already, and asking without
		// waiting costs less than giving the processor up and getting it back. Where there
		// was little it is a call for nothing, since waiting finds what is there as well.
		again := l.again
		l.again, l.batch = false, 0
		ready := l.p.poll() // and replies are on their way
		if yield {
			l.yield()
		}
		if ready || again || l.pending.Load() {
			l.now = l.srv.cfg.Clock.Mono()
			return
		}
	}
	l.batch = 0
	l.sleeping.Store(true)
	// A thread that puts something into the inbox sets pending and then looks at
	// sleeping; here it is the other way round, so one of the two sees the other.
	if l.pending.Load() {
		l.sleeping.Store(false)
		l.p.poll()
		l.now = l.srv.cfg.Clock.Mono()
		return
	}
	before := l.now // the turn that has passed since counts as waiting; see measure.used
	l.sleepAt.Store(before)
	l.p.block(l.timeout(before))
	l.sleepAt.Store(0)
	l.sleeping.Store(false)
	l.now = l.srv.cfg.Clock.Mono()
	l.waited.Store(l.waited.Load() + l.now - before)
}

// batchLikely is after how many receives in a turn more are expected to be there.
const batchLikely = 8

// timeout is how long the loop may wait.
func (l *loop) timeout(now int64) int64 {
	until := l.tickAt
	if l.id > 0 && l.clients.Load() == 0 {
		until = 0 // it has nothing to tick for, and wakes when it gets a client
	}
	if at := l.accepting.resumeAt; at > 0 && (until == 0 || at < until) {
		until = at
	}
	if l.srv.stopping.Load() {
		until = now + stopStep
	}
	if until == 0 {
		return -1
	}
	return max(0, until-now)
}

// tick gives the handler time for its periodic work.
func (l *loop) tick() {
	next := l.h.Tick(l.now)
	if next <= 0 {
		next = tickDefault
	}
	l.tickAt = l.now + int64(next)
	l.trimDue = l.busyPermille.Load() < calmPermille
}

const (
	tickDefault  = 100 * time.Millisecond
	calmPermille = 50 // below this share a loop gives buffers back at a tick
	poolCalm     = 4  // reply buffers that a calm loop keeps
)

// act sends what s has to say and closes it if it wants that.
func (l *loop) act(c *conn) {
	if c.state >= connEnding {
		return
	}
	s := c.s
	if c.broken || s.Closing == session.Immediately {
		l.end(c)
		return
	}
	if len(c.out) == 0 && s.Out.Len() > 0 {
		l.p.send(c)
	}
	if c.broken || s.Closing == session.AfterReply && c.quiet() {
		l.end(c)
		return
	}
	if s.Stream != nil {
		l.wantRefill(c)
	}
}

// actLaterOn has act called for c at the end of this turn.
func (l *loop) actLaterOn(c *conn) {
	if !c.later {
		c.later = true
		l.acts = append(l.acts, c)
	}
}

func (l *loop) actLater() {
	for i := 0; i < len(l.acts); i++ {
		c := l.acts[i]
		l.acts[i] = nil
		c.later = false
		l.act(c)
	}
	l.acts = l.acts[:0]
}

// received is called by pollers for bytes of c.
func (l *loop) received(c *conn, data []byte) {
	l.count(c, len(data))
	l.h.Received(c.s, data)
}

// filled is called by pollers for bytes read into what Space gave.
func (l *loop) filled(c *conn, n int) {
	l.count(c, n)
	l.h.Filled(c.s, n)
}

func (l *loop) count(c *conn, n int) {
	l.batch++
	l.windowIn += uint64(n)
	c.s.BytesIn += uint64(n)
	if c.window != l.window {
		c.window, c.reads = l.window, 0
	}
	c.reads++
}

// ended is called by pollers when nothing in the kernel knows c any more. Run must
// have returned in this turn.
func (l *loop) ended(c *conn) {
	l.vacate(c)
	c.state = connEnded
	l.dropOut(c)
	c.s.Out.Discard()
	l.clients.Add(-1)
	l.h.Closed(c.s)
	if l.srv.clients.Add(-1) == 0 && l.srv.stopping.Load() {
		l.srv.rouse()
	}
	if l0 := l.srv.loops[0]; l0.accepting.starved.Load() {
		l0.accepting.freed.Store(true)
		l0.notify()
	}
}

// receivedEOF is called by pollers once when nothing more will arrive.
func (l *loop) receivedEOF(c *conn) {
	c.eof = true
	l.h.EOF(c.s)
	l.actLaterOn(c)
}

// end begins to close c.
func (l *loop) end(c *conn) {
	c.state = connEnding
	l.p.end(c)
}

// adopt begins to serve c.
func (l *loop) adopt(c *conn) {
	c.s.Out.SetPool(&l.pool)
	l.occupy(c)
	c.state = connOpen
	if err := l.p.join(c); err != nil {
		l.srv.cfg.Log.Warn("connection lost", "remote", c.s.Remote, "error", err)
		c.broken = true
	}
	l.actLaterOn(c)
}

// occupy gives c a slot.
func (l *loop) occupy(c *conn) {
	if n := len(l.freeSlots); n > 0 {
		c.slot = l.freeSlots[n-1]
		l.freeSlots = l.freeSlots[:n-1]
	} else {
		c.slot = uint32(len(l.slots))
		l.slots = append(l.slots, slot{})
	}
	at := &l.slots[c.slot]
	at.gen = (at.gen + 1) & genMask
	at.c, c.gen = c, at.gen
}

// genMask bounds generations to what every poller can hand to its kernel.
const genMask = 1<<24 - 1

func (l *loop) vacate(c *conn) {
	l.slots[c.slot].c = nil
	l.freeSlots = append(l.freeSlots, c.slot)
}

// at is the connection in a slot, nil if the generation has gone.
func (l *loop) at(slot, gen uint32) *conn {
	if int(slot) < len(l.slots) {
		if s := &l.slots[slot]; s.gen == gen {
			return s.c
		}
	}
	return nil
}

// stopStep is how often a loop that is stopping looks whether it may give up.
const stopStep = int64(10 * time.Millisecond)

// stop closes what has nothing left to send, and after the grace the rest.
func (l *loop) stop() {
	late := l.now >= l.srv.stopAt.Load()
	for i := range l.slots {
		c := l.slots[i].c
		if c == nil || c.state >= connEnding {
			continue
		}
		if late {
			c.s.Closing = session.Immediately
		} else if c.s.Closing == session.Open {
			c.s.Closing = session.AfterReply
		}
		l.act(c)
	}
}
