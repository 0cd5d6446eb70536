package stream

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// What is before the listpack of a node: the leaf's head and the master ID.
const nodeHead = leaf.HeadSize + idSize

// The flags of an entry, Redis's.
const (
	flagDeleted    = 1 << 0
	flagSameFields = 1 << 1 // as the master entry has, which are then not repeated
	flagsKnown     = flagDeleted | flagSameFields
)

// listSize is the size of the listpack in a node.
func listSize(a *mem.Arena, ref mem.Ref) int {
	return int(binary.LittleEndian.Uint32(a.Bytes(ref, nodeHead+4)[nodeHead:]))
}

// nodeSize is the number of bytes of a node that are used.
func nodeSize(a *mem.Arena, ref mem.Ref) int { return nodeHead + listSize(a, ref) }

func masterOf(a *mem.Arena, ref mem.Ref) ID {
	return IDOf(a.Bytes(ref, nodeHead)[leaf.HeadSize:])
}

// A Node is what a leaf holds: the ID that the IDs of its entries are relative to, and
// a listpack. Snapshots write both as they are.
type Node struct {
	Master ID
	List   listpack.List
}

// NodeAt is the node in a leaf, which may be frozen.
func NodeAt(a *mem.Arena, ref mem.Ref) Node {
	b := a.Bytes(ref, nodeSize(a, ref))
	return Node{IDOf(b[leaf.HeadSize:]), listpack.List(b[nodeHead:])}
}

// intAt is the integer at a position, and the position behind it. Most are small.
func intAt(l listpack.List, at int) (v int64, next int) {
	if c := l[at]; c < 1<<7 {
		return int64(c), at + 2
	}
	return l.Get(at).Int, at + l.SizeAt(at)
}

// putInt changes the integer at a position of the list in b, which has room for growth.
func putInt(b []byte, at int, v int64) {
	if b[at] < 1<<7 && uint64(v) < 1<<7 {
		b[at] = byte(v)
		return
	}
	listpack.Replace(b, at, listpack.Int(v))
}

// The positions of the first two elements of the master entry never move.
const countAt = listpack.HeaderSize

// counts are the numbers of live and of deleted entries in a node.
func (n *Node) counts() (live, deleted int64) {
	live, at := intAt(n.List, countAt)
	deleted, _ = intAt(n.List, at)
	return live, deleted
}

// putCounts changes the counts of the node whose list is in b.
func putCounts(b []byte, live, deleted int64) {
	putInt(b, countAt, live)
	_, at := intAt(b, countAt)
	putInt(b, at, deleted)
}

// countGrowth is how much longer an integer may become that grows by one.
const countGrowth = 4

// master is what the master entry says: the number of fields, where they are, and
// where the first entry is.
func (n *Node) master() (fields, fieldsAt, first int) {
	_, at := intAt(n.List, countAt)
	_, at = intAt(n.List, at)
	v, at := intAt(n.List, at)
	fields, fieldsAt = int(v), at
	terminator := n.List.Skip(fieldsAt, fields)
	return fields, fieldsAt, terminator + n.List.SizeAt(terminator)
}

// An entry is where an entry of a node is. Positions are the listpack's.
type entry struct {
	id    ID
	at    int // of the flags
	data  int // of what follows the ID and, if they are given, the number of fields
	pairs int
	flags int64
}

// read reads the entry at a position. Fields is the number of the master entry. It
// writes to e, as the copying of results was a sixth of the time of a range.
func (n *Node) read(at, fields int, e *entry) {
	e.at = at
	e.flags, at = intAt(n.List, at)
	ms, at := intAt(n.List, at)
	seq, at := intAt(n.List, at)
	e.id = ID{n.Master.Ms + uint64(ms), n.Master.Seq + uint64(seq)}
	e.pairs = fields
	if e.flags&flagSameFields == 0 {
		var pairs int64
		pairs, at = intAt(n.List, at)
		e.pairs = int(pairs)
	}
	e.data = at
}

// end is the position behind an entry. Its last element says how many the entry has.
func (n *Node) end(e *entry) int {
	elems := e.pairs
	if e.flags&flagSameFields == 0 {
		elems *= 2
	}
	return n.List.Skip(e.data, elems+1)
}

// before is the position of the entry that ends at a position, which may be the list's
// end. Who calls it knows that there is one.
func (n *Node) before(end int) int {
	at := n.List.Prev(end)
	elems, _ := intAt(n.List, at)
	for ; elems > 0; elems-- {
		at = n.List.Prev(at)
	}
	return at
}

// isEnd says whether no entry begins at a position.
func (n *Node) isEnd(at int) bool { return at >= n.List.End() }

// last is the last entry of the node, deleted or not.
func (n *Node) last() (e entry) {
	fields, _, _ := n.master()
	n.read(n.before(n.List.End()), fields, &e)
	return e
}

// backSteps is how many entries start looks at.
const backSteps = 8

// start is a position from which to look for the first entry that is not less than id:
// near the end if the last entries are, as for those who follow a stream, who would
// else walk through a hundred. First is the position of the first entry.
func (n *Node) start(id ID, fields, first int) int {
	if !n.Master.Less(id) {
		return first
	}
	var e entry
	at := n.List.End()
	for range backSteps {
		if at == first {
			break
		}
		start := n.before(at)
		if n.read(start, fields, &e); e.id.Less(id) {
			return at
		}
		at = start
	}
	return first
}

// find is the first entry that is not deleted and not less than id.
func (n *Node) find(id ID) (e entry, ok bool) {
	fields, _, at := n.master()
	for at = n.start(id, fields, at); !n.isEnd(at); at = n.end(&e) {
		n.read(at, fields, &e)
		if e.flags&flagDeleted == 0 && !e.id.Less(id) {
			return e, true
		}
	}
	return entry{}, false
}
