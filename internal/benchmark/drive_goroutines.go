package benchmark

import (
	"errors"
	"net"
	"sync"
	"time"
)

// driveGoroutines is a [driver] with a goroutine for each connection, for systems without a
// driver of their own. The streams of a thread take turns, so that as much runs at once as
// there are threads.
func driveGoroutines(l *load, t *tally, n int) error {
	var (
		turn sync.Mutex
		wait sync.WaitGroup
	)
	for range n {
		wait.Go(func() {
			g := goroutine{stream: newStream(l, t), turn: &turn}
			if err := g.run(); err != nil {
				l.fail(err)
			}
		})
	}
	wait.Wait()
	return nil // the load knows
}

const goroutineBufferBytes = 16 << 10

// A goroutine is a stream with its connection.
type goroutine struct {
	stream
	turn   *sync.Mutex
	conn   net.Conn
	buffer []byte
}

func (g *goroutine) run() error {
	g.buffer = make([]byte, goroutineBufferBytes)
	for {
		more, err := g.connection()
		if err != nil || !more {
			return err
		}
	}
}

// connection runs the stream on a new connection, and reports whether another one is due.
func (g *goroutine) connection() (more bool, err error) {
	l := g.load
	if g.conn, err = net.Dial(l.target.Network(), l.target.String()); err != nil {
		return false, l.unreachable(err)
	}
	defer g.conn.Close()
	l.connected.Add(1)
	defer l.connected.Add(-1)
	g.reset()
	for {
		g.turn.Lock()
		batch := g.next(l.clock.Mono())
		g.turn.Unlock()
		if batch == nil && !l.idle || l.stopped.Load() {
			return false, nil
		}
		if err := g.exchange(batch); err != nil {
			return false, err
		}
		if l.reconnect {
			return l.issued.Load() < l.requests && !l.stopped.Load(), nil
		}
	}
}

// exchange sends a batch and reads its replies.
func (g *goroutine) exchange(batch []byte) error {
	_, failed := g.conn.Write(batch) // why the server closed the connection may still be there to read
	for !g.load.stopped.Load() {
		_ = g.conn.SetReadDeadline(time.Now().Add(waitForOthers))
		n, err := g.conn.Read(g.buffer)
		g.turn.Lock()
		complete, wrong := g.received(g.buffer[:n], g.load.clock.Mono())
		g.turn.Unlock()
		var timeout net.Error
		switch {
		case wrong != nil:
			return wrong
		case complete:
			return nil
		case errors.As(err, &timeout) && timeout.Timeout() && failed == nil:
		case err != nil:
			return networkError(err)
		}
	}
	return nil
}

// waitForOthers is how long a read waits until it looks whether another thread failed.
const waitForOthers = 100 * time.Millisecond
