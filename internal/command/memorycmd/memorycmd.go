// Package memorycmd is MEMORY: where the memory of a server goes.
//
// It is known exactly and at once, since keys and values lie in arenas of our own. Only what
// one big value takes is estimated from some of its blocks, unless all are asked for.
package memorycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// Deps is what this family drives. All of it is needed.
type Deps struct {
	Keyspace *keyspace.Keyspace

	// Figures are what the process knows about its memory.
	Figures func() Figures
}

// Figures are bytes that are not the keyspace's own to know.
type Figures struct {
	Peak      int64 // the most that was ever used, by keys, values and connections
	Startup   int64 // used by an empty server
	Resident  int64 // of the whole process, as the system sees it; 0 if that is not known
	Backlog   int64 // of the journal, for replicas that come back
	Replicas  int64 // of the journal, beyond that, for replicas that lag behind
	Unwritten int64 // of the journal, for the append-only file
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}

var (
	shardTips  = []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}
	allocCosts = "Depends on how much memory is allocated, could be slow"
)

var _ = Family.Add(command.Spec{
	Name:       "MEMORY",
	Summary:    "A container for memory diagnostics commands",
	Since:      "4.0.0",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
}, nil,
	command.Sub[Deps]{Run: Deps.usage, Spec: command.Spec{
		Name:       "USAGE",
		Summary:    "Estimate the memory usage of a key",
		Since:      "4.0.0",
		Complexity: "O(N) where N is the number of samples.",
		Syntax:     "key [SAMPLES=count:integer]",
		Arity:      -3,
		Flags:      command.ReadOnly,
		Keys:       command.OneKey(2, command.RO),
	}},
	command.Sub[Deps]{Run: Deps.stats, Spec: command.Spec{
		Name:       "STATS",
		Summary:    "Show memory usage details",
		Since:      "4.0.0",
		Complexity: "O(1)",
		Tips:       shardTips,
		Arity:      2,
		Flags:      command.WholeDB,
	}},
	command.Sub[Deps]{Run: Deps.doctor, Spec: command.Spec{
		Name:       "DOCTOR",
		Summary:    "Outputs memory problems report",
		Since:      "4.0.0",
		Complexity: "O(1)",
		Tips:       shardTips,
		Arity:      2,
		Flags:      command.WholeDB,
	}},
	command.Sub[Deps]{Run: Deps.purge, Spec: command.Spec{
		Name:       "PURGE",
		Summary:    "Ask the allocator to release memory",
		Since:      "4.0.0",
		Complexity: allocCosts,
		Tips:       []string{"request_policy:all_shards", "response_policy:all_succeeded"},
		Arity:      2,
		Flags:      command.WholeDB,
	}},
	command.Sub[Deps]{Run: Deps.mallocStats, Spec: command.Spec{
		Name:       "MALLOC-STATS",
		Summary:    "Show allocator internal stats",
		Since:      "4.0.0",
		Complexity: allocCosts,
		Tips:       shardTips,
		Arity:      2,
		Flags:      command.WholeDB,
	}},
	command.Sub[Deps]{Run: Deps.help, Spec: command.Spec{
		Name:       "HELP",
		Summary:    "Show helpful text about the different subcommands",
		Since:      "4.0.0",
		Complexity: "O(1)",
		Arity:      2,
		Flags:      command.Loading | command.Stale,
	}},
)

// keyShare is a key's part of its table: between 7.6 and 8.7 bytes, see ds/dict.
const keyShare = 8

// samplesUsual is how many samples are taken of a big value unless the client says it.
const samplesUsual = 5

// usage is the block that holds the key with its value or the value's root, what the root
// names, and the key's part of the table.
func (d Deps) usage(c *command.Ctx) error {
	samples := samplesUsual
	for i := 3; i < len(c.Args); i += 2 {
		if !c.Args.Is(i, "SAMPLES") || i+1 >= len(c.Args) {
			return resp.ErrSyntax
		}
		n, err := c.Args.Int(i + 1)
		if err != nil {
			return err
		}
		if n < 0 {
			return resp.ErrSyntax
		}
		samples = int(min(n, math.MaxInt32))
	}
	v, ok := c.DB.Peek(c.Args[2])
	if !ok {
		c.Out.Null()
		return nil
	}
	n := v.Memory() + keyShare
	if v.Type() != record.String {
		cell := v.Cell()
		n += value.Memory(&cell, samples)
	}
	c.Out.Int(int64(n))
	return nil
}

// purge gives all free pages of the arenas back. Spans that are partly used stay.
func (d Deps) purge(c *command.Ctx) error {
	const everything = 1 << 62
	c.DB.Trim(everything)
	c.Out.OK()
	return nil
}

var helpLines = []string{
	"MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
	"DOCTOR",
	"    Return memory problems reports.",
	"MALLOC-STATS",
	"    Return internal statistics report from the memory allocator.",
	"PURGE",
	"    Attempt to purge dirty pages for reclamation by the allocator.",
	"STATS",
	"    Return information about the memory usage of the server.",
	"USAGE <key> [SAMPLES <count>]",
	"    Return memory in bytes used by <key> and its value. Nested values are",
	"    sampled up to <count> times (default: 5, 0 means sample all).",
	"HELP",
	"    Prints this help.",
}

func (d Deps) help(c *command.Ctx) error {
	c.Out.Lines(helpLines)
	return nil
}
