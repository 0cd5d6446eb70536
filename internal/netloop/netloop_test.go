package netloop

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/session"
)

// Many connections at once get back what they sent, in pieces of all sizes.
func TestEcho(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		_, _, addr := serve(t, backend, 1)
		var wg sync.WaitGroup
		for i := range uint64(60) {
			wg.Go(func() { echoClient(t, addr, i, 100_000) })
		}
		wg.Wait()
	})
}

// Big transfers arrive whole in both directions, by Space and by partial writes.
func TestBigTransfers(t *testing.T) {
	const size = 32 << 20
	forBackends(t, func(t *testing.T, backend string) {
		_, w, addr := serve(t, backend, 1)
		data := bytes.Repeat(pattern, size/len(pattern)+1)[:size]
		length := binary.BigEndian.AppendUint64(nil, size)

		up := dial(t, addr)
		for _, mode := range []string{"u", ""} { // the second shows that ordinary reading goes on
			go write(t, up, append(append([]byte(mode), length...), data...))
			wantBytes(t, up, string(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(data))))
		}
		if d := w.direct.Load(); d < size/2 {
			t.Errorf("only %d bytes were read in place", d)
		}

		for _, mode := range []string{"d", "D"} {
			down := dial(t, addr)
			write(t, down, append([]byte(mode), length...))
			if mode == "D" {
				wantBytes(t, down, fmt.Sprintf("$%d\r\n", size))
			}
			got := crc32.NewIEEE()
			if n, err := io.CopyN(got, down, size); err != nil {
				t.Fatalf("%s: %d bytes, %v", mode, n, err)
			}
			if got.Sum32() != patternSum(size) {
				t.Errorf("%s: other bytes came", mode)
			}
		}
	})
}

func patternSum(n int) uint32 {
	h := crc32.NewIEEE()
	for i := 0; i < n; {
		b := pattern[i%251:]
		b = b[:min(len(b), n-i)]
		h.Write(b)
		i += len(b)
	}
	return h.Sum32()
}

// A client that sends without reading gets all replies once it reads.
func TestNoReading(t *testing.T) {
	const size = 24 << 20
	forBackends(t, func(t *testing.T, backend string) {
		_, _, addr := serve(t, backend, 1)
		for _, piece := range []int{3_000, 100_000} {
			c := dial(t, addr)
			write(t, c, []byte("e"))
			data := bytes.Repeat(pattern, size/len(pattern)+1)[:size]
			for rest := data; len(rest) > 0; {
				n := min(piece, len(rest))
				write(t, c, rest[:n])
				rest = rest[n:]
			}
			got := crc32.NewIEEE()
			if n, err := io.CopyN(got, c, size); err != nil || got.Sum32() != patternSum(size) {
				t.Errorf("pieces of %d: %d bytes, %v", piece, n, err)
			}
			_ = c.Close()
		}
	})
}

// Chunks sent in pieces of any size leave in order, and each is given back once.
func TestPartialSends(t *testing.T) {
	for step := 1; step < 40; step++ {
		l := &loop{}
		c := &conn{s: &session.Session{}}
		freed := 0
		c.s.Out.Raw([]byte("first"))
		c.s.Out.BulkLent([]byte("lent bytes"), func() { freed++ })
		c.s.Out.BulkLent(nil, func() { freed++ })
		c.s.Out.Raw([]byte("last"))
		const want = "first$10\r\nlent bytes\r\n$0\r\n\r\nlast"
		if !l.take(c) || c.unsent != len(want) {
			t.Fatalf("%d bytes unsent, want %d", c.unsent, len(want))
		}
		got := ""
		for c.unsent > 0 {
			n, part := min(step, c.unsent), ""
			for _, chunk := range c.out {
				part += string(chunk.Bytes)
			}
			if len(part) != c.unsent {
				t.Fatalf("%d bytes in chunks, %d unsent", len(part), c.unsent)
			}
			got += part[:n]
			l.sent(c, n)
		}
		if got != want || freed != 2 || len(c.out) != 0 || l.take(c) {
			t.Errorf("step %d: %q, %d freed", step, got, freed)
		}
	}
}

