package keycmd_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/keyspace"
)

// A target is another server in the same process, and the wire to it, which fails where a
// test says so.
type target struct {
	mu      sync.Mutex
	db      *cmdtest.DB
	dials   int
	closed  int
	refuse  bool
	calls   []string // names of commands that arrived
	failOut int      // bytes that arrive before the wire breaks, -1 for all
	failIn  int      // likewise of replies
	broken  error
	before  func()   // called once, when something is sent
	timers  []func() // what is put off
}

func newTarget(t *testing.T) *target {
	return &target{db: newQuietFullDB(t), failOut: -1, failIn: -1, broken: io.ErrUnexpectedEOF}
}

type wire struct {
	t       *target
	client  *cmdtest.Client
	replies bytes.Buffer
	dead    bool
	timeout time.Duration
}

func (t *target) dial(host, port string, _ time.Duration) (keycmd.Peer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refuse || port == "0" {
		return nil, errors.New("refused")
	}
	t.dials++
	return &wire{t: t, client: t.db.NewClient()}, nil
}

func (t *target) after(_ time.Duration, f func()) { t.timers = append(t.timers, f) }

func (w *wire) SetTimeout(d time.Duration) { w.timeout = d }

func (w *wire) Close() error {
	w.t.closed++
	w.dead = true
	return nil
}

func (w *wire) Write(b []byte) (int, error) {
	t := w.t
	if f := t.before; f != nil {
		t.before = nil
		f()
	}
	if w.dead {
		return 0, t.broken
	}
	n := len(b)
	if t.failOut >= 0 {
		n = min(n, t.failOut)
		t.failOut -= n
	}
	for _, line := range bytes.Split(b[:n], []byte("\r\n")) {
		switch s := string(line); s {
		case "AUTH", "SELECT", "RESTORE", "RESTORE-ASKING":
			t.calls = append(t.calls, s)
		}
	}
	replies := w.client.Raw(b[:n])
	if t.failIn >= 0 {
		replies = replies[:min(len(replies), t.failIn)]
		t.failIn -= len(replies)
	}
	w.replies.Write(replies)
	if n < len(b) {
		w.dead = true
		return n, t.broken
	}
	return n, nil
}

func (w *wire) Read(b []byte) (int, error) {
	if w.dead || w.replies.Len() == 0 {
		return 0, w.t.broken
	}
	return w.replies.Read(b)
}

// newMigrating is a server with MIGRATE, and a target.
func newMigrating(t *testing.T) (*cmdtest.DB, *target) {
	t.Helper()
	to := newTarget(t)
	m := keycmd.NewMigrator(keycmd.Deps{Dial: to.dial, After: to.after})
	db := cmdtest.New(t, append(fullFamilies(), keycmd.Services.With(m))...)
	db.RecordJournal()
	return db, to
}

// await is the reply of a command that may be a task.
func await(t testing.TB, c *cmdtest.Client, line string) string {
	t.Helper()
	got := c.Do(strings.Fields(line)...).Raw()
	for range 5000 {
		if got != "" {
			return strings.TrimSuffix(got, "\r\n")
		}
		time.Sleep(time.Millisecond)
		got = string(c.Tick())
	}
	t.Fatalf("%s: no reply", line)
	return ""
}

const (
	toTarget   = "MIGRATE host 1 "
	busyTarget = "-ERR Target instance replied with error: BUSYKEY Target key name already exists."
	emptyKey   = "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
)

