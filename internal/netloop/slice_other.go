//go:build !linux

package netloop

// askForShortSlices does nothing here.
func askForShortSlices() {}
