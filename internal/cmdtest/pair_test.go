package cmdtest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/original"
)

// A failing is a test that is told to end. Its end is not that of the test around it.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// A Pair finds replies and effects that differ, and says behind what.
func TestPairFindsDifferences(t *testing.T) {
	var f command.Family
	f.Add(command.Spec{Name: "SET", Arity: 3, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			c.Out.OK()
			return c.DB.SetString(c.Args[1], c.Args[2], -1)
		}})
	f.Add(command.Spec{Name: "ECHO", Arity: 2, Run: func(c *command.Ctx) error {
		c.Out.BulkString("something else")
		return nil
	}})
	for _, tt := range []struct {
		name, want string // what the failure says, "" for none
		do         func(p *cmdtest.Pair)
	}{
		{"nothing", "", func(*cmdtest.Pair) {}},
		{"a reply", `"$14\r\nsomething else\r\n"`, func(p *cmdtest.Pair) { p.Same("ECHO", "x") }},
		{"what came before", `["SET" "k" "v"]`, func(p *cmdtest.Pair) { p.Same("ECHO", "x") }},
		{"an effect too many", `one too many: ["SET" "k" "ours"]`, func(p *cmdtest.Pair) { p.Do("SET", "k", "ours") }},
		{"an effect too few", `missing: ["SET" "k" "theirs"]`,
			func(p *cmdtest.Pair) { p.Original.Do("SET", "k", "theirs") }},
	} {
		r := original.Redis(t, original.Options{AppendOnly: true})
		inner := &failing{TB: t}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p := cmdtest.NewPair(cmdtest.New(inner, f.Specs), r)
			p.RecordJournal()
			p.Same("SET", "k", "v")
			tt.do(p)
			p.SameJournal()
		}()
		<-ended
		if !strings.Contains(inner.text, tt.want) || (inner.text == "") != (tt.want == "") {
			t.Errorf("%s: %q, want %q in it", tt.name, inner.text, tt.want)
		}
	}
}
