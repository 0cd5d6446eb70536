package configcmd

import (
	"net/netip"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/session"
)

// Who may do what is dangerous.
const (
	forNobody = iota
	forEverybody
	forLocal
)

// A guard is an option that says who may do something.
type guard struct{ *config.EnumOption[int] }

// allows says whether a client may.
func (g guard) allows(set *config.Set, s *session.Session) bool {
	switch g.Get(set) {
	case forEverybody:
		return true
	case forLocal:
		return isLocal(s)
	default:
		return false
	}
}

// isLocal says whether a client is on this machine, as far as its address tells.
func isLocal(s *session.Session) bool {
	if s.Unix {
		return true
	}
	at, err := netip.ParseAddrPort(s.Remote)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

var protectedConfigs = guard{config.Enum(config.Option{
	Name:    "enable-protected-configs",
	Default: "no",
	Doc: `Who may change with CONFIG SET the options that are protected, because somebody who can set them can
write files (dir, dbfilename): nobody, everybody, or connections from this machine only.`,
}, config.Choice("no", forNobody), config.Choice("yes", forEverybody), config.Choice("local", forLocal))}

// Options are this package's options.
var Options = config.NewGroup("protection of the configuration", protectedConfigs)
