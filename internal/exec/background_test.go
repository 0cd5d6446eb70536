package exec_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// slow is a family whose one writing command works in the background until it is let go.
func slow(began, proceed chan bool) []*command.Spec {
	var f command.Family
	f.Add(command.Spec{Name: "SLOWSET", Arity: -3, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			key, val := append([]byte(nil), c.Args[1]...), append([]byte(nil), c.Args[2]...)
			fails, lets := len(c.Args) > 3 && c.Args.Is(3, "FAIL"), len(c.Args) > 3 && c.Args.Is(3, "LET")
			run := func(w command.Worker, out *resp.Writer) error {
				began <- true
				<-proceed
				if fails {
					return errors.New("it did not work")
				}
				out.BulkString("done")
				return w.Locked([][]byte{key}, func(c *command.Ctx) error {
					c.JournalAs([]byte("PUT"), key, val)
					return c.DB.SetString(key, val, keyspace.NoTTL)
				})
			}
			return c.Detach(command.Task{Hold: [][]byte{key}, HoldAll: !lets, Run: run})
		}})
	f.Add(command.Spec{Name: "PUT", Arity: 3, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			c.Out.OK()
			return c.DB.SetString(c.Args[1], c.Args[2], keyspace.NoTTL)
		}})
	f.Add(command.Spec{Name: "CLEAR", Arity: 1, Flags: command.Write | command.Exclusive,
		Run: func(c *command.Ctx) error {
			c.DB.Delete([]byte("k"))
			c.Out.OK()
			return nil
		}})
	return f.Specs
}

// until ticks until the client is told something.
func until(t *testing.T, c *cmdtest.Client) string {
	t.Helper()
	for range 5000 {
		if got := string(c.Tick()); got != "" {
			return got
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("nothing comes")
	return ""
}

// TestTask: the client of a task waits, with what it sent behind it; others wait only if
// they would change what the task holds, and go on in the order in which they came.
func TestTask(t *testing.T) {
	began, proceed := make(chan bool, 1), make(chan bool)
	db := cmdtest.New(t, slow(began, proceed))
	db.RecordJournal()
	if got := db.Raw([]byte("SLOWSET k v\r\nPUT k behind\r\n")); len(got) != 0 {
		t.Fatalf("answered at once: %q", got)
	}
	<-began
	if db.Session.Wait == nil || db.Session.Wait.Unblock(true) {
		t.Error("CLIENT UNBLOCK ends a task")
	}
	other, clearing := db.NewClient(), db.NewClient()
	if got := other.Raw([]byte("PUT other x\r\nPUT k y\r\nPUT other z\r\n")); string(got) != "+OK\r\n" {
		t.Errorf("beside the task: %q", got)
	}
	if got := clearing.Do("CLEAR").Raw(); got != "" {
		t.Errorf("a command that changes everything does not wait: %q", got)
	}
	if got := string(other.Tick()); got != "" {
		t.Errorf("tried again before the end: %q", got)
	}
	proceed <- true
	if got := until(t, db.Client); got != "$4\r\ndone\r\n+OK\r\n" {
		t.Errorf("%q", got)
	}
	if got := string(other.Tick()); got != "+OK\r\n+OK\r\n" {
		t.Errorf("%q", got)
	}
	if got := string(clearing.Tick()); got != "+OK\r\n" {
		t.Errorf("%q", got)
	}
	db.WantJournal("PUT other x", "PUT k v", "PUT k behind", "PUT k y", "PUT other z", "CLEAR")
	if db.Shared.Attention.Load() != 0 {
		t.Error("commands are asked about for nothing")
	}
}

// turning is a connection whose loop takes a turn whenever it is woken.
type turning struct {
	session.Link
	turn func()
}

func (l turning) Wake() { l.turn() }

// TestTaskAnswered: whoever has the reply of a task finds the session going on, whenever its
// loop looked.
func TestTaskAnswered(t *testing.T) {
	began, proceed := make(chan bool, 1), make(chan bool, 1)
	db := cmdtest.New(t, slow(began, proceed))
	replies := make(chan string, 10)
	db.Session.Link = turning{db.Session.Link, func() {
		if got := string(db.Tick()); got != "" {
			replies <- got
			replies <- db.Call("PUT", "k", "w")
		}
	}}
	db.Call("SLOWSET", "k", "v")
	<-began
	proceed <- true
	if got := <-replies + <-replies; got != "$4\r\ndone\r\n+OK\r\n" {
		t.Errorf("%q", got)
	}
}

// TestTaskFails: an error is the reply, and counted as one.
func TestTaskFails(t *testing.T) {
	began, proceed := make(chan bool, 1), make(chan bool, 1)
	db := cmdtest.New(t, slow(began, proceed))
	var tasks atomic.Int32
	db.Shared.Background = func(task func()) {
		tasks.Add(1)
		go func() {
			defer tasks.Add(-1)
			task()
		}()
	}
	proceed <- true
	db.Do("SLOWSET", "k", "v", "fail")
	if got := until(t, db.Client); got != "-ERR it did not work\r\n" {
		t.Errorf("%q", got)
	}
	if x := db.Executor; x.Stats.ErrorTotal != 1 || x.Stats.Processed != 1 {
		t.Errorf("%d errors, %d commands", x.Stats.ErrorTotal, x.Stats.Processed)
	}
	for i := 0; tasks.Load() != 0 && i < 5000; i++ {
		time.Sleep(time.Millisecond)
	}
	if tasks.Load() != 0 {
		t.Error("the task does not end")
	}
	db.Do("PUT", "k", "v").Want("OK")
}

// TestTaskWithoutClient: what was begun is brought to its end.
func TestTaskWithoutClient(t *testing.T) {
	began, proceed := make(chan bool, 1), make(chan bool)
	db := cmdtest.New(t, slow(began, proceed))
	db.RecordJournal()
	c := db.NewClient()
	c.Do("SLOWSET", "k", "v")
	<-began
	c.Close()
	db.Do("PUT", "k", "w")
	proceed <- true
	if got := until(t, db.Client); got != "+OK\r\n" {
		t.Errorf("%q", got)
	}
	db.WantJournal("PUT k v", "PUT k w")
}

// TestTaskLets: a task that does not forbid it lets commands change whole databases, also
// while another forbids it for other keys, but only when that is over.
func TestTaskLets(t *testing.T) {
	began, proceed := make(chan bool, 1), make(chan bool)
	db := cmdtest.New(t, slow(began, proceed))
	db.RecordJournal()
	db.Do("SLOWSET", "k", "v", "LET")
	<-began
	other := db.NewClient()
	other.Do("CLEAR").Want("OK")
	if got := other.Call("PUT", "k", "w"); got != "" {
		t.Errorf("the key is not held: %q", got)
	}
	third := db.NewClient()
	third.Call("SLOWSET", "l", "v")
	<-began
	clearing := db.NewClient()
	if got := clearing.Call("CLEAR"); got != "" {
		t.Errorf("a command that changes everything does not wait: %q", got)
	}
	for range 2 {
		proceed <- true
	}
	for _, c := range []*cmdtest.Client{db.Client, third} {
		if got := until(t, c); got != "$4\r\ndone\r\n" {
			t.Errorf("%q", got)
		}
	}
	for _, c := range []*cmdtest.Client{other, clearing} {
		if got := until(t, c); got != "+OK\r\n" {
			t.Errorf("%q", got)
		}
	}
	if db.Shared.Attention.Load() != 0 {
		t.Error("commands are asked about for nothing")
	}
}
