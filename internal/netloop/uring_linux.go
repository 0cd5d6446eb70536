//go:build linux && (amd64 || arm64)

package netloop

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// directMin is what a big argument must still lack for its bytes to be read in
// place: changing between the two ways of receiving costs a cancellation, and
// copying costs about a microsecond for each 10 KB.
const directMin = 128 << 10

// What a completion belongs to, in the low bits of its user data; then follow the
// slot (32 bits) and the generation (24).
const (
	forNothing uint64 = iota
	forRecv           // the standing receive of a connection
	forDirect         // a receive into what Space gave
	forSend
	forWake
	forListener
	kindBits = 8
)

// States of a connection's operations, in conn.flags.
const (
	uReceiving  uint32 = 1 << iota // the standing receive is armed
	uCancelling                    // and asked to end
	uDirect                        // a receive into Space is under way
	uSending
	uQuick   // with a send that does not wait, and reports only failure
	uTouched // in the list of those that received something in this turn
	uReport  // in the list of those that may be done
)

// A uring is a poller on an io_uring. A connection has one standing receive, which
// takes its buffers from a pool shared by all, so idle connections own none; one
// send at a time; and for big arguments single receives into their place. All that
// a turn queues is submitted by the enter that looks for the next turn's events.
type uring struct {
	sockets
	ring    ring
	bufs    bufferRing
	eventFD int

	entries       uint32 // of the ring
	pieces, whole bufferSizes

	spent     []int   // buffers to lend again when Run has returned
	touched   []*conn // received something in this turn
	reports   []*conn // ending or leaving, perhaps done
	quick     []quickSend
	calm      bool // fewer buffers are enough
	filled    bool // buffers have received something since their memory was given back
	starved   bool // the kernel ran out of buffers
	messages  []*message
	listeners []*listener
	scratch   [4 << 10]byte // what nobody wants is read into
}

// A quickSend is a send that the kernel tries once, when it is submitted. If it
// takes everything, which is the rule, there is no completion to handle, and the loop
// can wait in the call that submits. entry is its place among the submissions.
type quickSend struct {
	c     *conn
	entry uint32
}

// quickMax is up to how many bytes a reply is sent so: what is likely to fit into an
// empty socket.
const quickMax = 64 << 10

func newUring(l *loop) poller {
	return &uring{
		sockets: sockets{l: l, accept4: unix.Accept4},
		ring:    ring{fd: -1}, eventFD: -1,
		entries: ringEntries, pieces: pieceSizes, whole: wholeSizes,
	}
}

func (p *uring) open() error {
	if err := p.ring.open(p.entries); err != nil {
		return err
	}
	if err := p.bufs.open(&p.ring, p.pieces, p.whole); err != nil {
		return err
	}
	var err error
	if p.eventFD, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	p.pollFD(p.eventFD, forWake)
	return nil
}

// pollFD arms a poll that goes on and on: an edge is an event.
func (p *uring) pollFD(fd int, userData uint64) {
	e := p.ring.next()
	e.op, e.fd, e.len = opPollAdd, int32(fd), pollAddMulti
	e.opFlags, e.userData = unix.POLLIN, userData
}

func (p *uring) close() {
	p.ring.close() // first: the kernel may write to the buffers until then
	p.bufs.close()
	if p.eventFD >= 0 {
		_ = unix.Close(p.eventFD)
	}
}

func (p *uring) wake() { wakeEventFD(p.eventFD) }

func (p *uring) poll() bool {
	// Also with nothing to submit: the kernel completes receives only inside an enter.
	p.ring.enter(0, enterGetEvents)
	return p.ring.ready()
}

func (p *uring) block(nanos int64) { p.ring.enterWait(nanos) }

func userData(kind uint64, c *conn) uint64 {
	return kind | uint64(c.slot)<<kindBits | uint64(c.gen)<<(kindBits+32)
}