// A client that shuts its sending half gets the replies to all it sent.
func TestHalfClose(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		_, w, addr := serve(t, backend, 1)
		for _, n := range []int{1, 1000, 8 << 20} {
			c := dial(t, addr)
			write(t, c, append([]byte("d"), binary.BigEndian.AppendUint64(nil, uint64(n))...))
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
			if got, err := io.ReadAll(c); err != nil || len(got) != n {
				t.Fatalf("%d bytes of %d, %v", len(got), n, err)
			}
		}
		eventually(t, "all closed", func() bool { return w.closed.Load() == 3 })
	})
}

// A connection ends the way that the handler asks for.
func TestClosing(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w, addr := serve(t, backend, 1)
		c := dial(t, addr)
		write(t, c, []byte("c"))
		wantBytes(t, c, "bye")
		wantEnd(t, c)

		c = dial(t, addr) // what it sends after that does not destroy the reply
		write(t, c, append([]byte("c"), make([]byte, 10_000)...))
		wantBytes(t, c, "bye")

		c = dial(t, addr)
		write(t, c, []byte("k"))
		wantEnd(t, c)

		c = dial(t, addr) // with replies under way that nobody reads
		write(t, c, append([]byte("d"), binary.BigEndian.AppendUint64(nil, 32<<20)...))
		eventually(t, "a reply is under way", func() bool { return s.Clients() == 1 && w.opened.Load() == 4 })
		time.Sleep(20 * time.Millisecond)
		for _, s := range w.all() {
			s.OrderClose()
		}
		eventually(t, "all are closed", func() bool { return w.closed.Load() == 4 })
		if n, err := io.Copy(io.Discard, c); n >= 32<<20 {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

func (w *world) all() []*session.Session {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*session.Session
	for s := range w.sessions {
		all = append(all, s)
	}
	return all
}

// A client that goes away while it is written to and read from harms nobody.
func TestReset(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		_, w, addr := serve(t, backend, 1)
		for i := range 40 {
			c := dial(t, addr).(*net.TCPConn)
			if i%2 == 0 {
				write(t, c, append([]byte("D"), binary.BigEndian.AppendUint64(nil, 16<<20)...))
			} else { // in the middle of a big argument
				write(t, c, append([]byte("u"), binary.BigEndian.AppendUint64(nil, 16<<20)...))
				write(t, c, make([]byte, 400_000))
			}
			if i%3 == 0 {
				time.Sleep(2 * time.Millisecond)
			}
			if i%4 < 3 {
				_ = c.SetLinger(0)
			}
			_ = c.Close()
		}
		eventually(t, "all are closed", func() bool { return w.closed.Load() == 40 })
		c := dial(t, addr)
		write(t, c, []byte("ehello"))
		wantBytes(t, c, "hello")
	})
}

// Wake-ups from other threads are neither lost nor late, whatever the loop does.
func TestWake(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		_, w, addr := serve(t, backend, 1)
		c := dial(t, addr)
		write(t, c, []byte("e!"))
		wantBytes(t, c, "!")
		s := w.all()[0]
		const pushes = 3000
		go func() {
			for i := range pushes {
				s.Push([]byte{byte(i)}, 0)
				if i%50 == 0 {
					time.Sleep(200 * time.Microsecond) // lets the loop fall asleep
				}
			}
		}()
		got := make([]byte, pushes)
		if n, err := io.ReadFull(c, got); err != nil {
			t.Fatal(n, err)
		}
		for i, b := range got {
			if b != byte(i) {
				t.Fatalf("push %d is %d", i, b)
			}
		}
		for range 50 { // one at a time: each must wake a sleeping loop
			s.Push([]byte("x"), 0)
			wantBytes(t, c, "x")
		}
	})
}

