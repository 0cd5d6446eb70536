package session_test

import (
	"testing"

	"github.com/spineldb/spinel/internal/session"
)

// Monitors are found without looking at every session, each once, and not after they
// stopped; a list that somebody goes through does not change under him.
func TestMonitors(t *testing.T) {
	r := session.NewRegistry()
	var all [4]session.Session
	for i := range all {
		r.Add(&all[i])
	}
	r.SetMonitor(&all[1], true)
	r.SetMonitor(&all[3], true)
	r.SetMonitor(&all[3], true)
	before := r.Seeing()
	r.SetMonitor(&all[1], false)
	r.SetMonitor(&all[0], false)
	if len(before) != 2 || before[0] != &all[1] || before[1] != &all[3] {
		t.Errorf("the list changed while it was held: %d sessions", len(before))
	}
	if got := r.Seeing(); len(got) != 1 || got[0] != &all[3] || r.Monitors.Load() != 1 {
		t.Errorf("%d monitors, counted %d; want the fourth session alone", len(got), r.Monitors.Load())
	}
}
