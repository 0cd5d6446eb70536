package aof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A Scanner reads a file of commands, one by one. It believes nothing: memory grows with
// what is read, not with what a length promises, and no command of a batch comes out
// before the sum of the whole batch was seen to hold.
type Scanner struct {
	Args   [][]byte // of the last command, valid until the next call
	Unix   int64    // of the last #TS line, in seconds; 0 before
	Synced int64    // of the last #SY line: everything before was synced
	Before int64    // of a #PV line: the size of the file that this one goes on behind
	Lines  int64    // that Next has read, those of lengths and arguments each

	// OnTime, if set, is told of every #TS line, and from where on the file would have to be
	// cut to be without it.
	OnTime func(unix, offset int64)

	r    io.Reader
	seq  int64
	size int64

	buf    []byte // buf[from:] is what was read and not yet scanned
	from   int
	offset int64 // of buf[from] in the file
	eof    bool
	batch  int64 // where the batch begins that offset is in,
	end    int64 // and ends
	spans  []span
	tx     transaction // of the blocks
}

type span struct{ from, to int }

// NewScanner reads the file with a number, from offset on; size is that of the file.
func NewScanner(r io.Reader, seq, offset, size int64) *Scanner {
	return &Scanner{r: r, seq: seq, size: size, offset: offset}
}

// Offset is behind the last command.
func (s *Scanner) Offset() int64 { return s.offset }

// A Break is where a file stops making sense. Judge says what it means.
type Break struct {
	Offset int64  // of the batch or, outside of batches, the command
	Reason string // empty if there is just too little

	kind   breakKind
	behind int64 // where the batch would end, if its length is known
	synced int64 // everything before was, as far as has been read
	seq    int64
	size   int64
}

type breakKind uint8

const (
	badBatch breakKind = iota // its length is known
	badHead                   // a batch of which the first line is not what was written
	foreign                   // a command that is in no batch
	within                    // in a batch whose sum holds
)

func (b *Break) Error() string {
	if b.Reason == "" {
		return fmt.Sprintf("aof: byte %d: unexpected end", b.Offset)
	}
	return fmt.Sprintf("aof: byte %d: %s", b.Offset, b.Reason)
}

// scanStep is how much is read at a time.
const scanStep = 1 << 16

// fill reads until n bytes are there behind from, or the file ends.
func (s *Scanner) fill(n int) (ok bool, err error) {
	for len(s.buf)-s.from < n && !s.eof {
		if s.from > 0 && s.from >= len(s.buf)/2 {
			s.buf = s.buf[:copy(s.buf, s.buf[s.from:])]
			s.from = 0
		}
		at := len(s.buf)
		left := max(s.size-s.offset-int64(at-s.from), 0)
		step := int(min(scanStep, left+1)) // one more, to see the end
		if cap(s.buf)-at < step {
			s.buf = append(make([]byte, 0, max(2*cap(s.buf), at+step)), s.buf...)
		}
		k, err := s.r.Read(s.buf[at : at+step])
		s.buf = s.buf[:at+k]
		switch {
		case err == io.EOF:
			s.eof = true
		case err != nil:
			return false, err
		}
	}
	return len(s.buf)-s.from >= n, nil
}

// errShort says that the file ends, or its batch, within a command.
var errShort = errors.New("")

// Next reads a command. At the end of the file it returns io.EOF, where it makes no sense a
// *Break, and otherwise the reader's error.
func (s *Scanner) Next() error {
	if err := s.toCommand(); err != nil {
		return err
	}
	n, err := s.command()
	if err != nil {
		return s.broken(err)
	}
	s.skip(n)
	s.Lines += 1 + 2*int64(len(s.Args))
	return nil
}

