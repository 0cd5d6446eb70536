package keyspace_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/value"
)

// stripeOf is the stripe of a key.
func stripeOf(ks *keyspace.Keyspace, key string) uint64 {
	return keyspace.StripeSet(ks.Placement([]byte(key)))
}

// neighbour is a name in the stripe of a key, or if far in another.
func neighbour(ks *keyspace.Keyspace, key string, far bool) string {
	for i := 0; ; i++ {
		name := fmt.Sprint("name:", i)
		if name != key && (stripeOf(ks, name) != stripeOf(ks, key)) == far {
			return name
		}
	}
}

// image is what a key holds.
func (p *party) image(db int, key string) (m image) {
	p.t.Helper()
	p.locked(func() {
		v, ok := p.tx.PeekIn(db, []byte(key))
		if !ok || !v.IsRooted() {
			p.t.Fatalf("%s: there is no such value", key)
		}
		c := v.Cell()
		if err := value.Check(&c); err != nil {
			p.t.Fatal(err)
		}
		m = imageOf(&c)
	}, key)
	return m
}

func (p *party) exists(db int, key string) (ok bool) {
	p.locked(func() { _, ok = p.tx.PeekIn(db, []byte(key)) }, key)
	return ok
}

// emptied flushes the databases one by one, which frees each block, and looks for blocks
// that nobody has freed.
func (p *party) emptied() {
	p.t.Helper()
	for db := range p.ks.Databases() {
		p.ks.Exclusive(nil, func() { p.ks.FlushDB(db) })
	}
	for p.ks.LazyFree() {
		continue
	}
	if n := p.ks.UsedMemory(); n != 0 {
		p.t.Errorf("%d bytes leaked", n)
	}
}

// start begins a copy that goes on under later locks.
func (p *party) start(from string, db int, to string) (c *keyspace.Copying) {
	p.t.Helper()
	p.locked(func() {
		var err error
		if c, err = p.tx.StartCopy([]byte(from), db, []byte(to)); err != nil {
			p.t.Fatal(err)
		}
		c.Keep(p.tx)
	}, from, to)
	return c
}

// TestCopying copies values of every type in pieces of every size, while the keys around
// them change and a snapshot is made.
func TestCopying(t *testing.T) {
	ks, clk := newKeyspace(t)
	smallLimits(ks)
	p := newParty(t, ks, 21)
	for round := range 24 {
		for _, typ := range bigTypes {
			from, move := keyOf(typ, 0), round%3 == 0
			to := neighbour(ks, from, round%2 == 0 || move)
			db := round % 4 / 3 // the other database now and then
			move = move && db == 0
			p.change(from, typ, 400, 300)
			p.locked(func() { p.tx.Delete([]byte(to)) }, to)
			p.change(to, bigTypes[round%len(bigTypes)], 100, 80)
			want := p.image(0, from)
			c := p.start(from, db, to)
			steps := 0
			for done := false; !done; steps++ {
				p.locked(func() {
					var err error
					if c.IsStale(p.tx) {
						t.Fatal("the copy is stale")
					}
					if done, err = c.Some(p.tx, 1+1500*(round%8)); err != nil {
						t.Fatal(err)
					}
				}, from, to)
				if steps%8 == 0 {
					p.change(keyOf(typ, 1), typ, 5, 100)
				}
				if steps == 3 && round%5 == 0 {
					takeSnapshot(t, ks, p.rng)
				}
				clk.Advance(time.Millisecond) // fields of the hash become due
				ks.SetNow(clock.Now(clk))
				ks.Sweep(time.Second)
			}
			if round%8 == 0 && steps < 2 {
				t.Errorf("copied in %d steps", steps)
			}
			p.locked(func() {
				if err := c.Finish(p.tx, move); err != nil {
					t.Fatal(err)
				}
			}, from, to)
			if got := p.image(db, to); got != want {
				t.Fatalf("round %d: the copy of a %s has %d elements of %d",
					round, typ.Name(), got.elements, want.elements)
			}
			if p.exists(0, from) == move {
				t.Fatalf("round %d: moved: %v, and the original is there: %v", round, move, !move)
			}
		}
	}
	p.emptied()
}

