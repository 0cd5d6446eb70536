package hashcmd

import (
	"bytes"
	"math"
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/glob"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "HSCAN",
	Summary: "Incrementally iterate hash fields and associated values",
	Since:   "2.8.0",
	Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the " +
		"cursor to return back to 0. N is the number of elements inside the collection..",
	Tips:   []string{"nondeterministic_output"},
	Syntax: "key cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] [NOVALUES{since 7.4.0}]",
	Arity:  -3,
	Flags:  command.ReadOnly,
	ACL:    command.CatHash,
	Keys:   command.OneKey(1, command.RO|command.Access),
	Run:    scan,
})

const (
	// scanCount is how many fields HSCAN looks at unless told otherwise.
	scanCount = 10

	// scanRoom is the size in bytes of a page of fields that needs no memory of its own.
	scanRoom = 4 << 10
)

var errCursor = &resp.Error{Code: "ERR", Text: "invalid cursor"}

// scan replies with some fields and the cursor for the next call, which stands in front of
// them and is known after them, so they are gathered first. A leaf of the table is a page,
// some ten to sixty fields, so a COUNT below that is exceeded.
//
// The words behind the cursor are looked at only if there is a hash, as in Redis.
func scan(c *command.Ctx) error {
	cursor, ok := parseCursor(c.Args[2])
	if !ok {
		return errCursor
	}
	var h value.Hash
	ok, err := open(c, &h)
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
	page, n := room[:0], 0
	for leaves, seen := int64(0), int64(0); leaves < f.count && seen < f.count; leaves++ {
		cursor = h.Scan(cursor, func(name []byte, nameInt int64, text []byte, textInt, _ int64) bool {
			seen++
			if name == nil {
				name = numtext.AppendInt(digits[:0], nameInt)
			}
			if f.filters && !glob.Match(f.pattern, name, false) {
				return true
			}
			page = appendBulk(page, name)
			n++
			if f.names {
				return true
			}
			if text == nil {
				text = numtext.AppendInt(digits[:0], textInt)
			}
			page = appendBulk(page, text)
			n++
			return true
		})
		if cursor == 0 {
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

// A filter is what HSCAN asks of a field, how many it looks at, and what it tells.
type filter struct {
	pattern []byte
	filters bool // there is a pattern, and not the one star that Redis does not look at
	names   bool // no values
	count   int64
}

func scanOptions(args command.Args) (f filter, err error) {
	f.count = scanCount
	for i := 3; i < len(args); i++ {
		switch more := i+1 < len(args); {
		case more && args.Is(i, "COUNT"):
			i++
			if f.count, err = args.Int(i); err != nil {
				return f, err
			}
			if f.count < 1 {
				return f, resp.ErrSyntax
			}
		case more && args.Is(i, "MATCH"):
			i++
			f.pattern = args[i]
			f.filters = len(f.pattern) != 1 || f.pattern[0] != '*'
		case args.Is(i, "NOVALUES"):
			f.names = true
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

var (
	errCountRange = resp.Errorf("value is out of range, value must between " +
		"-9223372036854775807 and 9223372036854775807")
	errValuesRange = resp.Errorf("value is out of range")
	errReplySize   = resp.Errorf("the reply would be too large")
)

// replyMax is the most bytes that a reply of repeated fields may have. Redis has no limit
// but its memory.
const replyMax = 1 << 30

var _ = Family.Add(command.Spec{
	Name:       "HRANDFIELD",
	Summary:    "Get one or multiple random fields from a hash",
	Since:      "6.2.0",
	Complexity: "O(N) where N is the number of fields returned",
	Tips:       []string{"nondeterministic_output"},
	Syntax:     "key [options={count:integer [WITHVALUES]}]",
	Arity:      -2,
	Flags:      command.ReadOnly,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        randField,
})

func randField(c *command.Ctx) error {
	if len(c.Args) > 2 {
		return randFields(c)
	}
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	if ok {
		ok = false
		h.Random(1, rand.Uint64, func(name []byte, nameInt int64, _ []byte, _, _ int64) bool {
			write(c.Out, name, nameInt)
			ok = true
			return true
		})
	}
	if !ok {
		c.Out.Null()
	}
	return nil
}

// randFields replies with some fields that differ, or with -count that may not.
func randFields(c *command.Ctx) error {
	count, isInt := numtext.ParseInt(c.Args[2])
	withValues := len(c.Args) == 4
	switch {
	case !isInt:
		return resp.ErrNotInteger
	case count == math.MinInt64:
		return errCountRange
	case len(c.Args) > 4 || withValues && !c.Args.Is(3, "WITHVALUES"):
		return resp.ErrSyntax
	case withValues && (count < -math.MaxInt64/2 || count > math.MaxInt64/2):
		return errValuesRange
	}
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	seen := int64(0)
	if ok {
		seen = int64(h.Seen())
	}
	w := pairWriter{out: c.Out, values: withValues}
	switch {
	case seen == 0 || count == 0:
		c.Out.Array(0)
	case count < 0:
		return w.repeat(&h, -count)
	case h.IsSmall() || count > seen/sparse:
		w.sample(&h, min(count, seen), seen)
	default:
		w.draw(&h, int(count))
	}
	return nil
}

// A pairWriter writes fields, with their values or without: in RESP3 each pair in an array
// of its own.
type pairWriter struct {
	out    *resp.Writer
	values bool
}

func (w *pairWriter) begin(n int) {
	if w.values && !w.out.Resp3 {
		n *= 2
	}
	w.out.Array(n)
}

func (w *pairWriter) write(name []byte, nameInt int64, text []byte, textInt int64) {
	if w.values && w.out.Resp3 {
		w.out.Array(2)
	}
	write(w.out, name, nameInt)
	if w.values {
		write(w.out, text, textInt)
	}
}

func (w *pairWriter) repeat(h *value.Hash, n int64) (err error) {
	if n > replyMax { // a field takes more than a byte
		return errReplySize
	}
	begin := w.out.Len()
	w.begin(int(n))
	h.Random(n, rand.Uint64, func(name []byte, nameInt int64, text []byte, textInt, _ int64) bool {
		w.write(name, nameInt, text, textInt)
		if w.out.Len()-begin > replyMax {
			err = errReplySize
		}
		return err == nil
	})
	return err
}

// sparse is how many fields of a hash there are to one that is wanted from which on they
// are drawn one by one. Below, it costs less to go through all of them.
const sparse = 3

// sample replies with n of so many fields, in the order that they have: each is taken with
// the probability that as many of the rest are needed.
func (w *pairWriter) sample(h *value.Hash, n, seen int64) {
	w.begin(int(n))
	h.Each(func(name []byte, nameInt int64, text []byte, textInt, _ int64) bool {
		if rand.Uint64()%uint64(seen) < uint64(n) {
			w.write(name, nameInt, text, textInt)
			n--
		}
		seen--
		return n > 0
	})
}

// draw replies with n fields that are drawn one by one, again if one came before. They are
// known by their hashes; should two of them have the same one, only the first of them comes.
func (w *pairWriter) draw(h *value.Hash, n int) {
	met := make(map[uint64]struct{}, n)
	w.begin(n)
	h.Random(math.MaxInt64, rand.Uint64, func(name []byte, _ int64, text []byte, _, _ int64) bool {
		id := h.Hash(name)
		if _, again := met[id]; !again {
			met[id] = struct{}{}
			w.write(name, 0, text, 0)
		}
		return len(met) < n
	})
}
