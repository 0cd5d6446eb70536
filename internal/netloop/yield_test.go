package netloop

import "testing"

// TestYielder shows when a loop hands its processor over: when it has been busy, and more
// and more seldom as long as that is dear.
func TestYielder(t *testing.T) {
	var y yielder
	turns, now := uint64(0), int64(1)
	due := func(passed int64, count uint64) bool {
		now, turns = now+passed, turns+count
		return y.due(now, turns)
	}
	if due(0, 0) {
		t.Error("due before the first turn")
	}
	if due(yieldEvery-1, yieldTurns) {
		t.Error("due before its time")
	}
	if !due(1, 0) {
		t.Error("not due although the loop was busy")
	}
	if due(yieldEvery, yieldTurns-1) {
		t.Error("due although the loop was calm")
	}
	if !due(yieldEvery, yieldTurns) {
		t.Error("not due when busy again")
	}
	y.took(yieldDear, now)
	if !due(yieldEvery, yieldTurns) {
		t.Error("not due after a cheap one")
	}
	last := yieldEvery
	for range 10 {
		y.took(yieldDear+1, now)
		pause := min(2*last, yieldPause)
		if due(pause-1, yieldTurns) {
			t.Errorf("due within the pause of %d", pause)
		}
		if !due(1, 0) {
			t.Errorf("not due after the pause of %d", pause)
		}
		last = pause
	}
	y.took(yieldDear, now)
	if !due(yieldEvery, yieldTurns) {
		t.Error("still in a pause after a cheap one")
	}
}
