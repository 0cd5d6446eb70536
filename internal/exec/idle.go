package exec

import (
	"time"

	"github.com/spineldb/spinel/internal/session"
)

// Idle asks every connection that has sent nothing for longer than the timeout to be
// closed, and returns the memory that all connections' buffers take. It is called in
// exclusive mode.
func (sh *Shared) Idle(now int64) (buffers int64) {
	limit := sh.Limits.Idle.Load() * int64(time.Second)
	for _, s := range sh.Sessions.All() {
		s.QueryCounted = int64(cap(s.Query))
		s.Counted = int64(s.Multi.Bytes)
		if s.Class != session.Replica { // whose stream is no reason to evict: that would make it longer
			s.Counted += int64(s.Out.Len())
			if s.Link != nil {
				s.Counted += int64(s.Link.Unsent())
			}
			if s.Stream != nil {
				s.Counted += s.Stream.Held()
			}
		}
		buffers += s.QueryCounted + s.Counted
		mayWait := s.Stopped && s.Stream == nil || s.Monitor || s.Class != session.Normal
		if limit > 0 && !mayWait && now-s.LastUse > limit && s.Closing == session.Open {
			s.OrderClose()
		}
	}
	return buffers
}
