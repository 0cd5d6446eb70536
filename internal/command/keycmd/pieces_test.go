package keycmd_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A stepper is a gate that stops a COPY or RENAME which has become a task after each of its
// pieces, until it is told to go on.
type stepper struct {
	db      *cmdtest.DB
	rests   chan bool
	proceed chan error
}

func newStepped(t testing.TB) (*cmdtest.DB, *stepper) {
	t.Helper()
	db := cmdtest.New(t, append(fullFamilies(), wholeFixture())...)
	db.RecordJournal()
	s := &stepper{db, make(chan bool), make(chan error)}
	db.Shared.Gates = append(db.Shared.Gates, s)
	return db, s
}

// Admit implements exec.Gate.
func (s *stepper) Admit(_ *session.Session, spec *command.Spec, _ command.Flags, _ int64) error {
	if spec.Name == "COPY" || strings.HasPrefix(spec.Name, "RENAME") {
		s.rests <- true
		return <-s.proceed
	}
	return nil
}

// end lets the task go on to its end, and returns what its client is told.
func (s *stepper) end(t testing.TB, c *cmdtest.Client, err error) string {
	t.Helper()
	s.proceed <- err
	for range 5000 {
		if got := string(c.Tick()); got != "" {
			return strings.TrimSuffix(got, "\r\n")
		}
		select {
		case <-s.rests:
			s.proceed <- nil
		case <-time.After(time.Millisecond):
		}
	}
	t.Fatal("no reply")
	return ""
}

// wholeFixture has commands that change whole databases.
func wholeFixture() []*command.Spec {
	var f command.Family
	whole := func(name string, arity int, do func(c *command.Ctx, ks *keyspace.Keyspace)) {
		f.Add(command.Spec{Name: name, Arity: arity, Flags: command.Write | command.Exclusive,
			Run: func(c *command.Ctx) error {
				do(c, c.Engine.(*exec.Executor).Keyspace)
				c.Out.OK()
				return nil
			}})
	}
	whole("FLUSHALL", 1, func(_ *command.Ctx, ks *keyspace.Keyspace) {
		_, release, _ := ks.FlushAll()
		release()
	})
	whole("FLUSHDB", 1, func(c *command.Ctx, ks *keyspace.Keyspace) { ks.FlushDB(c.DB.DB) })
	whole("SWAPDB", 3, func(c *command.Ctx, ks *keyspace.Keyspace) {
		a, _ := c.Args.Int(1)
		b, _ := c.Args.Int(2)
		ks.SwapDB(int(a), int(b))
	})
	return f.Specs
}

// makeBig makes a key of a type that is copied in several pieces.
func makeBig(t testing.TB, c *cmdtest.Client, typ, key string, elements int) {
	t.Helper()
	long := strings.Repeat("x", 1200)
	var args []string
	switch typ {
	case "string":
		args = []string{"SET", key, strings.Repeat("0123456789", elements*500)}
	case "list":
		args = []string{"RPUSH", key}
	case "hash":
		args = []string{"HSET", key}
	case "set":
		args = []string{"SADD", key}
	case "zset":
		args = []string{"ZADD", key}
	}
	for i := range elements {
		name := fmt.Sprint("element:", i)
		if i%2 == 0 {
			name += long
		}
		switch typ {
		case "list", "set":
			args = append(args, name)
		case "hash":
			args = append(args, name, "value"+long[:i%1200])
		case "zset":
			args = append(args, fmt.Sprint(i%100), name)
		case "stream":
			c.Do("XADD", key, fmt.Sprint(i+1, "-1"), "field", name)
		}
	}
	if typ == "stream" {
		c.Do("XGROUP", "CREATE", key, "group", "0").Want("OK")
		c.Do("XREADGROUP", "GROUP", "group", "consumer", "COUNT", fmt.Sprint(elements/2), "STREAMS", key, ">")
		return
	}
	if got := c.Call(args...); got == "" || got[0] == '-' {
		t.Fatalf("making a %s: %q", typ, got)
	}
}

