package netloop

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// The net backend is for systems that have neither epoll nor a ring, and for
// connections that are more than a descriptor. A goroutine for each connection
// reads and another writes while there is something to write; turns are made by
// the loop's thread as everywhere, and the goroutines wait for it.

// Sizes of a reader's buffer, which it keeps while the connection is idle.
const (
	netBufferIdle = 4 << 10
	netBufferBusy = 64 << 10
)

// A netConn is what the backend keeps for a connection. The loop's thread and the
// reader use buf and target in turn: resume passes them to the reader, an event
// passes them back.
type netConn struct {
	nc     net.Conn
	buf    []byte
	target []byte        // of Space, if the next bytes belong there
	resume chan struct{} // closed at the end

	reading bool // the reader has not reported its end
	held    bool // the reader waits for resume
	writing bool
	ending  bool
}

type netEventKind uint8

const (
	netRead netEventKind = iota
	netWrote
)

type netEvent struct {
	c    *conn
	kind netEventKind
	n    int
	err  error
}

// A netPoller is a poller whose events come from goroutines.
type netPoller struct {
	l        *loop
	wakeUp   chan struct{}
	timer    *time.Timer
	now      []netEvent // being delivered
	held     []*conn    // readers to resume when Run has returned
	finished []*conn

	mu       sync.Mutex
	events   []netEvent
	incoming []incoming
	closed   bool
}

// An incoming connection waits to be admitted.
type incoming struct {
	ln *listener
	nc net.Conn
}

func newNetPoller(l *loop) poller {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &netPoller{l: l, wakeUp: make(chan struct{}, 1), timer: t}
}

func (p *netPoller) open() error { return nil }
func (p *netPoller) trim()       {}
func (p *netPoller) accept()     {}

// close refuses what was accepted too late.
func (p *netPoller) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, in := range p.incoming {
		_ = in.nc.Close()
	}
	p.incoming = nil
}

// offer hands over a connection that was accepted.
func (p *netPoller) offer(in incoming) {
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.incoming = append(p.incoming, in)
	}
	p.mu.Unlock()
	if closed {
		_ = in.nc.Close()
		return
	}
	p.l.notify()
}

func (p *netPoller) wake() {
	select {
	case p.wakeUp <- struct{}{}:
	default: // awake already
	}
}

func (p *netPoller) post(ev netEvent) {
	p.mu.Lock()
	p.events = append(p.events, ev)
	p.mu.Unlock()
	p.l.notify()
}

func (p *netPoller) poll() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.events)+len(p.incoming) > 0
}

func (p *netPoller) block(nanos int64) {
	if nanos < 0 {
		<-p.wakeUp
		return
	}
	p.timer.Reset(time.Duration(nanos))
	select {
	case <-p.wakeUp:
		p.timer.Stop()
	case <-p.timer.C:
	}
}

func (p *netPoller) gather() {
	p.mu.Lock()
	p.now, p.events = p.events, p.now[:0]
	fresh := p.incoming
	p.incoming = nil
	p.mu.Unlock()
	for _, in := range fresh {
		p.l.admitNet(in.ln, in.nc)
	}
	for i := range p.now {
		p.deliver(p.now[i])
		p.now[i] = netEvent{}
	}
	if cap(p.now) > inboxKept {
		p.now = nil
	}
}

func (p *netPoller) deliver(ev netEvent) {
	c, l := ev.c, p.l
	if o := c.owner.Load(); o != l { // it has moved
		o.p.(*netPoller).post(ev)
		return
	}
	if l.at(c.slot, c.gen) != c { // it is in the inbox still
		p.post(ev)
		l.again = true
		return
	}
	x := c.ext.(*netConn)
	if ev.kind == netWrote {
		x.writing = false
		if ev.err != nil {
			c.broken = true
		} else {
			l.sent(c, c.unsent)
		}
		p.settled(c, x)
		l.actLaterOn(c)
		return
	}
	x.held = ev.err == nil
	x.reading = ev.err == nil
	if c.wantsInput() {
		switch {
		case ev.n == 0:
		case x.target != nil:
			l.filled(c, ev.n)
		default:
			l.received(c, x.buf[:ev.n])
		}
		if ev.err != nil {
			c.broken = c.broken || !errors.Is(ev.err, io.EOF)
			l.receivedEOF(c)
		}
	}
	if x.held {
		p.held = append(p.held, c)
	}
	p.settled(c, x)
}

