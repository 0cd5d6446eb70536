package rdb

import (
	"fmt"
)

// The values of a module tell what they are by an opcode, which is a length.
const (
	moduleEOF = iota
	moduleSigned
	moduleUnsigned
	moduleFloat
	moduleDouble
	moduleString
)

// scanFirst scans a value that isn't a string up to its end, or to that of its first
// part: then r.layout stays set.
func (r *Reader) scanFirst(h *Head) error {
	r.layout = r.version.layout(h.Type)
	r.at = r.layout.start()
	r.whole = *h
	return r.scanElements(h.Offset)
}

// scanPart scans the next part of a value.
func (r *Reader) scanPart(h *Head) error {
	*h = r.whole
	h.Kind, h.Offset = KindPart, r.offset()
	r.pin()
	return atKey(r.scanElements(h.Offset), h.DB, r.key)
}

// scanElements scans elements until the value ends or what began at start is large
// enough for a part.
func (r *Reader) scanElements(start int64) error {
	l := r.layout
	full := start + int64(r.opts.PartBytes)
	for {
		at, s := r.offset(), r.at.section
		n, err := r.scanElement(l.shapes[s])
		if err == nil && r.opts.Size > 0 {
			err = l.checkAnnounced(s, n, r.opts.Size-r.offset(), at)
		}
		if err != nil {
			r.layout = nil
			return err
		}
		l.pass(&r.at, n)
		if r.at.section == secEnd {
			r.layout = nil
			return nil
		}
		if r.offset() >= full && !r.at.isHead() {
			return nil
		}
	}
}

// checkAnnounced returns an error if a section's element, which stands at at, says that
// n elements of another come and these don't fit in what is left.
func (l *layout) checkAnnounced(s section, n uint64, left, at int64) error {
	of := announces[s]
	if of == secEnd || n <= uint64(max(left, 0))/l.bytes[of] {
		return nil
	}
	shape := l.shapes[s]
	return corruptAt(at, shape[len(shape)-1].what,
		fmt.Errorf("%w: it says %d, and %d bytes are left", ErrTruncated, n, left))
}

// scanElement finds the end of an element, and returns its last length.
func (r *Reader) scanElement(shape []field) (n uint64, err error) {
	for i := range shape {
		f := &shape[i]
		switch f.atom {
		case atomString:
			err = r.scanString(f.what)
		case atomLen:
			n, err = r.length(f.what)
		case atomScoreText:
			var p []byte
			if p, err = r.take(1, f.what); err == nil && p[0] < scoreNaN {
				err = r.skip(uint64(p[0]), f.what)
			}
		case atomModule:
			n, err = r.scanModuleValue(f.what)
		default:
			_, err = r.take(int(atomBytes[f.atom]), f.what)
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// scanModuleValue finds the end of one of a module's values, and returns its opcode.
func (r *Reader) scanModuleValue(what string) (opcode uint64, err error) {
	at := r.offset()
	if opcode, err = r.length(what); err != nil {
		return 0, err
	}
	switch opcode {
	case moduleEOF:
	case moduleSigned, moduleUnsigned:
		_, err = r.length(what)
	case moduleFloat:
		_, err = r.take(4, what)
	case moduleDouble:
		_, err = r.take(8, what)
	case moduleString:
		err = r.scanString(what)
	default:
		err = corruptAt(at, what, fmt.Errorf("%w: %d", errOpcode, opcode))
	}
	return opcode, err
}

// keepKey decodes the key of the value that is being read, for errors.
func (r *Reader) keepKey(h *Head, raw []byte) error {
	c := cursor{p: raw, base: h.Offset, stringBytesMax: limitOr(r.opts.StringBytesMax)}
	var key text
	var memory []byte
	if err := c.string("key", &memory, &key); err != nil {
		r.layout = nil
		return err
	}
	r.key = append(r.key[:0], key.bytes...)
	return nil
}
