// Package command is the contract between the way of a request and the families of
// commands: what a command declares of itself (Spec), what it is given to work with
// (Ctx), where its keys are, and the table of all of them.
//
// A command is one Spec literal above its function. COMMAND's answers, the locks, the
// slots, the ACL categories and the client's hints are derived from the literal.
//
//	var _ = Family.Add(command.Spec{
//		Name:       "STRLEN",
//		Summary:    "Returns the length of a string value.",
//		Since:      "2.2.0",
//		Complexity: "O(1)",
//		Syntax:     "key",
//		Arity:      2,
//		Flags:      command.ReadOnly | command.Fast,
//		ACL:        command.CatString,
//		Keys:       command.OneKey(1, command.RO),
//		Run:        strlen,
//	})
//
// A command reads its arguments from Ctx.Args, its keys from Ctx.DB, and writes exactly
// one reply to Ctx.Out, or returns an error, which becomes the reply. Arguments are
// valid until it returns: what it keeps it copies. It never sees a socket, a lock or
// the journal's file. Only keys that the Spec declares are locked.
//
// What it changed is journalled as it was called, unless it says otherwise with
// Ctx.JournalAs: a command whose effect depends on the time, on chance or on another
// server's configuration must, because replicas and the AOF repeat the journal.
package command
