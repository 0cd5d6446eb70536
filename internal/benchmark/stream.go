package benchmark

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencyMaxMicros is an hour: whoever waits longer does not read histograms.
const latencyMaxMicros = 3600 * 1e6

// newHistogram keeps microseconds to three significant digits: each of the first two
// thousand by itself.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, latencyMaxMicros, 3) }

// A tally is what one thread has counted. Its own thread writes it, and the progress line
// reads the atomic fields meanwhile.
type tally struct {
	finished  atomic.Int64
	micros    atomic.Int64 // the sum of all latencies
	histogram *hdrhistogram.Histogram
	rng       *rand.PCG
	_         [64]byte // the next thread's tally shares no cache line
}

// A stream is one connection's side of a run, without the connection: what to send next,
// and what the bytes that come mean. The drivers do the rest.
type stream struct {
	load  *load
	tally *tally

	// text is the load's preamble and a whole batch. Without random numbers every stream has
	// the same one.
	text    []byte
	greeted bool // the preamble has gone out on this connection
	greets  int  // its replies that are still to come
	pending int  // replies to the batch that are still to come
	sent    int64
	in      skipper
}

func newStream(l *load, t *tally) stream {
	s := stream{load: l, tally: t, text: l.text}
	if len(l.template.marks) > 0 {
		s.text = append([]byte(nil), l.text...)
	}
	return s
}

// reset makes the stream ready for a new connection.
func (s *stream) reset() {
	s.greeted, s.greets, s.pending, s.in = false, 0, 0, skipper{line: s.in.line[:0]}
}

// next returns the bytes of the next batch, or nil when there is no more to send. They are
// the stream's until its replies are there.
func (s *stream) next(now int64) []byte {
	l := s.load
	n := l.take()
	if n == 0 {
		return nil
	}
	s.pending = n
	batch := s.text[len(l.preamble) : len(l.preamble)+n*len(l.template.text)]
	if len(l.template.marks) > 0 {
		l.template.fill(batch, n, s.tally.rng, l.keyspace)
	}
	if !s.greeted {
		s.greeted, s.greets = true, l.greets
		batch = s.text[:len(l.preamble)+len(batch)]
	}
	s.sent = now
	return batch
}

// received takes bytes from the server, and reports whether they completed the batch.
func (s *stream) received(p []byte, now int64) (complete bool, err error) {
	replies, err := s.in.skip(p)
	if err != nil {
		return false, err
	}
	greets := min(replies, s.greets)
	s.greets -= greets
	replies -= greets
	switch {
	case replies > s.pending:
		return false, protocolError("more replies than requests")
	case replies == 0:
		return false, nil
	}
	s.pending -= replies
	micros := min(max(0, (now-s.sent)/1000), latencyMaxMicros)
	s.tally.finished.Store(s.tally.finished.Load() + int64(replies)) // nobody else writes
	s.tally.micros.Store(s.tally.micros.Load() + micros*int64(replies))
	_ = s.tally.histogram.RecordValues(micros, int64(replies)) // cannot fail: micros is in range
	return s.pending == 0, nil
}
