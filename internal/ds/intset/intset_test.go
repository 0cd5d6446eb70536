package intset

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// add inserts v, if it is not there, into a block of exactly the size that is needed.
func add(t testing.TB, s Set, v int64) Set {
	t.Helper()
	if s.Contains(v) {
		return s
	}
	b := append(bytes.Clone(s), bytes.Repeat([]byte{0xee}, s.SizeAfter(v)-len(s))...)
	if size := Insert(b, v); size != len(b) {
		t.Fatalf("the size is %d of %d", size, len(b))
	}
	return In(b)
}

func of(t testing.TB, numbers ...int64) Set {
	t.Helper()
	s := Set(AppendEmpty(nil))
	for _, v := range numbers {
		s = add(t, s, v)
	}
	return s
}

func numbers(s Set) []int64 {
	all := []int64{}
	for i := range s.Len() {
		all = append(all, s.At(i))
	}
	return all
}

// TestRedisBytes does what Redis was made to do, and wants the bytes that it got.
func TestRedisBytes(t *testing.T) {
	file, err := os.ReadFile("testdata/redis-7.0.15.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		steps, want, _ := strings.Cut(strings.TrimSpace(line), " => ")
		s := of(t)
		for step := range strings.SplitSeq(steps, " | ") {
			words := strings.Fields(step)
			for _, word := range words[1:] {
				v, err := strconv.ParseInt(word, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				if words[0] == "SADD" {
					s = add(t, s, v)
				} else if i, found := s.Find(v); found {
					s = s[:DeleteAt(s, i)]
				}
			}
		}
		if got := hex.EncodeToString(s); got != want {
			t.Errorf("%s:\n got %s\nwant %s", steps, got, want)
		}
	}
	if rows < 40 {
		t.Errorf("%d rows", rows)
	}
}

// TestWiden inserts each number into sets of smaller ones, at both ends.
func TestWiden(t *testing.T) {
	for _, tt := range []struct {
		v     int64
		width int
	}{
		{math.MaxInt16, 2}, {math.MinInt16, 2},
		{math.MaxInt16 + 1, 4}, {math.MinInt16 - 1, 4}, {math.MaxInt32, 4}, {math.MinInt32, 4},
		{math.MaxInt32 + 1, 8}, {math.MinInt32 - 1, 8}, {math.MaxInt64, 8}, {math.MinInt64, 8},
	} {
		for _, before := range [][]int64{{}, {-3, 0, 5}, {-40000, -1, 40000}} {
			s := of(t, append(before, tt.v)...)
			want := append(slices.Clone(before), tt.v)
			slices.Sort(want)
			if !slices.Equal(numbers(s), want) || Validate(s, true) != nil {
				t.Errorf("%d into %d: %d", tt.v, before, numbers(s))
			}
			if len(before) == 0 && s.width() != tt.width {
				t.Errorf("%d is %d wide", tt.v, s.width())
			}
			if s.Min() != want[0] || s.Max() != want[len(want)-1] {
				t.Errorf("%d to %d of %d", s.Min(), s.Max(), want)
			}
			s = s[:DeleteRange(s, 0, s.Len()-1)]
			if !slices.Equal(numbers(s), want[len(want)-1:]) {
				t.Errorf("%d is left", numbers(s))
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct{ bytes, want string }{
		{"", "fewer"},
		{"\x02\x00\x00\x00\x00\x00\x00", "fewer"},
		{"\x03\x00\x00\x00\x00\x00\x00\x00", "numbers of 3"},
		{"\x02\x01\x00\x00\x00\x00\x00\x00", "numbers of 258"},
		{"\x02\x00\x00\x00\x01\x00\x00\x00", "8 bytes hold 1"},
		{"\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x02", "11 bytes hold 1"},
		{"\x08\x00\x00\x00\x00\x00\x00\x20", "hold 536870912"}, // 2^32 bytes
		{"\x08\x00\x00\x00\xff\xff\xff\xff", "hold 4294967295"},
		{"\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x01\x00", "1, after 1"},
		{"\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\xff\xff", "-1, after 1"},
	} {
		err := Validate([]byte(tt.bytes), true)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v", tt.bytes, err)
		}
	}
	wide := []byte("\x08\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00")
	if err := Validate(wide, true); err != nil || Set(wide).At(0) != 1 {
		t.Errorf("a width that is not needed: %v", err)
	}
}

// FuzzAgainstModel runs a program of changes on a set and on a sorted slice.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 0, 3, 1, 2, 2, 40, 2, 41, 3, 60, 3, 61, 5, 1})
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		input := make([]byte, 300)
		for i := range input {
			input[i] = byte(r.Uint32())
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var model []int64
		s := of(t)
		for p := input[:min(len(input), 600)&^1]; len(p) > 0; p = p[2:] {
			v := draw(p[0]>>3, p[1])
			i, there := slices.BinarySearch(model, v)
			if at, found := s.Find(v); at != i || found != there || s.Contains(v) != there {
				t.Fatalf("%d is at %d %v, not %d %v", v, at, found, i, there)
			}
			switch op := p[0] & 7; {
			case op < 5 && !there:
				s, model = add(t, s, v), slices.Insert(model, i, v)
			case op == 5 && there:
				s, model = s[:DeleteAt(s, i)], slices.Delete(model, i, i+1)
			case op == 6:
				to := min(i+int(p[1]&3), len(model))
				s, model = s[:DeleteRange(s, i, to)], slices.Delete(model, i, to)
			}
			if err := Validate(s, true); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(numbers(s), model) || len(In(s)) != len(s) {
				t.Fatalf("%d, not %d", numbers(s), model)
			}
		}
	})
}

// draw is a number of any width, often one that was drawn before.
func draw(kind, c byte) int64 {
	v := int64(c & 31)
	switch kind % 8 {
	case 5:
		v += math.MaxInt16 - 15
	case 6:
		v += math.MaxInt32 - 15
	case 7:
		v += math.MaxInt64 - 31
	}
	if c&32 != 0 {
		v = -v
	}
	return v
}

// FuzzValidate uses everything that reads on whatever passes Validate.
func FuzzValidate(f *testing.F) {
	f.Add([]byte(of(f, 1, 2, 3)))
	f.Add([]byte(of(f, -1, 70000, 1<<40)))
	f.Add([]byte("\x08\x00\x00\x00\x00\x00\x00\x20"))
	f.Fuzz(func(t *testing.T, input []byte) {
		exact := make([]byte, len(input)) // so that reading behind it panics
		copy(exact, input)
		if Validate(exact, true) != nil {
			return
		}
		s := In(exact)
		for i, v := range numbers(s) {
			if at, found := s.Find(v); !found || at != i {
				t.Fatalf("%d is at %d %v, not %d", v, at, found, i)
			}
		}
		if s.Len() > 0 && s.Min() > s.Max() {
			t.Fatal("the least is greater than the greatest")
		}
		s = add(t, s, 77)
		if !s.Contains(77) || Validate(s, true) != nil {
			t.Fatal("77 is not there")
		}
	})
}

func TestAllocNothing(t *testing.T) {
	b := append([]byte(of(t, 1, 2, 3, 70000)), make([]byte, 100)...)
	if n := testing.AllocsPerRun(100, func() {
		Insert(b, 1<<40)
		Insert(b, -5)
		i, found := In(b).Find(1 << 40)
		if !found || !In(b).Contains(-5) || Validate(In(b), true) != nil {
			t.Error("not found")
		}
		DeleteAt(b, i)
		DeleteRange(b, 0, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var sink int

// BenchmarkFind looks for members of a full set.
func BenchmarkFind(b *testing.B) {
	const n = 512
	s := Set(AppendEmpty(nil))
	for i := range int64(n) {
		s = add(b, s, i*100)
	}
	for v := int64(0); b.Loop(); v = (v + 7700) % (n * 100) {
		i, _ := s.Find(v)
		sink += i
	}
	b.ReportMetric(float64(len(s))/n, "B/elem")
}

// BenchmarkInsertDelete changes a full set in its middle.
func BenchmarkInsertDelete(b *testing.B) {
	const n = 512
	s := Set(AppendEmpty(nil))
	for i := range int64(n) {
		s = add(b, s, i*100)
	}
	block := append([]byte(s), make([]byte, 8)...)
	for b.Loop() {
		Insert(block, n*50+1)
		DeleteAt(block, n/2+1)
	}
}
