//go:build linux

// Package clients runs programs that are written with the client libraries of other
// languages, as their users write them, against the real server.
//
// A library comes from its language's registry, at a pinned version, into the user's cache
// folder. Where that cannot be done the test is skipped and says why; with CI=true in the
// environment it fails.
package clients

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/testenv"

	// So that no result is taken from the cache when the server has changed.
	_ "github.com/spineldb/spinel/internal/server"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// unavailable skips the test, or fails it where the library must be there.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// TestRedisPy runs the same program with a redis-py of old, which many still have, and a
// recent one, which also speaks RESP3.
func TestRedisPy(t *testing.T) {
	const program = "strict_redis.py"
	if _, err := os.Stat(program); err != nil { // looked at, so that a result of an old one is not taken
		t.Fatal(err)
	}
	for _, version := range []string{"3.5.3", "6.4.0"} {
		python := pythonWith(t, "redis", version)
		out, err := exec.Command(python, program, strconv.Itoa(serve(t, testenv.Program(t)))).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "redis-py "+version+": ") {
			t.Errorf("redis-py %s: %v\n%s", version, err, out)
			continue
		}
		t.Logf("%s", out)
	}
}

// pythonWith is the path of a Python that has a package. A folder is made only once, and
// under its name only when it is complete.
func pythonWith(t *testing.T, pkg, version string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		unavailable(t, "no cache folder: %v", err)
	}
	out, err := exec.Command("python3", "-c", "import sys; print(sys.implementation.cache_tag)").Output()
	if err != nil {
		unavailable(t, "no Python: %v", err)
	}
	name := fmt.Sprintf("%s-%s-%s", strings.TrimSpace(string(out)), pkg, version)
	dir := filepath.Join(cache, "spinel-clients", name)
	python := filepath.Join(dir, "bin", "python")
	if exec.Command(python, "-c", "import "+pkg).Run() == nil {
		return python
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{
		{"python3", "-m", "venv", dir},
		{python, "-m", "pip", "install", "--quiet", "--retries", "1", pkg + "==" + version},
	} {
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			_ = os.RemoveAll(dir)
			unavailable(t, "%s: %v\n%s", strings.Join(words, " "), err, out)
		}
	}
	return python
}

// serve starts a server for the length of the test, and returns its port.
func serve(t *testing.T, program string) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close()

	var log strings.Builder
	cmd := exec.Command(program, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "",
		"--dir", t.TempDir())
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("the server: %v\n%s", err, &log)
		}
	})
	for range 400 {
		err = ping(port)
		if err == nil {
			return port
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server does not answer: %v", err)
	return 0
}

func ping(port int) error {
	c, err := client.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		client.Options{ConnectTimeout: time.Second, ReadTimeout: time.Second})
	if err != nil {
		return err
	}
	defer c.Close()
	reply, err := c.Do("PING")
	if err == nil && reply.Text != "PONG" {
		err = errors.New(reply.Text)
	}
	return err
}
