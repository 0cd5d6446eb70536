package mem

import (
	"errors"
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/spineldb/spinel/internal/invariant"
)

// A Ref names a block of an arena: its distance from the start in granules. Zero
// names nothing.
type Ref uint32

// ReserveMax is the most address space that Refs of an arena can reach.
const ReserveMax = (1 << 32) * Granule

// ErrExhausted means that an arena's reserved addresses are used up.
var ErrExhausted = errors.New("mem: arena exhausted")

// The kinds of page. Values from kindSpan on are a class plus kindSpan.
const (
	kindInside = iota // not the first page of its run
	kindFree          // first page of a free run whose pages hold nothing resident
	kindDirty         // first page of a free run that may be resident
	kindLarge         // first page of a large block
	kindSpan
)

// pageInfo is what is known of one page. Of a run, the first page says everything;
// the pages of a span know their distance to the first, and the last page of a free
// run knows the run's length.
type pageInfo struct {
	kind uint8
	back uint8  // pages to the first page of the span
	live uint16 // blocks in use
	free uint16 // first free block of the span, plus one
	bump uint16 // blocks ever used; those from here on are free and untouched
	a    uint32 // span: next span with room; run: length in pages
	b    uint32 // span: previous span with room; free run: next in its bin
}

const pageInfoSize = 16

const _ = uint(pageInfoSize - unsafe.Sizeof(pageInfo{})) // the two must agree

// runBins are for free runs of 1, 2-3, 4-7, ... pages.
const runBins = 24

// An Arena is memory for the data of one stripe. The zero Arena is not usable.
type Arena struct {
	base unsafe.Pointer

	data  region
	info  region
	pages unsafe.Pointer // []pageInfo, one for each page of data

	next      uint32 // first page never handed out
	committed uint32 // pages that may be touched
	ahead     uint32 // pages that Ahead has told of
	limit     uint32 // pages reserved
	dirty     uint32 // pages in free runs that may be resident
	freePages uint32
	trimming  trimming

	live   int64
	blocks int64
	lists  [classes]uint32 // first span with room, by class
	asked  [classes]uint16 // allocations of a class that coarse ones have served
	bins   [runBins]uint32

	shadow shadow
}

// New reserves an arena of the given bytes of address space, at most ReserveMax.
// Nothing is resident until it is used.
func New(reserve int64) (*Arena, error) {
	if reserve <= 0 || reserve > ReserveMax || reserve%pageSize != 0 {
		return nil, fmt.Errorf("mem: cannot reserve %d bytes", reserve)
	}
	a := &Arena{limit: uint32(min(reserve/pageSize, 1<<32-1)), next: 1}
	var err error
	if a.data, err = reserveRegion(uintptr(reserve)); err != nil {
		return nil, fmt.Errorf("mem: reserving %d bytes: %w", reserve, err)
	}
	if a.info, err = reserveRegion(uintptr(reserve / pageSize * pageInfoSize)); err != nil {
		a.data.release()
		return nil, fmt.Errorf("mem: reserving page table: %w", err)
	}
	a.base, a.pages = a.data.base, a.info.base
	if !a.commit(1) {
		a.Release()
		return nil, ErrExhausted
	}
	return a, nil
}

// Release gives the address space back. No Ref is valid after it.
func (a *Arena) Release() {
	a.data.release()
	a.info.release()
	a.base, a.pages = nil, nil
}

// Live is the number of bytes in allocated blocks, rounded up to their class.
func (a *Arena) Live() int64 { return a.live }

// Blocks is the number of allocated blocks.
func (a *Arena) Blocks() int64 { return a.blocks }

// Held is the number of bytes that may be resident: live blocks, the free ones among
// them, and free pages not yet given back.
func (a *Arena) Held() int64 {
	return int64(a.next-(a.freePages-a.dirty)) * pageSize
}

// Ptr is the address of a block.
func (a *Arena) Ptr(r Ref) unsafe.Pointer {
	return unsafe.Add(a.base, uintptr(r)<<granuleShift)
}

// Bytes is the first n bytes of a block. The slice must not outlive the stripe's lock.
func (a *Arena) Bytes(r Ref, n int) []byte {
	return unsafe.Slice((*byte)(a.Ptr(r)), n)
}

func (a *Arena) page(p uint32) *pageInfo {
	return (*pageInfo)(unsafe.Add(a.pages, uintptr(p)*pageInfoSize))
}

func pageOf(r Ref) uint32 { return uint32(r) >> (pageShift - granuleShift) }

