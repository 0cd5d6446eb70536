package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHistoryFile shows that sessions share a plain file, that it is private, and
// that it does not grow for ever.
func TestHistoryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	one, two := &history{path: path}, &history{path: path}
	for i, line := range []string{"set a 1", "get a", "get a", "  ", "get b "} {
		if err := one.add(line); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := two.load(); err != nil || !slices.Equal(two.lines, []string{"set a 1", "get a", "get b"}) {
		t.Errorf("the other session sees %q, %v", two.lines, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	for i := range historyLinesMax + 10 {
		if err := one.add(fmt.Sprint("get ", i)); err != nil {
			t.Fatal(err)
		}
	}
	long := &history{path: path}
	if err := long.load(); err != nil || !slices.Equal(long.lines, one.lines) {
		t.Errorf("%d lines, %v, want the last %d", len(long.lines), err, historyLinesMax)
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), "\n") != historyLinesMax {
		t.Errorf("the file was not cut: %d bytes, %v", len(data), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode after cutting %v, %v", info.Mode(), err)
	}
}

// TestHistoryTail shows that of a huge file only whole lines at its end are read.
func TestHistoryTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(path, []byte("first\nsecond\nthird\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, cut, err := readTail(path, 9)
	if string(data) != "third\n" || !cut || err != nil {
		t.Errorf("%q, %v, %v", data, cut, err)
	}
}

func TestHistoryPath(t *testing.T) {
	for _, tt := range []struct{ variable, home, want string }{
		{"", "/base", "/base/.rediscli_history"},
		{"/x", "/base", "/x"},
		{"/dev/null", "/base", ""},
		{"", "", ""},
	} {
		env := map[string]string{"REDISCLI_HISTFILE": tt.variable, "HOME": tt.home}
		if got := historyPath(func(name string) string { return env[name] }); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// TestSecrets shows which commands the history must not hold.
func TestSecrets(t *testing.T) {
	for _, tt := range []struct {
		line   string
		secret bool
	}{
		{"AUTH x", true},
		{"auth user x", true},
		{"acl SetUser u >x", true},
		{"acl list", false},
		{"config set requirepass x", true},
		{"config set maxmemory 1 masterauth x", true},
		{"config set maxmemory 1", false},
		{"config get requirepass", false},
		{"hello 3 auth u x", true},
		{"hello 3 setname a", false},
		{"hello", false},
		{"migrate h 1 k 0 1 auth x", true},
		{"migrate h 1 k 0 1 copy auth2 u x keys a", true},
		{"migrate h 1 k 0 1 copy", false},
		{"sentinel set m auth-pass x", true},
		{"sentinel config set sentinel-pass x", true},
		{"sentinel masters", false},
		{"get auth", false},
		{"config", false},
		{"", false},
	} {
		if got := isSecret(strings.Fields(tt.line)); got != tt.secret {
			t.Errorf("%q: secret %v", tt.line, got)
		}
	}
}
