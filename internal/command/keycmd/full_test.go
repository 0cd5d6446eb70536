package keycmd_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/hashcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
	"github.com/spineldb/spinel/internal/command/streamcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
	"github.com/spineldb/spinel/internal/resp"
)

// fullFamilies are the commands of all types of values.
func fullFamilies() [][]*command.Spec {
	return [][]*command.Spec{
		keycmd.Family.Specs, txcmd.Family.Specs, listcmd.Family.Specs, setcmd.Family.Specs, hashcmd.Family.Specs,
		zsetcmd.Family.Specs, streamcmd.Family.Specs, selectFixture(),
		cmdtest.Strings(),
	}
}

// newFullDB is a server with the commands of all types of values.
func newFullDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	db := newQuietFullDB(t)
	db.RecordJournal()
	return db
}

func newQuietFullDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	return cmdtest.New(t, fullFamilies()...)
}

// ordered is the elements of a reply that is an array of strings, as they come.
func ordered(t testing.TB, raw string) (out []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(raw, "\r\n"), "\r\n")
	if !strings.HasPrefix(raw, "*") || len(lines)%2 == 0 {
		t.Fatalf("not an array of strings: %q", raw)
	}
	for i := 2; i < len(lines); i += 2 {
		out = append(out, lines[i])
	}
	return slices.Clip(out)
}

func selectFixture() []*command.Spec {
	var f command.Family
	f.Add(command.Spec{Name: "SELECT", Arity: 2, Run: func(c *command.Ctx) error {
		n, err := c.Args.Int(1)
		if err != nil || n < 0 || n >= int64(c.DB.Databases()) {
			return resp.ErrDBIndex
		}
		c.Session.DB = int(n)
		c.Out.OK()
		return nil
	}})
	return f.Specs
}
