package keyspace

import (
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/value"
)

// A Frozen is a rooted value as it was at the cut of a snapshot, to be read in pieces
// while the value changes. Whoever made it must call Read until there is no more, or
// Release.
type Frozen struct {
	st     *stripe
	heap   *heap
	typ    record.Type
	epoch  uint16
	leaves []mem.Ref
	next   int
}

// IsRooted says whether the value is more than its record: it is to be frozen instead of
// copied.
func (v Value) IsRooted() bool { return v.Record.IsRooted() }

// Freeze freezes a rooted value that the snapshot saves. The stripe is locked. It costs
// some nanoseconds a leaf.
func (s *Snapshot) Freeze(v Value) *Frozen {
	c := v.Cell()
	f := &Frozen{st: v.st, heap: v.heap(), typ: v.Type(), epoch: s.epoch}
	f.leaves = value.Freeze(&c, s.epoch, nil)
	f.heap.frozen++
	return f
}

// heap is the heap that the value is in, which a flush may have taken from the stripe.
func (v Value) heap() *heap { return v.st.heap }

// Leaves is the number of leaves.
func (f *Frozen) Leaves() int { return len(f.leaves) }

// Read calls fn for the elements of the next leaves, until fn returns false behind a leaf,
// and says whether more are left. The bytes are valid during the call of fn. It holds the
// stripe's lock.
func (f *Frozen) Read(fn func(e value.Element), enough func() bool) (more bool) {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	for f.next < len(f.leaves) {
		ref := f.leaves[f.next]
		f.next++
		value.EachInLeaf(f.typ, f.heap.arena, ref, fn)
		value.Thaw(f.typ, f.heap.arena, f.epoch, ref)
		if enough() {
			break
		}
	}
	if f.next < len(f.leaves) {
		return true
	}
	f.end()
	return false
}

// releaseLeaves is how many leaves are thawed under one lock.
const releaseLeaves = 256

// Release thaws what was not read. Nothing may be locked.
func (f *Frozen) Release() {
	for more := true; more; {
		f.st.mu.Lock()
		if f.heap == nil { // all was read
			f.st.mu.Unlock()
			return
		}
		for i := 0; i < releaseLeaves && f.next < len(f.leaves); i++ {
			value.Thaw(f.typ, f.heap.arena, f.epoch, f.leaves[f.next])
			f.next++
		}
		if more = f.next < len(f.leaves); !more {
			f.end()
		}
		f.st.mu.Unlock()
	}
}

// end lets the heap go, if a flush has replaced it meanwhile. It may be called again.
func (f *Frozen) end() {
	f.leaves, f.next = nil, 0
	if h := f.heap; h != nil {
		f.heap = nil
		h.frozen--
		h.releaseIfDead()
	}
}
