package servercmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

// ShutdownFlags are how the server shall end.
type ShutdownFlags uint8

// The flags of SHUTDOWN.
const (
	ShutdownNoSave ShutdownFlags = 1 << iota // do not save, whatever the save points
	ShutdownSave                             // save, even without save points
	ShutdownNow                              // do not wait for replicas
	ShutdownForce                            // end even if saving fails
)

// A Stopper ends the server.
type Stopper interface {
	// Shutdown saves if that is asked for and begins to end the server. The connection
	// gets no reply then: it is closed. With an error the server goes on, and the cause
	// has been logged. The Ctx is for exclusive mode.
	Shutdown(c *command.Ctx, f ShutdownFlags) error
	// Abort calls a shutdown off that waits, and says whether there was one.
	Abort() bool
}

var (
	errNoShutdown = &resp.Error{Code: "ERR", Text: "No shutdown in progress."}
	errShutdown   = &resp.Error{Code: "ERR", Text: "Errors trying to SHUTDOWN. Check logs."}
)

var _ = Family.Add(command.Spec{
	Name:    "SHUTDOWN",
	Summary: "Synchronously save the dataset to disk and then shut down the server",
	Since:   "1.0.0",
	Complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, " +
		"otherwise O(1)",
	History: [][2]string{{"7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers."}},
	Syntax:  "[nosave_save=(NOSAVE|SAVE)] [NOW{since 7.0.0}] [FORCE{since 7.0.0}] [ABORT{since 7.0.0}]",
	Arity:   -1,
	Flags: command.Admin | command.NoScript | command.Loading | command.Stale | command.NoMulti |
		command.AllowBusy,
}, Deps.shutdown)

func (d Deps) shutdown(c *command.Ctx) error {
	f, abort, err := parseShutdown(c.Args)
	switch {
	case err != nil:
		return err
	case c.InMulti:
		return errNoMulti
	case abort && d.Stopper.Abort():
		c.Out.OK()
		return nil
	case abort:
		return errNoShutdown
	case d.Stopper.Shutdown(c, f) != nil:
		return errShutdown
	default:
		return nil // without a reply
	}
}

// parseShutdown reads the words, which come in any order and any number of times.
func parseShutdown(args command.Args) (f ShutdownFlags, abort bool, err error) {
	for i := 1; i < len(args); i++ {
		switch {
		case args.Is(i, "NOSAVE"):
			f |= ShutdownNoSave
		case args.Is(i, "SAVE"):
			f |= ShutdownSave
		case args.Is(i, "NOW"):
			f |= ShutdownNow
		case args.Is(i, "FORCE"):
			f |= ShutdownForce
		case args.Is(i, "ABORT"):
			abort = true
		default:
			return 0, false, resp.ErrSyntax
		}
	}
	if abort && f != 0 || f&ShutdownNoSave != 0 && f&ShutdownSave != 0 {
		return 0, false, resp.ErrSyntax
	}
	return f, abort, nil
}
