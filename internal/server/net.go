package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/session"
)

// addresses are what bind and port ask for: network and address of each listener, and
// whether it may be missing.
func (s *Server) addresses() (out []address) {
	port := strconv.Itoa(int(netloop.Port.Get(s.config)))
	if port == "0" {
		return nil
	}
	for _, name := range netloop.Bind.Get(s.config) {
		name, optional := strings.CutPrefix(name, "-")
		network := "tcp4"
		switch {
		case name == "*":
			name = ""
		case name == "::*":
			name, network = "::", "tcp6"
		case strings.Contains(name, ":"):
			network = "tcp6"
		}
		out = append(out, address{network, net.JoinHostPort(name, port), optional})
	}
	return out
}

type address struct {
	network, addr string
	optional      bool
}

// listen opens all listeners.
func (s *Server) listen() error {
	opened, err := s.openAll(s.addresses(), nil)
	if err != nil {
		return err
	}
	if path := netloop.UnixSocket.Get(s.config); path != "" {
		perm := uint32(netloop.UnixSocketPerm.Get(s.config))
		if _, err := s.net.Listen("unix", path, int(netloop.Backlog.Get(s.config)), perm); err != nil {
			//lint:ignore ST1005 Redis's words
			return fmt.Errorf("Failed opening Unix socket: bind: %w", err)
		}
		opened++
	}
	if opened == 0 {
		return errNotListening
	}
	return nil
}

// openAll opens the addresses that are not among those already open.
func (s *Server) openAll(all []address, open map[address]bool) (n int, err error) {
	for _, a := range all {
		if open[address{a.network, a.addr, false}] {
			n++
			continue
		}
		if _, err := s.net.Listen(a.network, a.addr, int(netloop.Backlog.Get(s.config)), 0); err != nil {
			if a.optional {
				continue
			}
			//lint:ignore ST1005 Redis's words
			return n, fmt.Errorf("Could not create server TCP listening socket %s: bind: %w", a.addr, err)
		}
		n++
	}
	return n, nil
}

// followNetwork moves the listeners when bind or port change. The new ones are opened
// first; if that fails the old ones stay and the change is refused.
func (s *Server) followNetwork() {
	current, currentPort := s.addresses(), netloop.Port.Get(s.config)
	s.config.OnApply(netloop.Port, func() error {
		fresh := s.addresses()
		open, wanted := map[address]bool{}, map[address]bool{}
		for _, a := range current {
			open[address{a.network, a.addr, false}] = true
		}
		for _, a := range fresh {
			wanted[address{a.network, a.addr, false}] = true
		}
		port := netloop.Port.Get(s.config)
		samePort := port == currentPort
		if _, err := s.openAll(fresh, open); err != nil {
			s.slog.Warn(err.Error())
			for a := range wanted {
				if !open[a] {
					s.net.Unlisten(a.network, a.addr)
				}
			}
			if samePort {
				return errBind
			}
			return errListen
		}
		for a := range open {
			if !wanted[a] {
				s.net.Unlisten(a.network, a.addr)
			}
		}
		current, currentPort = fresh, port
		return nil
	}, netloop.Bind)
	backend := netloop.IOBackend.Name(s.config)
	s.config.OnApply(netloop.IOBackend, func() error {
		if netloop.IOBackend.Name(s.config) != backend {
			return errBackend
		}
		return nil
	})
}

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

// A peer is a connection to another server, for MIGRATE. It ends with this server.
type peer struct {
	net.Conn
	clock   clock.Clock
	timeout time.Duration
	cancel  context.CancelFunc
}

// dialPeer connects to another server.
func (s *Server) dialPeer(host, port string, timeout time.Duration) (keycmd.Peer, error) {
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, err // and not a service by its name
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		cancel()
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &peer{Conn: conn, clock: s.clock, timeout: timeout, cancel: cancel}, nil
}

// SetTimeout implements keycmd.Peer.
func (p *peer) SetTimeout(d time.Duration) { p.timeout = d }

func (p *peer) deadline() time.Time { return time.UnixMicro(p.clock.Wall()).Add(p.timeout) }

func (p *peer) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(p.deadline()); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

// peerPart is how many bytes must be sent within one timeout.
const peerPart = 64 << 10

func (p *peer) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if err = p.SetWriteDeadline(p.deadline()); err != nil {
			break
		}
		var m int
		m, err = p.Conn.Write(b[n:min(n+peerPart, len(b))])
		n += m
	}
	return n, err
}

// Close implements keycmd.Peer.
func (p *peer) Close() error {
	p.cancel()
	return p.Conn.Close()
}
