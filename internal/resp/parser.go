package resp

import (
	"bytes"

	"github.com/spineldb/spinel/internal/numtext"
)

// Bounds of a request, Redis's own.
const (
	inlineMax     = 64 << 10 // bytes of an inline command, or of a line with a count
	argsMax       = 1<<31 - 1
	anonArgsMax   = 10       // arguments before authentication
	anonBulkMax   = 16 << 10 // bytes of one of them
	bigBulk       = 32 << 10 // arguments from here on get a buffer of their own size
	argsAtOnceMax = 1 << 10  // spans reserved for arguments that have not arrived
)

// Protocol errors. The connection is closed after one.
var (
	errBadCount    = protocolError("invalid multibulk length")
	errLongCount   = protocolError("too big mbulk count string")
	errBadLength   = protocolError("invalid bulk length")
	errLongLength  = protocolError("too big bulk count string")
	errLongInline  = protocolError("too big inline request")
	errInline      = protocolError("expected '*'")
	errQuotes      = protocolError("unbalanced quotes in request")
	errAnonCount   = protocolError("unauthenticated multibulk length")
	errAnonLength  = protocolError("unauthenticated bulk length")
	errMissingCRLF = protocolError("invalid CRLF in request")
)

func protocolError(what string) *Error { return &Error{"ERR", "Protocol error: " + what} }

// Limits are what a parser refuses to read beyond.
type Limits struct {
	Bulk int64 // proto-max-bulk-len: bytes of one argument
	Anon bool  // the connection must authenticate first, so little is read from it

	NoInline bool // commands are arrays; an empty line is none
}

// A span is where an argument lies, counted from the first byte of its command.
type span struct{ from, to int }

// A Parser finds commands in the bytes of one connection.
//
// # A command cut in two
//
// When the bytes end inside a command, the parser remembers how far it came. The
// caller keeps the command's bytes and calls Parse again with the same bytes and
// more behind them; nothing is read twice, so a command that arrives byte by byte
// costs no more than one that arrives whole.
//
//	*3\r\n $3\r\n SET\r\n $1\r\n k\r\n $50\r\n xxxxxxx|
//	                          spans: SET k   bulk=50 ^ pos
type Parser struct {
	// Split cuts an inline command into words, undoing quotes.
	Split func(line []byte) ([][]byte, error)

	pos    int    // bytes of the command understood so far
	left   int    // arguments still to come
	bulk   int    // length of the argument under way, plus one; 0 if not known
	begun  bool   // the count was read
	spans  []span // arguments already read
	inline bool
}

// Reset forgets a command under way.
func (p *Parser) Reset() { *p = Parser{Split: p.Split} }

// Midway says whether part of a command has been read.
func (p *Parser) Midway() bool { return p.begun || p.pos > 0 }

// Wants is the number of bytes, counted from the first byte of the command under
// way, that must be there before Parse can get any further, if a big argument is
// being waited for; otherwise 0.
func (p *Parser) Wants() int {
	if p.bulk > bigBulk {
		return p.pos + p.bulk - 1 + 2
	}
	return 0
}

// Parse reads one command at the beginning of buf and appends its arguments to
// args, as slices of buf. It returns the bytes used, or 0 if the command is not
// complete. A command of no arguments (an empty line, *0) is complete and empty.
//
// After an error the stream cannot be understood any more.
func (p *Parser) Parse(buf []byte, args [][]byte, lim *Limits) ([][]byte, int, error) {
	if !p.begun {
		if len(buf) == 0 {
			return args, 0, nil
		}
		if buf[0] != '*' {
			if lim.NoInline && buf[0] != '\n' {
				return args, 0, errInline
			}
			return p.parseInline(buf, args, lim)
		}
		more, err := p.readCount(buf, lim)
		if more || err != nil {
			return args, 0, err
		}
		if p.left == 0 {
			n := p.pos
			p.done()
			return args, n, nil
		}
	}
	if len(p.spans) > 0 {
		return p.resume(buf, args, lim)
	}
	first := len(args)
	pos, left, bulk := p.pos, p.left, p.bulk
	for left > 0 {
		if bulk == 0 {
			n, next, err := readLength(buf, pos, lim)
			if err != nil {
				return args[:first], 0, err
			}
			if next == 0 {
				break
			}
			pos, bulk = next, n+1
		}
		end := pos + bulk - 1
		if len(buf) < end+2 {
			break
		}
		if buf[end] != '\r' || buf[end+1] != '\n' {
			return args[:first], 0, errMissingCRLF
		}
		args = append(args, buf[pos:end])
		pos, bulk = end+2, 0
		left--
	}
	if left > 0 {
		p.keep(buf, args[first:], pos, left, bulk)
		return args[:first], 0, nil
	}
	p.done()
	return args, pos, nil
}

