package clock_test

import (
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
)

func TestManualMovesBothKindsOfTime(t *testing.T) {
	m := clock.NewManual(5000)
	m.Advance(1500 * time.Millisecond)
	if got := clock.Now(m); got != 6500 {
		t.Errorf("wall = %d ms, want 6500", got)
	}
	if got := m.Mono(); got != int64(1500*time.Millisecond) {
		t.Errorf("mono = %d ns, want 1.5 s", got)
	}
	m.SetWall(10) // a wall clock may jump back; the monotonic one may not follow
	if got := clock.Now(m); got != 10 {
		t.Errorf("wall = %d ms, want 10", got)
	}
	if got := m.Mono(); got != int64(1500*time.Millisecond) {
		t.Errorf("mono moved with the wall clock: %d ns", got)
	}
}

func TestSystemMonoNeverGoesBack(t *testing.T) {
	var c clock.System
	last := c.Mono()
	for range 1000 {
		if now := c.Mono(); now < last {
			t.Fatalf("mono went back from %d to %d", last, now)
		} else {
			last = now
		}
	}
}
