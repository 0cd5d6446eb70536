package keyspace_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/value"
)

// setField sets a field of a hash as an executor does.
func setField(
	t testing.TB, tx *keyspace.Txn, ks *keyspace.Keyspace, now clock.Millis, key, field string, at int64,
) {
	t.Helper()
	tx.Begin(0, now)
	tx.LockOne(ks.Placement([]byte(key)))
	defer tx.Report()
	defer tx.Unlock()
	c, err := tx.Make([]byte(key), record.Hash)
	if err != nil {
		t.Fatal(err)
	}
	var h value.Hash
	h.Open(c, int64(now))
	if _, err := h.Set([]byte(field), []byte("value"), at); err != nil {
		t.Fatal(err)
	}
	tx.Edited([]byte(key), &h.Cell, 1)
}

// A sweep removes the fields that are due and nothing else, and hashes with their last.
func TestSweepFields(t *testing.T) {
	ks, clk := newKeyspace(t)
	ks.Limits().HashEntries.Store(20)
	tx := ks.NewTxn()
	rng := rand.New(rand.NewPCG(4, 4))
	type name struct{ key, field string }
	due := map[name]int64{}
	fields := map[string]int{}
	for i := range 6000 {
		n := name{fmt.Sprint("key:", rng.IntN(300)), fmt.Sprint("field:", i)}
		if i%4 == 0 {
			n.key = "big"
		}
		at := []int64{int64(start) + 1 + rng.Int64N(2_000), int64(start) + 1 + rng.Int64N(400_000),
			int64(start) + 86_400_000_000, value.NoExpiry}[rng.IntN(4)]
		setField(t, tx, ks, start, n.key, n.field, at)
		due[n] = at
		fields[n.key]++
	}
	var now clock.Millis
	ks.FieldExpired = func(_ int, key, field []byte) {
		n := name{string(key), string(field)}
		if at, ok := due[n]; !ok || at < 0 || at > int64(now) {
			t.Errorf("%v expired at %d, being due at %d (%v)", n, now, at, ok)
		}
		delete(due, n)
		if fields[n.key]--; fields[n.key] == 0 {
			delete(fields, n.key)
		}
	}
	for now = clock.Now(clk); now < start+500_000; {
		clk.Advance(time.Duration(1+rng.IntN(9_000)) * time.Millisecond)
		now = clock.Now(clk)
		ks.SetNow(now)
		for !ks.Sweep(time.Second) {
		}
		for n, at := range due {
			if at >= 0 && at <= int64(now) {
				t.Fatalf("%v is %d ms overdue", n, int64(now)-at)
			}
		}
	}
	if got := ks.Info()[0].Keys; got != int64(len(fields)) {
		t.Errorf("%d keys are left, want %d", got, len(fields))
	}
	if got := ks.Stats.ExpiredFields.Load(); got != int64(6000-len(due)) {
		t.Errorf("%d fields have expired, want %d", got, 6000-len(due))
	}
	tx.Begin(0, now)
	tx.LockAll()
	defer tx.Unlock()
	for key, n := range fields {
		v, ok := tx.Peek([]byte(key))
		c := v.Cell()
		if !ok || value.Len(&c) != n {
			t.Fatalf("%s: %v, %d fields, want %d", key, ok, value.Len(&c), n)
		}
		if err := value.Check(&c); err != nil {
			t.Error(err)
		}
	}
}

// A hash of which very much is due is swept in pieces, between which others get its lock.
func TestSweepBigHash(t *testing.T) {
	ks, clk := newKeyspace(t)
	tx := ks.NewTxn()
	const n = 50_000
	for i := range n {
		setField(t, tx, ks, start, "big", fmt.Sprint("field:", i), int64(start)+10)
	}
	setField(t, tx, ks, start, "big", "stays", value.NoExpiry)
	clk.Advance(5 * time.Second)
	ks.SetNow(clock.Now(clk))
	expired := 0
	ks.FieldExpired = func(int, []byte, []byte) { expired++ }
	most, calls := 0, 0
	for whole := false; !whole; calls++ {
		before := expired
		whole = ks.Sweep(-1) // as little as there is: time stands still
		most = max(most, expired-before)
	}
	if expired != n || most > n/20 {
		t.Errorf("%d of %d fields expired, at most %d at once, in %d calls", expired, n, most, calls)
	}
	if ks.Info()[0].Keys != 1 {
		t.Error("the hash is gone")
	}
	setField(t, tx, ks, clock.Now(clk), "big", "stays", int64(clock.Now(clk))+10)
	clk.Advance(5 * time.Second)
	ks.SetNow(clock.Now(clk))
	for !ks.Sweep(time.Second) {
	}
	if ks.Info()[0].Keys != 0 {
		t.Error("the hash outlives its last field")
	}
}

// While nothing may expire, fields stay too.
func TestSweepFieldsFrozen(t *testing.T) {
	ks, clk := newKeyspace(t)
	setField(t, ks.NewTxn(), ks, start, "h", "f", int64(start)+10)
	clk.Advance(5 * time.Second)
	ks.SetNow(clock.Now(clk))
	ks.Tuning.Frozen.Store(true)
	for !ks.Sweep(time.Second) {
	}
	if ks.Info()[0].Keys != 1 {
		t.Error("a field expired")
	}
}
