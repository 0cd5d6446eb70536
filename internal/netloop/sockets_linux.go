//go:build linux && (amd64 || arm64)

package netloop

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// bind makes ln's socket and listens. Options that connections inherit from their
// listener on Linux (no delay, keep-alive) are set here once and not for each.
func (ln *listener) bindSocket(backlog int, perm uint32, keepAlive int) error {
	var sa unix.Sockaddr
	domain := unix.AF_UNIX
	if ln.network == "unix" {
		sa = &unix.SockaddrUnix{Name: ln.addr}
	} else {
		a, err := net.ResolveTCPAddr(ln.network, ln.addr)
		if err != nil {
			return err
		}
		domain, sa = sockaddr(a.AddrPort(), ln.network)
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	ln.fd = fd
	if err := ln.prepare(domain, sa, backlog, perm, keepAlive); err != nil {
		_ = unix.Close(fd) // the error that counts is the first one
		ln.fd = -1
		return err
	}
	return nil
}

// sockaddr is the system's form of an address. An unspecified host means every IPv4
// address unless the network says tcp6.
func sockaddr(a netip.AddrPort, network string) (domain int, sa unix.Sockaddr) {
	ip := a.Addr()
	if ip.Is4() || ip.Is4In6() || !ip.IsValid() && network != "tcp6" {
		v4 := &unix.SockaddrInet4{Port: int(a.Port())}
		if ip.IsValid() {
			v4.Addr = ip.As4()
		}
		return unix.AF_INET, v4
	}
	v6 := &unix.SockaddrInet6{Port: int(a.Port())}
	if ip.IsValid() {
		v6.Addr = ip.As16()
		if zone := ip.Zone(); zone != "" {
			if i, err := net.InterfaceByName(zone); err == nil {
				v6.ZoneId = uint32(i.Index)
			}
		}
	}
	return unix.AF_INET6, v6
}

func (ln *listener) prepare(domain int, sa unix.Sockaddr, backlog int, perm uint32, keepAlive int) error {
	fd := ln.fd
	if domain == unix.AF_UNIX {
		if info, err := os.Lstat(ln.addr); err == nil && info.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(ln.addr) // left behind; if it stays, bind says so
		}
	} else {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		ln.setKeepAlive(fd, keepAlive)
		ln.keepAlive = keepAlive
	}
	if domain == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, sa); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if domain == unix.AF_UNIX && perm != 0 {
		// Before listen: nobody can connect while the permissions are too wide.
		if err := os.Chmod(ln.addr, os.FileMode(perm)); err != nil {
			return err
		}
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return os.NewSyscallError("listen", err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	ln.bound = addrText(bound, ln.addr)
	if ln.network == "unix" {
		ln.bound, ln.local = ln.addr, ln.addr+":0"
	} else if a, err := netip.ParseAddrPort(ln.bound); err == nil && !a.Addr().IsUnspecified() {
		ln.local = ln.bound
	}
	return nil
}

// setKeepAlive has dead peers found after about twice the interval: the first
// probe after it, then three a third of it apart.
func (ln *listener) setKeepAlive(fd, seconds int) {
	on := 0
	if seconds > 0 {
		on = 1
	}
	// A connection works without these, and there is nobody to tell.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, on)
	if seconds > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, max(1, seconds/3))
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3)
	}
}

// addrText is an address as CLIENT LIST shows it.
func addrText(sa unix.Sockaddr, path string) string {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)).String()
	}
	return path + ":0"
}

// closeSocket ends listening at once. A ring may still hold the socket, and closing
// the descriptor alone would leave it listening, so it is shut down first.
func (ln *listener) closeSocket() {
	_ = unix.Shutdown(ln.fd, unix.SHUT_RDWR)
	_ = unix.Close(ln.fd)
	ln.fd = -1
	if ln.network == "unix" {
		_ = os.Remove(ln.addr)
	}
}

// sockets accepts connections for the pollers that work on descriptors.
type sockets struct {
	l       *loop
	accept4 acceptFunc // replaced by tests that inject failures
}

type acceptFunc func(fd, flags int) (int, unix.Sockaddr, error)

func (k *sockets) setAccept(f acceptFunc) { k.accept4 = f }

func (k *sockets) accept() {
	l := k.l
	// From the end, since a listener that has nothing left is taken out of the list.
	for i := len(l.accepting.ready) - 1; i >= 0; i-- {
		if !k.acceptFrom(l.accepting.ready[i]) {
			return
		}
	}
}

// acceptFrom takes at most acceptBatch connections. It returns false if the system
// is out of descriptors.
func (k *sockets) acceptFrom(ln *listener) bool {
	l := k.l
	ln.mu.Lock()
	defer ln.mu.Unlock()
	keepAlive := l.srv.cfg.KeepAlive()
	if ln.network != "unix" && !ln.closed && ln.keepAlive != keepAlive {
		ln.setKeepAlive(ln.fd, keepAlive)
		ln.keepAlive = keepAlive
	}
	for range acceptBatch {
		if ln.closed {
			l.accepting.drop(ln)
			return true
		}
		fd, sa, err := k.accept4(ln.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			l.acceptWorks()
			k.admitSocket(ln, fd, sa)
		case unix.EAGAIN:
			l.acceptWorks()
			l.accepting.drop(ln)
			return true
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			l.acceptFailed(os.NewSyscallError("accept4", err))
			return false
		case unix.EINVAL, unix.EBADF: // shut down
			l.accepting.drop(ln)
			return true
		default:
			// The connection that was waiting has failed, or a signal came; go on.
		}
	}
	l.again = true
	return true
}

func (k *sockets) admitSocket(ln *listener, fd int, sa unix.Sockaddr) {
	c := &conn{fd: int32(fd)}
	a := Accepted{FD: fd, Local: ln.local}
	if ln.network == "unix" {
		a.Remote, a.Unix = ln.local, true
	} else {
		a.Remote = addrText(sa, "")
		if a.Local == "" {
			if local, err := unix.Getsockname(fd); err == nil {
				a.Local = addrText(local, "")
			}
		}
	}
	refuse, ok := k.l.admit(c, a)
	if ok {
		return
	}
	if len(refuse) > 0 {
		// As Redis: tried once, and not waited for.
		_ = unix.Sendto(fd, refuse, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, nil)
	}
	_ = unix.Close(fd)
}

// linger takes what a connection that is about to be closed has sent: closing with
// unread bytes makes the kernel reset the connection, and the last reply could be
// lost on its way. It is bounded; a client that sends on and on gets its reset.
func linger(fd int32, scratch []byte) {
	for range lingerReads {
		if n, errno := recvRaw(fd, scratch); errno != 0 || n == 0 {
			return
		}
	}
}

const lingerReads = 4

// errnoText turns an errno into an error only where one is needed.
func errnoError(call string, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return os.NewSyscallError(call, errno)
}

// shutSocket ends both directions of a connection. That it has ended already is no error.
func shutSocket(fd int) { _ = unix.Shutdown(fd, unix.SHUT_RDWR) }

// setNoDelay is TCP_NODELAY. A connection works without it, and there is nobody to tell.
func setNoDelay(fd int, on bool) {
	value := 0
	if on {
		value = 1
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, value)
}
