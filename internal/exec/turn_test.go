package exec_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/session"
)

// A holder is the gate of a server whose clients may be paused.
type holder struct{ sessions *session.Registry }

func (h holder) Admit(_ *session.Session, _ *command.Spec, _ command.Flags, now int64) error {
	if h.sessions.Pause.Mode(now) == session.PauseAll {
		return exec.ErrPostpone
	}
	return nil
}

// notes is a family with one command, and what it was called with by each session.
func notes(got map[*session.Session]*bytes.Buffer) command.Family {
	var family command.Family
	family.Add(command.Spec{Name: "NOTE", Arity: 2, Run: func(c *command.Ctx) error {
		fmt.Fprintf(got[c.Session], "%s ", c.Args[1])
		c.Out.OK()
		return nil
	}})
	return family
}

// TestTurnsOfManyPieces cuts the streams of several sessions anywhere, some pieces to a
// turn, with pauses in between. Each session's commands must come out whole, once and in
// order, up to where the stream cannot be understood, if it is one of those, and none of
// them as another session's.
func TestTurnsOfManyPieces(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 2))
		pauses := seed%2 == 0 // or the other end closes behind its last command, but not both
		got, want := map[*session.Session]*bytes.Buffer{}, map[*session.Session]*bytes.Buffer{}
		db := cmdtest.New(t, notes(got).Specs)
		db.Shared.Gates = []exec.Gate{holder{db.Shared.Sessions}}
		left := map[*session.Session][]byte{}
		var all []*session.Session
		for id := range 3 {
			s := db.NewClient().Session
			all = append(all, s)
			got[s], want[s] = &bytes.Buffer{}, &bytes.Buffer{}
			left[s] = stream(rng, id, want[s])
		}
		x := db.Executor
		for turn := 0; turn < 400; turn++ {
			db.Clock.Advance(1e6)
			now := db.Clock.Mono()
			if pauses && turn < 300 && rng.IntN(4) == 0 {
				db.Shared.Sessions.Pause.Set(session.PauseByClient, session.PauseAll, now+3e6, now)
			}
			x.Begin(now)
			for range rng.IntN(6) {
				s := all[rng.IntN(len(all))]
				n := min(1+rng.IntN(40), len(left[s]))
				if n > 0 {
					x.Received(s, bytes.Clone(left[s][:n]))
				}
				if left[s] = left[s][n:]; n > 0 && len(left[s]) == 0 && !pauses {
					x.EOF(s)
				}
			}
			x.Tick(now)
			x.Run()
			x.Dirty()
			x.End()
		}
		for i, s := range all {
			if got[s].String() != want[s].String() {
				t.Fatalf("seed %d, session %d:\n got %s\nwant %s", seed, i, got[s], want[s])
			}
		}
	}
}

// stream is many commands, and what is to come out. Some end with what nobody understands
// and commands behind it, which must not come out.
func stream(rng *rand.Rand, id int, want *bytes.Buffer) (b []byte) {
	for i := range 30 {
		arg := fmt.Sprintf("%d:%d:%s", id, i, bytes.Repeat([]byte("x"), rng.IntN(30)))
		fmt.Fprintf(want, "%s ", arg)
		if rng.IntN(3) == 0 {
			b = fmt.Appendf(b, "NOTE %s\r\n", arg)
		} else {
			b = fmt.Appendf(b, "*2\r\n$4\r\nNOTE\r\n$%d\r\n%s\r\n", len(arg), arg)
		}
	}
	if bad := []string{"", "*x\r\n", "*1\r\n$x\r\n", "*2\r\n$4\r\nNOTExx"}[rng.IntN(4)]; bad != "" {
		b = append(b, bad...)
		b = append(b, "NOTE never\r\n*2\r\n$4\r\nNOTE\r\n$5\r\nnever\r\n"...)
	}
	return b
}
