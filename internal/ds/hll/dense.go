package hll

import "encoding/binary"

// Eight registers are 48 bits of a dense body, or one word with a byte for each.
const (
	registerBits  = 6
	registerMask  = 1<<registerBits - 1
	group         = 8
	groupBytes    = group * registerBits / 8
	groups        = Registers / group
	eachHighest   = 0x8080808080808080 // the highest bit of each byte, which no register has
	registerRange = registerMask + 1
)

func getDense(body []byte, index int) uint8 {
	bit := index * registerBits
	v := uint(body[bit/8])
	if bit/8+1 < len(body) {
		v |= uint(body[bit/8+1]) << 8
	}
	return uint8(v >> (bit % 8) & registerMask)
}

func setDense(body []byte, index int, v uint8) {
	bit := index * registerBits
	shift := bit % 8
	body[bit/8] = body[bit/8]&^byte(registerMask<<shift) | v<<shift
	if shift > 8-registerBits {
		next := &body[bit/8+1]
		*next = *next&^byte(registerMask>>(8-shift)) | v>>(8-shift)
	}
}

// loadGroup is the bits of eight registers, in the lower 48 of the word. What the upper
// ones are does not matter.
func loadGroup(body []byte, g int) uint64 {
	at := g * groupBytes
	if g < groups-1 {
		return binary.LittleEndian.Uint64(body[at:])
	}
	return uint64(binary.LittleEndian.Uint32(body[at:])) |
		uint64(binary.LittleEndian.Uint16(body[at+4:]))<<32
}

// spread gives each of eight registers a byte: first it parts the word in halves of 24
// bits, then those, then those again.
func spread(v uint64) uint64 {
	v = v&0x0000000000ffffff | v&0x0000ffffff000000<<8
	v = v&0x00000fff00000fff | v&0x00fff00000fff000<<4
	return v&0x003f003f003f003f | v&0x0fc00fc00fc00fc0<<2
}

// squeeze is the reverse of spread.
func squeeze(v uint64) uint64 {
	v = v&0x003f003f003f003f | v&0x3f003f003f003f00>>2
	v = v&0x00000fff00000fff | v&0x0fff00000fff0000>>4
	return v&0x0000000000ffffff | v&0x00ffffff00000000>>8
}

// greater is the greater of each two bytes below 128. A byte of a with its highest bit set
// keeps it through the subtraction of one that is not greater; that bit makes a mask.
func greater(a, b uint64) uint64 {
	kept := ((a | eachHighest) - b) & eachHighest
	mask := kept | (kept - kept>>7)
	return a&mask | b&^mask
}

func (s *Set) mergeDense(body []byte) {
	for g := range groups {
		mine := s[g*group : g*group+group : g*group+group]
		v := spread(loadGroup(body, g))
		binary.LittleEndian.PutUint64(mine, greater(binary.LittleEndian.Uint64(mine), v))
	}
}

func (s *Set) packDense(body []byte) {
	for g := range groups {
		v := squeeze(binary.LittleEndian.Uint64(s[g*group:]))
		to := body[g*groupBytes : g*groupBytes+groupBytes]
		binary.LittleEndian.PutUint32(to, uint32(v))
		binary.LittleEndian.PutUint16(to[4:], uint16(v>>32))
	}
}

// A histogram counts the registers of each value.
type histogram [registerRange]int

// tally is several histograms beside each other: neighbours often have the same value, and
// adding to the counter that was just added to is slow.
type tally [4][registerRange]uint16

func (t *tally) add(v uint64) {
	t[0][v&registerMask]++
	t[1][v>>8&registerMask]++
	t[2][v>>16&registerMask]++
	t[3][v>>24&registerMask]++
	t[0][v>>32&registerMask]++
	t[1][v>>40&registerMask]++
	t[2][v>>48&registerMask]++
	t[3][v>>56&registerMask]++
}

func (t *tally) sum() (h histogram) {
	for i := range h {
		h[i] = int(t[0][i]) + int(t[1][i]) + int(t[2][i]) + int(t[3][i])
	}
	return h
}

func histogramOfDense(body []byte) histogram {
	var t tally
	for g := range groups {
		t.add(spread(loadGroup(body, g)))
	}
	return t.sum()
}

func (s *Set) histogram() histogram {
	var t tally
	for g := range groups {
		t.add(binary.LittleEndian.Uint64(s[g*group:]))
	}
	return t.sum()
}
