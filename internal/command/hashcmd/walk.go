package hashcmd

import (
	"math"
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/command"
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

// scanRoom is the size in bytes of a page of fields that needs no memory of its own.
const scanRoom = 4 << 10

// scan replies with some fields and the cursor for the next call. A leaf of the table is a
// page, some ten to sixty fields, so a COUNT below that is exceeded.
//
// The words behind the cursor are looked at only if there is a hash, as in Redis.
func scan(c *command.Ctx) error {
	cursor, err := c.Args.Cursor(2)
	if err != nil {
		return err
	}
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	if !ok {
		command.Page{}.Reply(c.Out, 0)
		return nil
	}
	names := false // and no values
	asked, err := c.Args.Scan(3, func(rest command.Args) int {
		if !rest.Is(0, "NOVALUES") {
			return 0
		}
		names = true
		return 1
	})
	if err != nil {
		return err
	}
	var room [scanRoom]byte
	var digits [numtext.MaxIntLen]byte
	page := command.PageIn(room[:])
	for leaves, seen := int64(0), int64(0); leaves < asked.Count && seen < asked.Count; leaves++ {
		cursor = h.Scan(cursor, func(name []byte, nameInt int64, text []byte, textInt, _ int64) bool {
			seen++
			if name == nil {
				name = numtext.AppendInt(digits[:0], nameInt)
			}
			if !asked.Match.Matches(name) {
				return true
			}
			page = page.Add(name)
			if names {
				return true
			}
			if text == nil {
				text = numtext.AppendInt(digits[:0], textInt)
			}
			page = page.Add(text)
			return true
		})
		if cursor == 0 {
			break
		}
	}
	page.Reply(c.Out, cursor)
	return nil
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
			c.Out.Element(name, nameInt)
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
		return w.repeat(c, &h, -count)
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
	w.out.Element(name, nameInt)
	if w.values {
		w.out.Element(text, textInt)
	}
}

// repeat replies with n fields that may be the same. A client may like to have more of them
// than there is room for.
func (w *pairWriter) repeat(c *command.Ctx, h *value.Hash, n int64) (err error) {
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
		return err == nil && !c.Full()
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