func refOf(page uint32) Ref { return Ref(page << (pageShift - granuleShift)) }

// RoundUp is the size of the block that Alloc(n) gives once its class has spans of its
// own.
func RoundUp(n int) int {
	if n > smallMax-canarySize {
		return (n + canarySize + pageSize - 1) &^ (pageSize - 1)
	}
	return int(classTable[classOf(max(n, 1)+canarySize)].size)
}

// Alloc returns a block of at least n bytes whose content is arbitrary, or 0 if the
// reserved addresses are used up.
func (a *Arena) Alloc(n int) Ref {
	n = max(n, 1)
	var r Ref
	if n <= smallMax-canarySize {
		c := classOf(n + canarySize)
		if ci := &classTable[c]; a.asked[c] < ci.fineFrom {
			a.asked[c]++
			c = int(ci.coarse)
		}
		r = a.allocSmall(c)
	} else {
		r = a.allocLarge(n + canarySize)
	}
	if invariant.Enabled && r != 0 {
		a.shadow.allocated(a, r, n)
	}
	return r
}

func (a *Arena) allocSmall(c int) Ref {
	ci := &classTable[c]
	p := a.lists[c]
	if p == 0 {
		if p = a.takeRun(uint32(ci.pages)); p == 0 {
			return 0
		}
		*a.page(p) = pageInfo{kind: uint8(kindSpan + c)}
		for i := uint32(1); i < uint32(ci.pages); i++ {
			*a.page(p + i) = pageInfo{kind: kindInside, back: uint8(i)}
		}
		a.lists[c] = p
	}
	pi := a.page(p)
	var block uint32
	if pi.free != 0 {
		block = uint32(pi.free) - 1
		pi.free = *(*uint16)(a.blockPtr(p, block, ci.size))
	} else {
		block = uint32(pi.bump)
		pi.bump++
	}
	pi.live++
	if pi.live == ci.blocks {
		a.unlink(c, pi)
	}
	a.live += int64(ci.size)
	a.blocks++
	return refOf(p) + Ref(block*(ci.size>>granuleShift))
}

func (a *Arena) blockPtr(p, block, size uint32) unsafe.Pointer {
	return unsafe.Add(a.base, uintptr(p)<<pageShift+uintptr(block)*uintptr(size))
}

// unlink takes the span at the head of its class's list off it, or one inside it.
func (a *Arena) unlink(c int, pi *pageInfo) {
	if pi.b != 0 {
		a.page(pi.b).a = pi.a
	} else {
		a.lists[c] = pi.a
	}
	if pi.a != 0 {
		a.page(pi.a).b = pi.b
	}
	pi.a, pi.b = 0, 0
}

// Free returns a block.
func (a *Arena) Free(r Ref) {
	if invariant.Enabled {
		a.shadow.freed(a, r)
	}
	p := pageOf(r)
	pi := a.page(p)
	if pi.kind == kindLarge {
		n := pi.a
		a.live -= int64(n) * pageSize
		a.blocks--
		a.giveRun(p, n)
		return
	}
	if pi.kind == kindInside {
		p -= uint32(pi.back)
		pi = a.page(p)
	}
	c := int(pi.kind) - kindSpan
	ci := &classTable[c]
	block := (uint32(r) - uint32(refOf(p))) / (ci.size >> granuleShift)
	*(*uint16)(a.Ptr(r)) = pi.free
	pi.free = uint16(block) + 1
	a.live -= int64(ci.size)
	a.blocks--
	if pi.live == ci.blocks { // it was full: it has room again
		pi.a, pi.b = a.lists[c], 0
		if pi.a != 0 {
			a.page(pi.a).b = p
		}
		a.lists[c] = p
	}
	pi.live--
	if pi.live == 0 && (pi.a != 0 || pi.b != 0) { // keep the only one of its class
		a.unlink(c, pi)
		a.giveRun(p, uint32(ci.pages))
	}
}

// Cap is the number of bytes that may be used of a block.
func (a *Arena) Cap(r Ref) int {
	p := pageOf(r)
	pi := a.page(p)
	if pi.kind == kindLarge {
		return int(pi.a)*pageSize - canarySize
	}
	if pi.kind == kindInside {
		pi = a.page(p - uint32(pi.back))
	}
	return int(classTable[int(pi.kind)-kindSpan].size) - canarySize
}

