//go:build !linux

package netloop

// An idleMeter would tell how many processors are idle; it cannot here.
type idleMeter struct{}

func (*idleMeter) processors(int64) float64 { return idleUnknown }

// A threadClock would tell how much processor time a thread has wanted.
type threadClock struct{}

func (*threadClock) open()  {}
func (*threadClock) close() {}

func (*threadClock) wanted() (int64, bool) { return 0, false }
