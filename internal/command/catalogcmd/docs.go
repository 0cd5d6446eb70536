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
	reply, n := w.MapLater(), 0
	text := func(name, value string) {
		if value != "" {
			w.BulkString(name)
			w.BulkString(value)
			n++
		}
	}
	text("summary", s.Summary)
	text("since", s.Since)
	text("group", s.Group)
	text("complexity", s.Complexity)
	if s.Deprecated != "" {
		w.BulkString("doc_flags")
		writeStatuses(w, "", []string{"deprecated"})
		n++
	}
	text("deprecated_since", s.Deprecated)
	text("replaced_by", s.ReplacedBy)
	if len(s.History) > 0 {
		w.BulkString("history")
		w.Set(len(s.History))
		for _, h := range s.History {
			w.Array(2)
			w.BulkString(h[0])
			w.BulkString(h[1])
		}
		n++
	}
	if len(s.Arguments) > 0 {
		w.BulkString("arguments")
		writeArguments(w, s.Arguments)
		n++
	}
	if len(s.Subs) > 0 {
		w.BulkString("subcommands")
		writeAllDocs(w, s.Subs)
		n++
	}
	w.End(reply, n)
}

func writeArguments(w *resp.Writer, args []command.Argument) {
	w.Array(len(args))
	for i := range args {
		writeArgument(w, &args[i])
	}
}

func writeArgument(w *resp.Writer, a *command.Argument) {
	reply, n := w.MapLater(), 2
	text := func(name, value string) {
		if value != "" {
			w.BulkString(name)
			w.BulkString(value)
			n++
		}
	}
	w.BulkString("name")
	w.BulkString(a.Name)
	w.BulkString("type")
	w.BulkString(a.Type)
	text("display_text", a.Display)
	if a.KeySpec >= 0 {
		w.BulkString("key_spec_index")
		w.Int(int64(a.KeySpec))
		n++
	}
	if a.HasToken { // MIGRATE has a token that is empty
		w.BulkString("token")
		w.BulkString(a.Token)
		n++
	}
	text("since", a.Since)
	text("deprecated_since", a.Deprecated)
	if flags := argumentFlags(a); len(flags) > 0 {
		w.BulkString("flags")
		writeStatuses(w, "", flags)
		n++
	}
	if len(a.Args) > 0 {
		w.BulkString("arguments")
		writeArguments(w, a.Args)
		n++
	}
	w.End(reply, n)
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
