package listcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	_ = Family.Add(command.Spec{
		Name:       "LLEN",
		Summary:    "Get the length of a list",
		Since:      "1.0.0",
		Complexity: "O(1)",
		Syntax:     "key",
		Arity:      2,
		Flags:      command.ReadOnly | command.Fast,
		ACL:        command.CatList,
		Keys:       command.OneKey(1, command.RO),
		Run:        llen,
	})
	_ = Family.Add(command.Spec{
		Name:    "LINDEX",
		Summary: "Get an element from a list by its index",
		Since:   "1.0.0",
		Complexity: "O(N) where N is the number of elements to traverse to get to the element at index. This " +
			"makes asking for the first or the last element of the list O(1).",
		Syntax: "key index:integer",
		Arity:  3,
		Flags:  command.ReadOnly,
		ACL:    command.CatList,
		Keys:   command.OneKey(1, command.RO|command.Access),
		Run:    lindex,
	})
	_ = Family.Add(command.Spec{
		Name:    "LRANGE",
		Summary: "Get a range of elements from a list",
		Since:   "1.0.0",
		Complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end " +
			"(HEAD or TAIL) for large lists; and N is the number of elements in the specified range.",
		Syntax: "key start:integer stop:integer",
		Arity:  4,
		Flags:  command.ReadOnly,
		ACL:    command.CatList,
		Keys:   command.OneKey(1, command.RO|command.Access),
		Run:    lrange,
	})
	_ = Family.Add(command.Spec{
		Name:    "LPOS",
		Summary: "Return the index of matching elements on a list",
		Since:   "6.0.6",
		Complexity: "O(N) where N is the number of elements in the list, for the average case. When searching " +
			"for elements near the head or the tail of the list, or when the MAXLEN option is provided, the " +
			"command may run in constant time.",
		Syntax: "key element [RANK=rank:integer] [COUNT=num-matches:integer] [MAXLEN=len:integer]",
		Arity:  -3,
		Flags:  command.ReadOnly,
		ACL:    command.CatList,
		Keys:   command.OneKey(1, command.RO|command.Access),
		Run:    lpos,
	})
)

func llen(c *command.Ctx) error {
	cell, ok, err := c.DB.Open(c.Args[1], record.List)
	if err != nil {
		return err
	}
	n := 0
	if ok {
		n = value.Len(&cell)
	}
	c.Out.Int(int64(n))
	return nil
}

func lindex(c *command.Ctx) error {
	cell, ok, err := c.DB.Open(c.Args[1], record.List)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Null()
		return nil
	}
	i, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	l := value.ListIn(&cell)
	n := int64(l.Len())
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		c.Out.Null()
		return nil
	}
	e := l.At(int(i))
	c.Out.Element(e.Bytes, e.Int)
	return nil
}

func lrange(c *command.Ctx) error {
	start, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	stop, err := c.Args.Int(3)
	if err != nil {
		return err
	}
	cell, ok, err := c.DB.Open(c.Args[1], record.List)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Array(0)
		return nil
	}
	l := value.ListIn(&cell)
	from, to := command.Span(start, stop, l.Len())
	c.Out.Array(to - from)
	if from == to || c.StreamRange(c.Args[1], &cell, from, to, false, nil) {
		return nil
	}
	out := c.Out
	l.Each(from, to-from, func(text []byte, v int64) {
		if text != nil {
			out.Bulk(text)
		} else {
			out.BulkInt(v)
		}
	})
	return nil
}

var (
	errRankZero = &resp.Error{Code: "ERR", Text: "RANK can't be zero: use 1 to start from the first match, 2 " +
		"from the second ... or use negative to start from the end of the list"}
	errCountNegative  = &resp.Error{Code: "ERR", Text: "COUNT can't be negative"}
	errMaxLenNegative = &resp.Error{Code: "ERR", Text: "MAXLEN can't be negative"}
)

// search is what LPOS is told besides the element.
type search struct {
	rank   int64 // of the first match that counts
	count  int64 // matches wanted, 0 for all, -1 for one that is not in an array
	maxLen int64 // elements looked at, 0 for all
}

func parseSearch(args command.Args) (s search, err error) {
	s.rank, s.count = 1, -1
	for i := 3; i < len(args); i += 2 {
		if i+1 >= len(args) {
			return s, resp.ErrSyntax
		}
		switch {
		case args.Is(i, "RANK"):
			if s.rank, err = args.IntIn(i+1, -math.MaxInt64, math.MaxInt64); err != nil {
				return s, err
			}
			if s.rank == 0 {
				return s, errRankZero
			}
		case args.Is(i, "COUNT"):
			if s.count, err = args.Int(i + 1); err != nil || s.count < 0 {
				return s, errCountNegative
			}
		case args.Is(i, "MAXLEN"):
			if s.maxLen, err = args.Int(i + 1); err != nil || s.maxLen < 0 {
				return s, errMaxLenNegative
			}
		default:
			return s, resp.ErrSyntax
		}
	}
	return s, nil
}

func lpos(c *command.Ctx) error {
	s, err := parseSearch(c.Args)
	if err != nil {
		return err
	}
	cell, ok, err := c.DB.Open(c.Args[1], record.List)
	switch {
	case err != nil:
		return err
	case !ok && s.count >= 0:
		c.Out.Array(0)
		return nil
	case !ok:
		c.Out.Null()
		return nil
	}
	l := value.ListIn(&cell)
	var found []int64
	s.run(&l, c.Args[2], func(i int64) { found = append(found, i) })
	switch {
	case s.count < 0 && len(found) == 0:
		c.Out.Null()
	case s.count < 0:
		c.Out.Int(found[0])
	default:
		c.Out.Array(len(found))
		for _, i := range found {
			c.Out.Int(i)
		}
	}
	return nil
}

// run calls fn for the indices of the matches.
func (s *search) run(l *value.List, elem []byte, fn func(i int64)) {
	n := int64(l.Len())
	i, step, skip := int64(0), int64(1), s.rank-1
	if s.rank < 0 {
		i, step, skip = n-1, -1, -s.rank-1
	}
	looks := n
	if s.maxLen > 0 {
		looks = min(looks, s.maxLen)
	}
	want := max(s.count, 0)
	if s.count < 0 {
		want = 1
	}
	it := l.Iter(int(i), step < 0)
	for matches := int64(0); looks > 0; looks-- {
		e, ok := it.Next()
		if !ok {
			return
		}
		if e.Equal(elem) {
			if skip > 0 {
				skip--
			} else {
				fn(i)
				if matches++; matches == want {
					return
				}
			}
		}
		i += step
	}
}
