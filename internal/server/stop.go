package server

import (
	"time"

	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
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