// Connections that change loops all the time lose, repeat and mix up nothing.
func TestMigration(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		const loops = 3
		s, w, addr := serve(t, backend, loops)
		for i := 1; i < loops; i++ {
			s.activate(s.loops[i])
		}
		eventually(t, "all loops run", func() bool { return s.loops[1].up.Load() && s.loops[2].up.Load() })
		s.balanceAt.Store(1 << 62) // the policy stays out of it
		var stop atomic.Bool
		var movers, clients sync.WaitGroup
		movers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				from, to := s.loops[i%loops], s.loops[(i+1+i/loops%2)%loops]
				from.call(func() { from.beginMove(to, 0.7, i%4 == 0) })
				time.Sleep(100 * time.Microsecond)
			}
		})
		movers.Go(func() {
			for !stop.Load() {
				for _, s := range w.all() {
					s.Link.Wake()
				}
				time.Sleep(time.Millisecond)
			}
		})
		moved := func() (n uint64) {
			for _, l := range s.loops {
				n += l.moved.Load()
			}
			return n
		}
		for i := range uint64(24) {
			clients.Go(func() {
				for round := range uint64(20) { // clients that always send are seldom movable
					if echoClient(t, addr, i+100*round, 200_000); moved() > 50 {
						break
					}
				}
			})
		}
		clients.Go(func() {
			c := dial(t, addr)
			size := 20 << 20
			go write(t, c, append(append([]byte("u"), binary.BigEndian.AppendUint64(nil, uint64(size))...),
				bytes.Repeat(pattern, size/len(pattern)+1)[:size]...))
			got := make([]byte, 4)
			if _, err := io.ReadFull(c, got); err != nil || binary.BigEndian.Uint32(got) != patternSum(size) {
				t.Errorf("upload: %x, %v", got, err)
			}
		})
		clients.Wait()
		stop.Store(true)
		movers.Wait()
		if n := moved(); n < 10 {
			t.Errorf("only %d moves", n)
		}
	})
}

// A server that is closed leaves neither goroutines nor descriptors behind, and
// sends what was pending.
func TestShutdown(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		before, fdsBefore := runtime.NumGoroutine(), descriptors()
		s, w := prepare(t, backend, 2)
		addr, err := s.Listen("tcp", "127.0.0.1:0", 511, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		s.activate(s.loops[1])
		var conns []net.Conn
		slow := dial(t, addr)
		write(t, slow, append([]byte("d"), binary.BigEndian.AppendUint64(nil, 16<<20)...))
		for range 20 {
			c := dial(t, addr)
			write(t, c, []byte("e1"))
			wantBytes(t, c, "1")
			conns = append(conns, c)
		}
		time.Sleep(20 * time.Millisecond)
		got := make(chan int64)
		go func() {
			n, _ := io.Copy(io.Discard, slow)
			got <- n
		}()
		s.Shutdown(5 * time.Second)
		if n := <-got; n != 16<<20 {
			t.Errorf("%d bytes of the pending reply came", n)
		}
		for _, c := range conns {
			wantEnd(t, c)
			_ = c.Close()
		}
		_ = slow.Close()
		if w.closed.Load() != 21 {
			t.Errorf("%d of 21 closed", w.closed.Load())
		}
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
		if fdsBefore >= 0 {
			eventually(t, "no descriptor is left", func() bool { return descriptors() <= fdsBefore })
		}
	})
}

// find is the session of a client's connection.
func (w *world) find(c net.Conn) *session.Session {
	for _, s := range w.all() {
		if s.Remote == c.LocalAddr().String() {
			return s
		}
	}
	panic("no session")
}

// descriptors counts this process's open descriptors, -1 if it cannot.
func descriptors() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(all)
}

// A shutdown does not wait for those who do not read.
func TestShutdownGrace(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w, addr := serve(t, backend, 1)
		c := dial(t, addr)
		write(t, c, append([]byte("d"), binary.BigEndian.AppendUint64(nil, 32<<20)...))
		eventually(t, "there", func() bool { return w.opened.Load() == 1 })
		time.Sleep(10 * time.Millisecond)
		began := time.Now()
		s.Shutdown(50 * time.Millisecond)
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("shutdown took %v", d)
		}
	})
}

