package netloop

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/session"
)

// A pongHandler answers each PING, as a client library encodes it, with +PONG. It does
// the least that a handler can, so that what is measured is this package.
type pongHandler struct {
	got   []piece
	dirty []*session.Session
	spin  int // iterations of work for a request
	sink  uint64
}

const pingLen = len("*1\r\n$4\r\nPING\r\n")

func (h *pongHandler) Begin(int64) { h.dirty = h.dirty[:0] }
func (h *pongHandler) Received(s *session.Session, data []byte) {
	h.got = append(h.got, piece{s, data})
}
func (h *pongHandler) Space(*session.Session) []byte { return nil }
func (h *pongHandler) Filled(*session.Session, int)  {}
func (h *pongHandler) EOF(s *session.Session) {
	s.Closing = session.AfterReply
	h.dirty = append(h.dirty, s)
}
func (h *pongHandler) Woken(*session.Session)  {}
func (h *pongHandler) Refill(*session.Session) {}
func (h *pongHandler) Run() {
	for i := range h.got {
		p := &h.got[i]
		s := p.s
		s.ArgvBytes += len(p.data)
		for ; s.ArgvBytes >= pingLen; s.ArgvBytes -= pingLen {
			for range h.spin {
				h.sink = h.sink*6364136223846793005 + 1
			}
			s.Out.Simple("PONG")
		}
		h.dirty = append(h.dirty, s)
		p.s, p.data = nil, nil
	}
	h.got = h.got[:0]
}
func (h *pongHandler) Dirty() []*session.Session { return h.dirty }
func (h *pongHandler) Closed(*session.Session)   {}
func (h *pongHandler) Deadline() int64           { return 0 }

func (h *pongHandler) Tick(int64) time.Duration { return 100 * time.Millisecond }
func (h *pongHandler) End()                     {}

func servePong(tb testing.TB, backend string, loops, spin int, addr string) (*Server, string) {
	tb.Helper()
	s, err := New(Config{
		Backend:    backend,
		Loops:      loops,
		NewHandler: func(int) Handler { return &pongHandler{spin: spin} },
		Accept: func(a Accepted) (*session.Session, []byte) {
			return &session.Session{Link: a.Link, Remote: a.Remote, Local: a.Local}, nil
		},
		Clock: clock.System{},
	})
	if err != nil {
		tb.Skip(err)
	}
	bound, err := s.Listen("tcp", addr, 511, 0)
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Start(); err != nil {
		tb.Fatal(err)
	}
	return s, bound
}

// TestServePong serves until it is killed, for redis-benchmark -t ping_mbulk:
//
//	NETLOOP_PONG=uring NETLOOP_ADDR=127.0.0.1:30100 NETLOOP_LOOPS=1 go test -run ServePong
func TestServePong(t *testing.T) {
	backend := os.Getenv("NETLOOP_PONG")
	if backend == "" {
		t.Skip("a server to measure, not a test")
	}
	loops, _ := strconv.Atoi(os.Getenv("NETLOOP_LOOPS"))
	spin, _ := strconv.Atoi(os.Getenv("NETLOOP_SPIN"))
	s, addr := servePong(t, backend, loops, spin, os.Getenv("NETLOOP_ADDR"))
	name, why := s.Backend()
	t.Log(name, why, addr)
	for { // what the loops do, each second
		before := s.Stats(nil)
		time.Sleep(time.Second)
		for i, now := range s.Stats(nil) {
			if turns := now.Turns - before[i].Turns; turns > 100 {
				requests := (now.BytesIn - before[i].BytesIn) / uint64(pingLen)
				fmt.Fprintf(os.Stderr, "loop %d: %d clients, %.2f busy, %d turns, %.1f requests a turn\n",
					i, now.Clients, now.Busy, turns, float64(requests)/float64(turns))
			}
		}
	}
}

// BenchmarkPing is one request at a time, and pipelines, over one connection.
func BenchmarkPing(b *testing.B) {
	for _, backend := range []string{BackendEpoll, BackendUring, BackendNet} {
		for _, depth := range []int{1, 64} {
			b.Run(backend+"/P"+strconv.Itoa(depth), func(b *testing.B) {
				s, addr := servePong(b, backend, 1, 0, "127.0.0.1:0")
				defer s.Shutdown(time.Second)
				c, err := net.Dial("tcp", addr)
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				var request []byte
				for range depth {
					request = append(request, "*1\r\n$4\r\nPING\r\n"...)
				}
				reply := make([]byte, depth*len("+PONG\r\n"))
				b.ReportAllocs()
				for n := 0; n < b.N; n += depth {
					if _, err := c.Write(request); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(c, reply); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
