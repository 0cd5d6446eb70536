package exec

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// # Tasks
//
// A command that calls Ctx.Detach leaves a task: its session executes nothing further
// until a goroutine has done the work. Whenever that needs the keyspace it borrows an
// executor that belongs to no loop, and runs a function there as loops run commands.
//
// # Holding keys
//
// While a task holds keys, commands that would change them are kept with everything that
// their sessions sent behind them, and tried again when a task ends:
//
//	the command   enters the keys, under their locks, and wakes the gates
//	the task      waits until every loop has ended the batch that it was in; from then
//	              on all commands are asked
//	its end       removes the keys, and orders the sessions that were stopped to go on
//
// A client that waits (BLMOVE) and would be served into a key that is held goes on waiting:
// it is tried again when a task ends. What no command names gets through: a key's time may
// come, it may be evicted, and databases may be flushed and swapped unless the task forbids
// that. A task that relies on its keys watches them as well.

// tasks is what the tasks of a server have in common.
type tasks struct {
	mu      sync.Mutex
	held    map[string]int     // names of keys, in any database, and how many tasks hold them
	whole   int                // tasks that hold whole databases
	waiting []*session.Session // stopped by a key that is held
	missed  []missedKey        // for which clients that wait were not served

	run      sync.Mutex
	executor *Executor // of no loop; made when it is needed, used under run
}

// A missedKey is a key that has changed.
type missedKey struct {
	db   int
	name []byte
}

// A task is a session's command that is worked on elsewhere. It implements session.Wait and
// command.Worker.
type task struct {
	sh     *Shared
	s      *session.Session
	spec   *command.Spec
	db     int
	resp3  bool
	silent bool // the client wants no reply
	work   *command.Task
	hold   []string
	err    error // the reply, if it is one
	turn   int64 // when it began to work since it rested

	gone atomic.Bool // the client has left
}

// startTask begins the task of a session's command, under the locks of its keys.
func (x *Executor) startTask(s *session.Session, spec *command.Spec, work *command.Task) {
	t := &task{sh: x.Shared, s: s, spec: spec, db: s.DB, resp3: s.Out.Resp3, work: work}
	t.silent = s.ReplyMode == session.ReplyOff || s.ReplyMode == session.ReplySkip
	for _, key := range work.Hold {
		t.hold = append(t.hold, string(key))
	}
	x.holdKeys(t)
	s.Wait, s.Stopped = t, true
	if x.Background != nil {
		x.Background(t.run)
	} else {
		go t.run()
	}
}

// run does the work and tells the session's loop.
func (t *task) run() {
	if len(t.hold) > 0 {
		t.sh.Keyspace.Exclusive(nil, func() {}) // every batch that began before has ended
	}
	out := resp.Writer{Resp3: t.resp3}
	if t.err = inWords(t.work.Run(t, &out)); t.err != nil {
		out.Discard()
		out.Error(t.err)
	}
	t.sh.releaseKeys(t)
	reply := taken(&out)
	if t.gone.Load() {
		return
	}
	if t.silent {
		reply = nil
	}
	t.s.Answer(reply)
}

// Unblock implements session.Wait: what was begun is brought to its end.
func (t *task) Unblock(bool) bool { return false }

// Locked implements command.Worker.
func (t *task) Locked(keys [][]byte, fn func(*command.Ctx) error) error {
	return t.sh.lockedFor(t.spec, t.db, keys, fn)
}

// borrow begins a turn of the executor that belongs to no loop, and returns what ends it.
// Who comes meanwhile waits.
func (sh *Shared) borrow() (x *Executor, done func()) {
	ts := &sh.tasks
	ts.run.Lock()
	if ts.executor == nil {
		ts.executor = New(sh)
	}
	x = ts.executor
	x.Begin(x.Clock.Mono())
	x.ctx.Now = clock.Now(x.Clock) // there may have been no turn for long
	return x, func() {
		x.End()
		sh.FeedSoon()
		ts.run.Unlock()
	}
}

// lockedFor runs fn as a command of nobody's session.
func (sh *Shared) lockedFor(
	spec *command.Spec, db int, keys [][]byte, fn func(*command.Ctx) error,
) error {
	x, done := sh.borrow()
	defer done()
	c := &x.ctx
	c.Session, c.Out, c.InMulti = nil, &x.reply, false
	c.Reset(spec, nil, x.Journal.Active())
	c.JournalNothing()
	x.txn.Begin(db, c.Now)
	set := uint64(0)
	for _, key := range keys {
		set |= keyspace.StripeSet(x.Keyspace.Placement(key))
	}
	x.txn.Lock(set)
	err := fn(c)
	x.changes += int64(x.txn.Dirty())
	x.commit(nil)
	if x.txn.HasReady() {
		x.serve()
	}
	x.txn.Unlock()
	x.reply.Discard()
	return err
}

const (
	// taskTurn is how long a task works before it leaves the processor to others, and how
	// long it does that at least. A thread that rests as often as it works is not taken off
	// its processor in the middle of a piece, while it has keys locked.
	taskTurn = 500 * time.Microsecond
	// pausedPoll is how often a task looks whether clients are still paused.
	pausedPoll = time.Millisecond
)

