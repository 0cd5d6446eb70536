package zsetcmd

import (
	"bytes"
	"math"
	"strconv"

	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	errScores  = resp.Errorf("min or max is not a float")
	errMembers = resp.Errorf("min or max not valid string range item")
)

// readScores reads a range of scores: numbers, behind a parenthesis if they do not belong
// to it.
func readScores(r *value.ScoreRange, lowest, highest []byte) error {
	var first, last bool
	r.Min, r.MinOut, first = readScore(lowest)
	r.Max, r.MaxOut, last = readScore(highest)
	if !first || !last {
		return errScores
	}
	return nil
}

// readScore is more generous than ParseFloat is with the scores of members, as Redis is:
// it takes what strtod takes, and that up to a zero byte. So nothing is 0, there may be
// blanks in front, and what is too great is infinite.
func readScore(b []byte) (score float64, isOut, ok bool) {
	if isOut = len(b) > 0 && b[0] == '('; isOut {
		b = b[1:]
	}
	if score, ok = numtext.ParseFloat(b); ok {
		return score, isOut, true
	}
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if len(b) == 0 {
		return 0, isOut, true
	}
	b = bytes.TrimLeft(b, " \t\n\v\f\r")
	if score, ok = numtext.ParseFloat(b); ok {
		return score, isOut, true
	}
	score, err := strconv.ParseFloat(string(b), 64)
	ok = err == nil || math.IsInf(score, 0)
	return score, isOut, ok && !math.IsNaN(score) && bytes.IndexByte(b, '_') < 0
}

// readMembers reads a range of members: each end is one behind a bracket, or behind a
// parenthesis if it does not belong to the range, or - or + for all.
func readMembers(r *value.LexRange, lowest, highest []byte) error {
	if !readMember(&r.Min, lowest) || !readMember(&r.Max, highest) {
		return errMembers
	}
	return nil
}

func readMember(to *value.LexBound, b []byte) bool {
	*to = value.LexBound{}
	if len(b) == 0 {
		return false
	}
	alone := len(b) == 1 || b[1] == 0 // to Redis, a zero byte is the end here
	switch b[0] {
	case '-':
		to.First = true
		return alone
	case '+':
		to.Last = true
		return alone
	case '(', '[':
		to.At, to.Out = b[1:], b[0] == '('
		return true
	}
	return false
}
