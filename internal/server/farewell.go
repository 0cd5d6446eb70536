package server

import (
	"sync"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A farewell is a shutdown that waits for replicas which lag behind: what was acknowledged
// to clients is to live on with them. Nothing is written meanwhile.
type farewell struct {
	until int64 // monotonic: how long it waits
	abort chan struct{}
	now   chan struct{} // somebody wants it at once
	once  sync.Once     // closes one of the two
	done  chan struct{}
	ended bool // the server has; once done is closed
}

// farewells is the shutdown that waits, if there is one.
type farewells struct {
	mu      sync.Mutex
	current *farewell
}

// farewellPoll is how often the replicas are looked at.
const farewellPoll = 10 * time.Millisecond

// Shutdown implements servercmd.Stopper.
func (s *Server) Shutdown(c *command.Ctx, f servercmd.ShutdownFlags) error {
	if fw := s.takeLeave(f); fw != nil {
		return c.Detach(command.Task{Run: func(command.Worker, *resp.Writer) error {
			if <-fw.done; !fw.ended {
				return errShutdown
			}
			return nil
		}})
	}
	if !s.shutdown(s.gateOf(c), f) {
		return errShutdown
	}
	c.Session.Closing = session.Immediately
	return nil
}

// Abort implements servercmd.Stopper: it calls off a shutdown that waits for replicas, or
// that a signal asked for and that has not begun.
func (s *Server) Abort() bool {
	s.farewells.mu.Lock()
	fw := s.farewells.current
	s.farewells.mu.Unlock()
	if fw != nil {
		fw.once.Do(func() { close(fw.abort) })
		return true
	}
	select {
	case <-s.signalled:
		s.asked.Store(false)
		s.log.Noticef("Shutdown manually aborted.")
		return true
	default:
		return false
	}
}

// obeySignal begins the shutdown that a signal asked for. Saving may take long, and a
// second signal is to be heard meanwhile.
func (s *Server) obeySignal(f servercmd.ShutdownFlags) {
	go func() {
		var ended bool
		if fw := s.takeLeave(f); fw != nil {
			<-fw.done
			ended = fw.ended
		} else {
			ended = s.shutdown(nil, f)
		}
		if !ended {
			s.asked.Store(false)
		}
	}()
}

// takeLeave is the shutdown that waits for replicas: the one that does already, or a new one,
// or nil if there is nobody to wait for.
func (s *Server) takeLeave(f servercmd.ShutdownFlags) *farewell {
	s.farewells.mu.Lock()
	defer s.farewells.mu.Unlock()
	isUrgent := f&servercmd.ShutdownNow != 0
	if fw := s.farewells.current; fw != nil {
		if isUrgent {
			fw.once.Do(func() { close(fw.now) })
		}
		return fw
	}
	patience := shutdownTimeout.Get(s.config)
	if lagging, _ := s.master.InSync(); isUrgent || patience == 0 || len(lagging) == 0 || s.loading.Load() {
		return nil
	}
	fw := &farewell{
		until: s.clock.Mono() + patience*int64(time.Second),
		abort: make(chan struct{}), now: make(chan struct{}), done: make(chan struct{}),
	}
	s.farewells.current = fw
	go s.leave(fw, f)
	return fw
}

// leave waits, and shuts the server down unless that is called off.
func (s *Server) leave(fw *farewell, f servercmd.ShutdownFlags) {
	s.log.Noticef("Waiting for replicas before shutting down.")
	resume := s.pauseWrites()
	isAborted := s.waitForReplicas(fw)
	if isAborted {
		s.log.Noticef("Shutdown manually aborted.")
	} else {
		fw.ended = s.shutdown(nil, f)
	}
	if !fw.ended {
		resume()
	}
	s.farewells.mu.Lock()
	s.farewells.current = nil
	s.farewells.mu.Unlock()
	close(fw.done)
}

// waitForReplicas returns when all replicas have everything, or the time is over.
func (s *Server) waitForReplicas(fw *farewell) (isAborted bool) {
	ticker := time.NewTicker(farewellPoll)
	defer ticker.Stop()
	for {
		if lagging, _ := s.master.InSync(); len(lagging) == 0 || s.clock.Mono() >= fw.until {
			return false
		}
		select {
		case <-fw.abort:
			return true
		case <-fw.now:
			return false
		case <-s.stop:
			return false
		case <-ticker.C:
		}
	}
}

// pauseWrites holds writes back until resume is called.
func (s *Server) pauseWrites() (resume func()) {
	p := &s.sessions.Pause
	var mode session.PauseMode
	var until int64
	s.keyspace.Exclusive(nil, func() {
		now := s.clock.Mono()
		mode, until = p.Mode(now), p.Until()
		p.Set(session.PauseWrites, now+int64(farewellPause), now)
		s.paused()
	})
	return func() {
		s.keyspace.Exclusive(nil, func() {
			p.Clear()
			if now := s.clock.Mono(); mode != session.PauseOff && until > now {
				p.Set(mode, until, now)
			}
			s.paused()
		})
	}
}

// farewellPause is longer than any shutdown takes.
const farewellPause = 365 * 24 * time.Hour

// tellOfReplicas logs which replicas have everything that the server had.
func (s *Server) tellOfReplicas() {
	lagging, all := s.master.InSync()
	for _, r := range lagging {
		s.log.Warnf("Lagging replica %s reported offset %d behind master, lag=%d, state=%s.",
			r.Name, r.Behind, r.LagSeconds, r.State)
	}
	if all > 0 {
		s.log.Noticef("%d of %d replicas are in sync when shutting down.", all-len(lagging), all)
	}
}

// leavesIn is for how long a shutdown will still wait for replicas.
func (s *Server) leavesIn() time.Duration {
	s.farewells.mu.Lock()
	defer s.farewells.mu.Unlock()
	if fw := s.farewells.current; fw != nil {
		return time.Duration(max(fw.until-s.clock.Mono(), 1))
	}
	return 0
}
