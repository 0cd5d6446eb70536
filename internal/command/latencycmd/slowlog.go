package latencycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/resp"
)

const logFlags = command.Admin | command.Loading | command.Stale

var _ = Family.Add(command.Spec{
	Name:       "SLOWLOG",
	Summary:    "A container for slow log commands",
	Since:      "2.2.12",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
}, nil,
	command.Sub[Deps]{Run: Deps.slowGet, Spec: command.Spec{
		Name:       "GET",
		Summary:    "Get the slow log's entries",
		Since:      "2.2.12",
		Complexity: "O(N) where N is the number of entries returned",
		History:    [][2]string{{"4.0.0", "Added client IP address, port and name to the reply."}},
		Tips:       []string{"request_policy:all_nodes", "nondeterministic_output"},
		Syntax:     "[count:integer]",
		Arity:      -2,
		Flags:      logFlags,
	}},
	command.Sub[Deps]{Run: Deps.slowLen, Spec: command.Spec{
		Name:       "LEN",
		Summary:    "Get the slow log's length",
		Since:      "2.2.12",
		Complexity: "O(1)",
		Tips:       []string{"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"},
		Arity:      2,
		Flags:      logFlags,
	}},
	command.Sub[Deps]{Run: Deps.slowReset, Spec: command.Spec{
		Name:       "RESET",
		Summary:    "Clear all entries from the slow log",
		Since:      "2.2.12",
		Complexity: "O(N) where N is the number of entries in the slowlog",
		Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		Arity:      2,
		Flags:      logFlags,
	}},
	command.Sub[Deps]{Run: Deps.slowHelp, Spec: command.Spec{
		Name:       "HELP",
		Summary:    "Show helpful text about the different subcommands",
		Since:      "6.2.0",
		Complexity: "O(1)",
		Arity:      2,
		Flags:      command.Loading | command.Stale,
	}},
)

var errCount = &resp.Error{Code: "ERR", Text: "count should be greater than or equal to -1"}

// slowCount is how many entries SLOWLOG GET shows unless told otherwise.
const slowCount = 10

func (d Deps) slowGet(c *command.Ctx) error {
	count := slowCount
	switch len(c.Args) {
	case 2:
	case 3:
		var err error
		if count, err = countArg(c.Args, 2); err != nil {
			return err
		}
	default:
		return resp.Errorf("unknown subcommand or wrong number of arguments for '" + string(c.Args[1]) +
			"'. Try SLOWLOG HELP.")
	}
	writeEntries(c.Out, d.Logs.Slow.Get(count))
	return nil
}

// countArg is a number of entries; -1 is all.
func countArg(args command.Args, i int) (int, error) {
	n, err := args.IntIn(i, -1, math.MaxInt64)
	if err != nil {
		return 0, errCount
	}
	return int(n), nil
}

func writeEntries(w *resp.Writer, entries []observe.CommandEntry) {
	w.Array(len(entries))
	for i := range entries {
		e := &entries[i]
		w.Array(6)
		w.Int(e.ID)
		w.Int(e.Unix)
		w.Int(e.Value)
		w.Array(len(e.Args))
		for _, a := range e.Args {
			w.BulkString(a)
		}
		w.BulkString(e.Addr)
		w.BulkString(e.Name)
	}
}

func (d Deps) slowLen(c *command.Ctx) error {
	c.Out.Int(int64(d.Logs.Slow.Len()))
	return nil
}

func (d Deps) slowReset(c *command.Ctx) error {
	d.Logs.Slow.Reset()
	c.Out.OK()
	return nil
}

func (d Deps) slowHelp(c *command.Ctx) error {
	return writeHelp(c, []string{
		"SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
		"GET [<count>]",
		"    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
		"    Entries are made of:",
		"    id, timestamp, time in microseconds, arguments array, client IP and port,",
		"    client name",
		"LEN",
		"    Return the length of the slowlog.",
		"RESET",
		"    Reset the slowlog.",
		"HELP",
		"    Prints this help.",
	})
}
