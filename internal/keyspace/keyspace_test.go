package keyspace_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/keyspace"
)

const start = clock.Millis(1_700_000_000_000)

func newKeyspace(t testing.TB) (*keyspace.Keyspace, *clock.Manual) {
	t.Helper()
	clk := clock.NewManual(start)
	ks, err := keyspace.New(keyspace.Options{Databases: 4, Reserve: 1 << 28, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	ks.SetNow(start)
	t.Cleanup(func() {
		if err := ks.Check(); err != nil {
			t.Error(err)
		}
		var release func()
		ks.Exclusive(nil, func() { _, release, _ = ks.FlushAll() })
		release()
		if n := ks.UsedMemory(); n != 0 {
			t.Errorf("%d bytes live after FlushAll", n)
		}
		ks.Close()
	})
	return ks, clk
}

// set stores a key as an executor does.
func set(ks *keyspace.Keyspace, tx *keyspace.Txn, now clock.Millis, key, value string, expiry int64) error {
	p := ks.Placement([]byte(key))
	tx.Begin(0, now)
	tx.LockOne(p)
	err := tx.SetString([]byte(key), []byte(value), expiry)
	tx.Unlock()
	tx.Report()
	return err
}

// A sweep removes what is due and nothing else, whenever it is due, and whatever the
// distance between two sweeps.
func TestSweep(t *testing.T) {
	ks, clk := newKeyspace(t)
	tx := ks.NewTxn()
	const n = 20_000
	rng := rand.New(rand.NewPCG(1, 2))
	due := map[string]int64{}
	for i := range n {
		key := fmt.Sprintf("key:%d", i)
		expiry := int64(keyspace.NoTTL)
		switch i % 4 {
		case 0:
			expiry = int64(start) + 1 + rng.Int64N(2_000)
		case 1:
			expiry = int64(start) + 1 + rng.Int64N(600_000) // beyond the horizon of the hints
		case 2:
			expiry = int64(start) + 86_400_000_000
		}
		due[key] = expiry
		if err := set(ks, tx, start, key, "v", expiry); err != nil {
			t.Fatal(err)
		}
	}
	removed := map[string]bool{}
	ks.Expired = func(_ int, key []byte) { removed[string(key)] = true }
	for clock.Now(clk) < start+700_000 {
		clk.Advance(time.Duration(1+rng.IntN(9_000)) * time.Millisecond)
		now := clock.Now(clk)
		ks.SetNow(now)
		for !ks.Sweep(time.Second) {
		}
		for key, at := range due {
			// A hint has a resolution of a second; sweeps look at what is due in it.
			gone := at >= 0 && at <= int64(now)
			if removed[key] && !gone {
				t.Fatalf("%s was removed %d ms too early", key, at-int64(now))
			}
			if gone && !removed[key] {
				t.Fatalf("%s is %d ms overdue", key, int64(now)-at)
			}
		}
	}
	if got := ks.Info()[0]; got.Keys != n/2 || got.Expires != n/4 {
		t.Errorf("%d keys, %d with an expiry are left; want %d and %d", got.Keys, got.Expires, n/2, n/4)
	}
}

// Eviction keeps memory below the limit, and an LRU policy keeps what is used.
func TestEviction(t *testing.T) {
	for _, policy := range []keyspace.Policy{keyspace.AllKeysLRU, keyspace.AllKeysLFU, keyspace.AllKeysRandom,
		keyspace.VolatileLRU, keyspace.VolatileLFU, keyspace.VolatileRandom, keyspace.VolatileTTL} {
		ks, clk := newKeyspace(t)
		tx := ks.NewTxn()
		ks.Tuning.Policy.Store(int32(policy))
		ks.Tuning.TrackClock.Store(policy.Clocks())
		ks.Tuning.Tenacity.Store(100)
		const limit = 4 << 20
		ks.Tuning.MaxMemory.Store(limit)
		value := strings.Repeat("x", 100)
		hot, most := 0, int64(0)
		for i := range 60_000 {
			if ks.Evict() == keyspace.Failed {
				t.Fatalf("policy %d: nothing to evict with %d bytes used", policy, ks.Used())
			}
			now := clock.Now(clk)
			expiry := int64(now) + 1_000_000 + int64(i)
			if err := set(ks, tx, now, fmt.Sprintf("key:%d", i), value, expiry); err != nil {
				t.Fatal(err)
			}
			most = max(most, ks.UsedMemory())
			if i%10 == 0 { // a hundred keys are used all the time
				clk.Advance(100 * time.Millisecond)
				key := []byte(fmt.Sprintf("key:%d", i/10%100))
				tx.Begin(0, now)
				tx.LockOne(ks.Placement(key))
				tx.Read(key)
				tx.Unlock()
			}
			if i%1000 == 0 && i > 0 {
				most = max(most, ks.UsedMemory())
			}
		}
		if most > limit+limit/100 {
			t.Errorf("policy %d: %d bytes used, more than 1 %% above %d", policy, most, limit)
		}
		for i := range 100 {
			key := []byte(fmt.Sprintf("key:%d", i))
			tx.Begin(0, clock.Now(clk))
			tx.LockOne(ks.Placement(key))
			if tx.Exists(key) {
				hot++
			}
			tx.Unlock()
		}
		if policy == keyspace.AllKeysLRU || policy == keyspace.VolatileLRU {
			if hot < 90 {
				t.Errorf("policy %d kept %d of 100 keys in use", policy, hot)
			}
		}
	}
}

// Executors, sweeps, flushes and exclusive parties at the same time: nobody sees half
// of anything, nobody waits for ever. Meant for the race detector.
func TestManyParties(t *testing.T) {
	ks, clk := newKeyspace(t)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for w := range 3 {
		gate := ks.NewGate()
		wg.Add(1)
		go func() {
			defer wg.Done()
			tx := ks.NewTxn()
			rng := rand.New(rand.NewPCG(uint64(w), 9))
			for !stop.Load() {
				gate.Enter()
				for range 20 {
					a := fmt.Appendf(nil, "k%d", rng.IntN(500))
					b := fmt.Appendf(nil, "k%d", rng.IntN(500))
					pa, pb := ks.Placement(a), ks.Placement(b)
					tx.Begin(rng.IntN(2), start)
					tx.Lock(keyspace.StripeSet(pa) | keyspace.StripeSet(pb))
					switch rng.IntN(5) {
					case 0:
						_ = tx.SetString(a, b, keyspace.NoTTL)
					case 1:
						_ = tx.SetString(a, b, int64(start)+rng.Int64N(100))
					case 2:
						tx.Delete(a)
					case 3:
						_, _ = tx.Rename(a, b)
					default:
						_, _ = tx.String(a)
					}
					tx.Unlock()
				}
				if rng.IntN(50) == 0 {
					ks.Exclusive(gate, func() { ks.SwapDB(0, 1) })
				}
				tx.Report()
				gate.Leave()
			}
		}()
	}
	for range 40 {
		clk.Advance(20 * time.Millisecond)
		ks.SetNow(clock.Now(clk))
		ks.Sweep(time.Millisecond)
		ks.Exclusive(nil, func() { ks.FlushDB(1) })
		for ks.LazyFree() {
		}
		var release func()
		ks.Exclusive(nil, func() { _, release, _ = ks.FlushAll() })
		release()
		ks.Info()
		ks.Trim(1 << 20)
	}
	stop.Store(true)
	wg.Wait()
}

// WATCH sees every kind of change.
func TestWatch(t *testing.T) {
	for name, change := range map[string]func(ks *keyspace.Keyspace, tx *keyspace.Txn){
		"set":    func(ks *keyspace.Keyspace, tx *keyspace.Txn) { _ = set(ks, tx, start, "k", "w", keyspace.NoTTL) },
		"same":   func(ks *keyspace.Keyspace, tx *keyspace.Txn) { _ = set(ks, tx, start, "k", "v", keyspace.NoTTL) },
		"flush":  func(ks *keyspace.Keyspace, _ *keyspace.Txn) { ks.Exclusive(nil, func() { ks.FlushDB(0) }) },
		"swap":   func(ks *keyspace.Keyspace, _ *keyspace.Txn) { ks.Exclusive(nil, func() { ks.SwapDB(0, 3) }) },
		"expire": func(ks *keyspace.Keyspace, tx *keyspace.Txn) { _ = set(ks, tx, start, "k", "v", int64(start)+1) },
	} {
		ks, _ := newKeyspace(t)
		tx := ks.NewTxn()
		if err := set(ks, tx, start, "k", "v", keyspace.NoTTL); err != nil {
			t.Fatal(err)
		}
		tx.Begin(0, start)
		tx.LockOne(ks.Placement([]byte("k")))
		w := tx.Watch(nil, [][]byte{[]byte("k")})
		tx.Unlock()
		if w.Fired() {
			t.Fatalf("%s: fired before any change", name)
		}
		change(ks, tx)
		if !w.Fired() {
			t.Errorf("%s was not seen", name)
		}
		ks.Unwatch(w)
		for ks.LazyFree() {
		}
	}
}

// A record whose time has come is no key: that SWAPDB exchanges nothing for such a one, or
// one such for another, is no change, nor that it is removed later. What is made of it is.
func TestWatchStale(t *testing.T) {
	const past, future = int64(start) - 1, int64(start) + 100_000
	key := []byte("k")
	for _, tt := range []struct {
		name      string
		here      int64 // expiry in database 0, which is watched, or none
		there     int64 // in database 1
		then      string
		wantValid bool
	}{
		{"nothing for stale", none, past, "", true},
		{"stale for stale", past, past, "", true},
		{"stale for nothing", past, none, "", true},
		{"stale for alive", past, future, "", false},
		{"alive for stale", future, past, "", false},
		{"nothing for alive", none, future, "", false},
		{"stale, then removed", none, past, "get", true},
		{"stale, then swapped back", none, past, "swap", true},
		{"stale, then flushed", none, past, "flush", true},
		{"stale, then set", none, past, "set", false},
	} {
		ks, _ := newKeyspace(t)
		tx := ks.NewTxn()
		for db, expiry := range []int64{tt.here, tt.there} {
			if expiry == none {
				continue
			}
			tx.Begin(db, clock.Millis(past-1))
			tx.LockOne(ks.Placement(key))
			if err := tx.SetString(key, []byte("v"), expiry); err != nil {
				t.Fatal(err)
			}
			tx.Unlock()
		}
		tx.Begin(0, start)
		tx.LockOne(ks.Placement(key))
		w := tx.Watch(nil, [][]byte{key})
		tx.Unlock()
		swap := func() { ks.Exclusive(nil, func() { ks.SwapDB(0, 1) }) }
		swap()
		switch tt.then {
		case "get":
			tx.Begin(0, start)
			tx.LockOne(ks.Placement(key))
			_, _ = tx.String(key)
			tx.Unlock()
		case "swap":
			swap()
		case "flush":
			ks.Exclusive(nil, func() { ks.FlushDB(0) })
		case "set":
			if err := set(ks, tx, start, "k", "w", keyspace.NoTTL); err != nil {
				t.Fatal(err)
			}
		}
		tx.Begin(0, start)
		tx.LockOne(ks.Placement(key))
		if valid := tx.CheckWatch(w); valid != tt.wantValid {
			t.Errorf("%s: the transaction would run: %t", tt.name, valid)
		}
		tx.UnwatchLocked(w)
		tx.Unlock()
		for ks.LazyFree() {
		}
	}
}

const none = int64(-100)

// A block that is lent, to a reply or to a snapshot, does not change under whoever
// reads it: whatever changes the key makes a new one.
func TestLentBlocksDoNotChange(t *testing.T) {
	old := strings.Repeat("a", keyspace.Big-4) // with its key the record is Big, the value is not
	for name, change := range map[string]func(tx *keyspace.Txn) error{
		"set": func(tx *keyspace.Txn) error {
			return tx.SetString([]byte("k"), []byte(strings.ToUpper(old)), keyspace.NoTTL)
		},
		"stretch": func(tx *keyspace.Txn) error { b, err := tx.Stretch([]byte("k"), len(old)); b[0] = 'B'; return err },
		"delete":  func(tx *keyspace.Txn) error { tx.Delete([]byte("k")); return nil },
	} {
		ks, _ := newKeyspace(t)
		tx := ks.NewTxn()
		if err := set(ks, tx, start, "k", old, keyspace.NoTTL); err != nil {
			t.Fatal(err)
		}
		for _, snapshot := range []bool{false, true} {
			var lent []byte
			var release func()
			take := func(v keyspace.Value) { lent, release = v.Bytes(), v.Lend() }
			if snapshot {
				if err := set(ks, tx, start, "k", old, keyspace.NoTTL); err != nil {
					t.Fatal(err)
				}
				ks.Exclusive(nil, func() { ks.BeginSnapshot(func(_, _ int, v keyspace.Value) { take(v) }) })
			}
			tx.Begin(0, start)
			tx.LockOne(ks.Placement([]byte("k")))
			if !snapshot {
				v, _ := tx.Read([]byte("k"))
				take(v)
			}
			if err := change(tx); err != nil {
				t.Fatal(err)
			}
			tx.Unlock()
			if string(lent) != old {
				t.Errorf("%s, snapshot %v: the lent bytes changed", name, snapshot)
			}
			release()
			ks.Exclusive(nil, func() { ks.AbortSnapshot() })
		}
	}
}
