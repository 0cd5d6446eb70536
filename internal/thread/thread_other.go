//go:build !linux

package thread

// ShortSlices does nothing where threads have no slices of their own.
func ShortSlices() {}

// LongSlices does nothing where threads have no slices of their own.
func LongSlices() {}

// GiveWay does nothing where threads have no priorities of their own.
func GiveWay() {}
