package netloop

import (
	"errors"
	"net"
	"time"

	"github.com/spineldb/spinel/internal/session"
)

// ErrStopping means that a connection came too late.
var ErrStopping = errors.New("netloop: the server is stopping")

// Adopt serves a connection that was made elsewhere, an outgoing one, as that of a session.
// data are bytes that were read from it already. The connection belongs to a loop from now on,
// which calls Closed for the session when it is gone; after an error it is the caller's, and
// nothing was done. Limits on the number of clients do not apply. Any goroutine.
func (s *Server) Adopt(nc net.Conn, sess *session.Session, data []byte) error {
	if s.stopping.Load() {
		return ErrStopping
	}
	c, err := s.takeOver(nc)
	if err != nil {
		return err
	}
	c.s, sess.Link = sess, c
	l := s.leastLoaded()
	c.owner.Store(l)
	s.clients.Add(1)
	l.clients.Add(1)
	l.call(func() {
		l.adopt(c)
		if len(data) > 0 {
			l.received(c, data)
		}
	})
	return nil
}

// keepAlive finds dead peers as with accepted connections; one without it works too.
func (s *Server) keepAlive(nc net.Conn) {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	seconds := s.cfg.KeepAlive()
	_ = t.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable:   seconds > 0,
		Idle:     time.Duration(seconds) * time.Second,
		Interval: time.Duration(max(1, seconds/3)) * time.Second,
		Count:    3,
	})
}

// takeOverNet makes a connection of the net backend.
func (s *Server) takeOverNet(nc net.Conn) *conn {
	s.keepAlive(nc)
	return &conn{fd: fileNumber(nc), ext: &netConn{nc: nc}}
}
