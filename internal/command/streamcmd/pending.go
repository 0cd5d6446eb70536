package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name: "XPENDING",
	Summary: "Return information and entries from a stream consumer group pending entries list, that " +
		"are messages fetched but never acknowledged.",
	Since: "5.0.0",
	Complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number " +
		"of entries per call is O(1). O(M), where M is the total number of entries scanned when used " +
		"with the IDLE filter. When the command returns just the summary and the list of consumers is " +
		"small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
	History: [][2]string{{"6.2.0", "Added the `IDLE` option and exclusive range intervals."}},
	Tips:    []string{"nondeterministic_output"},
	Syntax: "key group [filters={[IDLE=min-idle-time:integer{since 6.2.0}] start end count:integer " +
		"[consumer]}]",
	Arity: -3,
	Flags: command.ReadOnly,
	ACL:   command.CatStream,
	Keys:  command.OneKey(1, command.RO|command.Access),
	Run:   xpending,
})

// A pendingQuery is what XPENDING is asked for besides the group.
type pendingQuery struct {
	from, to stream.ID
	count    int64
	idle     int64
	consumer []byte // nil for all
}

// parsePending reads the arguments behind the group. What is behind the consumer is
// passed over, as in Redis.
func parsePending(args command.Args) (q pendingQuery, err error) {
	at := 3
	if args.Is(3, "IDLE") {
		if q.idle, err = args.Int(4); err != nil {
			return q, err
		}
		if len(args) < 8 {
			return q, resp.ErrSyntax
		}
		at = 5
	}
	if q.count, err = args.Int(at + 2); err != nil {
		return q, err
	}
	if at+3 < len(args) {
		q.consumer = args[at+3]
	}
	q.from, q.to, err = interval(args[at], args[at+1])
	return q, err
}

func xpending(c *command.Ctx) error {
	n := len(c.Args)
	if n != 3 && (n < 6 || n > 9) {
		return resp.ErrSyntax
	}
	var q pendingQuery
	if n > 3 {
		var err error
		if q, err = parsePending(c.Args); err != nil {
			return err
		}
	}
	var cell value.Cell
	s, ok, err := open(c, c.Args[1], &cell)
	if err != nil {
		return err
	}
	var g stream.Group
	if ok {
		g, ok = s.S.Group(s.Arena, c.Args[2])
	}
	if !ok {
		return noGroup(c.Args[1], c.Args[2])
	}
	if n == 3 {
		pendingSummary(c, &s, &g)
		return nil
	}
	q.write(c, &s, &g)
	return nil
}

// pendingSummary replies with how many entries are pending, the first and the last of
// them, and who has how many.
func pendingSummary(c *command.Ctx, s *value.Stream, g *stream.Group) {
	out := c.Out
	out.Array(4)
	out.Int(g.PendingCount())
	if g.PendingCount() == 0 {
		out.Null()
		out.Null()
		out.NullArray()
		return
	}
	first, last := g.PendingEdges(s.Arena)
	writeID(out, first)
	writeID(out, last)
	list, n := out.ArrayLater(), 0
	for it := g.EachConsumer(s.Arena); it.Next(); {
		if consumer := it.Consumer(); consumer.Pending > 0 {
			out.Array(2)
			out.Bulk(consumer.Name)
			out.BulkInt(int64(consumer.Pending))
			n++
		}
	}
	out.End(list, n)
}

// write replies with pending entries.
func (q *pendingQuery) write(c *command.Ctx, s *value.Stream, g *stream.Group) {
	out := c.Out
	it := g.Pending(s.Arena, q.from)
	if q.consumer != nil {
		consumer, ok := g.Consumer(s.Arena, q.consumer)
		if !ok {
			out.Array(0)
			return
		}
		it = g.Owned(s.Arena, consumer.Number, q.from)
	}
	list, n := out.ArrayLater(), int64(0)
	for n < q.count && it.Next() && !q.to.Less(it.ID) {
		idle := int64(c.Now) - it.Delivered
		if q.idle != 0 && idle < q.idle {
			continue
		}
		consumer, _ := g.ConsumerAt(s.Arena, it.Consumer)
		out.Array(4)
		writeID(out, it.ID)
		out.Bulk(consumer.Name)
		out.Int(max(idle, 0))
		out.Int(int64(it.Deliveries))
		n++
	}
	out.End(list, int(n))
}
