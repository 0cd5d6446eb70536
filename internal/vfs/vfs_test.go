package vfs_test

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/vfs"
)

// replace is what the package comment describes.
func replace(f vfs.FS, dir string, content string) error {
	temp := filepath.Join(dir, "temp")
	file, err := f.Create(temp)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(content))
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = f.Rename(temp, filepath.Join(dir, "file"))
	}
	if err == nil {
		err = f.SyncDir(dir)
	}
	return err
}

func content(t *testing.T, f vfs.FS, name string) string {
	t.Helper()
	file, err := f.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Both implementations do the same, errors included.
func TestImplementationsAgree(t *testing.T) {
	for _, tt := range []struct {
		name string
		fs   vfs.FS
		dir  string
	}{
		{"OS", vfs.OS{}, t.TempDir()},
		{"Mem", vfs.NewMem("/data"), "/data"},
	} {
		in := func(name string) string { return filepath.Join(tt.dir, name) }
		for _, want := range []string{"one", "two"} {
			if err := replace(tt.fs, tt.dir, want); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if got := content(t, tt.fs, in("file")); got != want {
				t.Errorf("%s: read %q, want %q", tt.name, got, want)
			}
		}
		if info, err := tt.fs.Stat(in("file")); err != nil || info.Size() != 3 || info.IsDir() {
			t.Errorf("%s: Stat of a file: %v, %v", tt.name, info, err)
		}
		if info, err := tt.fs.Stat(tt.dir); err != nil || !info.IsDir() {
			t.Errorf("%s: Stat of a folder: %v, %v", tt.name, info, err)
		}
		if _, err := tt.fs.Create(in("file")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: Create over a file: %v", tt.name, err)
		}
		_, openErr := tt.fs.Open(in("none"))
		_, createErr := tt.fs.Create(in("none/file"))
		_, statErr := tt.fs.Stat(in("none"))
		for i, err := range []error{openErr, createErr, statErr, tt.fs.Rename(in("none"), in("x")),
			tt.fs.Remove(in("none")), tt.fs.SyncDir(in("none"))} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: call %d on what is not there: %v", tt.name, i, err)
			}
		}
		if err := tt.fs.Remove(in("file")); err != nil {
			t.Errorf("%s: Remove: %v", tt.name, err)
		}
		f, err := tt.fs.Create(in("closed"))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: Write after Close: %v", tt.name, err)
		}
	}
}

// A crash or a power failure after any call leaves the old content or the new one,
// and after the last one the new one.
func TestReplacingSurvivesEverything(t *testing.T) {
	count := 0
	for at := 1; ; at++ {
		mem := vfs.NewMem("/data")
		mem.Put("/data/file", []byte("old"))
		faults := &vfs.Faults{FS: mem, At: at, Err: io.ErrUnexpectedEOF, Dead: true}
		err := replace(faults, "/data", "the new one")
		for _, after := range []*vfs.Mem{mem, mem.PowerFailure()} {
			got := content(t, after, "/data/file")
			if got != "the new one" && (got != "old" || err == nil) {
				t.Errorf("call %d of %q failed: %q is left", at, faults.Calls(), got)
			}
		}
		if err == nil {
			count = len(faults.Calls())
			break
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("call %d: %v", at, err)
		}
	}
	if count != 6 {
		t.Errorf("%d calls were tried", count)
	}
}

// Without Sync or SyncDir a power failure takes what was written, or its name.
func TestPowerFailureTakesWhatIsNotSynced(t *testing.T) {
	mem := vfs.NewMem("/d")
	f, err := mem.Create("/d/a")
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("synced")
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if names := mem.PowerFailure().Names(); len(names) != 0 {
		t.Errorf("names without SyncDir: %q", names)
	}
	if err := mem.SyncDir("/d"); err != nil {
		t.Fatal(err)
	}
	write(" and not")
	if got := content(t, mem.PowerFailure(), "/d/a"); got != "synced" {
		t.Errorf("%q is left", got)
	}
	if err := mem.Remove("/d/a"); err != nil {
		t.Fatal(err)
	}
	if names := mem.PowerFailure().Names(); !slices.Equal(names, []string{"/d/a"}) {
		t.Errorf("after Remove without SyncDir: %q", names)
	}
}

// A failing Write leaves half of its bytes, and only that call fails unless Dead.
func TestOneFault(t *testing.T) {
	mem := vfs.NewMem("/d")
	faults := &vfs.Faults{FS: mem, At: 2, Err: io.ErrShortWrite}
	f, err := faults.Create("/d/a")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Write([]byte("12345678")); n != 4 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Write: %d, %v", n, err)
	}
	if n, err := f.Write([]byte("9")); n != 1 || err != nil {
		t.Errorf("the next Write: %d, %v", n, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	want := []string{"create /d/a", "write", "write", "close"}
	if got := faults.Calls(); !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
	if got := content(t, mem, "/d/a"); got != "12349" {
		t.Errorf("content %q", got)
	}
}