// TestCopyLongString copies a string in pieces.
func TestCopyLongString(t *testing.T) {
	ks, _ := newKeyspace(t)
	p := newParty(t, ks, 22)
	text := bytes.Repeat([]byte("0123456789"), 100_000)
	if err := set(ks, p.tx, start, "s", string(text), int64(start)+1000); err != nil {
		t.Fatal(err)
	}
	ks.Tuning.TrackClock.Store(true)
	p.locked(func() { p.tx.IdleTime([]byte("s")) }, "s") // which gives it a clock
	for _, far := range []bool{false, true} {
		to := neighbour(ks, "s", far)
		p.locked(func() { p.tx.SetAccess([]byte("s"), 100, -1) }, "s")
		c := p.start("s", 1, to)
		p.locked(func() { p.tx.SetAccess([]byte("s"), 7, -1) }, "s")
		p.locked(func() {
			steps := 0
			for done := false; !done; steps++ {
				done, _ = c.Some(p.tx, 70_000)
			}
			if steps != 15 {
				t.Errorf("%d steps", steps)
			}
			if err := c.Finish(p.tx, false); err != nil {
				t.Fatal(err)
			}
			v, ok := p.tx.PeekIn(1, []byte(to))
			if !ok || !bytes.Equal(v.Bytes(), text) || v.Expiry() != int64(start)+1000 {
				t.Error("the copy is another")
			}
			if idle := keyspace.Idle(v.Clock(), start); idle != 7 {
				t.Errorf("the copy was not used for %d s", idle)
			}
		}, "s", to)
	}
	p.emptied()
}

// TestCopyStale lets the original go in every way that holding it does not prevent.
func TestCopyStale(t *testing.T) {
	for name, do := range map[string]func(p *party, clk *clock.Manual){
		"expired": func(p *party, clk *clock.Manual) {
			p.locked(func() { p.tx.SetExpiry([]byte("h"), int64(start)+50) }, "h")
		},
		"swept": func(p *party, clk *clock.Manual) {
			p.locked(func() { p.tx.SetExpiry([]byte("h"), int64(start)+50) }, "h")
			clk.Advance(time.Minute)
			p.ks.SetNow(clock.Now(clk))
			p.ks.Sweep(time.Second)
		},
		"deleted": func(p *party, _ *clock.Manual) { p.locked(func() { p.tx.Delete([]byte("h")) }, "h") },
		"changed": func(p *party, _ *clock.Manual) { p.change("h", record.Hash, 20, 10) },
		"swapped": func(p *party, _ *clock.Manual) { p.ks.Exclusive(nil, func() { p.ks.SwapDB(0, 1) }) },
		"flushed": func(p *party, _ *clock.Manual) { p.ks.Exclusive(nil, func() { p.ks.FlushDB(0) }) },
		"all flushed": func(p *party, _ *clock.Manual) {
			p.ks.Exclusive(nil, func() {
				_, release, _ := p.ks.FlushAll()
				release()
			})
		},
		"all flushed, and made again": func(p *party, _ *clock.Manual) {
			p.ks.Exclusive(nil, func() {
				_, release, _ := p.ks.FlushAll()
				release()
			})
			p.change("h", record.Hash, 200, 100)
		},
	} {
		ks, clk := newKeyspace(t)
		smallLimits(ks)
		p := newParty(t, ks, 23)
		p.change("h", record.Hash, 600, 300)
		to := neighbour(ks, "h", true)
		c := p.start("h", 0, to)
		p.locked(func() {
			if done, err := c.Some(p.tx, 3000); done || err != nil {
				t.Fatal(done, err)
			}
			if c.IsStale(p.tx) {
				t.Errorf("%s: stale before", name)
			}
		}, "h", to)
		do(p, clk)
		p.locked(func() {
			if !c.IsStale(p.tx) {
				t.Errorf("%s: nobody notices", name)
			}
			c.Drop(p.tx)
		}, "h", to)
		p.emptied()
	}
}

// TestCopyKept: what is being copied keeps its fields, and is not evicted.
func TestCopyKept(t *testing.T) {
	ks, clk := newKeyspace(t)
	smallLimits(ks)
	p := newParty(t, ks, 24)
	tx := ks.NewTxn()
	for i := range 500 {
		setField(t, tx, ks, start, "h", fmt.Sprint("field:", i), int64(start)+100)
	}
	c := p.start("h", 1, "h")
	clk.Advance(10 * time.Second)
	ks.SetNow(clock.Now(clk))
	ks.Sweep(time.Second)
	for _, policy := range []keyspace.Policy{keyspace.AllKeysLRU, keyspace.AllKeysRandom} {
		ks.Tuning.Policy.Store(int32(policy))
		ks.Tuning.MaxMemory.Store(1)
		if got := ks.Evict(); got != keyspace.Failed {
			t.Errorf("evicted: %v", got)
		}
		p.change("other", record.Hash, 5, 5)
		for i := 0; p.exists(0, "other"); i++ {
			if got := ks.Evict(); got != keyspace.Failed || i == 1000 {
				t.Fatalf("not evicted: %v", got)
			}
		}
	}
	if got := p.image(0, "h"); got.elements != 500 || ks.Stats.ExpiredFields.Load() != 0 {
		t.Errorf("%d fields are left", got.elements)
	}
	ks.Tuning.MaxMemory.Store(0)
	p.locked(func() {
		c.Some(p.tx, 1<<30)
		if err := c.Finish(p.tx, false); err != nil {
			t.Fatal(err)
		}
	}, "h")
	for range 3 { // now all of it goes, in the copy too
		clk.Advance(10 * time.Second)
		ks.SetNow(clock.Now(clk))
		ks.Sweep(time.Second)
	}
	if p.exists(0, "h") || p.exists(1, "h") || ks.Stats.ExpiredFields.Load() != 1000 {
		t.Errorf("%d fields have expired", ks.Stats.ExpiredFields.Load())
	}
	p.emptied()
}

