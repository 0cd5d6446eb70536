package rdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/spineldb/spinel/internal/numtext"
)

// Pieces decode the value of one key that isn't a string, piece by piece:
//
//	err := v.Begin(&raw, bytes)      // of a KindKey: v.Key, v.Object
//	for ok, err := v.Next(&p); ok;   // p
//	err = v.Continue(&raw, bytes)    // of each KindPart, if there was More
//
// Everything about a piece is checked before it is handed out, but for what is only
// known when the value is built: elements that come twice in another piece, and what is
// in a stream's nodes. So the last piece may come before an error, and a value must not
// be shown to anybody until Next has said that there is no more.
//
// The parts must come in order. Pieces keep the memory for what isn't found in the raw
// bytes as it is, and of a stream the IDs of one group's pending entries. The zero value
// is ready; it is not safe for concurrent use.
type Pieces struct {
	StringBytesMax int64 // longest string to accept; 0 is StringBytesMax

	Key    []byte // of the value; nil for a DUMP payload
	Object Object

	c      cursor
	layout *layout
	at     place
	db     int
	more   bool // parts come
	some   bool // a piece was handed out
	err    error

	// What the atoms of the current element were, in their order.
	from    int64 // where it begins
	strings [2][]byte
	numbers [9]uint64
	id      StreamID
	score   float64

	keyMemory []byte
	memory    [2][]byte // for strings
	first     int64     // the first expiry among the fields
	unpacking unpacking // of a ziplist or zipmap
	members   []member  // of a listpack
	node      StreamID  // last stream node
	nodes     bool      // there was one
	pending   []StreamID
	owned     []bool // which of them have an owner
	owners    int    // how many have
}

// Begin takes the bytes that NextRaw found for a key whose value isn't a string.
func (v *Pieces) Begin(raw *Raw, b []byte) error {
	v.reset(raw.Version, raw.Type, raw.DB, raw.More)
	v.c = cursor{p: b, base: raw.Offset, stringBytesMax: limitOr(v.StringBytesMax)}
	var key text
	if v.err = v.c.string("key", &v.keyMemory, &key); v.err != nil {
		return v.err
	}
	v.Key = key.bytes
	if v.more && len(v.Key) > 0 && (len(v.keyMemory) == 0 || &v.Key[0] != &v.keyMemory[0]) {
		v.keyMemory = append(v.keyMemory[:0], v.Key...) // the bytes may be gone before the value ends
		v.Key = v.keyMemory
	}
	return v.begin(checkType(raw.Version, raw.Type, Collections|Modules, raw.Offset))
}

// BeginDump takes the value of a DUMP payload that isn't a string.
func (v *Pieces) BeginDump(d Dump) error {
	v.reset(d.Version, d.Type, 0, false)
	v.c = cursor{p: d.Body, base: 1, stringBytesMax: limitOr(v.StringBytesMax)}
	return v.begin(checkType(d.Version, d.Type, Collections, 0))
}

// Continue takes the bytes of the next part.
func (v *Pieces) Continue(raw *Raw, b []byte) error {
	if v.err == nil {
		v.c.p, v.c.pos, v.c.base, v.more = b, 0, raw.Offset, raw.More
	}
	return v.err
}

// reset forgets the value before.
func (v *Pieces) reset(version Version, t Type, db int, more bool) {
	kept := cap(v.keyMemory) + cap(v.memory[0]) + cap(v.memory[1]) + 16*cap(v.members) + 17*cap(v.pending)
	if kept > scratchKeptBytesMax {
		*v = Pieces{StringBytesMax: v.StringBytesMax}
	}
	v.Key, v.Object, v.layout = nil, Object{}, version.layout(t)
	v.keyMemory = v.keyMemory[:0]
	v.db, v.more, v.some, v.err = db, more, false, nil
	v.unpacking.at, v.unpacking.b, v.nodes = 0, nil, false
	v.pending, v.owned, v.owners = v.pending[:0], v.owned[:0], 0
}

