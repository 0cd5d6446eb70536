package mem

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// A region is a range of addresses, usable up to where it was committed.
type region struct {
	base unsafe.Pointer
	size uintptr
}

func reserveRegion(n uintptr) (region, error) {
	n = (n + pageSize - 1) &^ (pageSize - 1)
	addr, err := windows.VirtualAlloc(0, n, windows.MEM_RESERVE, windows.PAGE_READWRITE)
	if err != nil {
		return region{}, err
	}
	return region{*(*unsafe.Pointer)(unsafe.Pointer(&addr)), n}, nil
}

func (r region) commit(from, to uintptr) bool {
	from &^= pageSize - 1
	to = min((to+pageSize-1)&^(pageSize-1), r.size)
	if from >= to {
		return true
	}
	_, err := windows.VirtualAlloc(uintptr(r.base)+from, to-from, windows.MEM_COMMIT, windows.PAGE_READWRITE)
	return err == nil
}

func (r region) discard(from, n uintptr) {
	addr := uintptr(r.base) + from
	if windows.VirtualFree(addr, n, windows.MEM_DECOMMIT) == nil {
		_, _ = windows.VirtualAlloc(addr, n, windows.MEM_COMMIT, windows.PAGE_READWRITE)
	}
}

func (region) adviseHuge(_, _ uintptr) {}

func (r *region) release() {
	if r.base != nil {
		_ = windows.VirtualFree(uintptr(r.base), 0, windows.MEM_RELEASE)
		r.base = nil
	}
}

// Map returns n zero bytes outside the Go heap, resident only where touched.
func Map(n int) ([]byte, error) {
	const how = windows.MEM_RESERVE | windows.MEM_COMMIT
	addr, err := windows.VirtualAlloc(0, uintptr(n), how, windows.PAGE_READWRITE)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))), n), nil
}

// Unmap gives the bytes of Map back.
func Unmap(b []byte) {
	b = b[:cap(b)]
	_ = windows.VirtualFree(uintptr(unsafe.Pointer(&b[0])), 0, windows.MEM_RELEASE)
}

func populate([]byte) {}
