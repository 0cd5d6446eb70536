package exec_test

import (
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
)

// A command that waits is run again with the arguments that it gave itself for that, each
// time that its key changes.
func TestWaitWithOtherArguments(t *testing.T) {
	var f command.Family
	f.Add(command.Spec{Name: "PUT", Arity: 2, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			c.Out.OK()
			return c.DB.SetString(c.Args[1], []byte("v"), keyspace.NoTTL)
		}})
	tries := 0
	f.Add(command.Spec{Name: "LATER", Arity: 3, Keys: command.OneKey(1, command.RO),
		Run: func(c *command.Ctx) error {
			if c.Ready() != nil {
				tries++
			}
			if tries == 2 {
				c.Out.Bulk(c.Args[2])
				return nil
			}
			w := command.Wait{Type: record.Stream, Keys: c.Args[1:2], Empty: (*resp.Writer).Null}
			if c.Ready() == nil {
				w.Args = append(append(command.Args{}, c.Args[:2]...), []byte("other"))
			}
			return c.Block(w)
		}})
	db := cmdtest.New(t, f.Specs)
	waits := db.NewClient()
	if raw := waits.Do("LATER", "k", "first").Raw(); raw != "" {
		t.Fatalf("%q", raw)
	}
	db.Do("PUT", "k").Want("OK")
	if raw := waits.Tick(); len(raw) != 0 {
		t.Fatalf("%q", raw)
	}
	db.Do("PUT", "k").Want("OK")
	if raw := waits.Tick(); string(raw) != "$5\r\nother\r\n" {
		t.Fatalf("%q", raw)
	}
}

// blocking is a family around one string key: WAITFOR replies when the key is there, and
// takes it away; PUT makes it, MAKE does so in exclusive mode, without naming it.
type blocking struct {
	command.Family
	waits, puts time.Duration // what the commands take
	keyspace    *keyspace.Keyspace
	txn         *keyspace.Txn
	unlocked    int // how often WAITFOR was run without its key's lock
}

func (f *blocking) add(clk func() *clock.Manual) {
	put := func(c *command.Ctx, ttl int64) error {
		clk().Advance(f.puts)
		c.Out.OK()
		if ttl >= 0 {
			ttl += int64(c.Now)
		}
		return c.DB.SetString(c.Args[1], []byte("v"), ttl)
	}
	f.Add(command.Spec{Name: "PUT", Arity: 2, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error { return put(c, keyspace.NoTTL) }})
	f.Add(command.Spec{Name: "PUTSHORT", Arity: 2, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error { c.JournalNothing(); return put(c, 10) }})
	f.Add(command.Spec{Name: "MAKE", Arity: 2, Flags: command.Write | command.WholeDB,
		Run: func(c *command.Ctx) (err error) {
			c.Engine.Exclusive(func() { err = put(c, keyspace.NoTTL) })
			return err
		}})
	f.Add(command.Spec{Name: "WAITFOR", Arity: 2, Flags: command.Write, Keys: command.OneKey(1, command.RW),
		Run: func(c *command.Ctx) error {
			f.txn = c.DB
			if c.DB.Locked()&keyspace.StripeSet(f.keyspace.Placement(c.Args[1])) == 0 {
				f.unlocked++
			}
			if c.DB.Delete(c.Args[1]) {
				clk().Advance(f.waits)
				c.Out.Int(1)
				return nil
			}
			return c.Block(command.Wait{Type: record.String, Keys: c.Args[1:2], Empty: (*resp.Writer).Null})
		}})
}

func newBlocking(t *testing.T) (*blocking, *cmdtest.DB) {
	var f blocking
	var db *cmdtest.DB
	f.add(func() *clock.Manual { return db.Clock })
	db = cmdtest.New(t, f.Specs)
	f.keyspace = db.Keyspace
	return &f, db
}

// A command that blocks because its key's time has come journals that.
func TestBlockJournalsExpiry(t *testing.T) {
	_, db := newBlocking(t)
	db.RecordJournal()
	db.Do("PUTSHORT", "k").Want("OK")
	db.Clock.Advance(20 * time.Millisecond)
	if raw := db.NewClient().Do("WAITFOR", "k").Raw(); raw != "" {
		t.Fatalf("%q", raw)
	}
	db.WantJournal("DEL k")
	db.Do("PUT", "k").Want("OK") // or the client would wait for ever
	db.WantJournal("PUT k", "WAITFOR k")
}

// A client is served under its key's lock, also when the key came in exclusive mode, by a
// command that has no locks. Nothing is locked afterwards.
func TestServeAfterExclusive(t *testing.T) {
	f, db := newBlocking(t)
	waits := db.NewClient()
	waits.Do("WAITFOR", "k")
	db.Do("MAKE", "k").Want("OK")
	if raw := waits.Tick(); string(raw) != ":1\r\n" {
		t.Fatalf("%q", raw)
	}
	if f.unlocked != 0 || f.txn.Locked() != 0 {
		t.Errorf("run %d times without its lock; %x locked at the end", f.unlocked, f.txn.Locked())
	}
}

// However a wait is ended by others, the loop is woken once, and finds what the client is told
// and that the session may go on: who has the reply may have sent more.
func TestAnsweredInOneStep(t *testing.T) {
	_, db := newBlocking(t)
	for _, tt := range []struct {
		how  string
		end  func(waits *cmdtest.Client)
		told string
	}{
		{"served", func(*cmdtest.Client) { db.Do("PUT", "k").Want("OK") }, ":1\r\n+OK\r\n"},
		{"unblocked", func(waits *cmdtest.Client) { waits.Session.Wait.Unblock(false) }, "$-1\r\n+OK\r\n"},
		{"disconnected", func(*cmdtest.Client) { db.Keyspace.Exclusive(nil, db.Shared.DisconnectBlocked) },
			"-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n"},
	} {
		waits, wakes := db.NewClient(), 0
		waits.Session.Link = turning{waits.Session.Link, func() { wakes++ }}
		if got := waits.Raw([]byte("WAITFOR k\r\nPUT other\r\n")); len(got) != 0 {
			t.Fatalf("%s: %q", tt.how, got)
		}
		tt.end(waits)
		if got := string(waits.Tick()); got != tt.told || wakes != 1 {
			t.Errorf("%s: %q after %d wakes, want %q after one", tt.how, got, wakes, tt.told)
		}
	}
}

// Who serves a client is not charged with the time of the client's command, nor is that
// charged with the time of the command that serves it.
func TestTimeOfServed(t *testing.T) {
	f, db := newBlocking(t)
	f.puts, f.waits = 3*time.Millisecond, 50*time.Millisecond
	waits := db.NewClient()
	waits.Do("WAITFOR", "k")
	db.Do("PUT", "k").Want("OK")
	waits.Tick()
	for _, spec := range db.Shared.Table.Specs() {
		want := map[string]time.Duration{"PUT": f.puts, "WAITFOR": f.waits}[spec.Name]
		if got := time.Duration(db.Executor.Stats.Commands[spec.ID].Nanos); got != want {
			t.Errorf("%s took %v, want %v", spec.Name, got, want)
		}
	}
}
