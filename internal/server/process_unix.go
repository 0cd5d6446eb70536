//go:build unix

package server

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spineldb/spinel/internal/netloop"
)

// daemonMark in the environment tells a process that it is the daemon.
const daemonMark = "SPINEL_DAEMON"

// background starts this program again without a terminal, since a Go process cannot
// fork. child says that this is that process.
func background(args []string, input []byte) (child bool, err error) {
	if os.Getenv(daemonMark) != "" {
		return true, os.Unsetenv(daemonMark)
	}
	exe, err := os.Executable()
	if err != nil {
		return false, err
	}
	cmd := exec.Command(exe, args...)
	cmd.Args[0] = os.Args[0]
	if len(os.Args) > len(args)+1 { // the name of the program was an argument
		cmd.Args = append([]string(nil), os.Args...)
	}
	cmd.Env = append(os.Environ(), daemonMark+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if input != nil {
		cmd.Stdin = bytes.NewReader(input)
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	return false, nil
}

// ignoreFileSize makes a write beyond the limit of a file's size an error, as on a full disk,
// and not the process's end.
func ignoreFileSize() { signal.Ignore(syscall.SIGXFSZ) }

func stopSelf() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

// reserveFiles are descriptors that clients do not get.
const reserveFiles = 32

// raiseFileLimit asks for as many file descriptors as maxclients needs, and lowers
// maxclients to what it gets.
func raiseFileLimit(s *Server) {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return
	}
	want := uint64(netloop.MaxClients.Get(s.config)) + reserveFiles
	if uint64(l.Cur) >= want {
		return
	}
	raised := l
	setLimit(&raised.Cur, max(uint64(l.Cur), min(uint64(l.Max), want)))
	if uint64(raised.Max) < want {
		var higher syscall.Rlimit
		setLimit(&higher.Cur, want)
		setLimit(&higher.Max, want)
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &higher) == nil {
			return
		}
	}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil && uint64(raised.Cur) >= want {
		return
	}
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	got := int64(l.Cur) - reserveFiles
	s.log.Warnf("Current maximum open files is %d. maxclients has been reduced to %d to compensate for "+
		"low ulimit. If you need higher maxclients increase 'ulimit -n'.", l.Cur, got)
	netloop.MaxClients.Store(s.config, max(got, 1))
}

// setLimit sets a field of an Rlimit, which is signed on FreeBSD.
func setLimit[T int64 | uint64](field *T, n uint64) { *field = T(n) }

// isRunning says whether there is a process of a number, as far as we can see.
func isRunning(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
