package setcmd

import (
	"bytes"
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/glob"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var _ = Family.Add(command.Spec{
	Name:       "SMEMBERS",
	Summary:    "Get all the members in a set",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the set cardinality.",
	Tips:       []string{"nondeterministic_output_order"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly,
	ACL:        command.CatSet,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        smembers,
})

func smembers(c *command.Ctx) error {
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Set(0)
		return nil
	}
	all(c, &s)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:    "SSCAN",
	Summary: "Incrementally iterate Set elements",
	Since:   "2.8.0",
	Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the " +
		"cursor to return back to 0. N is the number of elements inside the collection..",
	Tips:   []string{"nondeterministic_output"},
	Syntax: "key cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer]",
	Arity:  -3,
	Flags:  command.ReadOnly,
	ACL:    command.CatSet,
	Keys:   command.OneKey(1, command.RO|command.Access),
	Run:    sscan,
})

const (
	// scanCount is how many members SSCAN looks at unless told otherwise.
	scanCount = 10

	// scanRoom is the size in bytes of a page of members that needs no memory of its own.
	scanRoom = 2 << 10
)

var errCursor = &resp.Error{Code: "ERR", Text: "invalid cursor"}

// sscan replies with some members and the cursor for the next call, which stands in front
// of them and is known after them, so they are gathered first. A leaf of the table is a page,
// some forty members, so a COUNT below that is exceeded; it is less than Redis promises.
//
// The words behind the cursor are looked at only if there is a set, as in Redis.
func sscan(c *command.Ctx) error {
	cursor, ok := parseCursor(c.Args[2])
	if !ok {
		return errCursor
	}
	s, ok, err := open(c, c.Args[1])
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Array(2)
		c.Out.BulkInt(0)
		c.Out.Array(0)
		return nil
	}
	f, err := scanOptions(c.Args)
	if err != nil {
		return err
	}
	var room [scanRoom]byte
	var digits [numtext.MaxIntLen]byte
	page, n, seen := room[:0], 0, int64(0)
	for {
		cursor = s.Scan(cursor, func(text []byte, v int64) {
			seen++
			if text == nil {
				text = numtext.AppendInt(digits[:0], v)
			}
			if !f.filters || glob.Match(f.pattern, text, false) {
				page = appendBulk(page, text)
				n++
			}
		})
		if cursor == 0 || seen >= f.count {
			break
		}
	}
	c.Out.Array(2)
	var text [numtext.MaxIntLen + 1]byte
	c.Out.Bulk(numtext.AppendUint(text[:0], cursor))
	c.Out.Array(n)
	c.Out.Raw(page)
	return nil
}

// A filter is what SSCAN asks of a member, and how many it looks at.
type filter struct {
	pattern []byte
	filters bool // there is a pattern, and not the one star that Redis does not look at
	count   int64
}

func scanOptions(args command.Args) (f filter, err error) {
	f.count = scanCount
	for i := 3; i < len(args); i += 2 {
		switch more := i+1 < len(args); {
		case more && args.Is(i, "COUNT"):
			if f.count, err = args.Int(i + 1); err != nil {
				return f, err
			}
			if f.count < 1 {
				return f, resp.ErrSyntax
			}
		case more && args.Is(i, "MATCH"):
			f.pattern = args[i+1]
			f.filters = len(f.pattern) != 1 || f.pattern[0] != '*'
		default:
			return f, resp.ErrSyntax
		}
	}
	return f, nil
}

// parseCursor reads a cursor as Redis does, with C's strtoul: a sign is fine, and a
// negative number wraps around; nothing is 0; a zero byte is the end.
func parseCursor(b []byte) (uint64, bool) {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if len(b) == 0 {
		return 0, true
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	n := uint64(0)
	for _, digit := range b {
		d := uint64(digit - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if negative {
		n = -n
	}
	return n, len(b) > 0
}

// appendBulk appends a string as replies hold it.
func appendBulk(dst, b []byte) []byte {
	dst = numtext.AppendInt(append(dst, '$'), int64(len(b)))
	dst = append(append(dst, "\r\n"...), b...)
	return append(dst, "\r\n"...)
}
