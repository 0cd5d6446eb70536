package numtext_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/numtext"
)

func TestParseInt(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"7", 7, true},
		{"-7", -7, true},
		{"10", 10, true},
		{"9223372036854775807", math.MaxInt64, true},
		{"-9223372036854775808", math.MinInt64, true},
		{"9223372036854775808", 0, false},
		{"-9223372036854775809", 0, false},
		{"18446744073709551616", 0, false},
		{"99999999999999999999", 0, false},
		{"-18446744073709551615", 0, false},
		{"", 0, false},
		{"-", 0, false},
		{"+7", 0, false},
		{"-0", 0, false},
		{"00", 0, false},
		{"007", 0, false},
		{"-07", 0, false},
		{" 7", 0, false},
		{"7 ", 0, false},
		{"7\x00", 0, false},
		{"7.0", 0, false},
		{"--7", 0, false},
		{"0x7", 0, false},
		{"1234567890123456789/", 0, false},
		{"1234567890123456789:", 0, false},
	} {
		got, ok := numtext.ParseInt([]byte(tt.text))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q is %d, %v, want %d, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

// The verdicts are those of XADD in Redis 7.0 on the second half of an ID.
func TestParseUint(t *testing.T) {
	for _, tt := range []struct {
		text string
		want uint64
		ok   bool
	}{
		{"5", 5, true},
		{"0", 0, true},
		{"-0", 0, true},
		{"00", 0, true},
		{"007", 7, true},
		{"+5", 5, true},
		{" 5", 5, true},
		{"\n7", 7, true},
		{"-1", 0, false},
		{"--1", 0, false},
		{"-01", math.MaxUint64, true},
		{"--01", 0, false},
		{"18446744073709551615", math.MaxUint64, true},
		{"18446744073709551616", 0, false},
		{"28446744073709551615", 0, false},
		{"99999999999999999999", 0, false},
		{"018446744073709551615", math.MaxUint64, true},
		{"+018446744073709551615", math.MaxUint64, true},
		{"184467440737095516150", 0, false},
		{"5 ", 0, false},
		{"- 5", 0, false},
		{"0x5", 0, false},
		{"", 0, false},
		{"+", 0, false},
		{"-", 0, false},
	} {
		got, ok := numtext.ParseUint([]byte(tt.text))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q is %d, %v, want %d, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

// Around every power of ten and of two, and both ends, printing is strconv's,
// IntLen is its length, and parsing gets the number back.
func TestAppendInt(t *testing.T) {
	values := []uint64{0, 99, 100, 101, math.MaxUint64}
	for ten := uint64(1); ten < 1e19; ten *= 10 {
		values = append(values, ten-1, ten, ten+1, ten*10-1)
	}
	for shift := range 64 {
		values = append(values, 1<<shift-1, 1<<shift, 1<<shift+1)
	}
	for _, u := range values {
		if got := string(numtext.AppendUint([]byte(">"), u)); got != ">"+strconv.FormatUint(u, 10) {
			t.Errorf("%d is %q", u, got)
		}
		if back, ok := numtext.ParseUint(numtext.AppendUint(nil, u)); !ok || back != u {
			t.Errorf("%d comes back as %d, %v", u, back, ok)
		}
		for _, v := range []int64{int64(u), -int64(u)} {
			text := numtext.AppendInt(nil, v)
			if string(text) != strconv.FormatInt(v, 10) || numtext.IntLen(v) != len(text) {
				t.Errorf("%d is %q, %d bytes", v, text, numtext.IntLen(v))
			}
			if back, ok := numtext.ParseInt(text); !ok || back != v {
				t.Errorf("%d comes back as %d, %v", v, back, ok)
			}
		}
	}
}

// FuzzParseInt holds that exactly what strconv prints is accepted.
func FuzzParseInt(f *testing.F) {
	for _, text := range []string{"0", "-1", "9223372036854775808", "+1", "01"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := strconv.ParseInt(text, 10, 64)
		wantOK := err == nil && strconv.FormatInt(want, 10) == text
		if got, ok := numtext.ParseInt([]byte(text)); ok != wantOK || ok && got != want {
			t.Fatalf("%q is %d, %v, want %d, %v", text, got, ok, want, wantOK)
		}
		if strings.Contains(text, "-") {
			return // strconv has no negative unsigned numbers
		}
		unsigned := strings.TrimLeft(text, " \t\n\v\f\r")
		wantUint, err := strconv.ParseUint(strings.TrimPrefix(unsigned, "+"), 10, 64)
		if got, ok := numtext.ParseUint([]byte(text)); ok != (err == nil) || ok && got != wantUint {
			t.Fatalf("%q is %d, %v, want %d, %v", text, got, ok, wantUint, err)
		}
	})
}

// The verdicts are those of CONFIG SET maxmemory in Redis 7.0, up to 2^63-1.
func TestParseMemory(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"1", 1, true},
		{"007", 7, true},
		{"4b", 4, true},
		{"4B", 4, true},
		{"1k", 1000, true},
		{"1K", 1000, true},
		{"1kb", 1024, true},
		{"1Kb", 1024, true},
		{"1KB", 1024, true},
		{"2m", 2_000_000, true},
		{"2mb", 2 << 20, true},
		{"3g", 3_000_000_000, true},
		{"3gB", 3 << 30, true},
		{"", 0, true},
		{"kb", 0, true},
		{"9223372036854775807", math.MaxInt64, true},
		{"9223372036854775808", 0, false},
		{"18446744073709551616", 0, false},
		{"100000000000000000000000", 0, false},
		{"8589934591gb", 8589934591 << 30, true},
		{"8589934592gb", 0, false},
		{"99999999999g", 0, false},
		{"-1", 0, false},
		{"+1", 0, false},
		{" 1", 0, false},
		{"1 ", 0, false},
		{"1t", 0, false},
		{"1kk", 0, false},
		{"1.5g", 0, false},
		{"1kbb", 0, false},
	} {
		got, ok := numtext.ParseMemory([]byte(tt.text))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q is %d, %v, want %d, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestEqualFold(t *testing.T) {
	for _, tt := range []struct {
		text, upper string
		want        bool
	}{
		{"WITHSCORES", "WITHSCORES", true},
		{"WithScores", "WITHSCORES", true},
		{"withscores", "WITHSCORES", true},
		{"", "", true},
		{"nx", "XX", false},
		{"nx", "NXX", false},
		{"n", "NX", false},
		{"\x0e\x18", "NX", false}, // differ from the letters in more than case
		{"{", "[", false},         // next to the letters
		{"`", "@", false},
		{"\u212a", "K", false}, // the Kelvin sign folds to k elsewhere
	} {
		if got := numtext.EqualFold([]byte(tt.text), tt.upper); got != tt.want {
			t.Errorf("%q as %q: %v, want %v", tt.text, tt.upper, got, tt.want)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	dst := make([]byte, 0, 64)
	number, bad, memory := []byte("-9223372036854775808"), []byte("12x"), []byte("64mb")
	n := testing.AllocsPerRun(100, func() {
		v, _ := numtext.ParseInt(number)
		u, _ := numtext.ParseUint(bad)
		m, _ := numtext.ParseMemory(memory)
		dst = numtext.AppendInt(dst[:0], v+m+int64(u)+int64(numtext.IntLen(v)))
		numtext.EqualFold(bad, "WITHSCORES")
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkParseInt(b *testing.B) {
	in := []byte("1700000000123")
	for b.Loop() {
		numtext.ParseInt(in)
	}
}

func BenchmarkAppendInt(b *testing.B) {
	dst := make([]byte, 0, 64)
	for b.Loop() {
		numtext.AppendInt(dst, 1700000000123)
	}
}