func (a *Arena) allocLarge(n int) Ref {
	pages := (int64(n) + pageSize - 1) >> pageShift
	if pages >= int64(a.limit) {
		return 0
	}
	p := a.takeRun(uint32(pages))
	if p == 0 {
		return 0
	}
	*a.page(p) = pageInfo{kind: kindLarge, a: uint32(pages)}
	a.live += pages * pageSize
	a.blocks++
	return refOf(p)
}

// GrowInPlace makes a large block at least n bytes long without moving it, if the
// pages behind it are free.
func (a *Arena) GrowInPlace(r Ref, n int) bool {
	p := pageOf(r)
	pi := a.page(p)
	if invariant.Enabled || pi.kind != kindLarge {
		return false // checked builds always move, which finds stale references
	}
	want := uint32((int64(n) + canarySize + pageSize - 1) >> pageShift)
	have := pi.a
	if want <= have {
		return true
	}
	more := want - have
	behind := p + have
	if behind == a.next {
		if int64(behind)+int64(more) > int64(a.limit) || !a.commit(behind+more) {
			return false
		}
		a.next += more
	} else {
		bi := a.page(behind)
		if (bi.kind != kindFree && bi.kind != kindDirty) || bi.a < more {
			return false
		}
		length, kind := bi.a, bi.kind
		a.unbin(behind)
		a.account(kind, length, -1)
		if length > more {
			a.bin(behind+more, length-more, kind)
		}
	}
	*a.page(behind) = pageInfo{}
	pi.a = want
	a.live += int64(more) * pageSize
	return true
}

// --- runs of pages ---

func binOf(pages uint32) int { return min(bits.Len32(pages)-1, runBins-1) }

// tries bounds the first fit within one bin.
const tries = 16

// takeRun finds n free pages, or 0.
func (a *Arena) takeRun(n uint32) uint32 {
	for bin := binOf(n); bin < runBins; bin++ {
		p := a.bins[bin]
		for i := 0; p != 0 && i < tries; i++ {
			pi := a.page(p)
			if pi.a >= n {
				length, kind := pi.a, pi.kind
				a.unbin(p)
				a.account(kind, length, -1)
				if length > n {
					a.bin(p+n, length-n, kind)
				}
				return p
			}
			p = pi.b
		}
	}
	if int64(a.next)+int64(n) > int64(a.limit) || !a.commit(a.next+n) {
		return 0
	}
	p := a.next
	a.next += n
	return p
}

// giveRun takes n used pages back and joins them with free neighbours.
func (a *Arena) giveRun(p, n uint32) {
	kind := uint8(kindDirty)
	if end := p + n; end < a.next {
		if pi := a.page(end); pi.kind == kindFree || pi.kind == kindDirty {
			length := pi.a
			a.account(pi.kind, length, -1)
			a.unbin(end)
			n += length
		}
	}
	if p > 1 {
		if last := a.page(p - 1); last.live == lastOfRun {
			first := p - last.a
			pi := a.page(first)
			a.account(pi.kind, pi.a, -1)
			n += pi.a
			a.unbin(first)
			p = first
		}
	}
	a.bin(p, n, kind)
}

// lastOfRun in the live field marks the last page of a free run; a is its length.
const lastOfRun = 1<<16 - 1

func (a *Arena) account(kind uint8, pages uint32, sign int) {
	if sign < 0 {
		pages = -pages
	}
	a.freePages += pages
	if kind == kindDirty {
		a.dirty += pages
	}
}

// bin enters a free run. Its first page holds the length and the links of the bin,
// its last page the length again, for the neighbour that is freed behind it.
func (a *Arena) bin(p, n uint32, kind uint8) {
	a.account(kind, n, +1)
	bin := binOf(n)
	if n > 1 {
		*a.page(p + n - 1) = pageInfo{live: lastOfRun, a: n}
	}
	first := pageInfo{kind: kind, a: n, b: a.bins[bin]}
	if n == 1 {
		first.live = lastOfRun
	}
	*a.page(p) = first
	if first.b != 0 {
		a.setPrev(first.b, p)
	}
	a.setPrev(p, 0)
	a.bins[bin] = p
}

// The previous run of a bin is kept in the 32 bits of free and bump.
func (a *Arena) setPrev(p, prev uint32) {
	pi := a.page(p)
	pi.free, pi.bump = uint16(prev), uint16(prev>>16)
}

// unbin removes a free run from its bin and clears its boundary marks.
func (a *Arena) unbin(p uint32) {
	pi := a.page(p)
	n, next := pi.a, pi.b
	prev := uint32(pi.free) | uint32(pi.bump)<<16
	if prev != 0 {
		a.page(prev).b = next
	} else {
		a.bins[binOf(n)] = next
	}
	if next != 0 {
		a.setPrev(next, prev)
	}
	*a.page(p + n - 1) = pageInfo{}
	*a.page(p) = pageInfo{}
	if p == a.trimming.first {
		a.trimming = trimming{}
	}
}

