package stream

import (
	"encoding/binary"
	"slices"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/mem"
)

// A Part is one of the things that a snapshot reads of a stream.
type Part uint8

// The parts, in the order in which they come. Those from PartGroup on come for each group,
// and PartOwned for each consumer.
const (
	PartNode      Part = iota
	PartFigures        // the stream's own, as Store writes them
	PartGroup          // its name, its Last, and what GroupOf reads
	PartPending        // an ID, and what PendingOf reads
	PartConsumers      // all pending entries were told; what GroupOf reads, once more
	PartConsumer       // a name, the number as the ID's Ms, and what ConsumerOf reads
	PartOwned          // the ID of a pending entry of the last consumer
)

// A PartFunc is given a part that is no node. The bytes are valid until it returns.
type PartFunc func(part Part, name []byte, id ID, figures []byte)

// GroupFigures are how much a group has.
type GroupFigures struct {
	Reads              int64 // as in Group
	Pending, Consumers uint64
}

const groupFigures = 3 * 8

func (f *GroupFigures) put(b []byte) {
	binary.LittleEndian.PutUint64(b, uint64(f.Reads))
	binary.LittleEndian.PutUint64(b[8:], f.Pending)
	binary.LittleEndian.PutUint64(b[16:], f.Consumers)
}

// GroupOf reads the figures of a PartGroup or a PartConsumers.
func GroupOf(figures []byte) GroupFigures {
	return GroupFigures{
		Reads:     int64(binary.LittleEndian.Uint64(figures)),
		Pending:   binary.LittleEndian.Uint64(figures[8:]),
		Consumers: binary.LittleEndian.Uint64(figures[16:]),
	}
}

// PendingOf is the pending entry of a PartPending.
func PendingOf(id ID, figures []byte) Pending { return pendingOf(id, figures) }

// ConsumerOf is the consumer of a PartConsumer, without its number.
func ConsumerOf(name, figures []byte) Consumer {
	c := figuresOf(figures)
	c.Name = name
	return c
}

// A Rest is what a stream has beside its nodes, as it was when it was frozen: its figures and
// its groups. The figures and the references of the groups' leaves are copies, which costs
// some nanoseconds a leaf; the leaves are read later.
type Rest struct {
	root   [Size]byte
	begun  bool
	groups []frozenGroup // that are left
	kept   []keptPart    // what Hurry has copied
}

// A keptPart is a copy of what a PartFunc is given.
type keptPart struct {
	part          Part
	name, figures []byte
	id            ID
}

// keptStep is how many of these Next tells in one go.
const keptStep = 32

// A frozenGroup is a group that is being read. The leaves of each kind are those that are
// left.
type frozenGroup struct {
	name    []byte
	last    ID
	figures [groupFigures]byte

	pending   []mem.Ref // ID: time of delivery, number of deliveries, consumer's number
	owned     []mem.Ref // consumer's number, ID
	consumers []mem.Ref // consumer's number, name: its figures

	consumersFirst bool // the order of ConsumersFirst

	stage   groupStage
	at      int              // how many of the first owned leaf's entries were told
	current uint32           // the consumer that was told last
	known   []frozenConsumer // those that come next, of the last leaf that was read
}

// A groupStage says what of a group comes next.
type groupStage uint8

const (
	stageGroup groupStage = iota
	stagePending
	stageConsumers
)

type frozenConsumer struct {
	number  uint32
	name    []byte
	figures [consumerSize]byte
}

// Freeze notes what Next will read. From now on the stream's heap has the epoch of the
// snapshot, and what is read or dropped with it gets that.
func (s *Stream) Freeze(a *mem.Arena) *Rest {
	r := &Rest{groups: make([]frozenGroup, 0, s.groups.Len())}
	s.Store(r.root[:])
	for it := s.EachGroup(a); it.Next(); {
		g := it.Group()
		f := frozenGroup{name: slices.Clone(it.Name()), last: g.Last}
		figures := GroupFigures{g.Reads, uint64(g.PendingCount()), uint64(g.Consumers())}
		figures.put(f.figures[:])
		f.pending = g.pending.AppendLeaves(a, nil)
		f.owned = g.owned.AppendLeaves(a, nil)
		f.consumers = g.consumers.AppendLeaves(a, nil)
		r.groups = append(r.groups, f)
	}
	return r
}

// Next calls fn for what comes next, about a leaf's entries, and says whether more is left.
func (r *Rest) Next(h leaf.Heap, fn PartFunc) (more bool) {
	if len(r.kept) > 0 {
		n := min(len(r.kept), keptStep)
		for i := range r.kept[:n] {
			p := &r.kept[i]
			fn(p.part, p.name, p.id, p.figures)
		}
		clear(r.kept[:n])
		r.kept = r.kept[n:]
		return len(r.kept) > 0
	}
	if !r.begun {
		r.begun = true
		fn(PartFigures, nil, ID{}, r.root[:])
	} else if len(r.groups) > 0 && !r.groups[0].next(h, fn) {
		r.groups[0] = frozenGroup{}
		r.groups = r.groups[1:]
	}
	return len(r.groups) > 0
}

// ConsumersFirst has Next tell the consumers of each group before its pending entries, and not
// what each of them owns: for who writes every pending entry with the name of who has it.
func (r *Rest) ConsumersFirst() {
	for i := range r.groups {
		r.groups[i].consumersFirst = true
	}
}

