package zsetcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// A window is a range as a call describes it: of ranks, scores or members, seen from the
// end if back, and of what is in it a part.
type window struct {
	by   subject
	back bool

	start, stop int64
	scores      value.ScoreRange
	members     value.LexRange

	offset, limit int64
}

// noLimit is the limit that is none.
const noLimit = -1

// read reads the ends of a window, which are arguments i and i+1, and the options behind
// them. free says whether they may tell what it is about, show whether scores may be
// asked for; they are if it returns true.
func (w *window) read(args command.Args, i int, free, show bool) (scores bool, err error) {
	w.limit = noLimit
	isBack := false
	for j := i + 2; j < len(args); j++ {
		switch {
		case show && args.Is(j, "WITHSCORES"):
			scores = true
		case j+2 < len(args) && args.Is(j, "LIMIT"):
			if w.offset, err = args.Int(j + 1); err != nil {
				return false, err
			}
			if w.limit, err = args.Int(j + 2); err != nil {
				return false, err
			}
			j += 2
		case free && !isBack && args.Is(j, "REV"):
			isBack = true
		case free && w.by == unsaid && args.Is(j, "BYLEX"):
			w.by = byLex
		case free && w.by == unsaid && args.Is(j, "BYSCORE"):
			w.by = byScore
		default:
			return false, resp.ErrSyntax
		}
	}
	if w.back = w.back || isBack; w.by == unsaid {
		w.by = byRank
	}
	switch {
	case w.by == byRank && w.limit != noLimit:
		return false, errLimitRank
	case w.by == byLex && scores:
		return false, errLexScores
	}
	return scores, w.readEnds(args, i)
}

// readEnds reads arguments i and i+1. Of scores and members seen from the end, the greater
// one comes first.
func (w *window) readEnds(args command.Args, i int) (err error) {
	lowest, highest := args[i], args[i+1]
	if w.back {
		lowest, highest = highest, lowest
	}
	switch w.by {
	case byScore:
		return readScores(&w.scores, lowest, highest)
	case byLex:
		return readMembers(&w.members, lowest, highest)
	}
	if w.start, err = args.Int(i); err == nil {
		w.stop, err = args.Int(i + 1)
	}
	return err
}

// ranks are the ranks of a set's members in the window: from, up to and without to.
func (w *window) ranks(z *value.ZSet) (from, to int) {
	switch w.by {
	case byScore:
		from, to = z.Scores(&w.scores)
		return w.part(from, to)
	case byLex:
		from, to = z.Members(&w.members)
		return w.part(from, to)
	}
	n := z.Len()
	from, to = command.Span(w.start, w.stop, n)
	if w.back && from < to {
		from, to = n-to, n-from
	}
	return from, to
}

// part is what the limit leaves of a range of ranks.
func (w *window) part(from, to int) (int, int) {
	n := int64(to - from)
	if w.offset < 0 || w.offset >= n {
		return from, from
	}
	n -= w.offset
	if w.limit >= 0 {
		n = min(n, w.limit)
	}
	if w.back {
		to -= int(w.offset)
		return to - int(n), to
	}
	from += int(w.offset)
	return from, from + int(n)
}

var _ = Family.Add(command.Spec{
	Name:    "ZREMRANGEBYRANK",
	Summary: "Remove all members in a sorted set within the given indexes",
	Since:   "2.0.0",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements removed by the operation.",
	Syntax: "key start:integer stop:integer",
	Arity:  4,
	Flags:  command.Write,
	ACL:    command.CatSortedSet,
	Keys:   command.OneKey(1, command.RW|command.Delete),
	Run:    zremrangebyrank,
})

func zremrangebyrank(c *command.Ctx) error { return removeRange(c, byRank) }

var _ = Family.Add(command.Spec{
	Name:    "ZREMRANGEBYSCORE",
	Summary: "Remove all members in a sorted set within the given scores",
	Since:   "1.2.0",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements removed by the operation.",
	Syntax: "key min:double max:double",
	Arity:  4,
	Flags:  command.Write,
	ACL:    command.CatSortedSet,
	Keys:   command.OneKey(1, command.RW|command.Delete),
	Run:    zremrangebyscore,
})

func zremrangebyscore(c *command.Ctx) error { return removeRange(c, byScore) }

var _ = Family.Add(command.Spec{
	Name:    "ZREMRANGEBYLEX",
	Summary: "Remove all members in a sorted set between the given lexicographical range",
	Since:   "2.8.9",
	Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of " +
		"elements removed by the operation.",
	Syntax: "key min max",
	Arity:  4,
	Flags:  command.Write,
	ACL:    command.CatSortedSet,
	Keys:   command.OneKey(1, command.RW|command.Delete),
	Run:    zremrangebylex,
})

func zremrangebylex(c *command.Ctx) error { return removeRange(c, byLex) }

func removeRange(c *command.Ctx, by subject) error {
	w := window{by: by, limit: noLimit}
	if err := w.readEnds(c.Args, 2); err != nil {
		return err
	}
	key := c.Args[1]
	cell, ok, err := edit(c, key)
	if err != nil {
		return err
	}
	n := 0
	if ok {
		z := value.ZSetOf(&cell)
		from, to := w.ranks(&z)
		n, err = z.DeleteRange(from, to, nil)
		c.DB.Edited(key, &cell, n)
		if err != nil {
			return err
		}
	}
	c.Out.Int(int64(n))
	return nil
}
