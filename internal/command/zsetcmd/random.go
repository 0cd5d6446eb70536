package zsetcmd

import (
	"math"
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	errRandomCount = resp.Errorf("value is out of range, value must between -9223372036854775807 and " +
		"9223372036854775807")
	errRandomPairs = resp.Errorf("value is out of range")
)

var _ = Family.Add(command.Spec{
	Name:       "ZRANDMEMBER",
	Summary:    "Get one or multiple random elements from a sorted set",
	Since:      "6.2.0",
	Complexity: "O(N) where N is the number of elements returned",
	Tips:       []string{"nondeterministic_output"},
	Syntax:     "key [options={count:integer [WITHSCORES]}]",
	Arity:      -2,
	Flags:      command.ReadOnly,
	ACL:        command.CatSortedSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        zrandmember,
})

// zrandmember replies with one random member, or with so many different ones, or if the
// count is negative, with so many of which some may be the same.
func zrandmember(c *command.Ctx) error {
	if len(c.Args) == 2 {
		return randomOne(c)
	}
	count, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	if count == math.MinInt64 {
		return errRandomCount
	}
	scores := len(c.Args) > 3
	if len(c.Args) > 4 || scores && !c.Args.Is(3, "WITHSCORES") {
		return resp.ErrSyntax
	}
	if scores && (count < -math.MaxInt64/2 || count > math.MaxInt64/2) {
		return errRandomPairs
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok || count == 0 {
		c.Out.Array(0)
		return nil
	}
	z := value.ZSetOf(&cell)
	if count < 0 {
		randomDraws(c, &z, int(-count), scores)
		return nil
	}
	n := int(min(count, int64(z.Len())))
	list := listMembers(c.Out, n, scores)
	if n > z.Len()/sparse {
		randomSelection(&list, &z, n)
	} else {
		randomSample(&list, &z, n)
	}
	return nil
}

func randomOne(c *command.Ctx) error {
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Null()
		return nil
	}
	z := value.ZSetOf(&cell)
	it := z.Iter(rand.IntN(z.Len()), false)
	text, v, _, _ := it.Next()
	c.Out.Element(text, v)
	return nil
}

// randomDraws writes n members, each being any. A client may like to have more of them than
// there is room for.
func randomDraws(c *command.Ctx, z *value.ZSet, n int, scores bool) {
	list := listMembers(c.Out, n, scores)
	for size := z.Len(); n > 0 && !c.Full(); n-- {
		it := z.Iter(rand.IntN(size), false)
		list.next(&it)
	}
}

// sparse says for which part of a set it is better to look single members up than to walk
// over all: one in so many.
const sparse = 3

// randomSelection writes n different members, walking over all: each is taken with the
// chance that is right for the number that is still to be taken.
func randomSelection(list *pairs, z *value.ZSet, n int) {
	it := z.Iter(0, false)
	for left := z.Len(); n > 0; left-- {
		text, v, score, _ := it.Next()
		if rand.IntN(left) < n {
			list.add(text, v, score)
			n--
		}
	}
}

// randomSample writes n different members. Robert Floyd's way of drawing needs no second
// try: a rank that was drawn already is replaced by the last one there is.
func randomSample(list *pairs, z *value.ZSet, n int) {
	drawn := make(map[int]struct{}, n)
	for last := z.Len() - n; last < z.Len(); last++ {
		rank := rand.IntN(last + 1)
		if _, again := drawn[rank]; again {
			rank = last
		}
		drawn[rank] = struct{}{}
		it := z.Iter(rank, false)
		list.next(&it)
	}
}
