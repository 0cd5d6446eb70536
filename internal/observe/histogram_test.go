package observe

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// latencyError is what a histogram promises: 1%, or 4 ns where that is more.
func latencyError(ns int64) int64 { return max(4, ns/100) }

// TestBuckets shows that the buckets cover every latency without gap or overlap,
// and that the middle of each is as near to all of it as promised.
func TestBuckets(t *testing.T) {
	if bucketLow(0) != 0 || bucketLow(bucketCount) != 1<<(lastOctave+1) {
		t.Fatalf("buckets from %d to %d", bucketLow(0), bucketLow(bucketCount))
	}
	for i := range bucketCount {
		low, next := bucketLow(i), bucketLow(i+1)
		if low >= next {
			t.Fatalf("bucket %d is [%d, %d)", i, low, next)
		}
		middle := int64(bucketMiddle(i))
		for _, ns := range []uint64{low, next - 1} {
			if got := bucketOf(ns); got != i {
				t.Errorf("%d ns is in bucket %d, want %d: [%d, %d)", ns, got, i, low, next)
			}
			off := max(int64(ns)-middle, middle-int64(ns))
			if off > latencyError(int64(ns)) {
				t.Errorf("%d ns is taken for %d", ns, middle)
			}
		}
	}
	if size := reflect.TypeFor[Histogram]().Size(); size > 4096 {
		t.Errorf("a histogram has %d bytes", size)
	}
}

// TestPercentile compares with a sorted list of everything, for latencies of
// several shapes.
func TestPercentile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() int64{
		"uniform":   func() int64 { return rng.Int64N(100_000) },
		"tiny":      func() int64 { return rng.Int64N(600) },
		"lognormal": func() int64 { return int64(2000 * math.Exp(rng.NormFloat64()*1.5)) },
		"two peaks": func() int64 { return []int64{1500, 800_000_000}[rng.IntN(2)] + rng.Int64N(1000) },
		"constant":  func() int64 { return 33_000 },
	} {
		var h Histogram
		var model []int64
		for range 20_000 {
			ns, n := draw(), uint32(rng.IntN(3))
			h.Record(ns, n)
			for range n {
				model = append(model, ns)
			}
		}
		slices.Sort(model)
		if h.Calls() != uint64(len(model)) {
			t.Fatalf("%s: %d calls, want %d", name, h.Calls(), len(model))
		}
		for _, p := range []float64{0, 0.01, 1, 25, 50, 90, 99, 99.9, 99.99, 100} {
			rank := min(max(int(p/100*float64(len(model))+0.5), 1), len(model))
			got, want := h.Percentile(p), model[rank-1]
			if got < want || got-want > 2*latencyError(want) {
				t.Errorf("%s: p%v is %d, want %d", name, p, got, want)
			}
		}
	}
}

// TestPercentileOfLittle shows the ends of the range: nothing, and what is clipped.
func TestPercentileOfLittle(t *testing.T) {
	for _, tt := range []struct {
		record []int64
		p      float64
		want   int64
	}{
		{nil, 50, 0},
		{[]int64{-5}, 50, 3},
		{[]int64{1000, 2000, 100_000}, -1, 1000},
		{[]int64{1000, 2000, 100_000}, 101, 100_000},
		{[]int64{1000, 2000, 100_000}, 50, 2000},
		{[]int64{2_000_000_000}, 50, recordNanosMax},
		{[]int64{math.MaxInt64, math.MinInt64}, 100, recordNanosMax},
	} {
		var h Histogram
		for _, ns := range tt.record {
			h.Record(ns, 1)
		}
		got := h.Percentile(tt.p)
		if got < tt.want || got-tt.want > 2*latencyError(tt.want) {
			t.Errorf("p%v of %v is %d, want %d", tt.p, tt.record, got, tt.want)
		}
	}
}

