package benchmark

import (
	"bytes"
	"strings"
)

// A skipper counts the replies in the bytes of one connection, RESP2 and RESP3, without
// making values of them.
//
// It needs no stack for replies within replies: what counts is only how many values are
// still to come until the reply is whole, and an array adds its elements to that number.
//
//	*2\r\n  :1\r\n  *1\r\n  +a\r\n
//	1->2    2->1    1->1    1->0     one reply
//
// An attribute is no value itself, but adds its pairs. A push message, which nobody asked
// for, is not counted; nor is the attribute of a whole reply, which stands before it.
//
// The bytes may end anywhere. What is kept of them is a count, and the beginning of a line.
type skipper struct {
	due   int64  // values until the reply is whole; 0: between replies
	body  int64  // bytes of a string, with the line end behind it, still to come
	line  []byte // a line that has begun
	aside bool   // what is under way does not count
}

const (
	lineKeptBytes = 1024    // of a line that came in pieces: enough for any error's text
	lengthMax     = 1 << 40 // of a string or array; beyond the protocol's own limits
	dueMax        = 1 << 50
)

// A serverError is an error reply: it ends the run, for its numbers would mean nothing.
type serverError string

func (e serverError) Error() string { return "Error from server: " + string(e) }

// A protocolError means that the server sent what is no reply.
type protocolError string

func (e protocolError) Error() string { return "Error: Protocol error, " + string(e) }

// skip takes the next bytes and returns how many replies they completed. An error is final.
func (s *skipper) skip(p []byte) (replies int, err error) {
	for len(p) > 0 {
		if s.body > 0 {
			used := int(min(s.body, int64(len(p))))
			if err := s.skipBody(p[:used]); err != nil {
				return replies, err
			}
			p = p[used:]
		} else {
			end := bytes.IndexByte(p, '\n')
			if end < 0 {
				s.keep(p)
				return replies, nil
			}
			line := p[:end]
			if len(s.line) > 0 {
				s.keep(line)
				line, s.line = s.line, s.line[:0]
			}
			if err := s.value(line); err != nil {
				return replies, err
			}
			p = p[end+1:]
		}
		if s.due == 0 && s.body == 0 {
			if !s.aside {
				replies++
			}
		}
	}
	return replies, nil
}

// keep remembers a part of a line. Of a line that is too long only the last byte matters,
// besides its beginning.
func (s *skipper) keep(part []byte) {
	room := lineKeptBytes - len(s.line)
	if len(part) <= room {
		s.line = append(s.line, part...)
		return
	}
	s.line = append(s.line, part[:room]...)
	s.line[lineKeptBytes-1] = part[len(part)-1]
}

// skipBody leaves out bytes of a string. Its last two must be a line end.
func (s *skipper) skipBody(p []byte) error {
	const end = "\r\n"
	before := s.body
	s.body -= int64(len(p))
	if s.body >= int64(len(end)) {
		return nil
	}
	// tail is what p has of the line end.
	tail := p[len(p)-int(min(before, int64(len(end)))-s.body):]
	at := len(end) - int(s.body) - len(tail)
	if string(tail) != end[at:at+len(tail)] {
		return protocolError("a string does not end where its length says")
	}
	return nil
}

// value takes the first line of a value, or all of it.
func (s *skipper) value(line []byte) error {
	if len(line) < 2 || line[len(line)-1] != '\r' {
		return protocolError("a line that is none")
	}
	kind, rest := line[0], line[1:len(line)-1]
	whole := s.due == 0
	if whole {
		s.due = 1
		s.aside = kind == '>' || kind == '|'
	}
	if whole && kind == '-' {
		return serverError(rest)
	}
	switch kind {
	case '+', '-', ':', ',', '(', '#', '_':
		s.due--
		return nil
	case '$', '=', '!', '*', '%', '~', '>', '|':
	default:
		return protocolError("got " + quoted(kind) + " as reply type byte")
	}
	n, ok := length(rest)
	if !ok || n < 0 && kind != '$' && kind != '*' {
		return protocolError("bad length after " + quoted(kind))
	}
	switch {
	case whole && kind == '!':
		return serverError("an error of " + string(rest) + " bytes")
	case n < 0: // nothing, as it is in RESP2
		s.due--
	case kind == '$', kind == '=', kind == '!':
		s.body = n + int64(len("\r\n"))
		s.due--
	case kind == '%', kind == '|' && whole:
		s.due += 2*n - 1
	case kind == '|':
		s.due += 2 * n
	default:
		s.due += n - 1
	}
	if s.due > dueMax {
		return protocolError("too many elements in one reply")
	}
	return nil
}

// length reads the digits of a length or count; -1 is the only negative one.
func length(digits []byte) (int64, bool) {
	if string(digits) == "-1" {
		return -1, true
	}
	var n int64
	for _, c := range digits {
		if n = 10*n + int64(c-'0'); c < '0' || c > '9' || n > lengthMax {
			return 0, false
		}
	}
	return n, len(digits) > 0
}

func quoted(b byte) string {
	if b < ' ' || b > '~' {
		const hex = "0123456789abcdef"
		return `"\x` + string([]byte{hex[b>>4], hex[b&15]}) + `"`
	}
	return strings.Join([]string{`"`, `"`}, string(rune(b)))
}
