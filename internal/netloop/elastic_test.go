package netloop

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Under a load of long requests the clients spread over the loops; when it ends they
// come back to one, and nobody notices but by speed.
func TestElastic(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one processor")
	}
	forBackends(t, func(t *testing.T, backend string) {
		if strings.Contains(backend, "-") {
			t.Skip("as the plain one")
		}
		s, w, addr := serve(t, backend, 2)
		w.spend.Store(int64(100 * time.Microsecond))
		var stop atomic.Bool
		var clients sync.WaitGroup
		for range 12 {
			clients.Go(func() {
				c := dial(t, addr)
				defer c.Close()
				write(t, c, []byte("e"))
				for n := byte(0); !stop.Load(); n++ {
					msg := string([]byte{n, n ^ 1, n ^ 2})
					write(t, c, []byte(msg))
					wantBytes(t, c, msg)
				}
			})
		}
		spread, tries := false, 0
		for ; !spread && tries < 1500; tries++ {
			time.Sleep(2 * time.Millisecond)
			stats := s.Stats(nil)
			spread = stats[1].Active && stats[1].Clients >= 2 && stats[0].Clients >= 2
		}
		stop.Store(true)
		clients.Wait()
		if !spread {
			t.Fatalf("not spread: %+v", s.Stats(nil))
		}
		w.spend.Store(0)
		idle := dial(t, addr)
		write(t, idle, []byte("e1"))
		wantBytes(t, idle, "1")
		eventually(t, "the loops are gathered", func() bool { return !s.Stats(nil)[1].Active })
		eventually(t, "nobody is left behind", func() bool { return s.Stats(nil)[1].Clients == 0 })
		write(t, idle, []byte("2"))
		wantBytes(t, idle, "2")
	})
}

// What the machine says about its processors is believable.
func TestProcessorTime(t *testing.T) {
	var m idleMeter
	at := int64(time.Second)
	m.processors(at)
	if n := m.processors(at + 1); n != idleUnknown {
		t.Errorf("%v idle processors after the first look", n)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var c threadClock
	c.open()
	defer c.close()
	before, ok := c.wanted()
	if !ok {
		t.Skip("no processor time of threads here")
	}
	for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
	}
	after, _ := c.wanted()
	time.Sleep(20 * time.Millisecond)
	slept, _ := c.wanted()
	if used := time.Duration(after - before); used < 15*time.Millisecond || used > time.Second {
		t.Errorf("%v of processor time wanted in 20 ms of work", used)
	}
	if used := time.Duration(slept - after); used > 15*time.Millisecond {
		t.Errorf("%v of processor time wanted in 20 ms of sleep", used)
	}
}
