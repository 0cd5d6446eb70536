package exec

import (
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// An Executor carries requests from received bytes to finished replies. It is the
// handler of one event loop.
type Executor struct {
	*Shared
	gate *keyspace.Gate
	txn  *keyspace.Txn
	ctx  command.Ctx
	lim  resp.Limits
	anon resp.Limits

	feeds []feed
	place []uint64 // of all requests' keys
	seek  seeker
	last  lastSpec
	old   []query // query buffers that requests of this turn may still lie in
	reqs  []request
	args  [][]byte
	pool  resp.Pool

	dirty   []*session.Session
	stopped []*session.Session // until a pause ends
	waits   waitHeap           // of sessions that wait for keys
	reply   resp.Writer        // of a command that is run for another loop's session
	try     func(*keyspace.Waiter, []byte) bool
	ended   []*session.Session // in this turn

	held     []*session.Session // whose replies wait for the barrier
	holding  atomic.Pointer[session.Session]
	appended bool // to the journal, by the command

	fed    []*session.Session              // that have a Feed
	feeder atomic.Pointer[session.Session] // one of them, to wake the loop by
	fedTo  int64                           // how far the journal was when they were last fed

	awaits     []*blocked // that wait for positions
	awaiter    atomic.Pointer[session.Session]
	awaitsSeen uint64 // what awaiting.reached was when they were last asked

	pausedAs  session.PauseMode // when it was last looked at, or somebody stopped
	trimmed   int64             // when trim was last called
	ticked    int64             // requests processed by then
	exclusive bool              // in exclusive mode
	changes   int64             // not yet reported
	helped    int64             // requests processed when Help was last called
	effects   []command.Effect
	refs      []command.KeyRef

	mono     int64 // as last read
	wallBase int64 // microseconds at monoBase
	monoBase int64

	replayer *Replayer // whose executor this is, or nil

	Stats Counters
	timer timer
}

// Counters are one executor's figures. Others read them in exclusive mode.
type Counters struct {
	Commands   []CommandStats // by command ID
	Histograms *observe.Histograms
	Processed  int64
	BytesIn    int64
	Reads      int64            // pieces received, each by one receive
	Writes     int64            // turns' replies of a session, sent together
	Errors     map[string]int64 // replies by code
	Rejected   int64
	ErrorTotal int64
	QueryOver  int64 // connections closed because of client-query-buffer-limit
	OutputOver int64
	Turns      int64
}

// CommandStats are what INFO commandstats says of a command.
type CommandStats struct {
	Calls, Nanos, Rejected, Failed int64
}

// A feed is the bytes of one connection that a turn works through.
type feed struct {
	s       *session.Session
	buf     []byte
	pos     int  // parsed up to here
	own     bool // buf is s.Query
	more    bool // stop parsing after one command: the next may be understood differently
	stopped bool // execute no more of it
	stopAt  int

	// followed says that bytes came behind these in the same turn. They are in a later feed
	// of the session or, while they make no whole command, in its query.
	followed bool
}

// A lastSpec is the command looked up last. The next one is often the same.
type lastSpec struct {
	name [8]byte
	n    int
	spec *command.Spec
}

// A query is the memory of a replaced query buffer.
type query struct {
	b      []byte
	mapped bool
}

// A request is one parsed command.
type request struct {
	spec      *command.Spec
	args      command.Args
	err       error // a protocol error, instead of the two
	feed      int32
	start     int32
	end       int32
	keys      bool // placement is that of the only key
	placement uint64
	places    []uint64 // of all keys, if they are a range of several
}

// New makes the executor of a loop.
func New(sh *Shared) *Executor {
	x := &Executor{
		Shared: sh,
		gate:   sh.Keyspace.NewGate(),
		txn:    sh.Keyspace.NewTxn(),
	}
	n := len(sh.Table.Specs())
	x.Stats.Commands = make([]CommandStats, n)
	x.Stats.Histograms = observe.NewHistograms(n)
	x.Stats.Errors = map[string]int64{}
	x.ctx.DB, x.ctx.Engine = x.txn, x
	x.anon.Anon = true
	sh.executorsMu.Lock()
	sh.executors = append(sh.executors, x)
	sh.executorsMu.Unlock()
	x.try = x.tryServe
	x.txn.Deleted = func(db int, key []byte) {
		if x.Journal.Active() {
			name := delName
			if x.Keyspace.Tuning.LazyExpire.Load() {
				name = unlinkName
			}
			x.ctx.Before(db, name, append([]byte(nil), key...))
		}
	}
	x.readClock()
	return x
}

var delName, unlinkName = []byte("DEL"), []byte("UNLINK")

func (x *Executor) readClock() {
	x.mono = x.Clock.Mono()
	x.monoBase, x.wallBase = x.mono, x.Clock.Wall()
	x.setNow()
}

// wallFor is how long the wall time is derived from the monotonic one before it is read
// again, in nanoseconds: somebody may set the machine's clock.
const wallFor = 1_000_000

// setNow derives the wall time from the monotonic one, which is the cheaper to read.
func (x *Executor) setNow() {
	x.ctx.Mono = x.mono
	x.ctx.Now = clock.Millis((x.wallBase + (x.mono-x.monoBase)/1000) / 1000)
}

// Begin implements the loop's handler.
func (x *Executor) Begin(now int64) {
	x.gate.Enter()
	if x.mono = now; now-x.monoBase > wallFor || now < x.monoBase {
		x.readClock()
	} else {
		x.setNow()
	}
	x.lim.Bulk = x.Shared.Limits.Bulk.Load()
	x.anon.Bulk = x.lim.Bulk
	x.ctx.OutMax = x.Shared.Limits.Out[session.Normal].Hard.Load()
	x.Stats.Turns++
	if len(x.awaits) > 0 {
		x.endAwaits()
	}
}

// End implements the loop's handler.
func (x *Executor) End() {
	x.report()
	if x.Help != nil && x.Stats.Processed != x.helped {
		x.helped = x.Stats.Processed
		x.Help()
	}
	x.gate.Leave()
	if x.Congested != nil && x.Congested() {
		time.Sleep(congestionPause)
	}
}

// congestionPause is how long a loop waits before its next turn while a snapshot has
// more to write than it can hold.
const congestionPause = 200 * time.Microsecond

// report adds what this executor has done to what the server knows.
func (x *Executor) report() {
	x.txn.Report()
	if x.changes > 0 && x.Changed != nil {
		x.Changed(x.changes)
	}
	x.changes = 0
}

// Dirty implements the loop's handler.
func (x *Executor) Dirty() []*session.Session {
	if x.feeding.sessions.Load() > 0 {
		x.feedAll()
	}
	for _, s := range x.dirty {
		s.Queued = false
		if s.Out.Len() > 0 {
			x.Stats.Writes++
		}
		x.countQuery(s)
	}
	d := x.dirty
	x.dirty = x.dirty[:0]
	if x.barrier.Load() != nil || len(x.held) > 0 {
		d = x.pass(d)
	}
	return d
}

func (x *Executor) mark(s *session.Session) {
	if !s.Queued {
		s.Queued = true
		x.dirty = append(x.dirty, s)
	}
}

// Closed implements the loop's handler.
func (x *Executor) Closed(s *session.Session) {
	x.Sessions.Remove(s)
	x.Keyspace.Buffers.Add(-s.QueryCounted - s.Counted) // at once: writes may be refused for want of it
	s.QueryCounted, s.Counted = 0, 0
	if w, ok := s.Multi.Watch.(*keyspace.Watch); ok && w != nil {
		x.Keyspace.Unwatch(w)
	}
	if s.Monitor {
		x.Sessions.SetMonitor(s, false)
	}
	x.abandon(s)
	x.forgetHeld(s)
	x.unfeed(s)
	if s.Peer != nil {
		s.Peer.Gone(s)
	}
	s.Out.Discard()
	x.dropQuery(s)
	for i, old := range x.stopped {
		if old == s {
			x.stopped = append(x.stopped[:i], x.stopped[i+1:]...)
			break
		}
	}
}

// EOF implements the loop's handler: what was asked is answered, then it is over.
func (x *Executor) EOF(s *session.Session) {
	if len(x.feeds) > 0 { // not yet: what came before it in this turn is still to be executed
		x.ended = append(x.ended, s)
	} else {
		x.finish(s)
	}
	x.mark(s)
}

// finish closes a session when its replies are sent.
func (x *Executor) finish(s *session.Session) {
	if w, ok := s.Wait.(*streamed); ok {
		w.ended = true // its reply has been asked for, and goes on
		return
	}
	if s.Wait != nil {
		x.abandon(s)
		s.Closing = session.Immediately
	}
	if s.Class == session.Replica {
		s.Closing = session.Immediately
	}
	if s.Closing == session.Open {
		s.Closing = session.AfterReply
	}
}

// Woken implements the loop's handler.
func (x *Executor) Woken(s *session.Session) {
	var orders session.Orders
	pushed := false
	if s.Stream != nil {
		orders = s.TakeOrders() // what was pushed would come in the middle of a reply
	} else {
		var b []byte
		b, orders = s.TakeAll()
		if pushed = len(b) > 0; pushed {
			s.Out.Raw(b)
		}
	}
	if s.Held && !pushed && orders == (session.Orders{}) {
		return // this was to wake the loop
	}
	if (pushed || orders.Unblock) && x.Journal.Active() && s.Class == session.Normal {
		x.wrote(s) // by whoever woke it
	}
	if orders.Close {
		s.Closing = session.Immediately
	}
	if orders.Unblock {
		x.unblocked(s)
	} else if b, ok := s.Wait.(*blocked); ok {
		x.schedule(b)
	}
	if orders.Resume && s.Stopped && s.Wait == nil {
		s.Stopped = false
		x.feed(s, s.Query, true)
	}
	x.mark(s)
}

// tick is how often a loop looks after its sessions.
const tick = 100 * time.Millisecond

// Tick implements the loop's handler.
func (x *Executor) Tick(int64) time.Duration {
	if x.mono-x.trimmed >= int64(tick) { // waits that end make ticks more frequent
		x.trimmed = x.mono
		x.trim()
	}
	x.resumePaused()
	x.timeouts()
	if len(x.stopped) > 0 {
		return max(min(tick, time.Duration(x.Sessions.Pause.Until()-x.mono)), time.Millisecond)
	}
	return tick
}

const (
	// calmRequests is how many requests between two ticks are few.
	calmRequests = 100

	// scratchKept is the number of requests whose scratch memory is kept in any case.
	scratchKept = 4 * window
)

// trim gives spare buffers back, and drops the scratch memory that large turns have left,
// if the last ones were small.
func (x *Executor) trim() {
	x.pool.Trim(8)
	few := x.Stats.Processed-x.ticked < calmRequests
	x.ticked = x.Stats.Processed
	if few && cap(x.reqs) > scratchKept && len(x.reqs) == 0 && len(x.feeds) == 0 {
		x.reqs, x.args, x.place, x.feeds, x.seek, x.old = nil, nil, nil, nil, seeker{}, nil
	}
}

// resumePaused goes on with the sessions that a pause stopped, if it is over, or holds less back.
func (x *Executor) resumePaused() {
	mode := x.Sessions.Pause.Mode(x.mono)
	isLess := mode < x.pausedAs
	x.pausedAs = mode
	if mode != session.PauseOff && !isLess {
		return
	}
	if x.Sessions.Pause.Active() {
		x.Sessions.Pause.ClearEnded(x.mono)
	}
	all := x.stopped
	x.stopped = nil
	for _, s := range all {
		if s.Stopped {
			s.Stopped = false
			x.feed(s, s.Query, true)
		}
	}
}

// Exclusive implements command.Engine.
func (x *Executor) Exclusive(fn func()) {
	if x.exclusive {
		fn()
		return
	}
	x.report()
	x.Keyspace.Exclusive(x.gate, func() {
		x.exclusive = true
		x.txn.Adopt()
		fn()
		x.txn.Disown()
		x.exclusive = false
	})
}

// Gate is the executor's gate, for subsystems that ask for exclusive mode themselves.
func (x *Executor) Gate() *keyspace.Gate { return x.gate }

// Hits and Misses are this executor's lookups.
func (x *Executor) Lookups() (hits, misses int64) { return x.txn.Hits, x.txn.Misses }

// ResetStats forgets what CONFIG RESETSTAT forgets. It is called in exclusive mode.
func (x *Executor) ResetStats() {
	clear(x.Stats.Commands)
	clear(x.Stats.Errors)
	x.Stats.Histograms.Reset()
	x.Stats = Counters{Commands: x.Stats.Commands, Histograms: x.Stats.Histograms, Errors: x.Stats.Errors}
	x.txn.Hits, x.txn.Misses = 0, 0
}
