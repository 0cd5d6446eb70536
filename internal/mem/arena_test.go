package mem

import (
	"math/rand/v2"
	"testing"
)

func newArena(t testing.TB) *Arena {
	t.Helper()
	a, err := New(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Release)
	return a
}

// Every size gets a class whose blocks hold it, and no smaller class would do.
func TestClasses(t *testing.T) {
	for n := 1; n <= smallMax; n++ {
		c := classOf(n)
		if size := classSize(c); size < n {
			t.Fatalf("class %d of %d bytes holds %d", c, n, size)
		}
		if c > 0 && classSize(c-1) >= n {
			t.Fatalf("%d bytes get class %d of %d, but %d would do", n, c, classSize(c), classSize(c-1))
		}
		if big := classSize(coarse(c)); big < n || big > max(16, n*3/2+8) {
			t.Fatalf("%d bytes get a coarse class of %d", n, big)
		}
	}
	if last := classSize(classes - 1); last != smallMax {
		t.Fatalf("the largest class has %d bytes, want %d", last, smallMax)
	}
	for c, ci := range classTable {
		room := int(ci.pages) * pageSize
		if waste := float64(room-int(ci.blocks)*int(ci.size)) / float64(room); waste > 0.07 {
			t.Errorf("class %d of %d bytes wastes %.3f of %d pages", c, ci.size, waste, ci.pages)
		}
	}
}

// FuzzAgainstModel replays a byte string as allocations and frees and keeps in a map
// what every block must hold.
//
// Each operation is three bytes: what to do, and an operand.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x10\x00\x00\x20\x00\x01\x00\x00"))
	seed := rand.New(rand.NewPCG(1, 2))
	long := make([]byte, 3000)
	for i := range long {
		long[i] = byte(seed.Uint32())
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, program []byte) {
		a := newArena(t)
		type block struct {
			ref  Ref
			n    int
			fill byte
		}
		var blocks []block
		for i := 0; i+3 <= len(program); i += 3 {
			operand := int(program[i+1]) | int(program[i+2])<<8
			switch verb := program[i] % 8; {
			case verb < 4: // small, mostly; some large
				n := operand%300 + 1
				if verb == 3 {
					n = operand + 1
				}
				if verb == 2 && operand%16 == 0 {
					n = operand*8 + 1
				}
				r := a.Alloc(n)
				if a.Cap(r) < n {
					t.Fatalf("room for %d, want %d", a.Cap(r), n)
				}
				b := block{r, n, byte(i)}
				for j := range a.Bytes(r, n) {
					a.Bytes(r, n)[j] = b.fill
				}
				blocks = append(blocks, b)
			case verb < 7 && len(blocks) > 0:
				k := operand % len(blocks)
				b := blocks[k]
				for j, got := range a.Bytes(b.ref, b.n) {
					if got != b.fill {
						t.Fatalf("byte %d of a block of %d is %d, want %d", j, b.n, got, b.fill)
					}
				}
				a.Free(b.ref)
				blocks[k] = blocks[len(blocks)-1]
				blocks = blocks[:len(blocks)-1]
			case verb == 7:
				a.Trim(int64(operand) << 8)
			}
		}
		if err := a.Check(); err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			a.Free(b.ref)
		}
		if err := a.Check(); err != nil {
			t.Fatal(err)
		}
		if a.Live() != 0 || a.Blocks() != 0 {
			t.Fatalf("%d bytes in %d blocks live after the last free", a.Live(), a.Blocks())
		}
	})
}

// What was freed is given back: Trim leaves hardly a page.
func TestTrimGivesBack(t *testing.T) {
	a := newArena(t)
	var refs []Ref
	for i := range 100_000 {
		refs = append(refs, a.Alloc(40+i%200))
	}
	for _, r := range refs {
		a.Free(r)
	}
	a.Trim(1 << 40)
	if held := a.Held(); held > 2<<20 {
		t.Errorf("%d bytes held by an empty arena", held)
	}
	if a.Live() != 0 {
		t.Errorf("%d bytes live", a.Live())
	}
}

