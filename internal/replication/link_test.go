package replication

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A wire is a network between a link and a master that is a function: it is given what the
// replica asks for, and returns what it sends.
type wire struct {
	t      *testing.T
	master func(id string, next int64) []byte
	// budget is how many bytes the connection of a number carries to the replica before it
	// breaks, -1 for all.
	budget func(n int) int
	piece  func() int

	mu    sync.Mutex
	dials int
	acks  []int64
}

func (w *wire) dial(context.Context, Target) (net.Conn, error) {
	here, there := net.Pipe()
	w.mu.Lock()
	n := w.dials
	w.dials++
	w.mu.Unlock()
	left := w.budget(n)
	if left == 0 {
		return nil, errors.New("refused")
	}
	go w.serve(there, left)
	return here, nil
}

// serve is the master's side of a connection.
func (w *wire) serve(nc net.Conn, left int) {
	defer nc.Close()
	send := func(b []byte) bool {
		for len(b) > 0 {
			n := min(max(w.piece(), 1), len(b))
			if left >= 0 {
				n = min(n, left)
				left -= n
			}
			if _, err := nc.Write(b[:n]); err != nil {
				return false
			}
			b = b[n:]
			if left == 0 {
				return false
			}
		}
		return true
	}
	var in []byte
	p := resp.Parser{Split: func(line []byte) ([][]byte, error) { return bytes.Fields(line), nil }}
	var replies sync.WaitGroup // a pipe has no buffer, and both sides write at times
	defer replies.Wait()
	buf := make([]byte, 4096)
	for {
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
		for {
			args, used, err := p.Parse(in, nil, &resp.Limits{Bulk: 1 << 20})
			if err != nil || used == 0 {
				break
			}
			in = in[used:]
			if len(args) == 0 {
				continue
			}
			var answer []byte
			switch strings.ToUpper(string(args[0])) {
			case "PING":
				answer = []byte("+PONG\r\n")
			case "PSYNC":
				next, _ := strconv.ParseInt(string(args[2]), 10, 64)
				answer = w.master(string(args[1]), next)
			case "SYNC":
				answer = w.master("", 0)
			case "REPLCONF":
				if string(args[1]) == "ACK" {
					offset, _ := strconv.ParseInt(string(args[2]), 10, 64)
					w.mu.Lock()
					w.acks = append(w.acks, offset)
					w.mu.Unlock()
					continue
				}
				answer = []byte("+OK\r\n")
			}
			replies.Go(func() {
				if !send(answer) {
					nc.Close()
				}
			})
			replies.Wait()
		}
	}
}

// pieces are the sizes of what connections carry at once.
func pieces(seed uint64, most int) func() int {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 3))
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(most)
	}
}

// A place is the server that a link belongs to, without a loop.
type place struct {
	link *Link
	j    journal.Journal

	turn    sync.Mutex // exclusive mode
	id      string
	data    []byte
	loads   int
	stream  bytes.Buffer // everything that was applied
	cursor  *journal.Cursor
	serving sync.WaitGroup
}

func (p *place) Exclusive(fn func()) {
	p.turn.Lock()
	defer p.turn.Unlock()
	fn()
}

func (p *place) Standing() (string, int64) {
	p.turn.Lock()
	defer p.turn.Unlock()
	return p.id, p.j.Appended()
}

func (p *place) ListensOn() int          { return 7000 }
func (p *place) GoOn(id string)          { p.id = id }
func (p *place) FailedOver(error)        {}
func (p *place) Forget()                 { p.id = "" }
func (p *place) SyncedTo() (int64, bool) { return 0, false }

func (p *place) Receive(_ context.Context, in *Incoming) error {
	b, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	return in.Claim(func() {
		p.cursor.Close()
		p.j.StartAt(in.Offset)
		p.cursor = p.j.NewCursor()
		p.id, p.data, p.loads = in.ID, b, p.loads+1
		p.stream.Reset()
	})
}

// pipeLink writes what is pushed to the connection.
type pipeLink struct {
	s    *session.Session
	nc   net.Conn
	wake chan struct{}
}

func (l *pipeLink) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
func (l *pipeLink) FD() int     { return -1 }
func (l *pipeLink) Loop() int   { return 0 }
func (l *pipeLink) Unsent() int { return 0 }

