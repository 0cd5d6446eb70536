package exec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A server that becomes a replica tells all clients that wait, and they are forgotten.
func TestDisconnectBlocked(t *testing.T) {
	db := cmdtest.New(t, cmdtest.Strings(), listcmd.Family.Specs)
	waits, other := db.NewClient(), db.NewClient()
	waits.Call("BLPOP", "list", "0")
	db.Shared.Keyspace.Exclusive(nil, db.Shared.DisconnectBlocked)
	const told = "-UNBLOCKED force unblock from blocking operation, " +
		"instance state changed (master -> replica?)\r\n"
	if got := string(waits.Tick()); got != told || waits.Session.Closing != session.AfterReply {
		t.Errorf("%q, closing %d", got, waits.Session.Closing)
	}
	if got := other.Call("RPUSH", "list", "a"); got != ":1\r\n" || other.Session.Closing != session.Open {
		t.Errorf("%q", got)
	}
	if n := db.Shared.Sessions.Blocked.Load(); n != 0 {
		t.Errorf("%d clients wait", n)
	}
}

// A master may send what is too long for clients, and what it sends is applied in whole
// transactions, with all its bytes.
func TestMastersSession(t *testing.T) {
	db := cmdtest.New(t, cmdtest.Strings(), txcmd.Family.Specs)
	db.Shared.Limits.Bulk.Store(1 << 10)
	db.Shared.Limits.Query.Store(1 << 10)
	m, up := db.NewClient(), &upstream{}
	m.Session.Replays, m.Session.Class, m.Session.Upstream = true, session.Master, up
	set := resp.AppendCommand(nil, "SET", "k", strings.Repeat("v", 5000))
	tx := resp.AppendCommand(resp.AppendCommand(nil, "MULTI"), "SET", "k", "w")
	for i := range set {
		m.Raw(set[i : i+1])
	}
	m.Raw(tx)
	if db.Do("GET", "k").Want(strings.Repeat("v", 5000)); up.calls != 1 || string(up.all) != string(set) {
		t.Fatalf("%d commands were applied", up.calls)
	}
	end := resp.AppendCommand(nil, "EXEC")
	m.Raw(end)
	if db.Do("GET", "k").Want("w"); up.calls != 2 || string(up.all) != string(set)+string(tx)+string(end) {
		t.Errorf("%d: %q", up.calls, up.all)
	}
	if m.Session.Closing != session.Open {
		t.Error("the link was closed")
	}
}

// Where a master's stream makes no sense any more nothing is executed, whatever it looks like,
// and who reads it is told.
func TestBrokenStream(t *testing.T) {
	for _, bytes := range []string{
		"SET k x\r\n", "$3\r\nSET\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n*3\r\n", "*3\r\n$3\r\nSETX\r\n", "*x\r\n",
	} {
		db := cmdtest.New(t, cmdtest.Strings())
		m, up := db.NewClient(), &upstream{}
		m.Session.Replays, m.Session.Class, m.Session.Upstream = true, session.Master, up
		set := resp.AppendCommand(nil, "SET", "k", "v")
		m.Raw(slices.Concat(set, []byte(bytes), resp.AppendCommand(nil, "SET", "k", "later")))
		if got := db.Call("GET", "k"); got != "$1\r\nv\r\n" || string(up.all) != string(set) {
			t.Errorf("%q: %q was applied, k is %q", bytes, up.all, got)
		}
		if up.broken == nil || m.Session.Closing != session.Immediately || m.Session.Out.Len() > 0 {
			t.Errorf("%q: error %v, closing %d", bytes, up.broken, m.Session.Closing)
		}
	}
}
