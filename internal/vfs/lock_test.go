package vfs

import (
	"errors"
	"path/filepath"
	"testing"
)

// A lock has one owner at a time, and is free when he gives it back.
func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.lock")
	first, err := OS{}.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (OS{}).Lock(name); !errors.Is(err, ErrLocked) {
		t.Errorf("a second owner: %v, want %v", err, ErrLocked)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OS{}.Lock(name)
	if err != nil {
		t.Fatalf("after the first one gave it back: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
