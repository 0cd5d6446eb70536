package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "XGROUP",
	Summary:    "A container for consumer groups commands",
	Since:      "5.0.0",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
	Subs: []*command.Spec{
		{
			Name:       "CREATE",
			Summary:    "Create a consumer group.",
			Since:      "5.0.0",
			Complexity: "O(1)",
			History:    [][2]string{{"7.0.0", "Added the `entries_read` named argument."}},
			Syntax: `key groupname id=(id|new_id="$") [MKSTREAM] ` +
				"[ENTRIESREAD=entries_read:integer]",
			Arity: -5,
			Flags: command.Write | command.DenyOOM,
			ACL:   command.CatStream,
			Keys:  command.OneKey(2, command.RW|command.Insert),
			Run:   groupCreate,
		},
		{
			Name:       "CREATECONSUMER",
			Summary:    "Create a consumer in a consumer group.",
			Since:      "6.2.0",
			Complexity: "O(1)",
			Syntax:     "key groupname consumername",
			Arity:      5,
			Flags:      command.Write | command.DenyOOM,
			ACL:        command.CatStream,
			Keys:       command.OneKey(2, command.RW|command.Insert),
			Run:        groupCreateConsumer,
		},
		{
			Name:       "DELCONSUMER",
			Summary:    "Delete a consumer from a consumer group.",
			Since:      "5.0.0",
			Complexity: "O(1)",
			Syntax:     "key groupname consumername",
			Arity:      5,
			Flags:      command.Write,
			ACL:        command.CatStream,
			Keys:       command.OneKey(2, command.RW|command.Delete),
			Run:        groupDelConsumer,
		},
		{
			Name:       "DESTROY",
			Summary:    "Destroy a consumer group.",
			Since:      "5.0.0",
			Complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
			Syntax:     "key groupname",
			Arity:      4,
			Flags:      command.Write,
			ACL:        command.CatStream,
			Keys:       command.OneKey(2, command.RW|command.Delete),
			Run:        groupDestroy,
		},
		{
			Name:       "SETID",
			Summary:    "Set a consumer group to an arbitrary last delivered ID value.",
			Since:      "5.0.0",
			Complexity: "O(1)",
			History:    [][2]string{{"7.0.0", "Added the optional `entries_read` argument."}},
			Syntax:     `key groupname id=(id|new_id="$") [ENTRIESREAD=entries_read:integer]`,
			Arity:      -5,
			Flags:      command.Write,
			ACL:        command.CatStream,
			Keys:       command.OneKey(2, command.RW|command.Update),
			Run:        groupSetID,
		},
		helpSub(groupHelp),
	},
})

var groupHelp = []string{
	"XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
	"CREATE <key> <groupname> <id|$> [option]",
	"    Create a new consumer group. Options are:",
	"    * MKSTREAM",
	"      Create the empty stream if it does not exist.",
	"    * ENTRIESREAD entries_read",
	"      Set the group's entries_read counter (internal use).",
	"CREATECONSUMER <key> <groupname> <consumer>",
	"    Create a new consumer in the specified group.",
	"DELCONSUMER <key> <groupname> <consumer>",
	"    Remove the specified consumer.",
	"DESTROY <key> <groupname>",
	"    Remove the specified group.",
	"SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
	"    Set the current group ID and entries_read counter.",
	"HELP",
	"    Prints this help.",
}

var (
	errNoStream = &resp.Error{Code: "ERR",
		Text: "The XGROUP subcommand requires the key to exist. Note that for " +
			"CREATE you may want to use the MKSTREAM option to create an empty stream automatically."}
	errGroupExists = &resp.Error{Code: "BUSYGROUP", Text: "Consumer Group name already exists"}
	errEntriesRead = &resp.Error{Code: "ERR", Text: "value for ENTRIESREAD must be positive or -1"}
)

// groupOptions is what CREATE and SETID may be told behind the ID. There may be as many
// arguments as these options are long, each of them any number of times.
func groupOptions(c *command.Ctx, isCreate bool) (makes bool, reads int64, err error) {
	most := 7
	if isCreate {
		most = 8
	}
	reads = stream.UnknownReads
	for i := 5; i < len(c.Args); i++ {
		switch {
		case isCreate && c.Args.Is(i, "MKSTREAM"):
			makes = true
		case c.Args.Is(i, "ENTRIESREAD") && i+1 < len(c.Args):
			i++
			if reads, err = c.Args.Int(i); err != nil {
				return makes, reads, err
			}
			if reads < stream.UnknownReads {
				return makes, reads, errEntriesRead
			}
		default:
			return makes, reads, wrongSub(c, "XGROUP")
		}
	}
	if len(c.Args) > most {
		err = wrongSub(c, "XGROUP")
	}
	return makes, reads, err
}

