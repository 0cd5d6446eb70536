package cmdtest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
)

// The keyspace of a test is there until the tasks are over that its commands began: one whose
// client has gone, say, tells nobody that it has ended.
func TestTaskOutlivesTest(t *testing.T) {
	var f command.Family
	var ended atomic.Bool
	f.Add(command.Spec{Name: "LATER", Arity: 2, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			key := append([]byte(nil), c.Args[1]...)
			run := func(w command.Worker, _ *resp.Writer) error {
				defer ended.Store(true)
				time.Sleep(20 * time.Millisecond)
				return w.Locked([][]byte{key}, func(c *command.Ctx) error {
					c.JournalAs([]byte("LATER"), key)
					return c.DB.SetString(key, []byte("v"), keyspace.NoTTL)
				})
			}
			return c.Detach(command.Task{Hold: [][]byte{key}, Run: run})
		}})
	t.Run("test", func(t *testing.T) {
		db := cmdtest.New(t, f.Specs)
		if got := db.Call("LATER", "k"); got != "" {
			t.Errorf("answered at once: %q", got)
		}
	})
	if !ended.Load() {
		t.Error("a task goes on behind its test")
	}
}
