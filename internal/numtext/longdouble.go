package numtext

import "math/bits"

// A LongDouble is the 80-bit extended double of x86 processors, which Redis
// computes INCRBYFLOAT and HINCRBYFLOAT with: 64 bits of mantissa, of which it
// prints 17 decimal places. 0.1+0.2 is 0.3 so, and not 0.30000000000000004.
//
// The zero value is 0. Rounding is to nearest, ties to even. Two things differ
// from the processor and cannot be seen in what is printed: there is no negative
// zero, and numbers under 2^-16382 keep more bits than a subnormal has.
//
// Numbers of up to 19 digits and 27 decimal places, which is nearly all there
// are, are read and printed without allocating.
type LongDouble struct {
	// The absolute value is mantissa x 2^exp. The top bit of mantissa is set,
	// unless all of it is 0.
	mantissa uint64
	exp      int
	negative bool
	class    class
}

type class uint8

const (
	finite class = iota
	infinite
	notANumber
)

const (
	// The powers of two of the first bit, in the greatest and in the smallest
	// number. What lies half way from the smallest to 0 is already 0.
	longDoubleMaxBit = 16383
	longDoubleMinBit = -16445
)

// LongDoubleOf is v, exactly.
func LongDoubleOf(v int64) LongDouble {
	if v < 0 {
		return rounded(true, -uint64(v), 0, 0, false)
	}
	return rounded(false, uint64(v), 0, 0, false)
}

// IsNaNOrInf says whether x is the result of an overflow, or of adding opposite
// infinities, or infinite to begin with.
func (x LongDouble) IsNaNOrInf() bool { return x.class != finite }

// rounded is (high + low/2^64 + a little more if inexact) x 2^exp as a LongDouble.
func rounded(negative bool, high, low uint64, exp int, inexact bool) LongDouble {
	if high == 0 {
		if low == 0 {
			return LongDouble{}
		}
		high, low, exp = low, 0, exp-64
	}
	if shift := bits.LeadingZeros64(high); shift > 0 {
		high = high<<shift | low>>(64-shift)
		low <<= shift
		exp -= shift
	}
	const half = 1 << 63
	if low > half || low == half && (inexact || high&1 == 1) {
		high++
		if high == 0 {
			high = 1 << 63
			exp++
		}
	}
	return ranged(LongDouble{mantissa: high, exp: exp, negative: negative})
}

// ranged makes x infinite or zero if its exponent is out of range.
func ranged(x LongDouble) LongDouble {
	firstBit := x.exp + 63
	switch {
	case firstBit > longDoubleMaxBit:
		return LongDouble{negative: x.negative, class: infinite}
	case firstBit < longDoubleMinBit-1,
		firstBit == longDoubleMinBit-1 && x.mantissa == 1<<63:
		return LongDouble{}
	}
	return x
}

// Add is x + y.
func (x LongDouble) Add(y LongDouble) LongDouble {
	switch {
	case x.class == notANumber || y.class == notANumber:
		return LongDouble{class: notANumber}
	case x.class == infinite && y.class == infinite && x.negative != y.negative:
		return LongDouble{class: notANumber}
	case x.class == infinite || y.class == finite && y.mantissa == 0:
		return x
	case y.class == infinite || x.mantissa == 0:
		return y
	}
	if x.exp < y.exp || x.exp == y.exp && x.mantissa < y.mantissa {
		x, y = y, x // so that the sign is that of x, whatever the signs are
	}
	high, low, inexact := shiftRight(y.mantissa, x.exp-y.exp)
	if x.negative == y.negative {
		high, carry := bits.Add64(x.mantissa, high, 0)
		if carry == 0 {
			return rounded(x.negative, high, low, x.exp, inexact)
		}
		inexact = inexact || low&1 == 1
		return rounded(x.negative, 1<<63|high>>1, high<<63|low>>1, x.exp+1, inexact)
	}
	borrow := uint64(0)
	if inexact {
		borrow = 1 // what is taken away was a little more than high and low say
	}
	low, borrow = bits.Sub64(0, low, borrow)
	high, _ = bits.Sub64(x.mantissa, high, borrow)
	return rounded(x.negative, high, low, x.exp, inexact)
}

// shiftRight is m / 2^n as high + low/2^64, and whether it is a little more.
func shiftRight(m uint64, n int) (high, low uint64, inexact bool) {
	switch {
	case n < 64:
		return m >> n, m << (64 - n), false
	case n < 128:
		low = m >> (n - 64)
		return 0, low, low<<(n-64) != m
	default:
		return 0, 0, m != 0
	}
}