func groupCreate(c *command.Ctx) error {
	makes, reads, err := groupOptions(c, true)
	tooMany := err != nil && len(c.Args) > 8
	if err != nil && !tooMany {
		return err
	}
	key, name := c.Args[2], c.Args[3]
	var cell value.Cell
	s, ok, failure := edit(c, key, &cell)
	switch {
	case failure != nil:
		return failure
	case !ok && !makes:
		return errNoStream
	case tooMany:
		return err
	}
	var last stream.ID
	if string(c.Args[4]) != "$" {
		if last, err = idOf(c.Args[4], 0); err != nil {
			return err
		}
	} else if ok {
		last = s.S.Last
	}
	if ok {
		if _, ok := s.S.Group(s.Arena, name); ok {
			return errGroupExists
		}
	} else {
		if cell, err = c.DB.Fresh(c.DB.DB, key, record.Stream, keyspace.NoTTL); err != nil {
			return err
		}
		s = value.StreamIn(&cell)
	}
	if _, _, err := s.S.CreateGroup(s.Heap(), name, last, reads); err != nil {
		if !ok {
			c.DB.Delete(key)
			c.JournalNothing()
		}
		return err
	}
	edited(c, key, &s, 1)
	c.Out.OK()
	return nil
}

// groupToEdit is the stream of a subcommand and, unless only the stream must be there,
// its group.
func groupToEdit(c *command.Ctx, cell *value.Cell) (s value.Stream, g stream.Group, err error) {
	s, ok, err := edit(c, c.Args[2], cell)
	switch {
	case err != nil:
		return s, g, err
	case !ok:
		return s, g, errNoStream
	}
	if g, ok = s.S.Group(s.Arena, c.Args[3]); !ok {
		err = noGroupOf(c.Args[2], c.Args[3])
	}
	return s, g, err
}

func groupSetID(c *command.Ctx) error {
	_, reads, err := groupOptions(c, false)
	tooMany := err != nil && len(c.Args) > 7
	if err != nil && !tooMany {
		return err
	}
	var cell value.Cell
	s, g, failure := groupToEdit(c, &cell)
	switch {
	case failure != nil:
		return failure
	case tooMany:
		return err
	}
	last := s.S.Last
	if string(c.Args[4]) != "$" {
		if last, err = idOrEdge(c.Args[4], 0); err != nil {
			return err
		}
	}
	g.SetID(s.Arena, last, reads)
	edited(c, c.Args[2], &s, 1)
	c.Out.OK()
	return nil
}

// groupDestroy also wakes who waits for the group, to be told that it is gone.
func groupDestroy(c *command.Ctx) error {
	key := c.Args[2]
	var cell value.Cell
	s, ok, err := edit(c, key, &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		return errNoStream
	}
	if !s.S.DestroyGroup(s.Heap(), c.Args[3]) {
		c.Out.Int(0)
		return nil
	}
	edited(c, key, &s, 1)
	c.Out.Int(1)
	return nil
}

func groupCreateConsumer(c *command.Ctx) error {
	var cell value.Cell
	s, g, err := groupToEdit(c, &cell)
	if err != nil {
		return err
	}
	_, isNew, err := g.CreateConsumer(s.Heap(), c.Args[4], int64(c.Now), -1)
	if err != nil {
		return err
	}
	n := 0
	if isNew {
		n = 1
	}
	edited(c, c.Args[2], &s, n)
	c.Out.Int(int64(n))
	return nil
}

func groupDelConsumer(c *command.Ctx) error {
	var cell value.Cell
	s, g, err := groupToEdit(c, &cell)
	if err != nil {
		return err
	}
	pending, existed, err := g.DeleteConsumer(s.Heap(), c.Args[4])
	n := 0
	if existed && err == nil {
		n = 1
	}
	edited(c, c.Args[2], &s, n)
	if err != nil {
		return err
	}
	c.Out.Int(pending)
	return nil
}
