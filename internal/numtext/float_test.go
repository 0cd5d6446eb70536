package numtext_test

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/numtext"
)

// The texts are replies to ZSCORE of a server that prints as Redis 7.2 does.
func TestAppendFloat(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"},
		{math.NaN(), "nan"},
		{4611686018427388928, "4611686018427389000"}, // 2^62 is the last in full
		{0.1, "0.1"},
		{12345.678901234, "1.2345678901234e+4"},
		{1e20, "1e+20"},
		{1e21, "1e+21"},
		{1.5e300, "1.5e+300"},
		{1e-5, "0.00001"},
		{1.5e-5, "0.000015"},
		{1e-6, "0.000001"},
		{1e-7, "1e-7"},
		{1.234567e-4, "1.234567e-4"},
		{0.0001234567, "1.234567e-4"},
		{0.001234567, "0.001234567"},
		{0.01234567891, "0.01234567891"},
		{123.4567890123, "123.4567890123"},
		{1234.56789012, "1234.56789012"},
		{12345.6789, "12345.6789"},
		{123456.789, "123456.789"},
		{4611686018427387904, "4611686018427387904"},
		{4611686018427389000, "4611686018427389000"},
		{9223372036854775807, "9223372036854776000"},
		{18446744073709551616, "18446744073709552000"},
		{1e22, "1e+22"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{5e-324, "5e-324"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"},
		{-0.5, "-0.5"},
		{-1e-9, "-1e-9"},
		{-12345.678901234, "-1.2345678901234e+4"},
		{-1.2345678901234e30, "-1.2345678901234e+30"},
		{3, "3"},
		{math.Copysign(0, -1), "-0"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
		{0.30000000000000004, "0.30000000000000004"},
		{9007199254740993, "9007199254740992"},
		{4503599627370497.5, "4503599627370498"},
		{100, "100"},
		{1e15, "1000000000000000"},
		{123456789012345680000, "123456789012345680000"},
		{1e10, "10000000000"},
		{12e20, "1.2e+21"},
		{1234567890123456789012345, "1.2345678901234568e+24"},
		{0.000001, "0.000001"},
		{0.0000012, "1.2e-6"},
		{0.00000123, "1.23e-6"},
		{1e100, "1e+100"},
		{1e99, "1e+99"},
		{-1.5e-300, "-1.5e-300"},
		{5e100, "5e+100"},
		{1000000.1, "1000000.1"},
		{100000000.1, "100000000.1"},
		{0.1234567, "0.1234567"},
		{0.12345678901234567, "0.12345678901234566"},
	} {
		if got := string(numtext.AppendFloat([]byte(">"), tt.v)); got != ">"+tt.want {
			t.Errorf("%v is %q, want %q", tt.v, got, ">"+tt.want)
		}
	}
}

// The wants are what ZADD of Redis 7.0 takes the text for, as ZSCORE prints it.
func TestParseFloat(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"1", "1"},
		{"-1", "-1"},
		{"+1", "1"},
		{"0", "0"},
		{"-0", "-0"},
		{"+0", "0"},
		{"1.5", "1.5"},
		{"1e5", "100000"},
		{"1E5", "100000"},
		{"1e+5", "100000"},
		{"1e", "refused"},
		{"1e+", "refused"},
		{"e5", "refused"},
		{".5", "0.5"},
		{"5.", "5"},
		{".", "refused"},
		{"-.5", "-0.5"},
		{"+", "refused"},
		{"-", "refused"},
		{"inf", "inf"},
		{"+inf", "inf"},
		{"-inf", "-inf"},
		{"INF", "inf"},
		{"infinity", "inf"},
		{"-Infinity", "-inf"},
		{"infinit", "refused"},
		{"infx", "refused"},
		{"nan", "refused"},
		{"-nan", "refused"},
		{"nan(1)", "refused"},
		{"0x10", "16"},
		{"0X1F", "31"},
		{"-0x1p3", "-8"},
		{"0x1.8p1", "3"},
		{"0x", "refused"},
		{"0x.8", "0.5"},
		{"0x1.", "1"},
		{"0x.", "refused"},
		{"0x1p", "refused"},
		{"0x1p+", "refused"},
		{"0x1_0", "refused"},
		{"1_000", "refused"},
		{" 1", "refused"},
		{"\t1", "refused"},
		{"1 ", "refused"},
		{"1\n", "refused"},
		{"", "refused"},
		{"1e308", "1e+308"},
		{"1e309", "refused"},
		{"-1e309", "refused"},
		{"1e-308", "9.9999999999999991e-309"},
		{"1e-323", "9.8813129168249309e-324"},
		{"2e-324", "refused"},
		{"3e-324", "4.9406564584124654e-324"},
		{"1e-400", "refused"},
		{"0e-400", "0"},
		{"0x1p-1074", "4.9406564584124654e-324"},
		{"0x1p-1075", "refused"},
		{"0x1.8p-1075", "4.9406564584124654e-324"},
		{"0x1p-1022", "2.2250738585072014e-308"},
		{"0x1.8p-1073", "1.4821969375237396e-323"},
		{"0x1.4p-1073", "9.8813129168249309e-324"},
		{"0x1.cp-1073", "1.9762625833649862e-323"},
		{"0x1p1024", "refused"},
		{"0x1.fffffffffffff8p1023", "refused"},
		{"0x1.fffffffffffff7p1023", "1.7976931348623157e+308"},
		{"1e99999999999999999999", "refused"},
		{"0e99999999999999999999", "0"},
		{"1e-99999999999999999999", "refused"},
		{"00001", "1"},
		{"1\x00", "refused"},
		{"1.2.3", "refused"},
		{"--1", "refused"},
		{"+-1", "refused"},
		{"0x1.00000000000008p0", "1"},
		{"0x1.00000000000018p0", "1.0000000000000004"},
		{"0x1.000000000000080000000000000000000001p0", "1.0000000000000002"},
		{"0x123456789abcdef01234567", "3.5212516673006372e+26"},
		{"179769313486231580793728971405301e276", "1.7976931348623157e+308"},
		{"1,5", "refused"},
		{"1d", "refused"},
		{"1f", "refused"},
		{"0b1", "refused"},
		{"0o7", "refused"},
		{"9007199254740993", "9007199254740992"},
		{"9007199254740992.5", "9007199254740992"},
		{"0.1", "0.10000000000000001"},
		{"123456789012345678901234567890", "1.2345678901234568e+29"},
		{"8.41", "8.4100000000000001"},
		{"0.30000000000000004", "0.30000000000000004"},
		{"1e22", "1e+22"},
		{"1e23", "9.9999999999999992e+22"},
		{"4503599627370497.5", "4503599627370498"},
		{"-1.7976931348623157e308", "-1.7976931348623157e+308"},
		{strings.Repeat("0", 400) + ".1", "0.1"},
		{"1" + strings.Repeat("0", 308), "1e308"},
		{"1" + strings.Repeat("0", 309), "refused"},
		{"0." + strings.Repeat("0", 400) + "1e401", "1"},
		{"0x" + strings.Repeat("0", 300) + "1p0", "1"},
		{"0x1" + strings.Repeat("0", 300) + "p-1200", "1"},
	} {
		got, ok := numtext.ParseFloat([]byte(tt.text))
		if tt.want == "refused" {
			if ok {
				t.Errorf("%q was accepted as %v", tt.text, got)
			}
			continue
		}
		want, err := strconv.ParseFloat(tt.want, 64)
		if err != nil {
			t.Fatal(err)
		}
		if !ok || math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%q is %v, %v, want %v", tt.text, got, ok, want)
		}
	}
}

