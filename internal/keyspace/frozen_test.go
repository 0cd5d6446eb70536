package keyspace_test

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/value"
)

var bigTypes = []record.Type{record.Hash, record.Set, record.ZSet, record.List, record.Stream}

// keyOf is the name of a key that holds a type.
func keyOf(typ record.Type, n int) string { return fmt.Sprint("key", int(typ), ":", n) }

// An image stands for the elements of a value, in their order.
type image struct {
	elements int
	sum      uint64
}

var imageSeed = maphash.MakeSeed()

func (m *image) add(e value.Element) {
	if e.Part != 0 {
		return // see TestFrozenRest
	}
	var room [64]byte
	b := binary.LittleEndian.AppendUint64(room[:0], m.sum)
	for _, text := range [...]listpack.Elem{e.Name, e.Value} {
		b = binary.LittleEndian.AppendUint64(b, maphash.Bytes(imageSeed, text.Bytes)+uint64(text.Int))
	}
	b = binary.LittleEndian.AppendUint64(b, maphash.Bytes(imageSeed, e.Node))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Score))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Expiry)+e.MS)
	b = binary.LittleEndian.AppendUint64(b, e.Seq)
	if e.IsPlain {
		b = append(b, 1)
	}
	m.sum = maphash.Bytes(imageSeed, b)
	m.elements++
}

// imageOf is what a rooted value holds now, as its leaves are read.
func imageOf(c *value.Cell) (m image) {
	for _, ref := range value.Leaves(c, nil) {
		value.EachInLeaf(c.Type(), c.Arena, ref, m.add)
	}
	return m
}

// A party changes and freezes values as an executor does.
type party struct {
	t   testing.TB
	ks  *keyspace.Keyspace
	tx  *keyspace.Txn
	rng *rand.Rand
}

func newParty(t testing.TB, ks *keyspace.Keyspace, seed uint64) *party {
	return &party{t, ks, ks.NewTxn(), rand.New(rand.NewPCG(seed, 7))}
}

func (p *party) locked(fn func(), keys ...string) {
	set := uint64(0)
	for _, key := range keys {
		set |= keyspace.StripeSet(p.ks.Placement([]byte(key)))
	}
	p.tx.Begin(0, start)
	p.tx.Lock(set)
	fn()
	p.tx.Unlock()
	p.tx.Report()
}

// text is one of so many, some of which are too long for a leaf.
func (p *party) text(most int) []byte {
	n := p.rng.IntN(most)
	text := fmt.Appendf(nil, "t%d", n)
	if n%8 == 0 {
		text = append(text, strings.Repeat("x", 150+4*n)...)
	}
	return text
}

// change makes n random changes to a value of about so many elements.
func (p *party) change(key string, typ record.Type, n, most int) {
	p.locked(func() {
		c, err := p.tx.Make([]byte(key), typ)
		if err != nil {
			p.t.Fatal(err)
		}
		for range n {
			switch typ {
			case record.Hash:
				err = p.changeHash(&c, most)
			case record.Set:
				err = p.changeSet(&c, most)
			case record.ZSet:
				z := value.ZSetOf(&c)
				if p.rng.IntN(2) == 0 {
					_, _, err = z.Put(p.text(most), float64(p.rng.IntN(100))-50, 0)
				} else {
					_, err = z.Delete(p.text(most))
				}
			case record.List:
				err = p.changeList(&c, most)
			case record.Stream:
				err = p.changeStream(&c, most)
			}
			if err != nil {
				p.t.Fatal(err)
			}
		}
		p.tx.Edited([]byte(key), &c, n)
	}, key)
}

func (p *party) changeHash(c *value.Cell, most int) (err error) {
	var h value.Hash
	h.Open(*c, int64(start))
	switch p.rng.IntN(5) {
	case 0, 1:
		_, err = h.Delete(p.text(most))
	case 2:
		_, err = h.Set(p.text(most), p.text(most), int64(start)+1+p.rng.Int64N(1000))
	default:
		_, err = h.Set(p.text(most), p.text(most), value.NoExpiry)
	}
	*c = h.Cell
	return err
}