func (p *place) Serve(nc net.Conn, s *session.Session, data []byte) error {
	l := &pipeLink{s: s, nc: nc, wake: make(chan struct{}, 1)}
	s.Link = l
	data = append([]byte(nil), data...)
	gone := make(chan struct{})
	p.serving.Go(func() {
		for {
			select {
			case <-gone:
				return
			case <-l.wake:
			}
			if s.TakeOrders().Close {
				nc.Close()
			}
			_, _ = nc.Write(s.TakePushed()) // who reads sees the end
		}
	})
	p.serving.Go(func() {
		defer s.Peer.Gone(s)
		defer close(gone)
		defer nc.Close()
		buf := make([]byte, 4096)
		for {
			for len(data) > 0 {
				_, used, err := s.Parser.Parse(data, nil, &resp.Limits{Bulk: 1 << 20, NoInline: true})
				if err != nil {
					p.turn.Lock()
					s.Upstream.Broken(err)
					p.turn.Unlock()
					return
				}
				if used == 0 {
					break
				}
				p.turn.Lock()
				if s.Closing == session.Open {
					s.Upstream.Applied(data[:used], 0)
					p.stream.Write(data[:used])
				}
				p.turn.Unlock()
				data = data[used:]
			}
			n, err := nc.Read(buf)
			if err != nil {
				return
			}
			data = append(data, buf[:n]...)
		}
	})
	return nil
}

func newPlace(t *testing.T, w *wire) *place {
	p := &place{}
	set := config.NewSchema(ReplicaOptions, MasterOptions).NewSet()
	p.cursor = p.j.NewCursor()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	p.link = NewLink(LinkConfig{Options: set, Clock: clock.System{}, Log: log,
		Journal: &p.j, Site: p, Dial: w.dial})
	p.link.Retry = time.Millisecond
	t.Cleanup(func() {
		p.link.Close()
		p.serving.Wait()
	})
	return p
}

// wait waits until a condition holds.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatal("too late: " + what)
		}
	}
}

// A history is what a master has: a snapshot at an offset and the stream behind it.
type past struct {
	id       string
	offset   int64
	snapshot string
	stream   []byte
	hasMark  bool
}

func (h *past) answer(id string, next int64) []byte {
	if id == h.id && next > h.offset && next <= h.offset+int64(len(h.stream))+1 {
		return append(fmt.Appendf(nil, "+CONTINUE %s\r\n", h.id), h.stream[next-1-h.offset:]...)
	}
	head, tail := fmt.Sprintf("$%d\r\n", len(h.snapshot)), ""
	if h.hasMark {
		head, tail = "$EOF:"+idC+"\r\n", idC
	}
	reply := fmt.Appendf(nil, "\n+FULLRESYNC %s %d\r\n\n%s%s%s", h.id, h.offset, head, h.snapshot, tail)
	return append(reply, h.stream...)
}

func (h *past) end() int64 { return h.offset + int64(len(h.stream)) }

// Wherever a connection breaks, in the handshake, the snapshot, the mark or the stream, the
// link comes back and ends with all data, each byte of the stream applied once; and all is sent
// again only if it had not come whole.
func TestCutAnywhere(t *testing.T) {
	for _, hasMark := range []bool{false, true} {
		h := &past{id: idA, offset: 1000, snapshot: "REDIS-snapshot", hasMark: hasMark}
		for i := range 5 {
			h.stream = resp.AppendCommand(h.stream, "SET", strconv.Itoa(i), "v")
		}
		whole := len("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n") + len(h.answer("?", -1))
		behind := len(h.stream)
		for cut := 0; cut <= whole; cut++ {
			w := &wire{t: t, master: h.answer, piece: pieces(uint64(cut), 30)}
			w.budget = func(n int) int {
				if n == 0 {
					return cut
				}
				return -1
			}
			p := newPlace(t, w)
			p.Exclusive(func() { p.link.Follow(Target{"master", 1}, false) })
			wait(t, fmt.Sprintf("cut at %d of %d", cut, whole), func() bool {
				_, at := p.Standing()
				return at == h.end() && p.link.State() == Connected
			})
			p.Exclusive(func() {
				isWhole := string(p.data) == h.snapshot && bytes.Equal(p.stream.Bytes(), h.stream)
				if p.id != h.id || !isWhole || p.loads != 1 {
					t.Errorf("cut at %d of %d (%d behind the snapshot): %s %q, %d loads, %q",
						cut, whole, behind, p.id, p.data, p.loads, p.stream.Bytes())
				}
			})
			wait(t, "an acknowledgement", func() bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				return len(w.acks) > 0
			})
			p.link.Close()
		}
	}
}

