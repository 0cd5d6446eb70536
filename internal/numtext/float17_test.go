package numtext_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/spineldb/spinel/internal/numtext"
)

// The texts are those of printf("%.17g").
func TestAppendFloat17(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {math.Copysign(0, -1), "-0"}, {1, "1"}, {-1, "-1"}, {1.5, "1.5"}, {3.141, "3.141"},
		{0.1, "0.10000000000000001"}, {-2.25, "-2.25"}, {1e15, "1000000000000000"}, {1e16, "10000000000000000"},
		{1e17, "1e+17"}, {1e300, "1.0000000000000001e+300"}, {5e-324, "4.9406564584124654e-324"},
		{0.0001, "0.0001"}, {0.00012345, "0.00012344999999999999"}, {0.00001, "1.0000000000000001e-05"},
		{123456789012345680, "1.2345678901234568e+17"}, {12345678901234567, "12345678901234568"},
		{0.69780884156832879, "0.69780884156832879"}, {math.Inf(1), "inf"}, {math.Inf(-1), "-inf"},
		{math.NaN(), "nan"}, {math.MaxFloat64, "1.7976931348623157e+308"}, {1e-7, "9.9999999999999995e-08"},
		{1 << 53, "9007199254740992"}, {100, "100"}, {99999999999999.5, "99999999999999.5"},
	} {
		if got := string(numtext.AppendFloat17(nil, tt.v)); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.v, got, tt.want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		v := math.Float64frombits(rng.Uint64())
		if v != v {
			continue
		}
		text := string(numtext.AppendFloat17(nil, v))
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != v {
			t.Fatalf("%v became %s", v, text)
		}
		if len(text) > 24 {
			t.Fatalf("%s has %d bytes", text, len(text))
		}
	}
}
