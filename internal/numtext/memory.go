package numtext

import (
	"math"
	"math/bits"
)

// ParseMemory reads an amount of memory as redis.conf spells it: digits and a
// unit in any case. The units are b or none, k, m, g for powers of 1,000 and kb,
// mb, gb for powers of 1,024. As in Redis, no digits at all are 0.
//
// What is more than an int64 can hold is refused, where Redis wraps around.
func ParseMemory(b []byte) (int64, bool) {
	n := 0
	v := uint64(0)
	for ; n < len(b) && '0' <= b[n] && b[n] <= '9'; n++ {
		if v > math.MaxInt64/10 {
			return 0, false
		}
		v = v*10 + uint64(b[n]-'0')
	}
	scale := memoryUnit(b[n:])
	if scale == 0 {
		return 0, false
	}
	high, low := bits.Mul64(v, scale)
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	return int64(low), true
}

// memoryUnit is how many bytes the unit stands for, 0 if there is none of the name.
func memoryUnit(unit []byte) uint64 {
	switch {
	case len(unit) == 0, EqualFold(unit, "B"):
		return 1
	case EqualFold(unit, "K"):
		return 1e3
	case EqualFold(unit, "KB"):
		return 1 << 10
	case EqualFold(unit, "M"):
		return 1e6
	case EqualFold(unit, "MB"):
		return 1 << 20
	case EqualFold(unit, "G"):
		return 1e9
	case EqualFold(unit, "GB"):
		return 1 << 30
	}
	return 0
}
