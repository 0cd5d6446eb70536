package keycmd

import (
	"bytes"
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/glob"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var _ = Family.Add(command.Spec{
	Name:    "KEYS",
	Summary: "Find all keys matching the given pattern",
	Since:   "1.0.0",
	Complexity: "O(N) with N being the number of keys in the database, under the assumption that the key " +
		"names in the database and the given pattern have limited length.",
	Tips:   []string{"request_policy:all_shards", "nondeterministic_output_order"},
	Syntax: "pattern:pattern",
	Arity:  2,
	Flags:  command.ReadOnly | command.WholeDB,
	ACL:    command.CatKeyspace | command.CatDangerous,
	Run:    keys,
})

// keys writes the names of one moment straight into the reply.
func keys(c *command.Ctx) error {
	f := filter{pattern: c.Args[1], all: isAll(c.Args[1])}
	n := 0
	list := c.Out.ArrayLater()
	c.DB.Each(c.DB.DB, func(key []byte, _ keyspace.Value) bool {
		if f.name(key) {
			c.Out.Bulk(key)
			n++
		}
		return true
	})
	c.Out.End(list, n)
	return nil
}

// A filter is what SCAN and KEYS ask of a key.
type filter struct {
	pattern []byte
	all     bool // every name is fine
	typed   bool
	typ     record.Type
}

// isAll says whether a pattern is the one that Redis does not look at: it lets the
// empty name through, which no other star does.
func isAll(pattern []byte) bool { return len(pattern) == 1 && pattern[0] == '*' }

func (f *filter) name(key []byte) bool { return f.all || glob.Match(f.pattern, key, false) }

func (f *filter) passes(key []byte, v keyspace.Value) bool {
	return (!f.typed || v.Type() == f.typ) && f.name(key)
}

var _ = Family.Add(command.Spec{
	Name:    "SCAN",
	Summary: "Incrementally iterate the keys space",
	Since:   "2.8.0",
	Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the " +
		"cursor to return back to 0. N is the number of elements inside the collection.",
	History: [][2]string{{"6.0.0", "Added the `TYPE` subcommand."}},
	Tips:    []string{"nondeterministic_output", "request_policy:special"},
	Syntax:  "cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] [TYPE=type:string{since 6.0.0}]",
	Arity:   -2,
	Flags:   command.ReadOnly | command.WholeDB,
	ACL:     command.CatKeyspace,
	Run:     scan,
})

const (
	// scanCount is how many keys SCAN looks at unless told otherwise.
	scanCount = 10

	// scanPiece bounds the keys looked at under one lock, some 50 us.
	scanPiece = 1000

	// scanEmpty is how many empty buckets SCAN passes over for each key that it may look
	// at. It is Redis's figure.
	scanEmpty = 10

	// scanAtLeast is the least number of buckets, so that a small database comes in one
	// reply, as in Redis, although its keys are spread over all stripes.
	scanAtLeast = 2 * keyspace.Stripes

	// scanRoom is the size in bytes of a page of names that needs no memory of its own.
	scanRoom = 1 << 10
)

var errCursor = &resp.Error{Code: "ERR", Text: "invalid cursor"}

// scan replies with some keys and the cursor for the next call. The cursor stands in
// front of the keys and is known after them, so they are gathered first.
func scan(c *command.Ctx) error {
	cursor, ok := parseCursor(c.Args[1])
	if !ok {
		return errCursor
	}
	f, count, err := scanOptions(c.Args)
	if err != nil {
		return err
	}
	var room [scanRoom]byte
	page, n, seen := room[:0], 0, int64(0)
	for left := scanBudget(count); ; {
		piece := min(count-seen, left, scanPiece)
		cursor = c.DB.Scan(c.DB.DB, cursor, int(piece), func(key []byte, v keyspace.Value) {
			seen++
			if f.passes(key, v) {
				page = appendBulk(page, key)
				n++
			}
		})
		left -= piece
		if cursor == 0 || seen >= count || left <= 0 {
			break
		}
	}
	c.Out.Array(2)
	c.Out.BulkInt(int64(cursor)) // of 53 bits
	c.Out.Array(n)
	c.Out.Raw(page)
	return nil
}

// scanBudget is the number of buckets and keys to look at for a count.
func scanBudget(count int64) int64 {
	if count > math.MaxInt64/scanEmpty {
		return math.MaxInt64
	}
	return max(count*scanEmpty, scanAtLeast)
}

func scanOptions(args command.Args) (f filter, count int64, err error) {
	f.all, count = true, scanCount
	for i := 2; i < len(args); i += 2 {
		switch more := i+1 < len(args); {
		case more && args.Is(i, "COUNT"):
			if count, err = args.Int(i + 1); err != nil {
				return f, 0, err
			}
			if count < 1 {
				return f, 0, resp.ErrSyntax
			}
		case more && args.Is(i, "MATCH"):
			f.pattern, f.all = args[i+1], isAll(args[i+1])
		case more && args.Is(i, "TYPE"):
			f.typed, f.typ = true, typeNamed(args[i+1])
		default:
			return f, 0, resp.ErrSyntax
		}
	}
	return f, count, nil
}

// noType is the type of no key.
const noType = record.Type(math.MaxUint8)

var typeNames = [...]string{record.String: "STRING", record.List: "LIST", record.Set: "SET",
	record.ZSet: "ZSET", record.Hash: "HASH", record.Stream: "STREAM"}

// typeNamed is the type of a name in any case. A name that is none is no mistake: no key
// is of that type.
func typeNamed(name []byte) record.Type {
	for t, n := range typeNames {
		if numtext.EqualFold(name, n) {
			return record.Type(t)
		}
	}
	return noType
}

// parseCursor reads a cursor as Redis does, with C's strtoul: a sign is fine, and a
// negative number wraps around; nothing is 0; a zero byte is the end.
//
// No cursor is refused for its value: those that we gave out are below 2^53, and of
// another the upper bits do not count.
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

var _ = Family.Add(command.Spec{
	Name:       "RANDOMKEY",
	Summary:    "Return a random key from the keyspace",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Tips:       []string{"request_policy:all_shards", "nondeterministic_output"},
	Arity:      1,
	Flags:      command.ReadOnly | command.WholeDB,
	ACL:        command.CatKeyspace,
	Run:        randomKey,
})

func randomKey(c *command.Ctx) error {
	if key, ok := c.DB.Random(c.DB.DB); ok {
		c.Out.Bulk(key)
	} else {
		c.Out.Null()
	}
	return nil
}
