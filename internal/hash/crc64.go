package hash

import "encoding/binary"

// crc64Poly is the Jones polynomial, bit-reversed because Redis's CRC-64 feeds
// bits in from the low end.
const crc64Poly = 0x95ac9329ac4bc9b5

// crc64Tables is written while the package is initialized and only read after.
var crc64Tables = makeCRC64Tables()

func makeCRC64Tables() *[16][256]uint64 {
	var t [16][256]uint64
	for b := range 256 {
		crc := uint64(b)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low != 0 {
				crc ^= crc64Poly
			}
		}
		t[0][b] = crc
	}
	for k := 1; k < len(t); k++ {
		for b := range 256 {
			before := t[k-1][b]
			t[k][b] = t[0][byte(before)] ^ before>>8
		}
	}
	return &t
}

// CRC64 continues crc, which is 0 at the start, over p. Neither end is
// inverted, so CRC64(CRC64(0, a), b) is the checksum of a followed by b.
func CRC64(crc uint64, p []byte) uint64 {
	t := crc64Tables
	for len(p) >= 16 {
		x := crc ^ binary.LittleEndian.Uint64(p)
		y := binary.LittleEndian.Uint64(p[8:])
		crc = t[15][byte(x)] ^ t[14][byte(x>>8)] ^
			t[13][byte(x>>16)] ^ t[12][byte(x>>24)] ^
			t[11][byte(x>>32)] ^ t[10][byte(x>>40)] ^
			t[9][byte(x>>48)] ^ t[8][byte(x>>56)] ^
			t[7][byte(y)] ^ t[6][byte(y>>8)] ^
			t[5][byte(y>>16)] ^ t[4][byte(y>>24)] ^
			t[3][byte(y>>32)] ^ t[2][byte(y>>40)] ^
			t[1][byte(y>>48)] ^ t[0][byte(y>>56)]
		p = p[16:]
	}
	for _, b := range p {
		crc = t[0][byte(crc)^b] ^ crc>>8
	}
	return crc
}
