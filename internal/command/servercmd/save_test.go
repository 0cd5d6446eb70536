package servercmd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/command/servercmd"
)

func TestSave(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 10)
	w.Clock.Advance(90 * time.Second)
	w.Do("LASTSAVE").Want("1700000000") // the start counts as one
	w.Do("SAVE").Want("OK")
	w.Do("LASTSAVE").Want("1700000090")
	dump, ok := w.files.Get("/data/dump.rdb")
	if !ok || !strings.HasPrefix(string(dump), "REDIS") || !strings.Contains(string(dump), "key:9") {
		t.Errorf("the file holds %q", dump)
	}

	w.wantNoMulti("SAVE")
}

// wantNoMulti expects a command to be refused within a transaction.
func (w *world) wantNoMulti(name string) {
	w.Do("MULTI").Want("OK")
	if text := w.Do(name).Text() + w.Do("EXEC").Text(); !strings.Contains(text, errNoMulti) {
		w.t.Errorf("%s within a transaction: %s, want %s", name, text, errNoMulti)
	}
}

const errNoMulti = "-ERR Command not allowed inside a transaction"

func TestBackgroundSave(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 10)
	w.Do("BGSAVE", "x").WantError("ERR syntax error")
	w.Do("BGSAVE", "SCHEDULE", "SCHEDULE").WantError("ERR syntax error")
	for _, call := range [][]string{{"BGSAVE"}, {"bgsave", "schedule"}} {
		w.Do(call...).Want("Background saving started")
		w.saver.Wait(nil)
	}
	if saves := w.saver.Status().Saves; saves != 2 {
		t.Errorf("%d saves, want 2", saves)
	}

	// Within a transaction it is only asked for.
	w.Do("MULTI").Want("OK")
	w.Do("BGSAVE").Want("QUEUED")
	w.Do("EXEC").WantArray("Background saving scheduled")
	w.saver.Cron()
	w.saver.Wait(nil)
	if saves := w.saver.Status().Saves; saves != 3 {
		t.Errorf("%d saves, want 3", saves)
	}
}

func TestShutdown(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		words string
		want  servercmd.ShutdownFlags
	}{
		{"", 0},
		{"save", servercmd.ShutdownSave},
		{"NOSAVE NOW FORCE", servercmd.ShutdownNoSave | servercmd.ShutdownNow | servercmd.ShutdownForce},
		{"FORCE SAVE FORCE", servercmd.ShutdownSave | servercmd.ShutdownForce},
	} {
		w.stopper.asked = nil
		w.Do(append([]string{"SHUTDOWN"}, strings.Fields(tt.words)...)...).WantRaw("")
		if len(w.stopper.asked) != 1 || w.stopper.asked[0] != tt.want {
			t.Errorf("SHUTDOWN %s: asked for %v, want %v", tt.words, w.stopper.asked, tt.want)
		}
	}

	w.stopper.asked, w.stopper.fails = nil, true
	w.Do("SHUTDOWN").WantError("ERR Errors trying to SHUTDOWN. Check logs.")
	w.Do("SHUTDOWN", "ABORT").WantError("ERR No shutdown in progress.")
	w.stopper.underway = true
	w.Do("SHUTDOWN", "ABORT").Want("OK")
	w.Do("SHUTDOWN", "abort", "ABORT").Want("OK")
	w.stopper.asked = nil
	for _, words := range []string{
		"x", "SAVE NOSAVE", "NOSAVE FORCE SAVE", "ABORT NOW", "SAVE ABORT", "ABORT FORCE",
	} {
		w.Do(append([]string{"SHUTDOWN"}, strings.Fields(words)...)...).WantError("ERR syntax error")
	}
	if len(w.stopper.asked) > 0 {
		t.Error("a call with a syntax error ended the server")
	}
	w.wantNoMulti("SHUTDOWN")
	if len(w.stopper.asked) > 0 {
		t.Error("a transaction ended the server")
	}
}
