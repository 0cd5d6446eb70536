package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// fileBytesMax bounds a configuration file, against one that never ends (/dev/zero).
const fileBytesMax = 64 << 20

// OSFiles are the files of the operating system: what Load and Rewrite usually use.
type OSFiles struct{}

// ReadFile returns the content of a file that is not absurdly large.
func (OSFiles) ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err == nil && len(content) > fileBytesMax {
		err = fmt.Errorf("%s: larger than %d bytes", name, fileBytesMax)
	}
	return content, err
}

// Glob returns the files that match a shell pattern.
func (OSFiles) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// ReplaceFile writes content to a new file beside name, and renames it once it is on
// the disk. The new file has the permissions of the old one. Where name is a symbolic
// link, what it leads to is replaced.
func (OSFiles) ReplaceFile(name string, content []byte) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode))
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(name))
}

// syncFolder makes a renaming in a folder survive a crash.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
