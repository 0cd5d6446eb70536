package replication

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A conversation is what is said on a new connection before it is the stream's.
type conversation struct {
	link    *Link
	attempt *attempt
	nc      net.Conn
	in      *bufio.Reader
}

// A beginning is where a stream begins.
type beginning struct {
	goesOn bool   // behind our own data, by the name id
	id     string // of its history
	db     int
	data   []byte // what was read of it
}

// readBytes is the size of the buffer that a conversation reads into.
const readBytes = 64 << 10

// begin shakes hands, and takes the snapshot if there has to be one.
func (c *conversation) begin() (b beginning, err error) {
	l := c.link
	if err := l.enter(c.attempt, Handshaking); err != nil {
		return b, err
	}
	l.lastIO.Store(l.Clock.Mono())
	l.Log.Info("Non blocking connect for SYNC fired the event.")
	c.in = bufio.NewReaderSize(c.nc, readBytes)
	step, err := c.shakeHands()
	if err != nil {
		return b, err
	}
	if step.Verdict == Continue {
		l.Log.Info("Successful partial resynchronization with master.")
		data, _ := c.in.Peek(c.in.Buffered())
		return beginning{goesOn: true, id: step.ID, db: l.selected(), data: data}, nil
	}
	if c.attempt.failover { // the other side is a master, only not of all that we have
		err := l.exclusively(c.attempt, func() {
			c.attempt.failover = false
			l.Site.FailedOver(nil)
		})
		if err != nil {
			return b, err
		}
	}
	return c.synchronize(step)
}

// selected is the database that is selected behind what was executed of the stream.
func (l *Link) selected() int { return max(l.Journal.Selected(), 0) }

// intro is what we say of ourselves.
func (c *conversation) intro() Intro {
	l := c.link
	i := Intro{
		User: MasterUser.Get(l.Options), Password: MasterAuth.Get(l.Options),
		Port: int(AnnouncePort.Get(l.Options)), Address: AnnounceIP.Get(l.Options), Failover: c.attempt.failover,
	}
	if i.Port == 0 {
		i.Port = l.Site.ListensOn()
	}
	i.ID, i.Offset = l.Site.Standing()
	return i
}

// shakeHands talks until it is decided how the two are synchronized.
func (c *conversation) shakeHands() (step Step, err error) {
	l := c.link
	intro := c.intro()
	h, hello := NewHandshake(intro)
	if err := c.send(hello); err != nil {
		return step, err
	}
	for first := true; step.Verdict == More; {
		line, err := c.line()
		if err != nil {
			return step, err
		}
		step = h.Line(line)
		for _, remark := range h.Remarks {
			l.Log.Info(remark)
		}
		h.Remarks = nil
		if step.Verdict != Failed && line != "" && first {
			first = false
			l.Log.Info("Master replied to PING, replication can continue...")
		}
		if len(step.Send) == 0 {
			continue
		}
		if h.state == asking {
			if intro.ID == "" {
				l.Log.Info("Partial resynchronization not possible (no cached master)")
			} else {
				l.Log.Info(fmt.Sprintf("Trying a partial resynchronization (request %s:%d).",
					intro.ID, intro.Offset+1))
			}
		}
		if err := c.send(step.Send); err != nil {
			return step, err
		}
	}
	return step, step.Err
}

// lineMax bounds a line of the handshake.
const lineMax = 1024

// line reads a line, which may be empty.
func (c *conversation) line() (string, error) {
	var line []byte
	for {
		if err := c.wait(); err != nil {
			return "", err
		}
		part, err := c.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > lineMax:
			return "", fmt.Errorf("the master sends a line of more than %d bytes", lineMax)
		case err == nil:
			c.link.lastIO.Store(c.link.Clock.Mono())
			return strings.TrimRight(string(line), "\r\n"), nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return "", errConnectTimeout
		case err != bufio.ErrBufferFull:
			return "", fmt.Errorf("reading the master's reply: %w", err)
		}
	}
}

// wait sets the time until when something has to come.
func (c *conversation) wait() error {
	l := c.link
	return c.nc.SetReadDeadline(time.UnixMicro(l.Clock.Wall()).Add(l.timeout()))
}

