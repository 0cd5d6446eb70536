package servercmd_test

import (
	"fmt"
	"testing"
)

func TestFlush(t *testing.T) {
	const many = 2000 // enough for FLUSHDB to replace the arenas
	for _, tt := range []struct {
		call      []string
		lazy      bool
		in0, in1  int // keys before
		out0      string
		out1      string
		pending   bool // keys are freed in the background
		backgound int  // tasks left to do there
	}{
		{call: []string{"FLUSHALL"}, in0: 3, in1: 3, out0: "0", out1: "0", backgound: 1},
		{call: []string{"FLUSHALL", "ASYNC"}, in0: 3, in1: 3, out0: "0", out1: "0", backgound: 1},
		{call: []string{"FLUSHALL", "sync"}, lazy: true, out0: "0", out1: "0", backgound: 1},
		{call: []string{"FLUSHDB"}, in0: 3, in1: 3, out0: "0", out1: "3"},
		{call: []string{"FLUSHDB"}, lazy: true, in0: 3, in1: 3, out0: "0", out1: "3", pending: true},
		{call: []string{"FLUSHDB", "ASYNC"}, in0: 3, in1: 3, out0: "0", out1: "3", pending: true},
		{call: []string{"FLUSHDB", "SYNC"}, lazy: true, in0: 3, in1: 3, out0: "0", out1: "3"},
		{call: []string{"FLUSHDB"}, in0: many, out0: "0", out1: "0", backgound: 1}, // the only one with keys
		{call: []string{"FLUSHDB"}, in0: many, in1: 1, out0: "0", out1: "1"},
	} {
		w := newWorld(t)
		w.lazy = tt.lazy
		w.fill(0, tt.in0)
		w.fill(1, tt.in1)
		w.RecordJournal()
		w.Do(tt.call...).Want("OK")
		w.WantJournal(join(tt.call)) // even if there was nothing to remove
		w.Do("DBSIZE").Want(tt.out0)
		w.Session.DB = 1
		w.Do("DBSIZE").Want(tt.out1)
		pending := w.Keyspace.Stats.LazyFreePending.Load()
		if pending > 0 != tt.pending || len(w.tasks) != tt.backgound {
			t.Errorf("%v: %d keys and %d tasks are left for the background", tt.call, pending, len(w.tasks))
		}
		w.runTasks()
		if flushed := tt.call[0] == "FLUSHALL"; flushed != (w.flushed == 1) {
			t.Errorf("%v: the snapshot was reset %d times", tt.call, w.flushed)
		}
	}
	w := newWorld(t)
	for _, call := range [][]string{{"FLUSHALL", "x"}, {"FLUSHDB", "SYNC", "ASYNC"}, {"FLUSHALL", ""}} {
		w.Do(call...).WantError("ERR syntax error")
	}
}

func join(words []string) string {
	text := fmt.Sprint(words)
	return text[1 : len(text)-1]
}

// A flush within a transaction is seen by what follows in it, and journalled with it.
func TestFlushInTransaction(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 3)
	w.RecordJournal()
	w.Do("MULTI").Want("OK")
	w.Do("SET", "a", "1").Want("QUEUED")
	w.Do("FLUSHALL").Want("QUEUED")
	w.Do("SET", "b", "2").Want("QUEUED")
	w.Do("DBSIZE").Want("QUEUED")
	w.Do("EXEC").WantArray("OK", "OK", "OK", "1")
	w.WantJournal("MULTI", "SET a 1", "FLUSHALL", "SET b 2", "EXEC")
}

// Flushing sets off the watches of keys that were there.
func TestFlushFiresWatches(t *testing.T) {
	for _, flush := range []string{"FLUSHALL", "FLUSHDB"} {
		w := newWorld(t)
		w.Do("SET", "k", "v").Want("OK")
		other := w.NewClient()
		other.Do("WATCH", "k").Want("OK")
		w.Do(flush).Want("OK")
		other.Do("MULTI").Want("OK")
		other.Do("DBSIZE").Want("QUEUED")
		other.Do("EXEC").WantNil()
	}
}

func TestSwapDB(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 2)
	w.fill(1, 5)
	w.RecordJournal()
	w.Do("SWAPDB", "0", "1").Want("OK")
	w.Do("DBSIZE").Want("5")
	w.Do("SWAPDB", "1", "1").Want("OK")
	w.Do("DBSIZE").Want("5")
	w.WantJournal("SWAPDB 0 1", "SWAPDB 1 1")
	for _, tt := range []struct{ a, b, want string }{
		{"a", "1", "ERR invalid first DB index"},
		{"1", "b", "ERR invalid second DB index"},
		{"a", "b", "ERR invalid first DB index"},
		{"1", "99999999999", "ERR invalid second DB index"},
		{"9223372036854775808", "1", "ERR invalid first DB index"},
		{"0", "16", "ERR DB index is out of range"},
		{"-1", "0", "ERR DB index is out of range"},
	} {
		w.Do("SWAPDB", tt.a, tt.b).WantError(tt.want)
	}
	w.WantJournal()
}
