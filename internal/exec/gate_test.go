package exec_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/resp"
)

// A disk is a barrier that the test opens.
type disk struct {
	open    atomic.Int64
	flushes int
	strict  bool
	during  func() // happens between Flush and Open
}

func (d *disk) Flush() int64 {
	d.flushes++
	open := d.open.Load()
	if d.during != nil {
		d.during()
	}
	return open
}
func (d *disk) Open() int64  { return d.open.Load() }
func (d *disk) Strict() bool { return d.strict }

func newDisk(t *testing.T) (*cmdtest.DB, *disk) {
	db := cmdtest.New(t, cmdtest.Strings(), txcmd.Family.Specs)
	c := db.Shared.Journal.NewFileCursor()
	t.Cleanup(c.Close)
	d := &disk{}
	var b exec.Barrier = d
	db.Shared.SetBarrier(b)
	return db, d
}

// A reply to a write leaves when the barrier has passed it, and no sooner; replies behind it
// keep their order, and others do not wait.
func TestGateHoldsWrites(t *testing.T) {
	db, d := newDisk(t)
	other := db.NewClient()
	if got := db.Call("SET", "k", "v"); got != "" {
		t.Fatalf("%q left before the write was safe", got)
	}
	first := db.Shared.Journal.Tail()
	if got := db.Call("GET", "k"); got != "" {
		t.Errorf("%q overtook the reply before", got)
	}
	if got := other.Call("GET", "k"); got != "$1\r\nv\r\n" {
		t.Errorf("a reader got %q", got)
	}
	if got := other.Call("SET", "k", "w"); got != "" {
		t.Fatalf("%q left before the write was safe", got)
	}
	d.open.Store(first)
	if got := other.Tick(); got != nil {
		t.Errorf("%q left with the barrier before it", got)
	}
	if got := string(db.Tick()); got != "+OK\r\n$1\r\nv\r\n" {
		t.Errorf("%q when it was safe", got)
	}
	d.open.Store(db.Shared.Journal.Tail())
	if got := string(other.Tick()); got != "+OK\r\n" {
		t.Errorf("%q when it was safe", got)
	}
	if got := db.Call("SET", "k", "x"); got != "" {
		t.Errorf("%q left before the write was safe", got)
	}
	db.Shared.SetBarrier(nil)
	if got := string(db.Tick()); got != "+OK\r\n" {
		t.Errorf("%q when there was no barrier any more", got)
	}
}

// With a strict barrier nobody sees what may yet be lost.
func TestGateStrict(t *testing.T) {
	db, d := newDisk(t)
	d.strict = true
	other := db.NewClient()
	db.Call("SET", "k", "v")
	if got := other.Call("GET", "k"); got != "" {
		t.Errorf("%q was read before it was safe", got)
	}
	d.open.Store(db.Shared.Journal.Tail())
	if got := string(other.Tick()); got != "$1\r\nv\r\n" {
		t.Errorf("%q when it was safe", got)
	}
}

// What becomes safe while a loop is about to hold a session is not forgotten.
func TestGateOpensMeanwhile(t *testing.T) {
	db, d := newDisk(t)
	d.during = func() { d.open.Store(db.Shared.Journal.Tail()) }
	if got := db.Call("SET", "k", "v"); got != "+OK\r\n" {
		t.Errorf("%q", got)
	}
}

// A session that closes while it is held is forgotten.
func TestGateClosed(t *testing.T) {
	db, d := newDisk(t)
	c := db.NewClient()
	c.Call("SET", "k", "v")
	c.Close()
	d.open.Store(db.Shared.Journal.Tail())
	if got := db.Call("GET", "k"); got != "$1\r\nv\r\n" {
		t.Errorf("%q", got)
	}
}

// What is replayed is not journalled, expires nothing, and is told to who sent it, a
// transaction at once.
func TestReplay(t *testing.T) {
	db := cmdtest.New(t, cmdtest.Strings(), txcmd.Family.Specs)
	c := db.Shared.Journal.NewFileCursor()
	defer c.Close()
	up := &upstream{}
	r := db.Shared.NewReplayer()
	defer r.Close()
	r.Session.Upstream = up
	var all []byte
	calls := []string{"SET k v PXAT 1000", "APPEND k w", "INCR k", "MULTI", "SET a 1", "INCR a", "EXEC"}
	for _, call := range calls {
		all = resp.AppendCommand(all, strings.Fields(call)...)
	}
	for i := range all { // byte by byte
		if err := r.Run(all[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if r.Midway() {
		t.Error("something is left")
	}
	if got := db.Shared.Journal.Tail(); got != 0 {
		t.Errorf("%d bytes were journalled", got)
	}
	if string(up.all) != string(all) || up.calls != 4 { // what fails is told as well
		t.Errorf("%d calls with %q", up.calls, up.all)
	}
	db.Do("GET", "a").Want("2")
	if n := db.Keyspace.Info()[0].Keys; n != 2 {
		t.Errorf("%d keys, want the one whose time has come too", n)
	}
	db.Do("GET", "k").WantNil()
}

// What there is no command for ends the replaying; so does what is no command.
func TestReplayUnknown(t *testing.T) {
	db := cmdtest.New(t, cmdtest.Strings())
	for _, tt := range []struct{ data, want string }{
		{"*1\r\n$4\r\nNOPE\r\n", "Unknown command 'NOPE'"},
		{"*1\r\n!", "Bad file format"},
	} {
		r := db.Shared.NewReplayer()
		r.Run([]byte(tt.data))
		if err := r.Run(resp.AppendCommand(nil, "SET", "k", "v")); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v", tt.data, err)
		}
		if err := r.Wait(); err == nil {
			t.Errorf("%q: forgotten", tt.data)
		}
		r.Close()
	}
	db.Do("GET", "k").WantNil()
}

// An upstream keeps what it is told.
type upstream struct {
	all    []byte
	calls  int
	broken error
}

func (u *upstream) Broken(err error) { u.broken = err }

func (u *upstream) Applied(raw []byte, _ int) {
	u.all = append(u.all, raw...)
	u.calls++
}
