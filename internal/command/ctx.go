package command

import (
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// An Engine is what a few commands need of the executor that runs them.
type Engine interface {
	// ExecQueue runs the session's queued transaction and writes its reply.
	ExecQueue(c *Ctx) error
	// Exclusive runs fn in exclusive mode, or at once if the command is in it already.
	// The command must hold no key.
	Exclusive(fn func())
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
	InMulti bool // within EXEC

	journaling bool
	effects    []Effect
	verbatim   bool
	after      func()
}

// An Effect is one command for the journal.
type Effect = journal.Effect

// Reset makes the Ctx ready for a command. journaling says whether effects are wanted.
func (c *Ctx) Reset(spec *Spec, args Args, journaling bool) {
	c.Spec, c.Args = spec, args
	c.journaling, c.verbatim = journaling, true
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

// TakeEffects returns what is to be journalled of a command that made dirty changes,
// and forgets it. The slice is reused.
func (c *Ctx) TakeEffects(db, dirty int) []Effect {
	out := c.effects
	if c.verbatim && dirty > 0 && c.journaling {
		out = append(out, Effect{DB: db, Args: c.Args})
	}
	c.effects = out[:0]
	return out
}

// Name is the name of the command in small letters, for error texts.
func (c *Ctx) Name() string { return c.Spec.FullName() }
