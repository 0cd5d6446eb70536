package rdb

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/spineldb/spinel/internal/lzf"
	"github.com/spineldb/spinel/internal/numtext"
)

// scratchKeptBytesMax is how much memory a Decoder or Reader keeps for the next
// record, after one that was larger.
const scratchKeptBytesMax = 4 << 20

// A Decoder decodes the raw bytes of records. Each thread that decodes needs its
// own; it keeps the memory for what isn't found in the raw bytes as it is:
// decompressed strings and the text of numbers. Its zero value is ready.
type Decoder struct {
	StringBytesMax int64 // longest string to accept; 0 is StringBytesMax

	key, value []byte
}

// DecodeKeyValue decodes the raw bytes that a Reader found for head, which must be of
// KindKey with a string, KindAux or KindFunction. What it stores in rec is valid until
// the next call and as long as raw is. Pieces decode keys of all other types.
func (d *Decoder) DecodeKeyValue(head *Head, raw []byte, rec *Record) error {
	if max(cap(d.key), cap(d.value)) > scratchKeptBytesMax {
		d.key, d.value = nil, nil
	}
	rec.Head = *head
	c := cursor{p: raw, base: head.Offset, stringBytesMax: limitOr(d.StringBytesMax)}
	what := "key"
	if head.Kind == KindAux {
		what = "AUX name"
	}
	var key text
	if head.Kind != KindFunction {
		if err := c.string(what, &d.key, &key); err != nil {
			return err
		}
	}
	rec.Key = key.bytes
	err := checkType(head.Version, head.Type, 0, head.Offset)
	if unsupported, ok := err.(*UnsupportedTypeError); ok {
		unsupported.DB, unsupported.Key = head.DB, bytes.Clone(rec.Key)
		return err
	}
	if err == nil {
		err = d.decodeString(&c, rec)
	}
	if err == nil {
		err = c.atEnd()
	}
	if err != nil && head.Kind == KindKey {
		return atKey(err, head.DB, rec.Key)
	}
	return err
}

func limitOr(stringBytesMax int64) uint64 {
	if stringBytesMax <= 0 {
		return StringBytesMax
	}
	return uint64(stringBytesMax)
}

// A text is a decoded string.
type text struct {
	bytes  []byte
	number int64 // what bytes spells, if isInt
	isInt  bool  // it was stored as an integer
}

// A cursor decodes what is in memory as a whole, from front to back.
type cursor struct {
	p              []byte
	pos            int
	base           int64 // offset in the file of p[0], for errors
	stringBytesMax uint64
}

func (c *cursor) offset() int64 { return c.base + int64(c.pos) }

// atEnd returns an error unless everything was used.
func (c *cursor) atEnd() error {
	if c.pos == len(c.p) {
		return nil
	}
	return corruptAt(c.offset(), "end of value", errTrailing)
}

// string decodes a string into s. Its bytes are those of c.p where they stand
// there as they are, else they are put in *scratch, which grows for it.
func (c *cursor) string(what string, scratch *[]byte, s *text) error {
	if c.pos < len(c.p) {
		// Most strings are short and plain.
		if n := int(c.p[c.pos]); n < len14 && n < len(c.p)-c.pos {
			s.bytes, s.number, s.isInt = c.p[c.pos+1:c.pos+1+n], 0, false
			c.pos += 1 + n
			return nil
		}
	}
	h, need, err := parseStringHead(c.p[c.pos:])
	if err == nil && (need != 0 || h.body > uint64(len(c.p)-c.pos-h.size)) {
		return corruptAt(c.base+int64(len(c.p)), what, ErrTruncated)
	}
	if err == nil {
		err = h.check(c.stringBytesMax)
	}
	if err != nil {
		return corruptAt(c.offset(), what+" length", err)
	}
	from := c.pos + h.size
	body := c.p[from : from+int(h.body)]
	s.number, s.isInt = 0, false
	switch h.form {
	case 0:
		s.bytes = body
	case stringLZF:
		*scratch, err = lzf.AppendDecompressed((*scratch)[:0], body, int(h.full))
		if err != nil {
			return corruptAt(c.offset(), what, err)
		}
		s.bytes = *scratch
	default:
		s.number, s.isInt = integer(h.form, body), true
		*scratch = numtext.AppendInt((*scratch)[:0], s.number)
		s.bytes = *scratch
	}
	c.pos = from + len(body)
	return nil
}

// check returns an error if no sound string has this head.
func (h *stringHead) check(stringBytesMax uint64) error {
	switch {
	case h.body > stringBytesMax || h.full > stringBytesMax:
		return fmt.Errorf("%d is more than the limit of %d bytes", max(h.body, h.full), stringBytesMax)
	case h.form == stringLZF && h.full == 0:
		return fmt.Errorf("an empty string is compressed")
	case h.form == stringLZF && (h.full-1)/lzfExpansionMax >= h.body:
		return fmt.Errorf("%d compressed bytes can't become %d", h.body, h.full)
	}
	return nil
}

func integer(form byte, body []byte) int64 {
	switch form {
	case stringInt8:
		return int64(int8(body[0]))
	case stringInt16:
		return int64(int16(binary.LittleEndian.Uint16(body)))
	default:
		return int64(int32(binary.LittleEndian.Uint32(body)))
	}
}
