package thread

import (
	"time"

	"golang.org/x/sys/unix"
)

// How long a thread runs at a time when others stand in line for its processor, from Linux 6.12
// on; sched_setattr(2). The kernel takes 100 microseconds to 100 ms; its own value is some
// milliseconds. It lets a thread that wakes take the processor from another one at once if its
// slice is shorter and ends before the other's. Otherwise it waits for the clock's next tick, up
// to 4 ms.
const (
	sliceShort = 100 * time.Microsecond
	sliceLong  = 20 * time.Millisecond
)

// helperNice is the niceness of what may have what the others leave.
const helperNice = 15

// ShortSlices is for a thread that takes little time at once and should have it soon.
func ShortSlices() { setSlice(sliceShort) }

// LongSlices is for a thread that works on without anybody waiting for its next step.
func LongSlices() { setSlice(sliceLong) }

func setSlice(slice time.Duration) {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return // not allowed, or somebody has set up something of his own
	}
	attr.Runtime = uint64(slice)
	_ = unix.SchedSetAttr(0, attr, 0) // it works without
}

// GiveWay is for a thread that should have what the others leave.
func GiveWay() {
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), helperNice) // else it is only faster
}
