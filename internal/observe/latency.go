package observe

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
)

// latencySamplesMax is how many samples an event keeps, one a second at most.
const latencySamplesMax = 160

// A LatencyMonitor remembers the latency spikes of a server's subsystems by the
// name of the event: "command", "aof-fsync-always", "expire-cycle" and so on.
// The names come from our own code, never from a client, so they are few.
//
// It is safe for concurrent use. A subsystem that was not slow pays an atomic
// load.
type LatencyMonitor struct {
	clock     clock.Clock
	threshold atomic.Int64 // milliseconds; 0 while it is switched off

	mu     sync.Mutex
	events map[string]*latencyEvent
}

// A LatencySample is the worst latency of an event within one second.
type LatencySample struct {
	Unix   int64 // seconds
	Millis int64
}

// A LatencyLatest is an event's line in LATENCY LATEST.
type LatencyLatest struct {
	Event string
	Last  LatencySample
	Max   int64 // milliseconds, since the event was last reset
	Sum   int64 // milliseconds of all spikes since then
	Count int64 // of spikes since then, also those that share a second
}

type latencyEvent struct {
	samples []LatencySample // a ring once it is full
	oldest  int
	max     int64
	sum     int64
	count   int64
}

// NewLatencyMonitor returns a monitor that is switched off.
func NewLatencyMonitor(c clock.Clock) *LatencyMonitor {
	return &LatencyMonitor{clock: c, events: map[string]*latencyEvent{}}
}

// SetThreshold sets from how many milliseconds on a latency is a spike; 0
// switches the monitor off. What it remembers stays.
func (m *LatencyMonitor) SetThreshold(millis int64) { m.threshold.Store(max(millis, 0)) }

// Threshold is the number of milliseconds that makes a spike; 0 means off.
func (m *LatencyMonitor) Threshold() int64 { return m.threshold.Load() }

// Wants says whether a latency counts as a spike.
func (m *LatencyMonitor) Wants(millis int64) bool {
	t := m.threshold.Load()
	return t > 0 && millis >= t
}

// Observe remembers a latency of an event if it is a spike.
func (m *LatencyMonitor) Observe(event string, millis int64) {
	if !m.Wants(millis) {
		return
	}
	now := m.clock.Wall() / 1_000_000
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.events[event]
	if e == nil {
		e = &latencyEvent{}
		m.events[event] = e
	}
	e.add(LatencySample{now, millis})
}

// Latest returns every event's last sample and totals, sorted by name.
func (m *LatencyMonitor) Latest() []LatencyLatest {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]LatencyLatest, 0, len(m.events))
	for _, name := range slices.Sorted(maps.Keys(m.events)) {
		e := m.events[name]
		out = append(out, LatencyLatest{name, *e.last(), e.max, e.sum, e.count})
	}
	return out
}

// History returns an event's samples, the oldest first, or nil if it has none.
func (m *LatencyMonitor) History(event string) []LatencySample {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.events[event]; e != nil {
		return e.inOrder()
	}
	return nil
}

// Reset forgets the named events, or all if none is named, and returns how many
// there were to forget.
func (m *LatencyMonitor) Reset(events ...string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.events)
	if len(events) == 0 {
		clear(m.events)
	}
	for _, name := range events {
		delete(m.events, name)
	}
	return before - len(m.events)
}

func (e *latencyEvent) add(s LatencySample) {
	e.max = max(e.max, s.Millis)
	e.sum += s.Millis
	e.count++
	switch last := e.last(); {
	case last != nil && last.Unix == s.Unix:
		last.Millis = max(last.Millis, s.Millis)
	case len(e.samples) < latencySamplesMax:
		e.samples = append(e.samples, s)
	default:
		e.samples[e.oldest] = s
		e.oldest = (e.oldest + 1) % latencySamplesMax
	}
}

func (e *latencyEvent) last() *LatencySample {
	n := len(e.samples)
	if n == 0 {
		return nil
	}
	return &e.samples[(e.oldest+n-1)%n]
}

func (e *latencyEvent) inOrder() []LatencySample {
	return slices.Concat(e.samples[e.oldest:], e.samples[:e.oldest])
}
