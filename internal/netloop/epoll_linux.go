//go:build linux && (amd64 || arm64)

package netloop

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Bounds of a turn of the epoll backend, in bytes unless said.
const (
	eventsMax   = 512      // events taken at once
	readSize    = 16 << 10 // one read of a connection
	readBusy    = 64 << 10 // one read of a connection that filled the last one
	directMax   = 1 << 20  // read into what Space gave, for one connection
	sendMax     = 1 << 20  // sent to one connection
	turnReadMax = 4 << 20  // read from all; the rest of the events wait for the next turn
)

// The slots that name no connection.
const (
	wakeSlot   = -1
	listenSlot = -2
)

// flagBusy marks a connection whose last read filled the buffer.
const flagBusy = 1 << 31

// An epoll is a poller on an epoll descriptor, level-triggered. A connection is
// registered once; its events change only when it cannot be sent to, or shall not
// be read from. The low bits of conn.flags are the registered events.
type epoll struct {
	sockets
	fd, eventFD int
	events      []unix.EpollEvent
	n, next     int // events[next:n] are still to be delivered
	in          arena
	msg         message
	listeners   []*listener
}

func newEpoll(l *loop) poller {
	return &epoll{sockets: sockets{l: l, accept4: unix.Accept4}, fd: -1, eventFD: -1}
}

func (p *epoll) open() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	p.fd = fd
	if p.eventFD, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	p.events = make([]unix.EpollEvent, eventsMax)
	// Edge-triggered: every write is an event, and nobody has to read it away.
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: wakeSlot}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, p.eventFD, &ev))
}

func (p *epoll) close() {
	for _, fd := range []int{p.fd, p.eventFD} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	p.in.trim(0)
}

func (p *epoll) wake() { wakeEventFD(p.eventFD) }

var one = [8]byte{1}

func wakeEventFD(fd int) {
	// It fails only if the counter is full, and then the loop is awake already.
	_, _ = unix.Write(fd, one[:])
}

func (p *epoll) poll() bool {
	if p.next < p.n {
		return true
	}
	p.next, p.n = 0, epollLook(p.fd, p.events)
	return p.n > 0
}

func (p *epoll) block(nanos int64) {
	millis := -1
	if nanos >= 0 {
		millis = int(min((nanos+999_999)/1_000_000, 1<<30))
	}
	p.next, p.n = 0, epollBlock(p.fd, p.events, millis)
}

func (p *epoll) gather() {
	l := p.l
	read := l.windowIn
	for p.next < p.n {
		ev := &p.events[p.next]
		p.next++
		if ev.Fd >= 0 {
			if c := l.at(uint32(ev.Fd), uint32(ev.Pad)); c != nil {
				p.deliver(c, ev.Events)
			}
		} else if ev.Fd == listenSlot && int(ev.Pad) < len(p.listeners) {
			if ln := p.listeners[ev.Pad]; ln != nil {
				l.accepting.add(ln)
			}
		}
		if l.windowIn-read >= turnReadMax && p.next < p.n {
			l.again = true
			break
		}
	}
}

// deliver handles the events of one connection.
func (p *epoll) deliver(c *conn, events uint32) {
	if events&unix.EPOLLOUT != 0 && c.unsent > 0 {
		p.push(c)
		if c.quiet() { // or the event would come again and again
			p.register(c)
		}
		p.l.actLaterOn(c)
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
		return
	}
	if c.wantsInput() {
		p.read(c)
		return
	}
	if events&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		// Both directions are shut. These events cannot be switched off.
		c.broken = true
		p.l.actLaterOn(c)
		return
	}
	p.register(c)
}