// resume goes on with a command of which some arguments were read before. Until it is
// complete those are not looked at again, or a command of many arguments that arrives in
// many pieces would cost their product.
func (p *Parser) resume(buf []byte, args [][]byte, lim *Limits) ([][]byte, int, error) {
	for p.left > 0 {
		if p.bulk == 0 {
			n, next, err := readLength(buf, p.pos, lim)
			if err != nil || next == 0 {
				return args, 0, err
			}
			p.pos, p.bulk = next, n+1
		}
		end := p.pos + p.bulk - 1
		if len(buf) < end+2 {
			return args, 0, nil
		}
		if buf[end] != '\r' || buf[end+1] != '\n' {
			return args, 0, errMissingCRLF
		}
		p.spans = append(p.spans, span{p.pos, end})
		p.pos, p.bulk = end+2, 0
		p.left--
	}
	for _, s := range p.spans {
		args = append(args, buf[s.from:s.to])
	}
	n := p.pos
	p.done()
	return args, n, nil
}

// done is ready for the next command.
func (p *Parser) done() {
	p.pos, p.left, p.bulk, p.begun = 0, 0, 0, false
	if cap(p.spans) > 64 {
		p.spans = nil
	} else {
		p.spans = p.spans[:0]
	}
}

// keep remembers where the arguments lie, for the next call. A slice of buf tells
// its own offset by the capacity that is left behind its first byte.
func (p *Parser) keep(buf []byte, args [][]byte, pos, left, bulk int) {
	if p.spans == nil {
		p.spans = make([]span, 0, min(len(args)+left, argsAtOnceMax))
	}
	for _, a := range args {
		from := cap(buf) - cap(a)
		p.spans = append(p.spans, span{from, from + len(a)})
	}
	p.pos, p.left, p.bulk = pos, left, bulk
}

// readCount reads "*N\r\n". More is true if the line is not there yet.
func (p *Parser) readCount(buf []byte, lim *Limits) (more bool, err error) {
	if len(buf) >= 4 && buf[2] == '\r' && buf[3] == '\n' && buf[1] >= '1' && buf[1] <= '9' {
		p.left, p.pos, p.begun = int(buf[1]-'0'), 4, true
		return false, nil
	}
	n, next, ok := readNumber(buf, 1)
	if next == 0 {
		if len(buf) > inlineMax {
			return false, errLongCount
		}
		return true, nil
	}
	switch {
	case !ok || n > argsMax:
		return false, errBadCount
	case lim.Anon && n > anonArgsMax:
		return false, errAnonCount
	}
	p.left, p.pos, p.begun = int(max(n, 0)), next, true
	return false, nil
}

// readLength reads "$N\r\n" at pos. next is 0 if the line is not there yet.
func readLength(buf []byte, pos int, lim *Limits) (n, next int, err error) {
	if len(buf) <= pos {
		return 0, 0, nil
	}
	if buf[pos] != '$' {
		return 0, 0, protocolError("expected '$', got '" + printable(buf[pos]) + "'")
	}
	if len(buf) >= pos+5 { // one and two digits are nearly all there is
		d := buf[pos+1] - '0'
		if d <= 9 && buf[pos+2] == '\r' && buf[pos+3] == '\n' {
			return int(d), pos + 4, nil
		}
		e := buf[pos+2] - '0'
		if d <= 9 && d > 0 && e <= 9 && buf[pos+3] == '\r' && buf[pos+4] == '\n' {
			return int(d)*10 + int(e), pos + 5, nil
		}
	}
	v, next, ok := readNumber(buf, pos+1)
	if next == 0 {
		if len(buf)-pos > inlineMax {
			return 0, 0, errLongLength
		}
		return 0, 0, nil
	}
	switch {
	case !ok || v < 0 || v > lim.Bulk:
		return 0, 0, errBadLength
	case lim.Anon && v > anonBulkMax:
		return 0, 0, errAnonLength
	}
	return int(v), next, nil
}

// readNumber reads digits up to a line end. next is 0 if no line end is there.
func readNumber(buf []byte, pos int) (n int64, next int, ok bool) {
	i := bytes.IndexByte(buf[pos:], '\r')
	if i < 0 || pos+i+1 >= len(buf) {
		return 0, 0, false
	}
	if buf[pos+i+1] != '\n' {
		return 0, pos + i + 2, false
	}
	n, ok = numtext.ParseInt(buf[pos : pos+i])
	return n, pos + i + 2, ok
}

func printable(c byte) string {
	if c < ' ' || c > '~' {
		c = '?'
	}
	return string(rune(c))
}

// parseInline reads a line of words.
func (p *Parser) parseInline(buf []byte, args [][]byte, lim *Limits) ([][]byte, int, error) {
	i := bytes.IndexByte(buf[p.pos:], '\n')
	if i < 0 {
		if len(buf) > inlineMax {
			return args, 0, errLongInline
		}
		p.pos = len(buf)
		p.inline = true
		return args, 0, nil
	}
	end := p.pos + i
	p.pos, p.inline = 0, false
	line := buf[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	if len(line) > inlineMax {
		return args, 0, errLongInline
	}
	words, err := p.Split(line)
	if err != nil {
		return args, 0, errQuotes
	}
	if lim.Anon && len(words) > anonArgsMax {
		return args, 0, errAnonCount
	}
	return append(args, words...), end + 1, nil
}
