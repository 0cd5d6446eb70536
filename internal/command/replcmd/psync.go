package replcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

const syncFlags = command.NoAsyncLoading | command.Admin | command.NoMulti | command.NoScript

var _ = Family.Add(command.Spec{
	Name:    "SYNC",
	Summary: "Internal command used for replication",
	Since:   "1.0.0",
	Arity:   1,
	Flags:   syncFlags,
}, func(d Deps, c *command.Ctx) error {
	return d.synchronize(c, replication.Request{Old: true})
})

var _ = Family.Add(command.Spec{
	Name:    "PSYNC",
	Summary: "Internal command used for replication",
	Since:   "2.8.0",
	Syntax:  "replicationid:string offset:integer",
	Arity:   -3,
	Flags:   syncFlags,
}, psync)

var (
	errPending   = resp.Errorf("SYNC and PSYNC are invalid with pending output")
	errFilter    = resp.Errorf("Filtered replica requires EOF capability")
	errNoReplica = resp.Errorf("PSYNC FAILOVER can't be sent to a master.")
)

// psync begins to make a replica of the client: it goes on where it stands, or gets all of
// the data.
func psync(d Deps, c *command.Ctx) error {
	if c.Session.Class == session.Replica {
		return nil // as in Redis: a replica is one already
	}
	if len(c.Args) > 3 && c.Args.Is(3, "FAILOVER") {
		if d.TakeOver == nil {
			return errNoReplica
		}
		if err := d.TakeOver(c, string(c.Args[1])); err != nil {
			return err
		}
	}
	next, ok := numtext.ParseInt(c.Args[2])
	if !ok {
		d.Master.WrongOffset(c.Session)
		return resp.ErrNotInteger
	}
	return d.synchronize(c, replication.Request{ID: string(c.Args[1]), Next: next})
}

func (d Deps) synchronize(c *command.Ctx, q replication.Request) error {
	s := c.Session
	if s.Class == session.Replica || s.Monitor {
		return nil
	}
	if d.Refuses != nil {
		if err := d.Refuses(); err != nil {
			return err
		}
	}
	if s.Out.Len() > 0 { // as in Redis; what its loop has already is sent before the stream in any case
		return errPending
	}
	if r := d.Master.Known(s); r != nil && r.Unfit() {
		return errFilter
	}
	r, reply := d.Master.Sync(s, q)
	c.Out.Raw([]byte(reply))
	c.Engine.Feed(s, r)
	return nil
}
