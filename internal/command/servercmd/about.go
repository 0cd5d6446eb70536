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

var _ = Family.Add(command.Spec{
	Name:       "ROLE",
	Summary:    "Return the role of the instance in the context of replication",
	Since:      "2.8.12",
	Complexity: "O(1)",
	Arity:      1,
	Flags:      command.NoScript | command.Loading | command.Stale | command.Fast,
	ACL:        command.CatAdmin | command.CatDangerous,
}, Deps.role)

// role is that of a primary without replicas: there is no replication, so the offset of
// its stream is 0, as that of a Redis that never had a replica.
func (d Deps) role(c *command.Ctx) error {
	c.Out.Array(3)
	c.Out.BulkString("master")
	c.Out.Int(0)
	c.Out.Array(0)
	return nil
}
