package chaos

import (
	"math"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/vfs"
)

// early lets replies leave before what they tell of is on the disk.
type early struct{ *aof.Keeper }

func (e early) Flush() int64 {
	e.Keeper.Flush()
	return math.MaxInt64
}

func (e early) Open() int64 { return math.MaxInt64 }

func (e early) Strict() bool { return false }

// noNames is a disk whose folders are never synced.
type noNames struct{ vfs.FS }

func (noNames) SyncDir(string) error { return nil }

// syncsAgain syncs once more when a sync has failed, and believes it.
type syncsAgain struct{ vfs.FS }

type syncsAgainFile struct{ vfs.File }

func (d syncsAgain) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return syncsAgainFile{f}, err
}

func (d syncsAgain) Append(name string) (vfs.File, error) {
	f, err := d.FS.Append(name)
	return syncsAgainFile{f}, err
}

func (f syncsAgainFile) Sync() error {
	if f.File.Sync() == nil {
		return nil
	}
	return f.File.Sync()
}

// seededRuns is within how many runs a bug has to be found.
const seededRuns = 40

// found fails the test if no run finds a bug.
func found(t *testing.T, try func(seed uint64) error) {
	t.Helper()
	for seed := range uint64(seededRuns) {
		if err := try(seed + 1); err != nil {
			t.Logf("found by run %d: %.300s", seed+1, err)
			return
		}
	}
	t.Errorf("the bug was not found by %d runs", seededRuns)
}

// tryPlan loads images of one run.
func tryPlan(h *house, l *reader, p plan) error {
	r, err := newRun(h, p)
	if err != nil {
		return err
	}
	r.works()
	if err := r.end(); err != nil {
		return err
	}
	_, err = r.checkImages(l, rand.New(rand.NewPCG(p.seed, 3)), 0, 2)
	return err
}

// Each harness finds the bug that it is for.
func TestSeededBugs(t *testing.T) {
	h, l := newHouse(t), newReader(t)
	early := func(k *aof.Keeper) exec.Barrier { return early{k} }
	t.Run("reply before the sync", func(t *testing.T) {
		found(t, func(seed uint64) error {
			return tryPlan(h, l, plan{policy: "always", seed: seed, writes: 40, size: 300, barrier: early})
		})
	})
	t.Run("folder not synced", func(t *testing.T) {
		found(t, func(seed uint64) error {
			return tryPlan(h, l, plan{policy: "always", seed: seed, writes: 40, size: 300,
				files: func(fs vfs.FS) vfs.FS { return noNames{fs} }})
		})
	})
	t.Run("sync repeated", func(t *testing.T) {
		found(t, func(seed uint64) error {
			p := plan{policy: "always", seed: seed, writes: 40, size: 300,
				files: func(fs vfs.FS) vfs.FS { return syncsAgain{fs} }}
			_, err := tryFailure(h, l, p, failure{at: 15 + int(seed), err: syscall.EIO}, 1)
			return err
		})
	})
	t.Run("cut in the middle", func(t *testing.T) {
		f, err := newFolder(h, l)
		if err != nil {
			t.Fatal(err)
		}
		name := f.name(".incr.aof")
		found(t, func(seed uint64) error {
			bit := rand.New(rand.NewPCG(seed, 9)).IntN(8 * f.last)
			_, err := f.flip(l, name, bit, math.MaxInt64)
			return err
		})
	})
}
