package streamcmd

import (
	"bytes"
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errID    = &resp.Error{Code: "ERR", Text: "Invalid stream ID specified as stream command argument"}
	errStart = &resp.Error{Code: "ERR", Text: "invalid start ID for the interval"}
	errEnd   = &resp.Error{Code: "ERR", Text: "invalid end ID for the interval"}
)

// idMax is the length in bytes of the longest text that may be an ID.
const idMax = 127

// idOf reads an ID: ms-seq, or ms, which seq completes.
func idOf(arg []byte, seq uint64) (stream.ID, error) {
	if len(arg) == 0 || len(arg) > idMax {
		return stream.ID{}, errID
	}
	if end := bytes.IndexByte(arg, 0); end >= 0 {
		arg = arg[:end] // for Redis a text ends there
	}
	head, tail, hasSeq := bytes.Cut(arg, []byte{'-'})
	ms, ok := numtext.ParseUint(head)
	if ok && hasSeq {
		seq, ok = numtext.ParseUint(tail)
	}
	if !ok {
		return stream.ID{}, errID
	}
	return stream.ID{Ms: ms, Seq: seq}, nil
}

// idOrEdge is idOf, which takes - and + too: the least and the greatest ID.
func idOrEdge(arg []byte, seq uint64) (stream.ID, error) {
	if len(arg) == 1 {
		switch arg[0] {
		case '-':
			return stream.ID{}, nil
		case '+':
			return stream.MaxID, nil
		}
	}
	return idOf(arg, seq)
}

// newID reads the ID of an entry that is to be added: ms-seq, ms, or ms-*, of which
// the rest is to be found.
func newID(arg []byte) (id stream.ID, hasSeq bool, err error) {
	if head, found := bytes.CutSuffix(arg, []byte("-*")); found && bytes.IndexByte(head, '-') < 0 {
		id, err = idOf(head, 0)
		return id, false, err
	}
	id, err = idOf(arg, 0)
	return id, true, err
}

// intervalEnd reads an ID that may have a parenthesis before it, if it is excluded.
func intervalEnd(arg []byte, seq uint64) (id stream.ID, excluded bool, err error) {
	if len(arg) > 1 && arg[0] == '(' {
		id, err = idOf(arg[1:], seq)
		return id, true, err
	}
	id, err = idOrEdge(arg, seq)
	return id, false, err
}

// intervalStart reads where an interval begins.
func intervalStart(arg []byte) (stream.ID, error) {
	id, excluded, err := intervalEnd(arg, 0)
	if err == nil && excluded {
		var ok bool
		if id, ok = id.Next(); !ok {
			err = errStart
		}
	}
	return id, err
}

// interval reads both ends of an interval.
func interval(first, last []byte) (from, to stream.ID, err error) {
	if from, err = intervalStart(first); err != nil {
		return from, to, err
	}
	to, excluded, err := intervalEnd(last, math.MaxUint64)
	if err == nil && excluded {
		var ok bool
		if to, ok = to.Prev(); !ok {
			err = errEnd
		}
	}
	return from, to, err
}

// checkIDs says whether the arguments from an index on are IDs.
func checkIDs(args command.Args, from int) error {
	for _, arg := range args[from:] {
		if _, err := idOf(arg, 0); err != nil {
			return err
		}
	}
	return nil
}
