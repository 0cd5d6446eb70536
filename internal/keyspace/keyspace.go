package keyspace

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/value"
)

const (
	stripeBits = 6

	// Stripes is their number. With 64 and eight loops three commands in a hundred
	// find their stripe taken; 256 would multiply the memory of small stores.
	Stripes = 1 << stripeBits

	stripeShift = 64 - stripeBits
	slotBits    = 14
	allStripes  = 1<<Stripes - 1 // as a set

	// Big is the size of a record, in bytes, from which its block may be lent to
	// others (pinned) instead of being copied.
	Big = 64 << 10
)

// Options are what a keyspace is made with.
type Options struct {
	Databases int
	Cluster   bool  // order keys by slot
	Reserve   int64 // bytes of address space for each stripe; 0 for the most
	Clock     clock.Clock
}

// A Keyspace is all keys of all databases. Its methods are safe for concurrent use
// unless they say otherwise.
type Keyspace struct {
	seed    maphash.Seed
	cluster bool
	reserve int64
	dbs     int
	clock   clock.Clock
	stripes [Stripes]stripe

	// A keyspace shares these with its twin.
	scratches *dict.Scratches
	values    *value.Shared
	place     dict.Hash // Placement, which tables know

	husks atomic.Int64 // in all stripes

	// used is the memory of all arenas as far as executors have reported it.
	used atomic.Int64
	// Buffers is what connections hold, in bytes; the loops report it.
	Buffers atomic.Int64

	Tuning   Tuning
	gates    gates
	pool     evictionPool
	snapshot atomic.Pointer[Snapshot]
	version  uint16 // of the last snapshot; changed in exclusive mode
	Stats    Stats

	waitingKeys atomic.Int64
	sweepStripe int
	// Expired and Evicted are called, if set, when a sweep or an eviction removes a key,
	// under the stripe's lock.
	Expired, Evicted func(db int, key []byte)
	// FieldExpired is called likewise before a sweep removes a field of a hash. If it was
	// the last one, the key goes too.
	FieldExpired func(db int, key, field []byte)
	// StreamGone is called likewise before a sweep or an eviction removes a stream that
	// somebody waits for. Who waits in a group is to be told: see Txn.WakeIn.
	StreamGone func(db int, key []byte)
	// now is the wall time as the cron last saw it, for the expiry hints.
	now atomic.Int64
}

// Tuning is what options change at run time.
type Tuning struct {
	MaxMemory    atomic.Int64
	Policy       atomic.Int32 // Policy
	Samples      atomic.Int32
	Tenacity     atomic.Int32
	LFULogFactor atomic.Int32
	LFUDecayTime atomic.Int32
	LazyExpire   atomic.Bool // journal UNLINK instead of DEL
	LazyEvict    atomic.Bool
	NoExpire     atomic.Bool // nothing expires by itself (DEBUG SET-ACTIVE-EXPIRE 0)
	Frozen       atomic.Bool // no expiry, no eviction: clients are paused
	Follows      atomic.Bool // no expiry: a master says when keys go
	Unlimited    atomic.Bool // no eviction, and none for want of it refused: a master sees to it
	ExpireEffort atomic.Int32
	TrackClock   atomic.Bool // records carry an access clock
	SkipChecksum atomic.Bool // RESTORE does not compare the checksum of payloads
}

// Stats are the keyspace's counters that background work adds to.
type Stats struct {
	Expired           atomic.Int64
	ExpiredFields     atomic.Int64 // of hashes
	ExpiredStalePerc  atomic.Int64 // in parts of ten thousand
	ExpiredTimeCap    atomic.Int64
	Evicted           atomic.Int64
	EvictionExceeded  atomic.Int64 // microseconds
	ExpireCycleMicros atomic.Int64
	LazyFreePending   atomic.Int64
	LazyFreed         atomic.Int64
}

type stripe struct {
	mu      sync.Mutex
	ks      *Keyspace
	index   int
	heap    *heap
	dbs     []*table                // nil where a database was never used
	shown   []atomic.Pointer[table] // the same, for Seek
	watches map[watchedKey][]watcher
	waiters map[watchedKey]*waitList
	kept    map[watchedKey]int // keys that somebody copies, and how many do
	lazy    []*table           // detached, being freed in pieces
	husks   []value.Husk       // of removed values, being freed in pieces
	thawing []*Frozen          // nobody wants to read them, being thawed in pieces
	snap    *Snapshot          // the running snapshot
	counted int64              // of heap.arena.Live(), already in Keyspace.used
	sweep   sweepCursor
	refs    []mem.Ref
	text    []byte   // of the key that is being swept
	_       [64]byte // keep neighbours' locks off this cache line
}

// A heap is an arena and the blocks of it that are lent. A flush replaces the heap; the
// old one lives on until nothing of it is lent.
type heap struct {
	arena *mem.Arena
	pins  map[mem.Ref]*pin
	// frozen are the values that are being read in pieces, epochs how many of them have
	// which epoch, and epoch the one that was given last; see Frozen.
	frozen map[*Frozen]struct{}
	epochs map[uint16]int
	epoch  uint16
	dead   bool // released as soon as nothing is pinned or frozen
}

// A table is one database's part of a stripe.
type table struct {
	dict    *dict.Dict
	heap    *heap
	expires int  // records with an expiry
	fields  bool // a hash has had fields with an expiry
	snapDB  int  // its number at the cut of the running snapshot
	gone    bool // detached by a flush
}

// mayExpire says whether a sweep can find anything. A table that is not there has nothing.
func (tb *table) mayExpire() bool { return tb != nil && (tb.expires > 0 || tb.fields) }

