package chaos

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/vfs"
)

// A plan says what a run is about.
type plan struct {
	policy  string // appendfsync
	seed    uint64
	writes  int
	faults  *vfs.Faults                    // between the server and its files, or nil
	barrier func(*aof.Keeper) exec.Barrier // a bug, or nil
	files   func(vfs.FS) vfs.FS            // a bug, or nil
	save    string                         // the option
	size    int                            // of the longest value
}

// A run is a server with clients that write, and what is known of each moment.
type run struct {
	*server
	plan
	rng     *rand.Rand
	mem     *vfs.Mem
	record  *vfs.Record
	disk    *disk
	clients []*client
	prints  map[print]int      // how many writes there were, the most if several times
	state   []cmdtest.Contents // behind so many writes
	marks   []written
	acks    []ack
	times   []since
	fresh   int // makes values that were never there
}

// An ack is a reply that left: it tells of so many writes, when so many calls were made.
type ack struct {
	writes, calls int
	at            int64
}

// since says when the clock began to show a time: when so many calls were made.
type since struct {
	calls int
	at    int64
}

// A written is where a write is in the journal, and when that was.
type written struct {
	mark, at int64
}

// A client writes, and waits for its reply mostly.
type client struct {
	*cmdtest.Client
	db     int
	queued bool // MULTI is open
	waits  int  // for the reply to this write; 0 for none
}

const (
	clientsMax = 5
	tick       = 15 * time.Millisecond
	// patience is how long goroutines may take for what is due, on a machine that is busy.
	patience = 20 * time.Second
)

// newRun starts a server on an empty disk.
func newRun(h *house, p plan, options ...string) (*run, error) {
	r := &run{plan: p, rng: rand.New(rand.NewPCG(p.seed, 77)), mem: vfs.NewMem(dataDir),
		prints: map[print]int{}, marks: make([]written, 1)}
	r.record = r.mem.Record()
	var fsys vfs.FS = r.mem
	if p.faults != nil {
		p.faults.FS = fsys
		fsys = p.faults
	}
	if p.files != nil {
		fsys = p.files(fsys)
	}
	r.disk = &disk{FS: fsys}
	options = append([]string{"appendfsync", p.policy, "save", p.save}, options...)
	var err error
	if r.server, err = newServer(h, r.disk, p.barrier, options...); err != nil {
		return nil, err
	}
	if p.seed%2 == 0 {
		r.keeper.LeaveSyncs() // on this clock every sync is quick
	}
	r.note(0)
	r.passes(0)
	if err := r.start(); err != nil {
		_ = r.stop()
		return nil, err
	}
	for i := range clientsMax {
		c := &client{Client: h.NewClient()}
		r.clients = append(r.clients, c)
		if c.db = i / 4; c.db > 0 {
			c.Call("SELECT", fmt.Sprint(c.db))
		}
	}
	return r, nil
}

// end stops the server, and its clients.
func (r *run) end() error {
	for _, c := range r.clients {
		c.Close()
	}
	return r.stop()
}

// note remembers the contents behind a write.
func (r *run) note(writes int) {
	contents := r.Contents()
	r.prints[printOf(contents)] = writes
	r.state = append(r.state, contents)
}

// nearest says how contents that never were differ from those that are most like them.
func (r *run) nearest(got cmdtest.Contents) string {
	best, least := 0, math.MaxInt
	for i, state := range r.state {
		n := 0
		for key, text := range state {
			if got[key] != text {
				n++
			}
		}
		for key := range got {
			if _, ok := state[key]; !ok {
				n++
			}
		}
		if n < least {
			best, least = i, n
		}
	}
	return fmt.Sprintf("most like those behind %d writes of %d, but:%s", best, len(r.state)-1,
		got.Diff(r.state[best]))
}

// passes lets time pass.
func (r *run) passes(d time.Duration) {
	r.Clock.Advance(d)
	r.Keyspace.SetNow(clock.Now(r.Clock))
	r.times = append(r.times, since{r.record.Len(), r.Clock.Mono()})
}

// step makes something happen.
func (r *run) step() {
	switch n := r.rng.IntN(100); {
	case n < 3:
		_, _ = r.keeper.Rewrite(false) // or there is one
	case n < 5:
		_ = r.saver.SaveInBackground()
	case n < 20:
		r.passes(time.Duration(1+r.rng.IntN(int(tick/time.Millisecond))) * time.Millisecond)
		r.keeper.Cron()
		r.saver.Cron()
		r.punctual()
	default:
		c := r.clients[r.rng.IntN(len(r.clients))]
		if c.waits > 0 && r.rng.IntN(4) > 0 {
			r.wait(func() bool {
				r.turn(c, nil)
				return c.waits == 0 || r.keeper.Failing() != nil
			})
			return
		}
		r.turn(c, r.words(c))
	}
}

// turn has a client send something, and notes what was written and which replies left. No
// file is synced meanwhile but by the turn itself.
func (r *run) turn(c *client, b []byte) (reply []byte) {
	r.disk.turn.Lock()
	defer r.disk.turn.Unlock()
	r.disk.turner.Store(goroutine())
	defer r.disk.turner.Store("")
	before := c.Session.Wrote
	reply = c.Turn(b)
	// The journal's end moves by itself too: what a cut puts there is no write.
	if wrote := c.Session.Wrote; wrote != before {
		r.marks = append(r.marks, written{wrote.Mark, r.Clock.Mono()})
		c.waits = len(r.state)
		r.note(len(r.state))
	}
	for _, c := range r.clients {
		if c.waits > 0 && !c.Session.Held {
			r.acks = append(r.acks, ack{c.waits, r.record.Len(), r.Clock.Mono()})
			c.waits = 0
		}
	}
	return reply
}

