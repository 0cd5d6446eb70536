package rdb

import (
	"fmt"
	"io"

	"github.com/spineldb/spinel/internal/hash"
)

const (
	// bufferBytes is the size of a Reader's buffer unless told otherwise: large
	// enough that a system call costs little for each record.
	bufferBytes = 1 << 20

	// partBytes is the size of a part of a value unless told otherwise.
	partBytes = 1 << 20

	// bufferBytesMin holds the longest thing that is read in one piece.
	bufferBytesMin = 64

	// emptyReadsMax is how often a source may return neither bytes nor an error.
	emptyReadsMax = 100
)

// Options say what a Reader may expect. The zero value suits a file of unknown
// size that nothing follows.
type Options struct {
	// Size is the length of the input in bytes, or 0 if that isn't known. With
	// it, a length that points past the end is refused before anything is read.
	Size int64

	// StringBytesMax is the longest string to accept; 0 is the constant's value.
	StringBytesMax int64

	// BufferBytes is the size of the read buffer; 0 is 1 MB.
	BufferBytes int

	// PartBytes is how large a part of a value should get before it is cut; 0 is 1 MB.
	// One element may be larger.
	PartBytes int

	// Accept is what to give besides strings.
	Accept Accept

	// SkipChecksum leaves the checksum uncompared, for rdbchecksum no.
	SkipChecksum bool

	// Trailing allows bytes after the end: an append-only file with a preamble,
	// or a replication stream. Buffered returns those that were read already.
	// Without it the Reader reads on to see that there are none.
	Trailing bool
}

// A Reader reads one RDB file from front to back.
//
//	            mark        pos                 end
//	             v           v                   v
//	buf: |-------|===========|...................|------|
//	             what of the      not looked
//	             current record   at yet
//	             was scanned
//
// When the buffer runs dry in the middle of a record, what is scanned of it moves
// to spill, which thus never holds more than what has really arrived.
//
// An error stays: every later call returns it again. A Reader is not safe for
// concurrent use.
type Reader struct {
	src     io.Reader
	opts    Options
	buf     []byte
	pos     int // buf[pos:end] is read but not scanned
	end     int
	summed  int   // buf[:summed] is part of crc
	base    int64 // offset in the file of buf[0]
	crc     uint64
	readErr error // from src, to be acted on when the buffer is empty

	mark    int // where the current record's raw bytes begin, or -1
	spill   []byte
	scratch []byte // Next's spill

	version Version
	checked bool
	db      int
	err     error // what ended it
	dec     Decoder

	layout *layout // of the value whose next part comes, or nil
	at     place   // in it
	whole  Head    // its head
	key    []byte  // its key, for errors

	pieces Pieces // of the collection that Next has given
	open   bool   // not all of them were asked for
}

// NewReader returns a Reader of what src holds.
func NewReader(src io.Reader, opts Options) *Reader {
	r := &Reader{}
	r.Reset(src, opts)
	return r
}

// Reset begins to read another file, with the memory of r.
func (r *Reader) Reset(src io.Reader, opts Options) {
	size := opts.BufferBytes
	if size <= 0 {
		size = bufferBytes
	}
	size = max(size, bufferBytesMin)
	if len(r.buf) != size {
		r.buf = make([]byte, size)
	}
	*r = Reader{src: src, opts: opts, buf: r.buf, mark: -1, scratch: r.scratch,
		dec: r.dec, pieces: r.pieces, key: r.key[:0]}
	r.dec.StringBytesMax, r.pieces.StringBytesMax = opts.StringBytesMax, opts.StringBytesMax
	if r.opts.PartBytes <= 0 {
		r.opts.PartBytes = partBytes
	}
}

// Version returns the version that the header names, or 0 before it was read.
func (r *Reader) Version() Version { return r.version }

// Offset returns how many bytes of the input have been understood.
func (r *Reader) Offset() int64 { return r.offset() }

// Checked says, after KindEOF, whether there was a checksum and it was compared.
// Versions before 5 had none, and rdbchecksum no leaves it out: what is damaged
// in such a file may be undetected.
func (r *Reader) Checked() bool { return r.checked }

