package zsetcmd

import (
	"bytes"
	"math/bits"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/glob"
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

const (
	// scanCount is about how many members ZSCAN looks at unless told otherwise.
	scanCount = 10

	// scanParts is into how many parts a whole scan falls at most. Each is a walk over the
	// set, of some 10 ns a member.
	scanParts = 128
)

var errCursor = resp.Errorf("invalid cursor")

// zscan replies with some members. The cursor is a place in the order of the members'
// hashes, since they keep that, whatever their scores become: so a member that is there from
// the first call to the last is found.
func zscan(c *command.Ctx) error {
	cursor, ok := readCursor(c.Args[2])
	if !ok {
		return errCursor
	}
	cell, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	s := scanner{out: c.Out, all: true, count: scanCount}
	if ok { // of nothing, Redis does not look at the options
		if err := s.read(c.Args); err != nil {
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
	out     *resp.Writer
	pattern []byte
	all     bool
	bare    bool // without scores
	count   int64
	n       int
}

func (s *scanner) read(args command.Args) (err error) {
	for i := 3; i < len(args); i++ {
		switch more := i+1 < len(args); {
		case more && args.Is(i, "COUNT"):
			i++
			if s.count, err = args.Int(i); err != nil {
				return err
			}
			if s.count < 1 {
				return resp.ErrSyntax
			}
		case more && args.Is(i, "MATCH"):
			i++
			s.pattern = args[i]
			s.all = string(s.pattern) == "*"
		case args.Is(i, "NOSCORES"):
			s.bare = true
		default:
			return resp.ErrSyntax
		}
	}
	return nil
}

// end is where the part from a cursor ends that has about as many of a set's members as
// are wanted.
func (s *scanner) end(cursor, size uint64) uint64 {
	want := max(uint64(s.count), size/scanParts+1)
	if want >= size {
		return hashes
	}
	high, low := bits.Mul64(hashes, want)
	step, _ := bits.Div64(high, low, size)
	return min(cursor+step+1, hashes)
}

func (s *scanner) add(text []byte, v int64, score float64) {
	var buf [numtext.MaxFloatLen]byte
	if !s.all {
		name := text
		if name == nil {
			name = numtext.AppendInt(buf[:0], v)
		}
		if !glob.Match(s.pattern, name, false) {
			return
		}
	}
	writeMember(s.out, text, v)
	s.n++
	if !s.bare {
		s.out.Bulk(numtext.AppendFloat17(buf[:0], score))
		s.n++
	}
}

// readCursor reads a number as C's strtoul does, up to a zero byte. Nothing is 0, and a
// negative number counts from the end.
func readCursor(b []byte) (uint64, bool) {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if len(b) == 0 {
		return 0, true
	}
	sign := b[0]
	if sign == '-' || sign == '+' {
		b = b[1:]
	}
	n := uint64(0)
	for _, digit := range b {
		carry, low := bits.Mul64(n, 10)
		sum, over := bits.Add64(low, uint64(digit-'0'), 0)
		if digit < '0' || digit > '9' || carry != 0 || over != 0 {
			return 0, false
		}
		n = sum
	}
	if sign == '-' {
		n = -n
	}
	return n, len(b) > 0
}
