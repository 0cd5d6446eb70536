package mem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const mapNoReserve = unix.MAP_NORESERVE

func (r region) adviseHuge(from, to uintptr) {
	_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Add(r.base, from)), to-from), unix.MADV_HUGEPAGE)
}

// populate makes pages resident as if they were written to. It changes nothing in them, and
// fails where there are none.
func populate(b []byte) { _ = unix.Madvise(b, unix.MADV_POPULATE_WRITE) }
