//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// stockFile is the configuration that Debian's redis-server package installs.
const stockFile = "/etc/redis/redis.conf"

// stockConfig writes the file with other paths and port and nothing else changed.
func stockConfig(t *testing.T, dir string, port int) string {
	t.Helper()
	stock, err := os.ReadFile(stockFile)
	if err != nil {
		t.Skip("Debian's package redis-server is not installed, or its file is not ours to read: ", err)
	}
	changed := map[string]string{
		"dir":     dir,
		"pidfile": filepath.Join(dir, "redis.pid"),
		"logfile": filepath.Join(dir, "redis.log"),
		"port":    strconv.Itoa(port),
	}
	var lines []string
	for line := range strings.Lines(string(stock)) {
		name, _, _ := strings.Cut(line, " ")
		if value, ok := changed[name]; ok {
			line = name + " " + value + "\n"
			delete(changed, name)
		}
		lines = append(lines, line)
	}
	if len(changed) > 0 {
		t.Fatalf("%s has no line for %v", stockFile, changed)
	}
	path := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// daemon starts a server that goes into the background, and returns its process id.
func daemon(t *testing.T, dir, file string, port int) int {
	t.Helper()
	if out, err := exec.Command(server(t), file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := &process{t: t, dir: dir, port: port}
	pid := 0
	eventually(t, "the daemon writes its pid file", startTimeout, func() bool {
		pid, _ = strconv.Atoi(strings.TrimSpace(string(read(t, p.path("redis.pid")))))
		return pid > 0
	})
	t.Cleanup(func() {
		if running(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	if !p.waitReady() {
		t.Fatalf("the daemon does not serve:\n%s", read(t, p.path("redis.log")))
	}
	return pid
}

// running says whether there is a process that has not ended. One that nobody has
// waited for yet is a zombie and has ended.
func running(pid int) bool {
	state, _, ok := processState(pid)
	return ok && state != "Z"
}

// processState reads a process's state and session.
func processState(pid int) (state, session string, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", "", false
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	return fields[0], fields[3], true
}

// TestStockConfig shows that who has Debian's redis-server can put ours in its place: the
// same file starts it as a daemon, that a signal ends with the data saved.
func TestStockConfig(t *testing.T) {
	dir := t.TempDir()
	port := freePort(t)
	file := stockConfig(t, dir, port)
	at := &process{t: t, dir: dir, port: port}

	pid := daemon(t, dir, file, port)
	if _, session, _ := processState(pid); session != strconv.Itoa(pid) {
		t.Errorf("the daemon %d belongs to session %s: it still has a terminal", pid, session)
	}
	c := at.dial()
	c.want("OK", "SET", "greeting", "hello")
	c.want("hello", "GET", "greeting")
	c.want("OK", "SELECT", "15")
	c.want("1", "INCR", "counter")
	if got := c.info("config_file"); got != file {
		t.Errorf("config_file is %s, want %s", got, file)
	}
	if got := c.info("process_id"); got != strconv.Itoa(pid) {
		t.Errorf("process_id is %s, the pid file says %d", got, pid)
	}

	end(t, pid)
	for name, want := range map[string]bool{"dump.rdb": true, "redis.pid": false} {
		if got := read(t, at.path(name)) != nil; got != want {
			t.Errorf("after SIGTERM: is there a file %s? %v, want %v", name, got, want)
		}
	}

	pid = daemon(t, dir, file, port)
	c = at.dial()
	c.want("hello", "GET", "greeting")
	c.want("OK", "SELECT", "15")
	c.want("1", "GET", "counter")
	end(t, pid)
}

// TestStartedTwice shows that a second server with the same file says that the port is
// taken and ends, and leaves the first one's pid file alone.
func TestStartedTwice(t *testing.T) {
	dir := t.TempDir()
	pidFile := filepath.Join(dir, "pid")
	first := start(t, dir, "--pidfile", pidFile)
	want := fmt.Sprintf("%d\n", first.cmd.Process.Pid)
	if got := string(read(t, pidFile)); got != want {
		t.Fatalf("the pid file holds %q, want %q", got, want)
	}

	second := launch(t, dir, "--pidfile", pidFile, "--port", strconv.Itoa(first.port))
	if code := second.wait(); code != 1 || !strings.Contains(second.out.String(), "address already in use") {
		t.Errorf("the second server: exit code %d, want 1 and the reason:\n%s", code, second.out)
	}
	if got := string(read(t, pidFile)); got != want {
		t.Errorf("now the pid file holds %q, want the first server's %q", got, want)
	}
	first.dial().want("PONG", "PING")
	first.stop()
	if read(t, pidFile) != nil {
		t.Error("the pid file is left")
	}
}

// end stops a daemon and waits for its end.
func end(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the daemon ends after SIGTERM", startTimeout, func() bool { return !running(pid) })
}
