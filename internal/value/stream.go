package value

import (
	"errors"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/mem"
)

// A Stream is a stream in its cell. The structure's own functions work on S with Heap;
// Store must be called after every change.
type Stream struct {
	*Cell
	S stream.Stream
}

// StreamIn is the stream that a cell holds.
func StreamIn(c *Cell) Stream { return Stream{c, stream.Load(c.Root())} }

// Store keeps the changes.
func (s *Stream) Store() { s.S.Store(s.Root()) }

var errPackedStream = errors.New("value: a stream has no packed form")

var _ = describe(record.Stream, kind{
	words:    map[record.Encoding]string{record.Rooted: "stream"},
	rootSize: stream.Size,
	empty: func(root []byte) {
		s := stream.New()
		s.Store(root)
	},
	count: func(rec record.Record) int {
		s := stream.Load(rootOf(rec))
		return int(s.Length)
	},
	freeSome: func(h leaf.Heap, root []byte, leaves int) bool {
		s := stream.Load(root)
		done := s.FreeSome(h, leaves)
		s.Store(root)
		return done
	},
	leaves: func(a *mem.Arena, root []byte, dst []mem.Ref) []mem.Ref {
		s := stream.Load(root)
		return s.AppendLeaves(a, dst)
	},
	each: func(a *mem.Arena, ref mem.Ref, fn func(Element)) {
		n := stream.NodeAt(a, ref)
		fn(Element{Node: n.List, MS: n.Master.Ms, Seq: n.Master.Seq})
	},
	thaw: func(h leaf.Heap, ref mem.Ref) { h.Thaw(ref) },
	thawRest: func(c *Cell) {
		s := stream.Load(c.Root())
		s.ThawGroups(c.Heap())
	},
	freezeRest: func(c *Cell) *Rest {
		s := stream.Load(c.Root())
		return &Rest{s.Freeze(c.Arena)}
	},
	load: func(*Cell, record.Encoding, []byte) error { return errPackedStream },
	add: func(c *Cell, e *Element) (bool, error) {
		s := StreamIn(c)
		err := s.S.AddNode(c.Heap(), stream.ID{Ms: e.MS, Seq: e.Seq}, e.Node)
		s.Store()
		return true, err
	},
	memory: func(c *Cell, samples int) int {
		s := stream.Load(c.Root())
		return int(s.MemoryBytes(c.Arena, samples))
	},
	check: func(c *Cell) error {
		s := stream.Load(c.Root())
		return s.Check(c.Arena)
	},
})

// A Rest is what a frozen value has besides elements: the figures of a stream, and its groups.
type Rest struct{ s *stream.Rest }

// Next calls fn for some of what comes next, and says whether more is left.
func (r *Rest) Next(a *mem.Arena, epoch uint16, fn func(e Element)) (more bool) {
	h := leaf.Heap{Arena: a, Epoch: epoch}
	return r.s.Next(h, func(p stream.Part, name []byte, id stream.ID, figures []byte) {
		fn(Element{Part: p, Name: listpack.Elem{Bytes: name}, MS: id.Ms, Seq: id.Seq, Node: figures, Expiry: -1})
	})
}

// ConsumersFirst has Next tell the consumers of each group before its pending entries, and not
// what each of them owns.
func (r *Rest) ConsumersFirst() { r.s.ConsumersFirst() }

// Drop thaws a leaf without reading it, and says whether more are left.
func (r *Rest) Drop(a *mem.Arena, epoch uint16) (more bool) {
	return r.s.Drop(leaf.Heap{Arena: a, Epoch: epoch})
}

// Hurry copies what is left, so that Next needs no arena any more.
func (r *Rest) Hurry(a *mem.Arena, epoch uint16) {
	r.s.Hurry(leaf.Heap{Arena: a, Epoch: epoch})
}
