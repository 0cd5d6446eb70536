// Package txcmd is the transactions family of commands.
//
// What MULTI opens is the session's: its Multi holds the queue, and what WATCH has left
// at keys. The executor fills the queue while Multi.Open, and runs it when EXEC asks the
// Engine to. All commands here are Control: they run at once within MULTI, but for
// UNWATCH, which is queued like any other and then finds nothing to do, because EXEC has
// forgotten the watched keys before.
package txcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
)

// Family is every command in this package.
var Family = command.Family{Group: "transactions"}

const anytime = command.NoScript | command.Loading | command.Stale | command.AllowBusy

var _ = Family.Add(command.Spec{
	Name:       "MULTI",
	Summary:    "Mark the start of a transaction block",
	Since:      "1.2.0",
	Complexity: "O(1)",
	Arity:      1,
	Flags:      anytime | command.Fast | command.Control,
	ACL:        command.CatTransaction,
	Run:        multi,
})

var errNested = resp.Errorf("MULTI calls can not be nested")

// multi opens a transaction. One within another is refused, but does the other no harm.
func multi(c *command.Ctx) error {
	if c.Session.Multi.Open {
		return errNested
	}
	c.Session.Multi.Open = true
	c.Out.OK()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "EXEC",
	Summary:    "Execute all commands issued after MULTI",
	Since:      "1.2.0",
	Complexity: "Depends on commands in the transaction",
	Arity:      1,
	Flags:      command.NoScript | command.Loading | command.Stale | command.SkipSlowlog | command.Control,
	ACL:        command.CatTransaction,
	Run:        exec,
})

var errNoExec = resp.Errorf("EXEC without MULTI")

func exec(c *command.Ctx) error {
	if !c.Session.Multi.Open {
		return errNoExec
	}
	return c.Engine.ExecQueue(c)
}

var _ = Family.Add(command.Spec{
	Name:       "DISCARD",
	Summary:    "Discard all commands issued after MULTI",
	Since:      "2.0.0",
	Complexity: "O(N), when N is the number of queued commands",
	Arity:      1,
	Flags:      anytime | command.Fast | command.Control,
	ACL:        command.CatTransaction,
	Run:        discard,
})

var errNoDiscard = resp.Errorf("DISCARD without MULTI")

func discard(c *command.Ctx) error {
	if !c.Session.Multi.Open {
		return errNoDiscard
	}
	c.Session.Multi.Reset()
	forget(c)
	c.Out.OK()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "WATCH",
	Summary:    "Watch the given keys to determine execution of the MULTI/EXEC block",
	Since:      "2.2.0",
	Complexity: "O(1) for every key.",
	Syntax:     "key...",
	Arity:      -2,
	Flags:      anytime | command.Fast | command.Control,
	ACL:        command.CatTransaction,
	Keys:       command.KeyRange(1, -1, 1, command.RO),
	Run:        watch,
})

var errWatchInMulti = resp.Errorf("WATCH inside MULTI is not allowed")

// watch makes the next EXEC fail if one of the keys changes until then, at whatever
// client's hands, the session's own included.
func watch(c *command.Ctx) error {
	m := &c.Session.Multi
	if m.Open {
		return errWatchInMulti
	}
	old, _ := m.Watch.(*keyspace.Watch)
	m.Watch = c.DB.Watch(old, c.Args[1:])
	c.Out.OK()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "UNWATCH",
	Summary:    "Forget about all watched keys",
	Since:      "2.2.0",
	Complexity: "O(1)",
	Arity:      1,
	Flags:      anytime | command.Fast,
	ACL:        command.CatTransaction,
	Run:        unwatch,
})

func unwatch(c *command.Ctx) error {
	forget(c)
	c.Out.OK()
	return nil
}

// forget ends the watching of keys.
func forget(c *command.Ctx) {
	if w, _ := c.Session.Multi.Watch.(*keyspace.Watch); w != nil {
		c.DB.Unwatch(w)
	}
	c.Session.Multi.Watch = nil
}
