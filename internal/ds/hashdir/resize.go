package hashdir

import "github.com/spineldb/spinel/internal/mem"

// Split puts two leaves in the place of the one for a hash, which has the given depth:
// left for the hashes whose next bit is 0. If there is no memory it returns false, and
// all leaves are where they were.
func (d *Dir) Split(a *mem.Arena, hash uint64, depth uint, left, right mem.Ref) bool {
	for reachIn(d.word(a, hash)) == depth {
		if !d.grow(a, hash) {
			return false
		}
	}
	w := d.word(a, hash)
	bit := uint64(1) << (63 - depth)
	d.fill(a, w, hash&^bit, depth+1, left)
	d.fill(a, w, hash|bit, depth+1, right)
	return true
}

// grow doubles the chunk of a hash, or splits it.
func (d *Dir) grow(a *mem.Arena, hash uint64) bool {
	w := d.word(a, hash)
	bits := bitsIn(w)
	if bits == chunkBitsMax {
		return d.splitChunk(a, hash, w)
	}
	fresh := a.Alloc(refSize << (bits + 1))
	if fresh == 0 {
		return false
	}
	copyEntries(a, fresh, 0, w, 2)
	freeChunk(a, w)
	d.setWord(a, hash, pack(fresh, uint8(bits)+1, uint8(depthIn(w))))
	return true
}

// copyEntries writes each entry of the chunk w, times over, to a block from entry at.
func copyEntries(a *mem.Arena, to mem.Ref, at uint64, w uint64, times uint64) {
	for i := range uint64(1) << bitsIn(w) {
		r := refIn(w)
		if bitsIn(w) != 0 {
			r = get(a, r, i)
		}
		for range times {
			set(a, to, at, r)
			at++
		}
	}
}

func freeChunk(a *mem.Arena, w uint64) {
	if bitsIn(w) != 0 {
		a.Free(refIn(w))
	}
}

// splitChunk makes two chunks of one.
func (d *Dir) splitChunk(a *mem.Arena, hash, w uint64) bool {
	if depthIn(w) == uint(d.top) && !d.growTop(a) {
		return false
	}
	half := uint64(1) << bitsIn(w) / 2
	left, ok := compact(a, w, 0, half)
	if !ok {
		return false
	}
	right, ok := compact(a, w, half, half)
	if !ok {
		freeChunk(a, left)
		return false
	}
	bit := uint64(1) << (63 - depthIn(w))
	freeChunk(a, w)
	depth := (uint64(depthIn(w)) + 1) << 40
	d.setWord(a, hash&^bit, left|depth)
	d.setWord(a, hash|bit, right|depth)
	return true
}

// compact makes a chunk of n entries of the chunk w, as small as its leaves allow. It
// returns the word without a depth.
func compact(a *mem.Arena, w uint64, first, n uint64) (fresh uint64, ok bool) {
	step := uint64(1)
	for step < n && arePairs(a, refIn(w), first, n, step) {
		step *= 2
	}
	if step == n {
		return uint64(get(a, refIn(w), first)), true
	}
	r := a.Alloc(int(n/step) * refSize)
	if r == 0 {
		return 0, false
	}
	bits := uint8(0)
	for i := range n / step {
		set(a, r, i, get(a, refIn(w), first+i*step))
	}
	for ; n/step>>bits > 1; bits++ {
	}
	return pack(r, bits, 0), true
}

// arePairs says whether the entries, step apart, are equal two by two.
func arePairs(a *mem.Arena, chunk mem.Ref, first, n, step uint64) bool {
	for i := first; i < first+n; i += 2 * step {
		if get(a, chunk, i) != get(a, chunk, i+step) {
			return false
		}
	}
	return true
}

