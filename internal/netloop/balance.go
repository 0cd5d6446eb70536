package netloop

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// windowNanos is over how long a loop measures itself.
const windowNanos = int64(10 * time.Millisecond)

// sampleEvery is how many turns pass between two whose Run is timed.
const sampleEvery = 8

// measure is what a loop knows about its load. The atomics are read by whichever
// loop looks at all loads.
type measure struct {
	window    uint32 // counts windows
	windowAt  int64  // when this one began
	windowIn  uint64
	windowOut uint64
	turnCount uint64
	published uint64
	usedAt    int64 // used when the window began

	thread  threadClock
	waited  atomic.Int64 // nanoseconds spent waiting
	sleepAt atomic.Int64 // since when it waits; 0 if it does not
	running atomic.Int64 // nanoseconds spent in Run, extrapolated from samples
}

// used is the time that the loop has had work so far. The time that it did not wait
// is the second best measure: a ring does much inside the call that waits.
func (m *measure) used(now int64) int64 {
	if n, ok := m.thread.wanted(); ok {
		return n
	}
	used := now - m.waited.Load()
	if at := m.sleepAt.Load(); at > 0 {
		used -= max(0, now-at)
	}
	return used
}

// sampled counts a turn and says whether its Run is to be timed.
func (l *loop) sampled() bool {
	l.turnCount++
	return len(l.srv.loops) > 1 && l.turnCount%sampleEvery == 0
}

func (l *loop) ran(nanos int64) { l.running.Store(l.running.Load() + nanos*sampleEvery) }

// closeWindow publishes the figures of the window and begins another.
func (l *loop) closeWindow() {
	elapsed, used := l.now-l.windowAt, l.used(l.now)
	l.busyPermille.Store(min(1000, 1000*max(0, used-l.usedAt)/elapsed))
	l.turns.Add(l.turnCount - l.published)
	l.bytesIn.Add(l.windowIn)
	l.bytesOut.Add(l.windowOut)
	l.published, l.usedAt = l.turnCount, used
	l.windowIn, l.windowOut = 0, 0
	l.window++
	l.windowAt = l.now
	if len(l.srv.loops) > 1 && l.now >= l.srv.balanceAt.Load() && !l.srv.stopping.Load() {
		l.srv.rebalance(l.now)
	}
}

// balancing is the state of the policy and what it needs to see the loads. It is
// used by one loop at a time, whichever closes a window when a look is due.
type balancing struct {
	mu     sync.Mutex
	policy policy
	lastAt int64
	used   []int64 // at lastAt
	ran    []int64
	bytes  []uint64
	loads  []load
	idle   idleMeter
	asked  bool               // the policy wants to know the idle processors
	seen   func(loads []load) // tests say what is seen; nil otherwise
}

func (b *balancing) init(loops int) {
	b.used, b.ran = make([]int64, loops), make([]int64, loops)
	b.loads, b.bytes = make([]load, loops), make([]uint64, loops)
	b.policy.init(loops)
}

// rebalance looks at the loads of all loops and does what the policy says.
func (s *Server) rebalance(now int64) {
	b := &s.balance
	if !b.mu.TryLock() {
		return
	}
	defer b.mu.Unlock()
	elapsed := now - b.lastAt
	if elapsed < windowNanos/2 {
		return
	}
	b.lastAt = now
	s.balanceAt.Store(now + windowNanos)
	for i, l := range s.loops {
		b.loads[i] = load{up: l.up.Load(), active: l.active.Load(), clients: int(l.clients.Load())}
		if !b.loads[i].up {
			continue
		}
		used, ran := l.used(now), l.running.Load()
		busy := max(0, used-b.used[i])
		b.loads[i].busy = min(1, float64(busy)/float64(elapsed))
		b.loads[i].useful = min(1, float64(ran-b.ran[i])/float64(max(1, busy)))
		bytes := l.bytesIn.Load()
		b.loads[i].rate = float64(bytes-b.bytes[i]) / float64(elapsed) * 1e9
		b.used[i], b.ran[i], b.bytes[i] = used, ran, bytes
	}
	idle := idleUnknown
	if b.asked {
		idle = b.idle.processors(now)
	}
	if b.seen != nil {
		b.seen(b.loads)
	}
	d := b.policy.decide(now, b.loads, idle)
	b.asked = d.wantIdle
	s.carryOut(d)
}