// Hurry copies all that is left, so that Next needs the leaves no more, nor a heap.
func (r *Rest) Hurry(h leaf.Heap) {
	kept := r.kept
	r.kept = nil
	for more := true; more; {
		more = r.Next(h, func(part Part, name []byte, id ID, figures []byte) {
			kept = append(kept, keptPart{part, slices.Clone(name), slices.Clone(figures), id})
		})
	}
	r.kept = kept
}

// Drop thaws a leaf that will not be read, and says whether more are left.
func (r *Rest) Drop(h leaf.Heap) (more bool) {
	r.kept = nil
	for ; len(r.groups) > 0; r.groups = r.groups[1:] {
		g := &r.groups[0]
		for _, leaves := range [...]*[]mem.Ref{&g.pending, &g.owned, &g.consumers} {
			if len(*leaves) > 0 {
				thawFirst(h, leaves)
				return true
			}
		}
	}
	return false
}

// thawFirst thaws the first of some leaves and takes it off them. Names may be in other
// blocks.
func thawFirst(h leaf.Heap, leaves *[]mem.Ref) {
	ranktree.Thaw(h, (*leaves)[0])
	*leaves = (*leaves)[1:]
}

// next tells some parts of the group and says whether more are left.
func (g *frozenGroup) next(h leaf.Heap, fn PartFunc) (more bool) {
	switch {
	case g.stage == stageGroup:
		fn(PartGroup, g.name, g.last, g.figures[:])
		g.stage = stagePending
	case g.consumersFirst:
		return g.nextNamed(h, fn)
	case len(g.pending) > 0:
		g.tellPending(h, fn)
	case g.stage == stagePending:
		fn(PartConsumers, nil, ID{}, g.figures[:])
		g.stage = stageConsumers
	case len(g.owned) > 0:
		g.tellOwned(h, fn)
	default:
		for len(g.known) > 0 {
			g.tellConsumer(fn)
		}
		return g.learn(h)
	}
	return true
}

// nextNamed is next behind the group itself, in the order of ConsumersFirst.
func (g *frozenGroup) nextNamed(h leaf.Heap, fn PartFunc) (more bool) {
	switch {
	case len(g.known) > 0:
		for len(g.known) > 0 {
			g.tellConsumer(fn)
		}
	case g.learn(h):
	case len(g.pending) > 0:
		g.tellPending(h, fn)
	case len(g.owned) > 0:
		thawFirst(h, &g.owned)
	default:
		return false
	}
	return true
}

// tellPending tells the entries of the first leaf of those that are pending.
func (g *frozenGroup) tellPending(h leaf.Heap, fn PartFunc) {
	ranktree.EachInLeaf(h.Arena, g.pending[0], func(key, payload []byte) bool {
		fn(PartPending, nil, IDOf(key), payload)
		return true
	})
	thawFirst(h, &g.pending)
}

// tellOwned tells what is owned in the first leaf, each consumer before what it owns. The
// two trees are in the order of the consumers' numbers, and are read side by side.
func (g *frozenGroup) tellOwned(h leaf.Heap, fn PartFunc) {
	told := 0
	all := true
	ranktree.EachInLeaf(h.Arena, g.owned[0], func(key, _ []byte) bool {
		if told++; told <= g.at {
			return true
		}
		number := binary.BigEndian.Uint32(key)
		for number != Nobody && number != g.current {
			if len(g.known) == 0 {
				all = false // and this one will be come to again
				return false
			}
			g.tellConsumer(fn)
		}
		if number != Nobody {
			fn(PartOwned, nil, IDOf(key[numberSize:]), nil)
		}
		g.at = told
		return true
	})
	if all || !g.learn(h) {
		thawFirst(h, &g.owned)
		g.at = 0
	}
}

func (g *frozenGroup) tellConsumer(fn PartFunc) {
	c := &g.known[0]
	fn(PartConsumer, c.name, ID{Ms: uint64(c.number)}, c.figures[:])
	g.current, g.known = c.number, g.known[1:]
}

// learn reads the next leaf of consumers, and says whether there is one. They are copied,
// since what they own is read later.
func (g *frozenGroup) learn(h leaf.Heap) bool {
	if len(g.consumers) == 0 {
		return false
	}
	ranktree.EachInLeaf(h.Arena, g.consumers[0], func(key, payload []byte) bool {
		c := frozenConsumer{number: uint32(binary.BigEndian.Uint64(key)), name: slices.Clone(key[8:])}
		copy(c.figures[:], payload)
		g.known = append(g.known, c)
		return true
	})
	thawFirst(h, &g.consumers)
	return true
}

// ThawGroups thaws the leaves of all groups, of a stream of which only the nodes are to be
// read. It costs some ten nanoseconds a leaf, of about thirty pending entries.
func (s *Stream) ThawGroups(h leaf.Heap) {
	var leaves []mem.Ref
	for it := s.EachGroup(h.Arena); it.Next(); {
		g := it.Group()
		leaves = g.pending.AppendLeaves(h.Arena, leaves[:0])
		leaves = g.owned.AppendLeaves(h.Arena, leaves)
		leaves = g.consumers.AppendLeaves(h.Arena, leaves)
		for _, ref := range leaves {
			ranktree.Thaw(h, ref)
		}
	}
}