// settled puts an ending connection whose goroutines are done on the list.
func (p *netPoller) settled(c *conn, x *netConn) {
	if x.ending && !x.reading && !x.writing {
		p.finished = append(p.finished, c)
	}
}

func (p *netPoller) settle() {
	for i, c := range p.held {
		p.held[i] = nil
		if x := c.ext.(*netConn); x.held && !x.ending {
			x.held = false
			x.target = nil
			if c.wantsInput() {
				x.target = p.l.h.Space(c.s)
			}
			x.resume <- struct{}{}
		}
	}
	p.held = p.held[:0]
}

func (p *netPoller) finish() {
	for i, c := range p.finished {
		p.finished[i] = nil
		p.l.ended(c)
	}
	p.finished = p.finished[:0]
}

func (p *netPoller) join(c *conn) error {
	x := c.ext.(*netConn)
	if x.resume == nil { // not one that comes from another loop
		x.resume = make(chan struct{}, 1)
		x.reading = true
		p.l.srv.running.Add(1)
		go p.l.srv.readAll(c, x)
	}
	return nil
}

// readAll is the reader of a connection.
func (s *Server) readAll(c *conn, x *netConn) {
	defer s.running.Done()
	small := 0 // reads in a row that a small buffer would have held
	for {
		b := x.target
		if b == nil {
			if x.buf == nil {
				x.buf = make([]byte, netBufferIdle)
			}
			b = x.buf
		}
		n, err := x.nc.Read(b)
		c.owner.Load().p.(*netPoller).post(netEvent{c: c, kind: netRead, n: n, err: err})
		if err != nil {
			return
		}
		if _, ok := <-x.resume; !ok {
			c.owner.Load().p.(*netPoller).post(netEvent{c: c, kind: netRead, err: net.ErrClosed})
			return
		}
		switch {
		case n > netBufferIdle/2:
			small = 0
			if n == len(x.buf) {
				x.buf = make([]byte, netBufferBusy)
			}
		case len(x.buf) > netBufferIdle:
			if small++; small == 8 {
				x.buf, small = nil, 0
			}
		}
	}
}

func (p *netPoller) leave(c *conn) bool {
	if !c.quiet() {
		return false
	}
	p.l.left(c)
	return true
}

func (p *netPoller) end(c *conn) {
	x := c.ext.(*netConn)
	x.ending = true
	_ = x.nc.Close() // which ends the reader and the writer
	if x.held {
		x.held = false
	}
	if x.resume != nil {
		close(x.resume)
	}
	p.settled(c, x)
}

func (p *netPoller) send(c *conn) {
	if !p.l.take(c) {
		return
	}
	x := c.ext.(*netConn)
	x.writing = true
	bufs := make(net.Buffers, len(c.out))
	for i := range c.out {
		bufs[i] = c.out[i].Bytes
	}
	p.l.srv.running.Add(1)
	go func() {
		defer p.l.srv.running.Done()
		_, err := bufs.WriteTo(x.nc)
		c.owner.Load().p.(*netPoller).post(netEvent{c: c, kind: netWrote, err: err})
	}()
}

func (p *netPoller) listen(ln *listener) error {
	p.l.srv.running.Add(1)
	go p.l.acceptNet(ln)
	return nil
}

func (p *netPoller) unlisten(*listener) {}

