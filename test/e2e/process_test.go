//go:build linux

package e2e

import (
	"bytes"
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
)

// startTimeout bounds how long a server may take to answer, and to end.
const startTimeout = 20 * time.Second

// A process is one run of a server.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	dir  string // of its data
	port int
	out  *bytes.Buffer // what it logged; read it when the process has ended
	done chan struct{} // closed at its end
}

// freePort finds a port of the loopback address that nobody listens at. Somebody may
// before the server does: see start.
func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// launch starts a server in a folder and does not wait for it. It is killed at the
// test's end, if it runs then.
func launch(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	return launchProgram(t, dir, []string{server(t)}, args...)
}

// launchProgram is launch for another command that becomes or starts a server.
func launchProgram(t testing.TB, dir string, command []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, dir: dir, port: freePort(t), out: &bytes.Buffer{}, done: make(chan struct{})}
	words := append(command[1:len(command):len(command)],
		"--port", strconv.Itoa(p.port), "--bind", "127.0.0.1", "--dir", dir)
	p.cmd = exec.Command(command[0], append(words, args...)...)
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is in ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("server at port %d, %v:\n%.3000s", p.port, p.cmd.ProcessState, p.out)
		}
	})
	return p
}

// start starts a server in a folder and waits until it serves.
func start(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	for try := 1; ; try++ {
		p := launch(t, dir, args...)
		if p.waitReady() {
			return p
		}
		if try == 3 || !strings.Contains(p.out.String(), "address already in use") {
			t.Fatalf("the server does not start (%v):\n%s", p.cmd.ProcessState, p.out)
		}
	}
}

// waitReady waits until the server answers PING, and returns false if it ends instead.
func (p *process) waitReady() bool {
	p.t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(5 * time.Millisecond) {
		if c, err := client.Dial("tcp", p.addr(), clientOptions); err == nil {
			reply, err := c.Do("PING")
			_ = c.Close()
			if err == nil && (reply.Text == "PONG" || strings.HasPrefix(reply.Text, "NOAUTH")) {
				return true
			}
		}
		select {
		case <-p.done:
			return false
		default:
		}
		if time.Now().After(deadline) {
			p.kill()
			p.t.Fatalf("no answer after %v:\n%s", startTimeout, p.out)
		}
	}
}

func (p *process) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

func (p *process) path(name string) string { return filepath.Join(p.dir, name) }

// signal sends one to the process.
func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the process as a power cut does, if it has not ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// wait returns the exit code when the process has ended by itself.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(startTimeout):
		p.kill()
		p.t.Fatalf("the server did not end in %v:\n%s", startTimeout, p.out)
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends the server with SIGTERM, and fails unless it says that all went well.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		p.t.Fatalf("exit code %d after SIGTERM:\n%s", code, p.out)
	}
}

// rss is how many bytes of memory a process has.
func rss(t testing.TB, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("process %d has no VmRSS: it has ended", pid)
	return 0
}

var clientOptions = client.Options{ConnectTimeout: 5 * time.Second, ReadTimeout: startTimeout,
	WriteTimeout: startTimeout}

// A conn is a client whose failures end the test.
type conn struct {
	*client.Conn
	t testing.TB
}

// dial connects to a server.
func (p *process) dial() conn {
	p.t.Helper()
	return dial(p.t, "tcp", p.addr())
}

func dial(t testing.TB, network, addr string) conn {
	t.Helper()
	c, err := client.Dial(network, addr, clientOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return conn{c, t}
}

// do runs a command and returns its reply.
func (c conn) do(args ...string) client.Reply {
	c.t.Helper()
	reply, err := c.Do(args...)
	if err != nil {
		c.t.Fatalf("%.80q: %v", args, err)
	}
	return reply
}

// want runs a command and compares its reply, which is not an aggregate.
func (c conn) want(text string, args ...string) {
	c.t.Helper()
	if got := scalar(c.do(args...)); got != text {
		c.t.Fatalf("%.80q: got %.200q, want %q", args, got, text)
	}
}

// wantPrefix is want for the beginning of the reply.
func (c conn) wantPrefix(text string, args ...string) {
	c.t.Helper()
	if got := scalar(c.do(args...)); !strings.HasPrefix(got, text) {
		c.t.Fatalf("%.80q: got %.200q, want %q...", args, got, text)
	}
}

// info is one field of INFO.
func (c conn) info(field string) string {
	c.t.Helper()
	for line := range strings.Lines(c.do("INFO", "everything").Text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return value
		}
	}
	c.t.Fatalf("INFO has no field %s", field)
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }

// scalar writes a reply as text: a missing value as (nil).
func scalar(r client.Reply) string {
	switch r.Kind {
	case client.Null:
		return "(nil)"
	case client.Integer, client.Bool:
		return strconv.FormatInt(r.Int, 10)
	default:
		return r.Text
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, timeout time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(timeout); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after %v: %s", timeout, what)
		}
	}
}

// read is a file's content, or nil if there is none.
func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return content
}
