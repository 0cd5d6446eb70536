package snapshot

import (
	"io"

	"github.com/spineldb/spinel/internal/rdb"
)

// # Snapshots that are not the snapshot file
//
// The base of an append-only file and what a replica is sent at first are the same walk with
// another place to go. There is one walk at a time, whatever it is for.

// An Output is what differs from a save to the snapshot file.
type Output struct {
	// Cut, if set, is called at the moment of the cut, in exclusive mode.
	Cut func(info *rdb.Info)
	// AOFBase says in the head that commands follow in other files.
	AOFBase bool
	// Commands has commands written that make the same data, instead of the file format: what
	// any server can execute, and larger and slower to load.
	Commands bool
}

// WriteTo writes a snapshot to w and returns when that has all of it. It makes way for those
// who are served, like a save in the background. ErrBusy says that another one is in progress.
// Nothing is synced, and nothing that is left of it after an error is of any use.
func (s *Saver) WriteTo(w io.Writer, o Output) error {
	j, err := s.begin(true, &o, nil)
	if err != nil {
		return err
	}
	return s.writeTo(w, j)
}

func (s *Saver) writeTo(w io.Writer, j *job) error {
	wk := newWalk(s.Keyspace, s.Clock, w, j.stop, s.walkOptions(j))
	j.walk.Store(wk)
	s.walking.Store(wk)
	j.err = wk.run()
	s.walking.Store(nil)
	s.mu.Lock()
	s.job = nil
	s.mu.Unlock()
	close(j.done)
	return j.err
}

// CancelOutput gives up what WriteTo is writing, if it is, and does not wait.
func (s *Saver) CancelOutput() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.job != nil && s.job.output != nil && s.job.replicas == nil {
		s.job.cancel()
	}
}

// Busy says whether a snapshot is in progress, of any kind.
func (s *Saver) Busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.job != nil
}
