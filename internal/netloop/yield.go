package netloop

import (
	"runtime"
	"time"
)

// # What Go's scheduler makes of a loop
//
// A busy loop never ends its turn on the processor in the eyes of Go's scheduler: it goes
// in and out of system calls, and that is not counted. After 10 ms the runtime's monitor
// thread sees a goroutine that has been running for too long, takes its processor (a P)
// away whenever it finds it in a call, and as long as it finds something to take it looks
// every 20 microseconds. With 50 clients that do not pipeline that was 6 to 8 % of the
// server's processor time (median of six pairs of runs: 9.86 us a GET, 9.26 without it; 16 in
// a pipeline 0.825 and 0.805; 64 alike). See retake in the runtime's proc.go, Go 1.26.
//
// So a loop that has much to do hands its processor over by itself, between two turns and
// before those 10 ms: another thread takes it and gives it back at once, since the loop's
// goroutine is bound to its thread. On a processor that is free for them that takes 20 to 30
// microseconds; 3,000 PINGs a second of one client take 83 ms of processor time in place of
// 180. Where threads stand in line for the processors the other one has to wait
// for its turn as well; then it is left to the monitor, but for a try now and then.
type yielder struct {
	at    int64 // when it is due, monotonic
	turns uint64
	pause int64 // how long it is left after one that was dear; 0 behind a cheap one
}

const (
	yieldEvery = int64(8 * time.Millisecond)
	yieldTurns = 2                             // in that time; with fewer a loop is calm
	yieldDear  = int64(80 * time.Microsecond)  // 1 % of the time
	yieldPause = int64(512 * time.Millisecond) // at most
)

// due says, at yieldEvery after the last time, whether the loop has been busy since.
func (y *yielder) due(now int64, turns uint64) bool {
	if now < y.at {
		return false
	}
	busy := turns-y.turns >= yieldTurns
	y.at, y.turns = now+yieldEvery, turns
	return busy
}

// took notes how long it took until now.
func (y *yielder) took(nanos, now int64) {
	if nanos <= yieldDear {
		y.pause = 0
		return
	}
	y.pause = min(max(2*y.pause, 2*yieldEvery), yieldPause)
	y.at = now + y.pause
}

// yield hands the processor over and returns with it.
func (l *loop) yield() {
	before := l.srv.cfg.Clock.Mono()
	runtime.Gosched()
	l.now = l.srv.cfg.Clock.Mono() // it may have taken long, and what is due must not be late for it
	l.yielder.took(l.now-before, l.now)
}