// acceptNet hands the connections of ln to the loop until ln is closed.
func (l *loop) acceptNet(ln *listener) {
	defer l.srv.running.Done()
	clk := l.srv.cfg.Clock
	loggedAt := int64(0)
	for {
		nc, err := ln.inner.Accept()
		switch {
		case err == nil:
			l.p.(*netPoller).offer(incoming{ln, nc})
		case errors.Is(err, net.ErrClosed):
			return
		default:
			if now := clk.Mono(); loggedAt == 0 || now-loggedAt >= acceptLogGap {
				loggedAt = now
				l.srv.cfg.Log.Warn("accepting connections failed", "error", err)
			}
			time.Sleep(time.Duration(acceptPause))
		}
	}
}

func (l *loop) admitNet(ln *listener, nc net.Conn) {
	c := l.srv.takeOverNet(nc)
	a := Accepted{FD: int(c.fd)}
	if ln.network == "unix" {
		a.Unix, a.Remote, a.Local = true, ln.local, ln.local
	} else {
		a.Remote, a.Local = nc.RemoteAddr().String(), nc.LocalAddr().String()
	}
	refuse, ok := l.admit(c, a)
	if ok {
		return
	}
	if len(refuse) > 0 {
		_ = nc.SetWriteDeadline(time.Now().Add(time.Duration(acceptPause)))
		_, _ = nc.Write(refuse)
	}
	_ = nc.Close()
}

// fileNumber is the descriptor that CLIENT LIST shows, -1 if there is none.
func fileNumber(nc net.Conn) int32 {
	n := int32(-1)
	if raw, ok := nc.(syscall.Conn); ok {
		if rc, err := raw.SyscallConn(); err == nil {
			_ = rc.Control(func(fd uintptr) { n = int32(fd) })
		}
	}
	return n
}

// bindNet listens by package net, which chooses the backlog itself.
func (ln *listener) bindNet(perm uint32) error {
	if ln.network == "unix" {
		return ln.bindNetUnix(perm)
	}
	a, err := net.ResolveTCPAddr(ln.network, ln.addr)
	if err != nil {
		return err
	}
	network := "tcp6"
	if ip := a.AddrPort().Addr(); ip.Is4() || ip.Is4In6() || !ip.IsValid() && ln.network != "tcp6" {
		network = "tcp4" // an unspecified host is every IPv4 address, as in Redis
	}
	inner, err := net.ListenTCP(network, a)
	if err != nil {
		return err
	}
	ln.inner, ln.bound = inner, inner.Addr().String()
	if ap, err := netip.ParseAddrPort(ln.bound); err == nil && !ap.Addr().IsUnspecified() {
		ln.local = ln.bound
	}
	return nil
}

// bindNetUnix listens at a path inside a directory that nobody else can enter, sets
// the permissions, and only then moves the socket to its place.
func (ln *listener) bindNetUnix(perm uint32) error {
	if info, err := os.Lstat(ln.addr); err == nil && info.Mode()&os.ModeSocket != 0 {
		_ = os.Remove(ln.addr) // left behind; if it stays, listening says so
	}
	at := ln.addr
	if perm != 0 && runtime.GOOS != "windows" {
		dir, err := os.MkdirTemp(filepath.Dir(ln.addr), ".sock")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		at = filepath.Join(dir, "s")
	}
	inner, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		return err
	}
	inner.SetUnlinkOnClose(at == ln.addr)
	if at != ln.addr {
		if err := errors.Join(os.Chmod(at, os.FileMode(perm)), os.Rename(at, ln.addr)); err != nil {
			_ = inner.Close()
			return err
		}
	}
	ln.inner, ln.bound, ln.local = inner, ln.addr, ln.addr+":0"
	return nil
}

// closeNet ends listening.
func (ln *listener) closeNet() {
	_ = ln.inner.Close()
	if ln.network == "unix" {
		_ = os.Remove(ln.addr)
	}
}
