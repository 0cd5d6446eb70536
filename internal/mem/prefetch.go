package mem

import "unsafe"

// Prefetch asks the processor for the cache lines at addresses, and for the one behind
// each, without waiting for them. An address need not be valid: nothing is read.
//
// A load whose result is dropped would do the same but cannot retire before the line
// has come, so the processor's window fills after some eight of them; and it faults.
func Prefetch(addresses []uintptr) {
	if len(addresses) > 0 {
		prefetch(unsafe.SliceData(addresses), len(addresses))
	}
}

// PrefetchLines is Prefetch of one line for each address.
func PrefetchLines(addresses []uintptr) {
	if len(addresses) > 0 {
		prefetchOne(unsafe.SliceData(addresses), len(addresses))
	}
}

// Address is where a block is, to be prefetched.
func (a *Arena) Address(r Ref) uintptr {
	return uintptr(a.base) + uintptr(r)<<granuleShift
}
