package exec_test

import (
	"testing"

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
