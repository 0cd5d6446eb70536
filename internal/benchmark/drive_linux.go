package benchmark

import (
	"errors"
	"io"
	"net"
	"runtime"

	"golang.org/x/sys/unix"
)

// systemDriver is how this system's sockets are driven best.
var systemDriver driver = driveEpoll

const (
	readBufferBytes = 64 << 10
	eventsMax       = 256 // of one call
	waitMillis      = 100 // until a thread looks whether another one failed
)

// A socket is a stream with its connection.
type socket struct {
	stream
	fd         int
	out        []byte // of the batch, what the kernel has not taken yet
	connecting bool
	interest   uint32 // what epoll waits for
}

// An epoll is one thread with its connections.
type epoll struct {
	load    *load
	address unix.Sockaddr
	family  int
	fd      int
	sockets []socket
	busy    int // sockets with a batch under way
	buffer  []byte
}

// driveEpoll is a [driver] with one system thread and non-blocking sockets. Its loop
// allocates nothing.
func driveEpoll(l *load, t *tally, n int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	e := epoll{load: l, sockets: make([]socket, n), buffer: make([]byte, readBufferBytes)}
	e.address, e.family = sockaddr(l.target)
	var err error
	if e.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(e.fd)
	for i := range e.sockets {
		e.sockets[i] = socket{stream: newStream(l, t), fd: -1}
	}
	defer e.close()
	for i := range e.sockets {
		if err := e.open(i); err != nil {
			return err
		}
	}
	return e.loop()
}

func (e *epoll) close() {
	for i := range e.sockets {
		if e.sockets[i].fd >= 0 {
			_ = unix.Close(e.sockets[i].fd)
		}
	}
}

func (e *epoll) loop() error {
	events := make([]unix.EpollEvent, eventsMax)
	for !e.done() && !e.load.stopped.Load() {
		n, err := unix.EpollWait(e.fd, events, waitMillis)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		for i := range max(n, 0) {
			if err := e.handle(int(events[i].Fd), events[i].Events); err != nil {
				return err
			}
		}
	}
	return nil
}

// done reports whether there is nothing more to send or to wait for. Sockets that are not
// connected yet are not waited for, as they would find nothing to do: the server may have
// dropped their first packet, and the next one comes after a second.
func (e *epoll) done() bool {
	l := e.load
	return len(e.sockets) == 0 || e.busy == 0 && !l.idle && l.issued.Load() >= l.requests
}

// handle does what a socket is ready for.
func (e *epoll) handle(i int, events uint32) error {
	s := &e.sockets[i]
	if s.connecting {
		code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			return e.load.unreachable(err)
		}
		s.connecting = false
		e.load.connected.Add(1)
		return e.begin(i)
	}
	if events&unix.EPOLLOUT != 0 {
		if err := e.write(i); err != nil {
			return err
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return nil
	}
	n, err := unix.Read(s.fd, e.buffer)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return networkError(err)
	case n == 0:
		return networkError(io.EOF)
	}
	complete, err := s.received(e.buffer[:n], e.load.clock.Mono())
	if err != nil || !complete {
		return err
	}
	e.busy--
	if e.load.reconnect {
		_ = unix.Close(s.fd)
		s.fd = -1
		e.load.connected.Add(-1)
		if e.load.issued.Load() >= e.load.requests {
			return nil
		}
		s.reset()
		return e.open(i)
	}
	return e.begin(i)
}

// open starts to connect a socket.
func (e *epoll) open(i int) (err error) {
	s := &e.sockets[i]
	flags := unix.SOCK_STREAM | unix.SOCK_CLOEXEC
	if e.family != unix.AF_UNIX {
		flags |= unix.SOCK_NONBLOCK
	}
	if s.fd, err = unix.Socket(e.family, flags, 0); err != nil {
		s.fd = -1
		return e.load.unreachable(err)
	}
	// A Unix socket is connected at once or not at all; waiting for room in the server's
	// queue is possible only in a call that blocks.
	err = unix.Connect(s.fd, e.address)
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return e.load.unreachable(err)
	}
	if e.family == unix.AF_UNIX {
		err = unix.SetNonblock(s.fd, true)
	} else {
		err = unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err != nil {
		return networkError(err)
	}
	s.connecting, s.interest = true, unix.EPOLLOUT
	event := unix.EpollEvent{Events: s.interest, Fd: int32(i)}
	return unix.EpollCtl(e.fd, unix.EPOLL_CTL_ADD, s.fd, &event)
}

// begin sends the next batch. A socket that gets none stays connected, and is no longer
// looked at but to see its end in idle mode.
func (e *epoll) begin(i int) error {
	s := &e.sockets[i]
	s.out = s.next(e.load.clock.Mono())
	if s.out == nil {
		if e.load.idle {
			return e.wait(i, unix.EPOLLIN)
		}
		return unix.EpollCtl(e.fd, unix.EPOLL_CTL_DEL, s.fd, nil)
	}
	e.busy++
	return e.write(i)
}

// write sends what the kernel takes, and waits for room if it does not take all.
func (e *epoll) write(i int) error {
	s := &e.sockets[i]
	for len(s.out) > 0 {
		n, err := unix.Write(s.fd, s.out)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return e.wait(i, unix.EPOLLIN|unix.EPOLLOUT)
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
			s.out = nil // why the server closed the connection may still be there to read
		case err != nil:
			return networkError(err)
		default:
			s.out = s.out[n:]
		}
	}
	return e.wait(i, unix.EPOLLIN)
}

// wait changes what epoll waits for, if it does.
func (e *epoll) wait(i int, interest uint32) error {
	s := &e.sockets[i]
	if s.interest == interest {
		return nil
	}
	s.interest = interest
	event := unix.EpollEvent{Events: interest, Fd: int32(i)}
	return unix.EpollCtl(e.fd, unix.EPOLL_CTL_MOD, s.fd, &event)
}

// sockaddr is an address in the form of the system call.
func sockaddr(addr net.Addr) (address unix.Sockaddr, family int) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return &unix.SockaddrUnix{Name: addr.String()}, unix.AF_UNIX
	}
	if ip := tcp.IP.To4(); ip != nil {
		return &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip)}, unix.AF_INET
	}
	six := &unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP.To16())}
	if zone, err := net.InterfaceByName(tcp.Zone); err == nil {
		six.ZoneId = uint32(zone.Index)
	}
	return six, unix.AF_INET6
}
