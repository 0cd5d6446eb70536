package command

import (
	"bytes"
	"math"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/value"
)

// An Engine is what a few commands need of the executor that runs them.
type Engine interface {
	// ExecQueue runs the session's queued transaction and writes its reply.
	ExecQueue(c *Ctx) error
	// Exclusive runs fn in exclusive mode, or at once if the command is in it already.
	// The command must hold no key.
	Exclusive(fn func())
	// CloseFull has a session closed whose replies have become too long.
	CloseFull(s *session.Session)
	// Feed makes a session of a replica of it: from now on it is sent what f writes, and
	// replies no longer.
	Feed(s *session.Session, f session.Feed)
}

// A Ctx is what a command is given. It is reused for the next one.
type Ctx struct {
	Args    Args
	Spec    *Spec
	Out     *resp.Writer
	DB      *keyspace.Txn
	Session *session.Session
	Now     clock.Millis // wall time when the batch began
	Mono    int64        // monotonic nanoseconds at about the same time
	Engine  Engine
	InMulti bool  // within EXEC
	OutMax  int64 // bytes of replies that may wait for a client, 0 for any number; see Full

	journaling bool
	effects    []Effect
	behind     []Effect
	verbatim   bool
	after      func()
	blocks     *Wait
	await      *Await
	task       *Task
	streams    *Stream
	big        value.Cell // that Stream is asked about
	ready      []byte
	notes      []string
	unnoted    int // notes beyond notesMax
}

// A Wait is what a command says that found nothing to take and is to be run again when
// there may be.
type Wait struct {
	Type  record.Type // of the keys that it waits for
	Keys  [][]byte
	More  []byte // another key that it will use, if any
	Until int64  // monotonic nanoseconds at which the wait ends, 0 for never
	Again int64  // likewise, at which the command is to be run again though no key changed
	// Args, if not nil, take the place of the call's arguments when the command is run
	// again: what some of them meant may have changed by then.
	Args Args
	// Empty writes the reply when the time is over.
	Empty func(*resp.Writer)
}

// Block makes the client wait, instead of a reply. Within a transaction nobody waits:
// the command gets the empty reply.
//
// When one of the keys may serve it the command is run again, with the arguments it had
// or w gives it, under the locks of that key and of More only. It finds the key with
// Ready, and must look at no other of its keys; if there is still nothing to take it
// calls Block again. It must not use the Session.
func (c *Ctx) Block(w Wait) error {
	if c.InMulti {
		w.Empty(c.Out)
		return nil
	}
	c.blocks = &w
	return nil
}

// An Await is what a command says that waits for others to get somewhere.
type Await struct {
	// Reached says whether they have. The session's loop asks it whenever one of them has
	// got further, so it should cost little.
	Reached func() bool
	Until   int64 // monotonic nanoseconds at which the wait ends, 0 for never
	// Reply writes the reply, whatever has ended the wait.
	Reply func(*resp.Writer)
}

// Await makes the client wait, instead of a reply. Within a transaction nobody waits: the
// command gets its reply at once.
func (c *Ctx) Await(w Await) error {
	if c.InMulti || w.Reached() {
		w.Reply(c.Out)
		return nil
	}
	c.await = &w
	return nil
}

// TakeAwait is what Await was given, or nil.
func (c *Ctx) TakeAwait() *Await {
	w := c.await
	c.await = nil
	return w
}

// Ready is the key that changed, when the command of a client that waited is run again;
// nil when it is run the first time.
func (c *Ctx) Ready() []byte { return c.ready }

// Skips says whether the command must not look at a key now.
func (c *Ctx) Skips(key []byte) bool { return c.ready != nil && !bytes.Equal(key, c.ready) }

// Serve makes the Ctx ready for a command of a client that waited.
func (c *Ctx) Serve(ready []byte) { c.ready = ready }

// TakeBlock is what Block was given, or nil.
func (c *Ctx) TakeBlock() *Wait {
	w := c.blocks
	c.blocks = nil
	return w
}

var (
	errTimeoutFloat = &resp.Error{Code: "ERR", Text: "timeout is not a float or out of range"}
	errTimeoutRange = &resp.Error{Code: "ERR", Text: "timeout is out of range"}
	errTimeoutBelow = &resp.Error{Code: "ERR", Text: "timeout is negative"}
	errTimeoutInt   = &resp.Error{Code: "ERR", Text: "timeout is not an integer or out of range"}
)

