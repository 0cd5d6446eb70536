package netloop

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// askPieces asks for a reply of n bytes that is made in pieces.
func askPieces(t *testing.T, addr string, n int) net.Conn {
	t.Helper()
	c := dial(t, addr)
	write(t, c, binary.BigEndian.AppendUint64([]byte("s"), uint64(n)))
	return c
}

func wantPieces(t *testing.T, c net.Conn, n int) {
	t.Helper()
	got := crc32.NewIEEE()
	if got2, err := io.CopyN(got, c, int64(n)); err != nil || got.Sum32() != patternSum(n) {
		t.Errorf("%d bytes of %d came, or others: %v", got2, n, err)
	}
}

// A reply that is made in pieces comes whole, to several clients at once, and is made only
// as fast as it leaves; while one does not read, others are served.
func TestRefill(t *testing.T) {
	const size = 24 << 20
	forBackends(t, func(t *testing.T, backend string) {
		_, w, addr := serve(t, backend, 1)
		slow := askPieces(t, addr, size)
		var wg sync.WaitGroup
		for i := range uint64(3) {
			wg.Go(func() { wantPieces(t, askPieces(t, addr, size/4), size/4) })
			wg.Go(func() { echoClient(t, addr, i, 30_000) })
		}
		wg.Wait()
		before := w.refills.Load()
		eventually(t, "the piece that nobody reads is the last", func() bool {
			now := w.refills.Load()
			calm := now == before
			before = now
			return calm
		})
		if most := int64(size+size/4*3) / pieceSize; before >= most {
			t.Errorf("all of %d pieces were made, though one client does not read", most)
		}
		wantPieces(t, slow, size)
		if most := int64(refillBelow + pieceSize); w.ahead.Load() > most {
			t.Errorf("%d bytes were ahead of the kernel, want %d at most", w.ahead.Load(), most)
		}
		wantPieces(t, askPieces(t, addr, 0), 0)
		wantPieces(t, askPieces(t, addr, 1), 1)
	})
}

// Connections end in the middle of such a reply, or behind it.
func TestRefillEnds(t *testing.T) {
	const size = 24 << 20
	forBackends(t, func(t *testing.T, backend string) {
		s, _, addr := serve(t, backend, 1)
		gone := askPieces(t, addr, size)
		wantPieces(t, gone, 1<<20)
		_ = gone.Close()

		half := askPieces(t, addr, size)
		_ = half.(*net.TCPConn).CloseWrite() // what it has asked for is still to come
		wantPieces(t, half, size)
		wantEnd(t, half)
		eventually(t, "both are gone", func() bool { return s.Clients() == 0 })

		_ = askPieces(t, addr, size) // which the shutdown finds, and gives up
	})
}

// A loop has nothing to do when a client has read what it could not be sent at first.
func TestCalmBehindSlowReader(t *testing.T) {
	const size = 16 << 20
	forBackends(t, func(t *testing.T, backend string) {
		_, w, addr := serve(t, backend, 1)
		c := dial(t, addr)
		write(t, c, binary.BigEndian.AppendUint64([]byte("d"), size))
		time.Sleep(20 * time.Millisecond)
		wantPieces(t, c, size)
		wantPieces(t, askPieces(t, addr, size), size)
		time.Sleep(20 * time.Millisecond)
		before := w.turns.Load()
		time.Sleep(100 * time.Millisecond)
		if turns := w.turns.Load() - before; turns > 50 {
			t.Errorf("%d turns in a tenth of a second without anything to do", turns)
		}
	})
}
