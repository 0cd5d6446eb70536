package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/vfs"
)

// # A full synchronization
//
// The old data go when it is certain that the new ones are whole, and all at once:
//
//	disabled      into a file; verified; old data flushed; loaded from the file
//	on-empty-db   there are no old data: loaded from the connection
//	swapdb        loaded from the connection beside the old data, which they then replace
//
// If loading fails in the first two all data are flushed, so that nobody sees a half.

// Receive implements replication.Site.
func (f *follower) Receive(ctx context.Context, in *replication.Incoming) error {
	mode := replication.DisklessLoad.Get(f.config)
	isDirect := mode == replication.LoadBeside || mode == replication.LoadIfEmpty && isEmpty(f.keyspace)
	f.announceSize(in, isDirect)
	switch {
	case mode == replication.LoadBeside:
		return f.loadBeside(in)
	case isDirect:
		return f.loadOver(in, in, in.Size(), "the master's connection")
	default:
		return f.loadByFile(ctx, in)
	}
}

func (f *follower) announceSize(in *replication.Incoming, isDirect bool) {
	where := "to disk"
	if isDirect {
		where = "to parser"
	}
	if in.Size() > 0 {
		f.log.Noticef("MASTER <-> REPLICA sync: receiving %d bytes from master %s", in.Size(), where)
	} else {
		f.log.Noticef("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF %s", where)
	}
}

func (f *follower) loadOptionsFor(into *keyspace.Keyspace) snapshot.LoadOptions {
	return snapshot.LoadOptions{
		KeepExpired: true, StringBytesMax: exec.BulkMax.Get(f.config), Into: into,
	}
}

// read loads a snapshot.
func (f *follower) read(src io.Reader, size int64, name string, into *keyspace.Keyspace) (
	snapshot.Loaded, error,
) {
	f.log.Noticef("MASTER <-> REPLICA sync: Loading DB in memory")
	done := f.saver.Follow(size)
	defer done()
	loaded, err := f.saver.LoadFrom(src, size, name, f.loadOptionsFor(into))
	if err != nil {
		f.log.Warnf("Internal error in RDB of the master: %v", err)
		//lint:ignore ST1005 Redis's words
		return loaded, fmt.Errorf("Failed trying to load the MASTER synchronization DB: %w", err)
	}
	return loaded, nil
}

// loadBeside loads while the old data stay. If they are of the same history they are served
// meanwhile.
func (f *follower) loadBeside(in *replication.Incoming) error {
	id, _ := f.Standing()
	serves := id != "" && id == in.ID
	twin, err := f.keyspace.Twin()
	if err != nil {
		return err
	}
	err = in.Claim(func() {
		if serves {
			f.setBeside(true)
		} else {
			f.setLoading(true)
		}
	})
	if err != nil {
		twin.Close()
		return err
	}
	ready := func() {
		f.setBeside(false)
		f.setLoading(false)
	}
	loaded, err := f.read(in, in.Size(), "the master's connection", twin)
	if err != nil {
		twin.Close()
		ready()
		return err
	}
	f.log.Noticef("MASTER <-> REPLICA sync: Swapping active DB with loaded DB")
	f.keeper.Suspend()
	defer f.keeper.Rebase()
	err = f.install(in, loaded, func() func() {
		_, release := f.keyspace.TakeOver(twin)
		return release
	})
	twin.Close()
	ready()
	return err
}

// setBeside says that new data are loaded while the old ones are served.
func (f *follower) setBeside(on bool) {
	f.beside.Store(on)
	f.shared.Attend(exec.AttendBeside, on)
}

