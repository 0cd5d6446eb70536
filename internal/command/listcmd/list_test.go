package listcmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/invariant"
)

func newDB(t testing.TB) *cmdtest.DB {
	db := cmdtest.New(t, listcmd.Family.Specs, keycmd.Family.Specs, txcmd.Family.Specs,
		cmdtest.Strings())
	db.RecordJournal()
	return db
}

// both runs a test with small lists and with lists of many small nodes.
func both(t *testing.T, test func(t *testing.T, db *cmdtest.DB)) {
	for _, size := range []int64{-2, 2} {
		t.Run(fmt.Sprint("list-max-listpack-size ", size), func(t *testing.T) {
			db := newDB(t)
			db.Keyspace.Limits().ListSize.Store(size)
			test(t, db)
		})
	}
}

func do(db *cmdtest.DB, line string) *cmdtest.Reply { return db.Do(strings.Fields(line)...) }

// steps runs lines "command => reply".
func steps(t *testing.T, db *cmdtest.DB, lines string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		call, want, _ := strings.Cut(strings.TrimSpace(line), " => ")
		do(db, call).Want(want)
	}
}

func TestPushPop(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		steps(t, db, `
			RPUSH l a b c => 3
			LPUSH l 1 2 => 5
			LLEN l => 5
			LRANGE l 0 -1 => [2 1 a b c]
			LRANGE l 1 2 => [1 a]
			LRANGE l -2 9 => [b c]
			LRANGE l 3 1 => []
			LINDEX l -1 => c
			LINDEX l 5 => (nil)
			LINDEX l x => -ERR value is not an integer or out of range
			LPOP l => 2
			RPOP l 2 => [c b]
			RPOP l 0 => []
			LPOP l -1 => -ERR value is out of range, must be positive
			LPOP l 1 2 => -ERR wrong number of arguments for 'lpop' command
			LPOP l 9 => [1 a]
			EXISTS l => 0
			LPOP l => (nil)
			LPOP l 3 => (nil)
			LPUSHX l x => 0
			RPUSHX l x => 0
			RPUSH l x => 1
			LPUSHX l y z => 3
			RPUSHX l w => 4
			LRANGE l 0 -1 => [z y x w]
			SET s v => OK
			LPUSH s x => -WRONGTYPE Operation against a key holding the wrong kind of value
			LLEN s => -WRONGTYPE Operation against a key holding the wrong kind of value
			OBJECT ENCODING l => quicklist
			TYPE l => list
		`)
	})
}

func TestEdit(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		steps(t, db, `
			RPUSH l a b c b a b => 6
			LSET l 1 B => OK
			LSET l -1 longer-than-it-was => OK
			LRANGE l 0 -1 => [a B c b a longer-than-it-was]
			LSET l 6 x => -ERR index out of range
			LSET none 0 x => -ERR no such key
			LINSERT l BEFORE c before => 7
			LINSERT l AFTER longer-than-it-was after => 8
			LINSERT l AFTER nope x => -1
			LINSERT none AFTER a x => 0
			LINSERT l AT a x => -ERR syntax error
			LRANGE l 0 -1 => [a B before c b a longer-than-it-was after]
			LREM l 1 a => 1
			LREM l -5 a => 1
			LREM l 0 a => 0
			LRANGE l 0 -1 => [B before c b longer-than-it-was after]
			LTRIM l 1 -3 => OK
			LRANGE l 0 -1 => [before c b]
			LTRIM l 5 9 => OK
			EXISTS l => 0
			LTRIM l 0 1 => OK
		`)
	})
}

func TestPos(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		steps(t, db, `
			RPUSH l a b c 1 2 3 c c => 8
			LPOS l c => 2
			LPOS l c RANK 2 => 6
			LPOS l c RANK -1 => 7
			LPOS l c RANK -1 COUNT 0 => [7 6 2]
			LPOS l c COUNT 2 => [2 6]
			LPOS l c COUNT 0 MAXLEN 3 => [2]
			LPOS l x => (nil)
			LPOS l x COUNT 1 => []
			LPOS l c RANK 0 => -ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
			LPOS l c COUNT -1 => -ERR COUNT can't be negative
			LPOS l c MAXLEN -1 => -ERR MAXLEN can't be negative
			LPOS none c => (nil)
		`)
	})
}