// Listeners come and go while the server runs, and their addresses are free at once.
func TestListeners(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w, first := serve(t, backend, 1)
		second, err := s.Listen("tcp", "127.0.0.1:0", 511, 0)
		if err != nil {
			t.Fatal(err)
		}
		old := dial(t, first)
		write(t, old, []byte("ea"))
		wantBytes(t, old, "a")
		for range 3 {
			if !s.Unlisten("tcp", first) || s.Unlisten("tcp", first) {
				t.Fatal("Unlisten did not tell whether there was a listener")
			}
			if c, err := net.Dial("tcp", first); err == nil {
				_ = c.Close()
				t.Fatal("it still listens")
			}
			if got, err := s.Listen("tcp", first, 511, 0); err != nil || got != first {
				t.Fatal("the address is not free:", got, err)
			}
			for _, addr := range []string{first, second} {
				c := dial(t, addr)
				write(t, c, []byte("eb"))
				wantBytes(t, c, "b")
				if got := w.find(c); got.Local != addr {
					t.Errorf("local address %s, want %s", got.Local, addr)
				}
			}
		}
		if _, err := s.Listen("tcp", first, 511, 0); err == nil {
			t.Error("listened twice at an address")
		}
		if _, err := net.Listen("tcp", second); err == nil {
			t.Error("somebody else can listen there")
		}
		write(t, old, []byte("c")) // connections stay
		wantBytes(t, old, "c")
		if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
			_ = l.Close()
			addr, err := s.Listen("tcp", "[::1]:0", 511, 0)
			if err != nil || !strings.HasPrefix(addr, "[::1]:") {
				t.Fatal(addr, err)
			}
			c := dial(t, addr)
			write(t, c, []byte("e6"))
			wantBytes(t, c, "6")
			w.find(c)
		}
		if n := len(s.Addrs()); n < 2 {
			t.Errorf("%d addresses", n)
		}
	})
}

// Unix sockets have their permissions from the first moment, replace a file left
// behind, and are removed at the end.
func TestUnixSocket(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w := prepare(t, backend, 1)
		path := filepath.Join(t.TempDir(), "s")
		for range 2 {
			if l, err := net.Listen("unix", path); err == nil {
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				_ = l.Close()
			}
		}
		if _, err := s.Listen("unix", path, 511, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, s, w)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		c := dial(t, path)
		write(t, c, []byte("eabc"))
		wantBytes(t, c, "abc")
		if got := w.all()[0]; !got.Unix || got.Remote != path+":0" || got.Local != path+":0" {
			t.Errorf("%v %q %q", got.Unix, got.Remote, got.Local)
		}
		var wg sync.WaitGroup
		for i := range uint64(8) {
			wg.Go(func() { echoClient(t, path, i, 300_000) })
		}
		wg.Wait()
		s.Shutdown(time.Second)
		if _, err := os.Stat(path); err == nil {
			t.Error("the socket is still there")
		}
	})
}

// A refused connection gets the refusal and is closed.
func TestRefuse(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w := prepare(t, backend, 1)
		w.accept = func(Accepted) []byte { return []byte("-ERR max number of clients reached\r\n") }
		addr, err := s.Listen("tcp", "127.0.0.1:0", 511, 0)
		if err != nil {
			t.Fatal(err)
		}
		run(t, s, w)
		c := dial(t, addr)
		wantBytes(t, c, "-ERR max number of clients reached\r\n")
		wantEnd(t, c)
	})
}

// EachSession sees every session while no loop is in a turn, also those that are
// on their way between loops.
func TestEachSession(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w, addr := serve(t, backend, 2)
		s.activate(s.loops[1])
		eventually(t, "it runs", s.loops[1].up.Load)
		s.balanceAt.Store(1 << 62)
		var conns []net.Conn
		for range 30 {
			conns = append(conns, dial(t, addr))
		}
		eventually(t, "all are there", func() bool { return s.Clients() == len(conns) })
		for i := range 50 {
			from, to := s.loops[i%2], s.loops[1-i%2]
			from.call(func() { from.beginMove(to, 0, true) })
			time.Sleep(time.Duration(i) * 10 * time.Microsecond)
			w.gate.Lock()
			seen := map[*session.Session]bool{}
			s.EachSession(func(s *session.Session) { seen[s] = true })
			w.gate.Unlock()
			if len(seen) != len(conns) {
				t.Fatalf("%d of %d sessions seen", len(seen), len(conns))
			}
		}
	})
}

// A request through a loop allocates nothing.
func TestNoAllocation(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		if backend == BackendNet {
			t.Skip("goroutines for writing are what this backend is made of")
		}
		_, _, addr := serve(t, backend, 1)
		c := dial(t, addr)
		write(t, c, []byte("e"))
		msg, got := []byte("hello, loop"), make([]byte, 11)
		if n := testing.AllocsPerRun(2000, func() {
			_, _ = c.Write(msg)
			_, _ = io.ReadFull(c, got)
		}); n >= 1 {
			t.Errorf("%v allocations for a request", n)
		}
		if string(got) != string(msg) {
			t.Errorf("got %q", got)
		}
	})
}