var errEnding = &resp.Error{Code: "ERR", Text: "the server ends"}

// Rest implements command.Worker.
func (t *task) Rest() error {
	if worked := time.Duration(t.sh.Clock.Mono() - t.turn); worked < taskTurn {
		runtime.Gosched() // whoever waits for a lock has it now
	} else {
		time.Sleep(taskTurn)
		defer func() { t.turn = t.sh.Clock.Mono() }()
	}
	for {
		if t.sh.Ending.Load() {
			return errEnding
		}
		err := t.sh.askGates(t.s, t.spec, t.spec.Flags, t.sh.Clock.Mono())
		if err != ErrPostpone {
			return err
		}
		time.Sleep(pausedPoll)
	}
}

// endTask forgets a task whose reply has been pushed.
func (x *Executor) endTask(s *session.Session, t *task) {
	s.Wait = nil
	if t.err != nil {
		x.count(t.err)
		x.Stats.Commands[t.spec.ID].Failed++
	}
}

// holdKeys keeps the keys of a task from being changed.
func (sh *Shared) holdKeys(t *task) {
	if len(t.hold) == 0 {
		return
	}
	ts := &sh.tasks
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.held == nil {
		ts.held = map[string]int{}
	}
	for _, key := range t.hold {
		ts.held[key]++
	}
	if t.work.HoldAll {
		ts.whole++
	}
	sh.Attend(attendHeld, true)
}

// releaseKeys ends the hold of a task. Everybody who was stopped tries again: who still may
// not go on is stopped again.
func (sh *Shared) releaseKeys(t *task) {
	if len(t.hold) == 0 {
		return
	}
	ts := &sh.tasks
	ts.mu.Lock()
	for _, key := range t.hold {
		if ts.held[key]--; ts.held[key] == 0 {
			delete(ts.held, key)
		}
	}
	if t.work.HoldAll {
		ts.whole--
	}
	if len(ts.held) == 0 {
		sh.Attend(attendHeld, false)
	}
	missed := ts.missed
	ts.missed = nil
	for _, s := range ts.waiting {
		s.OrderResume()
	}
	clear(ts.waiting)
	ts.waiting = ts.waiting[:0]
	ts.mu.Unlock()
	for _, key := range missed {
		_ = sh.lockedFor(t.spec, key.db, [][]byte{key.name}, func(c *command.Ctx) error {
			c.DB.WakeIn(key.db, key.name)
			return nil
		})
	}
}

// attendHeld is the bit of Attention that says that keys are held.
const attendHeld uint32 = 1 << 31

type held struct{}

func (held) Error() string { return "a key is held" }

// errHeld makes the executor keep a request until a task is over.
var errHeld error = held{}

// askHolders returns errHeld if a command would change a key that a task holds, and enters
// its session among those that wait. A transaction is asked about when it is executed.
func (x *Executor) askHolders(s *session.Session, spec *command.Spec, args command.Args) error {
	if x.Attention.Load()&attendHeld == 0 || s.Multi.Open && spec.Name != "EXEC" {
		return nil
	}
	ts := &x.Shared.tasks
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.held) == 0 {
		return nil
	}
	stops := x.changesHeld(spec, args)
	for i := range s.Multi.Queue {
		q := &s.Multi.Queue[i]
		stops = stops || x.changesHeld(q.Spec.(*command.Spec), q.Args)
	}
	if !stops {
		return nil
	}
	ts.waiting = append(ts.waiting, s)
	return errHeld
}

// changesHeld says whether a command would change a key that is held, as far as it says
// which keys it changes.
func (x *Executor) changesHeld(spec *command.Spec, args command.Args) bool {
	if spec.Flags&(command.Write|command.MayReplicate) == 0 {
		return false
	}
	if spec.Flags&(command.Exclusive|command.WholeDB) != 0 {
		return x.Shared.tasks.whole > 0
	}
	refs, _ := spec.FindKeyRefs(x.refs[:0], args)
	x.refs = refs[:0]
	for _, ref := range refs {
		if ref.Flags&command.RO == 0 && x.Shared.tasks.held[string(args[ref.Index])] > 0 {
			return true
		}
	}
	return false
}

// mayServe says whether the command of a client that waits may run now, for a key that has
// changed. If not, it is tried again when a task ends.
func (x *Executor) mayServe(b *blocked, key []byte) bool {
	if x.Attention.Load()&attendHeld == 0 {
		return true
	}
	ts := &x.Shared.tasks
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.held) == 0 || !x.changesHeld(b.spec, b.args) {
		return true
	}
	for _, old := range ts.missed {
		if old.db == b.waiter.DB && string(old.name) == string(key) {
			return false
		}
	}
	ts.missed = append(ts.missed, missedKey{b.waiter.DB, append([]byte(nil), key...)})
	return false
}

// keep keeps a request and everything behind it until its session is ordered to go on.
func (x *Executor) keep(f *feed, r *request) {
	f.stopped, f.stopAt = true, int(r.start)
	f.s.Stopped = true
	x.Stats.Processed--
}
