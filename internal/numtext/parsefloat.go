package numtext

import (
	"math"
	"math/bits"
	"strconv"
)

// ParseFloat reads a double where Redis does, in what C's strtod takes: decimal
// with an optional exponent, hexadecimal after "0x" with an optional binary
// exponent, "inf" and "infinity", in any case and with an optional sign.
//
// The whole of b must be the number: no spaces around it, and no "nan". What is
// finite but too great for a double is refused, and so is what isn't zero but
// too small for one.
func ParseFloat(b []byte) (float64, bool) {
	if v, ok := ParseInt(b); ok {
		return float64(v), true // most scores; the conversion rounds to nearest as well
	}
	n, ok := scan(b)
	if !ok {
		return 0, false
	}
	var v float64
	switch {
	case n.infinite:
		v = math.Inf(1)
	case n.zero:
		v = 0
	case n.hex:
		v, ok = n.hexFloat()
	default:
		v, ok = n.decimalFloat()
	}
	if !ok {
		return 0, false
	}
	if n.negative {
		v = -v
	}
	return v, true
}

// exactPowers are the powers of ten that a double holds exactly.
var exactPowers = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// decimalFloat is the double nearest to the absolute value of n.
func (n *number) decimalFloat() (float64, bool) {
	const exactIntegers = 1 << 53
	if !n.inexact && n.mantissa <= exactIntegers {
		// Both operands are exact, so that the one operation rounds once.
		v := float64(n.mantissa)
		switch {
		case n.exp >= 0 && n.exp < len(exactPowers):
			return v * exactPowers[n.exp], true
		case n.exp < 0 && -n.exp < len(exactPowers):
			return v / exactPowers[-n.exp], true
		}
	}
	// What scan accepts is a subset of what strconv does, for decimals. The only
	// error left is that of a value out of range.
	v, err := strconv.ParseFloat(string(n.text), 64)
	return v, err == nil && v != 0
}

// hexFloat is the double nearest to the absolute value of n, ties to even.
func (n *number) hexFloat() (float64, bool) {
	shift := bits.LeadingZeros64(n.mantissa)
	m := n.mantissa << shift
	first := n.exp - shift + 63 // the power of two of the first bit of m
	keep := 53                  // bits that fit into the double
	switch {
	case first > 1023:
		return 0, false
	case first < -1075:
		return 0, false
	case first < -1022: // subnormal
		keep -= -1022 - first
	}
	dropped := 64 - keep // 11 to 64
	kept, rest := uint64(0), m
	if dropped < 64 {
		kept, rest = m>>dropped, m<<(64-dropped)
	}
	const half = 1 << 63
	if rest > half || rest == half && (n.inexact || kept&1 == 1) {
		kept++
	}
	v := math.Ldexp(float64(kept), first-63+dropped)
	return v, v != 0 && !math.IsInf(v, 1)
}
