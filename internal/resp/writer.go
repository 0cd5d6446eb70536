package resp

import (
	"math"
	"strconv"

	"github.com/spineldb/spinel/internal/numtext"
)

// BufferSize is the size of the buffers that replies are written into. A
// pipeline of 64 short replies fits in one; an idle connection owns none.
const BufferSize = 16 << 10

// bufferRoom is what a short reply (a header, an integer, an error) needs at most
// beside its text.
const bufferRoom = 48

// A Pool lends reply buffers. It belongs to one event loop and is not safe for
// concurrent use. It keeps at most poolMax free buffers; more are left to the
// garbage collector.
type Pool struct {
	free [][]byte
}

const poolMax = 256

// Get returns an empty buffer of capacity BufferSize.
func (p *Pool) Get() []byte {
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return make([]byte, 0, BufferSize)
}

// Put takes a buffer back. Only buffers that Get made are kept.
func (p *Pool) Put(b []byte) {
	if cap(b) == BufferSize && len(p.free) < poolMax {
		p.free = append(p.free, b[:0])
	}
}

// Trim gives all free buffers but keep to the garbage collector.
func (p *Pool) Trim(keep int) {
	if len(p.free) > keep {
		clear(p.free[keep:])
		p.free = p.free[:keep]
	}
}

// A Chunk is a run of reply bytes on its way out. Whoever took it from a Writer
// calls Free once the kernel has the bytes.
type Chunk struct {
	Bytes   []byte
	release func() // for bytes that belong to somebody else, as a pinned value
}

// Free gives the bytes back: to pool, or to whoever lent them.
func (c *Chunk) Free(pool *Pool) {
	if c.release != nil {
		c.release()
	} else if pool != nil {
		pool.Put(c.Bytes)
	}
	*c = Chunk{}
}

// A Writer collects the replies of one connection, in the protocol that it speaks.
//
// Replies are appended to a buffer lent by the loop's pool. A full buffer is
// sealed and a new one begun, so bytes are never moved; values too big to copy
// are put in between as chunks of their own. The event loop takes all that is
// pending with Take, once a turn.
//
// A Writer is not safe for concurrent use.
type Writer struct {
	Resp3 bool // the connection said HELLO 3

	pool   *Pool
	buf    []byte  // the tail, being written
	sealed []Chunk // complete, before buf
	bytes  int     // in sealed
}

// SetPool says where buffers come from. It is called when a connection joins a loop.
func (w *Writer) SetPool(p *Pool) { w.pool = p }

// Len is the number of bytes that wait to be taken.
func (w *Writer) Len() int { return w.bytes + len(w.buf) }

// Take appends everything pending to dst and forgets it.
func (w *Writer) Take(dst []Chunk) []Chunk {
	if len(w.sealed) > 0 {
		dst = append(dst, w.sealed...)
		clear(w.sealed)
		w.sealed = w.sealed[:0]
		w.bytes = 0
		if cap(w.sealed) > 64 {
			w.sealed = nil
		}
	}
	if len(w.buf) > 0 {
		dst = append(dst, Chunk{Bytes: w.buf})
		w.buf = nil
	}
	return dst
}

// Discard drops everything pending, as when the connection is closed.
func (w *Writer) Discard() {
	for i := range w.sealed {
		w.sealed[i].Free(w.pool)
	}
	w.sealed, w.bytes = nil, 0
	if w.buf != nil && w.pool != nil {
		w.pool.Put(w.buf)
	}
	w.buf = nil
}

// A Mark is a place in the stream of replies that Rewind can return to.
type Mark struct{ sealed, buf int }

// Mark returns the place where the next reply will begin.
func (w *Writer) Mark() Mark { return Mark{len(w.sealed), len(w.buf)} }

// Rewind drops what was written since m. Nothing may have been taken in between.
func (w *Writer) Rewind(m Mark) {
	if len(w.sealed) == m.sealed {
		w.buf = w.buf[:m.buf]
		return
	}
	// The buffer that was the tail at m has been sealed since; it becomes the tail again.
	if w.buf != nil && w.pool != nil {
		w.pool.Put(w.buf)
	}
	tail := w.sealed[m.sealed]
	for i := m.sealed + 1; i < len(w.sealed); i++ {
		w.sealed[i].Free(w.pool)
	}
	if tail.release != nil { // at m there was no tail yet
		tail.Free(w.pool)
		w.buf = nil
	} else {
		w.buf = tail.Bytes[:m.buf]
	}
	clear(w.sealed[m.sealed:])
	w.sealed = w.sealed[:m.sealed]
	w.bytes = 0
	for i := range w.sealed {
		w.bytes += len(w.sealed[i].Bytes)
	}
}

// room makes sure that n more bytes can be appended to buf without moving it.
func (w *Writer) room(n int) {
	if cap(w.buf)-len(w.buf) < n {
		w.more(n)
	}
}

