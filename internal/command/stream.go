package command

import (
	"math"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// # Replies in pieces
//
// A reply with all elements of a big value is not made at once: that would take the lock for
// a long time and memory for all of it. The command writes the header, freezes the value and
// leaves a Stream, which has the session's loop write the elements as fast as the client
// takes them. The value may change meanwhile; the reply is what it was.
//
// Some replies are made whole nevertheless: in a transaction, where the next reply follows
// at once; those that nobody wants; of a value that somebody else is reading in pieces.

const (
	// streamMany is from how many elements a reply is made in pieces. One of so many takes
	// about a millisecond.
	streamMany = 10_000

	// streamBytes is from which size of a reply in bytes that is done with fewer elements,
	// and streamFew below how many it is not considered.
	streamBytes = 1 << 20
	streamFew   = 128

	// streamPart is the least part of a value, as one in so many, that is worth freezing
	// all of it: leaves that are not read must be thawed too. More than streamAnyway
	// elements are in any case.
	streamPart   = 16
	streamAnyway = 1 << 20

	// streamPiece is how many bytes are written under one lock, some 50 us.
	streamPiece = 32 << 10

	// streamSamples is how many leaves are looked at to estimate a value's size.
	streamSamples = 4
)

// An ElementFunc replies with an element of a value: a field and its text, or a member and
// its score. It is called under the stripe's lock.
type ElementFunc func(out *resp.Writer, name, text []byte, score float64)

// A NodeFunc replies with entries of a node of a stream, as many as most, and returns how
// many. It is called under the stripe's lock.
type NodeFunc func(out *resp.Writer, node *value.Element, most int) int

// A Stream is a reply that is being made in pieces. It implements session.Stream.
type Stream struct {
	frozen *keyspace.Frozen
	write  ElementFunc
	nodes  NodeFunc
	now    int64 // fields whose time had come by then are not shown
	skip   int   // elements that come before those that are wanted
	left   int   // elements that are wanted

	out *resp.Writer // of the piece that is being written
	end int          // its length at which that is enough
}

// StreamAll makes the rest of the reply in pieces if it is big: write for each element of a
// value, of which n are shown. It returns false if the command is to write them itself.
// Nothing may follow in the reply. For a list, write is not asked.
func (c *Ctx) StreamAll(key []byte, cell *value.Cell, n int, write ElementFunc) bool {
	return n >= streamFew && c.stream(key, cell, 0, n, n, false, write)
}

// StreamRange is StreamAll for the elements of ranks from up to to of a list or a sorted
// set, or backward.
func (c *Ctx) StreamRange(
	key []byte, cell *value.Cell, from, to int, back bool, write ElementFunc,
) bool {
	return to-from >= streamFew && c.stream(key, cell, from, to, value.Len(cell), back, write)
}

// StreamNodes is StreamAll for n entries of a stream, from the last node to the first if
// back.
func (c *Ctx) StreamNodes(key []byte, cell *value.Cell, n int, back bool, write NodeFunc) bool {
	if n < streamFew || !c.isBig(cell, n, value.Len(cell)) {
		return false
	}
	s := c.freeze(key)
	if s == nil {
		return false
	}
	if s.nodes, s.left = write, n; back {
		s.frozen.Backward()
	}
	return true
}

// stream is StreamAll and StreamRange.
func (c *Ctx) stream(
	key []byte, cell *value.Cell, from, to, size int, back bool, write ElementFunc,
) bool {
	n := to - from
	if !c.isBig(cell, n, size) {
		return false
	}
	s := c.freeze(key)
	if s == nil {
		return false
	}
	s.write = write
	if n < size || back {
		s.skip, s.left = s.frozen.Range(&c.big, from, to, back), n
	}
	return true
}

// isBig says whether a reply with n elements of so many that a value has should be made in
// pieces, and may be.
func (c *Ctx) isBig(cell *value.Cell, n, size int) bool {
	if !cell.Record().IsRooted() || !c.mayStream() || n < size/streamPart && n < streamAnyway {
		return false
	}
	c.big = *cell // so that the caller's need not be on the heap
	return n >= streamMany || value.Memory(&c.big, streamSamples)/size*n >= streamBytes
}

// freeze freezes a value for the rest of the reply, or returns nil.
func (c *Ctx) freeze(key []byte) *Stream {
	f, ok := c.DB.Freeze(key)
	if !ok {
		return nil
	}
	c.streams = &Stream{frozen: f, now: int64(c.Now), left: math.MaxInt}
	return c.streams
}

// mayStream says whether the command's reply goes to its session, and nothing else.
func (c *Ctx) mayStream() bool {
	s := c.Session
	return s != nil && !c.InMulti && c.ready == nil && s.ReplyMode == 0 && c.Out == &s.Out
}

// TakeStream is the Stream that the command has left, or nil.
func (c *Ctx) TakeStream() *Stream {
	s := c.streams
	c.streams = nil
	return s
}

// Write writes the next piece, and says whether it is to be called again. Nothing may be
// locked.
func (s *Stream) Write(out *resp.Writer) (more bool) {
	s.out, s.end = out, out.Len()+streamPiece
	switch s.frozen.Type() {
	case record.List:
		return s.frozen.Read(s.addNode, s.enough)
	case record.ZSet:
		return s.frozen.ReadTexts(s.addRanked, s.enough)
	case record.Stream:
		return s.frozen.Read(s.addEntries, s.enough)
	}
	return s.frozen.ReadTexts(s.add, s.enough)
}

func (s *Stream) enough() bool { return s.out.Len() >= s.end }

func (s *Stream) add(name, text []byte, _ float64, expiry int64) {
	if expiry < 0 || expiry > s.now {
		s.write(s.out, name, text, 0)
	}
}

// addRanked is add for what has a range.
func (s *Stream) addRanked(name, _ []byte, score float64, _ int64) {
	switch {
	case s.skip > 0:
		s.skip--
	case s.left > 0:
		s.left--
		s.write(s.out, name, nil, score)
	}
}

func (s *Stream) addEntries(e value.Element) {
	s.left -= s.nodes(s.out, &e, s.left)
}

// addNode takes a node of a list apart.
func (s *Stream) addNode(e value.Element) {
	if e.IsPlain {
		s.addText(e.Node, 0)
		return
	}
	l := listpack.In(e.Node)
	at := l.First()
	if s.skip > 0 {
		at = l.Seek(s.skip)
		s.skip = 0
	}
	for ; at != 0 && s.left > 0; at = l.Next(at) {
		s.addText(l.Value(at))
	}
}

func (s *Stream) addText(text []byte, v int64) {
	if s.left--; text != nil {
		s.out.Bulk(text)
	} else {
		s.out.BulkInt(v)
	}
}

// Release gives up what was not written. Nothing may be locked. It may be called again.
func (s *Stream) Release() { s.frozen.Release() }

// Ready implements session.Stream: until the end there is always more.
func (s *Stream) Ready() bool { return true }

// Held implements session.Stream.
func (s *Stream) Held() int64 { return s.frozen.Held() }

// # Replies beyond the limit

// Full says whether the reply is longer than client-output-buffer-limit allows. The
// connection is to be closed then, so that the command may stop where it is. Commands ask
// whose replies are as long as a client likes.
func (c *Ctx) Full() bool {
	s := c.Session
	if c.OutMax == 0 || int64(c.Out.Len()) <= c.OutMax || s == nil || c.Out != &s.Out {
		return false
	}
	c.Engine.CloseFull(s)
	return true
}
