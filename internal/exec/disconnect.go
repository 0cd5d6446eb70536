package exec

import (
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var errRoleChanged = &resp.Error{Code: "UNBLOCKED", Text: "force unblock from blocking operation, " +
	"instance state changed (master -> replica?)"}

// DisconnectBlocked ends the waits of all clients, who are told so, and their connections: a
// server that becomes a replica must not serve them what its master's clients are to get. It
// is called in exclusive mode.
func (sh *Shared) DisconnectBlocked() {
	for _, s := range sh.Sessions.All() {
		b, ok := s.Wait.(*blocked)
		if !ok {
			continue
		}
		if done, _ := b.waiter.Cancel(); !done {
			continue // it is over, and its loop is about to be told
		}
		b.erred = true
		out := resp.Writer{Resp3: b.resp3}
		out.Error(errRoleChanged)
		s.Closing = session.AfterReply
		s.Answer(taken(&out))
	}
}
