//go:build unix

package server

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spineldb/spinel/internal/command/infocmd"
)

// processFigures asks the system about this process.
func processFigures() (p infocmd.Process) {
	var self, children unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &self) == nil {
		p.UserCPU, p.SystemCPU = duration(self.Utime), duration(self.Stime)
		p.ResidentBytes = int64(self.Maxrss) << 10 // the peak, where nothing better is known
	}
	if unix.Getrusage(unix.RUSAGE_CHILDREN, &children) == nil {
		p.UserChild, p.SystemChild = duration(children.Utime), duration(children.Stime)
	}
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if f := strings.Fields(string(b)); len(f) > 1 {
			if pages, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				p.ResidentBytes = pages * int64(os.Getpagesize())
			}
		}
	}
	return p
}

func duration(t unix.Timeval) time.Duration {
	return time.Duration(t.Nano())
}

// systemName is the system as uname names it.
func systemName() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	text := func(b []byte) string {
		b, _, _ = bytes.Cut(b, []byte{0})
		return string(b)
	}
	return text(u.Sysname[:]) + " " + text(u.Release[:]) + " " + text(u.Machine[:])
}
