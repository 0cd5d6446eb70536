package netloop

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/session"
)

// A connection that was made elsewhere is served like one that was accepted: what had been
// read from it comes first, it may be waked, and its end is reported.
func TestAdopt(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		for _, network := range []string{"tcp", "unix"} {
			s, w, _ := serve(t, backend, 2)
			here, there := pair(t, network)
			sess := &session.Session{}
			sess.Multi.Watch = &state{}
			w.mu.Lock()
			w.sessions[sess] = true
			w.mu.Unlock()
			w.opened.Add(1)
			if err := s.Adopt(here, sess, []byte("efirst")); err != nil {
				t.Fatal(err)
			}
			wantBytes(t, there, "first")
			write(t, there, []byte("second"))
			wantBytes(t, there, "second")
			sess.Push([]byte("pushed"), 0)
			wantBytes(t, there, "pushed")
			big := make([]byte, 300_000)
			for i := range big {
				big[i] = byte(i)
			}
			go write(t, there, big)
			wantBytes(t, there, string(big))
			there.Close()
			for end := time.Now().Add(5 * time.Second); w.closed.Load() == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("its end is not reported")
				}
			}
			s.Shutdown(0)
			if late, _ := pair(t, network); s.Adopt(late, sess, nil) != ErrStopping {
				t.Error("a server that has stopped adopts")
			}
		}
	})
}

// pair is both ends of a connection, the first as whoever dialled has it.
func pair(t *testing.T, network string) (here, there net.Conn) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = t.TempDir() + "/s"
	}
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var accepting sync.WaitGroup
	accepting.Go(func() { there, _ = ln.Accept() })
	here, err = net.Dial(network, ln.Addr().String())
	accepting.Wait()
	if err != nil || there == nil {
		t.Fatal("no connection: ", err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}