func TestMigrate(t *testing.T) {
	db, to := newMigrating(t)
	run(t, db, step{"MSET a 1 b 2 c 3 d 4", "OK"}, step{"RPUSH l x y z", "3"}, step{"HSET h f v", "1"},
		step{"PEXPIRE a 5000", "1"})
	db.WantJournal("MSET a 1 b 2 c 3 d 4", "RPUSH l x y z", "HSET h f v", "PEXPIREAT a 1700000005000")
	run(t, to.db, step{"SET b there", "OK"})
	for _, tt := range []struct{ call, want, calls string }{
		{toTarget + "none 0 0", "+NOKEY", ""},
		{toTarget + "a 0 100", "+OK", "RESTORE"},
		{toTarget + "b 0 -5", busyTarget, "RESTORE"},
		{toTarget + "b 0 100 COPY REPLACE", "+OK", "RESTORE"},
		{toTarget + "b 0 100 REPLACE", "+OK", "RESTORE"},
		{toTarget + "c 3 100", "+OK", "SELECT RESTORE"},
		{toTarget + "d 99 100", "-ERR Target instance replied with error: ERR DB index is out of range", "SELECT"},
		{toTarget + "d 3 100 COPY", "+OK", "RESTORE"}, // which is selected still
	} {
		to.calls = nil
		if got := await(t, db.Client, tt.call); got != tt.want || strings.Join(to.calls, " ") != tt.calls {
			t.Errorf("%s: %s after %q, want %s after %q", tt.call, got, to.calls, tt.want, tt.calls)
		}
	}
	db.WantJournal("DEL a", "DEL b", "DEL c")
	run(t, to.db, step{"PTTL a", "5000"}, step{"GET a", "1"}, step{"GET b", "2"},
		step{"SELECT 3", "OK"}, step{"GET c", "3"}, step{"GET d", "4"})
	run(t, db, step{"EXISTS a b c d", "1"})
	if to.dials != 1 {
		t.Errorf("%d connections, want one", to.dials)
	}
}

// TestMigrateKeys sends several keys, of which some are refused.
func TestMigrateKeys(t *testing.T) {
	db, to := newMigrating(t)
	run(t, db, step{"MSET a 1 b 2 c 3", "OK"}, step{"RPUSH l x y z", "3"})
	run(t, to.db, step{"SET b there", "OK"})
	db.WantJournal("MSET a 1 b 2 c 3", "RPUSH l x y z")
	migrate := func(words ...string) string {
		t.Helper()
		got := db.Do(append([]string{"MIGRATE", "host", "1", "", "0", "100"}, words...)...).Raw()
		for i := 0; got == "" && i < 5000; i++ {
			time.Sleep(time.Millisecond)
			got = string(db.Tick())
		}
		return got
	}
	if got := migrate("KEYS", "a", "b", "none", "l", "a"); got !=
		busyTarget+"\r\n" {
		t.Errorf("%q", got)
	}
	db.WantJournal("DEL a l")
	run(t, db, step{"EXISTS a b c l", "2"})
	run(t, to.db, step{"LRANGE l 0 -1", "[x y z]"}, step{"GET b", "there"})
	if got := migrate("KEYS"); got != "+NOKEY\r\n" {
		t.Errorf("%q", got)
	}
	if got := migrate("REPLACE", "KEYS", "b", "c"); got != "+OK\r\n" {
		t.Errorf("%q", got)
	}
	db.WantJournal("DEL b c")
	run(t, to.db, step{"GET b", "2"}, step{"GET c", "3"})
}

func TestMigrateArguments(t *testing.T) {
	db, to := newMigrating(t)
	run(t, db, step{"SET k v", "OK"},
		step{toTarget + "k 0 100 FOO", errSyntax}, step{toTarget + "k 0 100 AUTH", errSyntax},
		step{toTarget + "k 0 100 AUTH2 u", errSyntax}, step{toTarget + "k x y COPY FOO", errSyntax},
		step{toTarget + "k x 100", errInt}, step{toTarget + "k 0 x", errInt},
		step{toTarget + "k 0 x KEYS a", emptyKey},
		step{toTarget + "k 0", "-ERR wrong number of arguments for 'migrate' command"},
		step{"MULTI", "OK"}, step{toTarget + "k 0 100", "QUEUED"},
		step{"EXEC", "[-ERR MIGRATE is not possible within a transaction]"}, step{"GET k", "v"})
	const refused = "-IOERR error or timeout connecting to the client"
	if got := await(t, db.Client, "MIGRATE host 0 k 0 1"); got != refused {
		t.Error(got)
	}
	if to.dials != 0 {
		t.Errorf("%d connections", to.dials)
	}
	for _, tt := range []struct{ call, want string }{
		{toTarget + "k 0 1 AUTH secret KEYS AUTH x", toTarget + "k 0 1 AUTH (redacted) KEYS AUTH x"},
		{toTarget + "k 0 1 COPY AUTH2 user secret", toTarget + "k 0 1 COPY AUTH2 (redacted) (redacted)"},
		{toTarget + "k 0 1 AUTH", toTarget + "k 0 1 AUTH"},
	} {
		if got := string(bytes.Join(keycmd.Redacted(bytes.Fields([]byte(tt.call))), []byte(" "))); got != tt.want {
			t.Errorf("others see %q", got)
		}
	}
}

