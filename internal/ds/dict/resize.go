package dict

import (
	"sync/atomic"
	"unsafe"

	"github.com/spineldb/spinel/internal/mem"
)

// nextSize is the number of buckets after n: 1 2 3 4 6 8 12 16 24 ... 128.
func nextSize(n int) int {
	if n&(n-1) == 0 {
		return n + max(n/2, 1)
	}
	return n / 3 * 4
}

// sizeFor is the smallest number of buckets that c records leave room to grow in.
func sizeFor(c int) int {
	n := 1
	for n < bucketsMax && n*17 < c*2 {
		n = nextSize(n)
	}
	return n
}

// A segment under reconstruction.
type segment struct {
	at      uint64 // first directory entry
	buckets mem.Ref
	n       int
	depth   uint8
}

func (dir *directory) segment(at uint64) segment {
	buckets, n, depth := unpack(dir.segs[at])
	return segment{dir.first(at, depth), buckets, n, depth}
}

// set makes all entries of a segment name it.
func (dir *directory) set(s segment, count int) {
	for i := range uint64(1) << (dir.depth - s.depth) {
		atomic.StoreUint64(&dir.segs[s.at+i], pack(s.buckets, s.n, s.depth))
	}
	dir.counts[s.at] = int32(count)
}

// grow makes room in the segment at an entry: more buckets, or two segments. If
// there is no memory for that, the table stays as it is and chains grow longer.
func (d *Dict) grow(at uint64) {
	defer d.borrow()()
	dir := d.dir.Load()
	s := dir.segment(at)
	if s.n < bucketsMax {
		d.resize(dir, s, nextSize(s.n))
		return
	}
	if s.depth == dir.depth {
		dir = d.double(dir)
		s = dir.segment(at * 2)
	}
	refs, marks := d.collect(dir, s)
	half := uint64(1) << (dir.depth - s.depth) / 2
	bit := uint64(1) << (63 - s.depth)
	left := 0
	for i := range refs { // those of the left half first
		if d.scratch.place[i]<<d.skip&bit == 0 {
			d.swap(i, left)
			left++
		}
	}
	a := segment{at: s.at, depth: s.depth + 1, n: sizeFor(left)}
	b := segment{at: s.at + half, depth: s.depth + 1, n: sizeFor(len(refs) - left)}
	if !d.build(&a, 0, left, marks) {
		return
	}
	if !d.build(&b, left, len(refs), marks) {
		d.drop(a)
		return
	}
	dir.set(a, left)
	dir.set(b, len(refs)-left)
	d.drop(s)
}

func (d *Dict) swap(i, j int) {
	r, p := d.scratch.refs, d.scratch.place
	r[i], r[j] = r[j], r[i]
	p[i], p[j] = p[j], p[i]
}

// shrink gives memory back after deletions: fewer buckets, or one segment of two.
func (d *Dict) shrink(at uint64) {
	defer d.borrow()()
	dir := d.dir.Load()
	s := dir.segment(at)
	if s.depth > 0 && s.n <= bucketsMax/4 {
		if other := dir.segment(s.at ^ 1<<(dir.depth-s.depth)); other.depth == s.depth && other.n <= bucketsMax/3 {
			d.merge(dir, s, other)
			return
		}
	}
	if n := sizeFor(int(dir.counts[s.at])); n < s.n {
		d.resize(dir, s, n)
	}
}

func (d *Dict) resize(dir *directory, s segment, n int) {
	refs, marks := d.collect(dir, s)
	fresh := segment{at: s.at, depth: s.depth, n: n}
	if d.build(&fresh, 0, len(refs), marks) {
		dir.set(fresh, len(refs))
		d.drop(s)
	}
}

func (d *Dict) merge(dir *directory, s, other segment) {
	refs, marks := d.collect(dir, s)
	n := len(refs)
	refs, more := d.collectMore(other, refs)
	marks = marks.and(more)
	d.placeAll(refs, n)
	fresh := segment{at: min(s.at, other.at), depth: s.depth - 1, n: sizeFor(len(refs))}
	if !d.build(&fresh, 0, len(refs), marks) {
		return
	}
	dir.set(fresh, len(refs))
	d.drop(s)
	d.drop(other)
	for dir.depth > 0 && dir.sparse() {
		dir = d.halve(dir)
	}
}

