package client

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Limits bound what one reply may cost. The zero value of a field means its
// default: limits can be widened, never forgotten.
type Limits struct {
	Depth     int   // of aggregates in aggregates; default 128
	TextBytes int64 // of one string or line; default 512 MiB, the server's own proto-max-bulk-len
	Elements  int64 // of one reply with everything in it; default 128 Mi, some 8 GiB of memory
}

const (
	depthMax         = 128
	textBytesMax     = 512 << 20
	elementsMax      = 128 << 20
	readBufferBytes  = 16 << 10
	numberBytesMax   = 326       // of a double: a float64 written out in full and then some
	elementsUpFront  = 16        // allocated on the word of the server; more when more has come
	textBytesUpFront = 64 << 10  // likewise
	aggregateTypes   = "*%~>|"   // the types whose header is a count
	textTypes        = "$=!"     // the types whose header is a length
	lineTypes        = "+-:,(#_" // the types that are one line
)

// A ProtocolError means that the server sent what is no reply, or one beyond
// the [Limits]. The connection cannot be used any more: nobody knows where the
// next reply begins.
type ProtocolError struct{ What string }

func (e *ProtocolError) Error() string { return "client: protocol: " + e.What }

func broken(what string) error { return &ProtocolError{What: what} }

// A Reader parses replies.
type Reader struct {
	in     *bufio.Reader
	limits Limits
	left   int64  // elements that this reply may still have
	line   []byte // a line that did not fit the buffer of in
}

// NewReader returns a Reader that reads from in, ahead of what it returns.
func NewReader(in io.Reader, limits Limits) *Reader {
	if limits.Depth <= 0 {
		limits.Depth = depthMax
	}
	if limits.TextBytes <= 0 {
		limits.TextBytes = textBytesMax
	}
	if limits.Elements <= 0 {
		limits.Elements = elementsMax
	}
	return &Reader{in: bufio.NewReaderSize(in, readBufferBytes), limits: limits}
}

// Buffered reports whether the next Read begins with bytes that are here already.
func (r *Reader) Buffered() bool { return r.in.Buffered() > 0 }

// Read returns the next reply or push message, with its attribute. The error is
// io.EOF between replies, io.ErrUnexpectedEOF within one, a *[ProtocolError], or
// that of the underlying reader.
func (r *Reader) Read() (Reply, error) {
	if _, err := r.in.Peek(1); err != nil {
		return Reply{}, err
	}
	r.left = r.limits.Elements
	reply, err := r.value(0)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return reply, err
}

// value reads one value and the attributes before it. Attributes of attributes
// and several in a row are legal and mean nothing to anyone: the last one wins.
func (r *Reader) value(depth int) (Reply, error) {
	reply, err := r.bare(depth)
	for err == nil && reply.Kind == Attribute {
		if r.left--; r.left < 0 {
			return Reply{}, broken("Too many elements in one reply")
		}
		attr := reply
		reply, err = r.bare(depth)
		reply.Attr = &attr
	}
	return reply, err
}

// bare reads one value, and takes an attribute for one.
func (r *Reader) bare(depth int) (Reply, error) {
	line, err := r.readLine()
	if err != nil {
		return Reply{}, err
	}
	if len(line) == 0 {
		return Reply{}, unknownType('\r')
	}
	kind, rest := line[0], line[1:]
	switch {
	case strings.IndexByte(lineTypes, kind) >= 0:
		return lineValue(kind, rest)
	case strings.IndexByte(textTypes, kind) >= 0:
		return r.text(kind, rest)
	case strings.IndexByte(aggregateTypes, kind) >= 0:
		return r.aggregate(kind, rest, depth)
	}
	return Reply{}, unknownType(kind)
}