// Timeout is an argument in seconds as the end of a Wait, 0 for never.
func (c *Ctx) Timeout(i int) (until int64, err error) {
	seconds, ok := numtext.ParseFloat(c.Args[i])
	if !ok {
		return 0, errTimeoutFloat
	}
	millis := math.Ceil(seconds * 1000)
	if millis > math.MaxInt64-1 || millis < math.MinInt64 {
		return 0, errTimeoutRange
	}
	return c.until(int64(millis))
}

// TimeoutMillis is Timeout for an argument in milliseconds.
func (c *Ctx) TimeoutMillis(i int) (until int64, err error) {
	n, ok := numtext.ParseInt(c.Args[i])
	if !ok {
		return 0, errTimeoutInt
	}
	return c.until(n)
}

func (c *Ctx) until(millis int64) (int64, error) {
	if millis < 0 {
		return 0, errTimeoutBelow
	}
	if millis == 0 {
		return 0, nil
	}
	if millis > math.MaxInt64-int64(c.Now) {
		return 0, errTimeoutRange
	}
	if millis > (math.MaxInt64-c.Mono)/1e6 {
		return math.MaxInt64, nil
	}
	return c.Mono + millis*1e6, nil
}

// An Effect is one command for the journal.
type Effect = journal.Effect

// Reset makes the Ctx ready for a command. journaling says whether effects are wanted.
func (c *Ctx) Reset(spec *Spec, args Args, journaling bool) {
	c.Spec, c.Args = spec, args
	c.journaling, c.verbatim = journaling, true
	c.behind = c.behind[:0]
}

// After asks for fn to be run when the command has left exclusive mode, and before its
// reply leaves. It may be asked for in exclusive mode only; the last to ask wins.
func (c *Ctx) After(fn func()) { c.after = fn }

// TakeAfter is what After was given since it was last called.
func (c *Ctx) TakeAfter() func() {
	fn := c.after
	c.after = nil
	return fn
}

// notesMax is how many notes are kept of one request, which may be a transaction.
const notesMax = 16

// Note leaves a line for the server's log, at Redis's level verbose: what the reply does
// not say in full, and whoever runs the server may want to know. It is written when the
// locks are released.
func (c *Ctx) Note(line string) {
	if len(c.notes) < notesMax {
		c.notes = append(c.notes, line)
	} else {
		c.unnoted++
	}
}

// HasNotes says whether there are notes that nobody has taken.
func (c *Ctx) HasNotes() bool { return len(c.notes) > 0 }

// TakeNotes returns the notes, and how many more there were, and forgets them.
func (c *Ctx) TakeNotes() (notes []string, more int) {
	notes, more = c.notes, c.unnoted
	c.notes, c.unnoted = nil, 0
	return notes, more
}

// Journaling says whether anybody reads the journal. What JournalAs is given costs
// something to make, so ask first.
func (c *Ctx) Journaling() bool { return c.journaling }

// JournalAs journals a command in the place of the one that was called. It may be
// called several times; the commands are kept together. The arguments are not copied
// and must live until the command returns.
func (c *Ctx) JournalAs(args ...[]byte) { c.JournalIn(c.DB.DB, args...) }

// JournalIn is JournalAs in another database.
func (c *Ctx) JournalIn(db int, args ...[]byte) {
	c.verbatim = false
	if c.journaling {
		c.effects = append(c.effects, Effect{DB: db, Args: args})
	}
}

// JournalNothing keeps the call out of the journal.
func (c *Ctx) JournalNothing() { c.verbatim = false }

// Before journals what was done before the command proper, as the removal of a key
// whose time had come.
func (c *Ctx) Before(db int, args ...[]byte) {
	if c.journaling {
		c.effects = append(c.effects, Effect{DB: db, Args: args})
	}
}

// Behind journals what the command proper has left as it is, and its replay would not.
func (c *Ctx) Behind(db int, args ...[]byte) {
	if c.journaling {
		c.behind = append(c.behind, Effect{DB: db, Args: args})
	}
}

// TakeEffects returns what is to be journalled of a command that made dirty changes,
// and forgets it. The slice is reused.
func (c *Ctx) TakeEffects(db, dirty int) []Effect {
	out := c.effects
	if c.verbatim && dirty > 0 && c.journaling {
		out = append(out, Effect{DB: db, Args: c.Args})
	}
	if len(c.behind) > 0 {
		out = append(out, c.behind...)
		c.behind = c.behind[:0]
	}
	c.effects = out[:0]
	return out
}

// Name is the name of the command in small letters, for error texts.
func (c *Ctx) Name() string { return c.Spec.FullName() }