// begin reads what stands before the first piece. err says what is wrong with the type.
func (v *Pieces) begin(err error) error {
	if unsupported, ok := err.(*UnsupportedTypeError); ok {
		unsupported.DB = v.db
		unsupported.Key = bytes.Clone(v.Key)
	} else if err == nil && v.layout == nil {
		err = corruptAt(v.c.base, "value type", fmt.Errorf("a string isn't a collection"))
	}
	if v.err = err; err != nil {
		return err
	}
	v.at = v.layout.start()
	v.Object.Type = v.layout.object
	for v.err == nil && v.at.isHead() {
		s := v.at.section
		v.fail(v.element())
		switch s {
		case secMinExpire:
			v.first = int64(v.numbers[0])
		case secCount:
			v.Object.Count = v.numbers[0]
		case secModule:
			v.Object.Module = v.numbers[0]
		}
	}
	return v.err
}

// fail notes an error, with the key.
func (v *Pieces) fail(err error) {
	if v.err = err; err != nil && v.Key != nil {
		v.err = atKey(err, v.db, v.Key)
	}
}

// Next decodes the next piece. False without an error means that there is none: the
// part is used up, and with the last part the value. An error stays.
func (v *Pieces) Next(p *Piece) (bool, error) {
	for v.err == nil {
		if v.unpacking.isOpen() {
			ok, err := v.unpack(p)
			v.fail(err)
			if ok && err == nil {
				v.some = true
				return true, nil
			}
			continue
		}
		if v.at.section == secEnd {
			return false, v.end()
		}
		if v.c.pos == len(v.c.p) && v.more {
			return false, nil
		}
		s := v.at.section
		err := v.element()
		ok := false
		if err == nil {
			ok, err = v.piece(s, p)
		}
		if v.fail(err); ok && err == nil {
			v.some = true
			return true, nil
		}
	}
	return false, v.err
}

// end is reached behind the last piece.
func (v *Pieces) end() error {
	v.fail(v.c.atEnd())
	if v.err == nil && !v.some && v.layout.object != ObjectStream && v.layout.object != ObjectModule {
		v.err = ErrEmpty
	}
	return v.err
}

// element decodes the atoms of the next element, and moves on.
func (v *Pieces) element() error {
	s, from := v.at.section, v.c.pos
	v.from = v.c.offset()
	n, err := v.atoms(v.layout.shapes[s])
	if err == nil && !v.more {
		err = v.layout.checkAnnounced(s, n, int64(len(v.c.p)-v.c.pos), v.from)
	}
	if err != nil {
		v.c.pos = from
		return err
	}
	v.layout.pass(&v.at, n)
	return nil
}

