package conncmd

import (
	"math"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var clientPause = command.Sub[Deps]{Spec: command.Spec{
	Name:       "PAUSE",
	Summary:    "Stop processing commands from clients for some time",
	Since:      "2.9.50",
	Complexity: "O(1)",
	History:    [][2]string{{"6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option."}},
	Syntax:     "timeout:integer [mode=(WRITE|ALL)]{since 6.2.0}",
	Arity:      -3,
	Flags:      anytime | command.Admin | command.Exclusive,
	ACL:        command.CatConnection,
}, Run: pause}

var (
	errPauseMode       = resp.Errorf("CLIENT PAUSE mode must be WRITE or ALL")
	errTimeout         = resp.Errorf("timeout is not an integer or out of range")
	errTimeoutNegative = resp.Errorf("timeout is negative")
	errTimeoutRange    = resp.Errorf("timeout is out of range")
)

// pause holds back the commands of clients, or only those that write.
func pause(d Deps, c *command.Ctx) error {
	mode := session.PauseAll
	switch {
	case len(c.Args) > 4:
		return wrongUse(c)
	case len(c.Args) == 3 || c.Args.Is(3, "ALL"):
	case c.Args.Is(3, "WRITE"):
		mode = session.PauseWrites
	default:
		return errPauseMode
	}
	ms, ok := numtext.ParseInt(c.Args[2])
	switch {
	case !ok:
		return errTimeout
	case ms < 0:
		return errTimeoutNegative
	case ms > math.MaxInt64-int64(c.Now):
		return errTimeoutRange
	}
	// What is too long for nanoseconds is longer than any server lives.
	ns := min(ms, math.MaxInt64/int64(time.Millisecond)) * int64(time.Millisecond)
	d.Sessions.Pause.Set(session.PauseByClient, mode, addSaturating(c.Mono, ns), c.Mono)
	d.pauseChanged()
	c.Out.OK()
	return nil
}

var clientUnpause = command.Sub[Deps]{Spec: command.Spec{
	Name:       "UNPAUSE",
	Summary:    "Resume processing of clients that were paused",
	Since:      "6.2.0",
	Complexity: "O(N) Where N is the number of paused clients",
	Arity:      2,
	Flags:      anytime | command.Admin | command.Exclusive,
	ACL:        command.CatConnection,
}, Run: func(d Deps, c *command.Ctx) error {
	d.Sessions.Pause.Clear(session.PauseByClient)
	d.pauseChanged()
	c.Out.OK()
	return nil
}}

func (d Deps) pauseChanged() {
	if d.Paused != nil {
		d.Paused()
	}
}

// addSaturating is a+b, or the largest number if that is too large. Neither is negative.
func addSaturating(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
