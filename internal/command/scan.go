package command

import (
	"bytes"
	"math"

	"github.com/spineldb/spinel/internal/glob"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// A Scan is what a call of SCAN, HSCAN, SSCAN or ZSCAN asks for behind its cursor.
type Scan struct {
	Match Pattern
	Count int64 // about how many elements to look at, 1 or more
}

// scanCount is the Count of a call that does not say COUNT.
const scanCount = 10

// Scan reads MATCH and COUNT, in any order, from argument i to the last. What else there is
// is given to more, with all that stands behind it; more says how many arguments it took. It
// is a mistake if that is 0, or if more is nil.
func (a Args) Scan(i int, more func(Args) int) (Scan, error) {
	s := Scan{Count: scanCount}
	for i < len(a) {
		took := 2
		switch pair := i+1 < len(a); {
		case pair && a.Is(i, "COUNT"):
			var err error
			if s.Count, err = a.Int(i + 1); err != nil {
				return s, err
			}
			if s.Count < 1 {
				return s, resp.ErrSyntax
			}
		case pair && a.Is(i, "MATCH"):
			s.Match = PatternOf(a[i+1])
		case more != nil:
			took = more(a[i:])
		default:
			took = 0
		}
		if took == 0 {
			return s, resp.ErrSyntax
		}
		i += took
	}
	return s, nil
}

var errCursor = &resp.Error{Code: "ERR", Text: "invalid cursor"}

// Cursor is argument i as the cursor of a scan. It is read as Redis does, with C's strtoul: a
// sign is fine, and a negative number wraps around; nothing is 0; a zero byte is the end. So
// no cursor of 64 bits is refused, whether or not it was ever given out.
func (a Args) Cursor(i int) (uint64, error) {
	b := a[i]
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if len(b) == 0 {
		return 0, nil
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, errCursor
	}
	n := uint64(0)
	for _, digit := range b {
		d := uint64(digit - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, errCursor
		}
		n = n*10 + d
	}
	if negative {
		n = -n
	}
	return n, nil
}

// A Pattern is what names must match to be told. The zero Pattern lets all of them through.
type Pattern struct {
	glob []byte
	asks bool // there is a pattern, and it is not the one star that Redis does not look at
}

// PatternOf is the pattern of an argument, which it keeps. "*" lets even the empty name
// through, as no other star does.
func PatternOf(arg []byte) Pattern {
	return Pattern{glob: arg, asks: len(arg) != 1 || arg[0] != '*'}
}

// Matches says whether a name is to be told.
func (p *Pattern) Matches(name []byte) bool { return !p.asks || glob.Match(p.glob, name, false) }

// A Page gathers what one call of a scan replies with: the cursor for the next call stands in
// front of the elements and is known after them.
type Page struct {
	text []byte
	n    int
}

// PageIn makes a Page that allocates nothing while its elements fit in room.
func PageIn(room []byte) Page { return Page{text: room[:0]} }

// Add returns the page with one more element. As with append, the page that it is called on is
// not to be used again: if it were changed in place, its room could not be on the stack.
func (p Page) Add(b []byte) Page { return Page{resp.AppendBulk(p.text, b), p.n + 1} }

// Reply writes the cursor for the next call, 0 for none, and the elements.
func (p Page) Reply(out *resp.Writer, cursor uint64) {
	var digits [numtext.MaxIntLen + 1]byte
	out.Array(2)
	out.Bulk(numtext.AppendUint(digits[:0], cursor))
	out.Array(p.n)
	out.Raw(p.text)
}
