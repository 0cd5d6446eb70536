package streamcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

const rangeComplexity = "If N is constant (e.g. always asking for the first 10 elements with COUNT), " +
	"you can consider it O(1)."

var rangeHistory = [][2]string{{"6.2.0", "Added exclusive ranges."}}

var (
	_ = Family.Add(command.Spec{
		Name:       "XLEN",
		Summary:    "Return the number of entries in a stream",
		Since:      "5.0.0",
		Complexity: "O(1)",
		Syntax:     "key",
		Arity:      2,
		Flags:      command.ReadOnly | command.Fast,
		ACL:        command.CatStream,
		Keys:       command.OneKey(1, command.RO),
		Run:        xlen,
	})
	_ = Family.Add(command.Spec{
		Name:       "XRANGE",
		Summary:    "Return a range of elements in a stream, with IDs matching the specified IDs interval",
		Since:      "5.0.0",
		Complexity: "O(N) with N being the number of elements being returned. " + rangeComplexity,
		History:    rangeHistory,
		Syntax:     "key start end [COUNT=count:integer]",
		Arity:      -4,
		Flags:      command.ReadOnly,
		ACL:        command.CatStream,
		Keys:       command.OneKey(1, command.RO|command.Access),
		Run:        func(c *command.Ctx) error { return xrange(c, 2, 3, false) },
	})
	_ = Family.Add(command.Spec{
		Name: "XREVRANGE",
		Summary: "Return a range of elements in a stream, with IDs matching the specified IDs interval, " +
			"in reverse order (from greater to smaller IDs) compared to XRANGE",
		Since:      "5.0.0",
		Complexity: "O(N) with N being the number of elements returned. " + rangeComplexity,
		History:    rangeHistory,
		Syntax:     "key end start [COUNT=count:integer]",
		Arity:      -4,
		Flags:      command.ReadOnly,
		ACL:        command.CatStream,
		Keys:       command.OneKey(1, command.RO|command.Access),
		Run:        func(c *command.Ctx) error { return xrange(c, 3, 2, true) },
	})
)

func xlen(c *command.Ctx) error {
	var cell value.Cell
	s, ok, err := open(c, c.Args[1], &cell)
	if err != nil {
		return err
	}
	n := uint64(0)
	if ok {
		n = s.S.Length
	}
	c.Out.Int(int64(n))
	return nil
}

// xrange replies with the entries between two arguments.
func xrange(c *command.Ctx, first, last int, backward bool) error {
	from, to, err := interval(c.Args[first], c.Args[last])
	if err != nil {
		return err
	}
	count := int64(math.MaxInt64)
	for i := 4; i < len(c.Args); i += 2 {
		if !c.Args.Is(i, "COUNT") || i+1 == len(c.Args) {
			return resp.ErrSyntax
		}
		if count, err = c.Args.Int(i + 1); err != nil {
			return err
		}
		count = max(count, 0)
	}
	var cell value.Cell
	s, ok, err := open(c, c.Args[1], &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		c.Out.Array(0)
	case count == 0:
		c.Out.NullArray()
	default:
		var it stream.Iter
		n := enter(&it, &s, from, to, count, backward)
		c.Out.Array(int(n))
		if n <= inPiecesFrom || !streamRange(c, &cell, from, to, int(n), backward) {
			writeEntries(c.Out, &it, n)
		}
	}
	return nil
}

// inPiecesFrom is from how many entries it is asked whether a reply should be made in pieces.
const inPiecesFrom = 128

// streamRange makes the reply of n entries in pieces, if it is big.
func streamRange(c *command.Ctx, cell *value.Cell, from, to stream.ID, n int, backward bool) bool {
	write := func(out *resp.Writer, e *value.Element, most int) (n int) {
		node := stream.Node{Master: stream.ID{Ms: e.MS, Seq: e.Seq}, List: e.Node}
		for it := stream.RangeIn(node, from, to, backward); n < most && it.Next(); n++ {
			writeEntry(out, &it)
		}
		return n
	}
	return c.StreamNodes(c.Args[1], cell, n, backward, write)
}

// writeRange replies with entries between two IDs, as many as count at most.
func writeRange(out *resp.Writer, s *value.Stream, from, to stream.ID, count int64, backward bool) {
	var it stream.Iter
	n := enter(&it, s, from, to, count, backward)
	out.Array(int(n))
	writeEntries(out, &it, n)
}

// writeEntries replies with n entries, the first of which an iterator has come to.
func writeEntries(out *resp.Writer, it *stream.Iter, n int64) {
	for ; n > 0; n-- {
		writeEntry(out, it)
		if n > 1 {
			it.Next()
		}
	}
}

// lookAhead is up to how many entries it is cheaper to go through them than to count them
// in their nodes.
const lookAhead = 64

// enter goes to the first of the entries between two IDs, and returns how many there are,
// up to count.
func enter(it *stream.Iter, s *value.Stream, from, to stream.ID, count int64, backward bool) (n int64) {
	*it = s.S.Range(s.Arena, from, to, backward)
	if !it.Next() {
		return 0
	}
	if !s.S.First.Less(from) && !to.Less(s.S.Last) {
		return min(count, int64(s.S.Length))
	}
	if count > lookAhead {
		return s.S.Count(s.Arena, from, to, count)
	}
	ahead := *it
	for n = 1; n < count && ahead.Next(); {
		n++
	}
	return n
}