// TestMigrateConnections: a connection is used again, but not by who has another password,
// and closed when nobody has used it for ten seconds. One that died meanwhile is made anew.
func TestMigrateConnections(t *testing.T) {
	db, to := newMigrating(t)
	send := func(options, want string, dials int) {
		t.Helper()
		do(db, "SET k v")
		if got := await(t, db.Client, toTarget+"k 0 100 REPLACE "+options); got != want || to.dials != dials {
			t.Errorf("%s: %s, %d connections, want %s, %d", options, got, to.dials, want, dials)
		}
	}
	const unknown = "-ERR Target instance replied with error: ERR unknown command 'AUTH', with args beginning " +
		"with: "
	send("", "+OK", 1)
	send("", "+OK", 1)
	send("AUTH secret", unknown+"'secret' ", 2)
	send("AUTH2 me secret", unknown+"'me' 'secret' ", 3)
	send("", "+OK", 3)
	for _, f := range to.timers[:len(to.timers)-1] {
		f() // those of uses before the last one
	}
	if to.closed != 2 {
		t.Errorf("%d connections were closed, want those with passwords", to.closed)
	}
	to.timers[len(to.timers)-1]()
	send("", "+OK", 4)
	to.failIn, to.broken = 0, io.EOF // the target has closed it
	do(db, "SET k v")
	to.before = func() { to.failOut = 0 }
	to.failIn = -1
	got := await(t, db.Client, toTarget+"k 0 100 REPLACE")
	if to.failOut = -1; got != "-IOERR error or timeout writing to target instance" || to.dials != 5 {
		t.Errorf("%s after %d connections, want a second try", got, to.dials)
	}
	do(db, "EXISTS k").Want("1")
}

type timeout struct{}

func (timeout) Error() string { return "too long" }
func (timeout) Timeout() bool { return true }

// TestMigrateLosesNothing breaks the wire at every byte in either direction. Whatever is
// said, each key is here or there, as it was; it is in both places only if the client was
// told of an error, and is gone here only if the target had it.
func TestMigrateLosesNothing(t *testing.T) {
	db, to := newMigrating(t)
	const call = "MIGRATE host 1 a 0 100"
	for _, reading := range []bool{false, true} {
		for at := range 120 {
			for _, cause := range []error{io.ErrUnexpectedEOF, timeout{}} {
				run(t, db, step{"DEL a", "0"}, step{"RPUSH a 1 2 3", "3"})
				to.broken, to.failIn, to.failOut = cause, -1, -1
				if reading {
					to.failIn = at
				} else {
					to.failOut = at
				}
				got := await(t, db.Client, call)
				to.failIn, to.failOut = -1, -1
				here, there := do(db, "LRANGE a 0 -1").Text(), do(to.db, "LRANGE a 0 -1").Text()
				const whole, none = "[1 2 3]", "[]"
				fine := here == whole && there == none || here == none && there == whole ||
					here == whole && there == whole && strings.HasPrefix(got, "-IOERR")
				if !fine || got == "+OK" && here != none || got != "+OK" && !strings.HasPrefix(got, "-IOERR") {
					t.Fatalf("reading %v, broken at %d by %v: %s, here %s, there %s",
						reading, at, cause, got, here, there)
				}
				do(db, "DEL a")
				do(to.db, "DEL a")
			}
		}
	}
}

