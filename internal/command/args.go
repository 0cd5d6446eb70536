package command

import (
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// Args are a command's arguments; the first is its name. They are slices of a read
// buffer: valid until the command returns, and never to be appended to.
type Args [][]byte

// Int is argument i as an integer.
func (a Args) Int(i int) (int64, error) {
	n, ok := numtext.ParseInt(a[i])
	if !ok {
		return 0, resp.ErrNotInteger
	}
	return n, nil
}

// IntIn is argument i as an integer between two bounds, both included; outside, Redis
// says "value is out of range".
func (a Args) IntIn(i int, lo, hi int64) (int64, error) {
	n, err := a.Int(i)
	if err != nil {
		return 0, err
	}
	if n < lo || n > hi {
		return 0, errRange
	}
	return n, nil
}

var errRange = &resp.Error{Code: "ERR", Text: "value is out of range"}

// Is says whether argument i is a word, given in capitals, in any case.
func (a Args) Is(i int, word string) bool { return equalFold(a[i], word) }

func equalFold(b []byte, upper string) bool { return numtext.EqualFold(b, upper) }

// Span turns two indices of the elements of a list or sorted set, both included and negative
// ones counted from the end, into a range of n elements; empty if from >= to.
func Span(start, stop int64, n int) (from, to int) {
	length := int64(n)
	if start < 0 {
		start = max(start+length, 0)
	}
	if stop < 0 {
		stop += length
	}
	stop = min(stop, length-1)
	if start > stop {
		return 0, 0
	}
	return int(start), int(stop) + 1
}