func (s *Server) carryOut(d decision) {
	if d.act == stay {
		return
	}
	from, to := s.loops[d.from], s.loops[d.to]
	if d.act == begin {
		s.activate(to)
		return
	}
	s.cfg.Log.Debug("moving clients", "from", d.from, "to", d.to, "part", d.part)
	to.active.Store(true)
	if d.act == gather {
		from.active.Store(false)
	}
	part, all := d.part, d.act == gather
	from.call(func() { from.beginMove(to, part, all) })
}

// activate starts a loop's thread if it does not run yet.
func (s *Server) activate(l *loop) {
	l.mu.Lock()
	started := l.started
	l.mu.Unlock()
	if started {
		return
	}
	l.launch(func(err error) {
		if err != nil {
			s.cfg.Log.Warn("a further loop could not start", "loop", l.id, "error", err)
		}
	})
}

// moveBatch bounds how many connections a loop hands over in one turn.
const moveBatch = 64

// beginMove chooses the connections that go to another loop: all, or the given
// part of those that were active in this or the last window, and of these every
// n-th in the order of their activity, so that both loops get busy ones.
func (l *loop) beginMove(to *loop, part float64, all bool) {
	l.moving = l.moving[:0]
	l.moveUntil = l.now + moveTime
	for i := range l.slots {
		c := l.slots[i].c
		if c == nil || c.state != connOpen {
			continue
		}
		if all || l.window-c.window <= 1 {
			l.moving = append(l.moving, c)
		}
	}
	if !all {
		active := l.moving
		sort.Slice(active, func(i, j int) bool { return active[i].reads > active[j].reads })
		l.moving = active[:0]
		due := 0.0
		for _, c := range active {
			if due += part; due >= 1 {
				due--
				l.moving = append(l.moving, c)
			}
		}
		clear(active[len(l.moving):])
	}
	for _, c := range l.moving {
		c.dest = to
	}
}

// move hands some connections over, at the end of a turn. Those with replies under
// way are tried again in later turns.
func (l *loop) move() {
	n := min(len(l.moving), moveBatch)
	kept := 0
	for i, c := range l.moving[:n] {
		l.moving[i] = nil
		if c.owner.Load() != l || c.state != connOpen || !l.movable(c) {
			continue
		}
		c.state = connLeaving
		if !l.p.leave(c) {
			c.state = connOpen
			if l.now < l.moveUntil {
				l.moving[kept] = c
				kept++
			}
		}
	}
	rest := l.moving[n:]
	l.again = l.again || len(rest) > 0
	l.moving = append(l.moving[:kept], rest...)
	if len(l.moving) == 0 {
		l.moving = nil
	}
}

// moveTime is how long a loop tries to hand the chosen connections over.
const moveTime = int64(50 * time.Millisecond)

// movable says whether c may change loops.
func (l *loop) movable(c *conn) bool {
	s := c.s
	return c.dest != nil && c.dest != l && !c.eof && !c.broken && s.Closing == 0 && !s.Stopped &&
		s.Stream == nil &&
		(l.srv.cfg.Movable == nil || l.srv.cfg.Movable(s))
}

// left is called by pollers when nothing in the kernel knows a leaving c any more.
func (l *loop) left(c *conn) {
	if !l.movable(c) || !c.quiet() { // something came in between
		c.state = connOpen
		if err := l.p.join(c); err != nil {
			c.broken = true
		}
		l.act(c)
		return
	}
	l.vacate(c)
	l.clients.Add(-1)
	l.moved.Add(1)
	to := c.dest
	c.dest = nil
	c.window = 0
	to.arrive(c)
}
