package aof

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/vfs"
)

// An ack is a reply that left: so many commands were executed, and so many calls made.
type ack struct{ commands, calls int }

// acked writes commands and notes their replies.
func (h *house) acked(r *vfs.Record, acks []ack, n int) []ack {
	h.t.Helper()
	for range n {
		h.write(fmt.Sprint("SET k ", len(h.commands), " ", strings.Repeat("v", 1+40*len(h.commands)%700)))
		acks = append(acks, ack{len(h.commands), r.Len()})
	}
	return acks
}

// rewrites has the file rewritten, with writes meanwhile.
func (h *house) rewrites(r *vfs.Record, acks *[]ack, fail error) {
	h.t.Helper()
	h.fail = fail
	h.pause = func() { *acks = h.acked(r, *acks, 2) }
	if _, err := h.Rewrite(false); err != nil {
		h.t.Fatal(err)
	}
	h.idle()
	h.fail, h.pause = nil, nil
}

// imagesAt is how many images of each moment are loaded.
const imagesAt = 6

// checkImages loads what a power failure may have left at each moment.
func checkImages(t *testing.T, r *vfs.Record, commands []string, acks []ack) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range r.Len() + 1 {
		most := 0
		for _, a := range acks {
			if a.calls <= n {
				most = a.commands
			}
		}
		for i := range imagesAt {
			choose := rng.IntN
			switch i {
			case 0:
				choose = func(int) int { return 0 }
			case 1:
				choose = func(below int) int { return below - 1 }
			}
			image := r.Crash(n, choose)
			got := reloaded(t, image)
			if len(got) < most || !slices.Equal(got, commands[:len(got)]) {
				t.Fatalf("behind call %d, image %d: %d commands, %d were acknowledged\n%v",
					n, i, len(got), most, image)
			}
		}
	}
}

// Whenever the power fails the next start finds everything that was acknowledged with always,
// and nothing that did not happen: over rewrites that succeed and fail.
func TestKeeperPowerFailures(t *testing.T) {
	mem := vfs.NewMem("/data")
	r := mem.Record()
	h := newHouse(t, mem, preambleNo, "no", "appendfsync", "always")
	h.must(h.start())
	acks := h.acked(r, nil, 3)
	h.rewrites(r, &acks, nil)
	acks = h.acked(r, acks, 2)
	h.rewrites(r, &acks, errors.New("no luck"))
	acks = h.acked(r, acks, 2)
	h.rewrites(r, &acks, nil)
	acks = h.acked(r, acks, 1)
	h.must(h.Close())
	checkImages(t, r, h.commands, acks)
}

// The same when the file is switched on, off and on again. What is executed while there is no
// file, or none that is complete, nobody has promised.
func TestKeeperPowerFailuresSwitching(t *testing.T) {
	mem := vfs.NewMem("/data")
	r := mem.Record()
	h := newHouse(t, mem, preambleNo, "no", "appendfsync", "always")
	h.do("SET before 1")
	h.pause = func() { h.do("SET during 2"); h.Flush() }
	h.must(h.configure("appendonly", "yes"))
	h.idle()
	h.pause = nil
	h.until("a sync", h.isOpen)
	acks := []ack{{len(h.commands), r.Len()}}
	acks = h.acked(r, acks, 2)
	h.must(h.configure("appendonly", "no"))
	h.do("SET off 3")
	h.must(h.configure("appendonly", "yes"))
	h.idle()
	h.until("a sync", h.isOpen)
	acks = append(acks, ack{len(h.commands), r.Len()})
	acks = h.acked(r, acks, 2)
	h.must(h.Close())
	checkImages(t, r, h.commands, acks)
}

// isOpen says whether all replies may leave.
func (h *house) isOpen() bool { return h.Open() >= h.journal.Tail() }

// Whichever call fails, once, nothing acknowledged is lost, and when the cause is gone the
// service is back by itself.
func TestKeeperFailingCalls(t *testing.T) {
	calls := len(failing(t, 0))
	if calls < 40 {
		t.Fatalf("only %d calls", calls)
	}
	for at := 1; at <= calls; at++ {
		failing(t, at)
	}
}

