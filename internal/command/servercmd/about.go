package servercmd

import (
	"github.com/spineldb/spinel/internal/command"
)

var _ = Family.Add(command.Spec{
	Name:       "TIME",
	Summary:    "Return the current server time",
	Since:      "2.6.0",
	Complexity: "O(1)",
	Tips:       []string{"nondeterministic_output"},
	Arity:      1,
	Flags:      command.Loading | command.Stale | command.Fast,
}, Deps.time)

// time is the seconds since the epoch, and the microseconds of the current one.
func (d Deps) time(c *command.Ctx) error {
	now := d.Clock.Wall()
	c.Out.Array(2)
	c.Out.BulkInt(now / 1_000_000)
	c.Out.BulkInt(now % 1_000_000)
	return nil
}