func (p *uring) gather() {
	r := &p.ring
	for {
		head, tail := *r.cqHead, atomic.LoadUint32(r.cqTail)
		for ; head != tail; head++ {
			e := &r.cqes[head&r.cqMask]
			p.deliver(e.userData, e.res, e.flags)
		}
		atomic.StoreUint32(r.cqHead, head)
		if !r.overflowed() {
			break
		}
		r.enter(0, enterGetEvents)
	}
	if len(p.quick) > 0 {
		p.quickDone()
	}
}

// quickDone ends the quick sends that were submitted and have not failed, which all
// completions have been looked through for.
func (p *uring) quickDone() {
	submitted := atomic.LoadUint32(p.ring.sqHead)
	kept := 0
	for _, q := range p.quick {
		if int32(q.entry-submitted) >= 0 {
			p.quick[kept] = q
			kept++
			continue
		}
		if c := q.c; c.flags&uQuick != 0 {
			c.flags &^= uQuick | uSending
			p.l.dropOut(c)
			p.sendEnded(c)
		}
	}
	clear(p.quick[kept:])
	p.quick = p.quick[:kept]
}

func (p *uring) deliver(data uint64, res int32, flags uint32) {
	kind := data & (1<<kindBits - 1)
	switch kind {
	case forNothing:
		return
	case forWake:
		if flags&cqeMore == 0 {
			p.pollFD(p.eventFD, forWake)
		}
		return
	case forListener:
		p.listenerReady(data, flags)
		return
	}
	c := p.l.at(uint32(data>>kindBits), uint32(data>>(kindBits+32)))
	if c == nil { // cannot be: a slot is kept until all of its operations have ended
		return
	}
	switch kind {
	case forRecv:
		p.recvDone(c, res, flags)
	case forDirect:
		c.flags &^= uDirect
		if res > 0 && c.state <= connLeaving {
			p.l.filled(c, int(res))
		} else if res <= 0 {
			p.recvFailed(c, res)
		}
		p.touch(c)
		p.after(c)
	case forSend:
		p.sendDone(c, res)
	}
}

// recvDone handles a completion of the standing receive.
func (p *uring) recvDone(c *conn, res int32, flags uint32) {
	if flags&cqeMore == 0 {
		c.flags &^= uReceiving | uCancelling
		p.touch(c)
	}
	if res > 0 {
		// An error or the end brings no data, even if the flags name a buffer.
		data, id, done := p.bufs.data(flags, int(res))
		p.filled = true
		if done {
			p.spent = append(p.spent, id)
		}
		if c.state <= connLeaving && c.s.Closing == 0 && !c.eof {
			p.l.received(c, data)
			p.touch(c)
		}
	} else {
		p.recvFailed(c, res)
	}
	p.after(c)
}

func (p *uring) recvFailed(c *conn, res int32) {
	switch errno := unix.Errno(-res); errno {
	case unix.ENOBUFS:
		p.starved = true
		return
	case unix.ECANCELED, unix.EINTR, unix.EAGAIN:
		return
	case 0:
	default:
		c.broken = true
	}
	if c.state <= connLeaving && !c.eof {
		p.l.receivedEOF(c)
	}
}

// touch has c looked at when Run has returned.
func (p *uring) touch(c *conn) {
	if c.flags&uTouched == 0 {
		c.flags |= uTouched
		p.touched = append(p.touched, c)
	}
}

// after notes a connection that waits for its operations to end.
func (p *uring) after(c *conn) {
	if c.state != connOpen && c.flags&(uReceiving|uDirect|uSending|uReport) == 0 {
		c.flags |= uReport
		p.reports = append(p.reports, c)
	}
}

// settle lends the buffers again and has those receive whose receive has ended, or
// whose next bytes belong somewhere else.
func (p *uring) settle() {
	for _, id := range p.spent {
		if p.calm && !p.starved && p.bufs.lent > p.bufs.start {
			p.bufs.retire(id)
		} else {
			p.bufs.lend(id)
		}
	}
	p.spent = p.spent[:0]
	if p.starved {
		p.starved, p.calm = false, false
		p.bufs.grow()
	}
	p.bufs.publish()
	for i, c := range p.touched {
		p.touched[i] = nil
		c.flags &^= uTouched
		p.receive(c)
	}
	p.touched = p.touched[:0]
}

