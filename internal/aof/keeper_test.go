package aof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/vfs"
)

// A house is a server for a Keeper: its data set is the commands that were executed, which is
// also what its snapshots are.
type house struct {
	*Keeper
	t       testing.TB
	fs      vfs.FS
	set     *config.Set
	journal *journal.Journal
	log     *logText

	mu       sync.Mutex // exclusive mode
	commands []string
	at       []int64 // mark behind each command

	guarded  atomic.Bool
	released atomic.Int64
	busy     atomic.Bool
	pause    func() // in the middle of a snapshot
	fail     error  // of a snapshot
	given    chan struct{}
}

// newHouse makes a server on a file system, with options set.
func newHouse(t testing.TB, fsys vfs.FS, options ...string) *house {
	return newHouseAt(t, clock.System{}, fsys, options...)
}

// newHouseAt is newHouse with a clock.
func newHouseAt(t testing.TB, clk clock.Clock, fsys vfs.FS, options ...string) *house {
	h := &house{t: t, fs: fsys, journal: &journal.Journal{}, log: &logText{}, given: make(chan struct{}, 8)}
	h.set = config.NewSchema(Options).NewSet()
	h.must(h.configure(options...))
	h.Keeper = NewKeeper(KeeperConfig{
		FS: fsys, Clock: clk, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Latency: observe.NewLatencyMonitor(clk), Options: h.set, Journal: h.journal, PID: 7,
		DataDir: func() string { return "/data" }, Snapshot: h.snapshot, IsBusy: h.busy.Load,
		CancelSnapshot: func() { h.given <- struct{}{} },
		Guard:          h.guarded.Store,
		Release:        func() { h.released.Add(1) },
	})
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) configure(options ...string) error {
	var args [][]byte
	for _, o := range options {
		args = append(args, []byte(o))
	}
	return h.set.ConfigSet(args, true)
}

// start loads what is there and begins.
func (h *house) start() error {
	dir, err := h.Claim()
	if err != nil {
		return err
	}
	r := &listener{}
	loaded, err := Load(LoadConfig{Dir: dir, DataDir: "/data", Log: slog.New(slog.DiscardHandler),
		Clock: clock.System{}, NewReplayer: func() Replayer { return r }, Truncated: true})
	if err != nil {
		return err
	}
	h.commands = r.commands
	return h.Begin(loaded)
}

// A listener is a Replayer that writes down what it is to execute.
type listener struct{ commands []string }

func (l *listener) Run(data []byte) error {
	s := NewScanner(bytes.NewReader(data), 0, 0, int64(len(data)))
	for {
		if err := s.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if name := string(s.Args[0]); name != "SELECT" && name != "MULTI" && name != "EXEC" {
			l.commands = append(l.commands, string(bytes.Join(s.Args, []byte(" "))))
		}
	}
}

func (l *listener) Wait() error { return nil }
func (l *listener) Close()      {}

// do executes a command as a loop does: the mark behind it is what its reply waits for.
func (h *house) do(words string) (mark int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commands = append(h.commands, words)
	e := journal.Effect{}
	for _, w := range strings.Fields(words) {
		e.Args = append(e.Args, []byte(w))
	}
	h.journal.Append([]journal.Effect{e})
	h.at = append(h.at, h.journal.Tail())
	return h.journal.Tail()
}

// write executes a command and waits for its reply.
func (h *house) write(words string) {
	h.t.Helper()
	mark := h.do(words)
	h.Flush()
	h.until("a reply to "+words, func() bool { return h.Open() >= mark })
}