// contents is all that a key holds; those of sets and hashes sorted.
func contents(t testing.TB, c *cmdtest.Client, key string) string {
	t.Helper()
	sorted := func(call ...string) string {
		lines := strings.Split(c.Call(call...), "\r\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	switch typ := c.Do("TYPE", key).Text(); typ {
	case "list":
		return typ + c.Call("LRANGE", key, "0", "-1")
	case "hash":
		return typ + sorted("HGETALL", key)
	case "set":
		return typ + sorted("SMEMBERS", key)
	case "zset":
		return typ + c.Call("ZRANGE", key, "0", "-1", "WITHSCORES")
	case "stream":
		return typ + c.Call("XRANGE", key, "-", "+") + c.Call("XINFO", "STREAM", key, "FULL", "COUNT", "0")
	case "string":
		return typ + c.Call("GET", key)
	default:
		return typ
	}
}

// farFrom is a name in another stripe than a key's, nearTo one in the same.
func farFrom(db *cmdtest.DB, key string) string { return nameFor(db, key, false) }
func nearTo(db *cmdtest.DB, key string) string  { return nameFor(db, key, true) }

func nameFor(db *cmdtest.DB, key string, near bool) string {
	stripe := func(name string) uint64 { return keyspace.StripeSet(db.Keyspace.Placement([]byte(name))) }
	for i := 0; ; i++ {
		if name := fmt.Sprint("name:", i); (stripe(name) == stripe(key)) == near {
			return name
		}
	}
}

var bigTypes = []string{"string", "list", "hash", "set", "zset", "stream"}

// TestPieces copies and renames big values of every type. Until that is done, everybody else
// sees the keys as they were.
func TestPieces(t *testing.T) {
	for _, typ := range bigTypes {
		for _, tt := range []struct {
			call, reply string
			old         string // type of what the destination holds
		}{
			{"COPY from TO", ":1", ""},
			{"COPY from TO REPLACE", ":1", "string"},
			{"COPY from TO REPLACE", ":1", "hash"},
			{"COPY from from DB 1", ":1", ""},
			{"RENAME from TO", "+OK", ""},
			{"RENAME from TO", "+OK", "zset"},
			{"RENAMENX from TO", ":1", ""},
		} {
			db, s := newStepped(t)
			to := farFrom(db, "from")
			call := strings.ReplaceAll(tt.call, "TO", to)
			makeBig(t, db.Client, typ, "from", 1000)
			do(db, "PEXPIRE from 100000").Want("1")
			if tt.old != "" {
				makeBig(t, db.Client, tt.old, to, 700)
			}
			want, other := contents(t, db.Client, "from"), db.NewClient()
			db.TakeJournal()
			if got := do(db, call).Raw(); got != "" {
				t.Fatalf("%s of a %s: %q at once", call, typ, got)
			}
			<-s.rests
			if got := other.Do("TYPE", to).Text(); got != "none" && got != tt.old {
				t.Errorf("%s: the destination is a %s meanwhile", call, got)
			}
			if got := other.Do("PTTL", "from").Text(); got != "100000" {
				t.Errorf("%s: the original has %s ms meanwhile", call, got)
			}
			db.WantJournal()
			if got := s.end(t, db.Client, nil); got != tt.reply {
				t.Errorf("%s of a %s: %q", call, typ, got)
			}
			db.WantJournal(call)
			if strings.HasSuffix(call, "DB 1") {
				do(db, "SELECT 1").Want("OK")
				to = "from"
			}
			if got := contents(t, db.Client, to); got != want {
				t.Errorf("%s: the copy of a %s is %.200q, was %.200q", call, typ, got, want)
			}
			db.Do("PTTL", to).Want("100000")
			moved := "1"
			if strings.HasPrefix(call, "RENAME") {
				moved = "0"
			}
			db.Do("SELECT", "0")
			do(db, "EXISTS from").Want(moved)
		}
	}
}

// TestPiecesQuick: what does not take long is no task, nor what moves within its stripe, nor
// what is part of a transaction.
func TestPiecesQuick(t *testing.T) {
	db, _ := newStepped(t)
	makeBig(t, db.Client, "hash", "h", 1000)
	makeBig(t, db.Client, "list", "l", 100)
	far, near := farFrom(db, "h"), nearTo(db, "h")
	run(t, db,
		step{"COPY l m", "1"}, step{"COPY l m", "0"}, step{"RENAME l n", "OK"}, step{"RENAMENX n l", "1"},
		step{"RENAME h " + near, "OK"}, step{"RENAMENX " + near + " h", "1"}, step{"RENAME h h", "OK"},
		step{"MOVE h 1", "1"}, step{"SELECT 1", "OK"}, step{"MOVE h 0", "1"}, step{"SELECT 0", "OK"},
		step{"RENAMENX h l", "0"}, step{"COPY h l", "0"},
		step{"MULTI", "OK"}, step{"COPY h " + far, "QUEUED"}, step{"RENAME h other", "QUEUED"},
		step{"EXEC", "[1 OK]"},
		step{"HLEN " + far, "1000"}, step{"HLEN other", "1000"}, step{"EXISTS h", "0"},
	)
}

// TestPiecesMeanwhile: what happens to the keys while the copy is made.
func TestPiecesMeanwhile(t *testing.T) {
	const noKey = "-ERR no such key"
	for _, tt := range []struct {
		call      string
		meanwhile []step // by another client
		reply     string
		after     []step
	}{
		// The destination is free.
		{"RENAME from TO", []step{{"SET TO v", "OK"}, {"GET TO", "v"}}, "+OK", []step{{"TYPE TO", "hash"}}},
		{"COPY from TO", []step{{"SET TO v", "OK"}}, ":0", []step{{"GET TO", "v"}, {"TYPE from", "hash"}}},
		{"RENAMENX from TO", []step{{"SET TO v", "OK"}}, ":0", []step{{"GET TO", "v"}, {"TYPE from", "hash"}}},
		{"RENAMENX from TO", []step{{"SET TO v", "OK"}, {"DEL TO", "1"}}, ":1", []step{{"HLEN TO", "1000"}}},
		// The original can be read.
		{"RENAME from TO", []step{{"HLEN from", "1000"}, {"EXISTS from TO", "1"}}, "+OK", []step{{"HLEN TO", "1000"}}},
		{"COPY from TO", []step{{"HGET from element:1", "valuex"}}, ":1", []step{{"HGET TO element:1", "valuex"}}},
		// It goes with its database.
		{"COPY from TO", []step{{"FLUSHALL", "OK"}}, ":0", []step{{"EXISTS from TO", "0"}}},
		{"RENAME from TO", []step{{"FLUSHALL", "OK"}}, noKey, []step{{"EXISTS from TO", "0"}}},
		{"RENAMENX from TO", []step{{"FLUSHDB", "OK"}}, noKey, []step{{"EXISTS from TO", "0"}}},
		{"COPY from TO DB 1", []step{{"FLUSHDB", "OK"}}, ":0", []step{{"EXISTS from", "0"}}},
		{"RENAME from TO", []step{{"SWAPDB 0 1", "OK"}}, noKey, []step{{"SELECT 1", "OK"}, {"HLEN from", "1000"}}},
		{"COPY from TO", []step{{"SWAPDB 1 2", "OK"}}, ":1", []step{{"HLEN TO", "1000"}}},
		{"COPY from from DB 1", []step{{"SELECT 1", "OK"}, {"FLUSHDB", "OK"}}, ":1", []step{{"HLEN from", "1000"}}},
		// Another has taken its place: that of database 3 or 4.
		{"RENAME from TO", []step{{"SWAPDB 0 3", "OK"}}, "+OK",
			[]step{{"GET TO", "v"}, {"EXISTS from", "0"}, {"SELECT 3", "OK"}, {"HLEN from", "1000"}}},
		{"COPY from TO", []step{{"SWAPDB 3 0", "OK"}}, ":1", []step{{"GET TO", "v"}, {"EXISTS from", "1"}}},
		{"RENAMENX from TO", []step{{"SWAPDB 0 4", "OK"}}, ":1", []step{{"SCARD TO", "1000"}, {"EXISTS from", "0"}}},
	} {
		db, s := newStepped(t)
		to := farFrom(db, "from")
		makeBig(t, db.Client, "hash", "from", 1000)
		run(t, db, step{"SELECT 3", "OK"}, step{"SET from v", "OK"}, step{"SELECT 4", "OK"})
		makeBig(t, db.Client, "set", "from", 1000)
		do(db, "SELECT 0")
		replace := strings.NewReplacer("TO", to)
		do(db, replace.Replace(tt.call))
		<-s.rests
		other := db.NewClient()
		for _, m := range tt.meanwhile {
			other.Do(strings.Fields(replace.Replace(m.call))...).Want(m.want)
		}
		if got := s.end(t, db.Client, nil); got != tt.reply {
			t.Errorf("%s, meanwhile %v: %q", tt.call, tt.meanwhile, got)
		}
		for _, m := range tt.after {
			do(db, replace.Replace(m.call)).Want(m.want)
		}
		if db.Shared.Attention.Load() != 0 {
			t.Error("keys are held still")
		}
	}
}

// TestPiecesHold: who would change the original waits, and finds what has become of it; the
// client's own commands wait too.
func TestPiecesHold(t *testing.T) {
	db, s := newStepped(t)
	to := farFrom(db, "from")
	makeBig(t, db.Client, "list", "from", 1000)
	do(db, "RENAME from "+to)
	<-s.rests
	writer, waiter, watcher := db.NewClient(), db.NewClient(), db.NewClient()
	watcher.Do("WATCH", to)
	watcher.Do("MULTI")
	watcher.Do("GET", to)
	if got := waiter.Call("BLMOVE", to, "from", "LEFT", "RIGHT", "0"); got != "" {
		t.Fatalf("%q", got)
	}
	if got := writer.Call("RPUSH", "from", "late"); got != "" {
		t.Errorf("the original was changed: %q", got)
	}
	if got := db.Raw([]byte("EXISTS from\r\n")); len(got) != 0 {
		t.Errorf("the client does not wait: %q", got)
	}
	if got := s.end(t, db.Client, nil); got != "+OK\r\n:0" {
		t.Errorf("%q", got)
	}
	if got := string(waiter.Tick()); !strings.HasPrefix(got, "$") { // it waited for the hold
		t.Errorf("%q", got)
	}
	if got := string(writer.Tick()); got != ":2\r\n" {
		t.Errorf("%q", got)
	}
	db.Do("LLEN", to).Want("999")
	watcher.Do("EXEC").WantNil()
}

// TestPiecesServed: a client that waits is not served into a key that is held.
func TestPiecesServed(t *testing.T) {
	db, s := newStepped(t)
	to := farFrom(db, "from")
	makeBig(t, db.Client, "list", "from", 1000)
	mover, popper := db.NewClient(), db.NewClient()
	mover.Call("BLMOVE", "source", "from", "LEFT", "RIGHT", "0")
	popper.Call("BLPOP", "source", "0")
	do(db, "COPY from "+to)
	<-s.rests
	other := db.NewClient()
	other.Do("RPUSH", "source", "a", "b").Want("2")
	if got := string(mover.Tick()); got != "" {
		t.Errorf("the original was changed: %q", got)
	}
	if got := string(popper.Tick()); got != "*2\r\n$6\r\nsource\r\n$1\r\na\r\n" {
		t.Errorf("%q", got)
	}
	if got := s.end(t, db.Client, nil); got != ":1" {
		t.Errorf("%q", got)
	}
	if got := string(mover.Tick()); got != "$1\r\nb\r\n" {
		t.Errorf("%q", got)
	}
	db.Do("LLEN", "from").Want("1001")
	db.Do("LLEN", to).Want("1000")
}

// TestPiecesGivenUp: for want of memory or because the server ends, nothing has changed.
func TestPiecesGivenUp(t *testing.T) {
	for _, typ := range bigTypes {
		db, s := newStepped(t)
		to := farFrom(db, "from")
		makeBig(t, db.Client, typ, "from", 1000)
		makeBig(t, db.Client, "set", to, 700)
		from, was, used := contents(t, db.Client, "from"), contents(t, db.Client, to), db.Keyspace.UsedMemory()
		for _, call := range []string{"COPY from " + to + " REPLACE", "RENAME from " + to} {
			db.TakeJournal()
			do(db, call)
			<-s.rests
			if got := s.end(t, db.Client, resp.ErrOOM); !strings.HasPrefix(got, "-OOM ") {
				t.Errorf("%s: %q", call, got)
			}
			do(db, call)
			<-s.rests
			db.Shared.Ending.Store(true)
			if got := s.end(t, db.Client, nil); got != "-ERR the server ends" {
				t.Errorf("%s: %q", call, got)
			}
			db.Shared.Ending.Store(false)
			for db.Keyspace.LazyFree() {
				continue
			}
			if now := db.Keyspace.UsedMemory(); now != used {
				t.Errorf("%s of a %s: %d bytes were used, now %d", call, typ, used, now)
			}
			if contents(t, db.Client, "from") != from || contents(t, db.Client, to) != was {
				t.Errorf("%s of a %s: something has changed", call, typ)
			}
			db.WantJournal()
		}
	}
}

// TestPiecesPaused: while clients are paused nothing changes.
func TestPiecesPaused(t *testing.T) {
	db, s := newStepped(t)
	to := farFrom(db, "from")
	makeBig(t, db.Client, "hash", "from", 1000)
	do(db, "RENAME from "+to)
	for range 3 { // until the copy is whole
		<-s.rests
		db.Keyspace.Tuning.Frozen.Store(true)
		s.proceed <- nil
	}
	for range 20 {
		<-s.rests
		db.Keyspace.Tuning.Frozen.Store(true)
		s.proceed <- exec.ErrPostpone
	}
	<-s.rests
	do2 := db.NewClient()
	do2.Do("EXISTS", to).Want("0")
	db.Keyspace.Tuning.Frozen.Store(false)
	if got := s.end(t, db.Client, nil); got != "+OK" {
		t.Errorf("%q", got)
	}
	do2.Do("HLEN", to).Want("1000")
}

// TestPiecesWithoutClient: what was begun is brought to its end.
func TestPiecesWithoutClient(t *testing.T) {
	db, s := newStepped(t)
	to := farFrom(db, "from")
	makeBig(t, db.Client, "zset", "from", 1000)
	c, other := db.NewClient(), db.NewClient()
	c.Do("RENAME", "from", to)
	<-s.rests
	c.Close()
	other.Call("DEL", "from") // waits
	if got := s.end(t, other, nil); got != ":0" {
		t.Errorf("%q", got)
	}
	db.Do("ZCARD", to).Want("1000")
}

// TestPiecesExpire: the original's time comes.
func TestPiecesExpire(t *testing.T) {
	for call, reply := range map[string]string{"COPY from TO": ":0", "RENAME from TO": "-ERR no such key"} {
		db, s := newStepped(t)
		call = strings.ReplaceAll(call, "TO", farFrom(db, "from"))
		makeBig(t, db.Client, "set", "from", 1000)
		do(db, "PEXPIRE from 1000").Want("1")
		db.TakeJournal()
		do(db, call)
		<-s.rests
		db.Clock.Advance(2 * time.Second)
		if got := s.end(t, db.Client, nil); got != reply {
			t.Errorf("%s: %q", call, got)
		}
		db.WantJournal("DEL from")
		do(db, "DBSIZE")
	}
}

// TestPiecesAtOnce runs copies and renames of big and small values, and changes of them, on
// two loops at the same time. What the journal says must come to the same.
func TestPiecesAtOnce(t *testing.T) {
	db := newFullDB(t)
	second := *db
	second.Executor = exec.New(db.Shared)
	keys := []string{"a", "b", "c", "d", "e", "f"}
	for i, typ := range bigTypes {
		makeBig(t, db.Client, typ, fmt.Sprint("big:", i), 600)
	}
	effects := db.TakeJournal()
	var tasks atomic.Int32
	var wg sync.WaitGroup
	db.Shared.Background = func(task func()) {
		tasks.Add(1)
		wg.Go(task)
	}
	for i, loop := range []*cmdtest.DB{db, &second} {
		rng := rand.New(rand.NewPCG(uint64(i), 5))
		key := func() string { return keys[rng.IntN(len(keys))] }
		clients := []*cmdtest.Client{loop.NewClient(), loop.NewClient(), loop.NewClient()}
		wg.Go(func() {
			for range 400 {
				c := clients[rng.IntN(len(clients))]
				call := []string{"RENAME", key(), key()}
				switch rng.IntN(8) {
				case 0:
					call = []string{"COPY", fmt.Sprint("big:", rng.IntN(len(bigTypes))), key(), "REPLACE"}
				case 1:
					call = []string{"COPY", key(), key()}
				case 2:
					call = []string{"RENAMENX", key(), key()}
				case 3:
					call = []string{"SADD", key(), fmt.Sprint(rng.IntN(1000))}
				case 4:
					call = []string{"LPUSH", key(), fmt.Sprint(rng.IntN(1000))}
				case 5:
					call = []string{"HSET", key(), fmt.Sprint(rng.IntN(1000)), "v"}
				case 6:
					call = []string{"ZADD", key(), "1", fmt.Sprint(rng.IntN(1000))}
				}
				for got := c.Call(call...); got == "" && c.Session.Stopped; {
					for _, c := range clients { // some may wait for each other's tasks
						got += string(c.Tick())
					}
					time.Sleep(50 * time.Microsecond)
				}
			}
		})
	}
	wg.Wait()
	if n := tasks.Load(); n < 100 || db.Shared.Attention.Load() != 0 {
		t.Errorf("%d tasks, and keys are held: %x", n, db.Shared.Attention.Load())
	}
	effects = append(effects, db.TakeJournal()...)
	replay := newQuietFullDB(t)
	for _, args := range effects {
		await(t, replay.Client, strings.Join(args, " "))
	}
	for _, key := range keys {
		if got, want := contents(t, db.Client, key), contents(t, replay.Client, key); got != want {
			t.Errorf("%s is %.100q, and after the journal %.100q", key, got, want)
		}
	}
}