// TestMigrateHolds: while keys are under way nobody changes them; everybody else goes on.
func TestMigrateHolds(t *testing.T) {
	db, to := newMigrating(t)
	writer, reader := db.NewClient(), db.NewClient()
	run(t, db, step{"MSET a 1 b 2", "OK"})
	sent, proceed := make(chan bool), make(chan bool)
	to.before = func() {
		sent <- true
		<-proceed
	}
	if got := do(db, toTarget+"a 0 100").Raw(); got != "" {
		t.Fatalf("answered at once: %q", got)
	}
	<-sent
	for _, line := range []string{"GET a", "SET b 3", "COPY a c", "MULTI", "SET a 5", "DISCARD"} {
		if got := reader.Do(strings.Fields(line)...).Raw(); got == "" {
			t.Errorf("%s waits", line)
		}
	}
	others := []string{
		"SET a 9", "APPEND a 9", "DEL a", "RENAME b a", "COPY b a REPLACE", toTarget + "a 0 100", "EXEC",
	}
	var clients []*cmdtest.Client
	for _, line := range others {
		c := db.NewClient()
		if line == "EXEC" {
			c.Do("MULTI")
			c.Do("APPEND", "a", "x")
		}
		if got := c.Do(strings.Fields(line)...).Raw(); got != "" {
			t.Errorf("%s does not wait: %q", line, got)
		}
		clients = append(clients, c)
	}
	if got := writer.Do("APPEND", "a", "z").Raw(); got != "" {
		t.Errorf("APPEND does not wait: %q", got)
	}
	gone := clients[0]
	gone.Close() // what it wanted is not done
	proceed <- true
	for range 5000 {
		if got := string(db.Tick()); got != "" {
			if got != "+OK\r\n" {
				t.Errorf("MIGRATE: %q", got)
			}
			break
		}
		time.Sleep(time.Millisecond)
	}
	do(db, "EXISTS a").Want("0")
	do(to.db, "GET a").Want("1")
	if got := string(writer.Tick()); got != ":1\r\n" { // of a new string
		t.Errorf("APPEND: %q", got)
	}
	do(db, "GET a").Want("z")
}

// TestMigrateWatches: a change that nobody asked for keeps the key here.
func TestMigrateWatches(t *testing.T) {
	db, to := newMigrating(t)
	for _, tt := range []struct {
		name   string
		change func(x *keyspace.Txn)
		want   string
		left   string
	}{
		{"nothing", func(*keyspace.Txn) {}, "+OK", "(nil)"},
		{"changed", func(x *keyspace.Txn) { _ = x.SetString([]byte("a"), []byte("new"), keyspace.NoTTL) },
			"-ERR a key was changed during MIGRATE: it was sent as it was before, and is still here", "new"},
		{"evicted", func(x *keyspace.Txn) { x.Delete([]byte("a")) }, "+OK", "(nil)"},
	} {
		run(t, db, step{"SET a old", "OK"})
		to.before = func() {
			x := db.Keyspace.NewTxn()
			x.Begin(0, cmdtest.Start)
			x.LockAll()
			tt.change(x)
			x.Unlock()
			x.Report()
		}
		if got := await(t, db.Client, toTarget+"a 0 100 REPLACE"); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
		do(db, "GET a").Want(tt.left)
		do(to.db, "GET a").Want("old")
		do(db, "DEL a")
	}
}

// TestMigrateWithoutClient: a client that goes does not stop what it began.
func TestMigrateWithoutClient(t *testing.T) {
	db, to := newMigrating(t)
	c := db.NewClient()
	run(t, db, step{"SET a 1", "OK"})
	sent, proceed := make(chan bool), make(chan bool)
	to.before = func() {
		sent <- true
		<-proceed
	}
	c.Do(strings.Fields(toTarget + "a 0 100")...)
	<-sent
	c.Close()
	proceed <- true
	if got := await(t, db.Client, "DEL a"); got != ":0" { // it had to wait for the end
		t.Errorf("DEL: %s", got)
	}
	do(to.db, "GET a").Want("1")
	db.WantJournal("SET a 1", "DEL a")
}

// TestMigrateEveryType moves random values and compares what arrives.
func TestMigrateEveryType(t *testing.T) {
	db, to := newMigrating(t)
	rng := rand.New(rand.NewPCG(9, 9))
	for i := range 20 {
		n := 1 + rng.IntN(1000)
		for j := range n {
			e := fmt.Sprintf("%d%s", rng.IntN(1000), strings.Repeat("x", j%70))
			db.Do("RPUSH", "l", e)
			db.Do("SADD", "s", e)
			db.Do("HSET", "h", e, "v")
			db.Do("ZADD", "z", fmt.Sprint(j%9), e)
		}
		for _, key := range []string{"l", "s", "h", "z"} {
			before := do(db, "DUMP "+key).Raw()
			if got := await(t, db.Client, toTarget+key+" 0 100"); got != "+OK" {
				t.Fatalf("%d elements, %s: %s", n, key, got)
			}
			if key == "l" || n < 100 {
				if after := do(to.db, "DUMP "+key).Raw(); after != before {
					t.Fatalf("%d: %s was %q, is %q", i, key, before, after)
				}
			}
			do(to.db, "DEL "+key).Want("1")
		}
	}
}