// A long run is given back in steps, and again if it was used meanwhile.
func TestTrimSteps(t *testing.T) {
	const size, step = 64 << 20, 3 << 20
	a := newArena(t)
	use := func() (dirty int64) {
		r := a.Alloc(size)
		b := a.Bytes(r, size)
		for i := 0; i < size; i += 4096 {
			b[i] = 1
		}
		a.Free(r)
		return a.Dirty()
	}
	given := func(most int) (sum int64) {
		for range most {
			n := a.Trim(step)
			if n == 0 {
				break
			}
			if n > step {
				t.Fatalf("gave %d bytes back at once", n)
			}
			sum += n
		}
		return sum
	}
	all := use()
	if got := given(100); got != all || all < size || a.Dirty() != 0 {
		t.Errorf("gave %d back of %d, %d are dirty", got, all, a.Dirty())
	}
	use()
	if got := given(5); got != 5*step || a.Dirty() != all {
		t.Errorf("gave %d back, %d are dirty", got, a.Dirty())
	}
	use() // of the pages that were given back too
	if got := given(100); got != all || a.Dirty() != 0 {
		t.Errorf("gave %d back, %d are dirty", got, a.Dirty())
	}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
}

// Memory ahead is told of once, in any case before it is handed out, and to populate it
// changes nothing, even if the arena has gone.
func TestAhead(t *testing.T) {
	a := newArena(t)
	told, huge := 0, 0
	for i := range 6000 {
		ahead := a.Ahead(20_000)
		told += len(ahead.b)
		if len(ahead.b) >= 1<<20 {
			huge++
		}
		if i%7 == 0 {
			ahead.Populate()
		}
		r := a.Alloc(20_000)
		b := a.Bytes(r, 20_000)
		if len(ahead.b) > 0 {
			b[0], b[19_999] = 1, 2
			ahead.Populate()
			if b[0] != 1 || b[19_999] != 2 {
				t.Fatal("the memory has changed")
			}
		}
		if int64(a.next) > int64(a.ahead)+1 {
			t.Fatalf("page %d was handed out, told of %d", a.next, a.ahead)
		}
	}
	if told < 100<<20 || told > 130<<20 || huge < 20 {
		t.Errorf("told of %d bytes, %d huge pages", told, huge)
	}
	b, err := New(1 << 24)
	if err != nil {
		t.Fatal(err)
	}
	ahead := b.Ahead(1 << 20)
	b.Release()
	ahead.Populate()
	if full := newArena(t); full.Ahead(1<<40).b == nil || full.Ahead(1<<20).b != nil {
		t.Error("the end of the arena")
	}
}

func TestGrowInPlace(t *testing.T) {
	a := newArena(t)
	r := a.Alloc(100 << 10)
	live := a.Live()
	if a.GrowInPlace(r, 300<<10) {
		if a.Cap(r) < 300<<10 || a.Live() < live+200<<10 {
			t.Errorf("grown block holds %d, live %d", a.Cap(r), a.Live())
		}
	}
	behind := a.Alloc(50 << 10)
	if a.GrowInPlace(r, 1<<20) {
		t.Error("a block grew over its neighbour")
	}
	a.Free(behind)
	a.Free(r)
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestExhausted(t *testing.T) {
	a, err := New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	n := 0
	for a.Alloc(1000) != 0 {
		n++
	}
	if n < 900 || n > 1100 {
		t.Errorf("%d blocks of 1000 bytes in 1 MiB", n)
	}
	if a.Alloc(100<<20) != 0 {
		t.Error("a block larger than the arena")
	}
}

func BenchmarkAllocFree(b *testing.B) {
	a := newArena(b)
	var refs [1024]Ref
	for i := range refs {
		refs[i] = a.Alloc(84)
	}
	i := 0
	for b.Loop() {
		k := i & 1023
		a.Free(refs[k])
		refs[k] = a.Alloc(84)
		i += 7
	}
}
