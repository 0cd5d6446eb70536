// Package vfs is the small door through which the rest of the program reaches files
// that must survive: snapshots, and whatever else is replaced or appended to.
//
//	OS       the files of the operating system, and their locks
//	Mem      files in memory, which knows what a power failure would leave of them
//	Record   what was done to a Mem, and every image that a crash could have left
//	Faults   another FS, of which the n-th call fails, and a record of all calls
//
// The door is narrow on purpose. Every call in it is one that can fail or be the last
// one before a crash, so a test can walk through all of them: run something once to
// count its calls, then once for each call that goes wrong.
//
// # Replacing a file
//
// A file is replaced so that a crash at any point leaves the old or the new content,
// whole: Create a temporary one beside it, Write, Sync, Close, Rename, SyncDir.
//
// # Appending to a file
//
// What was written and synced is there after a crash, and so is the name if the folder
// was synced after Create. What was not synced may be there, or not, or in parts: who
// reads the file has to see by its content where it ends. Truncate cuts what he finds to
// be torn, before Append goes on behind it.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// A File is open for reading, or it was created and is open for writing.
type File interface {
	io.ReadWriteCloser
	// Sync returns when what was written is on the disk.
	Sync() error
	// Truncate cuts the file to a size. What is written next is behind that.
	Truncate(size int64) error
}

// An FS is a place for files. Its methods are safe for concurrent use; those of one
// File are so only as far as Sync may be called while somebody writes.
type FS interface {
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Create makes a new file and opens it for writing. It fails if there is one
	// already: who wants to replace a file writes another one and renames it.
	Create(name string) (File, error)
	// Append opens a file that exists for writing behind its end.
	Append(name string) (File, error)
	// Mkdir makes a folder. It is no error if it is there.
	Mkdir(name string) error
	// ReadDir lists the names in a folder, sorted.
	ReadDir(name string) ([]string, error)
	// Rename gives a file another name, in place of whatever file had it.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// SyncDir returns when the names in a folder are on the disk.
	SyncDir(name string) error
	// Stat describes a file, following symbolic links.
	Stat(name string) (fs.FileInfo, error)
}

// OS is the file system of the machine.
type OS struct{}

// Open implements [FS].
func (OS) Open(name string) (File, error) { return file(os.Open(name)) }

// Create implements [FS].
func (OS) Create(name string) (File, error) {
	return file(os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o666))
}

// Append implements [FS].
func (OS) Append(name string) (File, error) {
	return file(os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0))
}

// Mkdir implements [FS].
func (OS) Mkdir(name string) error {
	err := os.Mkdir(name, 0o777)
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := os.Stat(name); statErr == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

// ReadDir implements [FS].
func (OS) ReadDir(name string) (names []string, err error) {
	entries, err := os.ReadDir(name)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// file keeps a nil *os.File from becoming a File that is not nil.
func file(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rename implements [FS].
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements [FS].
func (OS) Remove(name string) error { return os.Remove(name) }

// Stat implements [FS].
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// SyncDir implements [FS]. Systems that cannot do it (Windows) or not for this folder
// (some network file systems) give no error: nothing can be done about it.
func (OS) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(filepath.Clean(name))
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EBADF) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
