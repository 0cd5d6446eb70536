// Package cmdtest runs commands on a whole executor over an empty keyspace, without
// sockets, for tests that read like a specification:
//
//	db := cmdtest.New(t)
//	db.Do("SET", "k", "v").Want("OK")
//	db.Do("STRLEN", "k").Want("1")
//	db.WantJournal("SET k v")
//
// Time stands still until the test moves db.Clock. At the end of a test its tasks are waited
// for, every table and arena is checked, and FLUSHALL must leave not one byte live.
package cmdtest

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// Start is where the clock of a new DB stands: a second in November 2023.
const Start = clock.Millis(1_700_000_000_000)

// A DB is a server without sockets. Do uses its first client.
type DB struct {
	*Client
	t        testing.TB
	Clock    *clock.Manual
	Keyspace *keyspace.Keyspace
	Shared   *exec.Shared
	Executor *exec.Executor

	journal []journal.Effect // since RecordJournal or the last look
	tasks   *sync.WaitGroup  // that commands began
}

// A Client is one connection to a DB.
type Client struct {
	db      *DB
	Session *session.Session
	out     []byte
}

// maxBulk is the most bytes of a string.
const maxBulk = 512 << 20

// reserve keeps many tests' arenas small.
const reserve = 1 << 28

// New makes an empty DB with the commands of some families. Its keys are checked and
// its memory is proved free when the test ends.
func New(t testing.TB, families ...[]*command.Spec) *DB {
	t.Helper()
	return newDB(t, keyspace.Options{Databases: 16}, families)
}

// Strings are the commands of strings, with Redis's limit: what tests of other families make
// keys of another type with.
func Strings() []*command.Spec {
	return stringcmd.Family.With(stringcmd.Deps{MaxBulk: func() int64 { return maxBulk }})
}

// NewCluster is New for a node of a cluster.
func NewCluster(t testing.TB, families ...[]*command.Spec) *DB {
	t.Helper()
	return newDB(t, keyspace.Options{Databases: 1, Cluster: true}, families)
}

func newDB(t testing.TB, o keyspace.Options, families [][]*command.Spec) *DB {
	t.Helper()
	clk := clock.NewManual(Start)
	o.Reserve, o.Clock = reserve, clk
	ks, err := keyspace.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ks.SetNow(Start)
	table, err := command.NewTable(nil, families...)
	if err != nil {
		t.Fatal(err)
	}
	sh := &exec.Shared{
		Table:    table,
		Keyspace: ks,
		Journal:  &journal.Journal{},
		Sessions: session.NewRegistry(),
		Clock:    clk,
		Log:      slog.New(slog.NewTextHandler(io.Discard, nil)),
		Logs:     observe.NewCommandLogs(clk),
		Latency:  observe.NewLatencyMonitor(clk),
		Split:    words,
	}
	sh.Limits.Bulk.Store(maxBulk)
	sh.Monitor = func(*session.Session, int, command.Args) {}
	db := &DB{t: t, Clock: clk, Keyspace: ks, Shared: sh, tasks: &sync.WaitGroup{}}
	sh.Background = db.tasks.Go
	db.Executor = exec.New(sh)
	db.Client = db.NewClient()
	t.Cleanup(db.finish)
	return db
}

func words(line []byte) ([][]byte, error) {
	var out [][]byte
	for _, w := range strings.Fields(string(line)) {
		out = append(out, []byte(w))
	}
	return out, nil
}

func (db *DB) finish() {
	if db.t.Failed() {
		return // a panic may have left locks and gates behind
	}
	if !db.tasksEnd() {
		db.t.Error("a task does not end")
		return // it uses the keyspace
	}
	if err := db.Keyspace.Check(); err != nil {
		db.t.Error(err)
	}
	db.Keyspace.Exclusive(nil, func() {
		for i := range db.Keyspace.Databases() {
			db.Keyspace.FlushDB(i)
		}
	})
	for db.Keyspace.LazyFree() {
	}
	if n := db.Keyspace.UsedMemory(); n != 0 {
		db.t.Errorf("%d bytes are live in an empty keyspace", n)
	}
	db.Keyspace.Close()
}

// taskMax is how long a task may take that goes on when its test is over.
const taskMax = 30 * time.Second

// tasksEnd waits for the tasks that commands began.
func (db *DB) tasksEnd() bool {
	ended := make(chan struct{})
	go func() {
		db.tasks.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(taskMax):
		return false
	}
}

