package stream

import (
	"encoding/binary"
	"errors"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// Limits say when a node is full. Zero means that there is no limit.
type Limits struct {
	NodeBytes   int // stream-node-max-bytes
	NodeEntries int // stream-node-max-entries
}

var (
	// ErrOrder means that an ID is not greater than the stream's last one.
	ErrOrder = errors.New("stream: the ID is not greater than the last one")
	// ErrTooLarge means that an entry's fields and values do not fit in a node.
	ErrTooLarge = errors.New("stream: the entry is too large")
)

// Append adds an entry behind the last. Pairs are its fields, each with its value
// behind it; they must not lie in the arena's nodes.
func (s *Stream) Append(h leaf.Heap, limits Limits, id ID, pairs [][]byte) error {
	if !s.Last.Less(id) {
		return ErrOrder
	}
	text := 0
	for _, b := range pairs {
		text += len(b)
	}
	if text > listpack.SizeMax {
		return ErrTooLarge
	}
	var err error
	if s.tail == 0 || limits.isFull(NodeAt(h.Arena, s.tail), text) {
		err = s.appendNode(h, id, pairs)
	} else {
		err = s.appendEntry(h, id, pairs)
	}
	if err != nil {
		return err
	}
	s.Length++
	s.Added++
	s.Last = id
	if s.Length == 1 {
		s.First = id
	}
	return nil
}

// isFull says whether a node is to have no more entries, the next of which has so many
// bytes of text. It counts as Redis does, without the bytes around the text.
func (l Limits) isFull(n Node, text int) bool {
	bytes := l.NodeBytes
	if bytes <= 0 || bytes > listpack.SizeMax {
		bytes = listpack.SizeMax
	}
	if len(n.List)+text >= bytes {
		return true
	}
	if l.NodeEntries <= 0 {
		return false
	}
	live, deleted := n.counts()
	return live+deleted >= int64(l.NodeEntries)
}

// appendNode adds a node with one entry, whose fields become the master entry's.
func (s *Stream) appendNode(h leaf.Heap, id ID, pairs [][]byte) error {
	n := len(pairs) / 2
	// The counts, the terminator, the flags and the distances are below 128.
	size := nodeHead + listpack.EmptySize + 6*2 + listpack.IntSize(int64(n)) + listpack.IntSize(int64(n+3)) +
		listpack.SizeAll(pairs)
	ref := h.New(size)
	if ref == 0 {
		return mem.ErrExhausted
	}
	if err := s.closeTail(h); err != nil {
		h.Drop(ref)
		return err
	}
	id.put(h.Bytes(ref, nodeHead)[leaf.HeadSize:])
	b := listpack.AppendHeader(h.Bytes(ref, size)[nodeHead:nodeHead])
	b = appendInts(b, 1, 0, int64(n))
	for i := 0; i < len(pairs); i += 2 {
		b = listpack.AppendElem(b, listpack.Text(pairs[i]))
	}
	b = appendInts(b, 0, flagSameFields, 0, 0)
	for i := 1; i < len(pairs); i += 2 {
		b = listpack.AppendElem(b, listpack.Text(pairs[i]))
	}
	b = appendInts(b, int64(n+3))
	listpack.Finish(b, 0, 3+n+1+3+n+1)
	s.tail = ref
	return nil
}

func appendInts(b []byte, ints ...int64) []byte {
	for _, v := range ints {
		if uint64(v) < 1<<7 { // most are
			b = append(b, byte(v), 1)
			continue
		}
		b = listpack.AppendElem(b, listpack.Int(v))
	}
	return b
}

// appendEntry adds an entry to the last node.
func (s *Stream) appendEntry(h leaf.Heap, id ID, pairs [][]byte) error {
	n := NodeAt(h.Arena, s.tail)
	same, count := n.hasFields(pairs), len(pairs)/2
	ms, seq := int64(id.Ms-n.Master.Ms), int64(id.Seq-n.Master.Seq)
	flags, elems, first, step := int64(0), 4+2*count, 0, 1
	if same {
		flags, elems, first, step = flagSameFields, 3+count, 1, 2
	}
	used := nodeHead + len(n.List)
	need := used + countGrowth + listpack.IntSize(ms) + listpack.IntSize(seq) +
		listpack.IntSize(flags) + listpack.IntSize(int64(count)) + listpack.IntSize(int64(elems))
	for i := first; i < len(pairs); i += step {
		need += sizeMost(len(pairs[i]))
	}
	ref := grow(h, s.tail, used, need)
	if ref == 0 {
		return mem.ErrExhausted
	}
	s.tail = ref
	room := h.Bytes(ref, h.Cap(ref))[nodeHead:]
	total := int(binary.LittleEndian.Uint16(room[4:]))
	b := appendInts(room[:len(n.List)-1], flags, ms, seq)
	if !same {
		b = appendInts(b, int64(count))
	}
	for i := first; i < len(pairs); i += step {
		b = listpack.AppendElem(b, listpack.Text(pairs[i]))
	}
	b = appendInts(b, int64(elems))
	listpack.Finish(b, 0, total+elems+1)
	live, _ := intAt(b, countAt)
	putInt(room, countAt, live+1)
	return nil
}

// sizeMost is at least the number of bytes that a text of n bytes takes in a list. The
// exact number depends on whether it is an integer, which would be asked twice.
func sizeMost(n int) int {
	if n < 1<<6 {
		return n + 2
	}
	return n + 10
}

// hasFields says whether the master entry has the fields of pairs.
func (n *Node) hasFields(pairs [][]byte) bool {
	_, at := intAt(n.List, countAt)
	_, at = intAt(n.List, at)
	fields, at := intAt(n.List, at)
	if int64(len(pairs)/2) != fields {
		return false
	}
	for i := 0; i < len(pairs); i += 2 {
		if !n.List.Get(at).Equal(pairs[i]) {
			return false
		}
		at += n.List.SizeAt(at)
	}
	return true
}

// grow returns a node of at least so many bytes that may be changed, with the first
// used ones of ref, or 0. It asks for a quarter more: a node of a hundred entries
// is then copied some fifteen times while it fills.
func grow(h leaf.Heap, ref mem.Ref, used, need int) mem.Ref {
	if !h.IsFrozen(ref) && need <= h.Cap(ref) {
		return ref
	}
	return h.Resize(ref, used, need+need/4)
}

// own returns a node that may be changed and has room for so many deleted entries more,
// or 0.
func own(h leaf.Heap, ref mem.Ref, more int64) mem.Ref {
	n := NodeAt(h.Arena, ref)
	_, deleted := n.counts()
	used := nodeHead + len(n.List)
	need := used + listpack.IntSize(deleted+more) - listpack.IntSize(deleted)
	if !h.IsFrozen(ref) && need <= h.Cap(ref) {
		return ref
	}
	return h.Resize(ref, used, need)
}

// closeTail moves the last node, which is full, into the index, and gives back the
// room that it does not need.
func (s *Stream) closeTail(h leaf.Heap) error {
	if s.tail == 0 {
		return nil
	}
	used := nodeSize(h.Arena, s.tail)
	if !h.IsFrozen(s.tail) && mem.RoundUp(used) < h.Cap(s.tail) {
		if ref := h.New(used); ref != 0 {
			copy(h.Bytes(ref, used)[leaf.HeadSize:], h.Bytes(s.tail, used)[leaf.HeadSize:])
			h.Drop(s.tail)
			s.tail = ref
		}
	}
	if err := s.addNode(h, masterOf(h.Arena, s.tail), s.tail); err != nil {
		return err
	}
	s.tail = 0
	return nil
}
