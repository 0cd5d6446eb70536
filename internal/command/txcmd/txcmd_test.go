package txcmd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/resp"
)

// data is a family of little commands to put into transactions: PUT key value [ttl],
// FETCH key, REMOVE key, MOVETO db.
func data() []*command.Spec {
	f := command.Family{Group: "string"}
	f.Add(command.Spec{Name: "PUT", Arity: -3, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: put})
	f.Add(command.Spec{Name: "FETCH", Arity: 2, Flags: command.ReadOnly, Keys: command.OneKey(1, command.RO),
		Run: func(c *command.Ctx) error {
			s, err := c.DB.String(c.Args[1])
			if err != nil {
				return err
			}
			var buf [20]byte
			c.Out.Bulk(s.Bytes(&buf))
			return nil
		}})
	f.Add(command.Spec{Name: "REMOVE", Arity: 2, Flags: command.Write, Keys: command.OneKey(1, command.RM),
		Run: func(c *command.Ctx) error {
			c.Out.Bool(c.DB.Delete(c.Args[1]))
			return nil
		}})
	f.Add(command.Spec{Name: "MOVETO", Arity: 2, Run: func(c *command.Ctx) error {
		n, err := c.Args.IntIn(1, 0, 15)
		if err != nil {
			return err
		}
		c.Session.DB = int(n)
		c.Out.OK()
		return nil
	}})
	f.Add(command.Spec{Name: "FAIL", Arity: 1, Run: func(*command.Ctx) error { return resp.ErrWrongType }})
	f.Add(command.Spec{Name: "ALONE", Arity: 1, Flags: command.Exclusive, Run: func(c *command.Ctx) error {
		c.Out.Bool(c.DB.LockedAll())
		return nil
	}})
	return f.Specs
}

func put(c *command.Ctx) error {
	expiry := int64(-1)
	if len(c.Args) > 3 {
		ttl, err := c.Args.Int(3)
		if err != nil {
			return err
		}
		expiry = int64(c.Now) + ttl
	}
	if err := c.DB.SetString(c.Args[1], c.Args[2], expiry); err != nil {
		return err
	}
	c.Out.OK()
	return nil
}

// run executes lines of the form "client> command: reply", in which client is a or b, and
// "wait> duration".
func run(t *testing.T, script string) *cmdtest.DB {
	t.Helper()
	db := cmdtest.New(t, txcmd.Family.Specs, data())
	db.RecordJournal()
	clients := map[string]*cmdtest.Client{"a": db.Client, "b": db.NewClient()}
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		who, rest, _ := strings.Cut(line, "> ")
		call, reply, _ := strings.Cut(rest, ": ")
		if who == "wait" {
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			db.Clock.Advance(d)
			continue
		}
		got := clients[who].Do(strings.Fields(call)...)
		if text, isError := strings.CutPrefix(reply, "-"); isError {
			got.WantError(text)
		} else {
			got.Want(strings.ReplaceAll(reply, `""`, ""))
		}
	}
	return db
}

// TestTexts: what Redis says where there is no transaction, or one too many.
func TestTexts(t *testing.T) {
	run(t, `
		a> EXEC: -ERR EXEC without MULTI
		a> DISCARD: -ERR DISCARD without MULTI
		a> UNWATCH: OK
		a> MULTI: OK
		a> MULTI: -ERR MULTI calls can not be nested
		a> WATCH k: -ERR WATCH inside MULTI is not allowed
		a> PUT k v: QUEUED
		a> EXEC: [OK]
		a> WATCH: -ERR wrong number of arguments for 'watch' command
		a> MULTI x: -ERR wrong number of arguments for 'multi' command
		a> UNWATCH x: -ERR wrong number of arguments for 'unwatch' command
	`)
}

// TestExec: a queue runs as a whole, in its own database from command to command, and
// is journalled as a whole. An error of one command stops none of the others.
func TestExec(t *testing.T) {
	db := run(t, `
		a> MULTI: OK
		a> PUT k v: QUEUED
		a> FAIL: QUEUED
		a> FETCH k: QUEUED
		b> FETCH k: ""
		a> EXEC: [OK -WRONGTYPE Operation against a key holding the wrong kind of value v]
		b> FETCH k: v
		a> MULTI: OK
		a> EXEC: []
		a> MULTI: OK
		a> MOVETO 3: QUEUED
		a> PUT k w: QUEUED
		a> ALONE: QUEUED
		a> EXEC: [OK OK 1]
		a> FETCH k: w
		b> FETCH k: v
	`)
	db.WantJournal("PUT k v", "[3] PUT k w")
	run(t, `
		a> MULTI: OK
		a> PUT k v: QUEUED
		a> PUT l v: QUEUED
		a> EXEC: [OK OK]
	`).WantJournal("MULTI", "PUT k v", "PUT l v", "EXEC")
}

