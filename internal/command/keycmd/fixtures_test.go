package keycmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/keyspace"
)

// newDB is a server with the generic commands, and as little of other families as it
// takes to have something to work on.
func newDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	db := newQuietDB(t)
	db.RecordJournal()
	return db
}

// newQuietDB is newDB without a journal.
func newQuietDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	return cmdtest.New(t, keycmd.Family.Specs, txcmd.Family.Specs, fixtures())
}

func fixtures() []*command.Spec {
	var f command.Family
	f.Add(command.Spec{Name: "SET", Arity: 3, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			if err := c.DB.SetString(c.Args[1], c.Args[2], keyspace.NoTTL); err != nil {
				return err
			}
			c.Out.OK()
			return nil
		}})
	f.Add(command.Spec{Name: "GET", Arity: 2, Flags: command.ReadOnly, Keys: command.OneKey(1, command.RO),
		Run: func(c *command.Ctx) error {
			s, err := c.DB.String(c.Args[1])
			if err != nil || !s.Exists() {
				c.Out.Null()
				return err
			}
			c.Out.Bulk(s.Bytes(new([20]byte)))
			return nil
		}})
	f.Add(command.Spec{Name: "APPEND", Arity: 3, Flags: command.Write, Keys: command.OneKey(1, command.RW),
		Run: func(c *command.Ctx) error {
			s, err := c.DB.PeekString(c.Args[1])
			if err != nil {
				return err
			}
			n := s.Len()
			b, err := c.DB.Stretch(c.Args[1], n+len(c.Args[2]))
			if err != nil {
				return err
			}
			copy(b[n:], c.Args[2])
			c.Out.Int(int64(len(b)))
			return nil
		}})
	f.Add(command.Spec{Name: "SELECT", Arity: 2, Run: func(c *command.Ctx) error {
		n, err := c.Args.Int(1)
		c.Session.DB = int(n)
		c.Out.OK()
		return err
	}})
	return f.Specs
}

// do sends a line of words.
func do(db *cmdtest.DB, line string) *cmdtest.Reply { return db.Do(strings.Fields(line)...) }

// A step is a command and its reply; errors begin with a minus.
type step struct{ call, want string }

func run(t *testing.T, db *cmdtest.DB, steps ...step) {
	t.Helper()
	for _, s := range steps {
		do(db, s.call).Want(s.want)
	}
}
