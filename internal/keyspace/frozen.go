package keyspace

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/value"
)

// # Frozen values
//
// A rooted value is read in pieces, while it changes, by whoever has frozen it: a snapshot,
// or a command whose reply is too big to be made in one go. What that means for a leaf is
// in package leaf. A leaf has one stamp, so a value has one reader at a time.
//
//	the root's epoch is     the value
//	of no active freeze     may be frozen: all its leaves bear the root's epoch
//	of an active freeze     may be frozen already
//
// A freeze takes an epoch that is neither 0, nor the root's, nor that of another active
// freeze of the heap. Numbers have 16 bits and come again, which is no matter:
//
//  1. All leaves of a value without a reader bear its root's epoch: New gives it to them,
//     and Thaw, which a freeze calls for each of its leaves before it ends, even if nobody
//     wants to read on. So a number that is not the root's is on none of them.
//  2. A value that has a reader bears the epoch of an active freeze, since only Freeze
//     changes it, or what makes a new root: that has epoch 0, and new leaves.
//
// What may happen is that a value without a reader bears, from long ago, an epoch that is
// active now because of another value. A command then does what it does while there is a
// reader, and a snapshot hurries a reader that was not in its way.

// A Frozen is a rooted value as it was when it was frozen, or a range of it, to be read in
// pieces while the value changes. Whoever made it must call Read until there is no more, or
// Release. It is used by one goroutine at a time.
type Frozen struct {
	st    *stripe
	typ   record.Type
	epoch uint16
	count int // of leaves

	// What follows belongs to the stripe's lock as long as heap is not nil.
	heap   *heap
	leaves []mem.Ref
	next   int
	back   bool        // the leaves, and members in them, are read from the last to the first
	beside []mem.Ref   // leaves that nobody wants to read, still to be thawed
	rest   *value.Rest // of a snapshot, what comes behind the leaves
	kept   kept        // elements that others have copied for us
	gone   bool        // nobody wants to read any more

	held atomic.Int64 // bytes of kept
}

// IsRooted says whether the value is more than its record: it is to be frozen instead of
// copied.
func (v Value) IsRooted() bool { return v.Record.IsRooted() }

// Freeze freezes a rooted value that the snapshot saves. The stripe is locked. It costs
// some nanoseconds a leaf; and if a command is reading the value, a copy of what is left
// to be read, since the cut does not wait.
func (s *Snapshot) Freeze(v Value) *Frozen {
	c, h := v.Cell(), v.st.heap
	h.hurry(c.Epoch())
	return v.st.freeze(&c, true)
}

// freezesMax is how many values of a stripe may be frozen for commands to begin to freeze
// another.
const freezesMax = 1 << 10

// Freeze freezes the value of a key. It returns false if there is no such key, if its value
// is not rooted, or if somebody else is reading it. Then it is to be read whole, or later.
// It is no access.
func (t *Txn) Freeze(key []byte) (f *Frozen, ok bool) { return t.FreezeIn(t.DB, key) }

// FreezeIn is Freeze in another database.
func (t *Txn) FreezeIn(db int, key []byte) (f *Frozen, ok bool) {
	p, ok := t.live(db, key)
	if !ok || !p.rec().IsRooted() {
		return nil, false
	}
	c, h := t.cell(&p), p.st.heap
	if h.epochs[c.Epoch()] > 0 || len(h.frozen) >= freezesMax {
		return nil, false
	}
	return p.st.freeze(&c, false), true
}

// freeze freezes a value that nobody is reading, perhaps also what is no element.
func (st *stripe) freeze(c *value.Cell, all bool) *Frozen {
	h := st.heap
	f := &Frozen{st: st, heap: h, typ: c.Type(), epoch: h.pickEpoch(c.Epoch())}
	if all {
		f.leaves, f.rest = value.FreezeAll(c, f.epoch, nil)
	} else {
		f.leaves = value.Freeze(c, f.epoch, nil)
	}
	f.count = len(f.leaves)
	if h.frozen == nil {
		h.frozen, h.epochs = map[*Frozen]struct{}{}, map[uint16]int{}
	}
	h.frozen[f] = struct{}{}
	h.epochs[f.epoch]++
	return f
}

// epochsMax is up to how many active freezes get epochs of their own. More there are only
// while a snapshot is written more slowly than its values are changed.
const epochsMax = 1 << 14

// pickEpoch chooses the epoch of a freeze, of a value that has another.
func (h *heap) pickEpoch(current uint16) uint16 {
	for {
		h.epoch++
		if h.epoch == 0 || h.epoch == current {
			continue
		}
		if h.epochs[h.epoch] == 0 || len(h.epochs) >= epochsMax {
			return h.epoch
		}
	}
}

// hurry ends all freezes of an epoch: what is left to be read is copied.
func (h *heap) hurry(epoch uint16) {
	if h.epochs[epoch] == 0 {
		return
	}
	for f := range h.frozen {
		if f.epoch == epoch {
			f.finish()
		}
	}
}

// Range makes Read come only to the leaves with the elements of ranks from up to to, of a
// list or a sorted set, or backward. It returns how many elements of the first leaf that it
// comes to are outside of the range; behind the range there may be some too. The stripe is
// locked still, by the command that froze the value, which c is.
func (f *Frozen) Range(c *value.Cell, from, to int, back bool) (skip int) {
	ref, skip, _ := value.Seek(c, from)
	lo := slices.Index(f.leaves, ref)
	ref, _, behind := value.Seek(c, to-1)
	hi := lo + slices.Index(f.leaves[lo:], ref) + 1
	f.beside = slices.Concat(f.leaves[:lo], f.leaves[hi:])
	f.leaves = f.leaves[lo:hi:hi]
	if back {
		f.Backward()
		return behind
	}
	return skip
}

