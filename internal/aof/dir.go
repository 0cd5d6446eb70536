package aof

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spineldb/spinel/internal/vfs"
)

// A Dir is the folder that the files are in.
type Dir struct {
	FS     vfs.FS
	Path   string // appenddirname, below dir
	Prefix string // appendfilename, with which all names begin
}

func (d *Dir) manifestName() string { return d.Prefix + ".manifest" }

// tempManifest is where a manifest is written before it gets its name.
func (d *Dir) tempManifest() string { return "temp-" + d.manifestName() }

// In is the path of a file.
func (d *Dir) In(name string) string { return filepath.Join(d.Path, name) }

// ReadManifest reads the manifest. Without one it returns nil.
func (d *Dir) ReadManifest() (*Manifest, error) {
	f, err := d.FS.Open(d.In(d.manifestName()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, manifestMax))
	if err != nil {
		return nil, err
	}
	m, err := ParseManifest(content)
	if err == nil {
		for _, f := range m.Incrs {
			if f.Name == d.Prefix { // an old single file, which is a base
				return nil, &ManifestError{Text: f.Name, Reason: ErrManifestType}
			}
		}
	}
	return m, err
}

// manifestMax is more than a manifest of ten thousand files takes.
const manifestMax = 1 << 20

// WriteManifest replaces the manifest: a crash leaves the old or the new one, whole. All
// files that it names must be durable.
func (d *Dir) WriteManifest(m *Manifest) error {
	if err := d.write(m); err != nil {
		return err
	}
	return d.commit()
}

// stage makes a manifest durable under its temporary name. commit gives it its own.
func (d *Dir) stage(m *Manifest) error {
	if err := d.write(m); err != nil {
		return err
	}
	return d.FS.SyncDir(d.Path)
}

func (d *Dir) write(m *Manifest) error {
	temp := d.In(d.tempManifest())
	if err := d.remove(temp); err != nil {
		return err
	}
	f, err := d.FS.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(m.AppendText(nil))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (d *Dir) commit() error {
	if err := d.FS.Rename(d.In(d.tempManifest()), d.In(d.manifestName())); err != nil {
		return err
	}
	return d.FS.SyncDir(d.Path)
}

// RemoveHistory removes the files that the manifest calls history, and then their lines.
// It goes on with the others if one cannot be removed, and returns what went wrong; then all
// lines stay.
func (d *Dir) RemoveHistory(m *Manifest) error {
	if len(m.History) == 0 {
		return nil
	}
	var failed error
	for _, f := range m.History {
		if err := d.FS.Remove(d.In(f.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return failed
	}
	m.History = nil
	return d.WriteManifest(m)
}