func (c *conversation) send(b []byte) error {
	l := c.link
	if err := c.nc.SetWriteDeadline(time.UnixMicro(l.Clock.Wall()).Add(l.timeout())); err != nil {
		return err
	}
	if _, err := c.nc.Write(b); err != nil {
		return fmt.Errorf("sending a command to the master: %w", err)
	}
	return nil
}

// newlinePeriod is how often the master is shown that we live, while we do not acknowledge.
const newlinePeriod = time.Second

// synchronize takes the snapshot that follows.
func (c *conversation) synchronize(step Step) (b beginning, err error) {
	l := c.link
	in := &Incoming{ID: step.ID, Offset: step.Offset, talk: c}
	if step.Verdict == Full {
		l.Log.Info(fmt.Sprintf("Full resync from master: %s:%d", step.ID, step.Offset))
	}
	l.mu.Lock()
	l.incoming = in
	l.mu.Unlock()
	if err := l.enter(c.attempt, Syncing); err != nil {
		return b, err
	}
	if err := in.head(); err != nil {
		return b, err
	}
	stop := make(chan struct{})
	var alive sync.WaitGroup
	alive.Go(func() {
		ticker := time.NewTicker(newlinePeriod)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				_ = c.send([]byte("\n")) // what is read says if the connection is gone
			}
		}
	})
	err = l.Site.Receive(c.attempt.ctx, in)
	close(stop)
	alive.Wait()
	if err != nil {
		return b, err
	}
	if !in.transfer.Done() {
		return b, errors.New("the snapshot ended before what the master sent of it")
	}
	l.Log.Info("MASTER <-> REPLICA sync: Finished with success")
	rest, _ := c.in.Peek(c.in.Buffered())
	return beginning{id: in.ID, db: l.selected(), data: append(in.rest, rest...)}, nil
}

// An Incoming is the snapshot of a full synchronization while it comes, an io.Reader.
type Incoming struct {
	ID     string // of the history that it belongs to; "" if the master has none
	Offset int64  // in that history

	talk       *conversation
	transfer   Transfer
	payload    [2][]byte // that was not read yet
	rest       []byte    // behind the snapshot
	size, read atomic.Int64
}

// Size is how many bytes the snapshot has, 0 if that is not known.
func (in *Incoming) Size() int64 { return in.size.Load() }

// Claim runs fn in exclusive mode, if the snapshot is still wanted then.
func (in *Incoming) Claim(fn func()) error { return in.talk.link.exclusively(in.talk.attempt, fn) }

// head waits for the snapshot's first bytes.
func (in *Incoming) head() error {
	for !in.transfer.Begun() {
		if err := in.more(); err != nil {
			return err
		}
	}
	in.size.Store(in.transfer.Size())
	return nil
}

// more takes what the connection has.
func (in *Incoming) more() error {
	c := in.talk
	if c.in.Buffered() == 0 {
		if err := c.wait(); err != nil {
			return err
		}
		_, err := c.in.Peek(1)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errBulkTimeout
		case errors.Is(err, io.EOF):
			return fmt.Errorf("I/O error trying to sync with MASTER: connection lost: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return fmt.Errorf("I/O error trying to sync with MASTER: %w", err)
		}
		c.link.lastIO.Store(c.link.Clock.Mono())
	}
	b, _ := c.in.Peek(c.in.Buffered())
	payload, rest, err := in.transfer.Feed(b)
	if err != nil {
		return err
	}
	in.payload = payload
	in.rest = append(in.rest, rest...)
	in.read.Store(in.transfer.Read())
	_, err = c.in.Discard(len(b)) // the bytes stay until the next read
	return err
}

// Read implements [io.Reader].
func (in *Incoming) Read(p []byte) (n int, err error) {
	for len(in.payload[0])+len(in.payload[1]) == 0 {
		if in.transfer.Done() {
			return 0, io.EOF
		}
		if err := in.more(); err != nil {
			return 0, err
		}
	}
	for i := range in.payload {
		k := copy(p[n:], in.payload[i])
		in.payload[i] = in.payload[i][k:]
		n += k
	}
	return n, nil
}
