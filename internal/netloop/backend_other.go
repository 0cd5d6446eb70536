//go:build !linux || !(amd64 || arm64)

package netloop

import (
	"fmt"
	"net"
	"runtime"
)

// choose picks the backend: there is only one here.
func (s *Server) choose(want string) error {
	switch want {
	case "", BackendAuto, BackendNet:
		s.backend, s.newPoller = BackendNet, newNetPoller
		s.why = "there is no other on " + runtime.GOOS + "/" + runtime.GOARCH
		return nil
	case BackendEpoll, BackendUring:
		return fmt.Errorf("netloop: no %s on %s/%s", want, runtime.GOOS, runtime.GOARCH)
	}
	return fmt.Errorf("netloop: no such backend: %q", want)
}

func (s *Server) bind(ln *listener, _ int, perm uint32) error { return ln.bindNet(perm) }

// close ends listening. Any thread.
func (ln *listener) close() {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if !ln.closed {
		ln.closed = true
		ln.closeNet()
	}
}

// takeOver makes a connection of one that package net has made.
func (s *Server) takeOver(nc net.Conn) (*conn, error) { return s.takeOverNet(nc), nil }

// shutSocket does nothing: a connection that is to end is closed by its loop soon.
func shutSocket(int) {}

// setNoDelay does nothing: package net has every connection.
func setNoDelay(int, bool) {}