// Trim gives up to about max bytes of free pages back to the system and returns how
// many it gave. It makes one system call for each free run, or part of one.
func (a *Arena) Trim(max int64) int64 {
	for c := range a.lists { // the empty span that a class may keep
		if p := a.lists[c]; p != 0 && a.page(p).live == 0 {
			a.unlink(c, a.page(p))
			a.giveRun(p, uint32(classTable[c].pages))
		}
	}
	var given int64
	for bin := runBins - 1; bin >= 0 && a.dirty > 0; bin-- {
		for p := a.bins[bin]; p != 0; {
			pi := a.page(p)
			next := pi.b
			if pi.kind == kindDirty {
				if given >= max {
					return given
				}
				given += a.discardSome(p, pi, max-given)
			}
			p = next
		}
	}
	return given
}

// discardSome gives up to about max bytes of a dirty run back, which may be gigabytes: the
// system takes some microseconds for a megabyte, during which a lock is held. The run is
// clean with its last page.
func (a *Arena) discardSome(p uint32, pi *pageInfo, max int64) (given int64) {
	from := uint32(0)
	if a.trimming.first == p {
		from = a.trimming.done
	}
	n := uint32(min(int64(pi.a-from), (max+pageSize-1)>>pageShift))
	a.data.discard(uintptr(p+from)<<pageShift, uintptr(n)<<pageShift)
	if from += n; from == pi.a {
		pi.kind = kindFree
		a.dirty -= pi.a
		a.trimming = trimming{}
	} else {
		a.trimming = trimming{p, from}
	}
	return int64(n) << pageShift
}

// A trimming is a dirty run by its first page, and how many of its pages have been given
// back. It is forgotten when the run is used or grows.
type trimming struct{ first, done uint32 }

// Dirty is the number of free bytes that may be resident still.
func (a *Arena) Dirty() int64 { return int64(a.dirty) * pageSize }

// commitStep bounds how often commit asks the system.
const commitStep = (1 << 20) / pageSize

// hugeFrom is the size from which an arena asks for huge pages: 2 MiB at a time would
// multiply the memory of small ones.
const hugeFrom = (32 << 20) / pageSize

// commit makes pages below end usable.
func (a *Arena) commit(end uint32) bool {
	if end <= a.committed {
		return true
	}
	upTo := max(end, a.committed+max(commitStep, a.committed/16))
	const huge = (2 << 20) / pageSize
	upTo = min((upTo+huge-1)&^(huge-1), a.limit)
	if !a.data.commit(uintptr(a.committed)<<pageShift, uintptr(upTo)<<pageShift) ||
		!a.info.commit(uintptr(a.committed)*pageInfoSize, uintptr(upTo)*pageInfoSize) {
		return false
	}
	if a.committed >= hugeFrom {
		a.data.adviseHuge(uintptr(a.committed)<<pageShift, uintptr(upTo)<<pageShift)
	}
	a.committed = upTo
	return true
}

// An Ahead is memory that has not been handed out yet.
type Ahead struct{ b []byte }

// Ahead is the memory for about the next n bytes, as far as nobody has had it yet. To make
// it resident is the system's work, which takes a huge page at a time: 0.1 ms each, and on a
// virtual machine that has to ask for it as well, 6 ms. Who will need much, in pieces under a
// lock, calls Populate when he does not hold it.
func (a *Arena) Ahead(n int) Ahead {
	end := min(int64(a.next)+int64(n>>pageShift)+1, int64(a.limit))
	if end <= int64(a.ahead) || !a.commit(uint32(end)) {
		return Ahead{}
	}
	const huge = (2 << 20) / pageSize
	if a.committed >= hugeFrom {
		end = min((end+2*huge-1)&^(huge-1), int64(a.committed)) // spans of many classes may begin
	}
	from := max(a.next, a.ahead)
	a.ahead = uint32(end)
	first := unsafe.Add(a.data.base, uintptr(from)<<pageShift)
	return Ahead{unsafe.Slice((*byte)(first), uintptr(a.ahead-from)<<pageShift)}
}

// Populate makes the memory resident, if the system can do that without touching it. Who
// holds the arena may use the memory meanwhile, or release the arena.
func (x Ahead) Populate() {
	if len(x.b) > 0 {
		populate(x.b)
	}
}