func (p *party) changeSet(c *value.Cell, most int) (err error) {
	s := value.SetOf(*c)
	switch {
	case p.rng.IntN(2) == 0:
		_, err = s.Add(p.text(most))
	case p.rng.IntN(4) == 0 && s.Len() > 3:
		s.Pop(2, p.rng.Uint64, func([]byte, int64) {})
	default:
		_, err = s.Remove(p.text(most))
	}
	s.Store()
	*c = s.Cell
	return err
}

func (p *party) changeList(c *value.Cell, most int) error {
	l := value.ListIn(c)
	front := p.rng.IntN(2) == 0
	switch n := l.Len(); {
	case n == 0 || p.rng.IntN(2) == 0 && n < most:
		return l.PushOne(p.text(most), front)
	case p.rng.IntN(2) == 0:
		return l.Set(p.rng.IntN(n), p.text(most))
	case p.rng.IntN(4) == 0:
		return l.InsertAt(p.rng.IntN(n), p.text(most))
	default:
		return l.Pop(front)
	}
}

func (p *party) changeStream(c *value.Cell, most int) (err error) {
	s := value.StreamIn(c)
	id := stream.ID{Ms: s.S.Last.Ms + 1}
	switch n := int(s.S.Length); {
	case n == 0 || p.rng.IntN(3) > 0:
		err = s.S.Append(s.Heap(), stream.Limits{NodeEntries: 10}, id, [][]byte{p.text(most), p.text(most)})
	case p.rng.IntN(2) == 0:
		_, err = s.S.Delete(s.Heap(), stream.ID{Ms: s.S.Last.Ms - p.rng.Uint64N(uint64(most))}, 0)
	case p.rng.IntN(2) == 0:
		err = p.changeGroup(&s, most)
	default:
		_, err = s.S.Trim(s.Heap(), stream.Trim{MaxLen: uint64(most), Approx: p.rng.IntN(2) == 0})
	}
	s.Store()
	return err
}

// changeGroup makes something pending in one of a few groups.
func (p *party) changeGroup(s *value.Stream, most int) error {
	name := p.text(3)
	if _, _, err := s.S.CreateGroup(s.Heap(), name, s.S.Last, 0); err != nil {
		return err
	}
	g, _ := s.S.Group(s.Arena, name)
	c, _, err := g.CreateConsumer(s.Heap(), p.text(most), 1, 2)
	if err == nil {
		id := stream.ID{Ms: p.rng.Uint64N(uint64(most))}
		_, err = g.Put(s.Heap(), stream.Pending{ID: id, Delivered: 3, Deliveries: 4, Consumer: c.Number})
	}
	return err
}

// A reading is a frozen value that is being read, and what must come of it.
type reading struct {
	f    *keyspace.Frozen
	want image
	got  image
	skip int // elements before the range that is wanted, if it is not all
	left int
}

// freeze begins to read a key's value, if nobody else is.
func (p *party) freeze(key string, typ record.Type) (r *reading) {
	p.locked(func() {
		c, ok, err := p.tx.Open([]byte(key), typ)
		if err != nil {
			p.t.Fatal(err)
		}
		if !ok || !c.Record().IsRooted() {
			return
		}
		want := imageOf(&c)
		f, ok := p.tx.Freeze([]byte(key))
		if !ok {
			return
		}
		r = &reading{f: f, want: want, left: want.elements}
		if typ == record.ZSet && p.rng.IntN(2) == 0 {
			p.narrow(r, &c)
		}
	}, key)
	return r
}

// narrow makes a reading one of a range of a sorted set, perhaps backward.
func (p *party) narrow(r *reading, c *value.Cell) {
	z, back := value.ZSetOf(c), p.rng.IntN(2) == 0
	from := p.rng.IntN(z.Len())
	to := from + 1 + p.rng.IntN(z.Len()-from)
	r.skip, r.left, r.want = r.f.Range(c, from, to, back), to-from, image{}
	it := z.Iter(from, false)
	if back {
		it = z.Iter(to-1, true)
	}
	for range to - from {
		text, _, score, _ := it.Next()
		r.want.add(value.Element{Name: listpack.Elem{Bytes: text}, Score: score, Expiry: -1})
	}
}

// read reads about so many elements more.
func (r *reading) read(t testing.TB, elements int) (more bool) {
	more = r.f.Read(
		func(e value.Element) {
			elements--
			switch {
			case r.skip > 0:
				r.skip--
			case r.left > 0:
				r.left--
				r.got.add(e)
			}
		},
		func() bool { return elements <= 0 })
	if !more && r.got != r.want {
		t.Errorf("a value of type %d: %d elements read of %d, or others",
			r.f.Type(), r.got.elements, r.want.elements)
	}
	return more
}

