package quicklist

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/mem"
)

// A bench is a list beside a slice that is too simple to be wrong, and a snapshot that
// freezes leaves and reads them later.
type bench struct {
	t      testing.TB
	h      leaf.Heap
	list   List
	model  [][]byte
	o      Options
	step   int
	epoch  uint16
	frozen []frozenLeaf
}

type frozenLeaf struct {
	ref  mem.Ref
	want []byte
}

var sharedScratch Scratch // fuzz targets run one at a time in a process

func newBench(t testing.TB, reserve int64) *bench {
	a, err := mem.New(reserve)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, h: leaf.Heap{Arena: a}, o: Options{Fill: -1, Scratch: &sharedScratch}}
}

// elem is one of few elements, so that Remove finds some, of a size that belongs to kind.
func elem(kind, which byte) []byte {
	switch kind % 8 {
	case 0, 1:
		return fmt.Appendf(nil, "%d", int(which%16)*12345)
	case 2, 3, 4:
		return fmt.Appendf(nil, "elem-%02d", which%32)
	case 5:
		return bytes.Repeat([]byte{'a' + which%8}, 150+int(which))
	case 6:
		return bytes.Repeat([]byte{'a' + which%8}, 1500+8*int(which))
	}
	if which%4 == 0 {
		return bytes.Repeat([]byte{'a' + which%8}, 9000)
	}
	return noise(int(which)*4, uint64(which%4))
}