func TestMove(t *testing.T) {
	both(t, func(t *testing.T, db *cmdtest.DB) {
		steps(t, db, `
			RPUSH a 1 2 3 => 3
			LMOVE a b LEFT RIGHT => 1
			RPOPLPUSH a b => 3
			LRANGE b 0 -1 => [3 1]
			LMOVE b b LEFT RIGHT => 3
			LRANGE b 0 -1 => [1 3]
			LMOVE a b UP LEFT => -ERR syntax error
			LMOVE none b LEFT LEFT => (nil)
			SET s v => OK
			LMOVE a s LEFT LEFT => -WRONGTYPE Operation against a key holding the wrong kind of value
			LLEN a => 1
			LMOVE a b RIGHT LEFT => 2
			EXISTS a => 0
			LMPOP 2 a b LEFT COUNT 2 => [b [2 1]]
			LMPOP 0 a LEFT => -ERR numkeys should be greater than 0
			LMPOP 1 a UP => -ERR syntax error
			LMPOP 1 a LEFT COUNT 0 => -ERR count should be greater than 0
			LMPOP 1 a LEFT => (nil)
		`)
	})
}

// TestBlocked: who waited first is served first, by whoever brings an element.
func TestBlocked(t *testing.T) {
	db := newDB(t)
	first, second := db.NewClient(), db.NewClient()
	first.Do("BLPOP", "a", "b", "0").WantRaw("")
	second.Do("BRPOP", "b", "0").WantRaw("")
	if n := db.Shared.Sessions.Blocked.Load(); n != 2 {
		t.Fatalf("%d clients are blocked", n)
	}
	do(db, "RPUSH b 1 2 3").Want("3")
	wantRaw(t, first.Tick(), "*2\r\n$1\r\nb\r\n$1\r\n1\r\n")
	wantRaw(t, second.Tick(), "*2\r\n$1\r\nb\r\n$1\r\n3\r\n")
	do(db, "LRANGE b 0 -1").Want("[2]")
	db.WantJournal("RPUSH b 1 2 3", "LPOP b", "RPOP b")
	if n := db.Keyspace.WaitingKeys(); n != 0 {
		t.Errorf("%d keys are waited for", n)
	}
	first.Do("LLEN", "b").Want("1") // it goes on
}