// FuzzParseFloat compares with strconv, which accepts a little more ("nan",
// underscores, what rounds to zero) and of hexadecimals a little less (it wants
// an exponent).
func FuzzParseFloat(f *testing.F) {
	for _, text := range []string{"1.5", "-0x1.8p3", "inf", "1e-320", "0x1p-1074", ".5e+7", "nan", "1_0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := numtext.ParseFloat([]byte(text))
		forGo := strings.ToLower(text)
		if strings.Contains(forGo, "0x") && !strings.Contains(forGo, "p") {
			forGo += "p0"
		}
		want, err := strconv.ParseFloat(forGo, 64)
		wantOK := err == nil && want == want && !strings.Contains(text, "_")
		if want == 0 {
			mantissa, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(forGo, "+-"), "0x"), "p")
			if !strings.Contains(forGo, "x") {
				mantissa, _, _ = strings.Cut(mantissa, "e")
			}
			wantOK = wantOK && strings.Trim(mantissa, "0.") == ""
		}
		if ok != wantOK || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q is %v, %v, want %v, %v", text, got, ok, want, wantOK)
		}
	})
}

// FuzzFloatRoundTrip checks that every double comes back from its text, and
// that the text has no more digits than it needs.
func FuzzFloatRoundTrip(f *testing.F) {
	for _, v := range []float64{0, 0.1, 1e23, math.MaxFloat64, 5e-324, math.Inf(-1), 1 << 62} {
		f.Add(math.Float64bits(v))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		v := math.Float64frombits(bits)
		text := numtext.AppendFloat(nil, v)
		if v != v {
			return
		}
		if len(text) > numtext.MaxFloatLen {
			t.Fatalf("%v is %q, %d bytes", v, text, len(text))
		}
		back, ok := numtext.ParseFloat(text)
		if !ok || back != v || math.Signbit(back) != math.Signbit(v) {
			t.Fatalf("%v is %q, which is %v, %v", v, text, back, ok)
		}
	})
}

