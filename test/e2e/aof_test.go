//go:build linux

package e2e

import (
	"os"
	"strings"
	"testing"
	"time"
)

// field is a line of INFO persistence.
func (p *process) field(c conn, name string) string {
	p.t.Helper()
	reply, err := c.Do("INFO", "persistence")
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(reply.Text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	p.t.Fatalf("INFO has no %s:\n%s", name, reply.Text)
	return ""
}

// rewritten waits until no rewrite is in progress or scheduled.
func (p *process) rewritten(c conn) {
	p.t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(5 * time.Millisecond) {
		if p.field(c, "aof_rewrite_in_progress") == "0" && p.field(c, "aof_rewrite_scheduled") == "0" {
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
			if p.field(c, "aof_last_bgrewrite_status") != "ok" || p.field(c, "aof_enabled") != "1" {
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
