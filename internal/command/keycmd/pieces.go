package keycmd

import (
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
)

// # Copying what is big
//
// A value that moves to another stripe, and any that is copied, may have ten million
// elements. What is copied within copyPiece is copied at once. Then the command becomes a
// task: its client waits, the original is held, and the copy is made in pieces, under the
// locks of both keys each. It happens at the end, when the copy is put into its place:
// until then everybody else sees the keys as they were before, and may change the
// destination, which is overwritten or, for RENAMENX, makes the reply a 0.
//
// If the original changes in spite of being held, which FLUSHALL, SWAPDB and its own
// expiry can do, the command begins again with what is there then.

// copyPiece is what is copied under the locks in one go, see leaf.CloneCost: some 100 us.
const copyPiece = 100_000

// A transfer is a COPY, RENAME or RENAMENX of a key that is there.
type transfer struct {
	from, to []byte
	db       int  // of the new key
	move     bool // the old key goes
	replace  bool // the new key may be there already
	copy     *keyspace.Copying
	args     [][]byte // for the journal, when it has become a task
}

// start runs the command, or as much of it as may be done at once.
func (g *transfer) start(c *command.Ctx) error {
	if c.InMulti || g.isQuick(c.DB) {
		return g.atOnce(c, c.Out)
	}
	var err error
	if g.copy, err = c.DB.StartCopy(g.from, g.db, g.to); err != nil {
		return err
	}
	whole, err := g.copy.Some(c.DB, copyPiece)
	switch {
	case err != nil:
		g.drop(c.DB)
		return err
	case whole:
		return g.finish(c, c.Out)
	}
	g.copy.Keep(c.DB)
	task := *g // on the heap, which g is not
	task.from, task.to, task.args = slices.Clone(g.from), slices.Clone(g.to), cloneAll(c.Args)
	return c.Detach(command.Task{Hold: [][]byte{task.from}, Run: task.run})
}

func cloneAll(args [][]byte) [][]byte {
	out := make([][]byte, len(args))
	for i, a := range args {
		out[i] = slices.Clone(a)
	}
	return out
}

// isQuick says whether no copy has to be made that might take long.
func (g *transfer) isQuick(db *keyspace.Txn) bool {
	if g.move {
		return db.MovesAtOnce(g.from, g.to)
	}
	return db.CopiesAtOnce(g.from)
}

func (g *transfer) atOnce(c *command.Ctx, out *resp.Writer) (err error) {
	if g.move {
		_, err = c.DB.Rename(g.from, g.to)
	} else {
		_, err = c.DB.Copy(g.from, g.db, g.to)
	}
	if err == nil {
		g.reply(out)
	}
	return err
}

// finish puts the copy, which is whole, into its place.
func (g *transfer) finish(c *command.Ctx, out *resp.Writer) error {
	err := g.copy.Finish(c.DB, g.move)
	if g.copy = nil; err == nil {
		g.reply(out)
	}
	return err
}

func (g *transfer) drop(db *keyspace.Txn) {
	g.copy.Drop(db)
	g.copy = nil
}

// reply says that it has been done.
func (g *transfer) reply(out *resp.Writer) {
	if g.move && g.replace {
		out.OK()
	} else {
		out.Int(1)
	}
}

// run is the task.
func (g *transfer) run(w command.Worker, out *resp.Writer) error {
	keys := [][]byte{g.from, g.to}
	for {
		more := false
		err := w.Locked(keys, func(c *command.Ctx) (err error) {
			more, err = g.step(c, out)
			return err
		})
		if err != nil || !more {
			return err
		}
		if g.copy != nil {
			g.copy.Prepare()
		}
		if err := w.Rest(); err != nil {
			return w.Locked(keys, func(c *command.Ctx) error {
				if g.copy != nil {
					g.drop(c.DB)
				}
				return err
			})
		}
	}
}

// step copies a piece, and says whether more is to be done.
func (g *transfer) step(c *command.Ctx, out *resp.Writer) (more bool, err error) {
	if g.copy != nil && g.copy.IsStale(c.DB) {
		g.drop(c.DB)
	}
	if _, ok := c.DB.Peek(g.from); !ok { // which makes the copy stale, too
		if g.move {
			return false, resp.ErrNoKey
		}
		out.Int(0)
		return false, nil
	}
	if _, there := c.DB.PeekIn(g.db, g.to); there && !g.replace {
		if g.copy != nil {
			g.drop(c.DB)
		}
		out.Int(0)
		return false, nil
	}
	paused := c.DB.Tuning().Frozen.Load() // nothing may change until that is over
	if g.copy == nil && g.isQuick(c.DB) { // it is another value now
		if paused {
			return true, nil
		}
		if err = g.atOnce(c, out); err == nil {
			c.JournalAs(g.args...)
		}
		return false, err
	}
	if g.copy == nil {
		if g.copy, err = c.DB.StartCopy(g.from, g.db, g.to); err != nil {
			return false, err
		}
		g.copy.Keep(c.DB)
	}
	whole, err := g.copy.Some(c.DB, copyPiece)
	switch {
	case err != nil:
		g.drop(c.DB)
		return false, err
	case !whole || paused:
		return true, nil
	}
	if err = g.finish(c, out); err == nil {
		c.JournalAs(g.args...)
	}
	return false, err
}
