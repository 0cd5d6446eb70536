package aof

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// # The single file of older versions
//
// Before version 7 Redis had one file in dir. It becomes the base, under its name, in
// the order in which Redis does it, so that either can go on where the other was
// interrupted:
//
//	the folder is made         a crash behind it: begin again
//	the manifest names it      a crash behind it: the file is still in dir, go on
//	the file is moved          a crash behind it: done
//
// A file in dir is ignored if the folder has any data.

// upgrade moves an old single file to where the manifest's files are, if there is one, and
// returns the manifest.
func (l *loading) upgrade(m *Manifest) (*Manifest, error) {
	d := l.Dir
	old := filepath.Join(l.DataDir, d.Prefix)
	info, err := d.FS.Stat(old)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
		return m, nil
	case err != nil:
		return nil, err
	}
	switch {
	case m == nil:
		if err := d.checkLost(); err != nil {
			return nil, err
		}
	case m.Base == nil && len(m.Incrs) == 0:
	case m.Base != nil && len(m.Incrs) == 0 && m.Base.Name == d.Prefix:
		if _, err := d.FS.Stat(d.In(d.Prefix)); !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
	default:
		return m, nil
	}
	if m == nil || m.Base == nil {
		if m, err = d.adopt(m); err != nil {
			return nil, err
		}
	}
	if err := d.FS.Rename(old, d.In(d.Prefix)); err != nil {
		return nil, fmt.Errorf("moving the old append only file %s: %w", old, err)
	}
	if err := errors.Join(d.FS.SyncDir(d.Path), d.FS.SyncDir(l.DataDir)); err != nil {
		return nil, err
	}
	l.legacy = old
	l.Log.Info(fmt.Sprintf("Successfully migrated an old-style AOF configuration (%s) "+
		"into the directory %s", d.Prefix, d.Path))
	return m, nil
}

// adopt writes a manifest that names the old file as the base.
func (d *Dir) adopt(m *Manifest) (*Manifest, error) {
	if err := d.FS.Mkdir(d.Path); err != nil {
		return nil, err
	}
	if err := d.FS.SyncDir(filepath.Dir(d.Path)); err != nil {
		return nil, err
	}
	if m == nil {
		m = &Manifest{}
	}
	m.baseSeq++
	m.Base = &FileInfo{d.Prefix, m.baseSeq, Base}
	return m, d.WriteManifest(m)
}
