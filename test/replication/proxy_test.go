//go:build linux

package replication

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A faultKind is what can happen to a link.
type faultKind uint8

const (
	cut       faultKind = iota // both sides are closed
	reset                      // the same, and what is under way is lost
	stall                      // nothing is carried for a time
	drip                       // byte by byte from there on
	corrupt                    // a bit is another one
	duplicate                  // some bytes come twice
)

func (k faultKind) String() string {
	return [...]string{"cut", "reset", "stall", "drip", "corrupt", "duplicate"}[k]
}

// A side is who gets the bytes.
type side uint8

const (
	toMaster side = iota
	toReplica
)

func (s side) String() string { return [...]string{"to the master", "to the replica"}[s] }

// A fault happens to one connection, in one direction, in front of the byte of a number.
type fault struct {
	kind  faultKind
	to    side
	at    int
	bit   int           // corrupt: which
	count int           // duplicate, drip: how many bytes
	hold  time.Duration // stall: how long
}

func (f fault) String() string {
	text := fmt.Sprintf("%s %s at %d", f.kind, f.to, f.at)
	switch f.kind {
	case corrupt:
		text += fmt.Sprintf(", bit %d", f.bit)
	case duplicate, drip:
		text += fmt.Sprintf(", %d bytes", f.count)
	case stall:
		text += fmt.Sprintf(", %s", f.hold)
	}
	return text
}

// A proxy stands between replicas and their master, and has faults happen to what they say:
//
//	replica --dials--> proxy :port --dials--> master
type proxy struct {
	port string

	ln            net.Listener
	network, addr string // of the master
	carrying      sync.WaitGroup

	mu     sync.Mutex
	plan   func() []fault // of the next connection; nil for none
	isShut bool           // nobody gets through
	links  map[*carried]struct{}
	last   *carried
}

// A carried is a connection through a proxy.
type carried struct {
	conns  [2]net.Conn // who gets the bytes, by side
	faults []fault

	mu   sync.Mutex
	said [2][]byte // what was sent by each, before the faults
}

// saidMax bounds what is kept of a connection's bytes.
const saidMax = 1 << 12

// newProxy makes a proxy to an address.
func newProxy(t *testing.T, network, addr string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{
		port: strconv.Itoa(ln.Addr().(*net.TCPAddr).Port), ln: ln, network: network, addr: addr,
		links: map[*carried]struct{}{},
	}
	p.carrying.Go(p.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		p.sever()
		p.carrying.Wait()
	})
	return p
}

// expect says what will happen to connections from now on.
func (p *proxy) expect(plan func() []fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
}

// once says what will happen to the next connection alone.
func (p *proxy) once(faults ...fault) {
	p.expect(func() []fault { // mu is held
		p.plan = nil
		return faults
	})
}

// shut keeps everybody out, or nobody any more.
func (p *proxy) shut(on bool) {
	p.mu.Lock()
	p.isShut = on
	p.mu.Unlock()
	if on {
		p.sever()
	}
}

// sever ends all connections.
func (p *proxy) sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.links {
		c.end(false)
	}
}

// latest is the last connection that was made, or nil.
func (p *proxy) latest() *carried {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *proxy) accept() {
	for {
		from, err := p.ln.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial(p.network, p.addr)
		if err != nil {
			_ = from.Close()
			continue
		}
		c := &carried{conns: [2]net.Conn{toMaster: to, toReplica: from}}
		p.mu.Lock()
		if p.isShut {
			p.mu.Unlock()
			c.end(false)
			continue
		}
		if p.plan != nil {
			c.faults = p.plan()
		}
		p.links[c], p.last = struct{}{}, c
		p.mu.Unlock()
		var both sync.WaitGroup
		both.Go(func() { c.carry(toMaster) })
		both.Go(func() { c.carry(toReplica) })
		p.carrying.Go(func() {
			both.Wait()
			p.mu.Lock()
			delete(p.links, c)
			p.mu.Unlock()
		})
	}
}

// end closes both sides.
func (c *carried) end(hard bool) {
	for _, nc := range c.conns {
		if tcp, ok := nc.(*net.TCPConn); ok && hard {
			_ = tcp.SetLinger(0)
		}
		_ = nc.Close()
	}
}

// transcript is what was sent to a side so far.
func (c *carried) transcript(to side) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.said[to]...)
}

// carry carries bytes to a side until the connection ends.
func (c *carried) carry(to side) {
	defer c.end(false)
	from, into := c.conns[1-to], c.conns[to]
	buf := make([]byte, 16<<10)
	w := &carrier{c: c, to: to, into: into}
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		if k := min(n, saidMax-len(c.said[to])); k > 0 {
			c.said[to] = append(c.said[to], buf[:k]...)
		}
		c.mu.Unlock()
		if !w.write(buf[:n]) {
			return
		}
	}
}

// A carrier is one direction of a connection.
type carrier struct {
	c       *carried
	to      side
	into    net.Conn
	at      int    // bytes that came so far
	drips   int    // how many more are carried one by one
	written []byte // the last that were written, for those that come twice
}

// dripPause is the time between two bytes of a drip.
const dripPause = 50 * time.Microsecond

// repeatMax is how many bytes can come twice.
const repeatMax = 64

// write carries b with the faults that are in it, and returns false when the connection is
// over.
func (w *carrier) write(b []byte) bool {
	for len(b) > 0 {
		n := len(b)
		for _, f := range w.c.faults {
			if f.to != w.to || f.at < w.at || f.at >= w.at+n {
				continue
			}
			if f.at > w.at {
				n = f.at - w.at
				continue
			}
			if !w.happen(f, b) {
				return false
			}
		}
		if w.drips > 0 {
			n = 1
			w.drips--
			time.Sleep(dripPause)
		}
		if !w.send(b[:n]) {
			return false
		}
		w.at += n
		b = b[n:]
	}
	return true
}

// happen has a fault happen in front of b.
func (w *carrier) happen(f fault, b []byte) bool {
	switch f.kind {
	case cut, reset:
		w.c.end(f.kind == reset)
		return false
	case stall:
		time.Sleep(f.hold)
	case drip:
		w.drips = f.count
	case corrupt:
		b[0] ^= 1 << f.bit
	case duplicate:
		return w.send(append([]byte(nil), w.written[max(0, len(w.written)-f.count):]...))
	}
	return true
}

func (w *carrier) send(b []byte) bool {
	w.written = append(w.written, b...)
	w.written = w.written[max(0, len(w.written)-repeatMax):]
	_, err := w.into.Write(b)
	return err == nil
}
