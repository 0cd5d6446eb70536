// Package clock is where time comes from: the machine's clock in a server, a
// clock that a test moves by hand.
//
// Two kinds of time never mix. Wall time is what users see and store (expiry,
// LASTSAVE, stream ids) and may jump when somebody sets the clock. Monotonic
// time only measures how long something took or when to wake, and never jumps.
package clock

import (
	"sync/atomic"
	"time"
)

// Millis is a wall time in milliseconds since the Unix epoch, or a difference
// of two of them. Redis stores every expiry in this unit.
type Millis int64

// A Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	// Wall is the wall time in microseconds since the Unix epoch.
	Wall() int64
	// Mono is a monotonic reading in nanoseconds; only differences mean anything.
	Mono() int64
}

// System is the machine's clock.
type System struct{}

var processStart = time.Now()

// Wall implements [Clock].
func (System) Wall() int64 { return time.Now().UnixMicro() }

// Mono implements [Clock].
func (System) Mono() int64 { return int64(time.Since(processStart)) }

// Now is c's wall time in milliseconds.
func Now(c Clock) Millis { return Millis(c.Wall() / 1000) }

// Manual is a clock that stands still until a test moves it.
// Its zero value stands at the Unix epoch.
type Manual struct {
	wallMicros atomic.Int64
	monoNanos  atomic.Int64
}

// NewManual returns a clock that stands at the given wall time.
func NewManual(at Millis) *Manual {
	m := &Manual{}
	m.wallMicros.Store(int64(at) * 1000)
	return m
}

// Wall implements [Clock].
func (m *Manual) Wall() int64 { return m.wallMicros.Load() }

// Mono implements [Clock].
func (m *Manual) Mono() int64 { return m.monoNanos.Load() }

// Advance moves both kinds of time forward.
func (m *Manual) Advance(d time.Duration) {
	m.wallMicros.Add(d.Microseconds())
	m.monoNanos.Add(d.Nanoseconds())
}

// SetWall moves only the wall time, as somebody who sets the machine's clock does.
func (m *Manual) SetWall(at Millis) { m.wallMicros.Store(int64(at) * 1000) }
