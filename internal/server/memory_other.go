//go:build !linux

package server

// systemMemory is the machine's memory in bytes; 0 where it is not known.
func systemMemory() int64 { return 0 }
