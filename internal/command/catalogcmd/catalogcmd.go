// Package catalogcmd is the COMMAND command: what clients and their libraries ask a
// server about its commands. It drives nothing but the table of commands, and declares
// nothing about them: each answer is a view of the Specs.
//
//	COMMAND, COMMAND INFO    arity, flags, where the keys are, ACL categories   info.go
//	COMMAND DOCS             summary, history, the tree of arguments            docs.go
//	COMMAND GETKEYS          the keys of one call                               getkeys.go
//	COMMAND LIST, COUNT      names
//
// The shapes are those of Redis 7.0: in RESP3 flags, categories, tips and histories are
// sets, descriptions are maps; in RESP2 all of them are arrays. Commands come sorted by
// name, where Redis gives them in the order of a hash table.
package catalogcmd

import (
	"bytes"
	"strings"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/glob"
	"github.com/spineldb/spinel/internal/resp"
)

// Deps are what the family needs. The table is asked for when a command runs, because
// it is made of this family among others.
type Deps struct {
	Table func() *command.Table
}

// Family is the COMMAND command.
var Family = command.ServiceFamily[Deps]{Group: "server"}

var _ = Family.Add(command.Spec{
	Name:       "COMMAND",
	Summary:    "Get array of Redis command details",
	Since:      "2.8.13",
	Complexity: "O(N) where N is the total number of Redis commands",
	Arity:      -1,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
	Tips:       []string{"nondeterministic_output_order"},
}, Deps.all,
	command.Sub[Deps]{Spec: countSpec, Run: Deps.count},
	command.Sub[Deps]{Spec: docsSpec, Run: Deps.docs},
	command.Sub[Deps]{Spec: getKeysSpec, Run: Deps.getKeys},
	command.Sub[Deps]{Spec: getKeysAndFlagsSpec, Run: Deps.getKeysAndFlags},
	command.Sub[Deps]{Spec: helpSpec, Run: Deps.help},
	command.Sub[Deps]{Spec: infoSpec, Run: Deps.info},
	command.Sub[Deps]{Spec: listSpec, Run: Deps.list},
)

var countSpec = command.Spec{
	Name:       "COUNT",
	Summary:    "Get total number of Redis commands",
	Since:      "2.8.13",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
}

// count replies with the number of commands, subcommands not counted.
func (d Deps) count(c *command.Ctx) error {
	c.Out.Int(int64(len(d.Table().Commands())))
	return nil
}

var listSpec = command.Spec{
	Name:       "LIST",
	Summary:    "Get an array of Redis command names",
	Since:      "7.0.0",
	Complexity: "O(N) where N is the total number of Redis commands",
	Syntax:     "[FILTERBY=filterby=(MODULE=module-name|ACLCAT=category|PATTERN=pattern:pattern)]",
	Arity:      -2,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
	Tips:       []string{"nondeterministic_output_order"},
}

// list replies with the names of commands and subcommands.
func (d Deps) list(c *command.Ctx) error {
	if len(c.Args) == 2 {
		specs := d.Table().Specs()
		c.Out.Array(len(specs))
		for _, s := range specs {
			c.Out.BulkString(s.FullName())
		}
		return nil
	}
	if len(c.Args) != 5 || !c.Args.Is(2, "FILTERBY") {
		return resp.ErrSyntax
	}
	matches := filter(c.Args, c.Args[4])
	if matches == nil {
		return resp.ErrSyntax
	}
	reply, n := c.Out.ArrayLater(), 0
	for _, s := range d.Table().Specs() {
		if matches(s) {
			c.Out.BulkString(s.FullName())
			n++
		}
	}
	c.Out.End(reply, n)
	return nil
}

// filter is the condition of COMMAND LIST FILTERBY, nil if there is none of the name.
// A module or category that does not exist is no error: nothing is in it.
func filter(args command.Args, value []byte) func(*command.Spec) bool {
	switch {
	case args.Is(3, "MODULE"):
		return func(*command.Spec) bool { return false }
	case args.Is(3, "ACLCAT"):
		return func(s *command.Spec) bool {
			for _, name := range s.Categories().Names() {
				if strings.EqualFold(name, string(value)) {
					return true
				}
			}
			return false
		}
	case args.Is(3, "PATTERN"):
		return func(s *command.Spec) bool { return glob.Match(value, []byte(s.FullName()), true) }
	}
	return nil
}

var helpSpec = command.Spec{
	Name:       "HELP",
	Summary:    "Show helpful text about the different subcommands",
	Since:      "5.0.0",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
}

var helpLines = []string{
	"COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
	"(no subcommand)",
	"    Return details about all Redis commands.",
	"COUNT",
	"    Return the total number of commands in this Redis server.",
	"LIST",
	"    Return a list of all commands in this Redis server.",
	"INFO [<command-name> ...]",
	"    Return details about multiple Redis commands.",
	"    If no command names are given, documentation details for all",
	"    commands are returned.",
	"DOCS [<command-name> ...]",
	"    Return documentation details about multiple Redis commands.",
	"    If no command names are given, documentation details for all",
	"    commands are returned.",
	"GETKEYS <full-command>",
	"    Return the keys from a full Redis command.",
	"GETKEYSANDFLAGS <full-command>",
	"    Return the keys and the access flags from a full Redis command.",
	"HELP",
	"    Prints this help.",
}

func (d Deps) help(c *command.Ctx) error {
	c.Out.Lines(helpLines)
	return nil
}

// byName finds a command by its full name, a subcommand's with a bar: client|list.
func (d Deps) byName(name []byte) *command.Spec {
	top, sub, isSub := bytes.Cut(name, []byte("|"))
	s := d.Table().Find(top)
	if s == nil || !isSub {
		return s
	}
	return s.Sub(sub)
}
