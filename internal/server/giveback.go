package server

import (
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// # Memory of the Go heap
//
// Data are not on the Go heap, but buffers and scratch of the loops are: some megabytes
// after clients that pipeline. The loops drop them when they are calm, and the collector
// only comes when as much again has been allocated, which a calm server hardly does. So it
// is called when the server has become calm, and after FLUSHALL (at once, and again when it
// is calm); the free pages go back to the system with it. That happens in the background,
// and not again before something worth it has been allocated.
type giveBack struct {
	due       atomic.Bool // in any case, calm or not
	running   atomic.Bool
	allocated uint64 // ever, when a calm server was last seen to; of cron
	calmFor   int    // runs of cron; of cron
}

const (
	calmCommands  = 1000      // a second, below which a server is calm
	calmRuns      = 5         // of cron, after which it is believed: half a second
	giveBackBytes = 512 << 10 // that were allocated since make it worthwhile
)

// giveHeapBack is called by cron.
func (s *Server) giveHeapBack() {
	g := &s.giving
	if g.calmFor++; s.rates.ops.Latest() >= calmCommands {
		g.calmFor = 0
	}
	calm := g.calmFor >= calmRuns
	if !calm && !g.due.Load() || g.running.Load() {
		return
	}
	allocated := allocatedBytes()
	switch {
	case g.due.Swap(false):
		g.allocated = 0
	case allocated-g.allocated >= giveBackBytes:
		g.allocated = allocated
	default:
		return
	}
	g.running.Store(true)
	s.inBackground(func() {
		debug.FreeOSMemory()
		g.running.Store(false)
	})
}

// allocatedBytes is how much was ever allocated on the Go heap.
func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
