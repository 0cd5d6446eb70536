package catalogcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var docsSpec = command.Spec{
	Name:       "DOCS",
	Summary:    "Get array of specific Redis command documentation",
	Since:      "7.0.0",
	Complexity: "O(N) where N is the number of commands to look up",
	Syntax:     "[command-name...]",
	Arity:      -2,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
	Tips:       []string{"nondeterministic_output_order"},
}

// docs replies with a map from names to descriptions; names that are unknown are left
// out.
func (d Deps) docs(c *command.Ctx) error {
	if len(c.Args) == 2 {
		writeAllDocs(c.Out, d.Table().Commands())
		return nil
	}
	reply, n := c.Out.MapLater(), 0
	for _, name := range c.Args[2:] {
		if s := d.byName(name); s != nil {
			c.Out.BulkString(s.FullName())
			writeDocs(c.Out, s)
			n++
		}
	}
	c.Out.End(reply, n)
	return nil
}

func writeAllDocs(w *resp.Writer, specs []*command.Spec) {
	w.Map(len(specs))
	for _, s := range specs {
		w.BulkString(s.FullName())
		writeDocs(w, s)
	}
}

// writeDocs writes what is known of a command; what is empty is not mentioned.
func writeDocs(w *resp.Writer, s *command.Spec) {
	w.Map(count(s.Summary != "", s.Since != "", s.Group != "", s.Complexity != "", s.Deprecated != "",
		s.Deprecated != "", s.ReplacedBy != "", len(s.History) > 0, len(s.Arguments) > 0, len(s.Subs) > 0))
	writeText(w, "summary", s.Summary)
	writeText(w, "since", s.Since)
	writeText(w, "group", s.Group)
	writeText(w, "complexity", s.Complexity)
	if s.Deprecated != "" {
		w.BulkString("doc_flags")
		writeStatuses(w, "", []string{"deprecated"})
	}
	writeText(w, "deprecated_since", s.Deprecated)
	writeText(w, "replaced_by", s.ReplacedBy)
	if len(s.History) > 0 {
		w.BulkString("history")
		w.Set(len(s.History))
		for _, h := range s.History {
			w.Array(2)
			w.BulkString(h[0])
			w.BulkString(h[1])
		}
	}
	if len(s.Arguments) > 0 {
		w.BulkString("arguments")
		writeArguments(w, s.Arguments)
	}
	if len(s.Subs) > 0 {
		w.BulkString("subcommands")
		writeAllDocs(w, s.Subs)
	}
}

// count is how many of the conditions are true. Maps here are counted before they are
// written: a length that follows costs the writer a buffer, and COMMAND DOCS has more
// than a thousand maps.
func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// writeText writes a pair of a map unless the value is empty.
func writeText(w *resp.Writer, name, value string) {
	if value != "" {
		w.BulkString(name)
		w.BulkString(value)
	}
}

func writeArguments(w *resp.Writer, args []command.Argument) {
	w.Array(len(args))
	for i := range args {
		writeArgument(w, &args[i])
	}
}

func writeArgument(w *resp.Writer, a *command.Argument) {
	flags := argumentFlags(a)
	w.Map(2 + count(a.Display != "", a.KeySpec >= 0, a.HasToken, a.Since != "", a.Deprecated != "",
		len(flags) > 0, len(a.Args) > 0))
	writeText(w, "name", a.Name)
	writeText(w, "type", a.Type)
	writeText(w, "display_text", a.Display)
	if a.KeySpec >= 0 {
		w.BulkString("key_spec_index")
		w.Int(int64(a.KeySpec))
	}
	if a.HasToken { // MIGRATE has a token that is empty
		w.BulkString("token")
		w.BulkString(a.Token)
	}
	writeText(w, "since", a.Since)
	writeText(w, "deprecated_since", a.Deprecated)
	if len(flags) > 0 {
		w.BulkString("flags")
		writeStatuses(w, "", flags)
	}
	if len(a.Args) > 0 {
		w.BulkString("arguments")
		writeArguments(w, a.Args)
	}
}

func argumentFlags(a *command.Argument) (flags []string) {
	if a.Optional {
		flags = append(flags, "optional")
	}
	if a.Multiple {
		flags = append(flags, "multiple")
	}
	if a.MultiToken {
		flags = append(flags, "multiple_token")
	}
	return flags
}