func (w *Writer) more(n int) {
	if len(w.buf) > 0 {
		w.seal(Chunk{Bytes: w.buf})
	} else if w.buf != nil && w.pool != nil {
		w.pool.Put(w.buf)
	}
	switch {
	case n > BufferSize:
		w.buf = make([]byte, 0, n)
	case w.pool != nil:
		w.buf = w.pool.Get()
	default:
		w.buf = make([]byte, 0, BufferSize)
	}
}

func (w *Writer) seal(c Chunk) {
	w.sealed = append(w.sealed, c)
	w.bytes += len(c.Bytes)
}

// Raw appends bytes that are protocol already.
func (w *Writer) Raw(b []byte) {
	w.room(len(b))
	w.buf = append(w.buf, b...)
}

// RawLong is Raw for any number of bytes: they are divided among buffers of the pool.
func (w *Writer) RawLong(b []byte) {
	for len(b) > 0 {
		w.room(1)
		n := copy(w.buf[len(w.buf):cap(w.buf)], b)
		w.buf, b = w.buf[:len(w.buf)+n], b[n:]
	}
}

// RawLent is Raw without a copy: see BulkLent.
func (w *Writer) RawLent(b []byte, release func()) {
	if len(w.buf) > 0 {
		w.seal(Chunk{Bytes: w.buf})
		w.buf = nil
	}
	w.seal(Chunk{Bytes: b, release: release})
}

// Simple writes a status reply such as OK. s must not hold CR or LF.
func (w *Writer) Simple(s string) {
	w.room(len(s) + bufferRoom)
	w.buf = append(w.buf, '+')
	w.buf = append(w.buf, s...)
	w.buf = append(w.buf, '\r', '\n')
}

// OK writes the commonest reply.
func (w *Writer) OK() {
	w.room(bufferRoom)
	w.buf = append(w.buf, "+OK\r\n"...)
}

// Error writes an error reply. An err that is no *Error gets the code ERR. Line
// ends in the text become spaces, so that text made of what a client sent cannot
// forge further replies.
func (w *Writer) Error(err error) {
	var code, text string
	if e, ok := err.(*Error); ok {
		code, text = e.Code, e.Text
	} else {
		code, text = "ERR", err.Error()
	}
	w.room(len(code) + len(text) + bufferRoom)
	w.buf = append(w.buf, '-')
	w.buf = append(w.buf, code...)
	if text != "" {
		w.buf = append(w.buf, ' ')
		from := len(w.buf)
		w.buf = append(w.buf, text...)
		for i, c := range w.buf[from:] {
			if c == '\r' || c == '\n' {
				w.buf[from+i] = ' '
			}
		}
	}
	w.buf = append(w.buf, '\r', '\n')
}

func (w *Writer) header(kind byte, n int) {
	w.room(bufferRoom)
	w.buf = appendHeader(w.buf, kind, n)
}

// Int writes an integer reply.
func (w *Writer) Int(n int64) {
	w.room(bufferRoom)
	w.buf = append(w.buf, ':')
	w.buf = numtext.AppendInt(w.buf, n)
	w.buf = append(w.buf, '\r', '\n')
}

// Bulk writes a string reply of any bytes, copying them.
func (w *Writer) Bulk(b []byte) {
	w.room(len(b) + bufferRoom)
	w.buf = AppendBulk(w.buf, b)
}

// BulkString is Bulk for a string.
func (w *Writer) BulkString(s string) {
	w.room(len(s) + bufferRoom)
	w.buf = AppendBulk(w.buf, s)
}

// BulkInt writes the decimal digits of n as a string reply.
func (w *Writer) BulkInt(n int64) {
	w.room(bufferRoom)
	var digits [20]byte
	w.Bulk(numtext.AppendInt(digits[:0], n))
}

// Element writes an element as collections keep it: a text, or an integer if that is nil.
func (w *Writer) Element(text []byte, n int64) {
	if text == nil {
		w.BulkInt(n)
	} else {
		w.Bulk(text)
	}
}

// BulkLent writes a string reply without copying it. The bytes must stay as they
// are until release is called, which happens on the loop that the connection
// belongs to once the kernel has them. It takes the lock of the bytes' owner, so a
// command that lends may not fail afterwards: Rewind would release under that lock.
func (w *Writer) BulkLent(b []byte, release func()) {
	w.header('$', len(b))
	w.seal(Chunk{Bytes: w.buf})
	w.seal(Chunk{Bytes: b, release: release})
	w.buf = nil
	w.Raw(crlf)
}

var crlf = []byte("\r\n")

// Null writes the absence of a value.
func (w *Writer) Null() {
	w.room(bufferRoom)
	if w.Resp3 {
		w.buf = append(w.buf, "_\r\n"...)
	} else {
		w.buf = append(w.buf, "$-1\r\n"...)
	}
}

