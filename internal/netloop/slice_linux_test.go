package netloop

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShortSlices: a thread that has asked keeps its policy and priority, and the kernel gives
// it the slice if it knows of them.
func TestShortSlices(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends here
		before, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Error(err)
			return
		}
		askForShortSlices()
		after, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Error(err)
			return
		}
		if after.Policy != before.Policy || after.Nice != before.Nice {
			t.Errorf("before %+v, after %+v", before, after)
		}
		knows := before.Runtime > 0 // of a thread that has not asked it is the scheduler's own
		if knows && after.Runtime != uint64(sliceShort) {
			t.Errorf("the slice is %d ns, want %d", after.Runtime, sliceShort)
		}
	}()
	<-done
}
