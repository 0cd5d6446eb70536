//go:build !linux

package netloop

// An idleMeter would tell how many processors are idle; it cannot here.
type idleMeter struct{}

func (*idleMeter) processors(int64) float64 { return idleUnknown }