func (r *reading) readAll(t testing.TB) {
	for r.read(t, 50) {
		continue
	}
}

func smallLimits(ks *keyspace.Keyspace) {
	l := ks.Limits()
	l.HashEntries.Store(4)
	l.SetEntries.Store(4)
	l.ZSetEntries.Store(4)
	l.ListSize.Store(8) // elements of a node
}

// TestFreezeWraps freezes one value more often than there are epochs. Of two others of its
// stripe one is being read all the time, and one is frozen only when the number comes that
// it has already.
func TestFreezeWraps(t *testing.T) {
	const freezes, period = 70_000, 1<<16 - 1
	for _, typ := range bigTypes {
		t.Run(fmt.Sprint(typ), func(t *testing.T) {
			t.Parallel()
			ks, _ := newKeyspace(t)
			smallLimits(ks)
			p, names := newParty(t, ks, uint64(typ)), sameStripe(ks, 3)
			key, rare, slow := names[0], names[1], names[2]
			for _, name := range names {
				p.change(name, typ, 100, 30)
			}
			long := p.freeze(slow, typ)
			for i := 1; i <= freezes; i++ {
				if i%period == 1 {
					p.freeze(rare, typ).readAll(t)
					p.change(rare, typ, 10, 30)
					i++
				}
				r := p.freeze(key, typ)
				if r == nil {
					p.change(key, typ, 30, 30)
					if r = p.freeze(key, typ); r == nil {
						t.Fatalf("not frozen after %d freezes", i)
					}
				}
				switch i % 8 {
				case 0, 1:
					p.change(key, typ, 3, 30)
				case 2:
					r.read(t, 30)
					r.f.Release()
					continue
				case 3:
					r.read(t, 30)
					p.change(key, typ, 1, 30)
				}
				r.readAll(t)
				if t.Failed() {
					t.Fatalf("after %d freezes", i)
				}
			}
			p.change(slow, typ, 30, 30)
			long.readAll(t)
		})
	}
}

// sameStripe is so many keys of one stripe.
func sameStripe(ks *keyspace.Keyspace, n int) (keys []string) {
	for i := 0; len(keys) < n; i++ {
		if key := fmt.Sprint(i); keyspace.StripeSet(ks.Placement([]byte(key))) == 1 {
			keys = append(keys, key)
		}
	}
	return keys
}

// TestFreezeTwice shows that a value has one reader at a time, and another when that is
// done, whatever way.
func TestFreezeTwice(t *testing.T) {
	ks, _ := newKeyspace(t)
	smallLimits(ks)
	p := newParty(t, ks, 3)
	for _, typ := range bigTypes {
		key := keyOf(typ, 0)
		if r := p.freeze(key, typ); r != nil {
			t.Fatal("a key that is not there was frozen")
		}
		p.change(key, typ, 300, 100)
		one := p.freeze(key, typ)
		if one == nil || p.freeze(key, typ) != nil {
			t.Fatalf("type %d: the first is %v, and a second may have been frozen", typ, one)
		}
		p.change(key, typ, 20, 100)
		one.read(t, 20)
		one.f.Release()
		one.f.Release()
		two := p.freeze(key, typ)
		if two == nil {
			t.Fatalf("type %d: not frozen after a release", typ)
		}
		for two.read(t, 20) {
			p.change(key, typ, 20, 100)
		}
		if three := p.freeze(key, typ); three == nil || three.f.Leaves() == 0 {
			t.Fatalf("type %d: not frozen after it was read", typ)
		} else {
			three.f.Release()
		}
	}
}

