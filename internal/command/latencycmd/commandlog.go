package latencycmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/resp"
)

// COMMANDLOG is Valkey's since its version 8.1.
const commandLogSince = "8.1.0"

var _ = Family.Add(command.Spec{
	Name:       "COMMANDLOG",
	Summary:    "A container for command log commands.",
	Since:      commandLogSince,
	Complexity: "Depends on subcommand.",
	Arity:      -2,
}, nil,
	command.Sub[Deps]{Run: Deps.logGet, Spec: command.Spec{
		Name:       "GET",
		Summary:    "Returns the entries of a command log.",
		Since:      commandLogSince,
		Complexity: "O(N) where N is the number of entries returned",
		Tips:       []string{"request_policy:all_nodes", "nondeterministic_output"},
		Syntax:     "count:integer type",
		Arity:      4,
		Flags:      logFlags,
	}},
	command.Sub[Deps]{Run: Deps.logLen, Spec: command.Spec{
		Name:       "LEN",
		Summary:    "Returns the number of entries of a command log.",
		Since:      commandLogSince,
		Complexity: "O(1)",
		Tips:       []string{"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"},
		Syntax:     "type",
		Arity:      3,
		Flags:      logFlags,
	}},
	command.Sub[Deps]{Run: Deps.logReset, Spec: command.Spec{
		Name:       "RESET",
		Summary:    "Clears all entries of a command log.",
		Since:      commandLogSince,
		Complexity: "O(N) where N is the number of entries in the log",
		Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		Syntax:     "type",
		Arity:      3,
		Flags:      logFlags,
	}},
	command.Sub[Deps]{Run: Deps.logHelp, Spec: command.Spec{
		Name:       "HELP",
		Summary:    "Shows helpful text about the different subcommands.",
		Since:      commandLogSince,
		Complexity: "O(1)",
		Arity:      2,
		Flags:      command.Loading | command.Stale,
	}},
)

var errLogType = &resp.Error{
	Code: "ERR", Text: "type should be one of the following: slow, large-request, large-reply",
}

// log is the log that an argument names.
func (d Deps) log(args command.Args, i int) (*observe.CommandLog, error) {
	switch {
	case args.Is(i, "SLOW"):
		return d.Logs.Slow, nil
	case args.Is(i, "LARGE-REQUEST"):
		return d.Logs.LargeRequest, nil
	case args.Is(i, "LARGE-REPLY"):
		return d.Logs.LargeReply, nil
	default:
		return nil, errLogType
	}
}

func (d Deps) logGet(c *command.Ctx) error {
	count, err := countArg(c.Args, 2)
	if err != nil {
		return err
	}
	log, err := d.log(c.Args, 3)
	if err != nil {
		return err
	}
	writeEntries(c.Out, log.Get(count))
	return nil
}

func (d Deps) logLen(c *command.Ctx) error {
	log, err := d.log(c.Args, 2)
	if err != nil {
		return err
	}
	c.Out.Int(int64(log.Len()))
	return nil
}

func (d Deps) logReset(c *command.Ctx) error {
	log, err := d.log(c.Args, 2)
	if err != nil {
		return err
	}
	log.Reset()
	c.Out.OK()
	return nil
}

func (d Deps) logHelp(c *command.Ctx) error {
	return writeHelp(c, []string{
		"COMMANDLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
		"GET <count> <type>",
		"    Return the last <count> entries of a log (-1 means all). <type> is slow,",
		"    large-request or large-reply. Entries are made of:",
		"    id, timestamp, time in microseconds or size in bytes, arguments array,",
		"    client IP and port, client name",
		"LEN <type>",
		"    Return the length of a log.",
		"RESET <type>",
		"    Reset a log.",
		"HELP",
		"    Prints this help.",
	})
}
