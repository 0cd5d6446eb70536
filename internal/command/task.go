package command

import "github.com/spineldb/spinel/internal/resp"

// A Task is what a command does away from its loop, because it waits for somebody else,
// another server or a disk, or because it has too much to do to do it in one go. Its client
// waits; nobody else does.
type Task struct {
	// Hold are keys that nobody may change until the task is over: commands that would
	// wait, and clients that wait are not served into them. Reading them is free. It costs
	// every loop a moment to begin with that.
	Hold [][]byte
	// HoldAll makes commands that change whole databases wait too. Without it the task
	// notices them.
	HoldAll bool
	// Run does the work on a goroutine of its own, with nothing locked, and writes the
	// reply; an error that it returns is the reply instead. The arguments of the command
	// are gone by then.
	Run func(w Worker, out *resp.Writer) error
}

// A Worker gives a task the keyspace, for moments.
type Worker interface {
	// Locked runs fn as a command of the task's client, under the locks of keys: what it
	// did is journalled and waiters are served. Its Ctx has no Args, no Session and no
	// reply to write, and only what JournalAs is given is journalled.
	Locked(keys [][]byte, fn func(c *Ctx) error) error
	// Rest is called between two pieces of work. Others get at what the task had locked; if
	// clients are paused, it lasts as long as that. An error is a reason to give up: one
	// that commands like this are refused at this moment, or that the server ends.
	Rest() error
}

// Detach makes a task of the command, instead of a reply. Within a transaction nobody
// waits, so it is an error.
func (c *Ctx) Detach(t Task) error {
	if c.InMulti {
		return &resp.Error{Code: "ERR", Text: c.Spec.Name + " is not possible within a transaction"}
	}
	c.task = &t
	return nil
}

// TakeTask is what Detach was given, or nil.
func (c *Ctx) TakeTask() *Task {
	t := c.task
	c.task = nil
	return t
}
