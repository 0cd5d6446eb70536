package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "XINFO",
	Summary:    "A container for stream introspection commands",
	Since:      "5.0.0",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
	Subs: []*command.Spec{
		{
			Name:       "CONSUMERS",
			Summary:    "List the consumers in a consumer group",
			Since:      "5.0.0",
			Complexity: "O(1)",
			History:    [][2]string{{"7.2.0", "Added the `inactive` field."}},
			Tips:       []string{"nondeterministic_output"},
			Syntax:     "key groupname",
			Arity:      4,
			Flags:      command.ReadOnly,
			ACL:        command.CatStream,
			Keys:       command.OneKey(2, command.RO|command.Access),
			Run:        infoConsumers,
		},
		{
			Name:       "GROUPS",
			Summary:    "List the consumer groups of a stream",
			Since:      "5.0.0",
			Complexity: "O(1)",
			History:    [][2]string{{"7.0.0", "Added the `entries-read` and `lag` fields"}},
			Syntax:     "key",
			Arity:      3,
			Flags:      command.ReadOnly,
			ACL:        command.CatStream,
			Keys:       command.OneKey(2, command.RO|command.Access),
			Run:        infoGroups,
		},
		{
			Name:       "STREAM",
			Summary:    "Get information about a stream",
			Since:      "5.0.0",
			Complexity: "O(1)",
			History: [][2]string{
				{"6.0.0", "Added the `FULL` modifier."},
				{"7.0.0", "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, " +
					"`entries-read` and `lag` fields"},
				{"7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."},
			},
			Syntax: "key [FULL=full={[COUNT=count:integer]}]",
			Arity:  -3,
			Flags:  command.ReadOnly,
			ACL:    command.CatStream,
			Keys:   command.OneKey(2, command.RO|command.Access),
			Run:    infoStream,
		},
		helpSub(infoHelp),
	},
})

var infoHelp = []string{
	"XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
	"CONSUMERS <key> <groupname>",
	"    Show consumers of <groupname>.",
	"GROUPS <key>",
	"    Show the stream consumer groups.",
	"STREAM <key> [FULL [COUNT <count>]",
	"    Show information about the stream.",
	"HELP",
	"    Prints this help.",
}

// openInfo is the stream that a subcommand tells about.
func openInfo(c *command.Ctx, cell *value.Cell) (s value.Stream, err error) {
	s, ok, err := open(c, c.Args[2], cell)
	if err == nil && !ok {
		err = resp.ErrNoKey
	}
	return s, err
}

func infoConsumers(c *command.Ctx) error {
	var cell value.Cell
	s, err := openInfo(c, &cell)
	if err != nil {
		return err
	}
	g, ok := s.S.Group(s.Arena, c.Args[3])
	if !ok {
		return noGroupOf(c.Args[2], c.Args[3])
	}
	out, now := c.Out, int64(c.Now)
	out.Array(int(g.Consumers()))
	for it := g.EachConsumer(s.Arena); it.Next(); {
		consumer := it.Consumer()
		inactive := int64(-1)
		if consumer.Active != -1 {
			inactive = max(now-consumer.Active, 0)
		}
		out.Map(4)
		out.BulkString("name")
		out.Bulk(consumer.Name)
		out.BulkString("pending")
		out.Int(int64(consumer.Pending))
		out.BulkString("idle")
		out.Int(max(now-consumer.Seen, 0))
		out.BulkString("inactive")
		out.Int(inactive)
	}
	return nil
}

func infoGroups(c *command.Ctx) error {
	var cell value.Cell
	s, err := openInfo(c, &cell)
	if err != nil {
		return err
	}
	out := c.Out
	out.Array(int(s.S.Groups()))
	for it := s.S.EachGroup(s.Arena); it.Next(); {
		g := it.Group()
		out.Map(6)
		out.BulkString("name")
		out.Bulk(it.Name())
		out.BulkString("consumers")
		out.Int(g.Consumers())
		out.BulkString("pending")
		out.Int(g.PendingCount())
		out.BulkString("last-delivered-id")
		writeID(out, g.Last)
		writeProgress(out, &s, &g)
	}
	return nil
}

// writeProgress replies with how much a group has read, and how much is left.
func writeProgress(out *resp.Writer, s *value.Stream, g *stream.Group) {
	out.BulkString("entries-read")
	if g.Reads == stream.UnknownReads {
		out.Null()
	} else {
		out.Int(g.Reads)
	}
	out.BulkString("lag")
	if lag, known := s.S.Lag(g.Last, g.Reads); known {
		out.Int(lag)
	} else {
		out.Null()
	}
}