func wantRaw(t *testing.T, got []byte, want string) {
	t.Helper()
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBlockedChain: what serves one client is what another waits for.
func TestBlockedChain(t *testing.T) {
	db := newDB(t)
	a, b, c := db.NewClient(), db.NewClient(), db.NewClient()
	a.Do("BLMOVE", "k1", "k2", "LEFT", "RIGHT", "0").WantRaw("")
	b.Do("BRPOPLPUSH", "k2", "k3", "0").WantRaw("")
	c.Do("BLMPOP", "0", "1", "k3", "LEFT").WantRaw("")
	do(db, "RPUSH k1 x").Want("1")
	wantRaw(t, a.Tick(), "$1\r\nx\r\n")
	wantRaw(t, b.Tick(), "$1\r\nx\r\n")
	wantRaw(t, c.Tick(), "*2\r\n$2\r\nk3\r\n*1\r\n$1\r\nx\r\n")
	db.WantJournal("RPUSH k1 x", "LMOVE k1 k2 LEFT RIGHT", "RPOPLPUSH k2 k3", "LPOP k3 1")
	do(db, "EXISTS k1 k2 k3").Want("0")
}

// TestBlockedByOtherCommands: a key may come to be in many ways.
func TestBlockedByOtherCommands(t *testing.T) {
	for _, how := range []string{"RENAME src k", "COPY src k", "LMOVE src k LEFT LEFT"} {
		db := newDB(t)
		c := db.NewClient()
		do(db, "RPUSH src v")
		c.Do("BLPOP", "k", "0").WantRaw("")
		do(db, how)
		wantRaw(t, c.Tick(), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n")
	}
	db := newDB(t)
	c := db.NewClient()
	c.Do("BLPOP", "k", "0").WantRaw("")
	do(db, "SET k v") // of another type: it waits on
	wantRaw(t, c.Tick(), "")
	do(db, "DEL k")
	steps(t, db, `
		MULTI => OK
		RPUSH k a => QUEUED
		DEL k => QUEUED
		EXEC => [1 1]
	`)
	wantRaw(t, c.Tick(), "")
	steps(t, db, `
		MULTI => OK
		RPUSH k a => QUEUED
		LPUSH k b => QUEUED
		EXEC => [1 2]
	`)
	wantRaw(t, c.Tick(), "*2\r\n$1\r\nk\r\n$1\r\nb\r\n")
	c.Close()
}

// TestBlockedTimeout: a wait ends to the millisecond, in transactions at once.
func TestBlockedTimeout(t *testing.T) {
	db := newDB(t)
	c := db.NewClient()
	c.Do("BLPOP", "k", "0.1").WantRaw("")
	db.Clock.Advance(99 * time.Millisecond)
	wantRaw(t, c.Tick(), "")
	db.Clock.Advance(time.Millisecond)
	wantRaw(t, c.Tick(), "*-1\r\n")
	c.Do("BLMOVE", "k", "l", "LEFT", "LEFT", "0.5").WantRaw("")
	db.Clock.Advance(time.Second)
	wantRaw(t, c.Tick(), "$-1\r\n")
	steps(t, db, `
		MULTI => OK
		BLPOP k 0 => QUEUED
		EXEC => [(nil)]
		BLPOP k x => -ERR timeout is not a float or out of range
		BLPOP k -1 => -ERR timeout is negative
	`)
	if n := db.Shared.Sessions.Timeouts.Load(); n != 0 {
		t.Errorf("%d timeouts are left", n)
	}
}

// TestUnblock: a wait can be ended from outside, or by going away.
func TestUnblock(t *testing.T) {
	db := newDB(t)
	c, d := db.NewClient(), db.NewClient()
	c.Do("BLPOP", "k", "0").WantRaw("")
	if !c.Session.Wait.Unblock(true) {
		t.Fatal("it cannot be unblocked")
	}
	wantRaw(t, c.Tick(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")
	d.Do("BLPOP", "k", "0").WantRaw("")
	d.Close()
	do(db, "RPUSH k v").Want("1")
	do(db, "LLEN k").Want("1") // nobody has taken it
	if n := db.Shared.Sessions.Blocked.Load(); n != 0 {
		t.Errorf("%d clients are blocked", n)
	}
}

// TestManyBlocked: ten thousand wait for one key, and each element costs one of them.
func TestManyBlocked(t *testing.T) {
	db := newDB(t)
	const n = 10_000
	clients := make([]*cmdtest.Client, n)
	for i := range clients {
		clients[i] = db.NewClient()
		clients[i].Do("BLPOP", "k", fmt.Sprint(1000+i)).WantRaw("")
	}
	for i := range n / 2 {
		do(db, fmt.Sprint("RPUSH k ", i))
	}
	for i := range n / 2 {
		wantRaw(t, clients[i].Tick(), fmt.Sprintf("*2\r\n$1\r\nk\r\n$%d\r\n%d\r\n", len(fmt.Sprint(i)), i))
	}
	db.Clock.Advance(1e6 * time.Second)
	clients[n-1].Tick()
	if left := db.Shared.Sessions.Blocked.Load(); left != 0 {
		t.Errorf("%d still wait", left)
	}
}

func TestListAllocs(t *testing.T) {
	if invariant.Enabled {
		t.Skip("checked builds allocate")
	}
	db := cmdtest.New(t, listcmd.Family.Specs)
	do(db, "RPUSH l a b c")
	for _, call := range []string{
		"LPUSH l x", "RPUSH l 17", "LPOP l", "RPOP l", "LLEN l", "LINDEX l 1", "LRANGE l 0 2",
		"LSET l 0 y", "LMOVE l l LEFT RIGHT",
	} {
		if n := db.AllocsPerRun(strings.Fields(call)...); n != 0 {
			t.Errorf("%s allocates %v times", call, n)
		}
	}
}
