package vfs

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// Lock makes a file, if it is not there, and takes its lock, which others who ask for it
// cannot have until it is closed or its process ends. ErrLocked says that somebody has it.
// The file stays.
func (OS) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err = windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{})
	if err == nil {
		return f, nil
	}
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		err = ErrLocked
	}
	return nil, errors.Join(err, f.Close())
}