// toCommand goes to the next command, past annotations. A batch that begins before it was
// seen to hold.
func (s *Scanner) toCommand() error {
	for {
		if s.offset == s.end { // or between commands that are in no batch
			if err := s.begin(); err != nil {
				return err
			}
		}
		if ok, err := s.fill(1); err != nil || !ok {
			return orEOF(err)
		}
		if s.buf[s.from] != '#' {
			return nil
		}
		if s.offset >= s.end && s.startsBatch() {
			s.end = s.offset // a batch behind commands of Redis
			continue
		}
		n, err := s.annotation()
		if err != nil {
			return s.broken(err)
		}
		s.skip(n)
	}
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// begin reads the first line of a batch and checks the batch, if one begins here.
func (s *Scanner) begin() error {
	ok, err := s.fill(headSize)
	if err != nil {
		return err
	}
	if !s.startsBatch() {
		if !ok && s.partOfHead() {
			return s.at(&Break{kind: badHead})
		}
		return nil
	}
	if !ok {
		return s.at(&Break{kind: badHead})
	}
	h, ok := parseHead(s.buf[s.from : s.from+headSize])
	if !ok {
		return s.at(&Break{kind: badHead, Reason: "the first line of a batch is not what was written"})
	}
	behind := s.offset + int64(headSize) + h.length
	if behind > s.size {
		return s.at(&Break{kind: badBatch, behind: behind})
	}
	n := headSize + int(h.length)
	if ok, err = s.fill(n); err != nil {
		return err
	}
	if !ok {
		return s.at(&Break{kind: badBatch, behind: behind})
	}
	if sumOf(s.buf[s.from+headSize:s.from+n], s.seq, s.offset) != h.sum {
		return s.at(&Break{kind: badBatch, behind: behind, Reason: "the sum of a batch does not hold"})
	}
	s.batch, s.end = s.offset, behind
	s.skip(headSize)
	s.Lines++
	return nil
}

// startsBatch says whether a batch begins here, or what a crash left of its first line: a
// part of the mark, and zeros.
func (s *Scanner) startsBatch() bool {
	rest := s.buf[s.from:]
	for i := range min(len(rest), len(headMark)) {
		if c := rest[i]; c != headMark[i] {
			return i > 0 && c == 0
		}
	}
	return len(rest) >= len(headMark)
}

// partOfHead says whether the file ends within the mark of a batch.
func (s *Scanner) partOfHead() bool {
	rest := s.buf[s.from:]
	return len(rest) > 0 && len(rest) < len(headMark) && bytes.HasPrefix([]byte(headMark), rest)
}

// at completes a break at the scanner's place.
func (s *Scanner) at(b *Break) *Break {
	b.Offset, b.synced, b.seq, b.size = s.offset, s.Synced, s.seq, s.size
	return b
}

// A formError is a reason why something is no command.
type formError string

func (e formError) Error() string { return string(e) }

func (s *Scanner) broken(err error) error {
	var form formError
	if err != errShort && !errors.As(err, &form) {
		return err
	}
	b := &Break{kind: foreign, Reason: string(form)}
	if s.offset < s.end {
		b.kind = within
	}
	return s.at(b)
}

func (s *Scanner) skip(n int) {
	s.from += n
	s.offset += int64(n)
}

// want makes sure that n bytes of the item are there, within its batch.
func (s *Scanner) want(n int) error {
	if s.offset < s.end && s.offset+int64(n) > s.end {
		return errShort
	}
	ok, err := s.fill(n)
	if err == nil && !ok {
		err = errShort
	}
	return err
}

// lineMaxBytes is more than any line of a number takes.
const lineMaxBytes = 1 << 10

// line finds the line at distance d from the beginning of the item.
func (s *Scanner) line(d int) (text []byte, next int, err error) {
	for n := 32; ; n *= 2 {
		short := s.want(d + n)
		if short != nil && short != errShort {
			return nil, 0, short
		}
		rest := s.buf[s.from+d:]
		if s.offset < s.end {
			rest = rest[:min(int64(len(rest)), s.end-s.offset-int64(d))]
		}
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			if i == 0 || rest[i-1] != '\r' {
				return nil, 0, formError("a line does not end with CR and LF")
			}
			return rest[:i-1], d + i + 1, nil
		}
		if short != nil {
			return nil, 0, short
		}
		if n > lineMaxBytes {
			return nil, 0, formError("a line is too long")
		}
	}
}

// itemStart is where the file can be cut before the item at the scanner's place.
func (s *Scanner) itemStart() int64 {
	if s.offset < s.end {
		return s.batch
	}
	return s.offset
}

// annotation reads a line that begins with a #. Those that nobody knows say nothing.
func (s *Scanner) annotation() (n int, err error) {
	text, n, err := s.line(0)
	if err != nil {
		return 0, err
	}
	if bytes.ContainsFunc(text, func(c rune) bool { return c < ' ' }) {
		return 0, formError("an annotation that is no text")
	}
	for _, known := range []struct {
		mark string
		to   *int64
	}{{"#TS:", &s.Unix}, {"#SY:", &s.Synced}, {"#PV:", &s.Before}} {
		if rest, ok := bytes.CutPrefix(text, []byte(known.mark)); ok {
			v, err := strconv.ParseInt(string(rest), 10, 64)
			if err != nil {
				return 0, formError("an annotation without its number")
			}
			*known.to = v
			if known.to == &s.Unix && s.OnTime != nil {
				s.OnTime(v, s.itemStart())
			}
		}
	}
	s.Lines++
	return n, nil
}

// command reads a command and cuts it into Args.
func (s *Scanner) command() (n int, err error) {
	count, n, err := s.number(0, '*')
	if err != nil {
		return 0, err
	}
	if count < 1 {
		return 0, formError("a command of no words")
	}
	if count > (s.size-s.offset)/5 { // each takes a $, a digit, and twice CR and LF but once
		return 0, errShort
	}
	s.spans = s.spans[:0]
	for range count {
		length, next, err := s.number(n, '$')
		if err != nil {
			return 0, err
		}
		if length < 0 {
			return 0, formError("a length below zero")
		}
		if length > s.size-s.offset {
			return 0, errShort
		}
		end := next + int(length)
		if err := s.want(end + 2); err != nil {
			return 0, err
		}
		if s.buf[s.from+end] != '\r' || s.buf[s.from+end+1] != '\n' {
			return 0, formError("an argument does not end where its length says")
		}
		s.spans = append(s.spans, span{next, end})
		n = end + 2
	}
	s.Args = s.Args[:0]
	for _, sp := range s.spans {
		s.Args = append(s.Args, s.buf[s.from+sp.from:s.from+sp.to:s.from+sp.to])
	}
	return n, nil
}

// number reads a line of a letter and a number at distance d.
func (s *Scanner) number(d int, letter byte) (value int64, next int, err error) {
	if err := s.want(d + 1); err != nil {
		return 0, 0, err
	}
	if s.buf[s.from+d] != letter {
		return 0, 0, formError("expected " + string(letter))
	}
	text, next, err := s.line(d)
	if err != nil {
		return 0, 0, err
	}
	value, err = strconv.ParseInt(string(text[1:]), 10, 64)
	if err != nil {
		return 0, 0, formError("a length that is no number")
	}
	return value, next, nil
}
