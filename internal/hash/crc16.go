package hash

import "bytes"

// crc16Poly is that of CRC-16/XMODEM, which feeds bits in from the high end and
// starts at 0.
const crc16Poly = 0x1021

// crc16Tables is written while the package is initialized and only read after.
var crc16Tables = makeCRC16Tables()

func makeCRC16Tables() *[8][256]uint16 {
	var t [8][256]uint16
	for b := range 256 {
		crc := uint16(b) << 8
		for range 8 {
			high := crc & 0x8000
			crc <<= 1
			if high != 0 {
				crc ^= crc16Poly
			}
		}
		t[0][b] = crc
	}
	for k := 1; k < len(t); k++ {
		for b := range 256 {
			before := t[k-1][b]
			t[k][b] = t[0][before>>8] ^ before<<8
		}
	}
	return &t
}

// CRC16 is the CRC-16/XMODEM of p.
func CRC16(p []byte) uint16 {
	t := crc16Tables
	crc := uint16(0)
	for len(p) >= 8 {
		crc = t[7][byte(crc>>8)^p[0]] ^ t[6][byte(crc)^p[1]] ^
			t[5][p[2]] ^ t[4][p[3]] ^ t[3][p[4]] ^
			t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]]
		p = p[8:]
	}
	for _, b := range p {
		crc = t[0][byte(crc>>8)^b] ^ crc<<8
	}
	return crc
}

// Slots is how many slots a cluster divides its keys into. It is a power of two.
const Slots = 16384

// Slot is the cluster slot of key: the CRC16 of its hash tag, or of the whole
// key if it has none.
func Slot(key []byte) uint16 { return CRC16(Tag(key)) % Slots }

// Tag is the part of key that decides its slot: what stands between the first
// '{' and the first '}' after it, or the whole key if that is nothing.
func Tag(key []byte) []byte {
	open := bytes.IndexByte(key, '{')
	if open < 0 {
		return key
	}
	inside := key[open+1:]
	if end := bytes.IndexByte(inside, '}'); end > 0 {
		return inside[:end]
	}
	return key
}
