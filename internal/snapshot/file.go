package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spineldb/spinel/internal/vfs"
)

// syncEveryBytes is how much is written between two syncs, with
// rdb-save-incremental-fsync.
const syncEveryBytes = 4 << 20

// unsyncedBytesMax is how much may be written while a sync is running.
const unsyncedBytesMax = 8 * syncEveryBytes

// writeFile writes a new file beside the old one, and replaces that when the new one
// is on the disk. On error nothing of the new one is left, and the old one is as it
// was, unless it was only the folder that could not be synced.
func (s *Saver) writeFile(j *job) error {
	s.mu.Lock()
	dir := s.dir
	s.mu.Unlock()
	path := filepath.Join(dir, optFileName.Get(s.Options))
	temp := filepath.Join(dir, fmt.Sprintf("temp-%d.rdb", s.PID))
	// One that is there is a crashed process's that had our number, as all have in a
	// container.
	if err := s.FS.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := s.FS.Create(temp)
	if err != nil {
		return err
	}
	if err = s.writeTemp(j, f); err == nil {
		err = s.FS.Rename(temp, path)
	}
	if err == nil && j.replicas != nil {
		err = j.replicas.saved(path)
	}
	if err != nil {
		if removing := s.FS.Remove(temp); removing != nil {
			s.Log.Warn("A temporary file is left: " + removing.Error())
		}
		return err
	}
	return s.FS.SyncDir(dir)
}

// writeTemp fills a file, syncs and closes it.
func (s *Saver) writeTemp(j *job, f vfs.File) error {
	w := &syncingFile{f: f}
	if optIncrementalSync.Get(s.Options) {
		w.every = syncEveryBytes
	}
	wk := newWalk(s.Keyspace, s.Clock, w, j.stop, s.walkOptions(j))
	j.walk.Store(wk)
	if j.background {
		s.walking.Store(wk)
	}
	err := wk.run()
	s.walking.Store(nil)
	if syncing := w.wait(); err == nil {
		err = syncing
	}
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

// A syncingFile syncs what is written in pieces, in the background of whoever writes.
// It is used by one goroutine at a time.
type syncingFile struct {
	f        vfs.File
	every    int64 // bytes; 0 for never
	unsynced int64
	running  chan error // of the sync that is running, or nil
}

// Write implements [io.Writer].
func (w *syncingFile) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.unsynced += int64(n)
	if err != nil || w.every == 0 || w.unsynced < w.every {
		return n, err
	}
	if w.running != nil && w.unsynced < unsyncedBytesMax {
		select {
		case err := <-w.running:
			w.running = nil
			if err != nil {
				return n, err
			}
		default:
			return n, nil
		}
	}
	if err := w.wait(); err != nil {
		return n, err
	}
	running := make(chan error, 1)
	go func() { running <- w.f.Sync() }()
	w.running, w.unsynced = running, 0
	return n, nil
}

// wait waits for the sync that is running.
func (w *syncingFile) wait() error {
	if w.running == nil {
		return nil
	}
	err := <-w.running
	w.running = nil
	return err
}