func TestIntegralFloat(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want int64
		ok   bool
	}{
		{0, 0, true},
		{-7, -7, true},
		{7.5, 0, false},
		{1 << 62, 1 << 62, true},
		{-1 << 62, -1 << 62, true},
		{math.Nextafter(1<<62, math.Inf(1)), 0, false},
		{math.Inf(1), 0, false},
		{math.NaN(), 0, false},
	} {
		if got, ok := numtext.IntegralFloat(tt.v); got != tt.want || ok != tt.ok {
			t.Errorf("%v: got %d, %v, want %d, %v", tt.v, got, ok, tt.want, tt.ok)
		}
	}
}

// The wants are replies of Redis 7.0 to SET k x, INCRBYFLOAT k y.
func TestLongDouble(t *testing.T) {
	for _, tt := range []struct{ x, y, want string }{
		{"0", "0.1", "0.1"},
		{"3.0", "1.1", "4.1"},
		{"0.1", "0.2", "0.3"},
		{"10.50", "0.1", "10.6"},
		{"5.0e3", "2.0e2", "5200"},
		{"1", "-1", "0"},
		{"-0", "-0", "0"},
		{"0", "-0", "0"},
		{"1e-17", "0", "0.00000000000000001"},
		{"1e-18", "0", "0"},
		{"5e-18", "0", "0"},
		{"-5e-18", "0", "0"},
		{"-1e-18", "0", "0"},
		{"15e-18", "0", "0.00000000000000002"},
		{"25e-18", "0", "0.00000000000000002"},
		{"0x10", "1", "17"},
		{"0x1.8p1", "0x.8", "3.5"},
		{"1e4932", "1e4932", "NaN or Infinity"},
		{"1e4933", "0", "refused"},
		{"inf", "1", "NaN or Infinity"},
		{"1", "inf", "NaN or Infinity"},
		{"-inf", "inf", "NaN or Infinity"},
		{"nan", "1", "refused"},
		{"1", "nan", "refused"},
		{"1e-4950", "0", "0"},
		{"1e-5000", "0", "refused"},
		{"3e-4951", "0", "0"},
		{"1e-4951", "0", "refused"},
		{"0x1p-16445", "0", "0"},
		{"0x1p-16446", "0", "refused"},
		{"0x1.8p-16446", "0", "0"},
		{" 1", "1", "refused"},
		{"1", "1 ", "refused"},
		{"1", "", "refused"},
		{"17179869184", "1", "17179869185"},
		{"9223372036854775807", "1", "9223372036854775808"},
		{"18446744073709551615", "1", "18446744073709551616"},
		{"18446744073709551616", "1", "18446744073709551616"},
		{"18446744073709551617", "0", "18446744073709551616"},
		{"-18446744073709551619", "0", "-18446744073709551620"},
		{"0.3333333333333333333333333", "0.6666666666666666666666", "1"},
		{"123456789.987654321", "0.000000001", "123456789.98765432199434144"},
		{"1e20", "1", "100000000000000000000"},
		{"1e30", "1", "1000000000000000000024696061952"},
		{"1e40", "-1e39", "8999999999999999999864347064079101198336"},
		{"2.2", "3.3", "5.5"},
		{"99999999999.99999999", "0.00000001", "100000000000"},
		{"9223372036854775808.5", "0", "9223372036854775808"},
		{"4611686018427387904.25", "0", "4611686018427387904"},
		{"4611686018427387904.75", "0", "4611686018427387905"},
		{"1.00000000000000000027105", "0", "1"},
		{"100", "-0.1", "99.9"},
		{"1000000", "0.1", "1000000.10000000000002274"},
		{"-1.5", "0.3", "-1.2"},
		{"0.0000001", "0.0000002", "0.0000003"},
		{"0x1p16383", "0x1p16383", "NaN or Infinity"},
		{"0x1p16384", "0", "refused"},
		{"0x1.ffffffffffffffffp16383", "0", "refused"},
		{"1\x00", "1", "refused"},
		{"0x1.00000000000000010000p0", "0", "1"},
		{"0x1.00000000000000018p0", "0", "1"},
		{"0x1.000000000000000100000001p63", "0", "9223372036854775809"},
		{"1e27", "1e-27", "1000000000000000000000000000"},
		{"1e28", "1e-28", "9999999999999999999731564544"},
		{"123456789012345678901234567890.5", "0.25", "123456789012345678899921813504"},
		{"3.14159265358979323846264338327950288", "2.71828182845904523536", "5.85987448204883847"},
		{"1e19", "-1", "9999999999999999999"},
		{"12345678901234567890123e-20", "1e-5", "123.45679901234567891"},
		{"0.99999999999999999999", "0", "1"},
		{"0.000000000000000005", "0.000000000000000005", "0.00000000000000001"},
		{"36893488147419103232", "-0.5", "36893488147419103232"},
		{"1." + strings.Repeat("0", 5117), "1", "2"},
		{"1." + strings.Repeat("0", 5118), "1", "refused"}, // the 5,120th byte is too many
	} {
		x, okX := numtext.ParseLongDouble([]byte(tt.x))
		y, okY := numtext.ParseLongDouble([]byte(tt.y))
		got := "refused"
		if okX && okY {
			sum := x.Add(y)
			got = string(sum.AppendHuman(nil))
			if sum.IsNaNOrInf() {
				got = "NaN or Infinity"
			}
		}
		if got != tt.want {
			t.Errorf("%.40q + %q is %q, want %q", tt.x, tt.y, got, tt.want)
		}
	}
}

