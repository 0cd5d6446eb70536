package setcmd

import (
	"math"
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	errCountRange = resp.Errorf("value is out of range, value must between " +
		"-9223372036854775807 and 9223372036854775807")
	errReplySize = resp.Errorf("the reply would be too large")
)

// replyMax is the most bytes that a reply of repeated members may have. Redis has no limit
// but its memory.
const replyMax = 1 << 30

var _ = Family.Add(command.Spec{
	Name:    "SRANDMEMBER",
	Summary: "Get one or multiple random members from a set",
	Since:   "1.0.0",
	Complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed " +
		"count.",
	History: [][2]string{{"2.6.0", "Added the optional `count` argument."}},
	Tips:    []string{"nondeterministic_output"},
	Syntax:  "key [count:integer{since 2.6.0}]",
	Arity:   -2,
	Flags:   command.ReadOnly,
	ACL:     command.CatSet,
	Keys:    command.OneKey(1, command.RO|command.Access),
	Run:     srandmember,
})

func srandmember(c *command.Ctx) error {
	switch len(c.Args) {
	case 2:
	case 3:
		return randomMembers(c)
	default:
		return resp.ErrSyntax
	}
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Null()
		return nil
	}
	text, v := s.Random(rand.Uint64)
	c.Out.Element(text, v)
	return nil
}

// randomMembers replies with some members that differ, or with -count that may not.
func randomMembers(c *command.Ctx) error {
	count, ok := numtext.ParseInt(c.Args[2])
	switch {
	case !ok:
		return resp.ErrNotInteger
	case count == math.MinInt64:
		return errCountRange
	}
	s, ok, err := open(c, c.Args[1])
	switch {
	case err != nil:
		return err
	case !ok || count == 0:
		c.Out.Array(0)
	case count < 0:
		return repeated(c, &s, -count)
	case count >= int64(s.Len()):
		c.Out.Array(s.Len())
		s.Each(func(text []byte, v int64) bool {
			c.Out.Element(text, v)
			return true
		})
	case s.Encoding() == record.Packed || count > int64(s.Len())/sparse:
		sample(c, &s, int(count))
	default:
		draws(c, &s, int(count))
	}
	return nil
}

func repeated(c *command.Ctx, s *value.Set, n int64) error {
	begin := c.Out.Len()
	if n > replyMax { // a member takes more than a byte
		return errReplySize
	}
	c.Out.Array(int(n))
	for range n {
		text, v := s.Random(rand.Uint64)
		c.Out.Element(text, v)
		if c.Out.Len()-begin > replyMax {
			return errReplySize
		}
		if c.Full() {
			break
		}
	}
	return nil
}

// sparse is how many members of a set there are to one that is wanted from which on they
// are drawn one by one. Below, it costs less to go through all of them.
const sparse = 3

// sample replies with n members, in the order that they have: each is taken with the
// probability that as many of the rest are needed.
func sample(c *command.Ctx, s *value.Set, n int) {
	c.Out.Array(n)
	left := uint64(s.Len())
	s.Each(func(text []byte, v int64) bool {
		if rand.Uint64()%left < uint64(n) {
			c.Out.Element(text, v)
			n--
		}
		left--
		return n > 0
	})
}

// drawsRoom is the number of slots for members that need no memory of their own.
const drawsRoom = 128

// draws replies with n members that are drawn one by one, again if one came before. They
// are known by their hashes; should two of them have the same one, only the first of them
// comes.
func draws(c *command.Ctx, s *value.Set, n int) {
	var room [drawsRoom]uint64
	slots := room[:]
	if 2*n > len(slots) {
		size := len(slots)
		for size < 2*n {
			size *= 2
		}
		slots = make([]uint64, size)
	}
	c.Out.Array(n)
	for n > 0 {
		text, v := s.Random(rand.Uint64)
		id := uint64(v)
		if text != nil {
			id = s.Hash(text)
		}
		if !insert(slots, id) {
			continue
		}
		c.Out.Element(text, v)
		n--
	}
}

// insert enters a number into a table that has free slots, which are zero, and says whether
// it was not there.
func insert(slots []uint64, id uint64) bool {
	mask := uint64(len(slots) - 1)
	if id == 0 {
		id = 1 << 63
	}
	for at := id * 0x9e3779b97f4a7c15 >> 32 & mask; ; at = (at + 1) & mask {
		switch slots[at] {
		case id:
			return false
		case 0:
			slots[at] = id
			return true
		}
	}
}
