package setcmd_test

import (
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
)

func newDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	return cmdtest.New(t, keycmd.Family.Specs, setcmd.Family.Specs)
}

func TestX(t *testing.T) {
	db := newDB(t)
	db.Do("SADD", "k", "1", "2").Want("2")
	db.Do("SMEMBERS", "k").Want("[1 2]")
	db.Do("OBJECT", "ENCODING", "k").Want("intset")
	db.Do("SADD", "k", "a").Want("1")
	db.Do("OBJECT", "ENCODING", "k").Want("listpack")
	t.Log(db.AllocsPerRun("SADD", "k", "a"), db.AllocsPerRun("SISMEMBER", "k", "a"), db.AllocsPerRun("SMEMBERS", "k"))
}