func TestLongDoubleSpecial(t *testing.T) {
	parse := func(text string) numtext.LongDouble {
		x, ok := numtext.ParseLongDouble([]byte(text))
		if !ok {
			t.Fatalf("%q is refused", text)
		}
		return x
	}
	inf, big := parse("inf"), parse("1e4932")
	for _, tt := range []struct {
		x    numtext.LongDouble
		want string
	}{
		{numtext.LongDouble{}, "0"},
		{numtext.LongDoubleOf(0), "0"},
		{numtext.LongDoubleOf(math.MinInt64), "-9223372036854775808"},
		{numtext.LongDoubleOf(math.MaxInt64), "9223372036854775807"},
		{inf, "inf"},
		{parse("-inf"), "-inf"},
		{inf.Add(parse("-inf")), "nan"},
		{inf.Add(inf), "inf"},
		{parse("-inf").Add(big), "-inf"},
		{big.Add(parse("-inf")), "-inf"},
		{big.Add(big), "inf"},
		{inf.Add(parse("-inf")).Add(big), "nan"},
		{big.Add(inf.Add(parse("-inf"))), "nan"},
	} {
		if got := string(tt.x.AppendHuman(nil)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// model is a long double as math/big computes it, rounding exact rationals.
func model(text string) *big.Float {
	if i := strings.IndexAny(text, "eE"); i >= 0 && !strings.ContainsAny(text, "xX") {
		if exp, err := strconv.Atoi(text[i+1:]); err != nil || exp < -4900 || exp > 4900 {
			return nil
		}
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return new(big.Float).SetPrec(64).SetRat(exact)
}

// FuzzLongDouble compares sums and their texts with math/big, away from the
// limits of the range, where big.Float has none.
func FuzzLongDouble(f *testing.F) {
	for _, pair := range [][2]string{
		{"0.1", "0.2"}, {"1e30", "-1"}, {"-1e-30", "1"}, {"18446744073709551617", "0.5"}, {"0x1.8p70", "-0x1p-20"},
		{"123456789012345678901234567890", "1e-27"}, {"9223372036854775808.5", "-9223372036854775808"},
		{"1e28", "1e-28"}, {"-0.30000000000000004", "0.3"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := numtext.ParseLongDouble([]byte(a))
		y, okY := numtext.ParseLongDouble([]byte(b))
		if !okX || !okY || len(a)+len(b) > 1000 || strings.ContainsAny(a+b, "xXpP") {
			return
		}
		wantX, wantY := model(a), model(b)
		if wantX == nil || wantY == nil {
			return
		}
		wantText(t, a, x, wantX)
		wantText(t, b, y, wantY)
		wantText(t, a+" + "+b, x.Add(y), new(big.Float).SetPrec(64).Add(wantX, wantY))
	})
}

func wantText(t *testing.T, name string, got numtext.LongDouble, want *big.Float) {
	t.Helper()
	text := want.Text('f', 17)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	if text == "-0" {
		text = "0"
	}
	if human := string(got.AppendHuman(nil)); human != text {
		t.Fatalf("%s is %q, want %q", name, human, text)
	}
}

func TestFloatNoAllocation(t *testing.T) {
	dst := make([]byte, 0, 64)
	for _, text := range []string{
		"1.5", "-3.14159265358979", "0.30000000000000004", "1e300", "0x1.8p3", "inf", "refused",
		"1.7976931348623157e308", "-2.2250738585072014e-308",
	} {
		in := []byte(text)
		n := testing.AllocsPerRun(100, func() {
			v, _ := numtext.ParseFloat(in)
			dst = numtext.AppendFloat(dst[:0], v)
		})
		if n != 0 {
			t.Errorf("%q: %v allocations, want 0", text, n)
		}
	}
	x, y := []byte("10.55"), []byte("-123456789.123456789")
	n := testing.AllocsPerRun(100, func() {
		a, _ := numtext.ParseLongDouble(x)
		b, _ := numtext.ParseLongDouble(y)
		dst = a.Add(b).AppendHuman(dst[:0])
	})
	if n != 0 {
		t.Errorf("LongDouble: %v allocations, want 0", n)
	}
}

func BenchmarkParseFloat(b *testing.B) {
	for _, text := range []string{"1700000000", "3.14159", "0.30000000000000004"} {
		b.Run(text, func(b *testing.B) {
			in := []byte(text)
			for b.Loop() {
				numtext.ParseFloat(in)
			}
		})
	}
}

func BenchmarkAppendFloat(b *testing.B) {
	dst := make([]byte, 0, 64)
	for _, v := range []float64{1700000000, 3.14159, 0.30000000000000004} {
		b.Run(strconv.FormatFloat(v, 'g', -1, 64), func(b *testing.B) {
			for b.Loop() {
				numtext.AppendFloat(dst, v)
			}
		})
	}
}

func BenchmarkIncrByFloat(b *testing.B) {
	dst := make([]byte, 0, 64)
	x, y := []byte("10.55"), []byte("0.1")
	for b.Loop() {
		a, _ := numtext.ParseLongDouble(x)
		c, _ := numtext.ParseLongDouble(y)
		a.Add(c).AppendHuman(dst)
	}
}
