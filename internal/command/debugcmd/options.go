package debugcmd

import (
	"net/netip"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/session"
)

// Who may call DEBUG.
const (
	nobody = iota
	everybody
	local
)

var enable = config.Enum(config.Option{
	Name:    "enable-debug-command",
	Default: "no",
	Doc: `Who may call DEBUG: nobody, everybody, or connections from this machine only. It can stop the server for any
time, so it is for tests.`,
}, config.Choice("no", nobody), config.Choice("yes", everybody), config.Choice("local", local))

// Options are this package's options.
var Options = config.NewGroup("debugging", enable)

// allowed says whether a client may call DEBUG. Local is who comes through a unix socket
// or from a loopback address.
func allowed(set *config.Set, s *session.Session) bool {
	switch enable.Get(set) {
	case everybody:
		return true
	case local:
		at, err := netip.ParseAddrPort(s.Remote)
		return s.Unix || err == nil && at.Addr().Unmap().IsLoopback()
	default:
		return false
	}
}
