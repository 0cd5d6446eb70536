package netloop

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Under a load that is too much for one loop the clients spread; when it ends they
// come back to one, and nobody notices but by speed. The load that the policy sees is
// made up, since a test cannot have the processors that it would take.
func TestElastic(t *testing.T) {
	forBackends(t, func(t *testing.T, backend string) {
		s, w := prepare(t, backend, 2)
		addr, err := s.Listen("tcp", "127.0.0.1:0", 511, 0)
		if err != nil {
			t.Fatal(err)
		}
		var demand atomic.Int64 // permille of a processor
		s.balance.seen = func(loads []load) {
			active := 0.0
			for i := range loads {
				if loads[i].active {
					active++
				}
			}
			for i := range loads {
				loads[i].busy, loads[i].useful, loads[i].rate = 0, 1, 0
				if loads[i].active {
					loads[i].busy = min(1, float64(demand.Load())/1000/active)
					loads[i].rate = 1e6
				}
			}
		}
		run(t, s, w)
		var stop atomic.Bool
		var clients sync.WaitGroup
		for range 12 {
			c := dial(t, addr)
			clients.Go(func() {
				write(t, c, []byte("e"))
				for n := byte(0); !stop.Load(); n++ {
					msg := string([]byte{n, n ^ 1, n ^ 2})
					write(t, c, []byte(msg))
					wantBytes(t, c, msg)
				}
				_ = c.Close()
			})
		}
		idle := dial(t, addr)
		write(t, idle, []byte("e1"))
		wantBytes(t, idle, "1")
		demand.Store(1600)
		eventually(t, "the clients are spread", func() bool {
			stats := s.Stats(nil)
			return stats[1].Active && stats[1].Clients >= 4 && stats[0].Clients >= 4
		})
		demand.Store(100)
		eventually(t, "the loops are gathered", func() bool {
			stats := s.Stats(nil)
			return !stats[1].Active && stats[1].Clients == 0
		})
		stop.Store(true)
		clients.Wait()
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
	// Work until the clock has seen it: where the kernel does not say who stands in line,
	// a crowded machine gives a thread less than the time that passes.
	const work = 20 * time.Millisecond
	after, began := before, time.Now()
	for time.Duration(after-before) < work && time.Since(began) < 10*time.Second {
		after, _ = c.wanted()
	}
	took := time.Since(began)
	time.Sleep(20 * time.Millisecond)
	slept, _ := c.wanted()
	if used := time.Duration(after - before); used < work || used > took+10*time.Millisecond {
		t.Errorf("%v of processor time wanted in %v of work", used, took)
	}
	if used := time.Duration(slept - after); used > 15*time.Millisecond {
		t.Errorf("%v of processor time wanted in 20 ms of sleep", used)
	}
}
