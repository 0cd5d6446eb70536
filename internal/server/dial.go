package server

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command/keycmd"
)

// A peer is a connection to another server, for MIGRATE. It ends with this server.
type peer struct {
	net.Conn
	clock   clock.Clock
	timeout time.Duration
	cancel  context.CancelFunc
}

// dialPeer connects to another server.
func (s *Server) dialPeer(host, port string, timeout time.Duration) (keycmd.Peer, error) {
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, err // and not a service by its name
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		cancel()
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &peer{Conn: conn, clock: s.clock, timeout: timeout, cancel: cancel}, nil
}

// SetTimeout implements keycmd.Peer.
func (p *peer) SetTimeout(d time.Duration) { p.timeout = d }

func (p *peer) deadline() time.Time { return time.UnixMicro(p.clock.Wall()).Add(p.timeout) }

func (p *peer) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(p.deadline()); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

// peerPart is how many bytes must be sent within one timeout.
const peerPart = 64 << 10

func (p *peer) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if err = p.SetWriteDeadline(p.deadline()); err != nil {
			break
		}
		var m int
		m, err = p.Conn.Write(b[n:min(n+peerPart, len(b))])
		n += m
	}
	return n, err
}

// Close implements keycmd.Peer.
func (p *peer) Close() error {
	p.cancel()
	return p.Conn.Close()
}
