//go:build !amd64 && !arm64

package mem

// prefetch does nothing where there is no instruction for it that we know.
func prefetch(*uintptr, int) {}

func prefetchOne(*uintptr, int) {}