// fill adds elements to a value.
func (p *party) fill(key string, typ record.Type, from, to int) {
	p.locked(func() {
		c, err := p.tx.Make([]byte(key), typ)
		for i := from; i < to && err == nil; i++ {
			name := listpack.Elem{Bytes: fmt.Appendf(nil, "%0*d", 20+i%100/99*400, i)}
			if typ == record.Stream {
				s := value.StreamIn(&c)
				err = s.S.Append(s.Heap(), stream.Limits{NodeEntries: 100}, stream.ID{Ms: uint64(i + 1)},
					[][]byte{name.Bytes, name.Bytes})
				s.Store()
				continue
			}
			_, err = value.Add(&c, &value.Element{Name: name, Score: float64(i % 10), Expiry: value.NoExpiry})
		}
		if err != nil {
			p.t.Error(err)
		}
		p.tx.Edited([]byte(key), &c, to-from)
	}, key)
}

// TestCopyWithoutMemory: what there is no memory for changes nothing.
func TestCopyWithoutMemory(t *testing.T) {
	for _, typ := range bigTypes {
		ks, err := keyspace.New(keyspace.Options{Databases: 2, Reserve: 8 << 20, Clock: clock.NewManual(start)})
		if err != nil {
			t.Fatal(err)
		}
		smallLimits(ks)
		p := newParty(t, ks, 25)
		from := keyOf(typ, 0)
		for n := 0; ks.UsedMemory() < 4500<<10; n += 1000 {
			p.fill(from, typ, n, n+1000)
		}
		to := neighbour(ks, from, false)
		p.change(to, record.Hash, 60, 40)
		want, was, used := p.image(0, from), p.image(0, to), ks.UsedMemory()
		p.locked(func() {
			if ok, err := p.tx.Copy([]byte(from), 0, []byte(to)); !ok || err == nil {
				t.Errorf("%s: %v, %v", typ.Name(), ok, err)
			}
			if p.tx.Dirty() != 0 {
				t.Errorf("%d changes", p.tx.Dirty())
			}
		}, from, to)
		for ks.LazyFree() {
			continue
		}
		if p.image(0, from) != want || p.image(0, to) != was || ks.UsedMemory() != used {
			t.Errorf("%s: something has changed; %d bytes were used, are %d", typ.Name(), used, ks.UsedMemory())
		}
		p.emptied()
		ks.Close()
	}
}

// TestMoveUnderSnapshot: a value that gets another name or database within its stripe is
// saved as it was at the cut, under the name that it had.
func TestMoveUnderSnapshot(t *testing.T) {
	for _, typ := range bigTypes {
		for _, db := range []int{0, 1} {
			ks, _ := newKeyspace(t)
			smallLimits(ks)
			p := newParty(t, ks, 26)
			from := keyOf(typ, 0)
			p.change(from, typ, 400, 300)
			for i := range 6000 { // so that the two names are in different buckets
				if err := set(ks, p.tx, start, fmt.Sprint("string:", i), "v", keyspace.NoTTL); err != nil {
					t.Fatal(err)
				}
			}
			want, saved := p.image(0, from), 0
			var snap *keyspace.Snapshot
			var releases sync.WaitGroup
			ks.Exclusive(nil, func() {
				snap = ks.BeginSnapshot(func(_, db int, v keyspace.Value) {
					if v.Type() == record.String {
						return
					}
					saved++
					if !v.IsRooted() || string(v.Key()) != from || db != 0 {
						t.Errorf("%s in %d saved, rooted: %v", v.Key(), db, v.IsRooted())
						return
					}
					c := v.Cell()
					if got := imageOf(&c); got != want {
						t.Errorf("%d elements, want %d", got.elements, want.elements)
					}
					f := snap.Freeze(v)
					releases.Go(f.Release) // when the stripe is not locked any more
				})
			})
			to := from
			if db == 0 {
				to = neighbour(ks, from, false)
			}
			p.locked(func() {
				ok, err := true, error(nil)
				if db == 0 {
					ok, err = p.tx.Rename([]byte(from), []byte(to))
				} else {
					ok, err = p.tx.Move([]byte(from), db)
				}
				if !ok || err != nil || p.tx.Dirty() != 2 {
					t.Fatal(ok, err, p.tx.Dirty())
				}
			}, from, to)
			for i := range keyspace.Stripes {
				for snap.Step(i, 1) {
					continue
				}
			}
			ks.Exclusive(nil, snap.End)
			releases.Wait()
			if got := p.image(db, to); got != want || saved != 1 || p.exists(0, from) {
				t.Errorf("%d elements, want %d, saved %d keys", got.elements, want.elements, saved)
			}
		}
	}
}
