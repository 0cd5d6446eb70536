package keyspace

import "github.com/spineldb/spinel/internal/mem"

// A pin lends a big block to somebody who reads it without the lock: a reply being
// sent, a snapshot being written. While it is pinned a block is neither changed nor
// freed; who would change it makes a new one.
type pin struct {
	count int
	dead  bool // freed meanwhile; really freed with the last pin
}

// freeBlock returns a record's block, now or when it is not lent any more.
func (st *stripe) freeBlock(h *heap, ref mem.Ref) {
	if len(h.pins) > 0 {
		if pn := h.pins[ref]; pn != nil {
			pn.dead = true
			return
		}
	}
	h.arena.Free(ref)
}

// mayWrite says whether a block may be changed in place.
func (st *stripe) mayWrite(ref mem.Ref) bool {
	return len(st.heap.pins) == 0 || st.heap.pins[ref] == nil
}

func (h *heap) pin(ref mem.Ref) {
	if h.pins == nil {
		h.pins = map[mem.Ref]*pin{}
	}
	pn := h.pins[ref]
	if pn == nil {
		pn = &pin{}
		h.pins[ref] = pn
	}
	pn.count++
}

// unpin takes the stripe's lock.
func (st *stripe) unpin(h *heap, ref mem.Ref) {
	st.mu.Lock()
	pn := h.pins[ref]
	pn.count--
	if pn.count == 0 {
		delete(h.pins, ref)
		if pn.dead {
			h.arena.Free(ref)
		}
		h.releaseIfDead()
	}
	st.mu.Unlock()
}

// releaseIfDead releases the arena of a heap that a flush has replaced, if nothing of it
// is in use any more.
func (h *heap) releaseIfDead() {
	if h.dead && len(h.pins) == 0 && len(h.frozen) == 0 {
		h.arena.Release()
	}
}

// Lend pins the value's block and returns what must be called, without holding any
// stripe's lock, when the bytes are not needed any more.
func (v Value) Lend() (release func()) {
	h, st, ref := v.st.heap, v.st, v.ref
	h.pin(ref)
	return func() { st.unpin(h, ref) }
}
