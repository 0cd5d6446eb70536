package ziplist

import (
	"encoding/binary"
	"fmt"
)

// A Map is the bytes of a zipmap that passed ValidateMap.
type Map []byte

// Len is the number of pairs. It is a walk if there are or were 254.
func (m Map) Len() int {
	if m[0] != bigLen {
		return int(m[0])
	}
	n := 0
	for at := m.First(); at != 0; n++ {
		_, _, at = m.Read(at)
	}
	return n
}

// First is the position of the first pair, or 0 if there is none.
func (m Map) First() int { return m.orNone(1) }

func (m Map) orNone(at int) int {
	if m[at] == end {
		return 0
	}
	return at
}

// Read is the pair at a position, and the position of the next one or 0. Field and
// value lie in the map.
func (m Map) Read(at int) (field, value []byte, next int) {
	p, _ := readPair(m[:len(m)-1], at)
	return m[p.field:p.fieldEnd:p.fieldEnd], m[p.value:p.valueEnd:p.valueEnd], m.orNone(p.next)
}

// A pair is where the parts of a pair begin and end.
type pair struct{ field, fieldEnd, value, valueEnd, next int }

// readPair reads the pair at a position of b, which is a map without its end. It is not
// ok if the pair goes beyond that.
func readPair(b []byte, at int) (p pair, ok bool) {
	p.field, p.fieldEnd, ok = readText(b, at, 0)
	if !ok {
		return p, false
	}
	p.value, p.valueEnd, ok = readText(b, p.fieldEnd, 1)
	if !ok {
		return p, false
	}
	free := int(b[p.value-1])
	p.next = p.valueEnd + free
	return p, free <= len(b)-p.valueEnd
}

// readText reads a length, passes over more bytes, and finds where the text that the
// length belongs to begins and ends.
func readText(b []byte, at, more int) (from, to int, ok bool) {
	rest := b[at:]
	length := uint64(0)
	switch {
	case len(rest) >= 1 && rest[0] < bigLen:
		from, length = at+1, uint64(rest[0])
	case len(rest) >= 5 && rest[0] == bigLen:
		from, length = at+5, uint64(binary.LittleEndian.Uint32(rest[1:]))
	default:
		return 0, 0, false
	}
	from += more
	if from > len(b) || length > uint64(len(b)-from) {
		return 0, 0, false
	}
	return from, from + int(length), true
}

// ValidateMap says what is wrong with bytes that claim to be a zipmap, or nil. It calls
// each, if that is not nil, for every pair; an error that each returns ends the walk
// and is returned.
func ValidateMap(b []byte, each func(field, value []byte) error) error {
	if len(b) < 2 {
		return fmt.Errorf("zipmap: %d bytes are fewer than an empty one has", len(b))
	}
	last := len(b) - 1
	if b[last] != end {
		return fmt.Errorf("zipmap: byte %d: the end is %#02x", last, b[last])
	}
	n := 0
	for at := 1; at < last; n++ {
		p, ok := readPair(b[:last], at)
		if !ok {
			return fmt.Errorf("zipmap: pair %d at byte %d: its lengths are damaged", n, at)
		}
		if each != nil {
			if err := each(b[p.field:p.fieldEnd:p.fieldEnd], b[p.value:p.valueEnd:p.valueEnd]); err != nil {
				return err
			}
		}
		at = p.next
	}
	if b[0] != bigLen && int(b[0]) != n {
		return fmt.Errorf("zipmap: the header counts %d pairs of %d", b[0], n)
	}
	return nil
}
