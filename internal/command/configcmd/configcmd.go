// Package configcmd is CONFIG: the options of a server read, changed, and written back
// to its file. What options there are and what they may be is the business of config,
// and the replies' texts are its errors.
package configcmd

import (
	"errors"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/resp"
)

// Deps is what this family drives. All of it is needed.
type Deps struct {
	Options *config.Set
	Files   config.Replacer
	Log     *slog.Logger

	// ResetStats forgets what INFO counts. It is called in exclusive mode.
	ResetStats func()
	// Loading says whether the data are being loaded from the disk.
	Loading func() bool
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}

const ownFlags = command.Admin | command.NoScript | command.Loading | command.Stale

var _ = Family.Add(command.Spec{
	Name:       "CONFIG",
	Summary:    "A container for server configuration commands",
	Since:      "2.0.0",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
}, nil,
	command.Sub[Deps]{Spec: getSpec, Run: Deps.get},
	command.Sub[Deps]{Spec: setSpec, Run: Deps.set},
	command.Sub[Deps]{Spec: rewriteSpec, Run: Deps.rewrite},
	command.Sub[Deps]{Spec: resetStatSpec, Run: Deps.resetStat},
	command.Sub[Deps]{Spec: helpSpec, Run: Deps.help},
)

var getSpec = command.Spec{
	Name:       "GET",
	Summary:    "Get the values of configuration parameters",
	Since:      "2.0.0",
	Complexity: "O(N) when N is the number of configuration parameters provided",
	History:    [][2]string{{"7.0.0", "Added the ability to pass multiple pattern parameters in one call"}},
	Syntax:     "parameter={parameter}...",
	Arity:      -3,
	Flags:      ownFlags,
}

func (d Deps) get(c *command.Ctx) error {
	pairs := d.Options.ConfigGet(c.Args[2:])
	c.Out.Map(len(pairs))
	for _, p := range pairs {
		c.Out.BulkString(p.Name)
		c.Out.BulkString(p.Value)
	}
	return nil
}

// setSpec runs in exclusive mode, so that no other loop sees half of a change.
var setSpec = command.Spec{
	Name:       "SET",
	Summary:    "Set configuration parameters to the given values",
	Since:      "2.0.0",
	Complexity: "O(N) when N is the number of configuration parameters provided",
	History:    [][2]string{{"7.0.0", "Added the ability to set multiple parameters in one call."}},
	Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
	Syntax:     "parameter_value={parameter value}...",
	Arity:      -4,
	Flags:      ownFlags | command.Exclusive,
}

func (d Deps) set(c *command.Ctx) error {
	pairs := c.Args[2:]
	if d.Loading() && fixedWhileLoading(pairs) {
		return resp.ErrLoading
	}
	err := d.Options.ConfigSet(pairs, protectedConfigs.allows(d.Options, c.Session))
	if failure, ok := errors.AsType[*config.SetError](err); ok {
		for _, e := range failure.Unrestored {
			d.Log.Error("CONFIG SET failed, and what it had changed could not be taken back", "option",
				failure.Arg, "error", e)
		}
	}
	if err != nil {
		return resp.Errorf(err.Error())
	}
	shown := Redacted(d.Options.Schema(), c.Args)
	for i := 2; i+1 < len(shown); i += 2 {
		d.Log.Info("CONFIG SET", "option", strings.ToLower(string(shown[i])), "value", string(shown[i+1]),
			"addr", c.Session.Remote, "user", c.Session.User)
	}
	c.Out.OK()
	return nil
}

// fixedWhileLoading says whether one of the options is about files that are being read.
func fixedWhileLoading(pairs [][]byte) bool {
	for i := 0; i < len(pairs); i += 2 {
		if name := string(pairs[i]); strings.EqualFold(name, "dir") || strings.EqualFold(name, "appendonly") {
			return true
		}
	}
	return false
}

var redacted = []byte("(redacted)")

// Redacted is what logs and monitors may show of a CONFIG SET: the values of secrets are
// replaced. args are the whole call's, and are not changed.
func Redacted(schema *config.Schema, args [][]byte) [][]byte {
	out := args
	for i := 2; i+1 < len(args); i += 2 {
		if !schema.IsSensitive(string(args[i])) {
			continue
		}
		if &out[0] == &args[0] {
			out = append([][]byte(nil), args...)
		}
		out[i+1] = redacted
	}
	return out
}

var rewriteSpec = command.Spec{
	Name:       "REWRITE",
	Summary:    "Rewrite the configuration file with the in memory configuration",
	Since:      "2.8.0",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      ownFlags,
}

func (d Deps) rewrite(c *command.Ctx) error {
	err := d.Options.Rewrite(d.Files)
	switch {
	case errors.Is(err, config.ErrNoFile):
		return resp.Errorf(err.Error())
	case err != nil:
		d.Log.Warn("CONFIG REWRITE failed: " + err.Error())
		return resp.Errorf("Rewriting config file: " + cause(err))
	}
	d.Log.Info("CONFIG REWRITE executed with success.")
	c.Out.OK()
	return nil
}

// cause is the system's error without the path, which is the log's business, as C
// programs print it.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	text := err.Error()
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// resetStatSpec runs in exclusive mode: the counters are the loops' own.
var resetStatSpec = command.Spec{
	Name:       "RESETSTAT",
	Summary:    "Reset the stats returned by INFO",
	Since:      "2.0.0",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      ownFlags | command.Exclusive,
}

func (d Deps) resetStat(c *command.Ctx) error {
	d.ResetStats()
	c.Out.OK()
	return nil
}

var helpSpec = command.Spec{
	Name:       "HELP",
	Summary:    "Show helpful text about the different subcommands",
	Since:      "5.0.0",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      command.Loading | command.Stale,
}

var helpLines = []string{
	"CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
	"GET <pattern>",
	"    Return parameters matching the glob-like <pattern> and their values.",
	"SET <directive> <value>",
	"    Set the configuration <directive> to <value>.",
	"RESETSTAT",
	"    Reset statistics reported by the INFO command.",
	"REWRITE",
	"    Rewrite the configuration file.",
	"HELP",
	"    Prints this help.",
}

func (d Deps) help(c *command.Ctx) error {
	c.Out.Lines(helpLines)
	return nil
}