// NullArray writes the absence of an array.
func (w *Writer) NullArray() {
	w.room(bufferRoom)
	if w.Resp3 {
		w.buf = append(w.buf, "_\r\n"...)
	} else {
		w.buf = append(w.buf, "*-1\r\n"...)
	}
}

// Array begins an array of n replies.
func (w *Writer) Array(n int) { w.header('*', n) }

// Lines writes an array of status replies, as help comes.
func (w *Writer) Lines(lines []string) {
	w.Array(len(lines))
	for _, line := range lines {
		w.Simple(line)
	}
}

// Map begins n pairs of replies; in RESP2 an array of twice as many.
func (w *Writer) Map(n int) {
	if w.Resp3 {
		w.header('%', n)
	} else {
		w.header('*', 2*n)
	}
}

// Set begins an unordered collection of n replies; in RESP2 an array.
func (w *Writer) Set(n int) {
	if w.Resp3 {
		w.header('~', n)
	} else {
		w.header('*', n)
	}
}

// Push begins an out-of-band message of n elements; in RESP2 an array.
func (w *Writer) Push(n int) {
	if w.Resp3 {
		w.header('>', n)
	} else {
		w.header('*', n)
	}
}

// Attribute begins n pairs that describe the reply after them. RESP2 has no such
// thing, so the caller asks Resp3 before.
func (w *Writer) Attribute(n int) { w.header('|', n) }

// Bool writes true or false; in RESP2 the integers 1 and 0.
func (w *Writer) Bool(b bool) {
	switch {
	case w.Resp3 && b:
		w.Raw([]byte("#t\r\n"))
	case w.Resp3:
		w.Raw([]byte("#f\r\n"))
	default:
		w.OneIf(b)
	}
}

// OneIf writes 1 or 0, which are integers in both protocols: see Bool.
func (w *Writer) OneIf(b bool) {
	if b {
		w.Int(1)
	} else {
		w.Int(0)
	}
}

// Double writes a floating-point number; in RESP2 its text as a string.
func (w *Writer) Double(f float64) {
	var text [64]byte
	digits := numtext.AppendFloat17(text[:0], f)
	if !w.Resp3 {
		w.Bulk(digits)
		return
	}
	if math.IsNaN(f) {
		digits = append(digits[:0], "nan"...)
	}
	w.room(len(digits) + bufferRoom)
	w.buf = append(w.buf, ',')
	w.buf = append(w.buf, digits...)
	w.buf = append(w.buf, '\r', '\n')
}

// BigNumber writes decimal digits of any length; in RESP2 a string.
func (w *Writer) BigNumber(digits string) {
	if !w.Resp3 {
		w.BulkString(digits)
		return
	}
	w.room(len(digits) + bufferRoom)
	w.buf = append(w.buf, '(')
	w.buf = append(w.buf, digits...)
	w.buf = append(w.buf, '\r', '\n')
}

// Verbatim writes text with a three-letter format such as txt; in RESP2 a string.
func (w *Writer) Verbatim(format, text string) {
	if !w.Resp3 {
		w.BulkString(text)
		return
	}
	w.room(len(text) + bufferRoom)
	w.header('=', len(text)+4)
	w.buf = append(w.buf, format...)
	w.buf = append(w.buf, ':')
	w.buf = append(w.buf, text...)
	w.buf = append(w.buf, '\r', '\n')
}

// A Deferred is an aggregate whose length is written when it is known.
type Deferred struct {
	at   Mark
	kind byte
}

// deferredWidth is the most digits of the count of an aggregate begun before its length
// was known.
const deferredWidth = 10

// ArrayLater begins an array whose length End gives.
func (w *Writer) ArrayLater() Deferred { return w.later('*') }

// SetLater begins a set whose length End gives; in RESP2 an array.
func (w *Writer) SetLater() Deferred {
	if w.Resp3 {
		return w.later('~')
	}
	return w.later('*')
}

// MapLater begins a map; End is given the number of pairs.
func (w *Writer) MapLater() Deferred {
	if w.Resp3 {
		return w.later('%')
	}
	return w.later('m')
}

func (w *Writer) later(kind byte) Deferred {
	// The header gets a chunk of its own place: everything before it is sealed, so
	// that End can put it between.
	if len(w.buf) > 0 {
		w.seal(Chunk{Bytes: w.buf})
		w.buf = nil
	}
	d := Deferred{at: w.Mark(), kind: kind}
	w.seal(Chunk{})
	return d
}

// End writes the length of d, n elements (or pairs of a map).
func (w *Writer) End(d Deferred, n int) {
	head := make([]byte, 0, deferredWidth+4)
	kind := d.kind
	if kind == 'm' {
		kind, n = '*', 2*n
	}
	head = append(head, kind)
	head = strconv.AppendInt(head, int64(n), 10)
	head = append(head, '\r', '\n')
	w.sealed[d.at.sealed].Bytes = head
	w.bytes += len(head)
}
