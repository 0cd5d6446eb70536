package netloop

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/session"
)

// A Handler carries requests. There is one for each loop, and all its methods are
// called on that loop's thread, inside a turn; the package comment has the order.
type Handler interface {
	// Begin begins a turn: it enters the gate, so it may block shortly.
	Begin(nowNanos int64)
	// Received hands over bytes that arrived. They stay as they are until Run has
	// returned. It may be called several times for a session in one turn, and also
	// while Space is not nil: bytes that were under way before the loop asked.
	Received(s *session.Session, data []byte)
	// Space is where the next bytes of s shall be read to, nil for anywhere. The
	// memory must stay until Filled, or Closed.
	Space(s *session.Session) []byte
	// Filled says that n bytes were read into the beginning of what Space gave.
	Filled(s *session.Session, n int)
	// EOF says that nothing more will arrive. The other side may still read.
	EOF(s *session.Session)
	// Woken says that somebody called s.Link.Wake.
	Woken(s *session.Session)
	// Refill goes on with a reply that is made in pieces, see session.Stream: it writes
	// the next one to s.Out.
	Refill(s *session.Session)
	// Run executes everything that was received; replies are in s.Out afterwards.
	Run()
	// Dirty is every session that may have replies to send or wants to be closed.
	Dirty() []*session.Session
	// Closed is the last call for s. Its connection is gone.
	Closed(s *session.Session)
	// Tick is called at least once in the duration that it returned the last time,
	// while the loop has clients (loop 0: always).
	Tick(nowNanos int64) (next time.Duration)
	// Deadline is a monotonic time at which Tick is to be called even if that is before
	// the time that it returned, 0 for none. It is asked after Run.
	Deadline() int64
	// End ends the turn.
	End()
}

// Config is what a Server is made of.
type Config struct {
	// Backend is auto, uring, epoll or net.
	Backend string
	// Loops is the most loops that work at a time (io-threads).
	Loops int
	// NewHandler makes the handler of a loop. It is called by New for all of them.
	NewHandler func(loop int) Handler
	// Accept decides about a new connection: a session, or bytes to send before it is
	// closed. It is called in a turn of loop 0, for which a.Link must become s.Link.
	Accept func(a Accepted) (s *session.Session, refuse []byte)
	// Movable says whether a session may change loops now; nil for all.
	Movable func(s *session.Session) bool
	// KeepAlive is tcp-keepalive in seconds, 0 for off.
	KeepAlive func() int
	Clock     clock.Clock
	Log       *slog.Logger
}

// Accepted is a new connection.
type Accepted struct {
	Remote, Local string // 127.0.0.1:1234, [::1]:1234, /path:0
	Unix          bool
	FD            int // -1 if there is none
	Link          session.Link
}

// LoopStats are the figures of one loop since the start.
type LoopStats struct {
	Active   bool    // gets new connections
	Clients  int     // connections that it owns
	Turns    uint64  // turns made
	Busy     float64 // share of the time not spent waiting, in the last window
	BytesIn  uint64
	BytesOut uint64
	Moved    uint64 // connections handed to other loops
}

// Names of the backends, as Config.Backend and Server.Backend have them.
const (
	BackendAuto  = "auto"
	BackendUring = "uring"
	BackendEpoll = "epoll"
	BackendNet   = "net"
)

// A Server serves the connections of all its listeners.
type Server struct {
	cfg     Config
	backend string
	why     string // why not a faster backend
	loops   []*loop

	// newPoller makes a loop's backend. Tests replace it to inject faults.
	newPoller func(l *loop) poller

	clients  atomic.Int64 // connections accepted and not yet ended
	stopping atomic.Bool
	stopAt   atomic.Int64 // when what is not sent yet is given up
	done     sync.WaitGroup
	running  sync.WaitGroup // goroutines beside the loops

	balanceAt atomic.Int64 // when the next look at the loads is due
	balance   balancing

	mu        sync.Mutex
	listeners []*listener
	started   bool
}

