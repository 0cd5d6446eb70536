package numtext

import (
	"math/big"
	"math/bits"
)

// longDoubleTextMax is the size in bytes of the buffer in which Redis puts the
// text of a long double, with a zero byte at its end.
const longDoubleTextMax = 5 * 1024

// powersOfFive are those that have 64 bits at most.
var powersOfFive = makePowersOfFive()

func makePowersOfFive() (powers [28]uint64) {
	powers[0] = 1
	for i := 1; i < len(powers); i++ {
		powers[i] = powers[i-1] * 5
	}
	return powers
}

// ParseLongDouble reads what [ParseFloat] does, in the range of a LongDouble,
// from less than 5 KiB.
func ParseLongDouble(b []byte) (LongDouble, bool) {
	if len(b) >= longDoubleTextMax {
		return LongDouble{}, false
	}
	n, ok := scan(b)
	switch {
	case !ok:
		return LongDouble{}, false
	case n.infinite:
		return LongDouble{negative: n.negative, class: infinite}, true
	case n.zero:
		return LongDouble{}, true
	}
	x := n.longDouble()
	return x, x.class == finite && x.mantissa != 0
}

// longDouble is the LongDouble nearest to n: infinite or 0 if out of range.
func (n *number) longDouble() LongDouble {
	switch {
	case n.inexact:
		return n.bigLongDouble()
	case n.hex:
		return rounded(n.negative, n.mantissa, 0, n.exp, false)
	case n.exp >= 0 && n.exp < len(powersOfFive):
		high, low := bits.Mul64(n.mantissa, powersOfFive[n.exp])
		return rounded(n.negative, high, low, n.exp+64, false)
	case n.exp < 0 && -n.exp < len(powersOfFive):
		return n.quotient(powersOfFive[-n.exp])
	default:
		return n.bigLongDouble()
	}
}

// quotient is n if its decimal exponent is that of 1/five.
func (n *number) quotient(five uint64) LongDouble {
	up, down := bits.LeadingZeros64(n.mantissa), bits.LeadingZeros64(five)
	dividend, divisor := n.mantissa<<up, five<<down
	exp := n.exp - up + down
	low := uint64(0)
	if dividend >= divisor { // the quotient must be less than 2^64
		dividend, low = dividend>>1, dividend<<63
		exp++
	}
	high, rest := bits.Div64(dividend, low, divisor)
	low, rest = bits.Div64(rest, 0, divisor)
	return rounded(n.negative, high, low, exp-64, rest != 0)
}

// bigLongDouble does the same for any n, by arithmetic on integers of any size,
// which stay below some 15,000 digits.
func (n *number) bigLongDouble() LongDouble {
	digits, exp := n.digits()
	const beyond = 5000 // decimal places of anything in range
	switch {
	case n.hex:
		// big.Float takes any exponent that scan lets through
	case len(digits)+exp > beyond:
		return LongDouble{negative: n.negative, class: infinite}
	case len(digits)+exp < -beyond:
		return LongDouble{}
	}
	base := 10
	if n.hex {
		base = 16
	}
	integer, ok := new(big.Int).SetString(string(digits), base)
	if !ok {
		return LongDouble{} // not reached: scan has read these digits
	}
	v := new(big.Float).SetPrec(64)
	switch {
	case n.hex:
		v.SetInt(integer)
		v.SetMantExp(v, exp)
	case exp >= 0:
		v.SetInt(integer.Mul(integer, powerOfTen(exp)))
	default:
		// The operands are exact, so that this is the only rounding.
		v.Quo(new(big.Float).SetInt(integer), new(big.Float).SetInt(powerOfTen(-exp)))
	}
	exp = v.MantExp(v)
	mantissa, _ := v.SetMantExp(v, 64).Uint64()
	return ranged(LongDouble{mantissa: mantissa, exp: exp - 64, negative: n.negative})
}

// digits are all digits of n without the point and leading zeros, and the
// exponent of the last one: decimal, or binary if n is hexadecimal.
func (n *number) digits() (digits []byte, exp int) {
	all := number{hex: n.hex}
	rest, _ := all.scanDigits(n.text)
	places := 0
	point := false
	for _, c := range n.text[:len(n.text)-len(rest)] {
		switch {
		case c == '.':
			point = true
			continue
		case c != '0' || len(digits) > 0:
			digits = append(digits, c)
		}
		if point {
			places++
		}
	}
	written := n.exp - all.exp // what stands behind the 'e'
	if n.hex {
		places *= 4
	}
	return digits, written - places
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// AppendHuman appends x with up to 17 decimal places, without zeros at their
// end, without an exponent, however great x is. It appends no "-0".
func (x LongDouble) AppendHuman(dst []byte) []byte {
	if x.class == notANumber {
		return append(dst, "nan"...)
	}
	start := len(dst)
	if x.negative {
		dst = append(dst, '-')
	}
	switch {
	case x.class == infinite:
		return append(dst, "inf"...)
	case x.exp > 0:
		integer := new(big.Int).SetUint64(x.mantissa)
		return integer.Lsh(integer, uint(x.exp)).Append(dst, 10)
	}
	const places, scale = 17, 100_000_000_000_000_000
	high, low := bits.Mul64(x.mantissa, scale)
	high, low = shiftRightRounded(high, low, -x.exp)
	if high|low == 0 {
		return append(dst[:start], '0')
	}
	whole, fraction := bits.Div64(high, low, scale)
	dst = AppendUint(dst, whole)
	if fraction == 0 {
		return dst
	}
	point := len(dst)
	dst = AppendUint(dst, fraction+scale) // a 1 in front keeps the leading zeros
	dst[point] = '.'
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// shiftRightRounded is the integer nearest to (high x 2^64 + low) / 2^n, the
// even one of two. It needs the dividend to be less than 2^127.
func shiftRightRounded(high, low uint64, n int) (uint64, uint64) {
	switch {
	case n == 0:
		return high, low
	case n >= 128:
		return 0, 0
	}
	more := false // whether the rest is a little more than it says
	rest := uint64(0)
	if n < 64 {
		rest = low << (64 - n)
		high, low = high>>n, high<<(64-n)|low>>n
	} else {
		n -= 64
		more = low<<(64-n) != 0
		rest = high<<(64-n) | low>>n
		high, low = 0, high>>n
	}
	const half = 1 << 63
	if rest > half || rest == half && (more || low&1 == 1) {
		carry := uint64(0)
		low, carry = bits.Add64(low, 1, 0)
		high += carry
	}
	return high, low
}
