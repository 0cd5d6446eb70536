package aof

import "bytes"

// # Blocks
//
// Whoever executes commands parses them himself. He is given runs of them as they lie in
// the file, of which the form was checked, without looking closer than that takes.

// blockSize is about how much a block has at most, unless one command is larger.
const blockSize = 128 << 10

// A transaction tells which of the commands read so far are in one that has not ended.
type transaction struct {
	isOpen bool
	start  int64 // of its MULTI in the file
}

// see looks at a command of a single word, between two offsets of the file.
func (t *transaction) see(word []byte, from int64) {
	switch {
	case !t.isOpen:
		if bytes.EqualFold(word, wordMulti) {
			t.isOpen, t.start = true, from
		}
	case bytes.EqualFold(word, wordExec), bytes.EqualFold(word, wordDiscard):
		t.isOpen = false
	}
}

var wordMulti, wordExec, wordDiscard = []byte("MULTI"), []byte("EXEC"), []byte("DISCARD")

// Block reads some commands: their bytes, valid until the next call, and how many of these
// are not in a transaction that is still open. Errors are those of Next. All commands are
// either in one batch or in none.
func (s *Scanner) Block() (raw []byte, closed int, err error) {
	if s.from == len(s.buf) && cap(s.buf) > bufferKept {
		s.buf, s.from = nil, 0
	}
	if err := s.toCommand(); err != nil {
		return nil, 0, err
	}
	b := s.buf[s.from:]
	if s.offset < s.end {
		b = b[:min(int64(len(b)), s.end-s.offset)]
	}
	n := 0
	for n < blockSize {
		k, word := quick(b[n:])
		if k == 0 {
			break
		}
		if word != nil {
			s.tx.see(word, s.offset+int64(n))
		}
		n += k
	}
	if n == 0 { // the command is not all there, or its form is unusual, or wrong
		if n, err = s.command(); err != nil {
			return nil, 0, s.broken(err)
		}
		if len(s.Args) == 1 {
			s.tx.see(s.Args[0], s.offset)
		}
	}
	raw, closed = s.buf[s.from:s.from+n], n
	if s.tx.isOpen {
		closed = int(max(s.tx.start-s.offset, 0))
	}
	s.skip(n)
	return raw, closed, nil
}

// quick finds the end of a command at the beginning of b, if it is all there and its form
// is as everybody writes it. word is its name, if that is all of it.
func quick(b []byte) (n int, word []byte) {
	count, n := quickNumber(b, 0, '*')
	if count < 1 {
		return 0, nil
	}
	first := 0
	for i := range count {
		length, next := quickNumber(b, n, '$')
		if next == 0 || len(b)-next < length+2 {
			return 0, nil
		}
		if n = next + length + 2; b[n-2] != '\r' || b[n-1] != '\n' {
			return 0, nil
		}
		if i == 0 {
			first = next
		}
	}
	if count == 1 {
		word = b[first : n-2]
	}
	return n, word
}

// quickNumber reads a line of a letter and a number. next is 0 if there is none.
func quickNumber(b []byte, at int, letter byte) (value, next int) {
	if len(b)-at < 4 || b[at] != letter {
		return 0, 0
	}
	at++
	d := b[at] - '0'
	if d > 9 || d == 0 && b[at+1] != '\r' {
		return 0, 0
	}
	value = int(d)
	for at++; at+1 < len(b); at++ {
		if d = b[at] - '0'; d > 9 {
			if b[at] != '\r' || b[at+1] != '\n' {
				return 0, 0
			}
			return value, at + 2
		}
		if value = value*10 + int(d); value > quickMax {
			return 0, 0
		}
	}
	return 0, 0
}

// quickMax keeps sums of lengths far from what an int holds.
const quickMax = 1 << 29
