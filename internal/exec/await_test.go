package exec_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// withAwait is a database with AWAIT position timeout, and the position that others reached.
func withAwait(t testing.TB) (*cmdtest.DB, *atomic.Int64) {
	var reached atomic.Int64
	var f command.Family
	f.Add(command.Spec{Name: "AWAIT", Arity: 3, Run: func(c *command.Ctx) error {
		position, _ := numtext.ParseInt(c.Args[1])
		until, err := c.TimeoutMillis(2)
		if err != nil {
			return err
		}
		return c.Await(command.Await{
			Reached: func() bool { return reached.Load() >= position },
			Until:   until,
			Reply:   func(out *resp.Writer) { out.Int(reached.Load()) },
		})
	}})
	return cmdtest.New(t, f.Specs, txcmd.Family.Specs), &reached
}

func TestAwait(t *testing.T) {
	db, reached := withAwait(t)
	early, late, timed := db.NewClient(), db.NewClient(), db.NewClient()
	for _, c := range []struct {
		client   *cmdtest.Client
		position string
	}{{early, "5"}, {late, "9"}, {timed, "9"}} {
		if got := c.client.Call("AWAIT", c.position, "1000"); got != "" {
			t.Fatalf("%q", got)
		}
	}
	if n := db.Shared.Sessions.Blocked.Load(); n != 3 {
		t.Errorf("%d clients wait", n)
	}
	if got := db.Call("AWAIT", "0", "0"); got != ":0\r\n" {
		t.Errorf("what is reached already: %q", got)
	}
	early.Turn(resp.AppendCommand(nil, "MULTI")) // behind the wait
	reached.Store(7)
	if got := string(early.Tick()); got != "" {
		t.Errorf("%q before anybody was told", got)
	}
	db.Shared.Reached()
	if got := string(early.Tick()); got != ":7\r\n+OK\r\n" {
		t.Errorf("%q", got)
	}
	if got := early.Call("AWAIT", "9", "0"); got != "+QUEUED\r\n" {
		t.Errorf("%q", got)
	}
	if got := early.Call("EXEC"); got != "*1\r\n:7\r\n" {
		t.Errorf("%q", got)
	}
	const unblocked = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"
	if !timed.Session.Wait.Unblock(true) || string(timed.Tick()) != unblocked {
		t.Error("it was not unblocked")
	}
	db.Clock.Advance(2 * time.Second)
	if got := string(late.Tick()); got != ":7\r\n" {
		t.Errorf("when the time is over: %q", got)
	}
	if n, m := db.Shared.Sessions.Blocked.Load(), db.Shared.Sessions.Timeouts.Load(); n != 0 || m != 0 {
		t.Errorf("%d clients wait, %d with a timeout", n, m)
	}
}

// A client that leaves while it waits is forgotten, and the others are not.
func TestAwaitGone(t *testing.T) {
	db, reached := withAwait(t)
	var all []*cmdtest.Client
	for range 5 {
		c := db.NewClient()
		c.Call("AWAIT", "1", "0")
		all = append(all, c)
	}
	all[0].Close()
	all[4].Close()
	reached.Store(1)
	db.Shared.Reached()
	for i, c := range all[1:4] {
		if got := string(c.Tick()); got != ":1\r\n" {
			t.Errorf("%d: %q", i, got)
		}
	}
	if n := db.Shared.Sessions.Blocked.Load(); n != 0 {
		t.Errorf("%d clients wait", n)
	}
}

// BenchmarkAwait is what ten thousand waits cost each time that somebody gets further.
func BenchmarkAwait(b *testing.B) {
	db, _ := withAwait(b)
	for range 10_000 {
		db.NewClient().Call("AWAIT", "1", "0")
	}
	for b.Loop() {
		db.Shared.Reached()
		db.Tick()
	}
}
