//go:build linux

package replication

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/testenv"
)

// A machine is a folder in which our program is started, killed and started again. It is
// reached by others through a proxy, whose port is the one that it has as a node.
type machine struct {
	*node
	dir     string
	proxy   *proxy
	options []string

	process *exec.Cmd
	ended   chan struct{} // closed when the process has
}

// newMachines makes some, which do not run yet.
func newMachines(t *testing.T, names string, options ...string) (all []*machine) {
	t.Helper()
	for _, name := range names {
		m := &machine{node: &node{t: t, name: string(name)}, dir: t.TempDir(), options: options}
		m.proxy = newProxy(t, "unix", m.socket())
		m.port = m.proxy.port
		all = append(all, m)
		t.Cleanup(func() {
			m.kill()
			if t.Failed() {
				t.Logf("log of %s\n%s", m.name, m.log())
			}
		})
	}
	return all
}

func (m *machine) socket() string { return filepath.Join(m.dir, "s") }

// log is what was logged by all its processes.
func (m *machine) log() string {
	text, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return string(text)
}

// start runs the program, as the replica of a master if that is not nil, and returns when it
// has loaded its data.
func (m *machine) start(master *machine) error {
	program := testenv.Program(m.t)
	log, err := os.OpenFile(filepath.Join(m.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := append([]string{"--port", "0", "--unixsocket", m.socket(), "--dir", m.dir, "--save", "",
		"--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", "--repl-timeout", "3",
		"--repl-ping-replica-period", "1", "--replica-announce-ip", "127.0.0.1", "--replica-announce-port", m.port,
		"--shutdown-timeout", "1"}, m.options...)
	if master != nil {
		args = append(args, "--replicaof", "127.0.0.1", master.port)
	}
	m.process = exec.Command(program, args...)
	m.process.Stdout, m.process.Stderr = log, log
	if err := m.process.Start(); err != nil {
		return err
	}
	process, ended := m.process, make(chan struct{})
	m.ended = ended
	go func() {
		_ = process.Wait() // its log says more
		close(ended)
	}()
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if m.hasEnded() {
			break
		}
		if m.conn, err = client.Dial("unix", m.socket(), client.Options{ReadTimeout: 2 * endTime}); err != nil {
			continue
		}
		if reply, err := m.conn.Do("PING"); err == nil && reply.Text == "PONG" {
			return nil
		}
		_ = m.conn.Close()
	}
	return fmt.Errorf("%s does not start", m.name)
}

func (m *machine) hasEnded() bool {
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}

// kill ends the process at once, if there is one.
func (m *machine) kill() {
	if m.process == nil {
		return
	}
	_ = m.process.Process.Signal(syscall.SIGKILL)
	<-m.ended
	m.process = nil
	if m.conn != nil {
		_ = m.conn.Close()
	}
}

// endTime is how long a server may take to shut down.
const endTime = 20 * time.Second

var errStays = errors.New("it does not shut down")

// shutDown has the process end by itself. An error that is a reply says that it does not
// want to, and is killed.
func (m *machine) shutDown(how ...string) error {
	reply, err := m.conn.Do(append([]string{"SHUTDOWN"}, how...)...)
	if err == nil && reply.IsError() {
		m.kill()
		return nil
	}
	select {
	case <-m.ended:
		m.kill()
		return nil
	case <-time.After(endTime):
		m.kill()
		return fmt.Errorf("%s: %w", m.name, errStays)
	}
}

// fulls is how often all data were taken from a master.
func fulls(all []*machine) (n int) {
	for _, m := range all {
		n += strings.Count(m.log(), "Full resync from master")
	}
	return n
}
