package servercmd_test

import (
	"testing"
	"time"
)

// BGREWRITEAOF begins, is scheduled behind a save and in a transaction, and is refused while
// there is one; BGSAVE the other way round. SAVE does not wait for it.
func TestRewrite(t *testing.T) {
	const (
		started   = "Background append only file rewriting started"
		scheduled = "Background append only file rewriting scheduled"
	)
	w := newWorld(t)
	w.fill(0, 10)
	w.Do("BGREWRITEAOF").Want(started)
	w.waitRewrite()
	if text, ok := w.files.Get("/data/appendonlydir/appendonly.aof.manifest"); !ok ||
		string(text) != "file appendonly.aof.1.base.rdb seq 1 type b\n" {
		t.Errorf("the manifest is %q", text)
	}
	w.Do("MULTI").Want("OK")
	w.Do("BGREWRITEAOF").Want("QUEUED")
	w.Do("EXEC").WantArray(scheduled)
	w.keeper.Cron()
	w.waitRewrite()

	w.delay("10000000")
	w.Do("BGSAVE").Want("Background saving started")
	w.Do("BGREWRITEAOF").Want(scheduled)
	if !w.keeper.Status().Scheduled {
		t.Error("it is not scheduled")
	}
	w.delay("0")
	w.saver.Cancel()
	w.saver.Wait(nil)

	w.delay("10000000")
	w.Do("BGREWRITEAOF").Want(started)
	w.Do("BGREWRITEAOF").WantError("ERR Background append only file rewriting already in progress")
	for !w.saver.Busy() {
		time.Sleep(time.Millisecond)
	}
	w.Do("BGSAVE").WantError("ERR Another child process is active (AOF?): can't BGSAVE right now. " +
		"Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.")
	w.Do("BGSAVE", "SCHEDULE").Want("Background saving scheduled")
	w.delay("0")
	w.Do("SAVE").Want("OK")
	if st := w.keeper.Status(); st.Rewriting || !st.Scheduled {
		t.Errorf("after SAVE: %+v", st)
	}
}

func (w *world) waitRewrite() {
	for w.keeper.IsRewriting() {
		time.Sleep(time.Millisecond)
	}
}

// delay makes snapshots wait at each key.
func (w *world) delay(micros string) {
	w.t.Helper()
	err := w.options.ConfigSet([][]byte{[]byte("rdb-key-save-delay"), []byte(micros)}, true)
	if err != nil {
		w.t.Fatal(err)
	}
}
