package keyspace

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/ds/record"
)

// A Policy says which keys go when memory is short.
type Policy int32

// The policies of maxmemory-policy.
const (
	NoEviction Policy = iota
	AllKeysLRU
	AllKeysLFU
	AllKeysRandom
	VolatileLRU
	VolatileLFU
	VolatileRandom
	VolatileTTL
)

func (p Policy) lfu() bool      { return p == AllKeysLFU || p == VolatileLFU }
func (p Policy) volatile() bool { return p >= VolatileLRU }
func (p Policy) random() bool   { return p == AllKeysRandom || p == VolatileRandom }

// Clocks says whether the policy needs to know when keys were used.
func (p Policy) Clocks() bool {
	return p == AllKeysLRU || p == VolatileLRU || p.lfu()
}

// LFU says whether access clocks count accesses instead of telling the time.
func (p Policy) LFU() bool { return p.lfu() }

func (ks *Keyspace) policy() Policy { return Policy(ks.Tuning.Policy.Load()) }

// The access clock has 24 bits, as Redis's: seconds, or minutes in the upper 16 and a
// logarithmic counter of accesses in the lower 8. A new key's counter is 5, so that it
// has time to prove itself.
const (
	clockMask = 1<<24 - 1
	lfuInit   = 5
)

// fresh is the access clock of a new key.
func (ks *Keyspace) fresh(now clock.Millis) uint32 {
	if ks.policy().lfu() {
		return minutes(now)<<8 | lfuInit
	}
	return uint32(now/1000) & clockMask
}

func minutes(now clock.Millis) uint32 { return uint32(now/60000) & 0xffff }

// accessed is the access clock after one more access.
func (ks *Keyspace) accessed(c uint32, now clock.Millis) uint32 {
	if !ks.policy().lfu() {
		return uint32(now/1000) & clockMask
	}
	n := ks.decayed(c, now)
	if n < 255 {
		base := float64(max(int(n)-lfuInit, 0))
		if rand.Float64() < 1/(base*float64(ks.Tuning.LFULogFactor.Load())+1) {
			n++
		}
	}
	return minutes(now)<<8 | n
}

// decayed is the access counter after the time that has passed.
func (ks *Keyspace) decayed(c uint32, now clock.Millis) uint32 {
	n := c & 255
	period := uint32(ks.Tuning.LFUDecayTime.Load())
	if period == 0 {
		return n
	}
	passed := (minutes(now) - c>>8) & 0xffff / period
	return n - min(n, passed)
}

// Idle is how many seconds ago an access clock was set.
func Idle(c uint32, now clock.Millis) int64 {
	return int64((uint32(now/1000) - c) & clockMask)
}

// Frequency is the access counter of a value.
func (ks *Keyspace) Frequency(v Value, now clock.Millis) int64 {
	return int64(ks.decayed(v.Clock(), now))
}

// SetAccess sets the access clock of a key, as RESTORE asks; idle seconds or counter.
func (t *Txn) SetAccess(key []byte, idle int64, freq int64) {
	p := t.find(t.DB, key)
	if !p.found() || !p.rec().HasClock() {
		return
	}
	switch {
	case freq >= 0 && t.ks.policy().lfu():
		p.rec().SetClock(minutes(t.Now)<<8 | uint32(freq)&255)
	case idle >= 0 && !t.ks.policy().lfu():
		p.rec().SetClock(uint32(int64(t.Now)/1000-idle) & clockMask)
	}
}

// poolSize is how many good victims are remembered between samplings.
const poolSize = 16

// An evictionPool keeps the best victims seen so far, in ascending order of score.
type evictionPool struct {
	mu    sync.Mutex
	n     int
	items [poolSize]victim
}

type victim struct {
	db    int
	key   []byte
	score uint64
}

// add enters a candidate if it is better than the worst or there is room.
func (p *evictionPool) add(db int, key []byte, score uint64) {
	i := 0
	for i < p.n && p.items[i].score < score {
		i++
	}
	for j := range p.n {
		if p.items[j].db == db && string(p.items[j].key) == string(key) {
			return
		}
	}
	switch {
	case p.n < poolSize:
		last := p.items[p.n]
		copy(p.items[i+1:p.n+1], p.items[i:p.n])
		p.items[i] = last
		p.n++
	case i == 0:
		return
	default:
		i--
		first := p.items[0]
		copy(p.items[:i], p.items[1:i+1])
		p.items[i] = first
	}
	p.items[i].db, p.items[i].score = db, score
	p.items[i].key = append(p.items[i].key[:0], key...)
}

// Outcome is what eviction came to.
type Outcome uint8

// The outcomes of Evict.
const (
	Enough  Outcome = iota // memory is below the limit
	Running                // time is up; it goes on with the next command
	Failed                 // nothing can be evicted
)

// tenacityLimit is the time in microseconds that one eviction may take.
func tenacityLimit(tenacity int32) int64 {
	switch {
	case tenacity <= 10:
		return 50 * int64(tenacity)
	case tenacity < 100:
		return int64(500 * math.Pow(1.15, float64(tenacity-10)))
	default:
		return math.MaxInt64 / 1000
	}
}