func (h *house) until(what string, is func() bool) {
	h.t.Helper()
	for range 5000 {
		if is() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	h.t.Fatalf("there was never %s\n%s", what, h.log)
}

func (h *house) idle() {
	h.t.Helper()
	h.until("an end of the rewrite", func() bool { return !h.IsRewriting() })
}

func (h *house) snapshot(w io.Writer, commands bool, cut func()) error {
	if !commands {
		return errors.New("only commands can be written here")
	}
	h.mu.Lock()
	all := slices.Clone(h.commands)
	cut()
	h.mu.Unlock()
	if h.pause != nil {
		h.pause()
	}
	select {
	case <-h.given:
		return ErrFlushed
	default:
	}
	if h.fail != nil {
		return h.fail
	}
	for _, c := range all {
		if _, err := w.Write(command(strings.Fields(c)...)); err != nil {
			return err
		}
	}
	return nil
}

// reloaded is what another server finds on a file system.
func reloaded(t testing.TB, fsys vfs.FS) []string {
	t.Helper()
	h := newHouse(t, fsys, "aof-use-rdb-preamble", "no")
	defer h.Close()
	if err := h.start(); err != nil {
		t.Fatalf("start: %v\n%v", err, fsys)
	}
	return h.commands
}

func wantReloaded(t testing.TB, what string, fsys vfs.FS, want ...string) {
	t.Helper()
	if got := reloaded(t, fsys); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (h *house) manifestText() string {
	m, err := h.Dir().ReadManifest()
	h.must(err)
	if m == nil {
		return ""
	}
	return string(m.AppendText(nil))
}

// A logText is what was logged.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// has waits for a line: what it tells of can be seen a moment before it is logged.
func (l *logText) has(t testing.TB, text string) {
	t.Helper()
	for end := time.Now().Add(busyMachine); !strings.Contains(l.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not logged: %s\n%s", text, l)
			return
		}
	}
}

const preambleNo = "aof-use-rdb-preamble"

// What was acknowledged is there after a power failure as far as each policy promises it, and
// all of it after the end of the process.
func TestKeeperPolicies(t *testing.T) {
	for _, policy := range []string{"always", "everysec", "no"} {
		t.Run(policy, func(t *testing.T) {
			mem := vfs.NewMem("/data")
			h := newHouse(t, mem, preambleNo, "no", "appendfsync", policy)
			h.must(h.start())
			if !h.guarded.Load() {
				t.Error("replies do not wait")
			}
			for i := range 20 {
				h.write(fmt.Sprint("SET k ", i))
			}
			if policy == "always" {
				wantReloaded(t, "after a power failure", mem.PowerFailure(), h.commands...)
			}
			if h.Strict() != (policy == "always") {
				t.Errorf("Strict() = %v", h.Strict())
			}
			h.must(h.Close())
			wantReloaded(t, "after the end", mem.PowerFailure(), h.commands...)
		})
	}
}

// busyMachine is how late a test's goroutines may be.
const busyMachine = 2 * time.Second

// With everysec a write is on the disk a second later, without another one.
func TestKeeperEverySecond(t *testing.T) {
	mem := vfs.NewMem("/data")
	h := newHouse(t, mem, preambleNo, "no")
	h.must(h.start())
	defer h.Close()
	begin := time.Now()
	h.write("SET a 1")
	synced, _ := h.Synced()
	h.until("a sync", func() bool { mark, _ := h.Synced(); return mark > synced })
	if took := time.Since(begin); took > 1100*time.Millisecond+busyMachine {
		t.Errorf("it took %v", took)
	}
	wantReloaded(t, "on the disk", mem.PowerFailure(), "SET a 1")
}

// A folder that cannot be used is given back, and so is one whose file is switched off.
func TestKeeperLock(t *testing.T) {
	mem := vfs.NewMem("/data")
	h := newHouse(t, mem, preambleNo, "no")
	defer h.Close()
	var held atomic.Int64
	h.Keeper.Lock = func(string) (io.Closer, error) {
		held.Add(1)
		return closer(func() { held.Add(-1) }), nil
	}
	h.must(mem.Mkdir("/data/appendonlydir"))
	manifest := "/data/appendonlydir/appendonly.aof.manifest"
	f, err := mem.Create(manifest)
	h.must(err)
	_, err = f.Write([]byte("what\n"))
	h.must(errors.Join(err, f.Close()))
	if err := h.configure("appendonly", "yes"); err == nil || held.Load() != 0 {
		t.Errorf("a damaged manifest: %v, %d locks", err, held.Load())
	}
	if _, err := h.Rewrite(false); err == nil || held.Load() != 0 {
		t.Errorf("a rewrite: %v, %d locks", err, held.Load())
	}
	h.must(mem.Remove(manifest))
	h.must(h.configure("appendonly", "yes"))
	h.idle()
	if held.Load() != 1 {
		t.Errorf("%d locks", held.Load())
	}
	h.must(h.configure("appendonly", "no"))
	if held.Load() != 0 {
		t.Errorf("switched off: %d locks", held.Load())
	}
}

type closer func()

func (c closer) Close() error {
	c()
	return nil
}

// A folder is not taken for another one: a rewrite that was given up may still end in it.
func TestKeeperOtherFolder(t *testing.T) {
	mem := vfs.NewMem("/data", "/other")
	h := newHouse(t, mem, preambleNo, "no", "appendonly", "yes")
	defer h.Close()
	h.Keeper.Lock = func(string) (io.Closer, error) { return closer(func() {}), nil }
	h.must(h.start())
	begun, goOn := make(chan struct{}), make(chan struct{})
	h.pause = func() { close(begun); <-goOn }
	if _, err := h.Rewrite(false); err != nil {
		t.Fatal(err)
	}
	<-begun
	h.must(h.configure("appendonly", "no"))
	folder := "/other"
	h.Keeper.DataDir = func() string { return folder }
	if err := h.configure("appendonly", "yes"); err == nil {
		t.Error("it is switched on while the old folder is in use")
	}
	close(goOn)
	h.idle()
	h.pause = nil
	h.must(h.configure("appendonly", "yes"))
	h.idle()
	if got := h.Dir().Path; got != "/other/appendonlydir" {
		t.Errorf("the files are in %s", got)
	}
}

// A rewrite is one base with everything before the cut, and one file with what came then.
func TestKeeperRewrite(t *testing.T) {
	mem := vfs.NewMem("/data")
	h := newHouse(t, mem, preambleNo, "no", "appendfsync", "always")
	h.must(h.start())
	h.write("SET a 1")
	h.pause = func() { h.write("SET b 2") }
	if scheduled, err := h.Rewrite(false); scheduled || err != nil {
		t.Fatalf("Rewrite() = %v, %v", scheduled, err)
	}
	h.idle()
	h.write("SET c 3")
	const want = "file appendonly.aof.2.base.aof seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n"
	if got := h.manifestText(); got != want {
		t.Errorf("the manifest is\n%s", got)
	}
	st := h.Status()
	if st.Rewrites != 1 || !st.LastOK || st.Size <= st.BaseSize || st.NowSeconds != -1 {
		t.Errorf("the status is %+v", st)
	}
	wantReloaded(t, "on the disk", mem.PowerFailure(), "SET a 1", "SET b 2", "SET c 3")
	h.must(h.Close())
	if names := mem.Names(); len(names) != 3 {
		t.Errorf("files left: %q", names)
	}
}

// Switched on, a file counts from the success of its first rewrite on; switched off, it has
// everything that was acknowledged.
func TestKeeperSwitch(t *testing.T) {
	mem := vfs.NewMem("/data")
	h := newHouse(t, mem, preambleNo, "no")
	defer h.Close()
	h.do("SET a 1")
	if h.Flush() != math.MaxInt64 {
		t.Error("a reply waits though there is no file")
	}
	h.pause = func() {
		h.do("SET b 2")
		if h.Flush() != math.MaxInt64 || h.Mode() != Waiting {
			t.Error("a reply waits for a file that is not complete")
		}
		h.fail = errors.New("no luck")
		h.pause = nil
	}
	h.must(h.configure("appendonly", "yes"))
	if !h.IsRewriting() {
		t.Error("no rewrite has begun")
	}
	h.until("a failure", func() bool { return h.Status().Failures == 1 })
	h.idle()
	h.log.has(t, "Removing the temp incr aof file")
	if h.manifestText() != "" || !h.Status().Scheduled {
		t.Errorf("the manifest is %q after a failure, and the status %+v", h.manifestText(), h.Status())
	}
	h.fail = nil
	h.Cron()
	h.idle()
	if h.Mode() != On || !h.guarded.Load() {
		t.Fatalf("mode %v after a success", h.Mode())
	}
	h.write("SET c 3")
	h.must(h.configure("appendonly", "no"))
	if h.guarded.Load() || h.Flush() != math.MaxInt64 {
		t.Error("replies wait for a file that is switched off")
	}
	want := slices.Clone(h.commands)
	wantReloaded(t, "on the disk", mem.PowerFailure(), want...)
	h.do("SET d 4")
	h.must(h.configure("appendonly", "yes"))
	h.idle()
	wantReloaded(t, "switched on again", mem.PowerFailure(), h.commands...)
}

// A write that fails keeps replies back and writes away, and is tried again.
func TestKeeperFailedWrite(t *testing.T) {
	for _, policy := range []string{"always", "everysec", "no"} {
		t.Run(policy, func(t *testing.T) {
			mem := vfs.NewMem("/data")
			f := &vfs.Faults{FS: mem, Err: errors.New("no space left on device")}
			h := newHouse(t, f, preambleNo, "no", "appendfsync", policy)
			defer h.Close()
			h.must(h.start())
			h.write("SET a 1")
			f.Break(true)
			mark := h.do("SET b 2")
			h.Flush()
			h.until("an error", func() bool { return h.Failing() != nil })
			if h.Open() >= mark || h.Strict() || h.Status().WriteOK {
				t.Errorf("open %d, mark %d, strict %v, %+v", h.Open(), mark, h.Strict(), h.Status())
			}
			const text = "Errors writing to the AOF file: No space left on device"
			if got := h.Failing(); got.Code != "MISCONF" || got.Text != text {
				t.Errorf("the reply is %v", got)
			}
			h.log.has(t, "Error writing to the AOF file: No space left on device")
			f.Break(false)
			h.until("a recovery", func() bool { return h.Open() >= mark })
			if h.Failing() != nil {
				t.Errorf("still %v", h.Failing())
			}
			h.log.has(t, "AOF write error looks solved. The server can write again.")
			wantReloaded(t, "in the file", mem, h.commands...)
		})
	}
}

// After a sync that failed the file is never synced again: a rewrite makes another one.
func TestKeeperFailedSync(t *testing.T) {
	for _, policy := range []string{"always", "everysec"} {
		t.Run(policy, func(t *testing.T) {
			mem := vfs.NewMem("/data")
			f := &vfs.Faults{FS: mem, Err: errors.New("input/output error")}
			h := newHouse(t, f, preambleNo, "no", "appendfsync", policy)
			defer h.Close()
			h.must(h.start())
			h.write("SET a 1")
			h.until("a sync", func() bool { mark, _ := h.Synced(); return mark >= h.journal.Tail() })
			f.FailNext("sync")
			mark := h.do("SET b 2")
			h.Flush()
			h.until("an error", func() bool { return h.Failing() != nil })
			h.log.has(t, "Fail to fsync the AOF file: Input/output error")
			if h.Open() >= mark {
				t.Error("a reply left")
			}
			time.Sleep(5 * time.Millisecond)
			if h.Open() >= mark {
				t.Error("a reply left later")
			}
			h.Cron()
			h.idle()
			h.until("a recovery", func() bool { return h.Open() >= mark && h.Failing() == nil })
			h.write("SET c 3")
			h.must(h.SyncNow())
			wantReloaded(t, "on the disk", mem.PowerFailure(), h.commands...)
		})
	}
}

// With always a loop syncs by itself what it has appended, if the last sync was quick: its
// replies leave in the same turn. If the sync takes long the next ones are the syncer's.
func TestKeeperSyncsOnLoop(t *testing.T) {
	clk := clock.NewManual(1_800_000_000_000)
	mem := vfs.NewMem("/data")
	d := &timedDisk{FS: mem, clock: clk}
	h := newHouseAt(t, clk, d, preambleNo, "no", "appendfsync", "always")
	defer h.Close()
	h.must(h.start())
	h.write("SET a 1") // by the syncer, since nothing is known of the disk
	appends := func(words string) (isOpen bool) {
		mark := h.do(words)
		return h.Flush() >= mark
	}
	if !appends("SET b 2") {
		t.Error("a reply was held back behind a quick sync")
	}
	d.takes.Store(int64(leadMax))
	if !appends("SET c 3") {
		t.Error("a reply was held back, when nobody could know that this sync takes long")
	}
	d.hold.Lock()
	if appends("SET d 4") {
		t.Error("a loop waited for a slow disk")
	}
	d.takes.Store(0)
	d.hold.Unlock()
	h.until("a sync", h.isOpen)
	wantReloaded(t, "on the disk", mem.PowerFailure(), h.commands...)
	if !appends("SET e 5") {
		t.Error("a reply was held back when the disk was quick again")
	}
	h.LeaveSyncs()
	d.hold.Lock()
	if appends("SET f 6") {
		t.Error("a loop has synced, and should not")
	}
	d.hold.Unlock()
	h.until("a sync", h.isOpen)
	wantReloaded(t, "on the disk", mem.PowerFailure(), h.commands...)
}

// A timedDisk is a file system whose syncs take some time on a clock.
type timedDisk struct {
	vfs.FS
	clock *clock.Manual
	takes atomic.Int64
	hold  sync.Mutex // and wait for this
}

type timedFile struct {
	vfs.File
	disk *timedDisk
}

func (d *timedDisk) Append(name string) (vfs.File, error) {
	f, err := d.FS.Append(name)
	return &timedFile{f, d}, err
}

func (f *timedFile) Sync() error {
	f.disk.hold.Lock()
	defer f.disk.hold.Unlock()
	f.disk.clock.Advance(time.Duration(f.disk.takes.Load()))
	return f.File.Sync()
}

// A slowDisk is a file system whose syncs wait.
type slowDisk struct {
	vfs.FS
	hold chan struct{} // closed to let them go on
}

type slowFile struct {
	vfs.File
	disk *slowDisk
}

func (d *slowDisk) Append(name string) (vfs.File, error) {
	f, err := d.FS.Append(name)
	return &slowFile{f, d}, err
}

func (f *slowFile) Sync() error {
	<-f.disk.hold
	return f.File.Sync()
}

// With everysec a sync that takes long keeps nobody back for the first tenth of a second, and
// then everybody, so that what a power failure takes stays what it is. Loops do not write
// meanwhile, since that might wait for the sync.
func TestKeeperSlowDisk(t *testing.T) {
	clk := clock.NewManual(1)
	clk.Advance(time.Hour)
	disk := &slowDisk{FS: vfs.NewMem("/data"), hold: make(chan struct{})}
	close(disk.hold)
	h := newHouseAt(t, clk, disk, preambleNo, "no")
	defer h.Close()
	h.must(h.start())
	disk.hold = make(chan struct{})
	h.write("SET a 1")
	clk.Advance(syncPeriod - 1)
	h.wakeSyncer()
	h.until("a look of the syncer", func() bool { return len(h.toSync) == 0 })
	if h.syncing.Load() {
		t.Error("the sync began early")
	}
	clk.Advance(1)
	h.wakeSyncer()
	h.until("a sync", h.syncing.Load)
	clk.Advance(ageMax - syncPeriod)
	written := h.do("SET b 2")
	h.Flush()
	h.until("a write by the writer", func() bool { return h.Keeper.log.Load().Written() >= written })
	if h.Open() < written || h.Status().DelayedSyncs != 0 {
		t.Errorf("after a tenth of a second: open %d, written %d, %+v", h.Open(), written, h.Status())
	}
	clk.Advance(1)
	mark := h.do("SET c 3")
	h.Flush()
	h.until("a write", func() bool { return h.Keeper.log.Load().Written() >= mark })
	if synced, _ := h.Synced(); h.Open() != synced || synced >= written || h.Status().DelayedSyncs != 1 {
		t.Errorf("open %d, mark %d, %+v", h.Open(), mark, h.Status())
	}
	released := h.released.Load()
	close(disk.hold)
	h.until("a reply", func() bool { return h.Open() >= mark && h.released.Load() > released })
}

// With no-appendfsync-on-rewrite there is no sync while a snapshot is written.
func TestKeeperRelaxed(t *testing.T) {
	h := newHouse(t, vfs.NewMem("/data"), preambleNo, "no", "appendfsync", "always",
		"no-appendfsync-on-rewrite", "yes")
	defer h.Close()
	h.must(h.start())
	h.write("SET a 1")
	before, _ := h.Synced()
	h.busy.Store(true)
	h.Cron()
	h.write("SET b 2")
	if now, _ := h.Synced(); now != before || h.Strict() {
		t.Errorf("synced up to %d, and up to %d before; strict %v", now, before, h.Strict())
	}
	h.busy.Store(false)
	h.Cron()
	h.until("a sync", func() bool { now, _ := h.Synced(); return now >= h.journal.Tail() })
}

// The file is rewritten when it has grown enough; when that fails three times in a row it is
// tried again after a minute.
func TestKeeperAutomaticRewrite(t *testing.T) {
	h := newHouse(t, vfs.NewMem("/data"), preambleNo, "no", "auto-aof-rewrite-min-size", "100")
	defer h.Close()
	h.must(h.start())
	h.Cron()
	if h.IsRewriting() || h.Status().Rewrites > 0 {
		t.Error("an empty file is rewritten")
	}
	h.write("SET a " + strings.Repeat("v", 200))
	h.Cron()
	h.idle()
	if st := h.Status(); st.Rewrites != 1 || st.Size != st.BaseSize {
		t.Errorf("after 200 bytes: %+v", st)
	}
	h.write("SET b 2")
	h.Cron()
	if st := h.Status(); st.Rewrites != 1 {
		t.Errorf("after a few more: %+v", st)
	}
	h.fail = errors.New("no luck")
	h.write("SET c " + strings.Repeat("v", 500))
	for range failuresMax + 2 {
		h.Cron()
		h.idle()
	}
	if st := h.Status(); st.Failures != failuresMax || st.Rewrites != 1+failuresMax {
		t.Errorf("after failures: %+v", st)
	}
	h.log.has(t, "triggered the limit, will retry in 1 minutes")
	if got := strings.Count(h.manifestText(), "type i"); got != 1+failuresMax {
		t.Errorf("%d incremental files:\n%s", got, h.manifestText())
	}
	h.fail = nil
	if _, err := h.Rewrite(false); err != nil { // by hand at once
		t.Error(err)
	}
	h.idle()
	if st := h.Status(); st.Failures != 0 || !st.LastOK {
		t.Errorf("after a success: %+v", st)
	}
}

// A rewrite that is given up begins again, if that is wanted, and leaves nothing.
func TestKeeperGivenUp(t *testing.T) {
	mem := vfs.NewMem("/data")
	h := newHouse(t, mem, preambleNo, "no")
	defer h.Close()
	h.must(h.start())
	h.write("SET a 1")
	began := make(chan struct{})
	h.pause = func() {
		close(began)
		h.given <- <-h.given // until it is given up
	}
	if _, err := h.Rewrite(false); err != nil {
		t.Fatal(err)
	}
	<-began
	if _, err := h.Rewrite(false); !errors.Is(err, ErrRewriting) {
		t.Errorf("another one: %v", err)
	}
	h.Yield()
	if st := h.Status(); st.Rewriting || !st.Scheduled || !st.LastOK || st.Failures != 0 {
		t.Errorf("given up: %+v", st)
	}
	if _, ok := mem.Get(h.tempBase()); ok {
		t.Error("a temporary file is left")
	}
	h.pause = nil
	h.Cron()
	h.idle()
	if st := h.Status(); st.Scheduled || st.Rewrites != 2 || !st.LastOK {
		t.Errorf("begun again: %+v", st)
	}
}

// A replica's data set is replaced as a whole: the file begins anew.
func TestKeeperRebase(t *testing.T) {
	mem := vfs.NewMem("/data")
	h := newHouse(t, mem, preambleNo, "no", "appendfsync", "always")
	h.must(h.start())
	h.write("SET a 1")
	h.Suspend()
	if h.Mode() != Waiting || h.journal.Active() || h.guarded.Load() {
		t.Errorf("suspended: mode %v", h.Mode())
	}
	h.commands = []string{"SET other 1"}
	if !h.journal.StartAt(77) {
		t.Error("the stream cannot begin elsewhere")
	}
	h.Rebase()
	h.idle()
	h.write("SET b 2")
	h.must(h.Close())
	wantReloaded(t, "on the disk", mem.PowerFailure(), h.commands...)
}

// Nothing is allocated on the way of a write.
func TestKeeperAllocations(t *testing.T) {
	for _, policy := range []string{"no", "everysec", "always"} {
		h := newHouse(t, vfs.NewMem("/data"), preambleNo, "no", "appendfsync", policy)
		h.must(h.start())
		h.isQuick.Store(true) // so that with always the sync is made here too
		h.Keeper.log.Load().file.File = nowhere{}
		e := []journal.Effect{{Args: [][]byte{[]byte("SET"), []byte("key"), bytes.Repeat([]byte("v"), 64)}}}
		if n := testing.AllocsPerRun(1000, func() {
			h.journal.Append(e)
			h.Flush()
		}); n > 0 {
			t.Errorf("%s: %v allocations for a write", policy, n)
		}
		_ = h.Close()
	}
}

// nowhere is a file that forgets.
type nowhere struct{ vfs.File }

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Sync() error                 { return nil }
func (nowhere) Close() error                { return nil }
