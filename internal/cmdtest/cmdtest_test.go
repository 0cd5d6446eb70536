package cmdtest_test

import (
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
)

func family() []*command.Spec {
	f := command.Family{Group: "string"}
	f.Add(command.Spec{Name: "PUT", Arity: 3, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			if err := c.DB.SetString(c.Args[1], c.Args[2], -1); err != nil {
				return err
			}
			c.Out.OK()
			return nil
		}})
	f.Add(command.Spec{Name: "FETCH", Arity: 2, Flags: command.ReadOnly | command.Fast,
		Keys: command.OneKey(1, command.RO),
		Run: func(c *command.Ctx) error {
			s, err := c.DB.String(c.Args[1])
			if err != nil {
				return err
			}
			if !s.Exists() {
				c.Out.Null()
				return nil
			}
			var buf [20]byte
			c.Out.Bulk(s.Bytes(&buf))
			return nil
		}})
	return f.Specs
}

// The way of a request in small: parse, lock, run, journal, reply.
func TestWay(t *testing.T) {
	db := cmdtest.New(t, family())
	db.RecordJournal()
	db.Do("PUT", "k", "v").Want("OK")
	db.Do("fetch", "k").Want("v")
	db.Do("FETCH", "none").WantNil()
	db.Do("PUT", "n", "42").Want("OK")
	db.Do("FETCH", "n").Want("42")
	db.Do("PUT", "k").WantError("ERR wrong number of arguments for 'put' command")
	db.Do("NOPE", "a", "b").WantError("ERR unknown command 'NOPE', with args beginning with: 'a' 'b' ")
	db.WantJournal("PUT k v", "PUT n 42")
	pipeline := "*2\r\n$5\r\nFETCH\r\n$1\r\nk\r\n*2\r\n$5\r\nFETCH\r\n$1\r\nn\r\n"
	if got := string(db.Raw([]byte(pipeline))); got != "$1\r\nv\r\n$2\r\n42\r\n" {
		t.Errorf("pipeline: %q", got)
	}
	for _, n := range []int{1, 2, 3, 5} {
		in := "*2\r\n$5\r\nFETCH\r\n$1\r\nk\r\n"
		var got string
		for len(in) > 0 {
			piece := in[:min(n, len(in))]
			in = in[len(piece):]
			got += string(db.Raw([]byte(piece)))
		}
		if got != "$1\r\nv\r\n" {
			t.Errorf("in pieces of %d: %q", n, got)
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	db := cmdtest.New(t, family())
	db.Do("PUT", "k", "v")
	if n := db.AllocsPerRun("PUT", "k", "value"); n != 0 {
		t.Errorf("PUT allocates %v times", n)
	}
	if n := db.AllocsPerRun("FETCH", "k"); n != 0 {
		t.Errorf("FETCH allocates %v times", n)
	}
}

func BenchmarkFetch(b *testing.B) {
	db := cmdtest.New(b, family())
	db.Do("PUT", "key:000000000001", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
	db.Bench(b, "FETCH", "key:000000000001")
}

func BenchmarkPut(b *testing.B) {
	db := cmdtest.New(b, family())
	db.Bench(b, "PUT", "key:000000000001", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
}
