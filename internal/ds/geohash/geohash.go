// Package geohash is the arithmetic of the GEO commands: places on Earth as numbers of 52
// bits that a sorted set can keep as scores, and the ranges of scores that cover an area.
//
// # Layout
//
// Longitude and latitude are each cut in half 26 times. The bits, 1 for the greater half,
// take turns, longitude first:
//
//	bit 51  50  49  48  ...  1   0
//	    lon lat lon lat ... lon lat
//
// So the first 2n bits name a cell, one of 2^n columns and 2^n rows, and all places in it
// have neighbouring numbers. n is the cell's step. Latitude ends at 85.05 degrees, where the
// square maps of the web do.
//
// Palermo, 13.361389 38.115556, is 3479099956230698 and, as text, sqc8b49rny0.
//
// # Sameness
//
// Clients compare what is printed with what Redis printed. So every expression here keeps
// the order of Redis's operations, and products are converted before a sum, which keeps
// processors that can from fusing both into one operation with another rounding.
package geohash

// Bounds of places, in degrees.
const (
	LonMin = -180.0
	LonMax = 180.0
	LatMin = -85.05112878
	LatMax = 85.05112878
)

// stepMax is the step of a full number.
const stepMax = 26

// Bits are the bits of a number.
const Bits = 2 * stepMax

// Valid says whether a place can be encoded.
func Valid(lon, lat float64) bool {
	return lon >= LonMin && lon <= LonMax && lat >= LatMin && lat <= LatMax
}

// Encode is the number of a valid place, as a score holds it: on the greatest longitude or
// latitude it has two bits too many, and is rounded.
func Encode(lon, lat float64) uint64 {
	return uint64(float64(encode(lon, lat, LatMin, LatMax, stepMax).bits))
}

// Decode is the middle of the smallest cell.
func Decode(bits uint64) (lon, lat float64) {
	west, south, east, north := cell{bits, stepMax}.edges()
	lon, lat = (west+east)/2, (south+north)/2
	return min(max(lon, LonMin), LonMax), min(max(lat, LatMin), LatMax)
}

// alphabet are the digits of a geohash as text, five bits each.
const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"

// AppendText appends the geohash as others write it, in eleven characters. That begins
// with the whole of the latitudes, so the place is encoded anew; and 55 bits are more than
// there are, so the last character is always 0.
func AppendText(dst []byte, bits uint64) []byte {
	lon, lat := Decode(bits)
	const (
		digits = 11
		width  = 5
	)
	bits = encode(lon, lat, -90, 90, stepMax).bits
	for i := 1; i < digits; i++ {
		dst = append(dst, alphabet[bits>>(Bits-width*i)&(1<<width-1)])
	}
	return append(dst, alphabet[0])
}

// A cell is an area of some step.
type cell struct {
	bits uint64
	step uint8
}

func encode(lon, lat, latMin, latMax float64, step uint8) cell {
	scale := float64(uint64(1) << step)
	x := (lon - LonMin) / (LonMax - LonMin)
	y := (lat - latMin) / (latMax - latMin)
	return cell{interleave(uint32(x*scale), uint32(y*scale)), step}
}

// edges are the bounds of the cell, in degrees.
func (c cell) edges() (west, south, east, north float64) {
	x, y := c.place()
	scale := float64(uint64(1) << c.step)
	at := func(n uint32, from, width float64) float64 {
		return from + float64(float64(n)/scale*width)
	}
	return at(x, LonMin, LonMax-LonMin), at(y, LatMin, LatMax-LatMin),
		at(x+1, LonMin, LonMax-LonMin), at(y+1, LatMin, LatMax-LatMin)
}

// place is the column and the row of the cell.
func (c cell) place() (x, y uint32) { return gather(c.bits >> 1), gather(c.bits) }

// neighbor is a cell some columns east and rows north. Behind the last comes the first.
func (c cell) neighbor(east, north int) cell {
	x, y := c.place()
	mask := uint32(1)<<c.step - 1
	if east != 0 {
		x = (x + uint32(east)) & mask
	}
	if north != 0 {
		y = (y + uint32(north)) & mask
	}
	return cell{interleave(x, y), c.step}
}

// interleave puts the bits of x in the odd places and those of y in the even ones.
func interleave(x, y uint32) uint64 { return scatter(x)<<1 | scatter(y) }

// scatter puts a gap before each bit: it parts the number in halves, those in halves, and
// so on.
func scatter(n uint32) uint64 {
	v := uint64(n)
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f0f0f0f0f
	v = (v | v<<2) & 0x3333333333333333
	return (v | v<<1) & 0x5555555555555555
}

// gather is the reverse of scatter; what stands in the gaps is dropped.
func gather(v uint64) uint32 {
	v &= 0x5555555555555555
	v = (v | v>>1) & 0x3333333333333333
	v = (v | v>>2) & 0x0f0f0f0f0f0f0f0f
	v = (v | v>>4) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16)
}