func failing(t *testing.T, at int) []string {
	t.Helper()
	mem := vfs.NewMem("/data")
	f := &vfs.Faults{FS: mem, Err: errors.New("input/output error"), At: at}
	h := newHouse(t, f, preambleNo, "no", "appendfsync", "always")
	for range 3 {
		if err := h.start(); err == nil {
			break
		}
	}
	if h.Mode() != On {
		t.Fatalf("call %d: it did not start: %s", at, f.Calls()[at-1])
	}
	write := func() {
		t.Helper()
		mark := h.do(fmt.Sprint("SET k ", len(h.commands)))
		h.Flush()
		h.until(fmt.Sprintf("a reply, when call %d failed (%v)", at, f.Calls()), func() bool {
			h.Cron()
			return h.Open() >= mark
		})
		if got := reloaded(t, mem.PowerFailure()); !slices.Equal(got, h.commands) {
			t.Fatalf("call %d (%s): %q on the disk, want %q", at, f.Calls()[at-1], got, h.commands)
		}
	}
	write()
	write()
	for range 2 {
		if _, err := h.Rewrite(false); err != nil && !errors.Is(err, ErrRewriting) {
			t.Fatalf("call %d: %v", at, err)
		}
		write()
		h.idle()
		write()
	}
	h.until("health", func() bool { h.Cron(); return h.Failing() == nil && !h.IsRewriting() })
	_ = h.Close()
	if got := reloaded(t, mem.PowerFailure()); !slices.Equal(got, h.commands) {
		t.Fatalf("call %d: %q in the end, want %q", at, got, h.commands)
	}
	return f.Calls()
}

// A rewrite that could not open its incremental file has left it, empty and named by the
// manifest. What is written behind the next cut is found all the same, also before the file
// that came in between is history.
func TestKeeperLeftFile(t *testing.T) {
	mem := vfs.NewMem("/data")
	f := &vfs.Faults{FS: mem, Err: errors.New("too many open files")}
	h := newHouse(t, f, preambleNo, "no", "appendfsync", "always")
	defer h.Close()
	h.must(h.start())
	h.write("SET a 1")
	f.FailNext("append")
	if _, err := h.Rewrite(false); err != nil {
		t.Fatal(err)
	}
	h.idle()
	h.log.has(t, "Background AOF rewrite terminated with error: Too many open files")
	var meanwhile [][]string
	h.pause = func() {
		h.write("SET b 2")
		meanwhile = append(meanwhile, reloaded(t, mem.PowerFailure()))
	}
	if _, err := h.Rewrite(false); err != nil {
		t.Fatal(err)
	}
	h.idle()
	meanwhile = append(meanwhile, reloaded(t, mem.PowerFailure()))
	for i, got := range meanwhile {
		if !slices.Equal(got, h.commands) {
			t.Errorf("%d: %q on the disk, want %q", i, got, h.commands)
		}
	}
	if len(meanwhile) != 2 {
		t.Errorf("%d images, want 2", len(meanwhile))
	}
}

// A write that fails behind a sync that has: the file gets nothing more, since what it has of
// that write cannot be made sure of, and a power failure would leave a mixture with the next
// one. A rewrite heals it, also the second one after its cut.
func TestKeeperFailedWriteAfterSync(t *testing.T) {
	mem := vfs.NewMem("/data")
	r := mem.Record()
	f := &vfs.Faults{FS: mem, Err: errors.New("input/output error")}
	h := newHouse(t, f, preambleNo, "no", "appendfsync", "always")
	h.must(h.start())
	acks := h.acked(r, nil, 2)
	waits := func() (mark int64) {
		mark = h.do(fmt.Sprint("SET k ", len(h.commands), " ", strings.Repeat("v", 700)))
		h.Flush()
		return mark
	}
	f.FailNext("sync")
	waits()
	h.until("an error", func() bool { return h.Failing() != nil })
	l := h.Keeper.log.Load()
	f.FailNext("write")
	waits()
	h.until("a write that failed", func() bool { return l.Flush() != nil })
	written := l.Written()
	for range 3 {
		waits()
		if err := l.Flush(); err == nil || l.Written() != written {
			t.Fatalf("%v, and %d was written, behind %d", err, l.Written(), written)
		}
	}
	h.fail = errors.New("no luck")
	h.Cron()
	h.idle()
	h.log.has(t, "No luck")
	if h.fail = nil; h.Failing() == nil {
		t.Error("a rewrite that failed has healed it")
	}
	mark := waits()
	h.until("a recovery", func() bool { h.Cron(); return h.Open() >= mark && h.Failing() == nil })
	acks = append(acks, ack{len(h.commands), r.Len()})
	acks = h.acked(r, acks, 1)
	h.must(h.Close())
	checkImages(t, r, h.commands, acks)
}