// TestFreezeAgainstSnapshot lets a snapshot meet values that a command is reading: both
// must see their own moment.
func TestFreezeAgainstSnapshot(t *testing.T) {
	ks, _ := newKeyspace(t)
	smallLimits(ks)
	ks.Limits().ListCompress.Store(1)
	p := newParty(t, ks, 5)
	var readings []*reading
	for _, typ := range bigTypes {
		key := keyOf(typ, 0)
		p.change(key, typ, 300, 200)
		r := p.freeze(key, typ)
		r.read(t, 20)
		readings = append(readings, r)
		p.change(key, typ, 20, 200)
	}
	var saved []*reading
	var snap *keyspace.Snapshot
	ks.Exclusive(nil, func() {
		snap = ks.BeginSnapshot(func(_, _ int, v keyspace.Value) {
			c := v.Cell()
			want := imageOf(&c)
			saved = append(saved, &reading{f: snap.Freeze(v), want: want, left: want.elements})
		})
	})
	for i := range keyspace.Stripes {
		for snap.Step(i, 100) {
			continue
		}
	}
	if len(saved) != len(bigTypes) {
		t.Fatalf("%d values of %d were saved", len(saved), len(bigTypes))
	}
	for _, typ := range bigTypes {
		if p.freeze(keyOf(typ, 0), typ) != nil {
			t.Fatalf("type %d: frozen while the snapshot reads it", typ)
		}
		p.change(keyOf(typ, 0), typ, 50, 200)
	}
	for _, r := range append(readings, saved...) {
		r.readAll(t)
	}
	ks.Exclusive(nil, snap.End)
}

// TestFrozenRest reads the groups of a stream, in pieces and from copies: a second snapshot
// comes to a value that the first has not read yet.
func TestFrozenRest(t *testing.T) {
	ks, _ := newKeyspace(t)
	p := newParty(t, ks, 1)
	const key = "k"
	for range 40 {
		p.change(key, record.Stream, 100, 300)
	}
	var frozen []*keyspace.Frozen
	freeze := func() {
		var snap *keyspace.Snapshot
		ks.Exclusive(nil, func() {
			snap = ks.BeginSnapshot(func(_, _ int, v keyspace.Value) { frozen = append(frozen, snap.Freeze(v)) })
		})
		for i := range keyspace.Stripes {
			for snap.Step(i, 100) {
				continue
			}
		}
		ks.Exclusive(nil, snap.End)
	}
	parts := func(f *keyspace.Frozen) (text string) {
		n := 0
		for more := true; more; n = 0 {
			more = f.Read(func(e value.Element) {
				n++
				text += fmt.Sprintf("%d %x %d %d %x\n", e.Part, e.Name.Bytes, e.MS, e.Seq, e.Node)
			}, func() bool { return n >= 50 })
		}
		return text
	}
	freeze()
	want := parts(frozen[0])
	if n := strings.Count(want, "\n"); n < 600 {
		t.Fatalf("only %d parts", n)
	}
	freeze() // read in pieces first, then copied,
	frozen[1].Read(func(value.Element) {}, func() bool { return true })
	freeze() // copied whole,
	freeze() // read while it changes,
	freeze() // and not read
	p.change(key, record.Stream, 300, 300)
	for i, f := range frozen[2:4] {
		if got := parts(f); got != want {
			t.Errorf("freeze %d has %d bytes of parts, want %d, or others", i, len(got), len(want))
		}
	}
	frozen[1].Release()
	frozen[4].Release()
	frozen[4].Release()
	p.change(key, record.Stream, 300, 300)
}

// TestFreezeMany is everything at once: several parties freeze, read, change, rename,
// delete and let expire a few values, and snapshots meet them. Each reader must get its
// value as it was at its moment. Meant for the race detector.
func TestFreezeMany(t *testing.T) {
	ks, _ := newKeyspace(t)
	smallLimits(ks)
	ks.Limits().ListCompress.Store(1)
	const parties, rounds, keys = 3, 1500, 2
	var wg sync.WaitGroup
	for n := range parties {
		gate := ks.NewGate()
		wg.Go(func() {
			p := newParty(t, ks, uint64(n)+100)
			var open []*reading
			for range rounds {
				gate.Enter()
				open = p.move(keys, open)
				if p.rng.IntN(300) == 0 {
					var release func()
					ks.Exclusive(gate, func() { _, release, _ = ks.FlushAll() })
					release()
				}
				gate.Leave()
			}
			for _, r := range open {
				r.f.Release()
			}
		})
	}
	stop := make(chan struct{})
	var saving sync.WaitGroup
	saving.Go(func() {
		for n := uint64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
				takeSnapshot(t, ks, rand.New(rand.NewPCG(n, 1)))
				for ks.LazyFree() {
					continue
				}
			}
		}
	})
	wg.Wait()
	close(stop)
	saving.Wait()
	p := newParty(t, ks, 0)
	for _, typ := range bigTypes {
		for i := range keys {
			key := keyOf(typ, i)
			p.locked(func() { p.tx.Delete([]byte(key)) }, key)
		}
	}
	for ks.LazyFree() {
		continue
	}
	ks.Exclusive(nil, func() {
		for db := range ks.Databases() {
			ks.FlushDB(db)
		}
	})
	for ks.LazyFree() {
		continue
	}
	if n := ks.UsedMemory(); n != 0 {
		t.Errorf("%d bytes live when all keys are gone", n)
	}
}

