package hll

import (
	"slices"

	"github.com/spineldb/spinel/internal/numtext"
)

// The bits of the sparse encoding.
const (
	opMask  = 0xc0
	opXZero = 0x40
	opVal   = 0x80

	zeroMax  = 64 // registers in a ZERO
	valMax   = 4  // registers in a VAL
	valueMax = 32 // of a VAL
)

// A run is equal registers that one opcode stands for.
type run struct {
	at     int // offset of the opcode in the body
	size   int // of the opcode, in bytes
	first  int // register
	n      int // registers
	value  uint8
	before int // offset of the opcode before, or of this one if it is the first
	origin int // the register that the one before begins with
}

// decode reads the opcode at an offset. It fails if that is cut off or says more
// registers than there are.
func decode(body []byte, at, first int) (r run, ok bool) {
	if at >= len(body) {
		return r, false
	}
	op := int(body[at])
	r = run{at: at, size: 1, first: first}
	switch {
	case op&opVal != 0:
		r.n, r.value = op&(valMax-1)+1, uint8(op>>2&(valueMax-1)+1)
	case op&opXZero == 0:
		r.n = op + 1
	case at+1 < len(body):
		r.n, r.size = op&^opMask<<8+int(body[at+1])+1, 2
	default:
		return r, false
	}
	return r, first+r.n <= Registers
}

// find finds the run that a register is in. It may be given a run from which to begin,
// before the register; the zero run begins with the first.
func find(body []byte, index int, from run) (r run, ok bool) {
	at, first, before, origin := from.before, from.origin, from.before, from.origin
	for at < len(body) { // as decode does it, with less to carry
		op := int(body[at])
		n, size := op+1, 1
		switch {
		case op >= opVal:
			n = op&(valMax-1) + 1
		case op >= opXZero && at+1 < len(body):
			n, size = (op-opXZero)<<8+int(body[at+1])+1, 2
		}
		if index < first+n {
			break
		}
		before, origin = at, first
		at, first = at+size, first+n
	}
	if r, ok = decode(body, at, first); !ok {
		return r, false
	}
	if r.at == from.before && r.at > 0 {
		return find(body, index, run{}) // which run is before it is not known
	}
	r.before, r.origin = before, origin
	return r, true
}

// appendRun appends n registers of a value, if n is not 0.
func appendRun(dst []byte, value uint8, n int) []byte {
	switch {
	case n == 0:
		return dst
	case value > 0:
		return append(dst, opVal|(value-1)<<2|byte(n-1))
	case n <= zeroMax:
		return append(dst, byte(n-1))
	default:
		return append(dst, opXZero|byte((n-1)>>8), byte(n-1))
	}
}

// raiseSparse is Raise for a sparse one. It returns a run to begin the search for a
// greater register with.
func raiseSparse(b []byte, index int, rank uint8, sparseMax int, from run) ([]byte, run, error) {
	r, ok := find(b[headerSize:], index, from)
	if !ok {
		return b, r, ErrCorrupt
	}
	if r.value >= rank {
		return b, r, nil
	}
	var buf [5]byte
	cut := appendRun(buf[:0], r.value, index-r.first)
	if rank <= valueMax {
		cut = appendRun(cut, rank, 1)
	}
	cut = appendRun(cut, r.value, r.first+r.n-1-index)
	if grows := len(cut) - r.size; rank > valueMax || grows > 0 && len(b)+grows > sparseMax {
		b, err := ToDense(b)
		if err == nil {
			setDense(b[headerSize:], index, rank)
		}
		return b, r, err
	}
	at := headerSize + r.at
	b = slices.Replace(b, at, at+r.size, cut...)
	return join(b, headerSize+r.before), r, nil
}

// joinMax is how many opcodes join looks at: the one before a change, the change, and
// what it may have cut off.
const joinMax = 5

// join makes one VAL of neighbours with the same value, from an offset on.
func join(b []byte, at int) []byte {
	for range joinMax {
		switch {
		case at+1 >= len(b):
			return b
		case b[at]&opVal == 0 && b[at]&opXZero != 0:
			at += 2
		case b[at]&opVal == 0 || b[at+1]&opVal == 0 || (b[at]^b[at+1])&^(valMax-1) != 0:
			at++
		default:
			n := b[at]&(valMax-1) + b[at+1]&(valMax-1) + 2
			if n > valMax {
				at++
				break
			}
			b[at+1] = b[at+1]&^(valMax-1) | (n - 1)
			b = slices.Delete(b, at, at+1)
		}
	}
	return b
}

func (s *Set) mergeRuns(body []byte) error {
	at, first := 0, 0
	for at < len(body) {
		r, ok := decode(body, at, first)
		if !ok {
			return ErrCorrupt
		}
		if r.value > 0 {
			for i := first; i < first+r.n; i++ {
				s[i] = max(s[i], r.value)
			}
		}
		at, first = at+r.size, first+r.n
	}
	if first != Registers {
		return ErrCorrupt
	}
	return nil
}

func histogramOfRuns(body []byte) (h histogram, err error) {
	at, first := 0, 0
	for at < len(body) {
		r, ok := decode(body, at, first)
		if !ok {
			return h, ErrCorrupt
		}
		h[r.value] += r.n
		at, first = at+r.size, first+r.n
	}
	if first != Registers {
		return h, ErrCorrupt
	}
	return h, nil
}

// AppendRuns writes the opcodes of a sparse one as text, as PFDEBUG DECODE shows them:
// z:n, Z:n for an XZERO, v:value,n.
func AppendRuns(dst, b []byte) ([]byte, error) {
	body := b[headerSize:]
	at, first := 0, 0
	for at < len(body) {
		r, ok := decode(body, at, first)
		if !ok {
			return dst, ErrCorrupt
		}
		if at > 0 {
			dst = append(dst, ' ')
		}
		switch {
		case r.value > 0:
			dst = append(dst, "v:"...)
			dst = append(numtext.AppendInt(dst, int64(r.value)), ',')
		case r.size == 2:
			dst = append(dst, "Z:"...)
		default:
			dst = append(dst, "z:"...)
		}
		dst = numtext.AppendInt(dst, int64(r.n))
		at, first = at+r.size, first+r.n
	}
	return dst, nil
}
