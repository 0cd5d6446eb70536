//go:build unix

package mem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A region is a range of addresses, usable up to where it was committed.
type region struct {
	base unsafe.Pointer
	size uintptr
}

func reserveRegion(n uintptr) (region, error) {
	n = (n + pageSize - 1) &^ (pageSize - 1)
	const huge = 2 << 20
	// A little more than asked for, so that the start can lie on a huge page's border.
	p, err := unix.MmapPtr(-1, 0, nil, n+huge, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE|mapNoReserve)
	if err != nil {
		return region{}, err
	}
	skip := -uintptr(p) & (huge - 1)
	if skip > 0 {
		_ = unix.MunmapPtr(p, skip)
	}
	base := unsafe.Add(p, skip)
	if rest := huge - skip; rest > 0 {
		_ = unix.MunmapPtr(unsafe.Add(base, n), rest)
	}
	return region{base, n}, nil
}

func (r region) commit(from, to uintptr) bool {
	from &^= pageSize - 1
	to = min((to+pageSize-1)&^(pageSize-1), r.size)
	if from >= to {
		return true
	}
	return unix.Mprotect(unsafe.Slice((*byte)(unsafe.Add(r.base, from)), to-from),
		unix.PROT_READ|unix.PROT_WRITE) == nil
}

func (r region) discard(from, n uintptr) {
	b := unsafe.Slice((*byte)(unsafe.Add(r.base, from)), n)
	_ = unix.Madvise(b, unix.MADV_DONTNEED)
}

func (r *region) release() {
	if r.base != nil {
		_ = unix.MunmapPtr(r.base, r.size)
		r.base = nil
	}
}

// Map returns n zero bytes outside the Go heap, resident only where touched.
func Map(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|mapNoReserve)
}

// Unmap gives the bytes of Map back.
func Unmap(b []byte) { _ = unix.Munmap(b[:cap(b)]) }
