package server

import (
	"math"
	"sync"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
)

// errShutdown is the reply to a SHUTDOWN that could not save.
var errShutdown = &resp.Error{Code: "ERR", Text: "Errors trying to SHUTDOWN. Check logs."}

// Errors of DEBUG RELOAD.
var (
	errReload     = &resp.Error{Code: "ERR", Text: "Error trying to save the DB, check server logs"}
	errReloadLoad = &resp.Error{Code: "ERR", Text: "Error trying to load the RDB dump, check server logs"}
	errReloadInto = &resp.Error{Code: "ERR", Text: "NOFLUSH and MERGE are not supported by this version"}
)

// abandonTime is how long a process that has to end at once waits for a save to remove
// the file that it was writing.
const abandonTime = 500 * time.Millisecond

// abandonSave gives up the save in progress, whoever waits for it.
func (s *Server) abandonSave() {
	gone := make(chan struct{})
	go func() {
		s.saver.Abandon()
		s.saver.Wait(nil)
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(abandonTime):
	}
}

// shutdown saves if that is asked for and makes Wait return. It returns false if saving
// failed and the server goes on.
func (s *Server) shutdown(gate *keyspace.Gate, f servercmd.ShutdownFlags) bool {
	if s.shutting.Swap(true) {
		return true
	}
	s.log.Warnf("User requested shutdown...")
	s.tellOfReplicas()
	s.saver.Cancel()
	s.saver.CancelReplicas()
	s.saver.Wait(gate)
	if s.endFile(gate, f) != nil {
		s.log.Warnf("Errors trying to shut down the server. Check the logs for more information.")
		s.shutting.Store(false)
		return false
	}
	save := f&servercmd.ShutdownSave != 0 ||
		f&servercmd.ShutdownNoSave == 0 && len(snapshot.SavePoints(s.config)) > 0
	if save && s.loading.Load() {
		save = false // there is nothing yet that the file does not have
	}
	if save {
		s.log.Noticef("Saving the final RDB snapshot before exiting.")
		if err := s.saver.Save(gate); err != nil {
			if f&servercmd.ShutdownForce == 0 {
				s.log.Warnf("Error trying to save the DB, can't exit.")
				s.shutting.Store(false)
				return false
			}
			s.log.Warnf("Error trying to save the DB. Exit anyway.")
		}
	}
	s.log.Warnf("Redis is now ready to exit, bye bye...")
	s.end(0)
	return true
}

// signalFlags turns an option's value into the flags of SHUTDOWN.
func signalFlags(option int) (f servercmd.ShutdownFlags) {
	for _, p := range []struct {
		bit  int
		flag servercmd.ShutdownFlags
	}{{shutdownSave, servercmd.ShutdownSave}, {shutdownNoSave, servercmd.ShutdownNoSave},
		{shutdownNow, servercmd.ShutdownNow}, {shutdownForce, servercmd.ShutdownForce}} {
		if option&p.bit != 0 {
			f |= p.flag
		}
	}
	return f
}

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
	s.keyspace.Exclusive(nil, func() {
		p.Set(session.PauseForShutdown, session.PauseWrites, math.MaxInt64, s.clock.Mono())
		s.paused()
	})
	return func() {
		s.keyspace.Exclusive(nil, func() {
			p.Clear(session.PauseForShutdown)
			s.paused()
		})
	}
}

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
