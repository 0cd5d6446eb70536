package numtext

import (
	"math"
	"math/bits"
)

// MaxIntLen is the length in bytes of the longest text of an int64.
const MaxIntLen = 20

// pairs holds the two digits of every number below 100.
const pairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// ParseInt reads an int64 in its canonical form, and nothing else: no spaces,
// no plus sign, no leading zeros, no "-0". So what it accepts is exactly what
// [AppendInt] prints.
func ParseInt(b []byte) (int64, bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 1 && digits[0] == '0' {
		return 0, !negative
	}
	v, ok := parseCanonical(digits)
	switch {
	case !ok:
		return 0, false
	case negative:
		return -int64(v), v <= -math.MinInt64
	default:
		return int64(v), v <= math.MaxInt64
	}
}

// parseCanonical reads digits that don't begin with a zero.
func parseCanonical(digits []byte) (uint64, bool) {
	const longest = 20 // digits of the greatest uint64
	if len(digits) == 0 || len(digits) > longest || digits[0] == '0' {
		return 0, false
	}
	safe := digits[:min(len(digits), longest-1)] // these can't overflow
	v := uint64(0)
	for _, c := range safe {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		v = v*10 + d
	}
	if len(digits) < longest {
		return v, true
	}
	d := uint64(digits[longest-1] - '0')
	high, low := bits.Mul64(v, 10)
	sum, carry := bits.Add64(low, d, 0)
	return sum, d <= 9 && high|carry == 0
}

// ParseUint reads a uint64 as Redis reads the halves of a stream ID: in canonical
// form, or else whatever C's strtoull takes. That lets in leading spaces, a
// sign and leading zeros, and makes a negative number that isn't canonical wrap
// around: "-1" is refused, "-01" is the greatest uint64.
func ParseUint(b []byte) (uint64, bool) {
	if len(b) == 1 && b[0] == '0' {
		return 0, true
	}
	if v, ok := parseCanonical(b); ok {
		return v, true
	}
	if _, ok := ParseInt(b); ok {
		return 0, false // a canonical negative number
	}
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	zeros := 0
	for zeros < len(b) && b[zeros] == '0' {
		zeros++
	}
	if zeros > 0 && zeros == len(b) {
		return 0, true
	}
	v, ok := parseCanonical(b[zeros:])
	if !ok {
		return 0, false
	}
	if negative {
		v = -v
	}
	return v, true
}

// isSpace is C's isspace.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// IntLen is the length in bytes of what [AppendInt] appends.
func IntLen(v int64) int {
	if v < 0 {
		return 1 + uintLen(-uint64(v))
	}
	return uintLen(uint64(v))
}

// uintLen counts the decimal digits of v.
func uintLen(v uint64) int {
	// 1233/4096 is just above log10(2): the estimate is right or one too high.
	estimate := (bits.Len64(v|1) * 1233) >> 12
	if v|1 < powersOfTen[estimate] {
		return estimate
	}
	return estimate + 1
}

var powersOfTen = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// AppendInt appends v in decimal.
func AppendInt(dst []byte, v int64) []byte {
	if v < 0 {
		return AppendUint(append(dst, '-'), -uint64(v))
	}
	return AppendUint(dst, uint64(v))
}

// AppendUint appends v in decimal.
func AppendUint(dst []byte, v uint64) []byte {
	if v < 10 {
		return append(dst, '0'+byte(v))
	}
	var text [20]byte
	i := len(text)
	for v >= 100 {
		pair := v % 100 * 2
		v /= 100
		i -= 2
		text[i], text[i+1] = pairs[pair], pairs[pair+1]
	}
	if v >= 10 {
		i -= 2
		text[i], text[i+1] = pairs[v*2], pairs[v*2+1]
	} else {
		i--
		text[i] = '0' + byte(v)
	}
	return append(dst, text[i:]...)
}
