package server

import (
	"runtime"
	"testing"
)

// A calm server gives back what is worth it, and does not do so again and again.
func TestGiveHeapBack(t *testing.T) {
	s := &Server{}
	collections := func() uint32 {
		s.giveHeapBack()
		s.background.wait()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumForcedGC
	}
	var garbage []byte
	allocate := func(n int) { garbage = make([]byte, n) }
	allocate(2 * giveBackBytes)
	s.giving.calmFor = calmRuns
	last := collections()
	for _, tt := range []struct {
		what   string
		before func()
		again  uint32
	}{
		{"nothing", func() {}, 0},
		{"a little", func() { allocate(giveBackBytes / 4) }, 0},
		{"much", func() { allocate(giveBackBytes) }, 1},
		{"nothing", func() {}, 0},
		{"a flush", func() { s.giving.due.Store(true) }, 1},
		{"the calm behind it", func() {}, 1},
		{"nothing", func() {}, 0},
	} {
		tt.before()
		now := collections()
		if now-last != tt.again {
			t.Errorf("after %s: %d collections, want %d", tt.what, now-last, tt.again)
		}
		last = now
	}
	for mono := range int64(20) { // a million commands a second
		s.rates.ops.Sample(mono*1e8, uint64(mono)*1e5)
	}
	allocate(2 * giveBackBytes)
	if now := collections(); now != last {
		t.Errorf("%d collections of a busy server", now-last)
	}
	runtime.KeepAlive(garbage)
}
