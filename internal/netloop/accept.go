package netloop

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of accepting.
const (
	acceptBatch  = 128 // connections of one listener in one turn
	acceptPause  = int64(100 * time.Millisecond)
	acceptLogGap = int64(time.Second)
)

// An acceptor is what loop 0 knows about connections that wait to be accepted.
type acceptor struct {
	ready    []*listener // may have connections waiting
	resumeAt int64       // after running out of descriptors: when to try again; 0 if not
	loggedAt int64
	starved  atomic.Bool // out of descriptors; whoever frees one says so
	freed    atomic.Bool
}

func (a *acceptor) due(now int64) bool {
	if len(a.ready) == 0 {
		return false
	}
	return a.resumeAt == 0 || now >= a.resumeAt || a.freed.Swap(false)
}

func (a *acceptor) add(ln *listener) {
	if !ln.ready {
		ln.ready = true
		a.ready = append(a.ready, ln)
	}
}

// drop forgets that ln has connections: all were taken, or it is closed.
func (a *acceptor) drop(ln *listener) {
	ln.ready = false
	for i, other := range a.ready {
		if other == ln {
			a.ready = append(a.ready[:i], a.ready[i+1:]...)
			return
		}
	}
}

// failed is called when accepting failed for want of descriptors or memory: the
// listener is left alone for a while instead of failing again at once.
func (l *loop) acceptFailed(err error) {
	a := &l.accepting
	a.resumeAt = l.now + acceptPause
	a.freed.Store(false)
	a.starved.Store(true)
	if a.loggedAt == 0 || l.now-a.loggedAt >= acceptLogGap {
		a.loggedAt = l.now
		l.srv.cfg.Log.Warn("accepting connections failed", "error", err,
			"clients", l.srv.clients.Load())
	}
}

func (l *loop) acceptWorks() {
	a := &l.accepting
	if a.resumeAt != 0 {
		a.resumeAt = 0
		a.starved.Store(false)
	}
}

// admit asks whether c is welcome and gives it to a loop. If it is not, the caller
// closes it after sending what is returned.
func (l *loop) admit(c *conn, a Accepted) (refuse []byte, ok bool) {
	c.owner.Store(l)
	a.Link = c
	s, refuse := l.srv.cfg.Accept(a)
	if s == nil {
		return refuse, false
	}
	c.s = s
	if s.Link == nil {
		s.Link = c // too late for other threads that know s already
	}
	l.srv.clients.Add(1)
	if to := l.srv.leastLoaded(); to != l {
		to.arrive(c)
	} else {
		l.clients.Add(1)
		l.adopt(c)
	}
	return nil, true
}

// leastLoaded is the active loop with the fewest clients.
func (s *Server) leastLoaded() *loop {
	best := s.loops[0]
	for _, l := range s.loops[1:] {
		if l.active.Load() && l.up.Load() && l.clients.Load() < best.clients.Load() {
			best = l
		}
	}
	return best
}

// listen begins to accept from ln.
func (l *loop) listen(ln *listener) {
	if err := l.p.listen(ln); err != nil {
		l.srv.cfg.Log.Error("listener does not work", "address", ln.bound, "error", err)
	}
}

func (l *loop) unlisten(ln *listener) {
	l.accepting.drop(ln)
	l.p.unlisten(ln)
}

// A listener is one address that connections come in at.
type listener struct {
	network string // tcp or unix
	addr    string // as given to Listen
	bound   string // with the port that the system chose
	local   string // the local address of its connections if all have the same

	ready bool   // in acceptor.ready
	tag   uint32 // the poller's name for it

	mu        sync.Mutex // held while accepting, so that fd cannot be another one by then
	closed    bool
	fd        int
	keepAlive int
	inner     net.Listener // of the net backend
}

// ErrListening means that Listen was called twice for an address.
var ErrListening = errors.New("netloop: listening there already")

// Listen accepts connections at an address: network tcp, tcp4, tcp6 or unix. It
// may be called at any time, also in a turn. The permissions of a unix socket are
// set before anybody can connect; 0 leaves them to the umask. The result is the
// address with the real port.
func (s *Server) Listen(network, addr string, backlog int, perm uint32) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ln := range s.listeners {
		if ln.network == network && ln.addr == addr && !endsInZeroPort(addr) {
			return "", fmt.Errorf("%w: %s", ErrListening, addr)
		}
	}
	ln := &listener{network: network, addr: addr, fd: -1, keepAlive: -1}
	if err := s.bind(ln, backlog, perm); err != nil {
		return "", fmt.Errorf("netloop: listen %s: %w", addr, err)
	}
	s.listeners = append(s.listeners, ln)
	if s.started {
		s.serve(ln)
	}
	return ln.bound, nil
}

func endsInZeroPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}

// Unlisten closes the listener that Listen returned bound for, or was given addr
// for. Its connections stay. It reports whether there was one.
func (s *Server) Unlisten(network, addr string) bool {
	s.mu.Lock()
	var found *listener
	for i, ln := range s.listeners {
		if ln.network == network && (ln.addr == addr || ln.bound == addr) {
			found = ln
			s.listeners = append(s.listeners[:i:i], s.listeners[i+1:]...)
			break
		}
	}
	s.mu.Unlock()
	if found == nil {
		return false
	}
	s.dismiss(found)
	return true
}

// Addrs are the addresses listened at.
func (s *Server) Addrs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, ln := range s.listeners {
		all = append(all, ln.bound)
	}
	return all
}