// Buffered returns what was read from the source and lies behind the end of the
// file. It is valid until Reset.
func (r *Reader) Buffered() []byte { return r.buf[r.pos:r.end] }

// Next reads one record and decodes it. Of a collection it decodes the key, and the
// content comes from NextPiece. After KindEOF it returns io.EOF.
func (r *Reader) Next(rec *Record) error {
	for r.open && r.err == nil {
		if _, err := r.NextPiece(&Piece{}); err != nil && err != ErrEmpty {
			return err
		}
	}
	raw, err := r.nextDecodable(&rec.Head)
	if err != nil {
		return err
	}
	rec.Key, rec.Value, rec.Int, rec.IsInt = nil, nil, 0, false
	switch {
	case raw == nil:
		return nil
	case rec.Kind == KindKey && rec.Type != TypeString:
		r.open = true
		r.err = r.pieces.Begin(&Raw{Head: rec.Head, More: r.layout != nil}, raw)
		rec.Key = r.pieces.Key
	default:
		r.err = r.dec.DecodeKeyValue(&rec.Head, raw, rec)
	}
	return r.err
}

// NextPiece decodes the next piece of the collection that Next has given: false means
// that there are no more, ErrEmpty that there was none. Pieces that nobody asks for are
// checked nevertheless.
func (r *Reader) NextPiece(p *Piece) (bool, error) {
	for r.open && r.err == nil {
		ok, err := r.pieces.Next(p)
		switch {
		case err == ErrEmpty:
			r.open = false
			return false, err
		case ok || err != nil:
			r.err = err
			return ok, err
		case r.layout == nil:
			r.open = false
		default:
			var h Head
			raw, err := r.nextDecodable(&h)
			if err != nil {
				return false, err
			}
			r.err = r.pieces.Continue(&Raw{Head: h, More: r.layout != nil}, raw)
		}
	}
	return false, r.err
}

// Object is what the collection that Next has given says about itself.
func (r *Reader) Object() Object { return r.pieces.Object }

// nextDecodable reads one record as one run of bytes, if it has any.
func (r *Reader) nextDecodable(h *Head) ([]byte, error) {
	if cap(r.scratch) > scratchKeptBytesMax {
		r.scratch = nil
	}
	r.spill = r.scratch[:0]
	err := r.advance(h)
	r.scratch = r.spill
	if err != nil || r.mark < 0 {
		return nil, err
	}
	raw := r.buf[r.mark:r.pos]
	if len(r.spill) > 0 {
		r.spill = append(r.spill, raw...)
		r.scratch, raw = r.spill, r.spill
	}
	r.mark = -1
	return raw, nil
}

// NextRaw reads one record without decoding its strings: it appends their bytes to
// dst, and says in raw where they are. Only KindKey, KindPart, KindAux and KindFunction
// have any. Large values come in parts, which end between two elements.
// DecodeKeyValue and Pieces decode them, on any thread. After KindEOF it returns
// io.EOF.
func (r *Reader) NextRaw(dst []byte, raw *Raw) ([]byte, error) {
	raw.Start = len(dst)
	r.spill = dst
	err := r.advance(&raw.Head)
	dst, r.spill = r.spill, nil
	if err != nil {
		r.mark = -1
		return dst[:raw.Start], err
	}
	if r.mark >= 0 {
		dst = append(dst, r.buf[r.mark:r.pos]...)
		r.mark = -1
	}
	raw.End, raw.More = len(dst), r.layout != nil
	return dst, nil
}

func (r *Reader) offset() int64 { return r.base + int64(r.pos) }

// pin makes what is scanned from here on the current record's raw bytes.
func (r *Reader) pin() { r.mark = r.pos }

// pinned returns the first n of the raw bytes so far. What the first start bytes of
// spill are is older.
func (r *Reader) pinned(start, n int) []byte {
	spilled := r.spill[start:]
	if len(spilled) >= n {
		return spilled[:n]
	}
	return append(spilled[:len(spilled):len(spilled)], r.buf[r.mark:r.mark+n-len(spilled)]...)
}