// loadOver loads into the place of the old data, which are flushed.
func (f *follower) loadOver(in *replication.Incoming, src io.Reader, size int64, name string) error {
	f.log.Noticef("MASTER <-> REPLICA sync: Flushing old data")
	f.keeper.Suspend() // what was flushed must not come back, and half of the new data neither
	defer f.keeper.Rebase()
	var release func()
	var failed error
	err := in.Claim(func() {
		if _, release, failed = f.keyspace.FlushAll(); failed == nil {
			f.standing.Store(false)
			// No data by the old name: nobody may save them so, or go on from them.
			f.master.ChangeHistory(func(h *replication.History) { h.Renew(rand.Reader) })
			f.setLoading(true)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	f.inBackground(release)
	f.master.Disconnect()
	defer f.setLoading(false)
	loaded, err := f.read(src, size, name, f.keyspace)
	if err == nil {
		err = f.install(in, loaded, func() func() { return nil })
	}
	if err == nil {
		return nil
	}
	f.Exclusive(func() { _, release, failed = f.keyspace.FlushAll() })
	if failed == nil {
		f.inBackground(release)
	}
	return errors.Join(err, failed)
}

// isOf says whether a snapshot is of the place in the history that the master has named, which
// was in a line without a checksum. With a wrong digit in it we would have the right data, and
// go on with them at the wrong position the next time.
func isOf(in *replication.Incoming, info *rdb.Info) error {
	if in.ID == "" || info.ReplID == "" || info.ReplID == in.ID && info.ReplOffset == in.Offset {
		return nil
	}
	return fmt.Errorf("the master has sent a snapshot of %s:%d, and said that it is of %s:%d",
		info.ReplID, info.ReplOffset, in.ID, in.Offset)
}

// installPause is how long the loops are given to see off our replicas.
const installPause = time.Millisecond

// install makes the loaded data those of the server, by swap, and the stream goes on where the
// master's does. Our own replicas have to begin anew, and the append-only file is suspended.
func (f *follower) install(in *replication.Incoming, loaded snapshot.Loaded, swap func() func()) error {
	if err := isOf(in, &loaded.Info); err != nil {
		return err
	}
	var release func()
	for done := false; !done; {
		f.master.Disconnect()
		err := in.Claim(func() {
			if done = f.journal.StartAt(in.Offset); !done {
				return // a replica reads the stream still
			}
			release = swap()
			f.master.ChangeHistory(func(h *replication.History) {
				if in.ID == "" {
					h.Renew(rand.Reader)
				} else {
					h.Follow(in.ID, in.Offset, true)
				}
			})
			f.journal.Select(loaded.Info.ReplStreamDB)
			f.standing.Store(in.ID != "")
		})
		if err != nil {
			return err
		}
		if !done {
			time.Sleep(installPause)
		}
	}
	if release != nil {
		f.inBackground(release)
	}
	return nil
}

// syncEvery is how much of a snapshot is written between two syncs, so that the last one does
// not take long.
const syncEvery = 8 << 20

// loadByFile takes the snapshot into a file first. Once loaded that is our snapshot file.
func (f *follower) loadByFile(ctx context.Context, in *replication.Incoming) error {
	fsys := vfs.OS{}
	target := f.saver.Path()
	temp := filepath.Join(filepath.Dir(target), fmt.Sprintf("temp-%d.%d.rdb", f.clock.Wall()/1e6, os.Getpid()))
	defer func() {
		if err := fsys.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.log.Warnf("Removing what the master has sent: %v", err)
		}
	}()
	size, err := receiveFile(fsys, temp, in)
	if err != nil {
		return err
	}
	file, err := fsys.Open(temp)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := f.saver.Verify(untilDone{ctx, file}, size, temp); err != nil {
		//lint:ignore ST1005 Redis's words
		return fmt.Errorf("Failed trying to load the MASTER synchronization DB from disk: %w", err)
	}
	again, err := fsys.Open(temp)
	if err != nil {
		return err
	}
	defer again.Close()
	f.saver.Cancel() // the file that it writes is not wanted any more
	f.saver.Wait(nil)
	if err := f.loadOver(in, untilDone{ctx, again}, size, temp); err != nil {
		return err
	}
	persists := len(snapshot.SavePoints(f.config)) > 0 || f.keeper.Mode() != aof.Off
	if snapshot.DeletesSyncFiles(f.config) && !persists {
		f.log.Noticef("Removing the RDB file used to sync with the master: there is no persistence")
		if err := fsys.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.log.Warnf("Removing %s: %v", target, err)
		}
		return nil
	}
	if err := errors.Join(fsys.Rename(temp, target), fsys.SyncDir(filepath.Dir(target))); err != nil {
		f.log.Warnf("The data are loaded, but their snapshot cannot be kept: %v", err)
	}
	return nil
}

// receiveFile writes what the master sends to a file, and returns its size.
func receiveFile(fsys vfs.FS, path string, in io.Reader) (size int64, err error) {
	file, err := fsys.Create(path)
	if err != nil {
		//lint:ignore ST1005 Redis's words
		return 0, fmt.Errorf("Opening the temp file needed for MASTER <-> REPLICA synchronization: %w", err)
	}
	for {
		n, err := io.CopyN(file, in, syncEvery)
		size += n
		if syncing := file.Sync(); err == nil {
			err = syncing
		}
		if err == io.EOF {
			return size, file.Close()
		}
		if err != nil {
			return size, errors.Join(err, file.Close())
		}
	}
}

// An untilDone is a file that is read until nobody wants that any more.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}
