//go:build !linux

package benchmark

// systemDriver is how this system's sockets are driven best.
var systemDriver driver = driveGoroutines
