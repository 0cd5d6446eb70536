// Package client is a small blocking client for the Redis protocol, RESP2 and
// RESP3. The command-line tools are made of it.
//
//	c, err := client.Dial("tcp", "127.0.0.1:6379", client.Options{})
//	reply, err := c.Do("GET", "key")
//
// Several commands go out in one write with Send, and their replies come back
// in order with Receive:
//
//	for _, key := range keys {
//		c.Send("GET", key)
//	}
//	for range keys {
//		reply, err := c.Receive()
//	}
//
// # Errors
//
// An error reply is a [Reply] like any other ([Reply.Err] makes a Go error of
// it): the connection is fine. A Go error means that the connection is over:
// every later call returns the same one.
//
// # Hostile servers
//
// The reader believes nothing. Memory follows the bytes that came, never a
// length or count that was announced; nesting, string lengths and the number of
// elements have [Limits]; types that nobody sends (streamed strings and
// aggregates) are refused. What the server says can still be anything: whoever
// prints a reply to a terminal must escape it.
//
// A Conn belongs to one goroutine, except for Close, which any may call to end
// a call that waits.
package client

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/resp"
)

// Options say how to connect and wait. The zero value waits for ever and drops
// push messages.
type Options struct {
	ConnectTimeout time.Duration
	ReadTimeout    time.Duration // of each read from the network, not of a whole reply
	WriteTimeout   time.Duration
	Limits         Limits

	// OnPush gets each push message as it arrives, in between the replies that
	// Do and Receive return. Without it Receive returns push messages like
	// replies, which is what a subscriber wants, and Do drops them.
	OnPush func(Reply)
}

// sendBufferBytes is how much Send collects before it writes on its own.
const sendBufferBytes = 64 << 10

// A Conn is one connection to a server.
type Conn struct {
	nc     net.Conn
	in     *Reader
	out    []byte
	opts   Options
	err    error
	closed atomic.Bool
}

// Dial connects to a server: network is "tcp" or "unix".
func Dial(network, address string, opts Options) (*Conn, error) {
	dialer := net.Dialer{Timeout: opts.ConnectTimeout}
	nc, err := dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return New(nc, opts), nil
}

// New makes a Conn of a connection that exists already, such as one with TLS.
func New(nc net.Conn, opts Options) *Conn {
	c := &Conn{nc: nc, opts: opts}
	c.in = NewReader(deadlineReader{nc, opts.ReadTimeout}, opts.Limits)
	return c
}

// A deadlineReader gives every read of its own the same time.
type deadlineReader struct {
	nc      net.Conn
	timeout time.Duration
}

func (d deadlineReader) Read(p []byte) (int, error) {
	if d.timeout > 0 {
		if err := d.nc.SetReadDeadline(time.Now().Add(d.timeout)); err != nil {
			return 0, err
		}
	}
	return d.nc.Read(p)
}

// OnPush replaces the receiver of push messages; see [Options].
func (c *Conn) OnPush(f func(Reply)) { c.opts.OnPush = f }

// Do sends one command, after those that Send left, and returns its reply.
//
// The replies to earlier Sends must have been received: Do cannot know whose
// reply it sees.
func (c *Conn) Do(args ...string) (Reply, error) {
	if err := c.Send(args...); err != nil {
		return Reply{}, err
	}
	return c.doReply()
}

// DoBytes is Do for arguments that are byte slices.
func (c *Conn) DoBytes(args ...[]byte) (Reply, error) {
	if err := c.SendBytes(args...); err != nil {
		return Reply{}, err
	}
	return c.doReply()
}

func (c *Conn) doReply() (Reply, error) {
	for {
		reply, err := c.Receive()
		if err != nil || reply.Kind != Push {
			return reply, err
		}
	}
}

// Send queues one command. It goes out with the next Flush, Receive or Do, or
// when enough is queued. Who sends without receiving for long must know that
// the server stops reading when nobody takes its replies.
func (c *Conn) Send(args ...string) error {
	c.out = resp.AppendCommand(c.out, args...)
	return c.flushIfFull()
}

// SendBytes is Send for arguments that are byte slices.
func (c *Conn) SendBytes(args ...[]byte) error {
	c.out = resp.AppendCommand(c.out, args...)
	return c.flushIfFull()
}

func (c *Conn) flushIfFull() error {
	if len(c.out) < sendBufferBytes {
		return c.err
	}
	return c.Flush()
}

// Flush writes what Send queued.
func (c *Conn) Flush() error {
	if c.err != nil || len(c.out) == 0 {
		return c.err
	}
	if c.opts.WriteTimeout > 0 {
		if err := c.nc.SetWriteDeadline(time.Now().Add(c.opts.WriteTimeout)); err != nil {
			return c.fail(err)
		}
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	if cap(c.out) > 2*sendBufferBytes {
		c.out = nil // one huge value must not hold its memory for ever
	}
	return c.fail(err)
}

// Write sends bytes as they are. While nothing is queued, another goroutine may receive.
func (c *Conn) Write(p []byte) (int, error) { return c.nc.Write(p) }

// Receive returns the next reply, after writing what is queued.
func (c *Conn) Receive() (Reply, error) {
	if err := c.Flush(); err != nil {
		return Reply{}, err
	}
	for {
		reply, err := c.in.Read()
		if err != nil {
			return Reply{}, c.fail(err)
		}
		if reply.Kind != Push || c.opts.OnPush == nil {
			return reply, nil
		}
		c.opts.OnPush(reply)
	}
}

// Err is the error that ended the connection, or nil.
func (c *Conn) Err() error { return c.err }

// Buffered reports whether a reply, or the beginning of one, is here already.
func (c *Conn) Buffered() bool { return c.in.Buffered() }

// LocalAddr is this end of the connection.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// Close ends the connection, and with it a call that waits.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.nc.Close()
}

// fail remembers the first error of the connection.
func (c *Conn) fail(err error) error {
	if err != nil && c.err == nil {
		if c.closed.Load() {
			err = fmt.Errorf("client: %w", net.ErrClosed)
		}
		c.err = err
		_ = c.Close()
	}
	return err
}