// move does one random thing, and returns the readings that are open then.
func (p *party) move(keys int, open []*reading) []*reading {
	typ := bigTypes[p.rng.IntN(len(bigTypes))]
	n := p.rng.IntN(keys)
	key, other := keyOf(typ, n), keyOf(typ, (n+1)%keys)
	switch p.rng.IntN(24) {
	case 0:
		p.locked(func() { p.tx.Delete([]byte(key)) }, key)
	case 1:
		p.locked(func() { _, _ = p.tx.Rename([]byte(key), []byte(other)) }, key, other)
	case 2:
		p.locked(func() {
			p.tx.SetExpiry([]byte(key), int64(start)+1)
			p.tx.Now = start + 2
			p.tx.Exists([]byte(key))
			p.tx.Now = start
		}, key)
	case 3, 4, 5, 6, 7:
		if r := p.freeze(key, typ); r != nil {
			open = append(open, r)
		}
	case 8, 9, 10, 11, 12, 13:
		if len(open) > 0 {
			i := p.rng.IntN(len(open))
			r := open[i]
			if p.rng.IntN(10) == 0 {
				r.f.Release()
			} else if r.read(p.t, p.rng.IntN(100)) {
				break
			}
			open = append(open[:i], open[i+1:]...)
		}
	default:
		p.change(key, typ, 1+p.rng.IntN(30), 150)
	}
	return open
}

// takeSnapshot makes a snapshot of rooted values and compares it.
func takeSnapshot(t testing.TB, ks *keyspace.Keyspace, rng *rand.Rand) {
	var mu sync.Mutex // stripes are saved at the same time
	var saved []*reading
	var snap *keyspace.Snapshot
	ks.Exclusive(nil, func() {
		ks.ForgetDetached()
		snap = ks.BeginSnapshot(func(_, _ int, v keyspace.Value) {
			if !v.IsRooted() {
				return
			}
			c := v.Cell()
			r := &reading{want: imageOf(&c)}
			r.f, r.left = snap.Freeze(v), r.want.elements
			mu.Lock()
			saved = append(saved, r)
			mu.Unlock()
		})
	})
	for i := range keyspace.Stripes {
		for snap.Step(i, 1) {
			continue
		}
	}
	ks.Exclusive(nil, snap.End)
	for _, r := range saved {
		if rng.IntN(8) == 0 {
			r.f.Release()
			continue
		}
		for r.read(t, rng.IntN(100)) {
			continue
		}
	}
}

// TestFreezeFlushed reads values whose heap a flush has replaced, and whose keys are gone.
func TestFreezeFlushed(t *testing.T) {
	for name, flush := range map[string]func(ks *keyspace.Keyspace){
		"all": func(ks *keyspace.Keyspace) {
			_, release, _ := ks.FlushAll()
			release()
		},
		"one": func(ks *keyspace.Keyspace) { ks.FlushDB(0) },
	} {
		ks, clk := newKeyspace(t)
		smallLimits(ks)
		p := newParty(t, ks, 11)
		var open []*reading
		for _, typ := range bigTypes {
			p.change(keyOf(typ, 0), typ, 300, 200)
			r := p.freeze(keyOf(typ, 0), typ)
			r.read(t, 30)
			open = append(open, r)
		}
		ks.Exclusive(nil, func() { flush(ks) })
		ks.SetNow(clock.Now(clk))
		for ks.LazyFree() {
			continue
		}
		for i, r := range open {
			if i == 2 {
				r.f.Release()
				continue
			}
			r.readAll(t)
		}
		if n := ks.UsedMemory(); n != 0 && name == "all" {
			t.Errorf("flushing %s: %d bytes live", name, n)
		}
	}
}