// noise does not compress.
func noise(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// do runs one operation on both. The model changes only if the list says that it did.
func (b *bench) do(verb, x, y, z byte) {
	n := len(b.model)
	at := func(below int) int { return (int(x)<<8 | int(y)) % below }
	switch verb % 16 {
	case 0, 1:
		e := elem(x, y)
		if b.ok(b.list.PushTail(b.h, &b.o, e)) {
			b.model = append(b.model, e)
		}
	case 2, 3:
		e := elem(x, y)
		if b.ok(b.list.PushHead(b.h, &b.o, e)) {
			b.model = slices.Insert(b.model, 0, e)
		}
	case 4:
		for i := range int(x % 64) { // so that many nodes appear
			e := elem(z, y+byte(i))
			if b.ok(b.list.PushTail(b.h, &b.o, e)) {
				b.model = append(b.model, e)
			}
		}
	case 5:
		if n > 0 {
			b.same("First", b.list.First(b.h.Arena), b.model[0])
			if b.ok(b.list.PopHead(b.h, &b.o)) {
				b.model = b.model[1:]
			}
		}
	case 6:
		if n > 0 {
			b.same("Last", b.list.Last(b.h.Arena), b.model[n-1])
			if b.ok(b.list.PopTail(b.h, &b.o)) {
				b.model = b.model[:n-1]
			}
		}
	case 7:
		if n > 0 {
			i := at(n)
			b.same("Index", b.list.Index(b.h.Arena, i, b.o.Scratch), b.model[i])
		}
	case 8:
		if n > 0 {
			i, e := at(n), elem(z, z/8)
			if b.ok(b.list.Set(b.h, &b.o, i, e)) {
				b.model[i] = e
			}
		}
	case 9, 10:
		i, e := at(n+1), elem(z, z/8)
		if b.ok(b.list.InsertAt(b.h, &b.o, i, e)) {
			b.model = slices.Insert(b.model, i, e)
		}
	case 11:
		if n > 0 {
			i := at(n)
			count := min(int(z), n-i)
			if z > 250 {
				count = n - i
			}
			if b.ok(b.list.DeleteRange(b.h, &b.o, i, count)) {
				b.model = slices.Delete(b.model, i, i+count)
			}
		}
	case 12:
		b.remove(elem(x, y), int(z%8), z&8 != 0)
	case 13:
		b.iterate(int(x)<<8|int(y), z%2 == 1)
	case 14:
		b.snapshot(x)
	case 15:
		b.options(x, y, z)
	}
}

func (b *bench) ok(err error) bool {
	if err != nil && !errors.Is(err, mem.ErrExhausted) {
		b.t.Fatalf("step %d: %v", b.step, err)
	}
	return err == nil
}

func (b *bench) same(what string, got listpack.Elem, want []byte) {
	if !bytes.Equal(got.AppendTo(nil), want) {
		b.t.Fatalf("step %d: %s is %.40q, not %.40q", b.step, what, got.AppendTo(nil), want)
	}
}

func (b *bench) remove(e []byte, count int, fromTail bool) {
	got, err := b.list.Remove(b.h, &b.o, e, count, fromTail)
	limit := count
	if limit == 0 {
		limit = len(b.model)
	}
	if !b.ok(err) {
		limit = got
	}
	want := 0
	if fromTail {
		slices.Reverse(b.model)
	}
	b.model = slices.DeleteFunc(b.model, func(m []byte) bool {
		if want == limit || !bytes.Equal(m, e) {
			return false
		}
		want++
		return true
	})
	if fromTail {
		slices.Reverse(b.model)
	}
	if got != want {
		b.t.Fatalf("step %d: removed %d of %.20q, not %d", b.step, got, e, want)
	}
}

func (b *bench) iterate(from int, back bool) {
	if n := len(b.model) + 3; n > 0 {
		from = from%n - 1
	}
	i := from
	for it := b.list.Iter(b.h.Arena, from, back, b.o.Scratch); ; {
		e, ok := it.Next()
		if inside := i >= 0 && i < len(b.model) && from >= 0 && from < len(b.model); ok != inside {
			b.t.Fatalf("step %d: iterating at %d of %d: %v", b.step, i, len(b.model), ok)
		}
		if !ok {
			return
		}
		b.same("an element met", e, b.model[i])
		if back {
			i--
		} else {
			i++
		}
	}
}

// snapshot freezes all leaves, or reads and thaws some.
func (b *bench) snapshot(x byte) {
	if len(b.frozen) == 0 {
		b.epoch++
		b.h.Epoch = b.epoch
		for _, r := range b.list.AppendLeaves(b.h.Arena, nil) {
			content, _ := LeafBytes(b.h.Arena, r, b.o.Scratch)
			b.frozen = append(b.frozen, frozenLeaf{r, bytes.Clone(content)})
		}
		return
	}
	b.thaw(1 + int(x)%len(b.frozen))
}

func (b *bench) thaw(n int) {
	for _, f := range b.frozen[:n] {
		if content, _ := LeafBytes(b.h.Arena, f.ref, b.o.Scratch); !bytes.Equal(content, f.want) {
			b.t.Fatalf("step %d: frozen leaf %d has changed", b.step, f.ref)
		}
		b.h.Thaw(f.ref)
	}
	if b.frozen = b.frozen[n:]; len(b.frozen) == 0 {
		b.h.Epoch = 0
	}
}

func (b *bench) options(x, y, z byte) {
	b.o.Fill = []int{-1, 1, 2, 3, 5, 16, 0, -2}[x%8]
	b.o.Depth = []int{0, 0, 1, 1, 2, 3, 40}[y%7]
	b.o.PackedThreshold = []int{0, 0, 0, 100, 1 << 30}[z%5]
}

// check holds the list against its invariants and the model.
func (b *bench) check() {
	if err := b.list.Check(b.h.Arena); err != nil {
		b.t.Fatalf("step %d: %v", b.step, err)
	}
	if b.list.Len() != len(b.model) {
		b.t.Fatalf("step %d: %d elements, not %d", b.step, b.list.Len(), len(b.model))
	}
	var root [Size]byte
	b.list.Store(root[:])
	b.list = List{}
	b.list.Load(root[:])
}

// all holds every element against the model, by leaves.
func (b *bench) all() {
	i := 0
	leaves := b.list.AppendLeaves(b.h.Arena, nil)
	if len(leaves) != b.list.Nodes() {
		b.t.Fatalf("step %d: %d leaves, not %d", b.step, len(leaves), b.list.Nodes())
	}
	for _, r := range leaves {
		err := EachInLeaf(b.h.Arena, r, b.o.Scratch, func(e listpack.Elem) error {
			b.same("an element of a leaf", e, b.model[i])
			i++
			return nil
		})
		if err != nil || i > len(b.model) {
			b.t.Fatalf("step %d: %d elements in leaves, %v", b.step, i, err)
		}
	}
}

func (b *bench) free() {
	for !b.list.FreeSome(b.h, 3) {
	}
	b.thaw(len(b.frozen))
	if live := b.h.Live(); live != 0 {
		b.t.Fatalf("%d bytes live at the end", live)
	}
	b.h.Release()
}

func (b *bench) run(program []byte) {
	for step := range slices.Chunk(program, 4) {
		if len(step) < 4 {
			break
		}
		b.do(step[0], step[1], step[2], step[3])
		b.check()
		if b.step++; b.step%16 == 0 {
			b.all()
		}
	}
	b.all()
	b.clone(1 + 100*b.step)
	b.free()
}

// FuzzAgainstModel replays a byte string as operations of four bytes each: a verb, and
// what it works on. The first operation chooses the options.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x0f\x00\x02\x00\x04\x3f\x01\x02\x04\x3f\x01\x05\x0b\x00\x20\x30\x0c\x05\x01\x00"))
	f.Add([]byte("\x0f\x01\x04\x00\x04\x3f\x01\x02\x0e\x00\x00\x00\x0b\x00\x20\x10\x09\x00\x11\x00"))
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 4<<8 {
			return
		}
		newBench(t, 1<<26).run(program)
	})
}

// TestAgainstModel runs random programs, with options that stay for a while.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(24) {
		rng := rand.New(rand.NewPCG(seed, 0))
		program := make([]byte, 4*400)
		for i := range program {
			program[i] = byte(rng.Uint32())
		}
		program[0] = 15
		for i := 4; i < len(program); i += 4 {
			if program[i]%16 == 15 && i%(4*50) != 0 {
				program[i] = byte(rng.Uint32() % 15)
			}
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { newBench(t, 1<<26).run(program) })
	}
}

// TestExhausted runs random programs in so little memory that much fails, and shows that
// nothing changes then.
func TestExhausted(t *testing.T) {
	failed := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 7))
		b := newBench(t, 96<<10)
		b.options(byte(rng.Uint32()), byte(rng.Uint32()), 0)
		for range 600 {
			verb := byte(rng.Uint32())
			if verb%16 == 15 {
				continue
			}
			before := len(b.model)
			b.do(verb, byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()))
			b.check()
			if verb%16 < 4 && len(b.model) == before {
				failed++
			}
			b.step++
		}
		b.all()
		b.free()
	}
	if failed == 0 {
		t.Error("the memory was enough for everything")
	}
}
