package server

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestLeftovers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it is not known here which processes run")
	}
	dead := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	gone := strconv.Itoa(dead.Process.Pid)
	r := start(t, "")
	dir := filepath.Dir(r.path)
	old, fresh := time.Now().Add(-2*leftoverAge), time.Now()
	var kept []string
	for _, tt := range []struct {
		name    string
		changed time.Time
		kept    bool
	}{
		{"temp-" + gone + ".rdb", old, false},
		{"temp-0" + gone + ".rdb", old, true},
		{"temp-" + gone + ".rdb.bak", old, true},
		{"temp-x.rdb", old, true},
		{"temp--1.rdb", old, true},
		{"temp-.rdb", old, true},
		{"dump.rdb", old, true},
		{"temp-" + strconv.Itoa(os.Getpid()) + ".rdb", old, true},
		{"temp-" + strconv.Itoa(os.Getppid()) + ".rdb", old, true},
		{"temp-999999999.rdb", fresh, true},
		{"temp-999999998.rdb", old, false},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte("REDIS"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, tt.changed, tt.changed); err != nil {
			t.Fatal(err)
		}
		if tt.kept {
			kept = append(kept, tt.name)
		}
	}
	r.removeLeftovers()
	var left []string
	for _, pattern := range []string{"temp-*", "dump*"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range names {
			left = append(left, filepath.Base(name))
		}
	}
	slices.Sort(left)
	slices.Sort(kept)
	if !slices.Equal(left, kept) {
		t.Errorf("left are %q, want %q", left, kept)
	}
}