// TestPoisoned: a command that cannot be queued makes the whole transaction fail.
func TestPoisoned(t *testing.T) {
	run(t, `
		a> MULTI: OK
		a> PUT k v: QUEUED
		a> PUT k: -ERR wrong number of arguments for 'put' command
		a> EXEC: -EXECABORT Transaction discarded because of previous errors.
		a> FETCH k: ""
		a> MULTI: OK
		a> NOSUCH: -ERR unknown command 'NOSUCH', with args beginning with:
		a> DISCARD: OK
		a> MULTI: OK
		a> PUT k v: QUEUED
		a> EXEC: [OK]
	`)
}

// TestWatch: EXEC does nothing if a watched key has changed since WATCH.
func TestWatch(t *testing.T) {
	for name, tt := range map[string]struct{ script, reply string }{
		"untouched":             {"a> WATCH k: OK", "[x]"},
		"changed by another":    {"a> WATCH k: OK\nb> PUT k y: OK", "(nil)"},
		"changed by ourselves":  {"a> WATCH k: OK\na> PUT k y: OK", "(nil)"},
		"put as it was":         {"a> WATCH k: OK\nb> PUT k x: OK", "(nil)"},
		"removed":               {"a> WATCH k: OK\nb> REMOVE k: 1", "(nil)"},
		"made":                  {"a> WATCH l m n: OK\nb> PUT n x: OK", "(nil)"},
		"not there, not made":   {"a> WATCH l m n: OK\nb> REMOVE n: 0", "[x]"},
		"another key":           {"a> WATCH k: OK\nb> PUT l y: OK", "[x]"},
		"another database":      {"a> WATCH k: OK\nb> MOVETO 1: OK\nb> PUT k y: OK", "[x]"},
		"changed before":        {"b> PUT k x: OK\na> WATCH k: OK", "[x]"},
		"watched twice":         {"a> WATCH k k: OK\na> WATCH k: OK\nb> PUT k y: OK", "(nil)"},
		"one of two calls":      {"a> WATCH k: OK\na> WATCH l: OK\nb> PUT k y: OK", "(nil)"},
		"unwatched":             {"a> WATCH k: OK\nb> PUT k x: OK\na> UNWATCH: OK", "[x]"},
		"watched anew":          {"a> WATCH k: OK\nb> PUT k x: OK\na> UNWATCH: OK\na> WATCH k: OK", "[x]"},
		"discarded before":      {"a> WATCH k: OK\na> MULTI: OK\na> DISCARD: OK\nb> PUT k x: OK", "[x]"},
		"executed before":       {"a> WATCH k: OK\na> MULTI: OK\na> EXEC: []\nb> PUT k x: OK", "[x]"},
		"failed before":         {"a> WATCH k: OK\nb> PUT k x: OK\na> MULTI: OK\na> EXEC: (nil)", "[x]"},
		"came to its end":       {"b> PUT k x 100: OK\na> WATCH k: OK\nwait> 101ms\nb> PUT l x: OK", "(nil)"},
		"has time yet":          {"b> PUT k x 100: OK\na> WATCH k: OK\nwait> 99ms", "[x]"},
		"had come to its end":   {"b> PUT l x 100: OK\nwait> 101ms\na> WATCH l: OK\nb> FETCH l: \"\"", "[x]"},
		"changed within MULTI":  {"a> WATCH k: OK\na> MULTI: OK\nb> PUT k y: OK\na> DISCARD: OK", "[y]"},
		"the other is watching": {"b> WATCH k: OK\na> PUT k x: OK\nb> UNWATCH: OK", "[x]"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, "b> PUT k x: OK\n"+tt.script+"\na> MULTI: OK\na> FETCH k: QUEUED\na> EXEC: "+tt.reply)
		})
	}
	run(t, `
		a> WATCH k: OK
		b> PUT k x: OK
		a> MULTI: OK
		a> UNWATCH: QUEUED
		a> EXEC: (nil)
		a> MULTI: OK
		a> UNWATCH: QUEUED
		a> EXEC: [OK]
	`) // queued, it comes too late
}

// TestClose: a connection that ends leaves nothing at the keys it watched.
func TestClose(t *testing.T) {
	db := cmdtest.New(t, txcmd.Family.Specs, data())
	c := db.NewClient()
	c.Do("WATCH", "k", "l").Want("OK")
	c.Do("MULTI").Want("OK")
	c.Close()
	db.Do("PUT", "k", "v").Want("OK")
	db.Do("PUT", "l", "v").Want("OK")
}

func TestAllocations(t *testing.T) {
	db := cmdtest.New(t, txcmd.Family.Specs, data())
	if n := db.AllocsPerRun("UNWATCH"); n != 0 {
		t.Errorf("UNWATCH allocates %v times", n)
	}
}
