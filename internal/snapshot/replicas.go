package snapshot

import (
	"io"

	"github.com/spineldb/spinel/internal/rdb"
)

// # Snapshots for replicas
//
// They are shown as saves in progress, as in Redis: straight to the replicas, or the snapshot
// file, which is sent when it is whole.

// replicas is what is special about a job for them.
type replicas struct {
	cut   func(info *rdb.Info)
	saved func(path string) error // of the file, before another save can replace it
}

// Stream is WriteTo for replicas. cut is called at the cut, in exclusive mode, with what is
// closed when the snapshot is given up.
func (s *Saver) Stream(w io.Writer, cut func(info *rdb.Info, stop <-chan struct{})) error {
	r := &replicas{}
	j, err := s.begin(true, &Output{}, r)
	if err != nil {
		return err
	}
	r.cut = func(info *rdb.Info) { cut(info, j.stop) }
	return s.writeTo(w, j)
}

// SaveFor is a save in the background, which returns when it is over. saved is called with
// the file's path before another save can replace the file.
func (s *Saver) SaveFor(cut func(info *rdb.Info), saved func(path string) error) error {
	j, err := s.begin(true, nil, &replicas{cut, saved})
	if err != nil {
		return err
	}
	s.run(j)
	return j.err
}

// CancelReplicas gives up the snapshot in progress if it is for replicas, and does not wait.
func (s *Saver) CancelReplicas() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.job != nil && s.job.replicas != nil {
		s.job.cancel()
	}
}
