package numtext

import (
	"math"
	"strconv"
)

// MaxFloatLen is the length in bytes of the longest text [AppendFloat] makes:
// sign, 17 digits, point, 'e' and an exponent like -308.
const MaxFloatLen = 24

// IntegralFloat is v as an integer, if it is one of at most 2^62. Redis prints
// and stores such doubles as integers; where it stores one, -0 becomes 0.
func IntegralFloat(v float64) (int64, bool) {
	const most = 1 << 62
	if v >= -most && v <= most && v == float64(int64(v)) {
		return int64(v), true
	}
	return 0, false
}

// AppendFloat appends v as Redis 7.2 prints a double: "nan", "inf", "-inf",
// "-0", an integer up to 2^62 in full, and anything else with the fewest digits
// that read back as v. (Redis finds digits with Grisu2, which for one double in
// 1,400 gives one more than needed, measured over 60,000 of mixed size. Readers
// get the same double from both.)
func AppendFloat(dst []byte, v float64) []byte {
	if integer, ok := IntegralFloat(v); ok {
		if integer == 0 && math.Signbit(v) {
			dst = append(dst, '-')
		}
		return AppendInt(dst, integer)
	}
	if word := notFinite(v); word != "" {
		return append(dst, word...)
	}
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	var text [32]byte
	digits, exp := shortest(text[:0], v)
	return layOut(dst, digits, exp)
}

// notFinite is what C calls a number that has no digits, or empty.
func notFinite(v float64) string {
	switch {
	case v != v:
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return ""
}

// shortest returns the fewest decimal digits that read back as v, and exp so
// that v is digits x 10^exp. It uses buf, and needs v to be positive and finite.
func shortest(buf []byte, v float64) (digits []byte, exp int) {
	text := strconv.AppendFloat(buf, v, 'e', -1, 64) // d.ddde-xx, or de-xx
	e := len(text) - 1
	for text[e] != 'e' {
		e--
	}
	for _, c := range text[e+2:] {
		exp = exp*10 + int(c-'0')
	}
	if text[e+1] == '-' {
		exp = -exp
	}
	if e > 1 { // move the first digit over the point
		text[1] = text[0]
		text = text[1:]
		e--
	}
	return text[:e], exp - (e - 1)
}

// layOut appends the number digits x 10^exp. The choice between the three forms
// is that of the fpconv library, which Redis prints with.
func layOut(dst, digits []byte, exp int) []byte {
	n := len(digits)
	first := exp + n - 1 // the power of ten of the first digit
	size := max(first, -first)
	switch {
	case exp >= 0 && size < n+7: // 1234500
		dst = append(dst, digits...)
		for range exp {
			dst = append(dst, '0')
		}
		return dst
	case exp < 0 && (exp > -7 || size < 4):
		if first >= 0 { // 12.345
			dst = append(dst, digits[:first+1]...)
			dst = append(dst, '.')
			return append(dst, digits[first+1:]...)
		}
		dst = append(dst, "0."...) // 0.0012345
		for range -first - 1 {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[0]) // 1.2345e-7
	if n > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	if first < 0 {
		dst = append(dst, "e-"...)
	} else {
		dst = append(dst, "e+"...)
	}
	return AppendInt(dst, int64(size))
}
