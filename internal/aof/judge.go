package aof

import (
	"bytes"
	"io"
)

// sector is what a disk writes whole.
const sector = 512

// Judge says what a break means: that the file is torn there, by a *TornError, or that it
// is damaged, by a *DamagedError. rest is the file from the break's offset on, and is read
// to its end; an error of its own is returned.
func (b *Break) Judge(rest io.Reader) error {
	s := NewScanner(rest, b.seq, b.Offset, b.size)
	torn, err := b.looksTorn(s)
	if err != nil {
		return err
	}
	behind, err := s.laterBatches()
	if err != nil {
		return err
	}
	reason := b.Reason
	if reason == "" {
		reason = "a length leads past what is there"
	}
	switch {
	case !torn:
	case max(b.synced, behind.synced) > b.Offset:
		reason += ", where everything was synced"
	case b.kind == foreign && b.Reason == "" && (behind.batches > 0 || behind.commands > 0):
		reason = "a length leads past other commands"
	default:
		return &TornError{Good: b.Offset, Size: b.size}
	}
	return &DamagedError{Offset: b.Offset, Reason: reason, Behind: behind.batches > 0 || behind.commands > 0}
}

// looksTorn says whether the break looks as a crash leaves it: something is missing, or
// some of it never came to the disk and is zeros.
func (b *Break) looksTorn(s *Scanner) (bool, error) {
	switch b.kind {
	case within:
		return false, nil
	case badBatch:
		if b.behind > b.size {
			return true, nil
		}
		return s.hasHole(int(b.behind - b.Offset))
	case badHead:
		if b.Reason == "" {
			return true, nil
		}
		return s.hasHole(headSize)
	}
	if b.Reason == "" {
		return true, nil
	}
	// A batch whose first sector is missing looks like no batch at all.
	if _, err := s.fill(sector); err != nil {
		return false, err
	}
	first := s.buf[s.from:]
	return isZero(first[:min(len(first), sector-int(b.Offset%sector))]), nil
}

// hasHole says whether a sector, or what the next n bytes have of it, is all zeros.
func (s *Scanner) hasHole(n int) (bool, error) {
	if _, err := s.fill(n); err != nil {
		return false, err
	}
	b := s.buf[s.from:]
	b = b[:min(n, len(b))]
	for at := s.offset; len(b) > 0; {
		k := min(len(b), int(sector-at%sector))
		if isZero(b[:k]) {
			return true, nil
		}
		b, at = b[k:], at+int64(k)
	}
	return false, nil
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// later is what is found behind a break.
type later struct {
	batches  int   // that hold
	commands int   // that are whole, outside of batches
	synced   int64 // the highest offset that they say was
}

// laterBatches looks for what makes sense behind the scanner's offset, to the file's end.
// It skips what a first line that can be believed says to be one batch, so it looks at
// each byte about once.
func (s *Scanner) laterBatches() (found later, err error) {
	for {
		if ok, err := s.fill(2); err != nil || !ok {
			return found, err
		}
		s.skip(1)
		ahead := s.buf[s.from:]
		at := bytes.IndexAny(ahead, "#*")
		if at < 0 {
			s.skip(len(ahead) - 1) // the loop steps over the last one
			continue
		}
		s.skip(at)
		if s.buf[s.from] == '*' {
			if found.commands == 0 && s.isCommand() {
				found.commands++
			}
			continue
		}
		if err := s.laterBatch(&found); err != nil {
			return found, err
		}
	}
}

// laterBatch looks at a # and, if a batch begins there, goes to its last byte.
func (s *Scanner) laterBatch(found *later) error {
	n, ok, err := s.holds()
	if err != nil || n == 0 {
		return err
	}
	if ok {
		batch := s.buf[s.from+headSize : s.from+n]
		found.batches++
		inner := NewScanner(bytes.NewReader(batch), s.seq, 0, int64(len(batch)))
		for ; len(batch) > 0 && batch[0] == '#'; batch = inner.buf[inner.from:] {
			k, err := inner.annotation()
			if err != nil {
				break
			}
			inner.skip(k)
		}
		found.synced = max(found.synced, inner.Synced)
	}
	s.skip(n - 1)
	return nil
}

// Resume goes on behind a break, where there is something again that makes sense: a batch
// that holds or, if the break is in none, a command. At the end of the file it returns
// io.EOF. Nobody knows what was in between, so this is for who saves what can be saved.
func (s *Scanner) Resume(b *Break) error {
	s.end = s.offset
	known := b.kind == badBatch && b.behind <= b.size
	for {
		if ok, err := s.fill(2); err != nil || !ok {
			return orEOF(err)
		}
		s.skip(1)
		ahead := s.buf[s.from:]
		at := bytes.IndexAny(ahead, "#*")
		if at < 0 {
			s.skip(len(ahead) - 1)
			continue
		}
		s.skip(at)
		if s.end = s.offset; known && s.offset < b.behind {
			continue
		}
		if s.buf[s.from] == '*' {
			if b.kind == foreign && s.isCommand() {
				return nil
			}
			continue
		}
		if _, ok, err := s.holds(); ok || err != nil {
			return err
		}
	}
}

// holds says whether a batch begins at the scanner's place of which the sum holds, and how
// long it would be if its first line can be believed.
func (s *Scanner) holds() (n int, ok bool, err error) {
	if ok, err := s.fill(headSize); err != nil || !ok {
		return 0, false, err
	}
	h, ok := parseHead(s.buf[s.from : s.from+headSize])
	if !ok || s.offset+int64(headSize)+h.length > s.size {
		return 0, false, nil
	}
	n = headSize + int(h.length)
	if ok, err := s.fill(n); err != nil || !ok {
		return 0, false, err
	}
	return n, sumOf(s.buf[s.from+headSize:s.from+n], s.seq, s.offset) == h.sum, nil
}

// isCommand says whether a whole command begins at the scanner's offset, with a word for
// a name, and ends where the next one may begin.
func (s *Scanner) isCommand() bool {
	inner := &Scanner{r: s.r, seq: s.seq, size: s.size, offset: s.offset, buf: s.buf, from: s.from, eof: s.eof}
	n, err := inner.command()
	ends := err == nil && isWord(inner.Args[0])
	if ends {
		if more, _ := inner.fill(n + 1); more {
			next := inner.buf[inner.from+n]
			ends = next == '*' || next == '#'
		}
	}
	s.buf, s.from, s.eof = inner.buf, inner.from, inner.eof // it may have read more
	return ends
}

func isWord(name []byte) bool {
	for _, c := range name {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return len(name) > 0
}
