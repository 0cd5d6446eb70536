//go:build linux

// Package e2e runs the real program as its users do: started under the names that they
// know, with the files that they have, over real sockets, and killed in the middle.
//
// A test here is about what needs a process: start and end, signals, files, limits of the
// system, bytes that no client library sends. What needs none is tested where it lives.
//
// Every server listens on the loopback address at a port that was free, writes only below
// the test's own folder, and is ended by its process id. Tests that take long in full are
// short by default; the environment asks for more:
//
//	SPINEL_KILL_ROUNDS   kill -9 during a save                           5
//	SPINEL_AOF_ROUNDS    kill -9 with an append-only file              12
//	SPINEL_LANES         servers that are killed at the same time         1
//	SPINEL_BIG_MB        size of the largest argument                    64
//	SPINEL_SLOW_CLIENTS  clients that send one byte a second          1000
//	SPINEL_DEAF_CLIENTS  clients that never read their replies          20
//	SPINEL_DIFFERENTIAL  random commands to us and to redis-server   20000
//	SPINEL_SERVER        another server in place of ours, to try a test out
//	SPINEL_SEED          seed of these commands                         1
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	// The test runs a program that it builds itself, which go test cannot know. With
	// its parts imported, a result is not taken from the cache when they have changed.
	_ "github.com/spineldb/spinel/internal/cli"
	_ "github.com/spineldb/spinel/internal/server"
)

// programs is the folder with the program under all its names, once it is built.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "spinel-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(programs)
	os.Exit(code)
}

var build = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", filepath.Join(programs, "spinel"),
		"github.com/spineldb/spinel/cmd/spinel")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.Symlink("spinel", filepath.Join(programs, "redis-server"))
})

// server is the path of our program under the name that makes it the server.
func server(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("SPINEL_SERVER"); path != "" {
		return path
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(programs, "redis-server")
}

// setting is a number from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number of at least 1", name, text)
	}
	return n
}
