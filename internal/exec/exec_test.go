package exec_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/session"
)

// The memory of a connection's query counts at once, and no longer when it has closed.
func TestBuffersOfClosed(t *testing.T) {
	db := cmdtest.New(t)
	c := db.NewClient()
	c.Raw([]byte("*2\r\n$3\r\nGET\r\n$100\r\nhalf of"))
	at := db.Keyspace.Buffers.Load()
	if at == 0 {
		t.Error("half of a command takes no memory")
	}
	db.Keyspace.Exclusive(nil, func() { db.Keyspace.Buffers.Store(db.Shared.Idle(db.Clock.Mono())) })
	if n := db.Keyspace.Buffers.Load(); n != at {
		t.Errorf("%d bytes, and %d when all are looked at", at, n)
	}
	c.Close()
	if n := db.Keyspace.Buffers.Load(); n != 0 {
		t.Errorf("%d bytes are counted after the end", n)
	}
}

// A command that was cut on its way does not see the buffer that it was put together in:
// what INFO says of the memory does not depend on how the network cut it.
func TestCutCommandSeesNoBuffer(t *testing.T) {
	var f command.Family
	seen := int64(-1)
	var buffers *atomic.Int64
	f.Add(command.Spec{Name: "LOOK", Arity: 1, Run: func(c *command.Ctx) error {
		seen = buffers.Load()
		return nil
	}})
	db := cmdtest.New(t, f.Specs)
	buffers = &db.Keyspace.Buffers
	for _, piece := range []string{"*1\r\n$4\r\nLO", "OK\r\n"} {
		db.Raw([]byte(piece))
	}
	if seen != 0 {
		t.Errorf("%d bytes while it runs, want 0", seen)
	}
}

// Monitors see EXEC behind the commands of its transaction, and also when it fails.
func TestMonitorSeesExec(t *testing.T) {
	var noop command.Family
	noop.Add(command.Spec{Name: "NOOP", Arity: 1, Run: func(*command.Ctx) error { return nil }})
	db := cmdtest.New(t, txcmd.Family.Specs, noop.Specs)
	db.Shared.Sessions.Monitors.Add(1)
	var seen []string
	db.Shared.Monitor = func(_ *session.Session, _ int, args command.Args) {
		seen = append(seen, string(args[0]))
	}
	for _, call := range []string{"MULTI", "NOOP", "EXEC", "MULTI", "NOPE", "EXEC", "EXEC"} {
		db.Do(call)
	}
	if got := strings.Join(seen, " "); got != "MULTI NOOP EXEC MULTI EXEC EXEC" {
		t.Errorf("monitors saw %s", got)
	}
}
