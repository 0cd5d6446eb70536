package streamcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/debugcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/streamcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
)

// newDB is a DB with streams, and what else it takes to look at them.
func newDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	db := cmdtest.New(t)
	set := config.NewSchema(debugcmd.Options).NewSet()
	if err := set.Load(config.Source{Lines: []byte("enable-debug-command yes")}); err != nil {
		t.Fatal(err)
	}
	table, err := command.NewTable(nil, keycmd.Family.Specs, streamcmd.Family.Specs, txcmd.Family.Specs,
		cmdtest.Strings(), debugcmd.Family.With(debugcmd.Deps{Keyspace: db.Keyspace, Options: set}))
	if err != nil {
		t.Fatal(err)
	}
	db.Shared.Table = table
	db.Executor = exec.New(db.Shared)
	return db
}

// A step is a command and its reply.
type step struct{ call, want string }

func run(t *testing.T, db *cmdtest.DB, steps ...step) {
	t.Helper()
	for _, s := range steps {
		if got := db.Do(strings.Fields(s.call)...).Text(); got != s.want {
			t.Errorf("%s:\n got %s\nwant %s", s.call, got, s.want)
		}
	}
}
