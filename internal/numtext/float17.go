package numtext

import (
	"math"
	"strconv"
)

// AppendFloat17 appends v as C prints it with %.17g, which is how Redis 7.0 shows scores:
// seventeen digits without the zeros at the end, "0.10000000000000001" for a tenth, an
// exponent below 1e-4 and from 1e17 on. It never takes more than 24 bytes.
func AppendFloat17(dst []byte, v float64) []byte {
	if word := notFinite(v); word != "" {
		return append(dst, word...)
	}
	if v == float64(int64(v)) && math.Abs(v) < 1e15 && (v != 0 || !math.Signbit(v)) {
		return AppendInt(dst, int64(v))
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], v, 'e', 16, 64) // [-]d.dddddddddddddddde±xx
	if text[0] == '-' {
		dst, text = append(dst, '-'), text[1:]
	}
	const digitsEnd = 18 // behind "d." and sixteen digits
	exp := 0
	for _, c := range text[digitsEnd+2:] {
		exp = exp*10 + int(c-'0')
	}
	if text[digitsEnd+1] == '-' {
		exp = -exp
	}
	text[1] = text[0] // the digits without the point
	digits := text[1:digitsEnd]
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	switch {
	case exp < -4 || exp >= 17:
		return appendExponent(dst, digits, exp)
	case exp < 0:
		dst = append(dst, "0.0000"[:1-exp]...)
		return append(dst, digits...)
	case len(digits) <= exp+1:
		dst = append(dst, digits...)
		return append(dst, "0000000000000000"[:exp+1-len(digits)]...)
	}
	dst = append(dst, digits[:exp+1]...)
	dst = append(dst, '.')
	return append(dst, digits[exp+1:]...)
}

// appendExponent appends digits as d.ddde±xx, with at least two digits in the exponent.
func appendExponent(dst, digits []byte, exp int) []byte {
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'e')
	if exp < 0 {
		dst, exp = append(dst, '-'), -exp
	} else {
		dst = append(dst, '+')
	}
	if exp < 10 {
		dst = append(dst, '0')
	}
	return AppendInt(dst, int64(exp))
}
