package geocmd

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/geohash"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var errUnit = resp.Errorf("unsupported unit provided. please use M, KM, FT, MI")

// readUnit is the metres of the unit that argument i names.
func readUnit(args command.Args, i int) (float64, error) {
	switch {
	case args.Is(i, "M"):
		return 1, nil
	case args.Is(i, "KM"):
		return 1000, nil
	case args.Is(i, "FT"):
		return 0.3048, nil
	case args.Is(i, "MI"):
		return 1609.34, nil
	}
	return 0, errUnit
}

// readPlace is the place that arguments i and i+1 say, longitude first.
func readPlace(args command.Args, i int) (p geohash.Point, err error) {
	var okLon, okLat bool
	p.Lon, okLon = numtext.ParseFloat(args[i])
	p.Lat, okLat = numtext.ParseFloat(args[i+1])
	switch {
	case !okLon || !okLat:
		return p, resp.ErrNotFloat
	case !geohash.Valid(p.Lon, p.Lat):
		return p, resp.Errorf("invalid longitude,latitude pair " + fixed(p.Lon) + "," + fixed(p.Lat))
	}
	return p, nil
}

// fixed is a number as C's %f has it.
func fixed(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	const digits = 6
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// writePlace writes longitude and latitude.
func writePlace(out *resp.Writer, p geohash.Point) {
	out.Array(2)
	writeDegrees(out, p.Lon)
	writeDegrees(out, p.Lat)
}

func writeDegrees(out *resp.Writer, v float64) {
	var buf [maxDegrees + len(",\r\n")]byte
	if !out.Resp3 {
		out.Bulk(appendDegrees(buf[:0], v))
		return
	}
	text := appendDegrees(append(buf[:0], ','), v)
	out.Raw(append(text, "\r\n"...))
}

// writeDistance writes a distance that is in some unit already.
func writeDistance(out *resp.Writer, d float64) {
	var buf [32]byte
	out.Bulk(geohash.AppendDistance(buf[:0], d))
}

// Degrees have at most so many digits behind the point.
const (
	fractionDigits = 17
	fractionScale  = 1e17
	maxDegrees     = len("-180.") + fractionDigits
)

// appendDegrees writes a number of at most three digits before the point as Redis writes
// it: rounded to 17 digits behind, without zeros at the end. Redis takes C's printf, which
// works out all digits of the number; as the number is so small, 128 bits are enough here.
func appendDegrees(dst []byte, v float64) []byte {
	const fractionBits, implicit, bias = 52, 1 << 52, 1075
	b := math.Float64bits(math.Abs(v))
	exp := uint(bias - b>>fractionBits) // the number is m >> exp; of 45 bits or more
	m := b&(implicit-1) | implicit
	whole := m >> exp
	high, low := bits.Mul64(m-whole<<exp, fractionScale)
	fraction := shiftRounded(high, low, exp)
	if fraction == fractionScale {
		whole, fraction = whole+1, 0
	}
	if math.Signbit(v) && whole+fraction != 0 {
		dst = append(dst, '-')
	}
	if dst = numtext.AppendUint(dst, whole); fraction == 0 {
		return dst
	}
	dst = append(dst, '.')
	for ; fraction > 0; fraction = fraction % (fractionScale / 10) * 10 {
		dst = append(dst, byte('0'+fraction/(fractionScale/10)))
	}
	return dst
}

// shiftRounded is a number of 128 bits, of which at most 110 are used, without its last n,
// more than 0, rounded to the nearest and from the middle to an even one.
func shiftRounded(high, low uint64, n uint) (result uint64) {
	const word = 64
	var carry uint64
	if n <= word {
		low, carry = bits.Add64(low, 1<<(n-1), 0)
		high += carry
	} else {
		high += 1 << (n - word - 1) // 0 if n is greater than what is used
	}
	var rest uint64
	if n < word {
		result, rest = high<<(word-n)|low>>n, low<<(word-n)
	} else {
		result, rest = high>>(n-word), high<<(2*word-n)|low
	}
	if rest == 0 { // it was the middle
		result &^= 1
	}
	return result
}
