package keyspace_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/keyspace"
)

// A twin is filled beside the data that it replaces; then there is no trace of the old ones,
// the new ones can be changed, saved and swept like any, and no byte is lost.
func TestTwin(t *testing.T) {
	ks, clk := newKeyspace(t)
	tx := ks.NewTxn()
	fill := func(of *keyspace.Keyspace, prefix string, n int) {
		tx := of.NewTxn()
		for i := range n {
			expiry := int64(keyspace.NoTTL)
			if i%3 == 0 {
				expiry = int64(start) + 1000
			}
			if err := set(of, tx, start, fmt.Sprint(prefix, i), strings.Repeat("v", i%300), expiry); err != nil {
				t.Fatal(err)
			}
		}
	}
	watched := func(key string) *keyspace.Watch {
		tx.Begin(0, start)
		tx.LockOne(ks.Placement([]byte(key)))
		defer tx.Unlock()
		return tx.Watch(nil, [][]byte{[]byte(key)})
	}
	fill(ks, "old:", 5000)
	was, comes, other := watched("old:1"), watched("new:1"), watched("neither")
	twin, err := ks.Twin()
	if err != nil {
		t.Fatal(err)
	}
	fill(twin, "new:", 3000)
	if was.Fired() || comes.Fired() {
		t.Error("filling a twin changed ours")
	}

	var snap *keyspace.Snapshot
	ks.Exclusive(nil, func() {
		snap = ks.BeginSnapshot(func(int, int, keyspace.Value) { t.Error("something of the twin was saved") })
	})
	var removed int64
	var release func()
	ks.Exclusive(nil, func() { removed, release = ks.TakeOver(twin) })
	release()
	twin.Close()
	if removed != 5000 || !snap.Aborted() || !was.Fired() || !comes.Fired() || other.Fired() {
		t.Errorf("removed %d, snapshot aborted: %v, watches fired: %v %v %v",
			removed, snap.Aborted(), was.Fired(), comes.Fired(), other.Fired())
	}
	for _, w := range []*keyspace.Watch{was, comes, other} {
		ks.Unwatch(w)
	}
	if got := ks.Info()[0]; got != (keyspace.Info{Keys: 3000, Expires: 1000}) {
		t.Errorf("%+v", got)
	}
	if ks.Used() != ks.UsedMemory() {
		t.Errorf("used: %d, in arenas: %d", ks.Used(), ks.UsedMemory())
	}

	fill(ks, "new:", 4000) // over the old ones, and more
	saved := 0
	ks.Exclusive(nil, func() { snap = ks.BeginSnapshot(func(int, int, keyspace.Value) { saved++ }) })
	for stripe := range keyspace.Stripes {
		for snap.Step(stripe, 100) {
			fill(ks, "new:", 10)
		}
	}
	ks.Exclusive(nil, func() { snap.End() })
	if saved != 4000 {
		t.Errorf("%d were saved", saved)
	}
	clk.Advance(3 * time.Second)
	ks.SetNow(start + 3000)
	for !ks.Sweep(time.Second) {
	}
	if got := ks.Info()[0]; got.Expires != 0 || got.Keys != 4000-1334 {
		t.Errorf("after the sweep: %+v", got)
	}
}

// A twin that is given up leaves nothing, and ours as they are.
func TestTwinGivenUp(t *testing.T) {
	ks, _ := newKeyspace(t)
	tx := ks.NewTxn()
	if err := set(ks, tx, start, "k", "v", keyspace.NoTTL); err != nil {
		t.Fatal(err)
	}
	twin, err := ks.Twin()
	if err != nil {
		t.Fatal(err)
	}
	if err := set(twin, twin.NewTxn(), start, "k", "w", keyspace.NoTTL); err != nil {
		t.Fatal(err)
	}
	twin.Close()
	tx.Begin(0, start)
	tx.LockOne(ks.Placement([]byte("k")))
	v, ok := tx.Peek([]byte("k"))
	if !ok || string(v.Bytes()) != "v" {
		t.Errorf("there: %v", ok)
	}
	tx.Unlock()
}