func unknownType(b byte) error {
	const digits = "0123456789abcdef"
	quoted := string(rune(b))
	switch {
	case b == '\r':
		quoted = `\r`
	case b == '"' || b == '\\':
		quoted = `\` + quoted
	case b < ' ' || b > '~':
		quoted = `\x` + string([]byte{digits[b>>4], digits[b&15]})
	}
	return broken(`Protocol error, got "` + quoted + `" as reply type byte`)
}

// readLine returns the next line without its end. It is valid until the next
// read. A line ends with CR LF; a lone LF belongs to it.
func (r *Reader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if int64(len(r.line)+len(part)) > r.limits.TextBytes {
			return nil, broken("Line too long")
		}
		if len(r.line) == 0 && err == nil && len(part) >= 2 && part[len(part)-2] == '\r' {
			return part[:len(part)-2], nil // the usual case: no copy
		}
		r.line = append(r.line, part...)
		if n := len(r.line); err == nil && n >= 2 && r.line[n-2] == '\r' {
			return r.line[:n-2], nil
		}
	}
}

// lineValue makes the value that is one line.
func lineValue(kind byte, line []byte) (Reply, error) {
	switch kind {
	case '+':
		return Reply{Kind: Simple, Text: string(line)}, nil
	case '-':
		return Reply{Kind: Error, Text: string(line)}, nil
	case ':':
		n, ok := integer(line)
		if !ok {
			return Reply{}, broken("Bad integer value")
		}
		return Reply{Kind: Integer, Int: n}, nil
	case ',':
		if !isDouble(line) {
			return Reply{}, broken("Bad double value")
		}
		return Reply{Kind: Double, Text: string(line)}, nil
	case '(':
		if !isBigNumber(line) {
			return Reply{}, broken("Bad bignum value")
		}
		return Reply{Kind: BigNumber, Text: string(line)}, nil
	case '#':
		switch string(line) {
		case "t", "T":
			return Reply{Kind: Bool, Int: 1}, nil
		case "f", "F":
			return Reply{Kind: Bool}, nil
		}
		return Reply{}, broken("Bad bool value")
	}
	if len(line) != 0 {
		return Reply{}, broken("Bad nil value")
	}
	return Reply{Kind: Null}, nil
}

// integer parses the only form that Redis writes: no plus sign, no blank.
func integer(line []byte) (int64, bool) {
	if len(line) == 0 || len(line) > 20 || line[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(line), 10, 64)
	return n, err == nil
}

// isDouble accepts what a Redis server or its scripts may write: digits, an
// exponent, inf and nan. The forms that only Go knows (hexadecimal, digits
// apart with underscores) are none.
func isDouble(line []byte) bool {
	if len(line) == 0 || len(line) > numberBytesMax {
		return false
	}
	for _, c := range line {
		if c == '_' || c == 'x' || c == 'X' || c == 'p' || c == 'P' {
			return false
		}
	}
	_, err := strconv.ParseFloat(string(line), 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

func isBigNumber(line []byte) bool {
	if len(line) > 0 && (line[0] == '-' || line[0] == '+') {
		line = line[1:]
	}
	for _, c := range line {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(line) > 0
}

// text reads the body of a bulk string, a verbatim string or a blob error.
func (r *Reader) text(kind byte, header []byte) (Reply, error) {
	if string(header) == "?" {
		return Reply{}, broken("Streamed strings are not supported")
	}
	n, ok := integer(header)
	switch {
	case !ok:
		return Reply{}, broken("Bad bulk string length")
	case n == -1 && kind == '$':
		return Reply{Kind: Null}, nil
	case n < 0 || n > r.limits.TextBytes:
		return Reply{}, broken("Bulk string length out of range")
	}
	body, err := r.body(int(n))
	if err != nil {
		return Reply{}, err
	}
	switch kind {
	case '!':
		return Reply{Kind: BlobError, Text: body}, nil
	case '=':
		if len(body) < 4 || body[3] != ':' {
			return Reply{}, broken(
				"Verbatim string 4 bytes of content type are missing or incorrectly encoded.")
		}
		return Reply{Kind: Verbatim, Format: [3]byte([]byte(body[:3])), Text: body[4:]}, nil
	}
	return Reply{Kind: Bulk, Text: body}, nil
}

// body reads n bytes and the line end after them. Memory is taken as the bytes
// arrive, so a length that is a lie costs nothing.
func (r *Reader) body(n int) (string, error) {
	var b strings.Builder
	b.Grow(min(n, textBytesUpFront))
	for b.Len() < n {
		part, err := r.in.Peek(min(n-b.Len(), max(1, r.in.Buffered())))
		if err != nil {
			return "", err
		}
		b.Write(part)
		_, _ = r.in.Discard(len(part)) // cannot fail: Peek has just shown these bytes
	}
	end, err := r.in.Peek(2)
	if err != nil {
		return "", err
	}
	if string(end) != "\r\n" {
		return "", broken("Bulk string does not end where its length says")
	}
	_, _ = r.in.Discard(2)
	return b.String(), nil
}

// aggregate reads the elements of an array, map, set, push or attribute.
func (r *Reader) aggregate(kind byte, header []byte, depth int) (Reply, error) {
	if string(header) == "?" {
		return Reply{}, broken("Streamed aggregates are not supported")
	}
	n, ok := integer(header)
	switch {
	case !ok:
		return Reply{}, broken("Bad multi-bulk length")
	case n == -1 && kind == '*':
		return Reply{Kind: Null}, nil
	case n < 0 || n > r.limits.Elements:
		return Reply{}, broken("Multi-bulk length out of range")
	case depth >= r.limits.Depth:
		return Reply{}, broken("Replies nested too deeply")
	}
	reply := Reply{Kind: aggregateKind(kind)}
	if reply.Kind == Map || reply.Kind == Attribute {
		n *= 2
	}
	if r.left -= n; r.left < 0 {
		return Reply{}, broken("Too many elements in one reply")
	}
	reply.Elems = make([]Reply, 0, min(n, elementsUpFront))
	for range n {
		element, err := r.value(depth + 1)
		if err != nil {
			return Reply{}, err
		}
		reply.Elems = append(reply.Elems, element)
	}
	return reply, nil
}

func aggregateKind(b byte) Kind {
	switch b {
	case '%':
		return Map
	case '~':
		return Set
	case '>':
		return Push
	case '|':
		return Attribute
	}
	return Array
}
