//go:build amd64 || arm64

package mem

//go:noescape
func prefetch(first *uintptr, n int)

//go:noescape
func prefetchOne(first *uintptr, n int)
