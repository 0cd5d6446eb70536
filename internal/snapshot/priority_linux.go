package snapshot

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// helperNice is the helper's niceness: it should have what the event loops leave.
const helperNice = 15

// giveWay lowers the priority of the calling goroutine for the rest of its life: its
// thread, which ends with it, is the one that Linux schedules.
func giveWay() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), helperNice) // else it is only faster
}
