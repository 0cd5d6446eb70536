package dict

import (
	"bytes"
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/spineldb/spinel/internal/mem"
)

const (
	rangeBits  = 24  // bits of a position that choose the bucket in a segment
	bucketsMax = 128 // in a segment

	// A segment grows when it would hold more than fullLoad/2 keys a bucket, and
	// shrinks when it holds fewer than bareLoad.
	fullLoad = 23
	bareLoad = 4
)

// A Hash is what a Dict asks about a key: its placement. Equal keys have equal
// placements for the life of the Dict.
type Hash func(key []byte) uint64

// A Dict maps keys to the references of records that begin with them.
type Dict struct {
	arena *mem.Arena
	hash  Hash
	skip  uint8 // leading bits of a placement that are the same for all keys

	dir   atomic.Pointer[directory]
	count int
	gen   uint32

	// Version is stamped on buckets made from now on.
	Version uint16
	// Before, if set, is called for every bucket of a segment that is about to be
	// rebuilt, while the bucket is still whole.
	Before func(*Bucket)
	// Hint recomputes the ttl hint of a bucket after its records were moved into it.
	Hint func(*Bucket)

	scratches *Scratches
	scratch   *scratch // while a segment is rebuilt
}

// Scratches are memory for rebuilding segments, which any number of dicts share. They
// are safe for concurrent use.
type Scratches struct{ pool sync.Pool }

type scratch struct {
	refs  []mem.Ref
	place []uint64
}

// borrow takes scratch memory for a rebuilding; what it returns gives it back.
func (d *Dict) borrow() (giveBack func()) {
	d.scratch, _ = d.scratches.pool.Get().(*scratch)
	if d.scratch == nil {
		d.scratch = &scratch{}
	}
	return func() {
		d.scratches.pool.Put(d.scratch)
		d.scratch = nil
	}
}

// A directory names the segment of each part of the positions. Its entries are read
// without a lock by Home, so both are replaced as wholes.
type directory struct {
	depth  uint8
	segs   []uint64 // packed segments
	counts []int32  // records of a segment, at its first entry
}

// A segment packed into 64 bits: reference of the buckets, their number, the number
// of leading position bits that all its keys share.
func pack(buckets mem.Ref, n int, depth uint8) uint64 {
	return uint64(buckets) | uint64(n)<<32 | uint64(depth)<<48
}

func unpack(s uint64) (buckets mem.Ref, n int, depth uint8) {
	return mem.Ref(s), int(uint16(s >> 32)), uint8(s >> 48)
}

// New returns an empty dict. The first skip bits of all placements are the same.
func New(arena *mem.Arena, hash Hash, skip uint8, scratches *Scratches) *Dict {
	return &Dict{arena: arena, hash: hash, skip: skip, scratches: scratches}
}

// Len is the number of records.
func (d *Dict) Len() int { return d.count }

// Generation changes whenever Slots become invalid: a Slot is good as long as it is what
// it was when the Slot was found.
func (d *Dict) Generation() uint32 { return d.gen }

func tagOf(placement uint64) uint8 {
	t := uint8(placement)
	if t == 0 {
		t = 1
	}
	return t
}

// bucketOf is the number of the bucket among n that a position below a segment of
// the given depth falls into.
func bucketOf(pos uint64, depth uint8, n int) int {
	x := pos << depth >> (64 - rangeBits)
	return int(x * uint64(n) >> rangeBits)
}

func (d *Dict) bucketAt(buckets mem.Ref, i int) *Bucket {
	return (*Bucket)(unsafe.Add(d.arena.Ptr(buckets), i*bucketSize))
}

// Home is the first bucket for a placement, or nil if the dict has none yet.
func (d *Dict) Home(placement uint64) *Bucket {
	dir := d.dir.Load()
	if dir == nil {
		return nil
	}
	pos := placement << d.skip
	s := atomic.LoadUint64(&dir.segs[pos>>(64-dir.depth)])
	buckets, n, depth := unpack(s)
	return d.bucketAt(buckets, bucketOf(pos, depth, n))
}

// Address is where a bucket is, to be prefetched.
func (b *Bucket) Address() uintptr { return uintptr(unsafe.Pointer(b)) }

