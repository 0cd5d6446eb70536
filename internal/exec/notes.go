package exec

import (
	"context"
	"fmt"

	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/session"
)

// writeNotes writes to the log what a command, or those of a transaction, have noted for it.
// The locks are released: nobody waits for the disk. The reply has not left yet, so who has
// it finds the line.
func (x *Executor) writeNotes(s *session.Session) {
	notes, more := x.ctx.TakeNotes()
	for _, note := range notes {
		x.Log.Log(context.Background(), observe.LevelVerbose, note, "id", s.ID, "addr", s.Remote)
	}
	if more > 0 {
		x.Log.Log(context.Background(), observe.LevelVerbose,
			fmt.Sprintf("%d more lines of one transaction are left out", more), "id", s.ID, "addr", s.Remote)
	}
}