// New makes an empty keyspace.
func New(o Options) (*Keyspace, error) {
	ks := &Keyspace{
		seed:      maphash.MakeSeed(),
		cluster:   o.Cluster,
		reserve:   o.Reserve,
		dbs:       o.Databases,
		clock:     o.Clock,
		scratches: &dict.Scratches{},
		values:    &value.Shared{},
	}
	ks.place = ks.Placement
	if ks.reserve == 0 {
		ks.reserve = mem.ReserveMax
	}
	ks.values.Limits.SetDefaults()
	ks.values.Hash = func(b []byte) uint64 { return maphash.Bytes(ks.seed, b) }
	ks.Tuning.Samples.Store(5)
	ks.Tuning.Tenacity.Store(10)
	ks.Tuning.LFULogFactor.Store(10)
	ks.Tuning.LFUDecayTime.Store(1)
	ks.Tuning.ExpireEffort.Store(1)
	ks.Tuning.Policy.Store(int32(NoEviction))
	if err := ks.makeStripes(); err != nil {
		return nil, err
	}
	return ks, nil
}

// makeStripes makes all stripes, or none.
func (ks *Keyspace) makeStripes() error {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.index, st.ks = i, ks
		st.dbs = make([]*table, ks.dbs)
		st.shown = make([]atomic.Pointer[table], ks.dbs)
		var err error
		if st.heap, err = ks.newHeap(); err != nil {
			ks.Close()
			return err
		}
	}
	return nil
}

func (ks *Keyspace) newHeap() (*heap, error) {
	arena, err := mem.New(ks.reserve)
	for err != nil && ks.reserve > 1<<28 { // a container may limit address space
		ks.reserve /= 2
		arena, err = mem.New(ks.reserve)
	}
	if err != nil {
		return nil, err
	}
	return &heap{arena: arena}, nil
}

// Close gives all memory back. Nothing may use the keyspace any more.
func (ks *Keyspace) Close() {
	for i := range ks.stripes {
		if h := ks.stripes[i].heap; h != nil {
			h.arena.Release()
			ks.stripes[i].heap = nil
		}
	}
}

// Databases is their number.
func (ks *Keyspace) Databases() int { return ks.dbs }

// Placement is where a key belongs.
func (ks *Keyspace) Placement(key []byte) uint64 {
	h := maphash.Bytes(ks.seed, key)
	if ks.cluster {
		return uint64(hash.Slot(key))<<(64-slotBits) | h>>slotBits
	}
	return h
}

func stripeOf(placement uint64) int { return int(placement >> stripeShift) }

// StripeSet is the set of stripes, as bits, that a placement falls into.
func StripeSet(placement uint64) uint64 { return 1 << stripeOf(placement) }

// table is the stripe's part of a database, made when first needed.
func (st *stripe) table(ks *Keyspace, db int) *table {
	t := st.dbs[db]
	if t == nil {
		t = &table{dict: dict.New(st.heap.arena, ks.place, stripeBits, ks.scratches), heap: st.heap}
		st.own(t)
		st.dbs[db] = t
		st.shown[db].Store(t)
	}
	return t
}

// own makes a table call on this stripe.
func (st *stripe) own(t *table) {
	t.dict.Hint = st.hinter(t)
	t.dict.Before = func(b *dict.Bucket) { st.before(t, b) }
	t.dict.Version = st.ks.version
}

// settle reports the change of the stripe's memory to the sum. The stripe is locked.
func (st *stripe) settle() (delta int64) {
	live := st.heap.arena.Live()
	delta = live - st.counted
	st.counted = live
	return delta
}

// UsedMemory is the exact number of bytes that keys, values and tables take.
func (ks *Keyspace) UsedMemory() (n int64) {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		n += st.heap.arena.Live()
		st.mu.Unlock()
	}
	return n
}

// Used is about UsedMemory plus Buffers, without taking a lock: what maxmemory is
// compared with.
func (ks *Keyspace) Used() int64 { return ks.used.Load() + ks.Buffers.Load() }

// Trim gives up to max bytes of free memory of every stripe back to the system.
func (ks *Keyspace) Trim(max int64) (given int64) {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		given += st.heap.arena.Trim(max)
		st.mu.Unlock()
	}
	return given
}

// Info is what INFO keyspace says of a database.
type Info struct {
	Keys, Expires int64
}

// Info counts the keys of every database. The stripes are locked together, so the
// numbers belong to one moment.
func (ks *Keyspace) Info() []Info {
	out := make([]Info, ks.dbs)
	ks.lockAll()
	for i := range ks.stripes {
		for db, t := range ks.stripes[i].dbs {
			if t != nil {
				out[db].Keys += int64(t.dict.Len())
				out[db].Expires += int64(t.expires)
			}
		}
	}
	ks.unlockAll()
	return out
}

// MemoryParts is where the memory of the keyspace went, for MEMORY STATS.
type MemoryParts struct {
	Live, Tables, Held int64
}

// MemoryParts measures every stripe.
func (ks *Keyspace) MemoryParts() (m MemoryParts) {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		m.Live += st.heap.arena.Live()
		m.Held += st.heap.arena.Held()
		for _, t := range st.dbs {
			if t != nil {
				m.Tables += t.dict.Bytes()
			}
		}
		st.mu.Unlock()
	}
	return m
}

// Check walks all tables and arenas and reports the first invariant that does not
// hold.
func (ks *Keyspace) Check() error {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		err := st.heap.arena.Check()
		for _, t := range st.dbs {
			if err == nil && t != nil {
				err = t.dict.Check()
			}
		}
		st.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (ks *Keyspace) lockAll() {
	for i := range ks.stripes {
		ks.stripes[i].mu.Lock()
	}
}

func (ks *Keyspace) unlockAll() {
	for i := range ks.stripes {
		ks.stripes[i].mu.Unlock()
	}
}