// AppendCandidates appends the addresses of the records in b that may belong to the
// placement. No lock is needed: b may have changed meanwhile, or be something else by
// now, and then the addresses are good for nothing but prefetching.
func (d *Dict) AppendCandidates(dst []uintptr, b *Bucket, placement uint64) []uintptr {
	lo, hi := b.words()
	want := ones * uint64(tagOf(placement))
	for m := zeros(lo ^ want); m != 0; m &= m - 1 {
		dst = append(dst, d.arena.Address(b.refs[bits.TrailingZeros64(m)>>3]))
	}
	for m := zeros(hi^want) & 0x80808080; m != 0; m &= m - 1 {
		dst = append(dst, d.arena.Address(b.refs[8+bits.TrailingZeros64(m)>>3]))
	}
	return dst
}

// A Slot is a place in the table that holds a record. It is valid until the table
// changes.
type Slot struct {
	Home *Bucket // the first bucket of the chain; nil only in an empty dict
	at   *Bucket
	i    int
}

// Found says whether there is a record in the slot.
func (s Slot) Found() bool { return s.at != nil }

// Ref is the record.
func (s Slot) Ref() mem.Ref { return s.at.refs[s.i] }

// SetRef replaces the record by one with the same key.
func (s Slot) SetRef(r mem.Ref) { s.at.refs[s.i] = r }

// Find looks a key up.
func (d *Dict) Find(placement uint64, key []byte) Slot {
	b := d.Home(placement)
	if b == nil {
		return Slot{}
	}
	home := b
	want := ones * uint64(tagOf(placement))
	for {
		lo, hi := b.words()
		for m := zeros(lo ^ want); m != 0; m &= m - 1 {
			i := bits.TrailingZeros64(m) >> 3
			if d.holds(b.refs[i], key) {
				return Slot{home, b, i}
			}
		}
		for m := zeros(hi^want) & 0x80808080; m != 0; m &= m - 1 {
			i := 8 + bits.TrailingZeros64(m)>>3
			if b.tags[i] != 0 && d.holds(b.refs[i], key) {
				return Slot{home, b, i}
			}
		}
		if !b.chained() {
			return Slot{Home: home}
		}
		b = d.next(b)
	}
}

func (d *Dict) holds(r mem.Ref, key []byte) bool {
	return bytes.Equal(KeyOf(d.arena.Ptr(r)), key)
}

// next is the bucket behind a chained one.
func (d *Dict) next(b *Bucket) *Bucket { return (*Bucket)(d.arena.Ptr(b.refs[Places-1])) }

// Insert adds a record whose key is not in the dict. It returns false if there is no
// memory left. It makes all Slots invalid.
func (d *Dict) Insert(placement uint64, r mem.Ref) bool {
	d.gen++
	dir := d.dir.Load()
	if dir == nil {
		if dir = d.begin(); dir == nil {
			return false
		}
	}
	pos := placement << d.skip
	at := pos >> (64 - dir.depth)
	_, n, depth := unpack(dir.segs[at])
	first := dir.first(at, depth)
	if int(dir.counts[first]+1)*2 > n*fullLoad {
		d.grow(first)
		dir = d.dir.Load()
		at = pos >> (64 - dir.depth)
	}
	buckets, n, depth := unpack(dir.segs[at])
	if !d.put(d.bucketAt(buckets, bucketOf(pos, depth, n)), tagOf(placement), r) {
		return false
	}
	dir.counts[dir.first(at, depth)]++
	d.count++
	return true
}

// first is the first directory entry of the segment that entry at belongs to.
func (dir *directory) first(at uint64, depth uint8) uint64 {
	return at &^ (1<<(dir.depth-depth) - 1)
}

// begin makes the first segment, of one bucket.
func (d *Dict) begin() *directory {
	buckets := d.newBuckets(1)
	if buckets == 0 {
		return nil
	}
	dir := &directory{segs: []uint64{pack(buckets, 1, 0)}, counts: []int32{0}}
	d.dir.Store(dir)
	return dir
}

func (d *Dict) newBuckets(n int) mem.Ref {
	r := d.arena.Alloc(n * bucketSize)
	if r == 0 {
		return 0
	}
	b := unsafe.Slice((*Bucket)(d.arena.Ptr(r)), n)
	clear(b)
	for i := range b {
		b[i].version = d.Version
	}
	return r
}