// need sees to it that n bytes are in the buffer. It asks the source for no more
// than it has to: a socket may have nothing else to give.
func (r *Reader) need(n int, what string) error {
	if r.end-r.pos >= n {
		return nil
	}
	return r.refill(n, what)
}

func (r *Reader) refill(n int, what string) error {
	if !r.fill(n) {
		if r.readErr != io.EOF {
			return fmt.Errorf("rdb: byte %d: %w", r.base+int64(r.end), r.readErr)
		}
		return corruptAt(r.base+int64(r.end), what, ErrTruncated)
	}
	return nil
}

// fill moves what isn't scanned to the front and reads until n bytes are there.
// It says whether they came.
func (r *Reader) fill(n int) bool {
	if r.end-r.pos >= n {
		return true
	}
	r.sum()
	if r.mark >= 0 {
		r.spill = append(r.spill, r.buf[r.mark:r.pos]...)
		r.mark = 0
	}
	copy(r.buf, r.buf[r.pos:r.end])
	r.base += int64(r.pos)
	r.end -= r.pos
	r.pos, r.summed = 0, 0
	for empty := 0; r.end < n; {
		if r.readErr != nil {
			return false
		}
		got, err := r.src.Read(r.buf[r.end:])
		r.end += got
		r.readErr = err
		if got == 0 && err == nil {
			empty++
			if empty == emptyReadsMax {
				r.readErr = io.ErrNoProgress
			}
		}
	}
	return true
}

// sum takes everything that is scanned into the checksum.
func (r *Reader) sum() {
	if !r.opts.SkipChecksum {
		r.crc = hash.CRC64(r.crc, r.buf[r.summed:r.pos])
	}
	r.summed = r.pos
}

// skip scans over n bytes.
func (r *Reader) skip(n uint64, what string) error {
	for n > uint64(r.end-r.pos) {
		n -= uint64(r.end - r.pos)
		r.pos = r.end
		if err := r.refill(1, what); err != nil {
			return err
		}
	}
	r.pos += int(n)
	return nil
}

// take scans n bytes and returns them. They are valid until the next call.
func (r *Reader) take(n int, what string) ([]byte, error) {
	if err := r.need(n, what); err != nil {
		return nil, err
	}
	p := r.buf[r.pos : r.pos+n]
	r.pos += n
	return p, nil
}

// length scans one length.
func (r *Reader) length(what string) (uint64, error) {
	if err := r.need(1, what); err != nil {
		return 0, err
	}
	size := lenForm(r.buf[r.pos])
	if size == 0 {
		return 0, corruptAt(r.offset(), what, errLength)
	}
	p, err := r.take(size, what)
	if err != nil {
		return 0, err
	}
	return parseLen(p), nil
}

// scanString finds the end of a string.
func (r *Reader) scanString(what string) error {
	if r.pos < r.end {
		// Most strings are short, plain and in the buffer as a whole.
		if n := int(r.buf[r.pos]); n < len14 && n < r.end-r.pos {
			r.pos += 1 + n
			return nil
		}
	}
	var h stringHead
	for need := 1; need != 0; {
		if err := r.need(need, what); err != nil {
			return err
		}
		var err error
		if h, need, err = parseStringHead(r.buf[r.pos:r.end]); err != nil {
			return corruptAt(r.offset(), what+" length", err)
		}
	}
	if err := h.check(limitOr(r.opts.StringBytesMax)); err != nil {
		return corruptAt(r.offset(), what+" length", err)
	}
	behind := r.offset() + int64(h.size)
	if left := r.opts.Size - behind; r.opts.Size > 0 && int64(h.body) > left {
		return corruptAt(r.offset(), what+" length",
			fmt.Errorf("%w: it says %d bytes, and %d are left of the file", ErrTruncated, h.body, left))
	}
	return r.skip(uint64(h.size)+h.body, what)
}
