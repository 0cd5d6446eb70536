package snapshot

import (
	"encoding/binary"
	"sync"

	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/dump"
	"github.com/spineldb/spinel/internal/keyspace"
)

const (
	// chunkBytes is the room in a chunk: large enough that the queue's lock is met
	// rarely, small enough that one for each stripe is little.
	chunkBytes = 64 << 10

	// headBytesMax is the most that a record takes besides its key and value: flags,
	// database, expiry, access, kind, the two lengths.
	headBytesMax = 1 + 4 + 8 + 4 + 1 + 4 + 4
)

// A chunk holds records of one stripe in a raw form, which costs nothing to write
// while the stripe is locked:
//
//	+-------+----+--------+--------+------+---------+-----------+-----+-------+
//	| flags | db | expiry | access | kind | key len | value len | key | value |
//	+-------+----+--------+--------+------+---------+-----------+-----+-------+
//	  1      4/0   8/0      4/0      1/0    4         4/0               8 if an integer
//
// All numbers are little endian. The database stands in the first record of a chunk,
// and where it changes. A lent record has no lengths, key and text here: they are the
// next of lent. What is no string has a kind, its type and encoding; the value is its
// value part, or it is the next of frozen.
type chunk struct {
	buf    []byte
	lent   []lent
	frozen []frozen
	keys   int
}

// A frozen is a value that is too big to be copied at once.
type frozen struct {
	key    []byte
	head   dump.Head
	leaves *keyspace.Frozen
}

// A lent is a big record that stays where it is until it is written.
type lent struct {
	key, value []byte
	release    func() // must be called without any stripe's lock
}

// What the flags of a raw record say.
const (
	flagDB     = 1 << iota // a database follows
	flagExpiry             // an expiry follows
	flagIdle               // the access is seconds
	flagFreq               // the access is a counter
	flagInt                // the value is an integer
	flagLent               // key and value are lent
	flagPart               // the value is the value part of a kind
	flagFrozen             // the value is frozen
)

// kindEncodingShift is where the encoding is in a kind; the type is below.
const kindEncodingShift = 4

// A rawRecord is one record of a chunk.
type rawRecord struct {
	flags      byte
	db         int // if flagDB
	expiry     int64
	access     uint32
	number     int64
	key, value []byte
	kind       byte    // if flagPart or flagFrozen
	frozen     *frozen // if flagFrozen
}

func (r *rawRecord) kindOf() (record.Type, record.Encoding) {
	return record.Type(r.kind & (1<<kindEncodingShift - 1)), record.Encoding(r.kind >> kindEncodingShift)
}

// isLong says whether the value is a lent text that may be written from where it is.
func (r *rawRecord) isLong() bool {
	return r.flags&flagLent != 0 && r.flags&(flagInt|flagPart) == 0 && len(r.value) >= writeBytes
}

// next takes the first record off raw. A lent or frozen one gets its key and value from
// its place in the chunk.
func (r *rawRecord) next(raw []byte, c *chunk, lentBefore int) (rest []byte) {
	r.flags, raw = raw[0], raw[1:]
	if r.flags&flagDB != 0 {
		r.db, raw = int(binary.LittleEndian.Uint32(raw)), raw[4:]
	}
	if r.flags&flagExpiry != 0 {
		r.expiry, raw = int64(binary.LittleEndian.Uint64(raw)), raw[8:]
	}
	if r.flags&(flagIdle|flagFreq) != 0 {
		r.access, raw = binary.LittleEndian.Uint32(raw), raw[4:]
	}
	if r.flags&(flagPart|flagFrozen) != 0 {
		r.kind, raw = raw[0], raw[1:]
	}
	if r.flags&flagFrozen != 0 {
		r.frozen = &c.frozen[0] // a frozen record is its chunk's last
		r.key = r.frozen.key
		return raw
	}
	if r.flags&flagLent != 0 {
		l := &c.lent[lentBefore]
		r.key, r.value = l.key, l.value
		if r.flags&flagInt != 0 {
			r.number, raw = int64(binary.LittleEndian.Uint64(raw)), raw[8:]
		}
		return raw
	}
	n := int(binary.LittleEndian.Uint32(raw))
	raw = raw[4:]
	if r.flags&flagInt != 0 {
		r.key, raw = raw[:n], raw[n:]
		r.number = int64(binary.LittleEndian.Uint64(raw))
		return raw[8:]
	}
	m := int(binary.LittleEndian.Uint32(raw))
	raw = raw[4:]
	r.key, r.value = raw[:n], raw[n:n+m]
	return raw[n+m:]
}

// release gives all lent records back. No stripe may be locked.
func (c *chunk) release() {
	for i := range c.lent {
		c.lent[i].release()
	}
	clear(c.lent)
	c.lent = c.lent[:0]
	for i := range c.frozen {
		c.frozen[i].leaves.Release()
	}
	clear(c.frozen)
	c.frozen = c.frozen[:0]
}

// bytes is what the chunk holds on to.
func (c *chunk) bytes() int64 {
	n := int64(cap(c.buf))
	for i := range c.lent {
		n += int64(len(c.lent[i].key) + len(c.lent[i].value))
	}
	return n
}

// A queue holds full chunks until somebody encodes them. Its lock is taken under a
// stripe's lock, by whoever fills a chunk, and held for nanoseconds.
type queue struct {
	mu    sync.Mutex
	full  []*chunk
	spare []*chunk
	held  int64 // bytes of the chunks in full
}

// spareMax bounds the memory kept for further chunks.
const spareMax = queueBytesMax / chunkBytes

// push hands a chunk over.
func (q *queue) push(c *chunk) {
	n := c.bytes()
	q.mu.Lock()
	q.full = append(q.full, c)
	q.held += n
	q.mu.Unlock()
}

// take returns an empty chunk.
func (q *queue) take() (empty *chunk) {
	q.mu.Lock()
	if last := len(q.spare) - 1; last >= 0 {
		empty, q.spare = q.spare[last], q.spare[:last]
	}
	q.mu.Unlock()
	if empty == nil {
		empty = newChunk()
	}
	return empty
}

// pop takes the oldest chunk; nil if there is none.
func (q *queue) pop() *chunk {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.full) == 0 {
		return nil
	}
	c := q.full[0]
	copy(q.full, q.full[1:])
	q.full[len(q.full)-1] = nil
	q.full = q.full[:len(q.full)-1]
	q.held -= c.bytes()
	return c
}

// recycle takes an emptied chunk back.
func (q *queue) recycle(c *chunk) {
	c.buf, c.keys = c.buf[:0], 0
	q.mu.Lock()
	if len(q.spare) < spareMax {
		q.spare = append(q.spare, c)
	}
	q.mu.Unlock()
}

// bytes is what all full chunks hold on to.
func (q *queue) bytes() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

func newChunk() *chunk {
	return &chunk{buf: make([]byte, 0, chunkBytes+headBytesMax)}
}
