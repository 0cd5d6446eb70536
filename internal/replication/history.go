package replication

import (
	"encoding/hex"
	"io"
	"strings"
)

// A History names the stream of a server. An offset is a number of bytes: a replica that has
// so many wants the one behind them next. (On the wire it asks for that by its number,
// counted from 1.)
type History struct {
	ID     string
	ID2    string // another name, of its beginning; NoID if there is none
	ID2End int64  // how many bytes that is; -1 if there is none
}

// IDLen is how long an ID is, and NoID is that of no history.
const (
	IDLen = 40
	NoID  = "0000000000000000000000000000000000000000"
)

// NewHistory is that of a stream which nobody has any part of.
func NewHistory(random io.Reader) History {
	return History{ID: newID(random), ID2: NoID, ID2End: -1}
}

// newID draws a name.
func newID(random io.Reader) string {
	var b [IDLen / 2]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		panic("replication: no random bytes: " + err.Error()) // and two histories with one name lose data
	}
	return hex.EncodeToString(b[:])
}

// A Judgment is what comes of a replica's wish to go on where it stands.
type Judgment uint8

// The judgments.
const (
	GoesOn       Judgment = iota // it gets the bytes that it lacks
	OtherHistory                 // it has another history
	LeftHistory                  // it has more of ID2 than we have
	OutOfReach                   // the bytes that it lacks are not kept, or were never written
)

// Judge says whether a replica that has offset bytes of the history id may go on, when the
// bytes from first on, up to next, are kept.
func (h *History) Judge(id string, offset, first, next int64) Judgment {
	if !strings.EqualFold(id, h.ID) {
		if h.ID2End < 0 || !strings.EqualFold(id, h.ID2) {
			return OtherHistory
		}
		if offset > h.ID2End {
			return LeftHistory
		}
	}
	if offset < first || offset > next {
		return OutOfReach
	}
	return GoesOn
}

// Continues says whether it may.
func (h *History) Continues(id string, offset, first, next int64) bool {
	return h.Judge(id, offset, first, next) == GoesOn
}

// Renew gives the stream a name that nobody knows: from now on offsets mean something else.
func (h *History) Renew(random io.Reader) { *h = NewHistory(random) }

// Promote lets the stream take a way of its own behind offset bytes that it has in common
// with the master so far.
func (h *History) Promote(random io.Reader, offset int64) {
	h.ID2, h.ID2End, h.ID = h.ID, offset, newID(random)
}

// Follow is called when the stream becomes a continuation of the history id. isWhole says
// that all of it is, after a full synchronization; otherwise the first offset bytes are
// those that it has had, which are known by the old name too.
func (h *History) Follow(id string, offset int64, isWhole bool) {
	switch {
	case isWhole:
		*h = History{ID: id, ID2: NoID, ID2End: -1}
	case id != h.ID:
		h.ID2, h.ID2End, h.ID = h.ID, offset, id
	}
}

// Resume is called when the data of a server that was a master were loaded again: its stream
// has a new name, and up to offset the one of old.
func (h *History) Resume(random io.Reader, id string, offset int64) {
	*h = History{ID: newID(random), ID2: id, ID2End: offset}
}
