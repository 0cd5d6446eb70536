package listpack

import (
	"encoding/binary"
	"fmt"
)

// Validate says what is wrong with bytes that claim to be a list, or nil. If deep, it
// reads all of them and calls each, if that is not nil, for every element; an error that
// each returns ends the walk and is returned. Only bytes that passed a deep
// validation may be used as a List without fear: nothing then reads outside of them.
func Validate(b []byte, deep bool, each func(Elem) error) error {
	if len(b) < EmptySize {
		return fmt.Errorf("listpack: %d bytes are fewer than an empty one has", len(b))
	}
	if total := binary.LittleEndian.Uint32(b); uint64(total) != uint64(len(b)) {
		return fmt.Errorf("listpack: the header says %d bytes of %d", total, len(b))
	}
	end := len(b) - 1
	if b[end] != tagEnd {
		return fmt.Errorf("listpack: byte %d: the end is %#02x", end, b[end])
	}
	if !deep {
		return nil
	}
	n := 0
	for at := HeaderSize; at < end; n++ {
		size, err := checkEntry(b[:end], at)
		if err != nil {
			return fmt.Errorf("listpack: entry %d at byte %d: %w", n, at, err)
		}
		if each != nil {
			if err := each(List(b).Get(at)); err != nil {
				return err
			}
		}
		at += size
	}
	if count := List(b).count(); count != countUnknown && count != n {
		return fmt.Errorf("listpack: the header counts %d entries of %d", count, n)
	}
	return nil
}

// checkEntry finds the size of the entry at a position of b, all of which may be
// entries.
func checkEntry(b []byte, at int) (size int, err error) {
	room := uint64(len(b) - at)
	n := uint64(0) // encoding and data
	switch c := b[at]; {
	case c < tagText6:
		n = 1
	case c < tagInt13:
		n = 1 + uint64(c&0x3f)
	case c < tagText12:
		n = 2
	case c < tagText32:
		if room < 2 {
			return 0, fmt.Errorf("the length is behind the end")
		}
		n = 2 + (uint64(c&0x0f)<<8 | uint64(b[at+1]))
	case c == tagText32:
		if room < 5 {
			return 0, fmt.Errorf("the length is behind the end")
		}
		n = 5 + uint64(binary.LittleEndian.Uint32(b[at+1:]))
	case c == tagInt16 || c == tagInt24 || c == tagInt32:
		n = 3 + uint64(c-tagInt16)
	case c == tagInt64:
		n = 9
	default:
		return 0, fmt.Errorf("no encoding begins with %#02x", c)
	}
	if n >= room {
		return 0, fmt.Errorf("%d bytes and their backlen are more than the %d that follow", n, room)
	}
	var want [5]byte
	backlen := putBacklen(want[:], int(n))
	if room-n < uint64(backlen) {
		return 0, fmt.Errorf("the backlen is behind the end")
	}
	if got := b[at+int(n):][:backlen]; string(got) != string(want[:backlen]) {
		return 0, fmt.Errorf("the backlen of %d bytes is % x", n, got)
	}
	return int(n) + backlen, nil
}