// atoms decodes the atoms of a shape, and returns the last length.
func (v *Pieces) atoms(shape []field) (n uint64, err error) {
	strings, numbers := 0, 0
	for i := range shape {
		f := &shape[i]
		switch f.atom {
		case atomString:
			var s text
			err = v.c.string(f.what, &v.memory[strings], &s)
			v.strings[strings] = s.bytes
			strings++
		case atomLen:
			n, err = v.c.length(f.what)
			v.numbers[numbers] = n
			numbers++
		case atomTime:
			var b []byte
			if b, err = v.c.take(8, f.what); err == nil {
				v.numbers[numbers] = binary.LittleEndian.Uint64(b)
				numbers++
			}
		case atomID:
			var b []byte
			if b, err = v.c.take(16, f.what); err == nil {
				v.id = streamID(b)
			}
		case atomScore, atomScoreText:
			err = v.readScore(f)
		case atomModule:
			n, err = v.skipModuleValue(f.what)
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Lengths of a score's text that stand for a number.
const (
	scoreNaN = 253 + iota
	scoreInf
	scoreMinusInf
)

// readScore reads a score, which must be a number.
func (v *Pieces) readScore(f *field) error {
	at := v.c.offset()
	ok := true
	if f.atom == atomScore {
		b, err := v.c.take(8, f.what)
		if err != nil {
			return err
		}
		v.score = math.Float64frombits(binary.LittleEndian.Uint64(b))
	} else {
		b, err := v.c.take(1, f.what)
		if err != nil {
			return err
		}
		switch n := int(b[0]); n {
		case scoreNaN:
			v.score = math.NaN()
		case scoreInf:
			v.score = math.Inf(1)
		case scoreMinusInf:
			v.score = math.Inf(-1)
		default:
			if b, err = v.c.take(n, f.what); err != nil {
				return err
			}
			v.score, ok = numtext.ParseFloat(b)
		}
	}
	switch {
	case v.score != v.score:
		return corruptAt(at, f.what, fault("Zset with NAN score detected", errScore))
	case !ok:
		return corruptAt(at, f.what, errScore)
	}
	return nil
}

// skipModuleValue passes over one of a module's values, and returns its opcode.
func (v *Pieces) skipModuleValue(what string) (opcode uint64, err error) {
	at := v.c.offset()
	if opcode, err = v.c.length(what); err != nil {
		return 0, err
	}
	switch opcode {
	case moduleEOF:
	case moduleSigned, moduleUnsigned:
		_, err = v.c.length(what)
	case moduleFloat:
		_, err = v.c.take(4, what)
	case moduleDouble:
		_, err = v.c.take(8, what)
	case moduleString:
		var s text
		err = v.c.string(what, &v.memory[0], &s)
	default:
		err = corruptAt(at, what, fmt.Errorf("%w: %d", errOpcode, opcode))
	}
	return opcode, err
}

// piece makes a piece of the element of section s that was just decoded. It says
// whether it did: some elements are no piece, some open a row of pieces.
func (v *Pieces) piece(s section, p *Piece) (bool, error) {
	if s == secElement {
		return v.elementPiece(p)
	}
	return v.streamPiece(s, p)
}

func (v *Pieces) elementPiece(p *Piece) (bool, error) {
	p.Kind, p.Field, p.Value, p.ExpireMS = PieceElement, v.strings[0], nil, None
	switch v.layout.content {
	case contentText:
		return true, nil
	case contentScored:
		p.Score = v.score
		return true, nil
	case contentPair, contentPairLeft, contentPairAt, contentPairTime:
		p.Value = v.strings[1]
		var ok bool
		if p.ExpireMS, ok = v.expiry(); !ok {
			return false, corruptAt(v.from, "expiry of field", errExpiry)
		}
		return true, nil
	case contentQuicklist:
		switch v.numbers[0] {
		case quicklistPlain:
			if len(v.strings[0]) == 0 {
				return false, corruptAt(v.from, "node", errPlain)
			}
			return true, nil
		case quicklistPacked:
			return v.packed(p)
		}
		return false, corruptAt(v.from, "container of node", fmt.Errorf("%w: %d", errContainer, v.numbers[0]))
	case contentStream:
		return v.streamNode(p)
	default:
		return v.packed(p)
	}
}

// expiry is when the current field expires.
func (v *Pieces) expiry() (ms int64, ok bool) {
	switch v.layout.content {
	case contentPairLeft:
		left := v.numbers[0]
		if left == 0 {
			return None, true
		}
		ms = v.first + int64(left-1)
		return ms, v.first >= 0 && left <= math.MaxInt64 && ms >= 0
	case contentPairAt:
		if v.numbers[0] == 0 {
			return None, true
		}
		return int64(v.numbers[0]), v.numbers[0] <= math.MaxInt64
	case contentPairTime:
		ms = int64(v.numbers[0])
		return ms, ms >= None
	}
	return None, true
}

// length decodes one length.
func (c *cursor) length(what string) (uint64, error) {
	if c.pos == len(c.p) {
		return 0, corruptAt(c.offset(), what, ErrTruncated)
	}
	size := lenForm(c.p[c.pos])
	switch {
	case size == 0:
		return 0, corruptAt(c.offset(), what, errLength)
	case size > len(c.p)-c.pos:
		return 0, corruptAt(c.base+int64(len(c.p)), what, ErrTruncated)
	}
	n := parseLen(c.p[c.pos:])
	c.pos += size
	return n, nil
}

// take returns the next n bytes.
func (c *cursor) take(n int, what string) ([]byte, error) {
	if n > len(c.p)-c.pos {
		return nil, corruptAt(c.base+int64(len(c.p)), what, ErrTruncated)
	}
	c.pos += n
	return c.p[c.pos-n : c.pos], nil
}