// New prepares a server. Nothing runs before Start.
func New(cfg Config) (*Server, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.NewHandler == nil || cfg.Accept == nil {
		return nil, errors.New("netloop: a handler and an accept function are needed")
	}
	if cfg.KeepAlive == nil {
		cfg.KeepAlive = func() int { return 0 }
	}
	cfg.Loops = max(1, min(cfg.Loops, loopsMax))
	s := &Server{cfg: cfg}
	if err := s.choose(cfg.Backend); err != nil {
		return nil, err
	}
	for i := range cfg.Loops {
		s.loops = append(s.loops, newLoop(s, i, cfg.NewHandler(i)))
	}
	s.balance.init(cfg.Loops)
	return s, nil
}

// loopsMax bounds io-threads, as Redis does.
const loopsMax = 128

// Backend names the backend that runs and says why it is not a faster one.
func (s *Server) Backend() (name, why string) { return s.backend, s.why }

// Start runs loop 0, which accepts connections. Other loops start when they are needed.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return errors.New("netloop: started already")
	}
	if s.why != "" {
		s.cfg.Log.Info("network backend", "backend", s.backend, "because", s.why)
	}
	if err := s.loops[0].start(); err != nil {
		return fmt.Errorf("netloop: %w", err)
	}
	s.started = true
	for _, ln := range s.listeners {
		s.serve(ln)
	}
	return nil
}

// serve hands a listener to loop 0.
func (s *Server) serve(ln *listener) {
	l := s.loops[0]
	l.call(func() { l.listen(ln) })
}

// StopAccepting closes all listeners.
func (s *Server) StopAccepting() {
	s.mu.Lock()
	all := s.listeners
	s.listeners = nil
	s.mu.Unlock()
	for _, ln := range all {
		s.dismiss(ln)
	}
}

// dismiss closes ln at once, so that its address is free when this returns.
func (s *Server) dismiss(ln *listener) {
	ln.close()
	l := s.loops[0]
	l.call(func() { l.unlisten(ln) })
}

// Shutdown stops accepting, sends what is pending for at most grace, closes every
// connection and waits until all loops have ended. It must not be called in a turn.
func (s *Server) Shutdown(grace time.Duration) {
	s.StopAccepting()
	s.stopAt.Store(s.cfg.Clock.Mono() + int64(grace))
	s.mu.Lock()
	was := s.started
	s.started = false
	s.mu.Unlock()
	if !was {
		return
	}
	s.stopping.Store(true)
	s.rouse()
	s.done.Wait()
	s.running.Wait()
}

// rouse makes every loop take a turn.
func (s *Server) rouse() {
	for _, l := range s.loops {
		l.notify()
	}
}

// EachSession calls f for every session. No loop may be in a turn meanwhile, and
// the caller must hold exclusive mode.
func (s *Server) EachSession(f func(*session.Session)) {
	for _, l := range s.loops {
		for i := range l.slots {
			if c := l.slots[i].c; c != nil && c.s != nil {
				f(c.s)
			}
		}
		l.mu.Lock()
		arrived := l.arrived
		l.mu.Unlock()
		for _, c := range arrived {
			f(c.s)
		}
	}
}

// Clients is the number of connections.
func (s *Server) Clients() int { return int(s.clients.Load()) }

// Stats appends the figures of each loop to dst.
func (s *Server) Stats(dst []LoopStats) []LoopStats {
	for _, l := range s.loops {
		dst = append(dst, LoopStats{
			Active:   l.active.Load(),
			Clients:  int(l.clients.Load()),
			Turns:    l.turns.Load(),
			Busy:     float64(l.busyPermille.Load()) / 1000,
			BytesIn:  l.bytesIn.Load(),
			BytesOut: l.bytesOut.Load(),
			Moved:    l.moved.Load(),
		})
	}
	return dst
}
