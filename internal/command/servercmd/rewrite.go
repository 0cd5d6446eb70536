package servercmd

import (
	"errors"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errRewriting = &resp.Error{Code: "ERR", Text: "Background append only file rewriting already in progress"}
	errRewrite   = &resp.Error{Code: "ERR", Text: "Can't execute an AOF background rewriting. " +
		"Please check the server logs for more information."}
)

var _ = Family.Add(command.Spec{
	Name:       "BGREWRITEAOF",
	Summary:    "Asynchronously rewrite the append-only file",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Arity:      1,
	Flags:      command.Admin | command.NoScript | command.NoAsyncLoading,
}, Deps.bgRewrite)

// bgRewrite begins a rewrite, whether the file is switched on or not. In a transaction, and
// while a snapshot is in progress, it is only scheduled.
func (d Deps) bgRewrite(c *command.Ctx) error {
	scheduled, err := d.Keeper.Rewrite(c.InMulti)
	switch {
	case errors.Is(err, aof.ErrRewriting):
		return errRewriting
	case err != nil:
		return errRewrite
	case scheduled:
		c.Out.Simple("Background append only file rewriting scheduled")
	default:
		c.Out.Simple("Background append only file rewriting started")
	}
	return nil
}