// growTop doubles the top array, or makes the first.
func (d *Dir) growTop(a *mem.Arena) bool {
	fresh := Dir{top: d.top + 1, deep: d.deep, tops: a.Alloc(wordSize << (d.top + 1))}
	if fresh.tops == 0 {
		return false
	}
	for i := range uint64(1) << d.top {
		w := d.wordAt(a, i)
		fresh.setWordAt(a, 2*i, w)
		fresh.setWordAt(a, 2*i+1, w)
	}
	if d.top != 0 {
		a.Free(d.tops)
	}
	*d = fresh
	return true
}

// Buddy is the other leaf that came of the split that made the one for a hash, which has
// the given depth; or one of what that leaf was split into since, which is deeper. It is
// 0 if there was no split, or if the two cannot be joined, being in different chunks.
func (d *Dir) Buddy(a *mem.Arena, hash uint64, depth uint) mem.Ref {
	if depth <= depthIn(d.word(a, hash)) {
		return 0
	}
	return d.Find(a, hash^1<<(64-depth))
}

// Join puts one leaf in the place of two buddies of the given depth.
func (d *Dir) Join(a *mem.Arena, hash uint64, depth uint, leaf mem.Ref) {
	w := d.word(a, hash)
	d.fill(a, w, hash, depth-1, leaf)
	if depth == reachIn(w) && arePairs(a, refIn(w), 0, 1<<bitsIn(w), 1) {
		d.shrink(a, hash, w)
	}
}

// shrink makes the chunk w as small as it can be, then the level above. Where memory is
// short everything stays as it is.
func (d *Dir) shrink(a *mem.Arena, hash, w uint64) {
	fresh, ok := compact(a, w, 0, 1<<bitsIn(w))
	if !ok {
		return
	}
	freeChunk(a, w)
	d.setWord(a, hash, fresh|uint64(depthIn(w))<<40)
	for d.joinChunks(a, hash) {
	}
	for d.top > 0 && d.halveTop(a) {
	}
	if reachIn(w) == uint(d.deep) {
		d.deep = 0
		d.eachChunk(a, func(w, _ uint64) bool {
			d.deep = max(d.deep, uint8(reachIn(w)))
			return true
		})
	}
}

// joinChunks makes one chunk of that of a hash and its buddy, if both are small.
func (d *Dir) joinChunks(a *mem.Arena, hash uint64) bool {
	w := d.word(a, hash)
	if depthIn(w) == 0 {
		return false
	}
	bit := uint64(1) << (64 - depthIn(w))
	left, right := d.word(a, hash&^bit), d.word(a, hash|bit)
	if depthIn(left) != depthIn(right) || max(bitsIn(left), bitsIn(right)) > joinBitsMax {
		return false
	}
	bits := max(bitsIn(left), bitsIn(right))
	r := a.Alloc(refSize << (bits + 1))
	if r == 0 {
		return false
	}
	copyEntries(a, r, 0, left, 1<<(bits-bitsIn(left)))
	copyEntries(a, r, 1<<bits, right, 1<<(bits-bitsIn(right)))
	freeChunk(a, left)
	freeChunk(a, right)
	d.setWord(a, hash, pack(r, uint8(bits)+1, uint8(depthIn(w))-1))
	return true
}

// halveTop halves the top array if no chunk needs its last bit.
func (d *Dir) halveTop(a *mem.Arena) bool {
	n := uint64(1) << d.top
	for i := uint64(0); i < n; i += 2 {
		if depthIn(d.wordAt(a, i)) == uint(d.top) {
			return false
		}
	}
	fresh := Dir{top: d.top - 1, deep: d.deep}
	if fresh.top == 0 {
		fresh.sole = d.wordAt(a, 0)
	} else {
		if fresh.tops = a.Alloc(int(n) / 2 * wordSize); fresh.tops == 0 {
			return false
		}
		for i := uint64(0); i < n; i += 2 {
			fresh.setWordAt(a, i/2, d.wordAt(a, i))
		}
	}
	a.Free(d.tops)
	*d = fresh
	return true
}
