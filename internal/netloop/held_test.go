package netloop

import (
	"io"
	"net"
	"testing"
	"time"
)

// heldFor is how long the harness holds a reply.
const heldFor = 30 * time.Millisecond

// Replies that are held leave when they are not any more, with all that came behind them, and
// a connection that is closed meanwhile is sent them first.
func TestHeld(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w, addr := serve(t, backend, 1)
		defer w.holding.Wait()
		c := dial(t, addr)
		write(t, c, []byte("h"))
		for range 3 {
			start := time.Now()
			write(t, c, []byte("ab"))
			time.Sleep(heldFor / 6)
			write(t, c, []byte("cd"))
			got := make([]byte, 4)
			if _, err := io.ReadFull(c, got); err != nil || string(got) != "abcd" {
				t.Fatalf("%q, %v", got, err)
			}
			if took := time.Since(start); took < heldFor {
				t.Errorf("%q came after %v", got, took)
			}
		}
		write(t, c, []byte("the end"))
		_ = c.(*net.TCPConn).CloseWrite()
		rest, err := io.ReadAll(c)
		if err != nil || string(rest) != "the end" {
			t.Errorf("%q, %v", rest, err)
		}
		eventually(t, "the connection is gone", func() bool { return s.Clients() == 0 })
	})
}
