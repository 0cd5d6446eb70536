package aof

import (
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/resp"
)

// logPeriod is how often a write that goes on failing is logged, in nanoseconds.
const logPeriod = 30e9

// status is what INFO and others are told. None of it waits for the disk.
type status struct {
	failing  atomic.Pointer[resp.Error] // why writes are refused; nil if they are not
	loggedAt atomic.Int64

	mu          sync.Mutex
	rewriting   bool
	scheduled   bool
	startMono   int64
	lastSeconds int64
	lastOK      bool
	rewrites    int64
	failures    int64 // in a row

	retryAt      int64 // monotonic: no rewrite begins by itself before
	retryMinutes int64
	healAt       int64 // monotonic: a rewrite because of a failed sync does not begin before
	healDelay    int64

	bytes     int64 // of all files, but for what the log has written since it began
	logBefore int64 // what the log had written then
	baseBytes int64 // of all files when the last rewrite ended
}

func (s *status) init() { s.lastSeconds, s.lastOK = -1, true }

// writeFailed refuses writes, and logs why, but not too often.
func (s *status) writeFailed(k *Keeper, line, why string) {
	s.failing.Store(&resp.Error{Code: "MISCONF", Text: "Errors writing to the AOF file: " + why})
	now := max(k.Clock.Mono(), 1)
	if at := s.loggedAt.Load(); at == 0 || now-at > logPeriod {
		s.loggedAt.Store(now)
		k.Log.Warn(line)
	}
}

// Failing is the reply to writes if they are refused because the file cannot be written to or
// synced, and nil if it can.
func (k *Keeper) Failing() *resp.Error { return k.status.failing.Load() }

// schedule has a rewrite begin when Cron finds that it can.
func (s *status) schedule() {
	s.mu.Lock()
	s.scheduled = true
	s.mu.Unlock()
}

func (s *status) unschedule() {
	s.mu.Lock()
	s.scheduled = false
	s.mu.Unlock()
}

// sized says how many bytes all files have now.
func (s *status) sized(bytes int64) {
	s.mu.Lock()
	s.bytes, s.logBefore, s.baseBytes = bytes, 0, bytes
	s.mu.Unlock()
}

// A Status is how things stand. Times are in seconds, and -1 if there is none.
type Status struct {
	Mode         Mode
	Rewriting    bool
	Scheduled    bool
	LastSeconds  int64
	NowSeconds   int64
	LastOK       bool
	Rewrites     int64
	Failures     int64 // of rewrites, in a row
	WriteOK      bool
	Size         int64 // of all files
	BaseSize     int64 // the same when the last rewrite ended
	Buffered     int64 // bytes appended and not yet written
	Syncing      bool
	DelayedSyncs int64
}

// Status is how things stand.
func (k *Keeper) Status() Status {
	s := &k.status
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{
		Mode: k.Mode(), Rewriting: s.rewriting, Scheduled: s.scheduled, LastSeconds: s.lastSeconds,
		NowSeconds: -1, LastOK: s.lastOK, Rewrites: s.rewrites, Failures: s.failures,
		WriteOK: k.Failing() == nil, Size: s.bytes, BaseSize: s.baseBytes,
		Syncing: k.syncing.Load(), DelayedSyncs: k.delayed.Load(),
	}
	if s.rewriting {
		st.NowSeconds = (k.Clock.Mono() - s.startMono) / 1e9
	}
	if l := k.log.Load(); l != nil {
		st.Size += l.Bytes() - s.logBefore
		st.Buffered = k.Journal.Tail() - l.Written()
	}
	return st
}