// TestAppendMicros shows LATENCY HISTOGRAM's buckets. Redis counts d µs under
// the key d wherever a key is d, and shows 1073741 for what is beyond; the keys
// are those that a Redis 7.0 has printed.
func TestAppendMicros(t *testing.T) {
	type b = MicrosBucket
	for _, tt := range []struct {
		micros []int64
		want   []b
	}{
		{nil, nil},
		{[]int64{0, 1}, []b{{1, 2}}},
		{[]int64{1, 2, 3, 4, 8, 16, 17, 33, 34}, []b{{1, 1}, {2, 2}, {4, 4}, {8, 5}, {16, 6}, {33, 8}, {66, 9}}},
		{[]int64{132, 133, 264, 528, 1056}, []b{{132, 1}, {264, 3}, {528, 4}, {1056, 5}}},
		{[]int64{2113, 4227, 16908, 33816, 67633, 135266, 541065, 541066},
			[]b{{2113, 1}, {4227, 2}, {16908, 3}, {33816, 4}, {67633, 5}, {135266, 6}, {541065, 7}, {1073741, 8}}},
		{[]int64{1_200_000}, []b{{1073741, 1}}},
	} {
		var h Histogram
		for _, us := range tt.micros {
			h.Record(us*1000, 1)
		}
		if got := h.AppendMicros(nil); !slices.Equal(got, tt.want) {
			t.Errorf("%v:\n got %v\nwant %v", tt.micros, got, tt.want)
		}
	}
}

// TestHistogramCarry shows that a counter goes on where 32 bits end, also when
// histograms are merged.
func TestHistogramCarry(t *testing.T) {
	var a, b Histogram
	for range 3 {
		a.Record(100_000, math.MaxUint32)
		b.Record(100_000, math.MaxUint32)
		b.Record(5_000_000, math.MaxUint32)
	}
	const full = math.MaxUint32
	for _, tt := range []struct {
		h    *Histogram
		want []MicrosBucket
	}{
		{&a, []MicrosBucket{{132, 3 * full}}},
		{&b, []MicrosBucket{{132, 3 * full}, {8454, 6 * full}}},
		{merged(&a, &b), []MicrosBucket{{132, 6 * full}, {8454, 9 * full}}},
		{merged(&a, &a, &a), []MicrosBucket{{132, 9 * full}}},
		{merged(), nil},
	} {
		if got := tt.h.AppendMicros(nil); !slices.Equal(got, tt.want) {
			t.Errorf("got %v, want %v", got, tt.want)
		}
	}
	if p := b.Percentile(51); p < 4_950_000 || p > 5_050_000 {
		t.Errorf("p51 is %d", p)
	}
	b.Reset()
	if b.Calls() != 0 || b.AppendMicros(nil) != nil {
		t.Errorf("after Reset: %d calls, %v", b.Calls(), b.AppendMicros(nil))
	}
}

func merged(hs ...*Histogram) *Histogram {
	sum := &Histogram{}
	for _, h := range hs {
		sum.Merge(h)
	}
	return sum
}

// TestHistograms shows a loop's set and how sets are added up.
func TestHistograms(t *testing.T) {
	one, two, sum := NewHistograms(3), NewHistograms(3), NewHistograms(3)
	one.Record(0, 1000, 2)
	one.Record(2, 5000, 1)
	two.Record(0, 1000, 3)
	one.MergeInto(sum)
	two.MergeInto(sum)
	if sum.Of(0).Calls() != 5 || sum.Of(1) != nil || sum.Of(2).Calls() != 1 || one.Of(0).Calls() != 2 {
		t.Errorf("sum %v, %v, %v", sum.Of(0).Calls(), sum.Of(1), sum.Of(2).Calls())
	}
	sum.Reset()
	if sum.Of(0) != nil || one.Of(0) == nil {
		t.Error("Reset left something, or took another set's")
	}
}

// TestRecordAllocatesNothing holds the hot path's promise.
func TestRecordAllocatesNothing(t *testing.T) {
	s, ns := NewHistograms(4), int64(1)
	s.Record(3, 1, 1)
	if n := testing.AllocsPerRun(1000, func() {
		ns = ns * 5 % 1_000_003
		s.Record(3, ns, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	s := NewHistograms(240)
	for ns := int64(300); b.Loop(); ns = (ns*7 + 13) & (1<<14 - 1) {
		s.Record(100, ns, 1)
	}
}

func BenchmarkPercentile(b *testing.B) {
	var h Histogram
	for ns := range int64(100_000) {
		h.Record(ns*7, 1)
	}
	for b.Loop() {
		if h.Percentile(99.9) == 0 {
			b.Fatal("0")
		}
	}
}

func bucketMiddle(bucket int) uint64 { return (bucketLow(bucket) + bucketLow(bucket+1) - 1) / 2 }