// Backward makes Read come to the leaves in the opposite order. The stripe is locked still, by
// the command that froze the value.
func (f *Frozen) Backward() {
	f.back = true
	slices.Reverse(f.leaves)
}

// ConsumersFirst has Read come to the consumers of each group of a stream before what is pending
// in it, and not to what each of them owns. The stripe is locked still, by the snapshot that
// froze the value.
func (f *Frozen) ConsumersFirst() {
	if f.rest != nil {
		f.rest.ConsumersFirst()
	}
}

// Type is the type of the value.
func (f *Frozen) Type() record.Type { return f.typ }

// Leaves is the number of leaves.
func (f *Frozen) Leaves() int { return f.count }

// Read calls fn for the elements of the next leaves, until enough returns true behind a
// leaf, and says whether it is to be called again; it may then come to nothing more. The
// bytes are valid during the call of fn. It holds the stripe's lock; so nothing may be
// locked, and fn must not wait.
func (f *Frozen) Read(fn func(e value.Element), enough func() bool) (more bool) {
	return f.read(fn, nil, enough)
}

// ReadTexts is Read of a hash, set or sorted set in another way.
func (f *Frozen) ReadTexts(fn value.TextFunc, enough func() bool) (more bool) {
	return f.read(nil, fn, enough)
}

// read gives elements to one of two functions, the other is nil.
func (f *Frozen) read(fn func(e value.Element), texts value.TextFunc, enough func() bool) (more bool) {
	f.st.mu.Lock()
	if f.heap == nil {
		f.st.mu.Unlock()
		if fn == nil {
			fn = func(e value.Element) { texts(e.Name.Bytes, e.Value.Bytes, e.Score, e.Expiry) }
		}
		return f.readKept(fn, enough)
	}
	defer f.st.mu.Unlock()
	for f.isLeft() {
		f.pass(fn, texts)
		if enough() {
			break
		}
	}
	if more = f.isLeft(); !more {
		more = !f.thaw(thawLeaves)
	}
	f.st.ks.used.Add(f.st.settle())
	return more
}

// readKept is Read for what others have copied, which needs no lock.
func (f *Frozen) readKept(fn func(e value.Element), enough func() bool) (more bool) {
	more = f.kept.read(fn, enough)
	for !more && f.rest != nil {
		if !f.rest.Next(nil, 0, fn) {
			f.rest = nil
		}
		more = f.rest != nil && enough()
	}
	return more
}

// isLeft says whether something is left to be read.
func (f *Frozen) isLeft() bool { return f.next < len(f.leaves) || f.rest != nil }

// pass reads the next leaf, with one of two functions, and thaws it. If both are nil it is
// thawed and not read.
func (f *Frozen) pass(fn func(e value.Element), texts value.TextFunc) {
	a := f.heap.arena
	if f.next == len(f.leaves) {
		if fn == nil && !f.rest.Drop(a, f.epoch) || fn != nil && !f.rest.Next(a, f.epoch, fn) {
			f.rest = nil
		}
		return
	}
	ref := f.leaves[f.next]
	f.next++
	switch {
	case texts != nil:
		value.EachText(f.typ, a, ref, f.back, texts)
	case fn == nil:
	case f.back && f.typ == record.ZSet:
		value.EachText(f.typ, a, ref, true, func(name, _ []byte, score float64, expiry int64) {
			fn(value.Element{Name: listpack.Elem{Bytes: name}, Score: score, Expiry: expiry})
		})
	default:
		value.EachInLeaf(f.typ, a, ref, fn)
	}
	value.Thaw(f.typ, a, f.epoch, ref)
}

// finish copies what is left to be read, so that somebody else may freeze the value.
func (f *Frozen) finish() {
	if f.gone {
		f.thaw(math.MaxInt)
		return
	}
	for f.next < len(f.leaves) {
		f.pass(f.kept.add, nil)
	}
	rest := f.rest
	if rest != nil {
		rest.Hurry(f.heap.arena, f.epoch)
		f.rest = nil
	}
	f.thaw(math.MaxInt)
	f.rest = rest
	f.held.Store(f.kept.bytes())
}

// Held is the number of bytes that somebody else has copied for who reads.
func (f *Frozen) Held() int64 { return f.held.Load() }

// thawLeaves is how many leaves are thawed under one lock: some 30 us.
const thawLeaves = 256

// thaw thaws about so many leaves, without reading them, and says whether that was all.
func (f *Frozen) thaw(leaves int) (done bool) {
	for ; f.heap != nil && leaves > 0; leaves-- {
		n := len(f.beside) - 1
		switch {
		case f.isLeft():
			f.pass(nil, nil)
		case n >= 0:
			value.Thaw(f.typ, f.heap.arena, f.epoch, f.beside[n])
			f.beside = f.beside[:n]
		default:
			f.end()
		}
	}
	return f.heap == nil
}

// Release thaws what was not read: now if that is little, else in the background (LazyFree).
// Nothing may be locked. It may be called again.
func (f *Frozen) Release() {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	if !f.gone && !f.thaw(thawLeaves) {
		f.st.thawing = append(f.st.thawing, f)
	}
	f.gone = true
	f.kept = kept{}
	f.held.Store(0)
	f.st.ks.used.Add(f.st.settle())
}

// end is called when all leaves are thawed. It lets the heap go, if a flush has replaced it
// meanwhile. It may be called again.
func (f *Frozen) end() {
	f.leaves, f.next = nil, 0
	h := f.heap
	if h == nil {
		return
	}
	f.heap = nil
	delete(h.frozen, f)
	if h.epochs[f.epoch]--; h.epochs[f.epoch] == 0 {
		delete(h.epochs, f.epoch)
	}
	h.releaseIfDead()
}