// Evict removes keys until memory is below the limit. Nothing may be locked.
func (ks *Keyspace) Evict() Outcome {
	limit := ks.Tuning.MaxMemory.Load()
	if limit == 0 || ks.Used() <= limit || ks.Tuning.Unlimited.Load() {
		return Enough
	}
	if ks.policy() == NoEviction || ks.Tuning.Frozen.Load() {
		return Failed
	}
	ks.pool.mu.Lock()
	defer ks.pool.mu.Unlock()
	start := ks.clock.Mono()
	budget := tenacityLimit(ks.Tuning.Tenacity.Load()) * 1000
	for i := 0; ks.Used() > limit; i++ {
		if ks.husks.Load() > 0 && ks.freeSomeHusks() { // what was evicted is not free yet
			if ks.clock.Mono()-start > budget {
				return Running
			}
			continue
		}
		if !ks.evictOne() {
			return Failed
		}
		if i&15 == 15 && ks.clock.Mono()-start > budget {
			return Running
		}
	}
	return Enough
}

// evictOne removes the best victim there is.
func (ks *Keyspace) evictOne() bool {
	if ks.policy().random() {
		return ks.evictRandom()
	}
	for range 2 {
		ks.sample()
		for ks.pool.n > 0 {
			ks.pool.n--
			v := &ks.pool.items[ks.pool.n]
			if ks.evict(v.db, v.key) {
				return true
			}
		}
	}
	return false
}

// evict removes a key if it is still there.
func (ks *Keyspace) evict(db int, key []byte) bool {
	at := ks.Placement(key)
	st := &ks.stripes[stripeOf(at)]
	st.mu.Lock()
	defer st.mu.Unlock()
	tb := st.dbs[db]
	if tb == nil {
		return false
	}
	s := tb.dict.Find(at, key)
	if !s.Found() || st.isKept(db, key) {
		return false
	}
	if ks.Evicted != nil {
		ks.Evicted(db, key)
	}
	ks.goes(st, db, record.At(st.heap.arena, s.Ref()))
	ks.remove(st, tb, db, at, s, key)
	ks.used.Add(st.settle())
	ks.Stats.Evicted.Add(1)
	return true
}

const (
	// randomVictims is how many random keys are tried: some may be gone, or be kept.
	randomVictims = 8

	// randomChoice is from how many keys a random one is chosen. They come in the order of
	// their bucket, of which the first would always be taken.
	randomChoice = 4
)

func (ks *Keyspace) evictRandom() bool {
	var key []byte
	db := 0
	for range randomVictims {
		seen := 0
		ks.eachCandidate(randomChoice, func(d int, rec record.Record) {
			if seen++; rand.IntN(seen) == 0 {
				db, key = d, append(key[:0], rec.Key()...)
			}
		})
		if seen == 0 {
			return false
		}
		if ks.evict(db, key) {
			return true
		}
	}
	return false
}

// sample looks at some keys and enters them into the pool.
func (ks *Keyspace) sample() {
	now := clock.Now(ks.clock)
	policy := ks.policy()
	ks.eachCandidate(int(ks.Tuning.Samples.Load()), func(db int, rec record.Record) {
		var score uint64
		switch {
		case policy == VolatileTTL:
			score = math.MaxUint64 - uint64(rec.Expiry())
		case policy.lfu():
			score = 255 - uint64(ks.decayed(rec.Clock(), now))
		default:
			score = uint64(Idle(rec.Clock(), now))
		}
		ks.pool.add(db, rec.Key(), score)
	})
}

// bucketTries bounds the buckets looked at in one stripe for keys that can be evicted.
const bucketTries = 64

// eachCandidate calls fn for about n random keys that the policy allows to evict.
func (ks *Keyspace) eachCandidate(n int, fn func(db int, rec record.Record)) {
	first := rand.IntN(Stripes)
	for i := 0; i < Stripes && n > 0; i++ {
		st := &ks.stripes[(first+i)%Stripes]
		st.mu.Lock()
		n -= st.candidates(n, ks.policy().volatile(), fn)
		st.mu.Unlock()
	}
}

func (st *stripe) candidates(n int, volatile bool, fn func(db int, rec record.Record)) (seen int) {
	for db, tb := range st.dbs {
		if tb == nil || tb.dict.Len() == 0 || volatile && tb.expires == 0 {
			continue
		}
		at := uint64(st.index)<<stripeShift | rand.Uint64()>>stripeBits
		for range bucketTries {
			b, next, more := tb.dict.At(at)
			if b == nil {
				break
			}
			if !volatile || b.TTL() != 0 {
				tb.dict.Each(b, func(s dict.Slot) bool {
					if rec := record.At(st.heap.arena, s.Ref()); !volatile || rec.HasExpiry() {
						fn(db, rec)
						seen++
					}
					return seen < n
				})
			}
			if seen >= n {
				return seen
			}
			if at = next; !more {
				at = uint64(st.index) << stripeShift
			}
		}
	}
	return seen
}
