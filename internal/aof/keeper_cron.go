package aof

import (
	"errors"
	"fmt"
	"time"
)

// # When it is rewritten
//
// Because somebody asks for it, because it has grown, or because a sync has failed and the
// file cannot be trusted any more. A rewrite that fails three times in a row is tried again by
// itself after a minute, two minutes, four, up to an hour, as in Redis. One that is to heal a
// failed sync is tried after a second, and then ever more rarely, up to a minute.

const (
	failuresMax     = 3
	retryMinutesMax = 60
	healDelayMax    = int64(time.Minute)
)

// Cron begins a rewrite if one is due. It is called some times a second.
func (k *Keeper) Cron() {
	k.Flush() // what no loop has appended: a sweep's removals
	k.relax()
	if k.IsBusy() || k.IsRewriting() {
		return
	}
	lost := false
	if l := k.log.Load(); l != nil && k.Mode() == On {
		lost = l.IsLost()
	}
	due, heals := k.status.due(k, lost), false
	if !due && lost {
		due, heals = k.status.heals(k), true
	}
	if !due {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.job != nil {
		return
	}
	if err := k.ready(); err != nil {
		k.Log.Warn("Can't begin to rewrite the AOF: " + text(err))
		k.status.failed(k)
		return
	}
	if heals {
		k.Log.Info("Rewriting the AOF, since a sync of it has failed")
	}
	k.beginRewrite()
}

// due says whether a rewrite was scheduled, or the files have grown enough, and no limit
// keeps it from beginning.
func (s *status) due(k *Keeper, lost bool) bool {
	st := k.Status()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scheduled {
		return !s.limited(k)
	}
	growth := optGrowth.Get(k.Options)
	if st.Mode != On || growth == 0 || lost || st.Size <= optMinSize.Get(k.Options) {
		return false
	}
	grown := st.Size*100/max(st.BaseSize, 1) - 100
	if grown < growth || s.limited(k) {
		return false
	}
	k.Log.Info(fmt.Sprintf("Starting automatic rewriting of AOF on %d%% growth", grown))
	return true
}

// limited says whether too many rewrites have failed for another one to begin now. mu is held.
func (s *status) limited(k *Keeper) bool {
	if s.failures < failuresMax {
		s.retryAt, s.retryMinutes = 0, 0
		return false
	}
	now := k.Clock.Mono()
	if s.retryAt != 0 {
		if now < s.retryAt {
			return true
		}
		s.retryAt = 0
		return false
	}
	s.retryMinutes = min(max(2*s.retryMinutes, 1), retryMinutesMax)
	s.retryAt = now + s.retryMinutes*int64(time.Minute)
	k.Log.Warn(fmt.Sprintf("Background AOF rewrite has repeatedly failed and triggered the limit, "+
		"will retry in %d minutes", s.retryMinutes))
	return true
}

// heals says whether a rewrite because of a failed sync may begin.
func (s *status) heals(k *Keeper) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := k.Clock.Mono()
	if now < s.healAt {
		return false
	}
	s.healDelay = min(max(2*s.healDelay, int64(time.Second)), healDelayMax)
	s.healAt = now + s.healDelay
	return true
}

// failed counts a rewrite that has.
func (s *status) failed(k *Keeper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastOK = false
	s.failures++
	if k.Mode() == Waiting {
		s.scheduled = true
	}
}

// endRewrite notes what came of a rewrite.
func (k *Keeper) endRewrite(j *rewrite, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.job = nil
	s := &k.status
	s.mu.Lock()
	s.rewriting, s.lastSeconds = false, (k.Clock.Mono()-s.startMono)/1e9
	if err == nil {
		s.lastOK, s.failures, s.healDelay, s.healAt = true, 0, 0, 0
	} else if errors.Is(err, ErrSnapshotBusy) || errors.Is(err, ErrFlushed) || j.again.Load() {
		s.scheduled = true
	}
	s.mu.Unlock()
	switch {
	case err == nil:
		k.Log.Info("Background AOF rewrite finished successfully")
	case errors.Is(err, errCanceled), errors.Is(err, ErrSnapshotBusy), errors.Is(err, ErrFlushed):
		k.Log.Info("Background AOF rewrite was given up")
	default:
		k.Log.Warn("Background AOF rewrite terminated with error: " + text(err))
		s.failed(k)
	}
	close(j.done)
	if k.Mode() == Off {
		k.release()
	}
	k.relax()
}
