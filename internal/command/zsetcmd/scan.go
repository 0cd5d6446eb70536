package zsetcmd

import (
	"math/bits"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "ZSCAN",
	Summary: "Incrementally iterate sorted sets elements and associated scores",
	Since:   "2.8.0",
	Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for " +
		"the cursor to return back to 0. N is the number of elements inside the collection..",
	Tips:   []string{"nondeterministic_output"},
	Syntax: "key cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] [NOSCORES]{since 8.0.0}",
	Arity:  -3,
	Flags:  command.ReadOnly,
	ACL:    command.CatSortedSet,
	Keys:   command.OneKey(1, command.RO|command.Access),
	Run:    zscan,
})

// scanParts is into how many parts a whole scan falls at most. Each is a walk over the
// set, of some 10 ns a member.
const scanParts = 128

// zscan replies with some members. The cursor is a place in the order of the members'
// hashes, since they keep that, whatever their scores become: so a member that is there from
// the first call to the last is found.
func zscan(c *command.Ctx) error {
	cursor, err := c.Args.Cursor(2)
	if err != nil {
		return err
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	s := scanner{out: c.Out}
	if ok { // of nothing, Redis does not look at the options
		if s.Scan, err = c.Args.Scan(3, s.word); err != nil {
			return err
		}
	}
	c.Out.Array(2)
	if !ok || cursor >= hashes {
		c.Out.BulkInt(0)
		c.Out.Array(0)
		return nil
	}
	z := value.ZSetOf(&cell)
	end := uint64(hashes)
	if z.IsBig() {
		end = s.end(cursor, uint64(z.Len()))
	} else {
		cursor = 0
	}
	c.Out.BulkInt(int64(end % hashes))
	list := c.Out.ArrayLater()
	z.EachHashed(cursor, end, s.add)
	c.Out.End(list, s.n)
	return nil
}

// hashes is how many different places there are.
const hashes = 1 << 32

// A scanner is a call of ZSCAN.
type scanner struct {
	command.Scan
	out  *resp.Writer
	bare bool // without scores
	n    int
}

// word reads an option that only ZSCAN has.
func (s *scanner) word(rest command.Args) int {
	if !rest.Is(0, "NOSCORES") {
		return 0
	}
	s.bare = true
	return 1
}

// end is where the part from a cursor ends that has about as many of a set's members as
// are wanted.
func (s *scanner) end(cursor, size uint64) uint64 {
	want := max(uint64(s.Count), size/scanParts+1)
	if want >= size {
		return hashes
	}
	high, low := bits.Mul64(hashes, want)
	step, _ := bits.Div64(high, low, size)
	return min(cursor+step+1, hashes)
}

func (s *scanner) add(text []byte, v int64, score float64) {
	var buf [numtext.MaxFloatLen]byte
	name := text
	if name == nil {
		name = numtext.AppendInt(buf[:0], v)
	}
	if !s.Match.Matches(name) {
		return
	}
	s.out.Bulk(name)
	s.n++
	if !s.bare {
		s.out.Bulk(numtext.AppendFloat17(buf[:0], score))
		s.n++
	}
}
