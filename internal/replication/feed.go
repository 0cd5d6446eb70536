package replication

import (
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/session"
)

const (
	// feedBytes is how much is written to a replica's session at a time.
	feedBytes = 64 << 10

	// pieceBytes is the size of the pieces that a snapshot is sent in.
	pieceBytes = 64 << 10
)

// Held implements session.Stream: how far the stream is ahead of the replica.
func (r *Replica) Held() int64 {
	if r.cursor == nil {
		return 0
	}
	return r.m.Journal.Appended() - r.cursor.At()
}

// Ready implements session.Stream.
func (r *Replica) Ready() bool {
	switch r.source.Load() {
	case fromStream:
		return r.Held() > 0
	case fromOutbox:
		return r.out.waiting() > 0 || r.out.ended.Load()
	}
	return false
}

// Write implements session.Feed.
func (r *Replica) Write(s *session.Session) {
	switch r.source.Load() {
	case fromStream:
		at := r.cursor.At()
		end := min(r.m.Journal.Appended(), at+feedBytes)
		r.pieces = r.cursor.Pending(r.pieces[:0], end)
		for _, p := range r.pieces {
			s.Out.RawLong(p)
		}
		r.cursor.Advance(end)
	case fromOutbox:
		if r.out.take(s, feedBytes, r.m.Clock.Mono()) {
			r.m.sent(r)
		}
	}
}

// sent goes on when a replica's session has all of the snapshot.
func (m *Master) sent(r *Replica) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.rdbOnly {
		r.state = transmitted
		r.source.Store(held)
		r.s.Closing = session.AfterReply
		m.Log.Info("RDB transfer completed, rdb only replica (" + r.name() + ") should be disconnected asap")
		return
	}
	now := m.Clock.Mono()
	r.state, r.ackAt = online, now
	if r.diskless {
		m.Log.Info("Streamed RDB transfer with replica " + r.name() +
			" succeeded (socket). Waiting for REPLCONF ACK from replica to enable streaming")
		// It has to find the mark that ends the snapshot, which is easier if nothing is behind
		// it: so the stream begins when it has said that it is whole.
		r.source.Store(held)
	} else {
		r.source.Store(fromStream)
	}
	m.Log.Info("Synchronization with replica " + r.name() + " succeeded")
	m.count(now)
}

// An outbox is what waits to be sent to one replica besides the stream. Its lock is the last
// of all.
type outbox struct {
	bytes atomic.Int64
	ended atomic.Bool // nothing more comes

	mu      sync.Mutex
	pieces  []*piece
	takenAt int64           // monotonic: when its loop last took something
	room    chan<- struct{} // is told so, if it is set
	clock   clock.Clock
	gone    bool
}

func (o *outbox) waiting() int64 { return o.bytes.Load() }

// push appends a piece, of which it takes over a reference. It returns false if the replica
// has gone.
func (o *outbox) push(p *piece) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone {
		p.release()
		return false
	}
	if len(o.pieces) == 0 && o.room != nil {
		o.takenAt = o.clock.Mono() // nothing waited until now
	}
	o.pieces = append(o.pieces, p)
	o.bytes.Add(int64(len(p.b)))
	return true
}

// take lends pieces to a session, about as many as n bytes, and says whether that was all
// there will ever be.
func (o *outbox) take(s *session.Session, n int, now int64) (all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pieces) > 0 && n > 0 {
		p := o.pieces[0]
		copy(o.pieces, o.pieces[1:])
		o.pieces = o.pieces[:len(o.pieces)-1]
		o.bytes.Add(-int64(len(p.b)))
		n -= len(p.b)
		s.Out.RawLent(p.b, p.free)
	}
	o.takenAt = now
	if o.room != nil {
		select {
		case o.room <- struct{}{}:
		default: // it knows
		}
	}
	return len(o.pieces) == 0 && o.ended.Load()
}

// drop forgets everything, for ever.
func (o *outbox) drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pieces {
		p.release()
	}
	o.pieces, o.gone = nil, true
	o.bytes.Store(0)
	if o.room != nil {
		select {
		case o.room <- struct{}{}:
		default:
		}
	}
}

// watch has room told whenever something was taken.
func (o *outbox) watch(room chan<- struct{}, c clock.Clock) {
	o.mu.Lock()
	o.room, o.clock, o.takenAt = room, c, c.Mono()
	o.mu.Unlock()
}

// stalledFor is for how long nothing was taken though something waits, in nanoseconds.
func (o *outbox) stalledFor(now int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pieces) == 0 || o.gone {
		return 0
	}
	return now - o.takenAt
}

// A piece is bytes that several replicas are sent.
type piece struct {
	b    []byte
	refs atomic.Int32
	pool *piecePool // where it comes from, or nil
	free func()     // release
}

// textPiece is a piece for one replica.
func textPiece(text string) *piece {
	p := &piece{b: []byte(text)}
	p.free = p.release
	p.refs.Store(1)
	return p
}

// release gives a reference back.
func (p *piece) release() {
	if p.refs.Add(-1) == 0 && p.pool != nil {
		p.pool.put(p)
	}
}

// A piecePool has pieces that are made again and again.
type piecePool struct {
	mu   sync.Mutex
	free []*piece
}

// get is an empty piece with one reference and room for pieceBytes.
func (pp *piecePool) get() (p *piece) {
	pp.mu.Lock()
	if n := len(pp.free); n > 0 {
		p, pp.free = pp.free[n-1], pp.free[:n-1]
	}
	pp.mu.Unlock()
	if p == nil {
		p = &piece{b: make([]byte, 0, pieceBytes), pool: pp}
		p.free = p.release
	}
	p.b = p.b[:0]
	p.refs.Store(1)
	return p
}

func (pp *piecePool) put(p *piece) {
	pp.mu.Lock()
	pp.free = append(pp.free, p)
	pp.mu.Unlock()
}