// read reads from c once, or more often if a big argument has a place of its own.
func (p *epoll) read(c *conn) {
	l := p.l
	for got := 0; got < directMax; {
		space := l.h.Space(c.s)
		if space == nil {
			if got == 0 {
				break
			}
			return // what follows the big argument comes in the next turn
		}
		n, errno := recvRaw(c.fd, space[:min(len(space), directMax)])
		if errno != 0 || n == 0 {
			if errno != unix.EAGAIN {
				p.readFailed(c, errno)
			}
			return
		}
		got += n
		l.filled(c, n)
		if n < min(len(space), directMax) || got >= directMax {
			return
		}
	}
	size := readSize
	if c.flags&flagBusy != 0 {
		size = readBusy
	}
	buf, err := p.in.room(size)
	if err != nil {
		return // no memory; the event comes again
	}
	n, errno := recvRaw(c.fd, buf[:size])
	if errno != 0 || n == 0 {
		if errno != unix.EAGAIN {
			p.readFailed(c, errno)
		}
		return
	}
	if n == size {
		c.flags |= flagBusy
	} else {
		c.flags &^= flagBusy
	}
	p.in.take(n)
	l.received(c, buf[:n:n])
}

// readFailed handles the end of the stream (errno 0) or its failure.
func (p *epoll) readFailed(c *conn, errno syscall.Errno) {
	if errno == unix.EINTR {
		return
	}
	c.broken = c.broken || errno != 0
	p.l.receivedEOF(c)
	p.register(c)
}

func (p *epoll) settle() { p.in.reset() }

func (p *epoll) finish() {}

func (p *epoll) trim() { p.in.trim(1) }

// register tells the kernel which events c needs, if that has changed.
func (p *epoll) register(c *conn) {
	want := uint32(0)
	if c.wantsInput() {
		want |= unix.EPOLLIN
	}
	if c.unsent > 0 && !c.broken {
		want |= unix.EPOLLOUT
	}
	if want == c.flags&^flagBusy {
		return
	}
	ev := unix.EpollEvent{Events: want, Fd: int32(c.slot), Pad: int32(c.gen)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, int(c.fd), &ev); err != nil {
		c.broken = true
		p.l.actLaterOn(c)
		return
	}
	c.flags = c.flags&flagBusy | want
}

func (p *epoll) join(c *conn) error {
	c.flags = unix.EPOLLIN
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.slot), Pad: int32(c.gen)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, int(c.fd), &ev))
}

func (p *epoll) leave(c *conn) bool {
	if !c.quiet() {
		return false
	}
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, int(c.fd), nil)
	p.l.left(c)
	return true
}

func (p *epoll) end(c *conn) {
	if !c.broken && !c.eof {
		if buf, err := p.in.room(readSize); err == nil {
			linger(c.fd, buf)
		}
	}
	closeRaw(c.fd) // which takes it out of the epoll set
	p.l.ended(c)
}

func (p *epoll) send(c *conn) {
	if p.l.take(c) {
		p.push(c)
		if c.unsent > 0 || c.flags&unix.EPOLLOUT != 0 {
			p.register(c)
		}
	}
}

// push sends c.out as far as the socket takes it, with one call.
func (p *epoll) push(c *conn) {
	var n int
	var errno syscall.Errno
	if len(c.out) == 1 {
		b := c.out[0].Bytes
		n, errno = sendRaw(c.fd, b[:min(len(b), sendMax)])
	} else {
		p.msg.fill(c.out, sendMax)
		n, errno = sendmsgRaw(c.fd, &p.msg)
		p.msg.forget()
	}
	switch errno {
	case 0:
		p.l.sent(c, n)
	case unix.EAGAIN, unix.EINTR:
	default:
		c.broken = true
	}
}

func (p *epoll) listen(ln *listener) error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.closed {
		return nil
	}
	ln.tag = uint32(len(p.listeners))
	for i, other := range p.listeners {
		if other == nil {
			ln.tag = uint32(i)
			break
		}
	}
	if int(ln.tag) == len(p.listeners) {
		p.listeners = append(p.listeners, nil)
	}
	p.listeners[ln.tag] = ln
	// Edge-triggered: while descriptors are short, the backlog does not wake us.
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: listenSlot, Pad: int32(ln.tag)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, ln.fd, &ev))
}

func (p *epoll) unlisten(ln *listener) {
	// Closing has taken it out of the epoll set.
	if int(ln.tag) < len(p.listeners) && p.listeners[ln.tag] == ln {
		p.listeners[ln.tag] = nil
	}
}
