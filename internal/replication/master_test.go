package replication

import (
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A stage is a Master whose snapshots the test makes.
type stage struct {
	*Master
	clock *clock.Manual

	file      []byte // of Save
	streamed  []byte // by Stream
	pieceSize int
	cancelled chan struct{}
	reached   atomic.Int64
	scarce    atomic.Bool
	follows   bool
}

func newStage(t testing.TB, options ...string) *stage {
	s := &stage{clock: clock.NewManual(1_000_000), pieceSize: 1000, cancelled: make(chan struct{})}
	set := config.NewSchema(MasterOptions).NewSet()
	for _, o := range options {
		name, value, _ := strings.Cut(o, " ")
		if err := set.ConfigSet([][]byte{[]byte(name), []byte(value)}, false); err != nil {
			t.Fatal(err)
		}
	}
	s.Master = NewMaster(MasterConfig{
		Journal: &journal.Journal{}, Options: set, Clock: s.clock, Random: random(1),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Snapshots: snapshots{s},
		Open:       func(string) (Source, error) { return source{bytes.NewReader(s.file)}, nil },
		Follows:    func() bool { return s.follows },
		FileWanted: func() bool { return false }, Paused: func() bool { return false },
		Background: func(task func()) { go task() },
		Reached:    func() { s.reached.Add(1) },
		Scarce:     s.scarce.Store,
	})
	t.Cleanup(s.Close)
	return s
}

type source struct{ *bytes.Reader }

func (source) Close() error { return nil }

type snapshots struct{ s *stage }

func (p snapshots) Stream(w io.Writer, cut func(*rdb.Info, <-chan struct{})) error {
	cut(&rdb.Info{}, p.s.cancelled)
	for piece := range slices.Chunk(p.s.streamed, p.s.pieceSize) {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

func (p snapshots) Save(cut func(*rdb.Info), saved func(string) error) error {
	cut(&rdb.Info{})
	return saved("")
}

func (p snapshots) Cancel() {}

func (p snapshots) Busy() bool { return false }

// A peer is a replica's session, and what was sent on it.
type peer struct {
	session.Session
	r    *Replica
	sent bytes.Buffer
	pool resp.Pool
}

func (*peer) Wake()       {}
func (*peer) FD() int     { return 1 }
func (*peer) Loop() int   { return 0 }
func (*peer) Unsent() int { return 0 }

func (s *stage) newPeer(capabilities ...string) *peer {
	w := &peer{}
	w.Link, w.Remote = w, "127.0.0.1:1"
	w.Out.SetPool(&w.pool)
	r := s.ReplicaOf(&w.Session)
	for _, c := range capabilities {
		r.AddCapability(c)
	}
	return w
}

// ask makes a replica of it.
func (s *stage) ask(w *peer, q Request) (reply string) {
	w.r, reply = s.Sync(&w.Session, q)
	return reply
}

// turn does what its loop does for it.
func (w *peer) turn() {
	for w.r.Ready() {
		w.r.Write(&w.Session)
		for _, chunk := range w.Out.Take(nil) {
			w.sent.Write(chunk.Bytes)
			chunk.Free(&w.pool)
		}
	}
}

func (w *peer) until(t *testing.T, is func() bool) {
	t.Helper()
	for range 2000 {
		w.turn()
		if is() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("it never was so; %d bytes were sent: %.200q", w.sent.Len(), w.sent.Bytes())
}

func (s *stage) state(w *peer) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.r.state
}

// Whatever the sizes, a replica gets all of the snapshot and nothing else, and the stream when
// it has said that it is whole.
func TestBroadcast(t *testing.T) {
	for _, size := range []int{0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * aheadBytes} {
		s := newStage(t, "repl-diskless-sync-delay 0")
		s.pieceSize = 30_011
		s.streamed = bytes.Repeat([]byte("snapshot"), size/8+1)[:size]
		w := s.newPeer("eof", "psync2")
		if reply := s.ask(w, Request{ID: "?", Next: -1}); reply != "" {
			t.Fatalf("%q", reply)
		}
		w.until(t, func() bool { return s.state(w) == online })
		head, rest, _ := bytes.Cut(w.sent.Bytes(), []byte("\r\n$EOF:"))
		if want := "+FULLRESYNC " + s.History().ID + " 0"; string(head) != want {
			t.Fatalf("%q, want %q", head, want)
		}
		mark, body := rest[:IDLen], rest[IDLen+2:]
		if !bytes.Equal(body, append(slices.Clone(s.streamed), mark...)) {
			t.Fatalf("%d bytes arrived of a snapshot of %d", len(body)-IDLen, size)
		}
		w.sent.Reset()
		s.Journal.AppendBytes(pingLink, 0)
		if w.turn(); w.sent.Len() > 0 {
			t.Errorf("%q before it was whole", w.sent.Bytes())
		}
		w.r.Ack(0, -1)
		if w.turn(); w.sent.String() != string(pingLink) {
			t.Errorf("%q", w.sent.Bytes())
		}
	}
}

// A replica that leaves in the middle of a snapshot takes nothing along: the others get it
// all, and with the last one the snapshot ends.
func TestLeavesWithinSnapshot(t *testing.T) {
	s := newStage(t, "repl-diskless-sync-delay 1", "repl-diskless-sync-max-replicas 2")
	s.streamed = make([]byte, 4*aheadBytes)
	stays, leaves := s.newPeer("eof"), s.newPeer("eof")
	s.ask(stays, Request{ID: "?"})
	s.ask(leaves, Request{ID: "?"})
	stays.until(t, func() bool { return leaves.r.out.waiting() >= aheadBytes })
	leaves.r.Gone(nil)
	stays.until(t, func() bool { return s.state(stays) == online })
	if n := stays.sent.Len(); n < len(s.streamed) {
		t.Errorf("%d bytes", n)
	}
	last := s.newPeer("eof")
	s.ask(last, Request{ID: "?"})
	s.clock.Advance(2 * time.Second)
	s.Cron()
	stays.until(t, func() bool { return last.r.out.waiting() >= aheadBytes })
	last.r.Gone(nil)
	stays.until(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.syncing == nil })
	stays.r.Gone(nil)
	if s.Replicas() != 0 || s.Journal.Held() > 1<<20 {
		t.Errorf("%d replicas, %d bytes are held", s.Replicas(), s.Journal.Held())
	}
}

// A file is sent to those who waited for it, and newlines while they wait.
func TestFile(t *testing.T) {
	s := newStage(t, "repl-diskless-sync no")
	s.file = bytes.Repeat([]byte("file"), 100_000)
	w := s.newPeer()
	s.ask(w, Request{Old: true})
	w.until(t, func() bool { return s.state(w) == online })
	if want := "$400000\r\n" + string(s.file); w.sent.String() != want {
		t.Errorf("%d bytes, want %d", w.sent.Len(), len(want))
	}
	w.sent.Reset()
	s.Journal.AppendBytes(pingLink, 0)
	if w.turn(); w.sent.String() != string(pingLink) {
		t.Errorf("%q", w.sent.Bytes())
	}
}

// Once a second those who wait get a newline, and others a PING when it is time.
func TestCron(t *testing.T) {
	s := newStage(t, "repl-diskless-sync-delay 100", "repl-ping-replica-period 2", "repl-timeout 5")
	w := s.newPeer("eof")
	s.ask(w, Request{ID: "?"})
	for range 3 {
		s.clock.Advance(time.Second)
		s.Cron()
		w.turn()
	}
	if got := w.sent.String(); got != "\n\n\n" {
		t.Errorf("%q", got)
	}
	n := s.Journal.Appended()
	if n < int64(len(pingLink)) || n > 2*int64(len(pingLink)) {
		t.Errorf("%d bytes of PING in three seconds", n)
	}
	online := s.newPeer("psync2")
	reply := s.ask(online, Request{ID: s.History().ID, Next: 1})
	if reply != "+CONTINUE "+s.History().ID+"\r\n" {
		t.Fatalf("%q", reply)
	}
	for range 6 {
		if online.TakeOrders().Close {
			t.Fatal("it was closed too early")
		}
		s.clock.Advance(time.Second)
		s.Cron()
	}
	if !online.TakeOrders().Close {
		t.Error("it says nothing for longer than repl-timeout, and is not closed")
	}
}

// What is counted of acknowledgements: only of those who are online, and never backward.
func TestAcks(t *testing.T) {
	s := newStage(t, "repl-diskless-sync no", "min-replicas-to-write 2", "min-replicas-max-lag 3")
	s.KeepBacklog()
	var all []*peer
	for range 3 {
		w := s.newPeer()
		s.ask(w, Request{ID: s.History().ID, Next: 1})
		all = append(all, w)
	}
	if s.TooFew() || s.scarce.Load() {
		t.Error("three new ones are too few")
	}
	all[0].r.Ack(100, 50)
	all[1].r.Ack(70, -1)
	all[0].r.Ack(60, 40)
	for _, c := range []struct {
		offset      int64
		want, files int
	}{{0, 3, 1}, {50, 2, 1}, {51, 2, 0}, {70, 2, 0}, {71, 1, 0}, {101, 0, 0}} {
		if n, m := s.Acked(c.offset), s.AckedOnDisk(c.offset); n != c.want || m != c.files {
			t.Errorf("%d and %d have acknowledged %d, want %d and %d", n, m, c.offset, c.want, c.files)
		}
	}
	if s.reached.Load() != 2 {
		t.Errorf("told %d times", s.reached.Load())
	}
	s.clock.Advance(5 * time.Second)
	all[2].r.Ack(0, -1)
	if !s.TooFew() || !s.scarce.Load() {
		t.Error("one of three has said something lately, and that is enough")
	}
	s.follows = true
	if s.TooFew() {
		t.Error("a replica asks for replicas")
	}
}

func TestFeedAllocatesNothing(t *testing.T) {
	if invariant.Enabled {
		t.Skip("invariants allocate")
	}
	s := newStage(t)
	s.KeepBacklog()
	w := s.newPeer()
	s.ask(w, Request{ID: s.History().ID, Next: 1})
	group := []journal.Effect{{Args: [][]byte{[]byte("SET"), []byte("k"), make([]byte, 100)}}}
	chunks := make([]resp.Chunk, 0, 16)
	sent := 0
	if n := testing.AllocsPerRun(1000, func() {
		s.Journal.Append(group)
		s.TurnEnds()
		for w.r.Ready() {
			w.r.Write(&w.Session)
		}
		chunks = w.Out.Take(chunks[:0])
		for i := range chunks {
			sent += len(chunks[i].Bytes)
			chunks[i].Free(&w.pool)
		}
	}); n != 0 || sent < 100_000 {
		t.Errorf("%v allocations for %d bytes", n, sent)
	}
}

// BenchmarkFeed is what a replica costs for each SET of 64 bytes, in turns of 64.
func BenchmarkFeed(b *testing.B) {
	s := newStage(b)
	s.KeepBacklog()
	w := s.newPeer()
	s.ask(w, Request{ID: s.History().ID, Next: 1})
	group := []journal.Effect{{Args: [][]byte{[]byte("SET"), []byte("key:00001"), make([]byte, 64)}}}
	var chunks []resp.Chunk
	for n := 0; b.Loop(); n++ {
		s.Journal.Append(group)
		if n%64 == 0 {
			w.r.Write(&w.Session)
			chunks = w.Out.Take(chunks[:0])
			for i := range chunks {
				chunks[i].Free(&w.pool)
			}
		}
	}
}

// FuzzReplica does what replicas may do in any order, and then some.
func FuzzReplica(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{1, 1, 1, 6, 6, 2, 0, 0, 3, 8, 8, 5})
	f.Fuzz(func(t *testing.T, program []byte) {
		rng := rand.New(rand.NewPCG(1, uint64(len(program))))
		s := newStage(t, "repl-diskless-sync-delay 1")
		s.Master.Background = func(task func()) { task() } // nobody reads meanwhile, so it must be short
		s.streamed, s.file = make([]byte, 1000), make([]byte, 1000)
		wires := []*peer{s.newPeer("eof"), s.newPeer("eof", "psync2"), s.newPeer()}
		for i, op := range program {
			w := wires[i%len(wires)]
			switch op % 8 {
			case 0, 1:
				if w.r == nil {
					q := Request{ID: "?", Next: rng.Int64()}
					if op > 100 {
						q = Request{ID: s.History().ID, Next: int64(op) - 100}
					}
					s.ask(w, q)
				}
			case 2:
				if w.r != nil {
					w.r.Ack(int64(op)*3, int64(op)-9)
					w.turn()
				}
			case 3:
				s.clock.Advance(time.Second)
				s.Cron()
			case 4:
				if w.r != nil {
					w.r.Gone(nil)
					wires[i%len(wires)] = s.newPeer("eof")
				}
			case 5:
				s.Journal.Append([]journal.Effect{{DB: int(op) % 3, Args: [][]byte{[]byte("PING")}}})
			case 6:
				s.ReplicaOf(&w.Session).SetRDBOnly(op > 128)
			case 7:
				s.RequestAcks()
				s.TurnEnds()
				s.AppendInfo(nil, "")
			}
		}
		for _, w := range wires {
			if w.r != nil {
				w.turn()
				w.r.Gone(nil)
			}
		}
		if n := s.Replicas(); n != 0 {
			t.Errorf("%d replicas are left", n)
		}
		s.mu.Lock()
		s.keep(0)
		s.mu.Unlock()
		if n := s.Journal.Held(); n != 0 {
			t.Errorf("%d bytes of the stream are held for nobody", n)
		}
	})
}
