package exec_test

import (
	"strings"
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
