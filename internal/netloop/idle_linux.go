package netloop

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// An idleMeter tells how many processors of the machine are idle, seldom, since
// reading that costs tens of microseconds.
type idleMeter struct {
	at    int64
	ticks int64 // of all processors, idle
	value float64
}

// idleEvery is how often the meter is read at most.
const idleEvery = int64(250 * time.Millisecond)

// clockTicks is USER_HZ, the unit of /proc/stat, 100 on every Linux that Go runs on.
const clockTicks = 100

// processors is the number of processors that were idle since the last reading,
// idleUnknown at first.
func (m *idleMeter) processors(now int64) float64 {
	if m.at > 0 && now-m.at < idleEvery {
		return m.value
	}
	ticks, ok := readIdle("/proc/stat")
	if !ok {
		return idleUnknown
	}
	elapsed := now - m.at
	if m.at == 0 || elapsed > 4*idleEvery { // too old to say something about now
		m.value = idleUnknown
	} else {
		seconds := float64(elapsed) / 1e9
		m.value = min(float64(ticks-m.ticks)/clockTicks/seconds, float64(runtime.NumCPU()))
	}
	m.at, m.ticks = now, ticks
	return m.value
}

// readIdle is the sum of the idle ticks of all processors: the fourth figure of
// the first line. Waiting for the disk, the fifth, is idle as well.
func readIdle(path string) (int64, bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var buf [256]byte
	n, _ := f.Read(buf[:])
	line, _, ok := bytes.Cut(buf[:n], []byte("\n"))
	fields := bytes.Fields(line)
	if !ok || len(fields) < 6 || string(fields[0]) != "cpu" {
		return 0, false
	}
	idle, err1 := strconv.ParseInt(string(fields[4]), 10, 64)
	wait, err2 := strconv.ParseInt(string(fields[5]), 10, 64)
	return idle + wait, err1 == nil && err2 == nil
}

// A threadClock tells how much processor time a thread has wanted: what it had, and
// what it stood in line for while others had it. The latter counts, since a loop that
// is ready all the time is saturated also on a crowded machine.
type threadClock struct {
	tid       int
	schedstat int // descriptor; -1 if the kernel does not keep it
}

func (c *threadClock) open() {
	c.tid = unix.Gettid()
	path := "/proc/self/task/" + strconv.Itoa(c.tid) + "/schedstat"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1
	}
	c.schedstat = fd
}

func (c *threadClock) close() {
	if c.schedstat >= 0 {
		_ = unix.Close(c.schedstat)
		c.schedstat = -1
	}
}

// wanted is in nanoseconds. It can be called from any thread of the process.
func (c *threadClock) wanted() (int64, bool) {
	// The number of a thread's clock: the complement of its own, and below it 4 for a
	// thread and 2 for the scheduler's exact count.
	const perThread, scheduler = 4, 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^c.tid<<3|perThread|scheduler), &ts); err != nil {
		return 0, false
	}
	total := ts.Nano()
	var buf [96]byte
	if c.schedstat >= 0 {
		n, err := unix.Pread(c.schedstat, buf[:], 0)
		if err == nil {
			total += secondNumber(buf[:n])
		}
	}
	return total, true
}

// secondNumber reads the time spent in line out of "had inline slices".
func secondNumber(b []byte) (v int64) {
	_, rest, _ := bytes.Cut(b, []byte(" "))
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		v = 10*v + int64(c-'0')
	}
	return v
}