// put enters a record into a bucket's chain.
func (d *Dict) put(b *Bucket, tag uint8, r mem.Ref) bool {
	for b.chained() {
		b = d.next(b)
	}
	if i := b.empty(); i >= 0 {
		b.tags[i], b.refs[i] = tag, r
		return true
	}
	more := d.newBuckets(1)
	if more == 0 {
		return false
	}
	nb := (*Bucket)(d.arena.Ptr(more))
	nb.tags[0], nb.refs[0] = b.tags[Places-1], b.refs[Places-1]
	nb.tags[1], nb.refs[1] = tag, r
	b.tags[Places-1], b.refs[Places-1] = 0, more
	b.flags |= flagChained
	return true
}

// Delete removes the record of a slot from the table; the record itself is the
// caller's to free. It makes all Slots invalid.
func (d *Dict) Delete(placement uint64, s Slot) {
	d.gen++
	d.remove(s)
	d.count--
	dir := d.dir.Load()
	pos := placement << d.skip
	at := pos >> (64 - dir.depth)
	_, n, depth := unpack(dir.segs[at])
	first := dir.first(at, depth)
	dir.counts[first]--
	if c := int(dir.counts[first]); c < n*bareLoad && (n > 1 || c == 0) {
		d.shrink(first)
	}
}

// remove fills the hole from the end of the chain, so that only the last bucket of
// a chain has empty places.
func (d *Dict) remove(s Slot) {
	var before *Bucket
	last := s.at
	for last.chained() {
		before, last = last, d.next(last)
	}
	i := last.last()
	s.at.tags[s.i], s.at.refs[s.i] = last.tags[i], last.refs[i]
	last.tags[i], last.refs[i] = 0, 0
	if i > 0 || last == s.Home {
		return
	}
	if before == nil { // s.at itself was the last: find who names it
		for before = s.Home; d.next(before) != last; before = d.next(before) {
		}
	}
	d.arena.Free(before.refs[Places-1])
	before.refs[Places-1] = 0
	before.flags &^= flagChained
}

// Clear frees the table, and calls free for every record.
func (d *Dict) Clear(free func(mem.Ref)) {
	for d.ClearSome(free, 1<<62) > 0 {
	}
}

// ClearSome frees whole segments until about max records are gone, and returns how
// many remain. The dict must not be used otherwise meanwhile.
func (d *Dict) ClearSome(free func(mem.Ref), max int) int {
	d.gen++
	dir := d.dir.Load()
	if dir == nil {
		return 0
	}
	freed := 0
	for at := uint64(0); at < uint64(len(dir.segs)) && freed < max; {
		buckets, n, depth := unpack(dir.segs[at])
		width := uint64(1) << (dir.depth - depth)
		if buckets != 0 {
			for i := range n {
				b := d.bucketAt(buckets, i)
				if d.Before != nil {
					d.Before(b)
				}
				freed += d.drain(b, free)
			}
			d.arena.Free(buckets)
			dir.segs[at] = pack(0, n, depth)
		}
		at += width
	}
	d.count -= freed
	if d.count == 0 {
		for at := uint64(0); at < uint64(len(dir.segs)); {
			buckets, _, depth := unpack(dir.segs[at])
			if buckets != 0 {
				d.arena.Free(buckets)
			}
			at += 1 << (dir.depth - depth)
		}
		d.dir.Store(nil)
	}
	return d.count
}

// drain frees the records and the further buckets of a chain.
func (d *Dict) drain(b *Bucket, free func(mem.Ref)) (n int) {
	for first := true; ; first = false {
		for i := range b.places() {
			if b.tags[i] != 0 {
				if free != nil {
					free(b.refs[i])
				}
				n++
			}
		}
		var next mem.Ref
		if b.chained() {
			next = b.refs[Places-1]
		}
		if !first {
			d.arena.Free(d.refOf(b))
		}
		if next == 0 {
			return n
		}
		b = (*Bucket)(d.arena.Ptr(next))
	}
}

func (d *Dict) refOf(b *Bucket) mem.Ref {
	return mem.Ref((uintptr(unsafe.Pointer(b)) - uintptr(d.arena.Ptr(0))) / mem.Granule)
}
