// Package testenv is what a test finds around it: numbers in the environment that ask for
// more than is usual, and our own program, built once for all tests of a package.
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
//
//	server := testenv.Program(t)                // .../redis-server
//	rounds := testenv.Number(t, "SPINEL_KILL_ROUNDS", 5)
//
// The program is not among what go test knows that a test depends on. A package that runs it
// imports the program's parts, so that no result comes from the cache when they have changed.
package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Number is a number of at least 1 from the environment, or else what is usual.
func Number(t testing.TB, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number of at least 1", name, text)
	}
	return n
}

// programs is the folder with the program under its names, while Main runs.
var programs string

// Main runs the tests of a package that uses Program, and returns their exit code.
func Main(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "spinel-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		return 1
	}
	programs = dir
	defer func() {
		if err := os.RemoveAll(dir); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, "testenv:", err)
			code = 1
		}
	}()
	return m.Run()
}

var build = sync.OnceValue(func() error {
	if programs == "" {
		return errors.New("testenv: the package has no TestMain that calls Main")
	}
	if err := Build(filepath.Join(programs, "spinel")); err != nil {
		return err
	}
	return os.Symlink("spinel", filepath.Join(programs, "redis-server"))
})

// Program is the path of our program under the name that makes it the server. Beside it is
// spinel, the same under its own name.
func Program(t testing.TB) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(programs, "redis-server")
}

// Build makes our program as a release is made, without C and with more flags if there are.
func Build(path string, flags ...string) error {
	args := append([]string{"build", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, "github.com/spineldb/spinel/cmd/spinel")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
