// Package leaf is what the blocks that hold a big collection's elements have in
// common: a head of four bytes by which who reads them in pieces keeps them as they are.
//
// # Layout
//
//	+-------+-------+-------+----------------------
//	| stamp | flags | yours | the collection's own
//	+-------+-------+-------+----------------------
//	  2       1       1       bytes
//
// # Freezing
//
// A collection of ten million elements cannot be copied under a lock. A reader, such as a
// snapshot or a big reply, notes the references of its leaves, in order, gives the
// collection another epoch, and reads the leaves later, some at a time. Meanwhile a leaf
// that has not been read is frozen: its stamp is not the epoch.
//
//	             Own: it becomes a copy ----> the collection's, stamped
//	frozen leaf <
//	             Drop: abandoned, the reader frees it when it has been read
//
// Who is about to change a leaf asks Own for one that may be changed, and puts the
// reference that it gets in the place of the old one. Who removes a leaf calls Drop in
// the place of Free. With no reader about, Own and Drop cost a comparison.
//
// # Invariants
//
//  1. A frozen leaf's bytes do not change, and it is not freed, until Thaw.
//  2. An abandoned leaf belongs to no collection; the reader that froze it frees it.
//  3. All leaves of a collection without a reader bear its epoch: the next may be any other
//     number but 0, whatever numbers there were before.
package leaf

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/mem"
)

// HeadSize is the number of bytes before a leaf's own. The last of them is the
// collection's to use.
const HeadSize = 4

const flagAbandoned = 1

// A Heap is where a collection's leaves are. Its other blocks come from the Arena.
type Heap struct {
	*mem.Arena
	Epoch uint16 // of the reader that has frozen the collection last, 0 for none
}

// New returns a leaf of n bytes, the head included, or 0 if there is no memory. What
// follows the head is arbitrary; the head's last byte is zero.
func (h Heap) New(n int) mem.Ref {
	r := h.Alloc(n)
	if r != 0 {
		b := h.Bytes(r, HeadSize)
		binary.LittleEndian.PutUint16(b, h.Epoch)
		b[2], b[3] = 0, 0
	}
	return r
}

// IsFrozen says whether a leaf must not be changed.
func (h Heap) IsFrozen(r mem.Ref) bool { return h.Epoch != 0 && !h.IsStamped(r) }

// IsStamped says whether a leaf bears the collection's epoch.
func (h Heap) IsStamped(r mem.Ref) bool {
	return binary.LittleEndian.Uint16(h.Bytes(r, 2)) == h.Epoch
}

// Own returns a leaf that may be changed, with the first n bytes of r: r itself, or a
// copy if r is frozen. The copy has room for at least n bytes. It returns 0, and leaves
// r as it is, if there is no memory.
func (h Heap) Own(r mem.Ref, n int) mem.Ref {
	if !h.IsFrozen(r) {
		return r
	}
	fresh := h.New(n)
	if fresh != 0 {
		copy(h.Bytes(fresh, n)[HeadSize-1:], h.Bytes(r, n)[HeadSize-1:])
		h.Drop(r)
	}
	return fresh
}

// Resize returns a leaf of at least n bytes with the first keep bytes of r, head
// included, that may be changed: r itself if it has room without wasting half of it, or
// a new one. It returns 0, and leaves r as it is, if there is no memory.
func (h Heap) Resize(r mem.Ref, keep, n int) mem.Ref {
	if !h.IsFrozen(r) {
		if room := h.Cap(r); n <= room && mem.RoundUp(n) >= room/2 {
			return r
		}
	}
	fresh := h.New(n)
	if fresh != 0 {
		copy(h.Bytes(fresh, n)[HeadSize-1:], h.Bytes(r, keep)[HeadSize-1:keep])
		h.Drop(r)
	}
	return fresh
}

// Drop frees a leaf that the collection does not have any more, or leaves it to the
// reader.
func (h Heap) Drop(r mem.Ref) {
	if !h.IsFrozen(r) {
		h.Free(r)
		return
	}
	b := h.Bytes(r, HeadSize)
	if invariant.Enabled {
		invariant.Check(b[2]&flagAbandoned == 0, "leaf: %d dropped twice", r)
	}
	b[2] |= flagAbandoned
}

// Thaw is called by the reader for every leaf it froze, once, when it has been read:
// the leaf may be changed again, or is freed if the collection has dropped it.
func (h Heap) Thaw(r mem.Ref) {
	b := h.Bytes(r, HeadSize)
	if b[2]&flagAbandoned != 0 {
		h.Free(r)
		return
	}
	binary.LittleEndian.PutUint16(b, h.Epoch)
}
