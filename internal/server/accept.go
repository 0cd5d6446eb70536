package server

import (
	"net/netip"
	"strings"

	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/session"
)

const protectedText = "" +
	"-DENIED Redis is running in protected mode because protected mode is enabled and no password is " +
	"set for the default user. In this mode connections are only accepted from the loopback " +
	"interface. If you want to connect from external computers to Redis you may adopt one of the " +
	"following solutions: 1) Just disable protected mode sending the command 'CONFIG SET " +
	"protected-mode no' from the loopback interface by connecting to Redis from the same host the " +
	"server is running, however MAKE SURE Redis is not publicly accessible from internet if you do " +
	"so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the " +
	"protected mode by editing the Redis configuration file, and setting the protected mode option " +
	"to 'no', and then restarting the server. 3) If you started the server manually just for " +
	"testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication " +
	"password for the default user. NOTE: You only need to do one of the above things in order for " +
	"the server to start accepting connections from the outside.\r\n"

// accept decides about a new connection.
func (s *Server) accept(a netloop.Accepted) (*session.Session, []byte) {
	if s.sessions.Len() >= int(netloop.MaxClients.Get(s.config)) {
		s.sessions.Refused.Add(1)
		return nil, []byte("-ERR max number of clients reached\r\n")
	}
	if netloop.ProtectedMode.Get(s.config) && !s.users.RequiresAuth() && !a.Unix && !loopback(a.Remote) {
		s.sessions.Refused.Add(1)
		return nil, []byte(protectedText)
	}
	now := s.clock.Mono()
	c := &session.Session{
		Link: a.Link, Remote: a.Remote, Local: a.Local, Unix: a.Unix,
		Created: now, LastUse: now, User: "default", Authenticated: !s.users.RequiresAuth(),
	}
	s.sessions.Add(c)
	return c, nil
}

func loopback(addr string) bool {
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		return ap.Addr().Unmap().IsLoopback()
	}
	return strings.HasPrefix(addr, "127.")
}