// receive arms what c needs to be read from.
func (p *uring) receive(c *conn) {
	if !c.wantsInput() || c.flags&(uDirect|uCancelling) != 0 {
		return
	}
	space := p.l.h.Space(c.s)
	armed := c.flags&uReceiving != 0
	if len(space) < directMin && (armed || space == nil) {
		if !armed {
			p.standing(c)
		}
		return
	}
	if armed {
		p.cancel(c, forRecv)
		c.flags |= uCancelling
		return
	}
	c.flags |= uDirect
	e := p.ring.next()
	e.op, e.fd, e.userData = opRecv, c.fd, userData(forDirect, c)
	e.addr, e.len = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(space)))), uint32(min(len(space), directMax))
}

// standing arms the receive that goes on until it fails.
func (p *uring) standing(c *conn) {
	c.flags |= uReceiving
	e := p.ring.next()
	e.op, e.flags, e.ioprio, e.fd = opRecv, sqeBufferSelect, recvMultishot, c.fd
	e.group, e.userData = bufferGroup, userData(forRecv, c)
}

func (p *uring) cancel(c *conn, kind uint64) { p.cancelData(userData(kind, c)) }

func (p *uring) cancelData(data uint64) {
	e := p.ring.next()
	e.op, e.fd, e.flags = opCancel, -1, sqeSkipSuccess
	e.addr, e.userData = data, forNothing
}

func (p *uring) join(c *conn) error {
	c.flags = 0
	p.standing(c)
	return nil
}

// leave has the receive end, after which what it has brought is still answered here.
func (p *uring) leave(c *conn) bool {
	if c.flags&uDirect != 0 { // a big argument comes in; another time
		return false
	}
	if c.flags&uReceiving != 0 && c.flags&uCancelling == 0 {
		p.cancel(c, forRecv)
		c.flags |= uCancelling
	}
	p.l.again = true // a quick send that is complete does not end a wait
	p.after(c)
	return true
}

func (p *uring) end(c *conn) {
	if c.flags&uReceiving != 0 && c.flags&uCancelling == 0 {
		p.cancel(c, forRecv)
		c.flags |= uCancelling
	}
	if c.flags&uDirect != 0 {
		p.cancel(c, forDirect)
	}
	if c.flags&uSending != 0 {
		p.cancel(c, forSend)
		p.l.again = true // a quick send that is complete does not end a wait
	}
	p.after(c)
}

// finish reports the connections that nothing in the kernel uses any more.
func (p *uring) finish() {
	for i := 0; i < len(p.reports); i++ {
		c := p.reports[i]
		p.reports[i] = nil
		c.flags &^= uReport
		switch {
		case c.flags&(uReceiving|uDirect|uSending) != 0:
		case c.state == connEnding:
			if !c.broken && !c.eof {
				linger(c.fd, p.scratch[:])
			}
			closeRaw(c.fd)
			p.dropMessage(c)
			p.l.ended(c)
		case c.state == connLeaving:
			p.l.left(c)
		}
	}
	p.reports = p.reports[:0]
}

// trim has buffers beyond the first ones retired as they come back, and gives back the memory
// of those that are lent to the kernel. It fills them within our own calls only (deferred task
// work), and what it has filled and we have not seen has a completion that waits.
func (p *uring) trim() {
	p.calm = true
	if p.filled && !p.ring.ready() && !p.ring.overflowed() {
		p.filled = false
		p.bufs.giveBack()
	}
}

func (p *uring) send(c *conn) {
	if !p.l.take(c) {
		return
	}
	quick := c.unsent <= quickMax && len(c.out) <= iovMax
	if quick && (len(c.out) > 1 || c.s.Closing != 0 || c.s.Stream != nil || p.l.srv.stopping.Load()) {
		// Something must happen when it is sent, if only that lent bytes are given back,
		// so the loop does not wait in the call that submits.
		p.l.again = true
	}
	p.submitSend(c, quick)
}

