//go:build linux

package e2e

import (
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/testenv"
)

// connect opens n connections.
func connect(t *testing.T, addr string, n int) []net.Conn {
	t.Helper()
	var all []net.Conn
	t.Cleanup(func() {
		for _, nc := range all {
			_ = nc.Close()
		}
	})
	for range n {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, nc)
	}
	return all
}

// latency sends PINGs for a while and returns the 99th percentile of the answers' times.
func latency(c conn, d time.Duration) (p99 time.Duration, n int) {
	c.t.Helper()
	var times []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		began := time.Now()
		c.want("PONG", "PING")
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return times[len(times)*99/100], len(times)
}

// victimMax is what the 99th percentile of a well-behaved client's PING may be on a
// machine that others use as well.
const victimMax = 20 * time.Millisecond

// TestSlowAndDeafClients shows that clients that send a byte a second, and clients that
// ask for much and never read, are no other client's concern.
func TestSlowAndDeafClients(t *testing.T) {
	slow := testenv.Number(t, "SPINEL_SLOW_CLIENTS", 1000)
	deaf := testenv.Number(t, "SPINEL_DEAF_CLIENTS", 20)
	const value, asks = 256 << 10, 100 // 25 MB for each of the deaf

	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	c.want("OK", "SET", "big", strings.Repeat("v", value))
	quiet, n := latency(c, time.Second)
	before := rss(t, p.cmd.Process.Pid)
	t.Logf("alone: p99 of %d PINGs %v", n, quiet)

	for _, nc := range connect(t, p.addr(), deaf) {
		if _, err := io.WriteString(nc, strings.Repeat("GET big\r\n", asks)); err != nil {
			t.Fatal(err)
		}
	}
	crowd := connect(t, p.addr(), slow)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		drip(crowd, "*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$1\r\n1\r\n", stop)
	}()
	eventually(t, "all are connected", startTimeout, func() bool {
		return c.info("connected_clients") == itoa(1+slow+deaf)
	})
	p99, n := latency(c, 3*time.Second)
	held := rss(t, p.cmd.Process.Pid) - before
	close(stop)
	<-stopped
	t.Logf("beside %d slow and %d deaf clients: p99 of %d PINGs %v; they hold %d MB",
		slow, deaf, n, p99, held>>20)
	if p99 > victimMax {
		t.Errorf("p99 of PING is %v, want at most %v (%v alone)", p99, victimMax, quiet)
	}
	if most := int64(deaf)*value*asks + int64(slow)<<14 + 64<<20; held > most {
		t.Errorf("they hold %d MB, want at most %d MB", held>>20, most>>20)
	}

	// A limit ends those that ask for more than they take.
	c.want("OK", "CONFIG", "SET", "client-output-buffer-limit", "normal 8mb 0 0")
	for _, nc := range connect(t, p.addr(), deaf) {
		if _, err := io.WriteString(nc, strings.Repeat("GET big\r\n", asks)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the limit closes the deaf", startTimeout, func() bool {
		n, _ := strconv.Atoi(c.info("connected_clients"))
		return n <= 1+slow+deaf
	})
	p.stop()
}

// drip sends text to all, a byte each a second.
func drip(to []net.Conn, text string, stop chan struct{}) {
	for i := range text {
		for _, nc := range to {
			_, _ = nc.Write([]byte{text[i]})
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
	}
}

// TestOutOfDescriptors takes the descriptors away from a running server. Who is connected
// is served, who comes waits, and is served when another has left.
func TestOutOfDescriptors(t *testing.T) {
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		t.Skip("util-linux is not installed: ", err)
	}
	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	const most = 40 // descriptors, of which the server has some for itself
	if out, err := exec.Command(prlimit, "--pid", itoa(p.cmd.Process.Pid), "--nofile="+itoa(most)).
		CombinedOutput(); err != nil {
		t.Skipf("prlimit: %v: %s", err, out)
	}
	crowd := connect(t, p.addr(), 2*most) // the kernel accepts those that the server cannot
	connected := func() int {
		n, _ := strconv.Atoi(c.info("connected_clients"))
		return n
	}
	eventually(t, "some are accepted", startTimeout, func() bool { return connected() > most/2 })
	time.Sleep(300 * time.Millisecond) // it tries again meanwhile
	if n := connected(); n >= most {
		t.Fatalf("%d clients with %d descriptors", n, most)
	}
	c.want("OK", "SET", "served", "yes")
	p99, _ := latency(c, 300*time.Millisecond)
	if p99 > victimMax {
		t.Errorf("p99 of PING is %v without descriptors, want at most %v", p99, victimMax)
	}

	last := crowd[len(crowd)-1]
	for _, nc := range crowd[:len(crowd)-1] {
		_ = nc.Close()
	}
	began := time.Now()
	if err := last.SetDeadline(began.Add(startTimeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(last, "GET served\r\n"); err != nil {
		t.Fatal(err)
	}
	expect(t, last, []byte("$3\r\nyes\r\n"))
	if took := time.Since(began); took > time.Second {
		t.Errorf("accepting went on after %v, want at most a second", took)
	}
	p.stop()
	if !strings.Contains(p.out.String(), "accepting connections failed") {
		t.Errorf("the log does not say that descriptors ran out:\n%s", p.out)
	}
}

// TestFewDescriptors shows that a server that may not open as many files as maxclients
// asks for says so, and promises its clients no more than it can hold.
func TestFewDescriptors(t *testing.T) {
	// Root could raise the limit, unless it gives that right up.
	command := []string{"sh", "-c", `ulimit -n 64; exec "$@"`, "sh", server(t)}
	if setpriv, err := exec.LookPath("setpriv"); err == nil {
		drop := exec.Command(setpriv, "--bounding-set=-sys_resource", "true")
		if drop.Run() == nil {
			command = append([]string{setpriv, "--bounding-set=-sys_resource"}, command...)
		}
	}
	p := launchProgram(t, t.TempDir(), command, "--save", "")
	if !p.waitReady() {
		t.Fatalf("the server does not start:\n%s", p.out)
	}
	c := p.dial()
	clients := c.do("CONFIG", "GET", "maxclients").Elems[1].Text
	if clients == "10000" {
		t.Skip("this user may raise the limit of open files, and cannot give that right up")
	}
	if clients != "32" { // 32 are the server's own
		t.Errorf("maxclients is %s with 64 descriptors, want 32", clients)
	}
	crowd := connect(t, p.addr(), 40)
	refused := crowd[len(crowd)-1]
	if err := refused.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(refused); err != nil || string(got) != "-ERR max number of clients reached\r\n" {
		t.Errorf("the 41st client: got %q, %v", got, err)
	}
	c.want("PONG", "PING")
	p.stop()
	if !strings.Contains(p.out.String(), "maxclients has been reduced to 32") {
		t.Errorf("the log does not say that maxclients is less:\n%s", p.out)
	}
}
