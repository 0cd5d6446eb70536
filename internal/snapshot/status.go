package snapshot

import (
	"fmt"
)

// A Status is what INFO persistence says about saves.
type Status struct {
	Changes     int64 // since the last save
	InProgress  bool  // a background save
	LastSave    int64 // when a save last succeeded, or the server started, in seconds
	LastOK      bool  // the last background save did not fail, or a save since succeeded
	LastSeconds int64 // how long the last background save took; -1 if there was none
	NowSeconds  int64 // how long the one in progress has taken; -1 if there is none
	Saves       int64 // begun since the start
	KeysDone    int64 // written by the save in progress
	KeysTotal   int64 // at its cut
	BytesHeld   int64 // waiting in memory to be written by it
}

// Status is how things stand.
func (s *Saver) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	st.Changes, st.NowSeconds = s.dirty.Load(), -1
	j := s.job
	if j == nil || j.output != nil && j.replicas == nil {
		return st
	}
	if j.background {
		st.InProgress, st.NowSeconds = true, (s.Clock.Mono()-j.startMono)/1e9
	}
	if w := j.walk.Load(); w != nil {
		st.KeysDone, st.KeysTotal, st.BytesHeld = w.out.keys.Load(), w.total.Load(), w.queue.bytes()
	}
	return st
}

// Cron begins a save if one is due: because it was scheduled, because of a save point, or
// because the last one has failed and writes are refused until one succeeds. It is called
// some times a second.
func (s *Saver) Cron() {
	now := s.Clock.Wall() / 1e6
	s.mu.Lock()
	due := s.job == nil && (s.status.LastOK || now-s.lastTry > retrySeconds)
	scheduled := due && s.scheduled
	again := due && !s.status.LastOK && len(optSave.Get(s.Options)) > 0
	point := SavePoint{}
	if due && !scheduled && !again {
		point, due = s.duePoint(now)
	}
	s.mu.Unlock()
	switch {
	case !due:
		return
	case scheduled:
	case again:
		s.Log.Info("The last background save has failed. Saving...")
	default:
		s.Log.Info(fmt.Sprintf("%d changes in %d seconds. Saving...", point.Changes, point.Seconds))
	}
	if s.SaveInBackground() == nil && scheduled {
		s.mu.Lock()
		s.scheduled = false
		s.mu.Unlock()
	}
}

// duePoint finds a save point that has come. mu is held.
func (s *Saver) duePoint(now int64) (SavePoint, bool) {
	changes, passed := s.dirty.Load(), now-s.status.LastSave
	for _, p := range optSave.Get(s.Options) {
		if changes >= p.Changes && passed > p.Seconds {
			return p, true
		}
	}
	return SavePoint{}, false
}
