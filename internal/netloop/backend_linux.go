//go:build linux && (amd64 || arm64)

package netloop

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// choose picks the backend.
func (s *Server) choose(want string) error {
	switch want {
	case "", BackendAuto:
		if err := probeUring(); err != nil {
			s.backend, s.newPoller = BackendEpoll, newEpoll
			s.why = "io_uring cannot be used: " + err.Error()
			return nil
		}
		s.backend, s.newPoller = BackendUring, newUring
	case BackendUring:
		if err := probeUring(); err != nil {
			return fmt.Errorf("netloop: io_uring cannot be used: %w", err)
		}
		s.backend, s.newPoller = BackendUring, newUring
	case BackendEpoll:
		s.backend, s.newPoller, s.why = BackendEpoll, newEpoll, "asked for"
	case BackendNet:
		s.backend, s.newPoller, s.why = BackendNet, newNetPoller, "asked for"
	default:
		return fmt.Errorf("netloop: no such backend: %q", want)
	}
	return nil
}

func (s *Server) bind(ln *listener, backlog int, perm uint32) error {
	if s.backend == BackendNet {
		return ln.bindNet(perm)
	}
	return ln.bindSocket(backlog, perm, s.cfg.KeepAlive())
}

// close ends listening. Any thread.
func (ln *listener) close() {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.closed {
		return
	}
	ln.closed = true
	if ln.inner != nil {
		ln.closeNet()
	} else {
		ln.closeSocket()
	}
}

// takeOver makes a connection of one that package net has made. The loops have their own ways
// to wait for it, so the descriptor is taken out of package net.
func (s *Server) takeOver(nc net.Conn) (*conn, error) {
	if s.backend == BackendNet {
		return s.takeOverNet(nc), nil
	}
	raw, ok := nc.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("netloop: a %T has no descriptor", nc)
	}
	s.keepAlive(nc)
	rc, err := raw.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var failed error
	if err := rc.Control(func(old uintptr) {
		fd, failed = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) // one that stays non-blocking
	}); err != nil || failed != nil {
		return nil, errors.Join(err, failed)
	}
	_ = nc.Close() // the connection stays as long as our descriptor
	return &conn{fd: int32(fd)}, nil
}
