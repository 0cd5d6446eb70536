// Package conncmd is the connection family of commands: who a client is, which database
// and protocol it uses, and what it may learn of other clients and do to them.
//
// What a command here sets is a field of its own session, which belongs to the loop that
// runs the command. CLIENT LIST, KILL, PAUSE and UNPAUSE read or change other sessions and
// run in exclusive mode, when no loop is in a turn.
//
// Client side caching does not exist yet: CLIENT TRACKING ON is refused, and the
// commands that ask about tracking say that it is off.
package conncmd

import (
	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/session"
)

// Deps is what this family drives; command/all fills it in.
type Deps struct {
	Version   string // of Redis, for HELLO
	Databases int    // their number, for SELECT
	Sessions  *session.Registry
	Users     *acl.Users

	// IsReplica, if set, says whether the server is one, for HELLO.
	IsReplica func() bool

	// Paused, if set, is called in exclusive mode after CLIENT PAUSE or UNPAUSE has
	// changed Sessions.Pause, so that the server can hold back, or resume, what the pause
	// is about.
	Paused func()
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "connection"}

const (
	anytime = command.NoScript | command.Loading | command.Stale
	// Before a client has said who it is it may only say so, or go.
	handshake = anytime | command.Fast | command.NoAuth | command.AllowBusy
)