// punctual waits, with everysec, until the syncer has done what is due: the clock of a run
// does not go on by itself.
func (r *run) punctual() {
	if r.policy != "everysec" {
		return
	}
	due := int64(-1)
	for i := len(r.marks) - 1; i > 0; i-- {
		if r.Clock.Mono()-r.marks[i].at >= int64(time.Second) {
			due = r.marks[i].mark
			break
		}
	}
	r.wait(func() bool {
		synced, _ := r.keeper.Synced()
		return synced >= due || r.keeper.Failing() != nil
	})
}

// wait gives goroutines the time that they need, and says whether that was enough.
func (r *run) wait(is func() bool) bool { return r.waitFor(patience, is) }

func (r *run) waitFor(most time.Duration, is func() bool) bool {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		if is() {
			return true
		}
	}
	return is()
}

// calm waits for the end of rewrites and snapshots.
func (r *run) calm() bool {
	return r.wait(func() bool { return !r.keeper.IsRewriting() && !r.saver.Busy() })
}

// value is one that was never there.
func (r *run) value() string {
	r.fresh++
	n := 1 + r.rng.IntN(12)
	if r.rng.IntN(4) == 0 {
		n = r.rng.IntN(r.size)
	}
	return fmt.Sprintf("%d-%s", r.fresh, strings.Repeat("v", n))
}

// words are what a client sends: a command, a transaction, or a part of one.
func (r *run) words(c *client) (b []byte) {
	if c.queued {
		c.queued = false
		return resp.AppendCommand(r.command(nil), "EXEC")
	}
	if r.rng.IntN(4) > 0 {
		return r.command(nil)
	}
	b = resp.AppendCommand(nil, "MULTI")
	for range 1 + r.rng.IntN(5) {
		b = r.command(b)
	}
	if c.queued = r.rng.IntN(4) == 0; c.queued {
		return b // others come in between
	}
	return resp.AppendCommand(b, "EXEC")
}

// command adds one that changes something, mostly.
func (r *run) command(b []byte) []byte {
	k := fmt.Sprint(r.rng.IntN(4))
	v := r.value()
	all := [][]string{
		{"SET", "s" + k, v}, {"SET", "s" + k, v, "PX", "900000000"}, {"APPEND", "s" + k, v},
		{"INCR", "n" + k}, {"INCRBY", "n" + k, fmt.Sprint(r.rng.IntN(99))}, {"INCRBYFLOAT", "f" + k, "0.25"},
		{"RPUSH", "l" + k, v, v}, {"LPUSH", "l" + k, v}, {"LPOP", "l" + k}, {"RPOPLPUSH", "l" + k, "l9"},
		{"HSET", "h" + k, "f" + v, v, "g", v}, {"HINCRBY", "h" + k, "n", "3"}, {"HDEL", "h" + k, "g"},
		{"SADD", "t" + k, v, "a", "b"}, {"SPOP", "t" + k}, {"ZADD", "z" + k, fmt.Sprint(r.fresh), v},
		{"ZPOPMIN", "z" + k}, {"XADD", "x" + k, "*", "f", v}, {"XTRIM", "x" + k, "MAXLEN", "3"},
		{"DEL", "s" + k, "h" + k}, {"EXPIRE", "l" + k, "900000"}, {"SETBIT", "b" + k, fmt.Sprint(r.fresh), "1"},
	}
	return resp.AppendCommand(b, all[r.rng.IntN(len(all))]...)
}

// works runs until so many writes were done.
func (r *run) works() {
	for i := 0; len(r.state) <= r.writes && i < 50*r.writes; i++ {
		r.step()
	}
	r.settle()
}

// settle waits for what is under way, and lets the replies leave.
func (r *run) settle() {
	r.calm()
	r.wait(func() bool {
		r.turn(r.clients[0], nil)
		return r.keeper.Failing() != nil || r.keeper.Open() >= r.Shared.Journal.Tail()
	})
	r.turn(r.clients[0], nil)
}

// A disk holds syncs of others back while a turn is under way, so that a reply which leaves
// before its sync does so before it on the record too.
type disk struct {
	vfs.FS
	turn   sync.Mutex
	turner atomic.Value // the goroutine that has it
}

// goroutine is which one this is: its name in the first line of its stack.
func goroutine() string {
	var line [32]byte
	name, _, _ := strings.Cut(string(line[:runtime.Stack(line[:], false)]), " [")
	return name
}

type diskFile struct {
	vfs.File
	disk *disk
}

func (d *disk) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d}, nil
}

// Create implements [vfs.FS].
func (d *disk) Create(name string) (vfs.File, error) { return d.file(d.FS.Create(name)) }

// Append implements [vfs.FS].
func (d *disk) Append(name string) (vfs.File, error) { return d.file(d.FS.Append(name)) }

// Sync implements [vfs.File].
func (f *diskFile) Sync() error {
	if f.disk.turner.Load() != goroutine() {
		f.disk.turn.Lock()
		defer f.disk.turn.Unlock()
	}
	return f.File.Sync()
}
