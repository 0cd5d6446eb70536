package cli

import (
	"os"
	"os/signal"
	"sync/atomic"
	"time"
)

// A mode of work is what the program does instead of running a command. If the command line
// names several, the first of this list is it.
//
//	latency    --latency, --latency-history
//	pipe       --pipe
//	sampling   --bigkeys, --memkeys, --hotkeys
//	stat       --stat
//	scan       --scan
//	intrinsic  --intrinsic-latency, which needs no server
type modes struct {
	latency, history          bool
	pipe                      bool
	pipeTimeout               time.Duration // 0 for ever
	bigKeys, memKeys, hotKeys bool
	memSamples                int // -1: the server's default
	stat                      bool
	scan                      bool
	pattern                   string // of keys
	hasPattern                bool
	count                     int    // how many keys SCAN is asked for at a time, 0 for the server's default
	keyType                   string // --scan: only keys of this type
	intrinsic                 time.Duration
	hasIntrinsic              bool
}

// run does what a mode of work asks for; ok is false if there is none.
func (m *modes) run(p *Program, s *session) (ok bool, err error) {
	work := m.chosen(p)
	if work == nil {
		return false, nil
	}
	if m.hasIntrinsic && !m.usesServer() {
		return true, work(s)
	}
	if err := s.connect(); err != nil {
		return true, err
	}
	if !s.ready {
		return true, errFailed
	}
	return true, work(s)
}

func (m *modes) usesServer() bool {
	return m.latency || m.pipe || m.bigKeys || m.memKeys || m.hotKeys || m.stat || m.scan
}

func (m *modes) chosen(p *Program) func(*session) error {
	switch {
	case m.latency:
		return p.latency
	case m.pipe:
		return p.pipe
	case m.bigKeys || m.memKeys:
		return p.bigKeys
	case m.hotKeys:
		return p.hotKeys
	case m.stat:
		return p.stat
	case m.scan:
		return p.scan
	case m.hasIntrinsic:
		return p.intrinsicLatency
	}
	return nil
}

// untilInterrupt says from Ctrl-C on that a loop should end, so that what it has found is told.
func untilInterrupt() (over *atomic.Bool, stop func()) {
	over = &atomic.Bool{}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		for range signals {
			over.Store(true)
		}
	}()
	return over, func() {
		signal.Stop(signals)
		close(signals)
	}
}
