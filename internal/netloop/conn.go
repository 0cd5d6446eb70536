package netloop

import (
	"net"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// The life of a connection in the loop that owns it.
type connState uint8

const (
	connOpen    connState = iota
	connLeaving           // about to move to c.dest, as soon as nothing is under way
	connEnding            // being closed; the kernel may still use its buffers
	connEnded             // gone: Closed was called
)

// A conn is one connection. Only the thread of the loop that owns it touches it,
// except for owner and woken. It is all that this package keeps for an idle client.
type conn struct {
	s     *session.Session
	owner atomic.Pointer[loop]
	woken atomic.Bool // in some loop's inbox

	state  connState
	eof    bool // nothing more will arrive
	broken bool // nothing can be sent any more
	later  bool // in the loop's list of connections to act upon in this turn
	hungry bool // in the loop's list of connections to refill

	fd   int32 // -1 if it has none that we know
	slot uint32
	gen  uint32

	window uint32 // the loop's window in which reads was begun
	reads  uint32 // in that window

	// The replies being sent: out[0] is cut at the front as its bytes leave. A single
	// chunk lives in one, more of them in a slice lent by the loop. unsent is their
	// length, except that a ring's sends that need not wait count as sent.
	out    []resp.Chunk
	one    [1]resp.Chunk
	unsent int

	dest  *loop // where a leaving connection goes
	flags uint32
	ext   any // what the backend needs in rare states; the net backend's connection
}

// Wake implements [session.Link]. It may be called from any thread.
func (c *conn) Wake() {
	if c.woken.Swap(true) {
		return // whoever set it has put it in an inbox
	}
	c.owner.Load().wake(c)
}

// FD implements [session.Link].
func (c *conn) FD() int { return int(c.fd) }

// Loop implements [session.Link].
func (c *conn) Loop() int { return c.owner.Load().id }

// Unsent implements [session.Link].
func (c *conn) Unsent() int { return c.unsent }

// Shut ends the traffic at once: the other side notices, though the connection is closed by its
// loop later. It is called in exclusive mode.
func (c *conn) Shut() {
	if c.state <= connLeaving && c.fd >= 0 {
		shutSocket(int(c.fd))
	}
}

// SetNoDelay says whether what is sent leaves at once, as it does at first, or may wait until
// there is more. It is called in a turn of the connection's loop.
func (c *conn) SetNoDelay(on bool) {
	if n, ok := c.ext.(*netConn); ok {
		if t, ok := n.nc.(*net.TCPConn); ok {
			_ = t.SetNoDelay(on) // a connection works without it
		}
	} else if !c.s.Unix && c.fd >= 0 {
		setNoDelay(int(c.fd), on)
	}
}

// wantsInput says whether the connection is to be read from.
func (c *conn) wantsInput() bool {
	return c.state == connOpen && !c.eof && !c.broken && c.s.Closing == session.Open
}

// quiet says that no reply waits, is under way, or is still being made.
func (c *conn) quiet() bool {
	return len(c.out) == 0 && c.s.Out.Len() == 0 && (c.s.Stream == nil || !c.s.Stream.Ready())
}

// take moves the replies of c to c.out, which must be empty. It returns false if
// there was nothing to send.
func (l *loop) take(c *conn) bool {
	if c.s.Held {
		return false
	}
	chunks := c.s.Out.Take(l.chunks[:0])
	n, kept := 0, 0
	for i := range chunks {
		if len(chunks[i].Bytes) == 0 {
			chunks[i].Free(&l.pool)
			continue
		}
		n += len(chunks[i].Bytes)
		if kept != i {
			chunks[kept] = chunks[i]
		}
		kept++
	}
	if kept != len(chunks) {
		clear(chunks[kept:])
	}
	switch kept {
	case 0:
		l.chunks = chunks[:0]
		return false
	case 1:
		c.one[0] = chunks[0]
		chunks[0] = resp.Chunk{}
		c.out = c.one[:1]
		l.chunks = chunks[:0]
	default:
		c.out = chunks[:kept]
		l.chunks = l.lendChunks()
	}
	c.unsent = n
	c.s.BytesOut += uint64(n)
	l.windowOut += uint64(n)
	return true
}

// Bounds of the chunk slices that a loop keeps for connections with several chunks.
const (
	chunksKept    = 64
	chunksKeptCap = 256
)

func (l *loop) lendChunks() []resp.Chunk {
	if n := len(l.chunkLists); n > 0 {
		list := l.chunkLists[n-1]
		l.chunkLists = l.chunkLists[:n-1]
		return list
	}
	return nil
}

// sent accounts for n bytes that the kernel took, and gives back the chunks that
// are complete.
func (l *loop) sent(c *conn, n int) {
	c.unsent -= n
	if c.unsent == 0 {
		l.dropOut(c)
		return
	}
	gone := 0
	for n > 0 {
		chunk := &c.out[gone]
		if n < len(chunk.Bytes) {
			break
		}
		n -= len(chunk.Bytes)
		chunk.Free(&l.pool)
		gone++
	}
	c.out = c.out[gone:]
	if n > 0 {
		// A chunk cut at the front is not a buffer of the pool any more, since its
		// capacity has changed; Free sees that.
		c.out[0].Bytes = c.out[0].Bytes[n:]
	}
}

// dropOut frees all of c.out.
func (l *loop) dropOut(c *conn) {
	for i := range c.out {
		c.out[i].Free(&l.pool)
	}
	if cap(c.out) > 1 && cap(c.out) <= chunksKeptCap && len(l.chunkLists) < chunksKept {
		l.chunkLists = append(l.chunkLists, c.out[:0])
	}
	c.out = nil
	c.unsent = 0
}
