package exec_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A tap is a Feed of the journal.
type tap struct {
	cursor *journal.Cursor
	j      *journal.Journal
	pieces [][]byte
}

func (f *tap) Held() int64 { return f.j.Appended() - f.cursor.At() }
func (f *tap) Ready() bool { return f.Held() > 0 }
func (f *tap) Write(s *session.Session) {
	end := f.j.Appended()
	f.pieces = f.cursor.Pending(f.pieces[:0], end)
	for _, p := range f.pieces {
		s.Out.RawLong(p)
	}
	f.cursor.Advance(end)
}

// withFollow is a database with FOLLOW, which makes a replica of a client.
func withFollow(t testing.TB) *cmdtest.DB {
	var db *cmdtest.DB
	var f command.Family
	f.Add(command.Spec{Name: "FOLLOW", Arity: 1, Run: func(c *command.Ctx) error {
		c.Out.OK()
		c.Session.Class = session.Replica
		c.Engine.Feed(c.Session, &tap{cursor: db.Shared.Journal.NewCursor(), j: db.Shared.Journal})
		return nil
	}})
	f.Add(command.Spec{Name: "SAY", Arity: 2, Run: func(c *command.Ctx) error {
		c.Out.Bulk(c.Args[1])
		return nil
	}})
	f.Add(command.Spec{Name: "ACK", Arity: 1, Run: func(*command.Ctx) error { return nil }})
	db = cmdtest.New(t, cmdtest.Strings(), f.Specs)
	return db
}

// turn is what a loop does when a client has sent something.
func turn(db *cmdtest.DB, sent []byte) {
	x := db.Executor
	x.Begin(0)
	x.Received(db.Session, sent)
	x.Run()
	x.Dirty()
	x.End()
}

const selected = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"

// What a turn appends is written for the replicas of the loop at the turn's end, behind the
// reply that made a replica of the session.
func TestFeed(t *testing.T) {
	db := withFollow(t)
	r := db.NewClient()
	if got := r.Call("FOLLOW"); got != "+OK\r\n" {
		t.Fatalf("%q", got)
	}
	db.Call("SET", "k", "v")
	want := selected + "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
	if got := string(r.Tick()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := r.Call("ACK"); got != "" {
		t.Errorf("%q", got)
	}
	// Of much, some is written at a time.
	db.Call("SET", "k", strings.Repeat("v", 1<<20))
	if n := r.Session.Out.Len(); n < 1<<20 {
		t.Errorf("%d bytes", n)
	}
	r.Tick()
	r.Close()
	db.Call("SET", "k", "v")
	if db.Shared.Journal.Held() == 0 {
		t.Error("the cursor has gone with the session, which is not its owner")
	}
}

// A replica that makes us reply, or that wants data, is cut off, and nothing gets into its
// stream.
func TestFedSessionsGetNoReplies(t *testing.T) {
	for _, call := range [][]string{
		{"SAY", "hello"}, {"GET", "k"}, {"SET", "k", "v"}, {"NOPE"}, {"ACK", "what"},
	} {
		db := withFollow(t)
		r := db.NewClient()
		r.Call("FOLLOW")
		if got := r.Call(call...); got != "" {
			t.Errorf("%s: %q", call, got)
		}
		if r.Session.Closing != session.Immediately {
			t.Errorf("%s: the connection stays", call)
		}
	}
}

// Nor does one that sends what is no command.
func TestFedSessionsGetNoProtocolErrors(t *testing.T) {
	db := withFollow(t)
	r := db.NewClient()
	r.Call("FOLLOW")
	if got := r.Raw([]byte("*x\r\n")); len(got) > 0 || r.Session.Closing != session.Immediately {
		t.Errorf("%q, closing %d", got, r.Session.Closing)
	}
}

// A replica that does not read is closed when the journal is further ahead of it than its
// class may have waiting.
func TestSlowReplica(t *testing.T) {
	db := withFollow(t)
	db.Shared.Limits.Out[session.Replica].Store(exec.OutputClass{Hard: 200_000}, 300_000)
	r := db.NewClient()
	r.Call("FOLLOW")
	for i := range 10 {
		db.Call("SET", "k", strings.Repeat("v", 50_000)) // and r takes nothing
		if got := r.Session.Closing == session.Immediately; got != (i >= 5) {
			t.Fatalf("after %d values: closing %v", i+1, got)
		}
	}
}

func TestFeedAllocatesNothing(t *testing.T) {
	if invariant.Enabled {
		t.Skip("invariants allocate")
	}
	db := withFollow(t)
	r := db.NewClient()
	r.Call("FOLLOW")
	var pool resp.Pool
	r.Session.Out.SetPool(&pool)
	chunks := make([]resp.Chunk, 0, 16)
	set := resp.AppendCommand(nil, "SET", "k", strings.Repeat("v", 64))
	var own resp.Pool
	db.Session.Out.SetPool(&own)
	sent := 0
	if n := testing.AllocsPerRun(1000, func() {
		turn(db, set)
		for i, s := range []*session.Session{db.Session, r.Session} {
			chunks = s.Out.Take(chunks[:0])
			for k := range chunks {
				sent += i * len(chunks[k].Bytes)
				chunks[k].Free([]*resp.Pool{&own, &pool}[i])
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if sent < 1000*len(set) {
		t.Errorf("%d bytes were sent", sent)
	}
}

// BenchmarkFeed is what a replica adds to a SET of 64 bytes in a turn of 64.
func BenchmarkFeed(b *testing.B) {
	db := withFollow(b)
	r := db.NewClient()
	r.Call("FOLLOW")
	var pool resp.Pool
	r.Session.Out.SetPool(&pool)
	db.Session.Out.SetPool(&pool)
	set := []byte(strings.Repeat(string(resp.AppendCommand(nil, "SET", "k", strings.Repeat("v", 64))), 64))
	var chunks []resp.Chunk
	for n := 0; n < b.N; n += 64 {
		turn(db, set)
		for _, s := range []*session.Session{db.Session, r.Session} {
			chunks = s.Out.Take(chunks[:0])
			for k := range chunks {
				chunks[k].Free(&pool)
			}
		}
	}
}

// A bell is a link that counts how often its loop was woken.
type bell struct{ rung int }

func (b *bell) Wake()     { b.rung++ }
func (*bell) FD() int     { return -1 }
func (*bell) Loop() int   { return 1 }
func (*bell) Unsent() int { return 0 }

// A loop that has appended something wakes the loop of a replica, and nobody when it has not.
func TestFeedWakesOtherLoops(t *testing.T) {
	db := withFollow(t)
	b := &bell{}
	far := &session.Session{Link: b, Authenticated: true}
	far.Out.SetPool(&resp.Pool{})
	other := exec.New(db.Shared)
	turn := func(sent ...string) {
		other.Begin(db.Clock.Mono())
		if len(sent) > 0 {
			other.Received(far, resp.AppendCommand(nil, sent...))
		}
		other.Run()
		other.Dirty()
		other.End()
	}
	turn("FOLLOW")
	db.Call("SET", "k", "v")
	if b.rung != 1 {
		t.Errorf("woken %d times by one write", b.rung)
	}
	db.Call("GET", "k")
	if b.rung != 1 {
		t.Errorf("woken %d times, once by a read", b.rung)
	}
	before := far.Out.Len()
	if turn(); far.Out.Len() == before {
		t.Error("the loop that was woken has nothing for its replica")
	}
	other.Closed(far)
	db.Call("SET", "k", "v")
	if b.rung != 1 {
		t.Error("a loop is woken for a replica that has gone")
	}
}
