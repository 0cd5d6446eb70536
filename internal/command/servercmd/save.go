package servercmd

import (
	"errors"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/snapshot"
)

var (
	errSaving = &resp.Error{Code: "ERR", Text: "Background save already in progress"}

	errOther = &resp.Error{Code: "ERR", Text: "Another child process is active (AOF?): can't BGSAVE right " +
		"now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."}

	// errNoMulti is what the way of a request says of NoMulti commands; here it keeps
	// them from waiting for locks that their own transaction holds.
	errNoMulti = &resp.Error{Code: "ERR", Text: "Command not allowed inside a transaction"}

	// errSave says nothing, as in Redis: what went wrong with the disk is in the log,
	// where the operator is.
	errSave = &resp.Error{Code: "ERR"}
)

var _ = Family.Add(command.Spec{
	Name:       "SAVE",
	Summary:    "Synchronously save the dataset to disk",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the total number of keys in all databases",
	Arity:      1,
	Flags:      command.Admin | command.NoScript | command.NoAsyncLoading | command.NoMulti,
}, Deps.save)

// save answers when the file is there. Only its own loop waits for that, outside of its
// gate, so that others can go on and enter exclusive mode.
func (d Deps) save(c *command.Ctx) error {
	if c.InMulti {
		return errNoMulti
	}
	var gate *keyspace.Gate
	if x, ok := c.Engine.(gated); ok {
		gate = x.Gate()
	}
	if d.Keeper.IsRewriting() { // which begins again afterwards
		yield(gate, d.Keeper)
	}
	if err := d.Saver.Save(gate); err != nil {
		return saveError(err)
	}
	c.Out.OK()
	return nil
}

// A gated engine is that of a loop, which is inside its gate while a command runs.
type gated interface{ Gate() *keyspace.Gate }

// yield has the snapshot of a rewrite given up.
func yield(gate *keyspace.Gate, k *aof.Keeper) {
	if gate != nil {
		gate.Leave()
		defer gate.Enter()
	}
	k.Yield()
}

func saveError(err error) error {
	if errors.Is(err, snapshot.ErrBusy) {
		return errSaving
	}
	return errSave
}

var _ = Family.Add(command.Spec{
	Name:       "BGSAVE",
	Summary:    "Asynchronously save the dataset to disk",
	Since:      "1.0.0",
	Complexity: "O(1)",
	History:    [][2]string{{"3.2.2", "Added the `SCHEDULE` option."}},
	Syntax:     "[SCHEDULE{since 3.2.2}]",
	Arity:      -1,
	Flags:      command.Admin | command.NoScript | command.NoAsyncLoading,
}, Deps.bgSave)

// bgSave begins a save, or schedules it behind another snapshot if it may. A transaction only
// schedules one, as in Redis.
func (d Deps) bgSave(c *command.Ctx) error {
	if len(c.Args) > 2 || len(c.Args) == 2 && !c.Args.Is(1, "SCHEDULE") {
		return resp.ErrSyntax
	}
	if d.Saver.Status().InProgress {
		return errSaving
	}
	isBusy := d.Saver.Busy()
	if isBusy && len(c.Args) == 1 && !c.InMulti {
		return errOther
	}
	if isBusy || c.InMulti {
		d.Saver.Schedule()
		c.Out.Simple("Background saving scheduled")
		return nil
	}
	if err := d.Saver.SaveInBackground(); err != nil {
		return saveError(err)
	}
	c.Out.Simple("Background saving started")
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "LASTSAVE",
	Summary:    "Get the UNIX time stamp of the last successful save to disk",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Tips:       []string{"nondeterministic_output"},
	Arity:      1,
	Flags:      command.Loading | command.Stale | command.Fast,
	ACL:        command.CatAdmin | command.CatDangerous,
}, Deps.lastSave)

func (d Deps) lastSave(c *command.Ctx) error {
	c.Out.Int(d.Saver.Status().LastSave)
	return nil
}
