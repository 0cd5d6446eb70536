package thread

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// onThread runs f on a thread that ends with it.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
}

// TestSlices: a thread keeps its policy and priority, and the kernel gives it the slice if it
// knows of them.
func TestSlices(t *testing.T) {
	for _, tt := range []struct {
		name string
		ask  func()
		want uint64
	}{{"short", ShortSlices, uint64(sliceShort)}, {"long", LongSlices, uint64(sliceLong)}} {
		t.Run(tt.name, func(t *testing.T) {
			onThread(func() {
				before, err := unix.SchedGetAttr(0, 0)
				if err != nil {
					t.Error(err)
					return
				}
				tt.ask()
				after, err := unix.SchedGetAttr(0, 0)
				if err != nil {
					t.Error(err)
					return
				}
				if after.Policy != before.Policy || after.Nice != before.Nice {
					t.Errorf("before %+v, after %+v", before, after)
				}
				knows := before.Runtime > 0 // of a thread that has not asked it is the scheduler's own
				if knows && after.Runtime != tt.want {
					t.Errorf("the slice is %d ns, want %d", after.Runtime, tt.want)
				}
			})
		})
	}
}

func TestGiveWay(t *testing.T) {
	onThread(func() {
		GiveWay()
		if attr, err := unix.SchedGetAttr(0, 0); err != nil || attr.Nice != helperNice {
			t.Errorf("%+v, %v", attr, err)
		}
	})
}
