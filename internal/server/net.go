package server

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/netloop"
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