// REPLICAOF at any moment: what was begun for the old master changes nothing any more.
func TestFollowAnotherAtAnyTime(t *testing.T) {
	one := &past{id: idA, offset: 10, snapshot: "of one"}
	two := &past{id: idB, offset: 70, snapshot: "of two", hasMark: true}
	one.stream = resp.AppendCommand(nil, "SET", "a", "1")
	two.stream = resp.AppendCommand(nil, "SET", "b", "2")
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		w := &wire{t: t, piece: pieces(seed, 20), budget: func(int) int { return -1 }}
		var mu sync.Mutex
		now := one
		w.master = func(id string, next int64) []byte {
			mu.Lock()
			defer mu.Unlock()
			return now.answer(id, next)
		}
		p := newPlace(t, w)
		p.Exclusive(func() { p.link.Follow(Target{"one", 1}, false) })
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Microsecond)
		leaves := rng.IntN(3) == 0
		p.Exclusive(func() {
			mu.Lock()
			now = two
			mu.Unlock()
			if leaves {
				p.link.Leave()
			} else {
				p.link.Follow(Target{"two", 2}, false)
			}
		})
		if leaves {
			id, at := p.Standing()
			time.Sleep(time.Millisecond)
			if id2, at2 := p.Standing(); id != id2 || at != at2 || p.link.State() != NoMaster {
				t.Errorf("seed %d: it went on: %s %d, %s %d", seed, id, at, id2, at2)
			}
			continue
		}
		wait(t, "the other master", func() bool {
			_, at := p.Standing()
			return at == two.end() && p.link.State() == Connected
		})
		p.Exclusive(func() {
			if p.id != idB || string(p.data) != "of two" || !bytes.Equal(p.stream.Bytes(), two.stream) {
				t.Errorf("seed %d: %s %q %q", seed, p.id, p.data, p.stream.Bytes())
			}
		})
	}
}

// A stream that makes no sense any more is not gone on with, but begun anew.
func TestBrokenStream(t *testing.T) {
	h := &past{id: idA, offset: 1000, snapshot: "REDIS-snapshot"}
	h.stream = resp.AppendCommand(nil, "SET", "a", "1")
	isBroken := true
	w := &wire{t: t, piece: pieces(1, 30), budget: func(int) int { return -1 }}
	var asked []string
	w.master = func(id string, next int64) []byte {
		asked = append(asked, fmt.Sprint(id, next))
		answer := h.answer(id, next)
		if isBroken {
			isBroken = false
			answer = append(answer, "$1\r\n"...)
		}
		return answer
	}
	p := newPlace(t, w)
	p.Exclusive(func() { p.link.Follow(Target{"master", 1}, false) })
	wait(t, "the second connection", func() bool {
		done := false
		p.Exclusive(func() { done = p.loads == 2 && p.link.State() == Connected && p.j.Appended() == h.end() })
		return done
	})
	if want := []string{"?-1", "?-1"}; !slices.Equal(asked, want) {
		t.Errorf("it asked for %q", asked)
	}
}

// A master that knows no PSYNC is told nothing of positions, as it would answer that in its
// stream.
func TestOldMaster(t *testing.T) {
	h := &past{id: idA, offset: 1000, snapshot: "REDIS-snapshot"}
	h.stream = resp.AppendCommand(nil, "SET", "a", "1")
	w := &wire{t: t, piece: pieces(1, 30), budget: func(int) int { return -1 }}
	w.master = func(id string, next int64) []byte {
		if id != "" {
			return []byte("-ERR unknown command 'PSYNC'\r\n")
		}
		_, snapshot, _ := bytes.Cut(h.answer(id, next), []byte("\r\n\n"))
		return snapshot
	}
	p := newPlace(t, w)
	p.Exclusive(func() { p.link.Follow(Target{"master", 1}, false) })
	wait(t, "the stream", func() bool {
		p.turn.Lock()
		defer p.turn.Unlock()
		return bytes.Equal(p.stream.Bytes(), h.stream) && p.link.State() == Connected
	})
	p.link.Acknowledge()
	time.Sleep(10 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.acks) > 0 {
		t.Errorf("it acknowledged %d", w.acks)
	}
}