// NewClient opens another connection.
func (db *DB) NewClient() *Client {
	s := &session.Session{Remote: "127.0.0.1:50000", Local: "127.0.0.1:6379", User: "default",
		Authenticated: true, Link: link{}}
	db.Shared.Sessions.Add(s)
	s.Out.SetPool(&resp.Pool{})
	return &Client{db: db, Session: s}
}

// link is a connection to nowhere.
type link struct{}

func (link) Wake()       {}
func (link) FD() int     { return 8 }
func (link) Loop() int   { return 0 }
func (link) Unsent() int { return 0 }

// Close ends the connection, as if the other side had gone.
func (c *Client) Close() { c.db.Executor.Closed(c.Session) }

// Do sends one command and returns its reply.
func (c *Client) Do(args ...string) *Reply {
	c.db.t.Helper()
	return &Reply{t: c.db.t, call: strings.Join(args, " "), raw: c.Call(args...)}
}

// Call sends one command and returns the bytes that come back: none if the client waits. Fuzz
// targets use it, as in them nobody may speak to the testing.F that the DB was made for.
func (c *Client) Call(args ...string) string { return string(c.Raw(resp.AppendCommand(nil, args...))) }

// Raw sends bytes in one turn and returns the bytes that come back. If they are a reply that
// is made in pieces it takes as many turns as there are.
func (c *Client) Raw(b []byte) []byte {
	all := c.Turn(b)
	for c.Session.Stream != nil && c.Session.Stream.Ready() {
		all = append(all, c.Refill()...)
	}
	return all
}

// Turn sends bytes in one turn and returns the bytes that come back in it.
func (c *Client) Turn(b []byte) []byte {
	return c.turn(func(x *exec.Executor) { x.Received(c.Session, b) })
}

// Refill takes a turn that goes on with a reply that is made in pieces.
func (c *Client) Refill() []byte {
	return c.turn(func(x *exec.Executor) { x.Refill(c.Session) })
}

// Tick takes a turn in which nothing arrives, but the time may have come for something.
func (c *Client) Tick() []byte {
	return c.turn(func(x *exec.Executor) {
		x.Tick(c.db.Clock.Mono())
		x.Woken(c.Session)
	})
}

// turn takes a turn of which happens is the beginning, and returns what is replied.
func (c *Client) turn(happens func(x *exec.Executor)) []byte {
	x := c.db.Executor
	x.Begin(c.db.Clock.Mono())
	happens(x)
	x.Run()
	x.Dirty()
	x.End()
	return c.take()
}

func (c *Client) take() []byte {
	c.out = c.out[:0]
	if c.Session.Held {
		return nil
	}
	for _, chunk := range c.Session.Out.Take(nil) {
		c.out = append(c.out, chunk.Bytes...)
		chunk.Free(nil)
	}
	return append([]byte(nil), c.out...)
}

// AllocsPerRun is the number of allocations of a command, called again and again.
func (c *Client) AllocsPerRun(args ...string) float64 {
	b := resp.AppendCommand(nil, args...)
	x := c.db.Executor
	var pool resp.Pool
	chunks := make([]resp.Chunk, 0, 16)
	c.Session.Out.SetPool(&pool)
	return testing.AllocsPerRun(100, func() {
		x.Begin(0)
		x.Received(c.Session, b)
		x.Run()
		x.Dirty()
		x.End()
		chunks = c.Session.Out.Take(chunks[:0])
		for i := range chunks {
			chunks[i].Free(&pool)
		}
	})
}

// Bench runs a command n times as a pipeline would bring it.
func (c *Client) Bench(b *testing.B, args ...string) {
	const pipeline = 64
	all := bytes.Repeat(resp.AppendCommand(nil, args...), pipeline)
	x := c.db.Executor
	var pool resp.Pool
	chunks := make([]resp.Chunk, 0, 16)
	c.Session.Out.SetPool(&pool)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += pipeline {
		x.Begin(0)
		x.Received(c.Session, all)
		x.Run()
		x.Dirty()
		x.End()
		for chunks = c.Session.Out.Take(chunks[:0]); len(chunks) > 0; {
			for i := range chunks {
				chunks[i].Free(&pool)
			}
			if chunks = chunks[:0]; c.Session.Stream != nil {
				x.Begin(0)
				x.Refill(c.Session)
				x.Run()
				x.Dirty()
				x.End()
				chunks = c.Session.Out.Take(chunks)
			}
		}
	}
}
