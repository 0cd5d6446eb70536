package netloop

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/session"
)

// The test handler's protocol: the first byte of a connection chooses what it does.
//
//	e bytes...          everything is echoed
//	u length(8) bytes   upload through Space: answered by the checksum (4)
//	d length(8)         download: that many bytes of pattern, in chunks
//	D length(8)         the same, as one lent chunk
//	s length(8)         the same, made in pieces
//	c                   answers "bye" and closes after the reply
//	k                   is closed at once
//	h bytes...          echoed, but held until another thread wakes the session
const (
	spaceMin  = 32 << 10
	spacePart = 300_000 // what Space gives at a time
)

type state struct {
	mode   byte
	head   []byte
	left   int
	crc    uint32
	space  []byte
	eof    bool
	closed atomic.Bool
	woken  atomic.Int64
}

type world struct {
	mu       sync.Mutex
	sessions map[*session.Session]bool
	opened   atomic.Int64
	closed   atomic.Int64
	turns    atomic.Int64
	lent     atomic.Int64 // chunks lent and not given back
	direct   atomic.Int64 // bytes that came through Filled
	refills  atomic.Int64
	ahead    atomic.Int64 // the most bytes that were not sent when a piece had been made
	accept   func(a Accepted) []byte
	inTurn   []atomic.Bool
	gate     sync.RWMutex
	holding  sync.WaitGroup
}

type testHandler struct {
	t     *testing.T
	w     *world
	loop  int
	got   []piece
	dirty []*session.Session
}

type piece struct {
	s    *session.Session
	data []byte
}

func (h *testHandler) Begin(int64) {
	h.w.gate.RLock()
	if h.w.inTurn[h.loop].Swap(true) {
		panic("turn in a turn")
	}
	h.w.turns.Add(1)
	h.dirty = h.dirty[:0]
}

func (h *testHandler) End() {
	h.w.inTurn[h.loop].Store(false)
	h.w.gate.RUnlock()
}

func of(s *session.Session) *state { return s.Multi.Watch.(*state) }

func (h *testHandler) must(s *session.Session) *state {
	if s.Link.Loop() != h.loop {
		panic(fmt.Sprintf("session of loop %d on loop %d", s.Link.Loop(), h.loop))
	}
	st := of(s)
	if st.closed.Load() {
		panic("call for a closed session")
	}
	return st
}

func (h *testHandler) Received(s *session.Session, data []byte) {
	h.must(s)
	h.got = append(h.got, piece{s, data})
}

func (h *testHandler) Space(s *session.Session) []byte {
	st := h.must(s)
	if st.mode != 'u' || len(st.head) < 8 || st.left < spaceMin {
		return nil
	}
	if st.space == nil {
		st.space = make([]byte, spacePart)
	}
	return st.space[:min(st.left, spacePart)]
}

func (h *testHandler) Filled(s *session.Session, n int) {
	h.must(s)
	h.w.direct.Add(int64(n))
	h.consume(s, of(s).space[:n])
	h.dirty = append(h.dirty, s)
}

func (h *testHandler) EOF(s *session.Session) {
	st := h.must(s)
	if st.eof {
		panic("second EOF")
	}
	st.eof = true
	s.Closing = session.AfterReply
	h.dirty = append(h.dirty, s)
}

func (h *testHandler) Woken(s *session.Session) {
	h.must(s).woken.Add(1)
	s.Held = false
	s.Out.Raw(s.TakePushed())
	if s.TakeOrders().Close {
		s.Closing = session.Immediately
	}
	h.dirty = append(h.dirty, s)
}

func (h *testHandler) Run() {
	for i, p := range h.got {
		h.consume(p.s, p.data)
		h.dirty = append(h.dirty, p.s)
		h.got[i] = piece{}
	}
	h.got = h.got[:0]
}

func (h *testHandler) consume(s *session.Session, b []byte) {
	st := of(s)
	for len(b) > 0 {
		switch {
		case st.mode == 0:
			st.mode = b[0]
			b = b[1:]
			switch st.mode {
			case 'c':
				s.Out.Raw([]byte("bye"))
				s.Closing = session.AfterReply
				return
			case 'k':
				s.Out.Raw([]byte("never seen"))
				s.Closing = session.Immediately
				return
			}
		case st.mode == 'e':
			s.Out.Raw(b)
			return
		case st.mode == 'h':
			s.Out.Raw(b)
			if !s.Held {
				s.Held = true
				link := s.Link
				h.w.holding.Go(func() {
					time.Sleep(heldFor)
					link.Wake()
				})
			}
			return
		case len(st.head) < 8:
			n := min(8-len(st.head), len(b))
			st.head = append(st.head, b[:n]...)
			b = b[n:]
			if len(st.head) == 8 {
				st.left = int(binary.BigEndian.Uint64(st.head))
				h.reply(s, st)
			}
		case st.mode == 'u':
			n := min(st.left, len(b))
			st.crc = crc32.Update(st.crc, crc32.IEEETable, b[:n])
			st.left -= n
			b = b[n:]
			if st.left == 0 {
				s.Out.Raw(binary.BigEndian.AppendUint32(nil, st.crc))
				*st = state{mode: 'u'}
			}
		default:
			return
		}
	}
}

