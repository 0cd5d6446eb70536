package vfs

import (
	"io/fs"
	"strings"
	"sync"
)

// Faults is another file system of which calls go wrong, for tests. Only calls that
// change something or wait for the disk are counted: what reads is passed through.
type Faults struct {
	FS FS

	// At is the first call that fails with Err, counted from 1; 0 is none. A Write
	// that fails has written half of its bytes, as on a full disk.
	At  int
	Err error

	// Dead makes all calls from then on fail, as nothing happens any more after a
	// crash; else only the one.
	Dead bool

	mu     sync.Mutex
	calls  []string
	broken bool
	next   string
}

// Break makes all calls fail, or none any more.
func (f *Faults) Break(on bool) {
	f.mu.Lock()
	f.broken = on
	f.mu.Unlock()
}

// FailNext makes the next call of a kind fail: "sync", say.
func (f *Faults) FailNext(what string) {
	f.mu.Lock()
	f.next = what
	f.mu.Unlock()
}

// Calls are the calls so far, failed ones included: "create temp-1.rdb", "append f",
// "mkdir d", "write", "truncate", "sync", "close", "rename a b", "syncdir d", "remove f".
func (f *Faults) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

// call counts a call and says what becomes of it.
func (f *Faults) call(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, what)
	if f.broken || f.next != "" && strings.HasPrefix(what, f.next) {
		f.next = ""
		return f.Err
	}
	if n := len(f.calls); f.At != 0 && (n == f.At || n > f.At && f.Dead) {
		return f.Err
	}
	return nil
}

// Open implements [FS].
func (f *Faults) Open(name string) (File, error) { return f.FS.Open(name) }

// Stat implements [FS].
func (f *Faults) Stat(name string) (fs.FileInfo, error) { return f.FS.Stat(name) }

// Create implements [FS].
func (f *Faults) Create(name string) (File, error) {
	if err := f.call("create " + name); err != nil {
		return nil, pathError("open", name, err)
	}
	file, err := f.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, faults: f, name: name}, nil
}

// ReadDir implements [FS].
func (f *Faults) ReadDir(name string) ([]string, error) { return f.FS.ReadDir(name) }

// Append implements [FS].
func (f *Faults) Append(name string) (File, error) {
	if err := f.call("append " + name); err != nil {
		return nil, pathError("open", name, err)
	}
	file, err := f.FS.Append(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, faults: f, name: name}, nil
}

// Mkdir implements [FS].
func (f *Faults) Mkdir(name string) error {
	if err := f.call("mkdir " + name); err != nil {
		return pathError("mkdir", name, err)
	}
	return f.FS.Mkdir(name)
}

// Rename implements [FS].
func (f *Faults) Rename(from, to string) error {
	if err := f.call("rename " + from + " " + to); err != nil {
		return pathError("rename", from, err)
	}
	return f.FS.Rename(from, to)
}

// Remove implements [FS].
func (f *Faults) Remove(name string) error {
	if err := f.call("remove " + name); err != nil {
		return pathError("remove", name, err)
	}
	return f.FS.Remove(name)
}

// SyncDir implements [FS].
func (f *Faults) SyncDir(name string) error {
	if err := f.call("syncdir " + name); err != nil {
		return pathError("sync", name, err)
	}
	return f.FS.SyncDir(name)
}

type faultyFile struct {
	File
	faults *Faults
	name   string
}

// Write implements [io.Writer].
func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.faults.call("write"); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, pathError("write", f.name, err)
	}
	return f.File.Write(p)
}

// Truncate implements [File].
func (f *faultyFile) Truncate(size int64) error {
	if err := f.faults.call("truncate"); err != nil {
		return pathError("truncate", f.name, err)
	}
	return f.File.Truncate(size)
}

// Sync implements [File]. Of a file of a Mem that is recorded, what a failed one was for is
// lost for good: kernels take such pages for clean, and later syncs succeed without them.
func (f *faultyFile) Sync() error {
	if err := f.faults.call("sync"); err != nil {
		if m, ok := f.File.(*memHandle); ok {
			m.loseSync()
		}
		return pathError("sync", f.name, err)
	}
	return f.File.Sync()
}

// Close implements [io.Closer]. The file is closed in any case, as close(2) does it.
func (f *faultyFile) Close() error {
	err := f.faults.call("close")
	if closing := f.File.Close(); err == nil {
		return closing
	}
	return pathError("close", f.name, err)
}