// fullCount is how many entries FULL shows if it is not told.
const fullCount = 10

func infoStream(c *command.Ctx) error {
	var cell value.Cell
	s, err := openInfo(c, &cell)
	if err != nil {
		return err
	}
	args := c.Args
	if len(args) == 3 {
		writeSummary(c.Out, &s)
		return nil
	}
	if len(args) != 4 && len(args) != 6 || !args.Is(3, "FULL") || len(args) == 6 && !args.Is(4, "COUNT") {
		return wrongSub(c, "XINFO")
	}
	count := int64(fullCount)
	if len(args) == 6 {
		if count, err = args.Int(5); err != nil {
			return err
		}
		if count < 0 {
			count = fullCount
		}
	}
	if count == 0 {
		count = maxCount
	}
	writeFull(c.Out, &s, count)
	return nil
}

// writeFigures replies with what is said of the stream itself.
func writeFigures(out *resp.Writer, s *value.Stream) {
	out.BulkString("length")
	out.Int(int64(s.S.Length))
	out.BulkString("radix-tree-keys")
	out.Int(s.S.Nodes())
	out.BulkString("radix-tree-nodes")
	out.Int(s.S.RadixNodes(s.Arena))
	out.BulkString("last-generated-id")
	writeID(out, s.S.Last)
	out.BulkString("max-deleted-entry-id")
	writeID(out, s.S.MaxDeleted)
	out.BulkString("entries-added")
	out.Int(int64(s.S.Added))
	out.BulkString("recorded-first-entry-id")
	writeID(out, s.S.First)
}

func writeSummary(out *resp.Writer, s *value.Stream) {
	out.Map(10)
	writeFigures(out, s)
	out.BulkString("groups")
	out.Int(s.S.Groups())
	for _, end := range [...]struct {
		name     string
		backward bool
	}{{"first-entry", false}, {"last-entry", true}} {
		out.BulkString(end.name)
		it := s.S.Range(s.Arena, stream.ID{}, stream.MaxID, end.backward)
		if it.Next() {
			writeEntry(out, &it)
		} else {
			out.Null()
		}
	}
}

// writeFull replies with so many entries, and as many pending ones of each group and
// consumer.
func writeFull(out *resp.Writer, s *value.Stream, count int64) {
	out.Map(9)
	writeFigures(out, s)
	out.BulkString("entries")
	writeRange(out, s, stream.ID{}, stream.MaxID, count, false)
	out.BulkString("groups")
	out.Array(int(s.S.Groups()))
	for it := s.S.EachGroup(s.Arena); it.Next(); {
		g := it.Group()
		out.Map(7)
		out.BulkString("name")
		out.Bulk(it.Name())
		out.BulkString("last-delivered-id")
		writeID(out, g.Last)
		writeProgress(out, s, &g)
		out.BulkString("pel-count")
		out.Int(g.PendingCount())
		out.BulkString("pending")
		n := min(g.PendingCount(), count)
		out.Array(int(n))
		for p := g.Pending(s.Arena, stream.ID{}); n > 0 && p.Next(); n-- {
			consumer, _ := g.ConsumerAt(s.Arena, p.Consumer)
			out.Array(4)
			writeID(out, p.ID)
			out.Bulk(consumer.Name)
			out.Int(p.Delivered)
			out.Int(int64(p.Deliveries))
		}
		writeConsumers(out, s, &g, count)
	}
}

func writeConsumers(out *resp.Writer, s *value.Stream, g *stream.Group, count int64) {
	out.BulkString("consumers")
	out.Array(int(g.Consumers()))
	for it := g.EachConsumer(s.Arena); it.Next(); {
		consumer := it.Consumer()
		out.Map(5)
		out.BulkString("name")
		out.Bulk(consumer.Name)
		out.BulkString("seen-time")
		out.Int(consumer.Seen)
		out.BulkString("active-time")
		out.Int(consumer.Active)
		out.BulkString("pel-count")
		out.Int(int64(consumer.Pending))
		out.BulkString("pending")
		n := min(int64(consumer.Pending), count)
		out.Array(int(n))
		for p := g.Owned(s.Arena, consumer.Number, stream.ID{}); n > 0 && p.Next(); n-- {
			out.Array(3)
			writeID(out, p.ID)
			out.Int(p.Delivered)
			out.Int(int64(p.Deliveries))
		}
	}
}
