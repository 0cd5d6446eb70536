package geocmd

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzAppendDegrees compares with strconv, whose digits are exact.
func FuzzAppendDegrees(f *testing.F) {
	for _, v := range []float64{0, math.Copysign(0, -1), 180, -180, 85.05112878, 0.5, -0.25, 1e-17, 5e-18,
		4.9e-18, 5e-324, 0.1, 1 - 1e-16, 179.99999731779098511, 1.0 / (1 << 18), 3.0 / (1 << 18), -1e-30} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		if v = math.Mod(v, 256); math.IsNaN(v) {
			return
		}
		want := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 17, 64), "0"), ".")
		switch want {
		case "", "-", "-0": // the zero before the point was trimmed with the others, if it is alone
			want = "0"
		}
		if got := string(appendDegrees(nil, v)); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	})
}

// TestRounding writes numbers that are just in the middle, and around it.
func TestRounding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		n := rng.IntN(60)
		v := math.Ldexp(float64(rng.IntN(1<<n+1)*2+1), -18-rng.IntN(100))
		if v > 200 {
			continue
		}
		text := strconv.FormatFloat(v, 'f', 17, 64)
		got := string(appendDegrees(nil, v))
		if want := strings.TrimRight(strings.TrimRight(text, "0"), "."); got != want && (want != "" || got != "0") {
			t.Fatalf("%v is written %s, want %s", v, got, text)
		}
	}
}

// TestRanking keeps some of many hits, of which many are equally far.
func TestRanking(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		r := ranking{most: rng.IntN(12), desc: rng.IntN(2) == 0}
		var kept, all []hit
		for i := range rng.IntN(40) {
			h := hit{serial: i, distance: float64(rng.IntN(10))}
			all, kept = append(all, h), r.add(kept, h)
		}
		slices.SortStableFunc(all, func(a, b hit) int {
			if r.desc {
				a, b = b, a
			}
			return int(a.distance - b.distance)
		})
		if r.most > 0 {
			all = all[:min(r.most, len(all))]
		}
		r.sort(kept)
		if !slices.Equal(kept, all) {
			t.Fatalf("%+v:\n got %v\nwant %v", r, kept, all)
		}
	}
}

// Every score is some place.
func TestBitsOf(t *testing.T) {
	for score, want := range map[float64]uint64{
		0: 0, 3479099956230698: 3479099956230698, 1.9: 1, -1: math.MaxUint64, -0.5: 0, -1e300: 1 << 63, 1e300: 0,
		math.Inf(1): 0, math.Inf(-1): 1 << 63, 1 << 63: 1 << 63, 1e19: 10000000000000000000, 1 << 64: 0,
		-1 << 63: 1 << 63,
	} {
		if got := bitsOf(score); got != want {
			t.Errorf("%v is %d, want %d", score, got, want)
		}
	}
}
