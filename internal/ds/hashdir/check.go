package hashdir

import (
	"fmt"

	"github.com/spineldb/spinel/internal/mem"
)

// Check walks the directory and reports the first invariant that does not hold. depth is
// that of a leaf, as its owner knows it.
func (d *Dir) Check(a *mem.Arena, depth func(mem.Ref) uint) (err error) {
	deep := uint(0)
	d.eachChunk(a, func(w, hash uint64) bool {
		deep = max(deep, reachIn(w))
		if err = d.checkPlaces(a, w, hash); err == nil {
			err = checkChunk(a, w, depth)
		}
		return err == nil
	})
	if err == nil && deep != uint(d.deep) {
		err = fmt.Errorf("hashdir: deep is %d and should be %d", d.deep, deep)
	}
	return err
}

func (d *Dir) checkPlaces(a *mem.Arena, w, hash uint64) error {
	if depthIn(w) > uint(d.top) || bitsIn(w) > chunkBitsMax {
		return fmt.Errorf("hashdir: chunk at %#x has depth %d of %d and %d bits",
			hash, depthIn(w), d.top, bitsIn(w))
	}
	if d.top == 0 {
		return nil
	}
	width := uint64(1) << (uint(d.top) - depthIn(w))
	first := hash >> (64 - d.top)
	if first%width != 0 {
		return fmt.Errorf("hashdir: chunk of depth %d begins at word %d", depthIn(w), first)
	}
	for i := range width {
		if got := d.wordAt(a, first+i); got != w {
			return fmt.Errorf("hashdir: word %d is %#x, want %#x", first+i, got, w)
		}
	}
	return nil
}

func checkChunk(a *mem.Arena, w uint64, depth func(mem.Ref) uint) error {
	if bitsIn(w) == 0 {
		if got := depth(refIn(w)); got != depthIn(w) {
			return fmt.Errorf("hashdir: the only leaf of a chunk has depth %d, not %d", got, depthIn(w))
		}
		return nil
	}
	for i := uint64(0); i < 1<<bitsIn(w); {
		r := get(a, refIn(w), i)
		leaf := depth(r)
		if leaf < depthIn(w) || leaf > reachIn(w) {
			return fmt.Errorf("hashdir: leaf of depth %d in a chunk from %d to %d",
				leaf, depthIn(w), reachIn(w))
		}
		run := uint64(1) << (reachIn(w) - leaf)
		if i%run != 0 {
			return fmt.Errorf("hashdir: leaf of depth %d begins at entry %d", leaf, i)
		}
		for j := range run {
			if get(a, refIn(w), i+j) != r {
				return fmt.Errorf("hashdir: entry %d does not name the leaf of entry %d", i+j, i)
			}
		}
		i += run
	}
	return nil
}
