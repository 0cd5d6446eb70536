//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rewritten waits until no rewrite is in progress or scheduled.
func (p *process) rewritten(c conn) {
	p.t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(5 * time.Millisecond) {
		if c.info("aof_rewrite_in_progress") == "0" && c.info("aof_rewrite_scheduled") == "0" {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatal("the rewrite does not end")
		}
	}
}

// Switched on while it runs, the append-only file has everything after a kill, whichever
// policy; a second server on the same folder is refused, and harms nothing.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"always", "everysec", "no"} {
		t.Run(policy, func(t *testing.T) {
			dir := t.TempDir()
			p := start(t, dir, "--save", "", "--appendfsync", policy)
			c := p.dial()
			c.want("OK", "SET", "before", "1")
			c.want("OK", "CONFIG", "SET", "appendonly", "yes")
			p.rewritten(c)
			c.want("OK", "SET", "after", "2")
			c.want("Background append only file rewriting started", "BGREWRITEAOF")
			c.want("OK", "SET", "during", "3")
			p.rewritten(c)
			if c.info("aof_last_bgrewrite_status") != "ok" || c.info("aof_enabled") != "1" {
				t.Error("the rewrite has failed")
			}
			second := launch(t, dir, "--appendonly", "yes", "--save", "")
			if code := second.wait(); code != 1 || !strings.Contains(second.out.String(), "another server uses it") {
				t.Errorf("a second server: exit code %d\n%s", code, second.out)
			}
			c.want("OK", "MSET", "x", "4", "y", "5")
			p.kill()

			p = start(t, dir, "--save", "", "--appendonly", "yes")
			c = p.dial()
			for key, value := range map[string]string{"before": "1", "after": "2", "during": "3", "x": "4", "y": "5"} {
				c.want(value, "GET", key)
			}
			p.stop()
		})
	}
}

// While the disk takes nothing more, writes are refused and reads go on; what was executed and
// could not be written is acknowledged when it can, without a restart.
func TestAppendOnlyFullDisk(t *testing.T) {
	t.Parallel()
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		t.Skip("no prlimit here, which makes a disk full for one process")
	}
	for _, policy := range []string{"always", "everysec"} {
		t.Run(policy, func(t *testing.T) {
			p := start(t, t.TempDir(), "--save", "", "--appendonly", "yes", "--appendfsync", policy)
			limit := func(bytes string) {
				t.Helper()
				pid := strconv.Itoa(p.cmd.Process.Pid)
				if out, err := exec.Command(prlimit, "--pid", pid, "--fsize="+bytes+":").CombinedOutput(); err != nil {
					t.Fatalf("prlimit: %v: %s", err, out)
				}
			}
			c, other := p.dial(), p.dial()
			c.want("OK", "SET", "k", "1")
			limit("200")
			waiting := make(chan string, 1)
			go func() {
				reply, err := c.Do("SET", "k", strings.Repeat("v", 1000))
				waiting <- fmt.Sprint(reply.Text, err)
			}()
			for deadline := time.Now().Add(startTimeout); ; time.Sleep(5 * time.Millisecond) {
				if reply := other.do("PING"); strings.HasPrefix(reply.Text, "MISCONF Errors writing to the AOF file: ") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("nothing is refused")
				}
			}
			other.wantPrefix("MISCONF", "SET", "k", "3")
			if got := len(other.do("GET", "k").Text); got != 1000 {
				t.Errorf("a read has %d bytes", got)
			}
			if other.info("aof_last_write_status") != "err" {
				t.Error("INFO knows nothing of it")
			}
			select {
			case reply := <-waiting:
				t.Fatalf("the write was acknowledged: %s", reply)
			default:
			}
			limit("unlimited")
			if reply := <-waiting; reply != "OK<nil>" {
				t.Errorf("the write that waited: %s", reply)
			}
			other.want("OK", "SET", "k", "4")
			p.kill()
			p = start(t, p.dir, "--save", "", "--appendonly", "yes")
			p.dial().want("4", "GET", "k")
			p.stop()
		})
	}
}

// A server with an append-only file that finds none, but a snapshot, begins with that, and says
// so.
func TestAppendOnlyFromSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir, "--save", "")
	c := p.dial()
	c.want("OK", "SET", "k", "1")
	c.want("OK", "SAVE")
	p.stop()

	p = start(t, dir, "--save", "", "--appendonly", "yes")
	c = p.dial()
	c.want("1", "GET", "k")
	c.want("2", "INCR", "k")
	p.kill()
	if !strings.Contains(p.out.String(), "the data were loaded from the snapshot") {
		t.Errorf("it says nothing of that:\n%s", p.out)
	}
	if err := os.Remove(p.path("dump.rdb")); err != nil {
		t.Fatal(err)
	}
	p = start(t, dir, "--save", "", "--appendonly", "yes")
	c = p.dial()
	c.want("2", "GET", "k")
	c.want("3", "INCR", "k")
	p.stop()
	p = start(t, dir, "--save", "", "--appendonly", "yes", "--aof-load-truncated", "no")
	p.dial().want("3", "GET", "k")
	p.stop()
}
