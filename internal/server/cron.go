package server

import (
	"time"

	"github.com/spineldb/spinel/internal/clock"
)

const (
	// samplePeriod is how often the rates of INFO, and while there is a limit the memory
	// of connections, are measured.
	samplePeriod = 100 * time.Millisecond

	// slice is how long background work goes on before it lets others have the
	// processor: on a machine with one, a PING waits for it.
	slice = 400 * time.Microsecond

	// sweepPeriod is how often a pass over the keys that expire begins, and
	// sweepPeriodMany the same when there are many: a pass reads every bucket's hint.
	sweepPeriod     = 200 * time.Millisecond
	sweepPeriodMany = time.Second
	manyExpires     = 500_000

	trimStep = 8 << 20 // bytes of a stripe given back to the system at a time
)

// cron is the server's background work that nobody waits for.
func (s *Server) cron() {
	period := s.cronPeriod()
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	var nextSweep, nextTrim, nextClients int64
	leftoversAt := s.started + int64(leftoverAge)
	for {
		signalled := s.signalled
		if s.cronPaused.Load() {
			signalled = nil
		}
		select {
		case <-s.stop:
			return
		case f := <-signalled:
			if s.cronPaused.Load() { // since this waits
				select {
				case s.signalled <- f:
				default: // another signal has come meanwhile
				}
				continue
			}
			s.obeySignal(f)
			continue
		case <-ticker.C:
		}
		if s.cronPaused.Load() {
			continue
		}
		if p := s.cronPeriod(); p != period {
			period = p
			ticker.Reset(p)
		}
		now := s.clock.Mono()
		s.keyspace.SetNow(clock.Now(s.clock))
		s.sample(now)
		s.saveIfDue()
		s.follower.failoverCron()
		s.master.Cron()
		s.giveHeapBack()
		if now >= nextSweep && !s.keyspace.Tuning.NoExpire.Load() {
			nextSweep = now + int64(s.sweep())
			s.follower.ownCron()
			s.shared.FeedSoon()
		}
		for s.keyspace.LazyFree() {
			time.Sleep(slice / 4)
		}
		if now >= nextTrim {
			nextTrim = now + int64(time.Second)
			s.trim()
		}
		if leftoversAt > 0 && now >= leftoversAt {
			leftoversAt = 0 // once
			s.inBackground(s.removeLeftovers)
		}
		if period := s.clientsPeriod(); period > 0 && now >= nextClients {
			nextClients = now + int64(period)
			s.keyspace.Exclusive(nil, func() { s.keyspace.Buffers.Store(s.shared.Idle(now)) })
		}
	}
}

// cronPeriod is how often background work looks for something to do.
func (s *Server) cronPeriod() time.Duration { return time.Second / time.Duration(hz.Get(s.config)) }

// sweep removes the keys whose time has come, in slices, and returns when to look
// again. The share of the time that it takes depends on active-expire-effort.
func (s *Server) sweep() time.Duration {
	effort := time.Duration(s.keyspace.Tuning.ExpireEffort.Load())
	for {
		start := s.clock.Mono()
		whole := s.keyspace.Sweep(slice)
		took := s.clock.Mono() - start
		s.keyspace.Stats.ExpireCycleMicros.Add(took / 1000)
		s.latency.Observe("expire-cycle", took/int64(time.Millisecond))
		if whole {
			break
		}
		select {
		case <-s.stop:
			return 0
		default:
		}
		time.Sleep(slice * (11 - effort) / 4)
	}
	expires := int64(0)
	for _, db := range s.keyspace.Info() {
		expires += db.Expires
	}
	if expires > manyExpires {
		return sweepPeriodMany
	}
	return sweepPeriod
}

// trim gives free memory back to the system.
func (s *Server) trim() {
	for range 64 {
		if s.keyspace.Trim(trimStep) == 0 {
			return
		}
		time.Sleep(slice)
	}
}

// clientsPeriod is how often idle connections and the memory of buffers are looked
// at; 0 for never, since it stops all loops for some microseconds.
func (s *Server) clientsPeriod() time.Duration {
	switch {
	case s.keyspace.Tuning.MaxMemory.Load() > 0:
		return samplePeriod
	case s.shared.Limits.Idle.Load() > 0:
		return time.Second
	default:
		return 0
	}
}
