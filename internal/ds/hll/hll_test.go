package hll_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/spineldb/spinel/internal/ds/hll"
)

const sparseMax = 3000

func newHLL() []byte { return hll.AppendEmpty(make([]byte, 0, hll.DenseSize)) }

func add(t testing.TB, b []byte, element string, sparseMax int) []byte {
	index, rank := hll.Rank([]byte(element))
	b, err := hll.Raise(b, index, rank, sparseMax)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of the package comment, and bytes that a redis-server 7.0.15 made of the
// same elements.
func TestExampleBytes(t *testing.T) {
	b := newHLL()
	if want := "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff"; string(b) != want {
		t.Errorf("a new one is % x, want % x", b, want)
	}
	for _, element := range []string{"a", "b", "c", "hello", "", "a long element, of several words"} {
		b = add(t, b, element, sparseMax)
	}
	const want = "57318449c08041198041ef804da5844bfb80425a"
	if got := fmt.Sprintf("%x", b[16:]); got != want {
		t.Errorf("six elements are %s, want %s", got, want)
	}
	text, err := hll.AppendRuns(nil, b)
	const runs = "Z:5938 v:2,1 Z:2497 v:1,1 Z:282 v:1,1 Z:496 v:1,1 Z:3494 v:2,1 Z:3068 v:1,1 Z:603"
	if string(text) != runs || err != nil {
		t.Errorf("the runs are %s (%v), want %s", text, err, runs)
	}
	n, err := hll.Estimate(b)
	if n != 6 || err != nil {
		t.Errorf("estimate %d, %v", n, err)
	}
}

func TestCached(t *testing.T) {
	b := newHLL()
	if n, ok := hll.Cached(b); n != 0 || !ok {
		t.Errorf("a new one has seen %d, %v", n, ok)
	}
	hll.SetCached(b, 123456789)
	if n, ok := hll.Cached(b); n != 123456789 || !ok {
		t.Errorf("cached %d, %v", n, ok)
	}
	hll.Invalidate(b)
	if _, ok := hll.Cached(b); ok {
		t.Error("still cached")
	}
}

// The standard error is 0.81%: four of it must never be exceeded in a fixed sequence.
func TestEstimates(t *testing.T) {
	b := newHLL()
	for n := 1; n <= 300_000; n++ {
		b = add(t, b, fmt.Sprint("element", n), sparseMax)
		if n%10_000 != 0 && n > 1000 && n != 3000 {
			continue
		}
		got, err := hll.Estimate(b)
		if err != nil || math.Abs(float64(got)-float64(n)) > max(1, 0.0325*float64(n)) {
			t.Fatalf("after %d elements: estimate %d, %v", n, got, err)
		}
	}
	if !hll.IsDense(b) || hll.Validate(b) != nil {
		t.Error("it is not dense, or not valid")
	}
}

// Every way to the same registers gives the same estimate, and what was merged is the
// greater of each pair.
func TestMerge(t *testing.T) {
	a, b, both := newHLL(), newHLL(), newHLL()
	for i := range 5000 {
		element := fmt.Sprint(i)
		both = add(t, both, element, sparseMax)
		if i%3 > 0 {
			a = add(t, a, element, 1<<20) // stays sparse
		}
		if i%3 < 2 {
			b = add(t, b, element, 0) // dense at once
		}
	}
	if hll.IsDense(a) || !hll.IsDense(b) {
		t.Fatal("the encodings are not what the test is about")
	}
	var s, want hll.Set
	for _, x := range [][]byte{a, b} {
		if err := s.Merge(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := want.Merge(both); err != nil {
		t.Fatal(err)
	}
	if s != want {
		t.Error("the registers differ")
	}
	n, _ := hll.Estimate(both)
	if s.Estimate() != n {
		t.Errorf("estimates %d and %d", s.Estimate(), n)
	}
	merged, err := s.AppendTo(newHLL(), false, sparseMax)
	if err != nil || !bytes.Equal(merged[16:], both[16:]) {
		t.Errorf("merged they have other bytes (%v)", err)
	}
	long, err := s.AppendTo(hll.AppendEmpty(nil), false, 1<<20)
	if err != nil || hll.IsDense(long) {
		t.Errorf("it does not stay sparse (%v)", err)
	}
	packed, err := hll.ToDense(long)
	if err != nil || !bytes.Equal(packed[16:], both[16:]) {
		t.Errorf("made dense it has other bytes (%v)", err)
	}
}

func TestIs(t *testing.T) {
	for _, tt := range []struct {
		bytes string
		want  bool
	}{
		{"", false},
		{"HYLL", false},
		{"HYLL\x01\x00\x00\x0000000000", true}, // without registers
		{"HYLL\x00\x00\x00\x0000000000", false},
		{"HYLL\x02\x00\x00\x0000000000\x7f\xff", false},
		{"hyll\x01\x00\x00\x0000000000\x7f\xff", false},
		{"HYLL\x00\x00\x00\x0000000000" + string(make([]byte, 12288)), true},
		{"HYLL\x00\x00\x00\x0000000000" + string(make([]byte, 12289)), false},
	} {
		if got := hll.Is([]byte(tt.bytes)); got != tt.want {
			t.Errorf("Is(%.20q) = %v", tt.bytes, got)
		}
	}
}

// X10, CVE-2019-10192, CVE-2025-32023: runs that do not add up to all registers.
func TestX10CorruptRuns(t *testing.T) {
	for _, body := range []string{
		"",                         // no registers
		"\x7f",                     // half an XZERO
		"\x7f\xfe",                 // one register too few
		"\x7f\xff\x00",             // one too many
		"\x7f\xff\x7f\xff\x7f\xff", // far too many
		"\x7f\xfe\x81",             // the last VAL stands out
		"\x40\x00\x40",
	} {
		b := append(newHLL()[:16], body...)
		if err := hll.Validate(b); err == nil {
			t.Errorf("% x is valid", body)
		}
		if _, err := hll.Estimate(b); err != hll.ErrCorrupt {
			t.Errorf("% x: Estimate says %v", body, err)
		}
		if err := new(hll.Set).Merge(b); err != hll.ErrCorrupt {
			t.Errorf("% x: Merge says %v", body, err)
		}
		if _, err := hll.ToDense(bytes.Clone(b)); err != hll.ErrCorrupt {
			t.Errorf("% x: ToDense says %v", body, err)
		}
		if _, err := hll.Raise(bytes.Clone(b), 0, 33, sparseMax); err != hll.ErrCorrupt {
			t.Errorf("% x: Raise says %v", body, err)
		}
	}
}

// Elements are added and merged without an allocation, if there is room.
func TestAllocations(t *testing.T) {
	sparse, packed := newHLL(), newHLL()
	for i := range 2000 {
		packed = add(t, packed, fmt.Sprint(i), 100)
		if i < 200 {
			sparse = add(t, sparse, fmt.Sprint(i), sparseMax)
		}
	}
	element := []byte("something new")
	buf := make([]byte, 0, hll.DenseSize)
	for name, f := range map[string]func(){
		"sparse": func() {
			b := append(buf, sparse...)
			index, rank := hll.Rank(element)
			b, _ = hll.Raise(b, index, rank, sparseMax)
			_, _ = hll.IsLower(b, index, rank)
			_, _ = hll.Estimate(b)
		},
		"dense": func() {
			b := append(buf, packed...)
			index, rank := hll.Rank(element)
			b, _ = hll.Raise(b, index, rank, sparseMax)
			_, _ = hll.Estimate(b)
		},
		"merge": func() {
			var s hll.Set
			_ = s.Merge(sparse)
			_, _ = s.AppendTo(append(buf, sparse...), false, sparseMax)
			_ = s.Merge(packed)
			_ = s.Estimate()
			_, _ = s.AppendTo(append(buf, sparse...), false, sparseMax)
			_, _ = s.AppendTo(append(buf, packed...), true, sparseMax)
			_, _ = hll.ToDense(append(buf, sparse...))
		},
	} {
		if n := testing.AllocsPerRun(10, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkRaiseSparse(b *testing.B) {
	full := newHLL()
	for i := range 1000 {
		full = add(b, full, fmt.Sprint(i), sparseMax)
	}
	buf := make([]byte, 0, hll.DenseSize)
	element := []byte("0123456789")
	for b.Loop() {
		element[0]++
		index, rank := hll.Rank(element)
		_, _ = hll.Raise(append(buf, full...), index, rank, 1<<20)
	}
}

func BenchmarkMergeDense(b *testing.B) {
	full := newHLL()
	for i := range 100_000 {
		full = add(b, full, fmt.Sprint(i), 0)
	}
	var s hll.Set
	for b.Loop() {
		_ = s.Merge(full)
	}
}

func BenchmarkEstimateDense(b *testing.B) {
	full := newHLL()
	for i := range 100_000 {
		full = add(b, full, fmt.Sprint(i), 0)
	}
	for b.Loop() {
		_, _ = hll.Estimate(full)
	}
}
