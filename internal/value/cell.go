// Package value is what keys hold besides strings: hashes, sets, sorted sets, lists and
// streams, each in the encodings that Redis reports.
//
// # Layout
//
// A key's record (ds/record) ends with the value part. Small values are that part: a
// listpack or an intset, the very bytes that a snapshot writes. The others are rooted:
//
//	+-------+------------------------------------------+
//	| epoch | root of a structure of ds: refs, counts  |
//	+-------+------------------------------------------+
//	  2
//
// The epoch is that of who is reading the value's leaves in pieces, or was the last to,
// 0 for none (see ds/leaf). A root may be moved as bytes within its arena: nothing knows where it is.
//
//	type     small               rooted
//	list     listpack            quicklist
//	set      intset, listpack    hashtable
//	hash     listpack            hashtable
//	zset     listpack            scoreindex and ranktree
//	stream                       stream
//
// # Use
//
// A Cell is a key's place. The types (Hash, Set, ...) are a few words around a Cell, made
// for one command; they find what they need in the record each time, since that is
// where the truth is. A value converts itself when it outgrows its Limits.
//
// # Invariants
//
//  1. No key holds an empty value after a command, except streams.
//  2. A small value obeys the Limits of the time when it was last changed.
//  3. What a rooted value has allocated is freed by FreeSome, and by nothing else.
//
// All of it is valid under the stripe's lock only.
package value

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/quicklist"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
)

// Limits say when small encodings become big ones. Options change them at run time.
type Limits struct {
	HashEntries, HashValue atomic.Int64
	SetIntset              atomic.Int64
	SetEntries, SetValue   atomic.Int64
	ZSetEntries, ZSetValue atomic.Int64
	ListSize, ListCompress atomic.Int64
	StreamBytes            atomic.Int64 // of a node
	StreamEntries          atomic.Int64 // of a node
	HLLSparse              atomic.Int64
	// PlainFrom is the size in bytes from which an element of a list is a node by
	// itself; 0 for the node's limit (DEBUG QUICKLIST-PACKED-THRESHOLD).
	PlainFrom atomic.Int64
}

// SetDefaults sets what the options' defaults are.
func (l *Limits) SetDefaults() {
	l.HashEntries.Store(512)
	l.HashValue.Store(64)
	l.SetIntset.Store(512)
	l.SetEntries.Store(128)
	l.SetValue.Store(64)
	l.ZSetEntries.Store(128)
	l.ZSetValue.Store(64)
	l.ListSize.Store(-2)
	l.StreamBytes.Store(4096)
	l.StreamEntries.Store(100)
	l.HLLSparse.Store(3000)
}

// Shared is what all cells of a keyspace have in common.
type Shared struct {
	Limits Limits
	// compressed says that there may be compressed nodes of lists.
	compressed atomic.Bool
	// Hash is the seeded hash of fields and members.
	Hash func([]byte) uint64
}

// Scratch is memory that values work with. Who makes cells may give them one, which they
// then share; it is not safe for concurrent use.
type Scratch struct{ list *quicklist.Scratch }

// forLists is the memory for compressed nodes, nil if there are none.
func (c *Cell) forLists() *quicklist.Scratch {
	if c.Limits.ListCompress.Load() > 0 {
		c.compressed.Store(true)
	}
	if !c.compressed.Load() {
		return nil
	}
	if c.Scratch == nil {
		c.Scratch = &Scratch{}
	}
	if c.Scratch.list == nil {
		c.Scratch.list = &quicklist.Scratch{}
	}
	return c.Scratch.list
}

// A Cell is a key's record in its place in the table. It stays good while other keys
// come and go, until its own key is removed.
type Cell struct {
	*Shared
	Arena   *mem.Arena
	Scratch *Scratch

	dict *dict.Dict
	at   uint64
	slot dict.Slot
	gen  uint32
	ref  mem.Ref
}

// NewCell is the cell of a record that was found in a table.
func NewCell(sh *Shared, a *mem.Arena, d *dict.Dict, placement uint64, slot dict.Slot) Cell {
	return Cell{Shared: sh, Arena: a, dict: d, at: placement, slot: slot, gen: d.Generation(), ref: slot.Ref()}
}

// NewView is the cell of a record for reading: it must not be resized.
func NewView(sh *Shared, a *mem.Arena, ref mem.Ref) Cell {
	return Cell{Shared: sh, Arena: a, ref: ref}
}

// Record is the key's record.
func (c *Cell) Record() record.Record { return record.At(c.Arena, c.ref) }

// Ref is the block of the record.
func (c *Cell) Ref() mem.Ref { return c.ref }

// Type is the type of the value.
func (c *Cell) Type() record.Type { return c.Record().Type() }

// Encoding is how the value is kept.
func (c *Cell) Encoding() record.Encoding { return c.Record().Encoding() }

// Bytes is the value part. It may be changed in place.
func (c *Cell) Bytes() []byte { return c.Record().Bytes() }

// Resize changes the encoding, and the length of the value part to n bytes, of which the
// first stay what they were. What new bytes are is arbitrary. The record may move. If
// there is no memory it returns mem.ErrExhausted and nothing has changed.
func (c *Cell) Resize(e record.Encoding, n int) ([]byte, error) {
	rec := c.Record()
	size, room := rec.SizeWith(n), c.Arena.Cap(c.ref)
	if size <= room && 2*mem.RoundUp(size) >= room {
		return rec.Resize(e, n), nil
	}
	fresh := c.Arena.Alloc(size)
	if fresh == 0 {
		return nil, mem.ErrExhausted
	}
	b := rec.CopyResized(c.Arena, fresh, e, n)
	if g := c.dict.Generation(); g != c.gen {
		c.slot, c.gen = c.dict.Find(c.at, rec.Key()), g
	}
	c.slot.SetRef(fresh)
	c.Arena.Free(c.ref)
	c.ref = fresh
	return b, nil
}

// epochSize is the number of bytes before a root.
const epochSize = 2

// Heap is where the blocks of a rooted value are.
func (c *Cell) Heap() leaf.Heap { return leaf.Heap{Arena: c.Arena, Epoch: c.Epoch()} }

// Epoch is that of who last read the value's leaves in pieces, 0 for none.
func (c *Cell) Epoch() uint16 { return epochOf(c.Record()) }

// SetEpoch changes the epoch of a rooted value.
func (c *Cell) SetEpoch(e uint16) { binary.LittleEndian.PutUint16(c.Bytes(), e) }

func epochOf(rec record.Record) uint16 {
	if !rec.IsRooted() {
		return 0
	}
	return binary.LittleEndian.Uint16(rec.Bytes())
}

// Root is the root of a rooted value.
func (c *Cell) Root() []byte { return c.Bytes()[epochSize:] }

// MakeRoot gives the value part another encoding, with a root of n bytes, and returns
// the root. What it holds is arbitrary: the caller has taken what it needs of the old
// value part before.
func (c *Cell) MakeRoot(e record.Encoding, n int) ([]byte, error) {
	b, err := c.Resize(e, epochSize+n)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint16(b, 0)
	return b[epochSize:], nil
}