// submitSend queues the next piece of c.out. A quick send gives up what does not fit
// at once; another goes on by itself after a short send.
func (p *uring) submitSend(c *conn, quick bool) {
	c.flags |= uSending
	entry := p.ring.tail
	e := p.ring.next()
	e.fd, e.userData, e.opFlags = c.fd, userData(forSend, c), unix.MSG_NOSIGNAL|unix.MSG_WAITALL
	if quick {
		c.flags |= uQuick
		e.flags = sqeSkipSuccess
		e.opFlags |= unix.MSG_DONTWAIT
		p.quick = append(p.quick, quickSend{c, entry})
		c.unsent = 0
	}
	if len(c.out) == 1 {
		b := c.out[0].Bytes
		e.op, e.addr = opSend, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
		e.len = uint32(min(len(b), sendMax))
		return
	}
	m := p.message(c)
	m.fill(c.out, sendMax)
	e.op, e.addr, e.len = opSendmsg, uint64(uintptr(unsafe.Pointer(&m.hdr))), 1
}

// message is the memory of c's sendmsg, which must stay until that is complete.
func (p *uring) message(c *conn) *message {
	if m, ok := c.ext.(*message); ok {
		return m
	}
	m := &message{}
	if n := len(p.messages); n > 0 {
		m = p.messages[n-1]
		p.messages = p.messages[:n-1]
	}
	c.ext = m
	return m
}

const messagesKept = 32

func (p *uring) dropMessage(c *conn) {
	if m, ok := c.ext.(*message); ok {
		m.forget()
		c.ext = nil
		if len(p.messages) < messagesKept {
			p.messages = append(p.messages, m)
		}
	}
}

func (p *uring) sendDone(c *conn, res int32) {
	if c.flags&uQuick != 0 { // it has failed, so what counted as sent is not
		for i := range c.out {
			c.unsent += len(c.out[i].Bytes)
		}
	}
	c.flags &^= uSending | uQuick
	switch {
	case res > 0:
		p.l.sent(c, int(res))
	case res == -int32(unix.EINTR), res == -int32(unix.EAGAIN):
	default:
		c.broken = true
	}
	if c.unsent > 0 && !c.broken && c.state <= connLeaving {
		p.submitSend(c, false)
		return
	}
	p.sendEnded(c)
}

// sendEnded goes on after everything of c.out was sent, or nothing more can be.
func (p *uring) sendEnded(c *conn) {
	if c.ext != nil {
		p.dropMessage(c)
	}
	// Nothing is to be done after a reply that has simply left.
	if c.state <= connLeaving && (c.broken || c.s.Closing != 0 || c.s.Out.Len() > 0 || c.s.Stream != nil) {
		p.l.actLaterOn(c)
	}
	p.after(c)
}

func (p *uring) listen(ln *listener) error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.closed {
		return nil
	}
	ln.tag = uint32(len(p.listeners))
	p.listeners = append(p.listeners, ln)
	p.pollFD(ln.fd, forListener|uint64(ln.tag)<<kindBits)
	p.l.accepting.add(ln) // connections that came before the poll make no edge
	return nil
}

func (p *uring) unlisten(ln *listener) {
	if int(ln.tag) < len(p.listeners) && p.listeners[ln.tag] == ln {
		p.listeners[ln.tag] = nil
		p.cancelData(forListener | uint64(ln.tag)<<kindBits)
	}
}

func (p *uring) listenerReady(data uint64, flags uint32) {
	tag := uint32(data >> kindBits)
	ln := p.listeners[tag]
	if ln == nil {
		return
	}
	p.l.accepting.add(ln)
	if flags&cqeMore == 0 {
		ln.mu.Lock()
		if !ln.closed {
			p.pollFD(ln.fd, data)
		}
		ln.mu.Unlock()
	}
}