// sparse says whether no segment needs the last bit of the directory.
func (dir *directory) sparse() bool {
	for _, s := range dir.segs {
		if _, _, depth := unpack(s); depth == dir.depth {
			return false
		}
	}
	return true
}

func (d *Dict) double(dir *directory) *directory {
	fresh := &directory{
		depth:  dir.depth + 1,
		segs:   make([]uint64, 2*len(dir.segs)),
		counts: make([]int32, 2*len(dir.segs)),
	}
	for i, s := range dir.segs {
		fresh.segs[2*i], fresh.segs[2*i+1] = s, s
		fresh.counts[2*i] = dir.counts[i]
	}
	d.dir.Store(fresh)
	return fresh
}

func (d *Dict) halve(dir *directory) *directory {
	fresh := &directory{
		depth:  dir.depth - 1,
		segs:   make([]uint64, len(dir.segs)/2),
		counts: make([]int32, len(dir.segs)/2),
	}
	for i := range fresh.segs {
		fresh.segs[i] = dir.segs[2*i]
		fresh.counts[i] = dir.counts[2*i]
	}
	d.dir.Store(fresh)
	return fresh
}

// marks are the caller's hints that rebuilding must keep.
type marks struct{ ttl, big bool }

func (m marks) and(o marks) marks { return marks{m.ttl || o.ttl, m.big || o.big} }

// collect lists the records of a segment and their placements in the scratch.
func (d *Dict) collect(dir *directory, s segment) ([]mem.Ref, marks) {
	refs, m := d.collectMore(s, d.scratch.refs[:0])
	d.placeAll(refs, 0)
	return refs, m
}

func (d *Dict) collectMore(s segment, refs []mem.Ref) ([]mem.Ref, marks) {
	var m marks
	for i := range s.n {
		b := d.bucketAt(s.buckets, i)
		if d.Before != nil {
			d.Before(b)
		}
		m = m.and(marks{b.ttl != 0, b.Big()})
		for {
			for i := range b.places() {
				if b.tags[i] != 0 {
					refs = append(refs, b.refs[i])
				}
			}
			if !b.chained() {
				break
			}
			b = d.next(b)
		}
	}
	d.scratch.refs = refs
	return refs, m
}

// ahead is how many records' cache misses are under way together.
const ahead = 32

// placeAll hashes the keys of refs from a number on.
func (d *Dict) placeAll(refs []mem.Ref, from int) {
	place := d.scratch.place[:from]
	var lines [ahead]uintptr
	for i := from; i < len(refs); i++ {
		if (i-from)%ahead == 0 {
			next := refs[i:min(i+ahead, len(refs))]
			for j, r := range next {
				lines[j] = d.arena.Address(r)
			}
			mem.Prefetch(lines[:len(next)])
		}
		place = append(place, d.hash(KeyOf(d.arena.Ptr(refs[i]))))
	}
	d.scratch.place = place
}

// build makes the buckets of a segment and enters the records from to to of the
// scratch. If memory runs out nothing is changed.
func (d *Dict) build(s *segment, from, to int, m marks) bool {
	if s.buckets = d.newBuckets(s.n); s.buckets == 0 {
		return false
	}
	for i := from; i < to; i++ {
		placement := d.scratch.place[i]
		b := d.bucketAt(s.buckets, bucketOf(placement<<d.skip, s.depth, s.n))
		if !d.put(b, tagOf(placement), d.scratch.refs[i]) {
			d.drop(*s)
			return false
		}
	}
	if m.ttl || m.big {
		for i := range s.n {
			b := d.bucketAt(s.buckets, i)
			if m.big {
				b.SetBig()
			}
			if m.ttl && d.Hint != nil {
				d.Hint(b)
			}
		}
	}
	return true
}

// drop frees the buckets of a segment, not the records.
func (d *Dict) drop(s segment) {
	for i := range s.n {
		d.drain(d.bucketAt(s.buckets, i), nil)
	}
	d.arena.Free(s.buckets)
}

