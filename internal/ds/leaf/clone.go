package leaf

import "github.com/spineldb/spinel/internal/mem"

// # Cloning
//
// A collection is copied into another heap leaf by leaf, some at a time, while nobody
// changes it. What has been copied is bounded by a budget in bytes: CloneSome of each
// collection gives back what is left of it, and goes on where it stopped when it is called
// again.

// cloneBase is what a block costs beside its bytes: finding, allocating and entering it.
const cloneBase = 256

// CloneCost is what the copy of a block of n bytes costs. A budget of 100,000 is some 50
// microseconds if the blocks are not in the cache.
func CloneCost(n int) int { return cloneBase + n }

// Clone returns a leaf with the bytes of one that may be in another arena and be frozen,
// of n bytes with the head; 0 if there is no memory.
func (h Heap) Clone(from *mem.Arena, r mem.Ref, n int) mem.Ref {
	fresh := h.New(n)
	if fresh != 0 {
		copy(h.Bytes(fresh, n)[HeadSize-1:], from.Bytes(r, n)[HeadSize-1:])
	}
	return fresh
}
