package vfs_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spineldb/spinel/internal/vfs"
)

// Appending, cutting, folders and lists, in both implementations.
func TestAppending(t *testing.T) {
	for _, tt := range []struct {
		name string
		fs   vfs.FS
		dir  string
	}{
		{"OS", vfs.OS{}, t.TempDir()},
		{"Mem", vfs.NewMem("/data"), "/data"},
	} {
		in := func(name string) string { return filepath.Join(tt.dir, name) }
		check := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %s: %v", tt.name, what, err)
			}
		}
		check("Mkdir", tt.fs.Mkdir(in("sub")))
		check("Mkdir again", tt.fs.Mkdir(in("sub")))
		f, err := tt.fs.Create(in("sub/file"))
		check("Create", err)
		write := func(f vfs.File, text string) {
			_, err := f.Write([]byte(text))
			check("Write", err)
		}
		write(f, "0123456789")
		check("Truncate", f.Truncate(4))
		write(f, "x")
		check("Close", f.Close())
		f, err = tt.fs.Append(in("sub/file"))
		check("Append", err)
		write(f, "yz")
		check("Truncate to more", f.Truncate(9))
		check("Close", f.Close())
		if got := content(t, tt.fs, in("sub/file")); got != "0123xyz\x00\x00" {
			t.Errorf("%s: content %q", tt.name, got)
		}
		check("Rename", tt.fs.Rename(in("sub/file"), in("b")))
		f, err = tt.fs.Create(in("a"))
		check("Create", err)
		check("Close", f.Close())
		if names, err := tt.fs.ReadDir(tt.dir); err != nil || !slices.Equal(names, []string{"a", "b", "sub"}) {
			t.Errorf("%s: ReadDir: %q, %v", tt.name, names, err)
		}
		_, appendErr := tt.fs.Append(in("none"))
		_, listErr := tt.fs.ReadDir(in("none"))
		for i, err := range []error{appendErr, listErr, tt.fs.Mkdir(in("none/sub"))} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: call %d on what is not there: %v", tt.name, i, err)
			}
		}
		if err := tt.fs.Mkdir(in("a")); !errors.Is(err, syscall.EEXIST) {
			t.Errorf("%s: Mkdir over a file: %v", tt.name, err)
		}
	}
}

func isZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// images are all that a crash at any moment could have left, as far as so many draws for
// each moment find it.
func images(r *vfs.Record, draws int, visit func(n int, m *vfs.Mem)) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range r.Len() + 1 {
		for range draws {
			visit(n, r.Crash(n, rng.IntN))
		}
	}
}

// Whatever is synced is in every image; of what is not, each part may be there or not.
func TestImagesOfAppending(t *testing.T) {
	mem := vfs.NewMem("/d")
	mem.Put("/d/f", []byte("old "))
	record := mem.Record()
	f, err := mem.Append("/d/f")
	if err != nil {
		t.Fatal(err)
	}
	first, second := bytes.Repeat([]byte("a"), 1000), bytes.Repeat([]byte("b"), 1000)
	for _, step := range []func() error{
		func() error { _, err := f.Write([]byte("synced ")); return err },
		f.Sync,
		func() error { _, err := f.Write(first); return err },
		func() error { _, err := f.Write(second); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	const durable = "old synced "
	seen := map[string]bool{}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		got := content(t, record.Crash(record.Len(), rng.IntN), "/d/f")
		if len(got) < len(durable) || got[:len(durable)] != durable {
			t.Fatalf("%.50q is left", got)
		}
		rest := []byte(got[len(durable):]) // the first write ends within the second sector
		whole := append(slices.Clone(first), second...)
		switch n := len(rest); {
		case n == 0:
			seen["nothing"] = true
		case bytes.Equal(rest, whole):
			seen["all"] = true
		case n > 1000 && n < 2000 && bytes.Equal(rest, whole[:n]):
			seen["a part of the second"] = true
		case n == 1000 && isZero(rest[:501]) && bytes.Equal(rest[501:], first[501:]):
			seen["the first without its first sector"] = true
		case n == 2000 && isZero(rest[:501]) && bytes.Equal(rest[501:], whole[501:]):
			seen["both without the first sector"] = true
		case n == 2000 && bytes.Equal(rest[:1000], first) && isZero(rest[1013:]) && !isZero(rest[1000:1013]):
			seen["the second's share of a sector"] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("among 2000 images there were only %v", seen)
	}
}

// Replacing a file leaves the old or the new one in every image. Without Sync, or without
// SyncDir, images that are wrong are found: the record would notice who forgets one.
func TestImagesOfReplacing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		skip    string
		isFound bool
	}{
		{"all calls", "", false},
		{"without Sync", "sync", true},
		{"without SyncDir", "syncdir", true},
	} {
		mem := vfs.NewMem("/data")
		mem.Put("/data/file", []byte("old"))
		record := mem.Record()
		if err := replace(forgetful{mem, tt.skip}, "/data", "the new one"); err != nil {
			t.Fatal(err)
		}
		wrong := 0
		images(record, 50, func(n int, m *vfs.Mem) {
			got := content(t, m, "/data/file")
			done := n == record.Len()
			if got != "the new one" && (got != "old" || done) {
				wrong++
			}
		})
		if (wrong > 0) != tt.isFound {
			t.Errorf("%s: %d images are wrong", tt.name, wrong)
		}
	}
}

// forgetful is a file system that says it did a call, and did not.
type forgetful struct {
	vfs.FS
	skip string
}

func (f forgetful) SyncDir(name string) error {
	if f.skip == "syncdir" {
		return nil
	}
	return f.FS.SyncDir(name)
}

func (f forgetful) Create(name string) (vfs.File, error) {
	file, err := f.FS.Create(name)
	return forgetfulFile{file, f.skip}, err
}

type forgetfulFile struct {
	vfs.File
	skip string
}

func (f forgetfulFile) Sync() error {
	if f.skip == "sync" {
		return nil
	}
	return f.File.Sync()
}

// What a sync that failed was for may be lost, and another sync does not bring it back, but for
// what shares a sector with a later write: the kernel has it still, and writes sectors whole.
func TestFailedSyncLoses(t *testing.T) {
	block := func(c string) string { return strings.Repeat(c, 512) }
	for _, tt := range []struct{ lost, later, want string }{
		{block("2"), block("3"), block("1") + block("\x00") + block("3")},
		{"two", "three", block("1") + "twothree"},
		{block("2") + "two", "three", block("1") + block("\x00") + "twothree"},
	} {
		mem := vfs.NewMem("/d")
		mem.Put("/d/f", []byte(block("1")))
		record := mem.Record()
		faults := &vfs.Faults{FS: mem, Err: errors.New("input/output error")}
		f, err := faults.Append("/d/f")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(tt.lost))
		faults.FailNext("sync")
		if f.Sync() == nil {
			t.Fatal("the sync did not fail")
		}
		_, _ = f.Write([]byte(tt.later))
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		none := func(int) int { return 0 }
		if got, _ := record.Crash(record.Len(), none).Get("/d/f"); string(got) != tt.want {
			t.Errorf("the disk has %q, want %q", got, tt.want)
		}
		all := func(below int) int { return min(below-1, 1) }
		if got, _ := record.Crash(record.Len(), all).Get("/d/f"); string(got) != block("1")+tt.lost+tt.later {
			t.Errorf("the disk has %q, though the sync got to its end", got)
		}
		if got, _ := mem.Get("/d/f"); string(got) != block("1")+tt.lost+tt.later {
			t.Errorf("programs see %q", got)
		}
	}
}
