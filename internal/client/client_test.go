package client

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// serve answers each command on nc with the next of answers, then hangs up.
func serve(nc net.Conn, answers ...string) {
	defer nc.Close()
	r := NewReader(nc, Limits{})
	for _, answer := range answers {
		if _, err := r.Read(); err != nil {
			return
		}
		if _, err := io.WriteString(nc, answer); err != nil {
			return
		}
	}
}

// pair is a client and the answers that it will get.
func pair(t *testing.T, opts Options, answers ...string) *Conn {
	t.Helper()
	here, there := net.Pipe()
	go serve(there, answers...)
	c := New(here, opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestPipeline shows that replies come back in the order of the commands, and
// that the end of the connection is the error of every later call.
func TestPipeline(t *testing.T) {
	c := pair(t, Options{}, "+1\r\n", "-ERR 2\r\n", "+3\r\n")
	if err := errors.Join(c.Send("A"), c.SendBytes([]byte("B"), nil)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "ERR 2"} {
		if got, err := c.Receive(); err != nil || got.Text != want {
			t.Errorf("Receive = %+v, %v, want %q", got, err, want)
		}
	}
	if got, err := c.DoBytes([]byte("C")); err != nil || got.Text != "3" {
		t.Errorf("DoBytes = %+v, %v", got, err)
	}
	_, first := c.Receive()
	if _, second := c.Do("PING"); first != io.EOF || second != first || c.Err() != first {
		t.Errorf("after the end: %v, %v, %v", first, second, c.Err())
	}
}

// TestPush shows who gets a push message.
func TestPush(t *testing.T) {
	const answer = ">1\r\n+news\r\n+OK\r\n"
	var pushed []string
	for _, tt := range []struct {
		onPush func(Reply)
		call   func(*Conn) (Reply, error)
		want   Kind
	}{
		{nil, func(c *Conn) (Reply, error) { return c.Do("X") }, Simple},
		{nil, func(c *Conn) (Reply, error) { _ = c.Send("X"); return c.Receive() }, Push},
		{func(r Reply) { pushed = append(pushed, r.Elems[0].Text) },
			func(c *Conn) (Reply, error) { return c.Do("X") }, Simple},
	} {
		c := pair(t, Options{}, answer)
		c.OnPush(tt.onPush)
		if got, err := tt.call(c); err != nil || got.Kind != tt.want {
			t.Errorf("got %+v, %v, want kind %d", got, err, tt.want)
		}
	}
	if !slices.Equal(pushed, []string{"news"}) {
		t.Errorf("pushed %q", pushed)
	}
}

// TestTimeoutAndClose shows both ways out of waiting for a silent server.
func TestTimeoutAndClose(t *testing.T) {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Skip("no unix sockets here: ", err)
	}
	defer listener.Close()

	dial := func(opts Options) *Conn {
		c, err := Dial("unix", listener.Addr().String(), opts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := dial(Options{ReadTimeout: 10 * time.Millisecond, WriteTimeout: time.Second})
	defer c.Close()
	var timeout net.Error
	if _, err := c.Do("PING"); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a silent server: %v, want a timeout", err)
	}

	c = dial(Options{})
	time.AfterFunc(10*time.Millisecond, func() { _ = c.Close() })
	if _, err := c.Do("PING"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed while waiting: %v, want net.ErrClosed", err)
	}
}

func TestDialRefused(t *testing.T) {
	if _, err := Dial("unix", filepath.Join(t.TempDir(), "none"), Options{}); err == nil {
		t.Error("connected to nothing")
	}
}

// TestSendFlushesAlone shows that Send does not collect without bound.
func TestSendFlushesAlone(t *testing.T) {
	c := pair(t, Options{}, "+OK\r\n")
	big := strings.Repeat("x", sendBufferBytes)
	if err := c.Send("ECHO", big); err != nil || len(c.out) != 0 {
		t.Errorf("%v, %d bytes kept", err, len(c.out))
	}
}