// Each calls fn for every record of a bucket and its chain, until fn returns false.
func (d *Dict) Each(b *Bucket, fn func(Slot) bool) {
	for home := b; ; b = d.next(b) {
		for i := range b.places() {
			if b.tags[i] != 0 && !fn(Slot{home, b, i}) {
				return
			}
		}
		if !b.chained() {
			return
		}
	}
}

// AppendRefs appends the records of a bucket and its chain to refs.
func (d *Dict) AppendRefs(refs []mem.Ref, b *Bucket) []mem.Ref {
	for ; ; b = d.next(b) {
		for i := range b.places() {
			if b.tags[i] != 0 {
				refs = append(refs, b.refs[i])
			}
		}
		if !b.chained() {
			return refs
		}
	}
}

// At is the bucket that a placement falls into, and the first placement behind it, or
// more = false if there is none.
//
// Walking from placement 0 visits every bucket; a placement is a cursor that stays
// good while the table grows and shrinks: whatever lies at or behind it has not been
// visited, whatever lies before it has.
func (d *Dict) At(placement uint64) (b *Bucket, next uint64, more bool) {
	dir := d.dir.Load()
	if dir == nil {
		return nil, 0, false
	}
	pos := placement << d.skip
	buckets, n, depth := unpack(dir.segs[pos>>(64-dir.depth)])
	i := bucketOf(pos, depth, n)
	b = d.bucketAt(buckets, i)
	stripe := placement &^ (1<<(64-d.skip) - 1)
	end := (uint64(i+1)<<rangeBits + uint64(n) - 1) / uint64(n) // in parts of the segment's range
	segStart := pos &^ (1<<(64-depth) - 1)
	if depth == 0 {
		segStart = 0
	}
	step := end << (64 - rangeBits) >> depth
	if end == 1<<rangeBits { // the next segment
		if depth == 0 {
			return b, 0, false
		}
		step = 1 << (64 - depth)
	}
	next = segStart + step
	if next == 0 {
		return b, 0, false
	}
	return b, stripe | next>>d.skip, true
}

// Sample returns a bucket chosen so that every one is equally likely, by random
// numbers r1 and r2; nil if the dict is empty. Segments are chosen in proportion to
// their records.
func (d *Dict) Sample(r1, r2 uint64) *Bucket {
	dir := d.dir.Load()
	if dir == nil || d.count == 0 {
		return nil
	}
	k := int64(r1 % uint64(d.count))
	for at := uint64(0); at < uint64(len(dir.segs)); {
		buckets, n, depth := unpack(dir.segs[at])
		if k -= int64(dir.counts[at]); k < 0 {
			return d.bucketAt(buckets, int(r2%uint64(n)))
		}
		at += 1 << (dir.depth - depth)
	}
	return nil
}

// sampleMax is the length of chains that Random looks into, in places.
const sampleMax = 4 * Places

// Random returns a record, every one being equally likely, by drawing places until one
// holds a record. draw returns random numbers.
func (d *Dict) Random(draw func() uint64) (Slot, bool) {
	for d.count > 0 {
		b := d.Sample(draw(), draw())
		i := int(draw() % sampleMax)
		slot, found := Slot{}, false
		d.Each(b, func(s Slot) bool {
			i--
			slot, found = s, i < 0
			return !found
		})
		if found {
			return slot, true
		}
	}
	return Slot{}, false
}

// Bytes is the memory of the buckets, without the records.
func (d *Dict) Bytes() (n int64) {
	dir := d.dir.Load()
	if dir == nil {
		return 0
	}
	for at := uint64(0); at < uint64(len(dir.segs)); {
		buckets, count, depth := unpack(dir.segs[at])
		n += int64(count) * bucketSize
		for i := range count {
			for b := d.bucketAt(buckets, i); b.chained(); b = d.next(b) {
				n += bucketSize
			}
		}
		at += 1 << (dir.depth - depth)
	}
	return n + int64(len(dir.segs))*int64(unsafe.Sizeof(uint64(0))+4)
}