func (h *testHandler) reply(s *session.Session, st *state) {
	switch st.mode {
	case 'd':
		for n := 0; n < st.left; {
			b := pattern[n%251:]
			b = b[:min(len(b), st.left-n)]
			s.Out.Raw(b)
			n += len(b)
		}
		st.head = st.head[:0]
	case 'D':
		b := make([]byte, st.left)
		for n := 0; n < len(b); {
			n += copy(b[n:], pattern[n%251:])
		}
		h.w.lent.Add(1)
		s.Out.BulkLent(b, func() { h.w.lent.Add(-1) })
		st.head = st.head[:0]
	case 's':
		s.Stream = &pieces{left: st.left}
		st.head = st.head[:0]
		h.dirty = append(h.dirty, s)
	}
}

// pieces is a reply of pattern bytes that is made in pieces.
type pieces struct{ at, left int }

func (p *pieces) Held() int64 { return 0 }

func (p *pieces) Ready() bool { return true }

// pieceSize is no multiple of the pattern's.
const pieceSize = 20_000

func (h *testHandler) Refill(s *session.Session) {
	h.must(s)
	p := s.Stream.(*pieces)
	for n := min(pieceSize, p.left); n > 0; {
		b := pattern[p.at%251:]
		b = b[:min(len(b), n)]
		s.Out.Raw(b)
		p.at, p.left, n = p.at+len(b), p.left-len(b), n-len(b)
	}
	ahead := int64(s.Out.Len() + s.Link.Unsent())
	h.w.ahead.Store(max(h.w.ahead.Load(), ahead))
	if h.w.refills.Add(1); p.left == 0 {
		s.Stream = nil
	}
	h.dirty = append(h.dirty, s)
}

func (h *testHandler) Dirty() []*session.Session { return h.dirty }

func (h *testHandler) Closed(s *session.Session) {
	h.must(s).closed.Store(true)
	h.w.mu.Lock()
	delete(h.w.sessions, s)
	h.w.mu.Unlock()
	h.w.closed.Add(1)
}

func (h *testHandler) Deadline() int64 { return 0 }

func (h *testHandler) Tick(int64) time.Duration { return 20 * time.Millisecond }

// pattern repeats every 251 bytes.
var pattern = func() []byte {
	b := make([]byte, 251*40)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}()

// serve starts a server with the test handler.
func serve(t *testing.T, backend string, loops int) (*Server, *world, string) {
	t.Helper()
	s, w := prepare(t, backend, loops)
	addr, err := s.Listen("tcp", "127.0.0.1:0", 511, 0)
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, w)
	return s, w, addr
}

func prepare(t *testing.T, backend string, loops int) (*Server, *world) {
	t.Helper()
	w := &world{sessions: map[*session.Session]bool{}, inTurn: make([]atomic.Bool, loops)}
	name, variant, _ := strings.Cut(backend, "-")
	s, err := New(Config{
		Backend:    name,
		Loops:      loops,
		NewHandler: func(i int) Handler { return &testHandler{t: t, w: w, loop: i} },
		Accept: func(a Accepted) (*session.Session, []byte) {
			if w.accept != nil {
				if refuse := w.accept(a); refuse != nil {
					return nil, refuse
				}
			}
			s := &session.Session{Link: a.Link, Remote: a.Remote, Local: a.Local, Unix: a.Unix}
			s.Multi.Watch = &state{}
			w.mu.Lock()
			w.sessions[s] = true
			w.mu.Unlock()
			w.opened.Add(1)
			return s, nil
		},
		KeepAlive: func() int { return 300 },
		Clock:     clock.System{},
		Log:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Skipf("backend %s: %v", backend, err)
	}
	if variant != "" {
		vary(s, variant)
	}
	return s, w
}

func run(t *testing.T, s *Server, w *world) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Shutdown(time.Second)
		if o, c := w.opened.Load(), w.closed.Load(); o != c {
			t.Errorf("%d sessions opened, %d closed", o, c)
		}
		if n := w.lent.Load(); n != 0 {
			t.Errorf("%d lent chunks not given back", n)
		}
		if n := s.Clients(); n != 0 {
			t.Errorf("%d clients after shutdown", n)
		}
	})
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	network := "tcp"
	if len(addr) > 0 && addr[0] == '/' {
		network = "unix"
	}
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func write(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Error("write:", err)
	}
}

func wantBytes(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got[:n], err, want)
	}
}

// wantEnd checks that nothing more comes.
func wantEnd(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || os.IsTimeout(err) {
		t.Fatalf("got %d bytes, %v, want the end", n, err)
	}
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}

// forBackends runs a test for each backend of this system.
func forBackends(t *testing.T, f func(t *testing.T, backend string)) {
	for _, b := range backendsHere {
		t.Run(b, func(t *testing.T) { f(t, b) })
	}
}

// echoClient sends n bytes in random pieces, some at once, and checks what comes back.
func echoClient(t *testing.T, addr string, seed uint64, n int) {
	c := dial(t, addr)
	defer c.Close()
	sent := make([]byte, n)
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range sent {
		sent[i] = byte(rng.Uint32())
	}
	go func() {
		write(t, c, []byte("e"))
		rng := rand.New(rand.NewPCG(seed, 2))
		for rest := sent; len(rest) > 0; {
			k := min(len(rest), 1+rng.IntN(1<<rng.IntN(17)))
			write(t, c, rest[:k])
			rest = rest[k:]
		}
	}()
	got := make([]byte, n)
	if k, err := io.ReadFull(c, got); err != nil {
		t.Errorf("client %d: read %d of %d: %v", seed, k, n, err)
	} else if crc32.ChecksumIEEE(got) != crc32.ChecksumIEEE(sent) {
		t.Errorf("client %d: other bytes came back", seed)
	}
}
