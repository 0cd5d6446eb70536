package snapshot

import (
	"bytes"
	"math"

	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// # Streams as commands
//
//	XADD key id field value ...
//	XADD key MAXLEN 0 0-1 x y                              if it has no entries
//	XSETID key last ENTRIESADDED n MAXDELETEDID id
//	XGROUP CREATE key group last ENTRIESREAD n             and for each group
//	XGROUP CREATECONSUMER key group consumer
//	XCLAIM key group consumer 0 id ... TIME ms RETRYCOUNT n JUSTID FORCE
//
// Entries that are pending and follow each other are claimed by one command, if they were
// delivered together. The names of a group's consumers are in memory meanwhile.
//
// Three things get lost. Nobody can claim an entry that was deleted while it was pending. When
// a consumer was seen is when it is made again. And a pending entry that was given back, so
// that it has no consumer, is claimed by one that is called nobody.

// An openGroup is the consumer group that is being written.
type openGroup struct {
	name      []byte
	consumers map[uint32][]byte
	claim     stream.Pending // of the command under way, what its entries have in common
}

var nobody = []byte("nobody")

// addPart adds a part of a stream.
func (f *commandForm) addPart(e *value.Element) {
	g := &f.group
	id := stream.ID{Ms: e.MS, Seq: e.Seq}
	if e.Part != stream.PartPending {
		f.endClaim()
	}
	switch e.Part {
	case stream.PartNode:
		f.addEntries(stream.Node{Master: id, List: e.Node})
	case stream.PartFigures:
		s := stream.Load(e.Node)
		f.addFigures(&s)
	case stream.PartGroup:
		g.name = append(g.name[:0], e.Name.Bytes...)
		clear(g.consumers)
		f.addGroup("CREATE", 7)
		f.dst = f.id(f.dst, id)
		f.dst = f.int(resp.AppendBulk(f.dst, "ENTRIESREAD"), stream.GroupOf(e.Node).Reads)
	case stream.PartConsumer:
		g.consumers[uint32(e.MS)] = bytes.Clone(e.Name.Bytes)
		f.addGroup("CREATECONSUMER", 5)
		f.dst = resp.AppendBulk(f.dst, e.Name.Bytes)
	case stream.PartPending:
		f.addPending(stream.PendingOf(id, e.Node))
	}
}

func (f *commandForm) id(dst []byte, id stream.ID) []byte {
	return resp.AppendBulk(dst, id.AppendTo(f.text[:0]))
}

// addEntries adds the entries of a node.
func (f *commandForm) addEntries(n stream.Node) {
	for it := stream.RangeIn(n, stream.ID{}, stream.MaxID, false); it.Next(); {
		f.dst = command(f.dst, 3+2*it.Pairs(), "XADD", f.key)
		f.dst = f.id(f.dst, it.ID())
		for field, text, ok := it.NextPair(); ok; field, text, ok = it.NextPair() {
			f.dst = f.elem(f.dst, field)
			f.dst = f.elem(f.dst, text)
		}
	}
}

// addFigures adds what a stream has beside entries and groups. Only XADD can make one, so an
// entry is added and trimmed if there is none.
func (f *commandForm) addFigures(s *stream.Stream) {
	if s.Length == 0 {
		f.dst = command(f.dst, 7, "XADD", f.key)
		for _, word := range [...]string{"MAXLEN", "0", "0-1", "x", "y"} {
			f.dst = resp.AppendBulk(f.dst, word)
		}
	}
	f.dst = f.id(command(f.dst, 7, "XSETID", f.key), s.Last)
	f.dst = resp.AppendBulk(f.dst, "ENTRIESADDED")
	f.dst = f.int(f.dst, clamped(s.Added))
	f.dst = resp.AppendBulk(f.dst, "MAXDELETEDID")
	f.dst = f.id(f.dst, s.MaxDeleted)
}

// clamped is a number as commands can take it.
func clamped(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// addGroup begins an XGROUP of so many arguments.
func (f *commandForm) addGroup(sub string, args int) {
	f.dst = resp.AppendBulk(appendCount(f.dst, '*', args), "XGROUP")
	f.dst = resp.AppendBulk(f.dst, sub)
	f.dst = resp.AppendBulk(f.dst, f.key)
	f.dst = resp.AppendBulk(f.dst, f.group.name)
}

// claimArgs is how many arguments an XCLAIM has besides IDs.
const claimArgs = 11

// addPending adds an entry to the XCLAIM under way, or begins another.
func (f *commandForm) addPending(p stream.Pending) {
	g := &f.group
	c := &g.claim
	if p.Consumer != c.Consumer || p.Delivered != c.Delivered || p.Deliveries != c.Deliveries {
		f.endClaim()
	}
	if f.added == 0 {
		g.claim = p
		consumer, ok := g.consumers[p.Consumer]
		if !ok {
			consumer = nobody
		}
		f.at = len(f.dst)
		f.dst = command(f.dst, claimArgs+groupElements, "XCLAIM", f.key)
		f.dst = resp.AppendBulk(resp.AppendBulk(f.dst, g.name), consumer)
		f.dst = resp.AppendBulk(f.dst, "0")
	}
	f.dst = f.id(f.dst, p.ID)
	if f.added++; f.added == groupElements {
		f.endClaim()
	}
}

// endClaim ends the XCLAIM under way, if there is one.
func (f *commandForm) endClaim() {
	if f.added == 0 {
		return
	}
	c := &f.group.claim
	f.dst = f.int(resp.AppendBulk(f.dst, "TIME"), c.Delivered)
	f.dst = f.int(resp.AppendBulk(f.dst, "RETRYCOUNT"), clamped(c.Deliveries))
	f.dst = resp.AppendBulk(resp.AppendBulk(f.dst, "JUSTID"), "FORCE")
	f.putCount(claimArgs+groupElements, claimArgs+f.added)
	f.added = 0
}
