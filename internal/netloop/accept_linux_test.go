//go:build linux && (amd64 || arm64)

package netloop

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A syncBuffer is a log that many may write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Out of descriptors, the loop neither spins nor floods the log, goes on when a
// connection is closed, and serves those that it has.
func TestOutOfDescriptors(t *testing.T) {
	for _, backend := range []string{BackendEpoll, BackendUring} {
		t.Run(backend, func(t *testing.T) {
			s, w := prepare(t, backend, 1)
			var log syncBuffer
			s.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
			var dry atomic.Bool
			var tries atomic.Int64
			accept4 := func(fd, flags int) (int, unix.Sockaddr, error) {
				tries.Add(1)
				if dry.Load() {
					return -1, nil, unix.EMFILE
				}
				return unix.Accept4(fd, flags)
			}
			make := s.newPoller
			s.newPoller = func(l *loop) poller {
				p := make(l)
				p.(interface{ setAccept(acceptFunc) }).setAccept(accept4)
				return p
			}
			addr, err := s.Listen("tcp", "127.0.0.1:0", 511, 0)
			if err != nil {
				t.Fatal(err)
			}
			run(t, s, w)
			first, other := dial(t, addr), dial(t, addr)
			write(t, first, []byte("e1"))
			wantBytes(t, first, "1")
			write(t, other, []byte("e1"))
			wantBytes(t, other, "1")

			dry.Store(true)
			before, turns := tries.Load(), w.turns.Load()
			var late []net.Conn
			for range 5 {
				late = append(late, dial(t, addr)) // the kernel's backlog takes it
			}
			time.Sleep(350 * time.Millisecond)
			if n := tries.Load() - before; n < 2 || n > 12 {
				t.Errorf("accept tried %d times in 350 ms", n)
			}
			if n := w.turns.Load() - turns; n > 100 {
				t.Errorf("%d turns in 350 ms", n)
			}
			if n := strings.Count(log.String(), "accepting connections failed"); n != 1 {
				t.Errorf("logged %d times:\n%s", n, log.String())
			}
			write(t, first, []byte("2"))
			wantBytes(t, first, "2")

			dry.Store(false)
			_ = other.Close()
			for _, c := range late {
				write(t, c, []byte("e3"))
				wantBytes(t, c, "3")
			}
		})
	}
}
