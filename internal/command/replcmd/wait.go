package replcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var _ = Family.Add(command.Spec{
	Name: "WAIT",
	Summary: "Wait for the synchronous replication of all the write commands sent in the context of the " +
		"current connection",
	Since:      "3.0.0",
	Group:      "generic",
	Complexity: "O(1)",
	Tips:       []string{"request_policy:all_shards", "response_policy:agg_min"},
	Syntax:     "numreplicas:integer timeout:integer",
	Arity:      3,
	Flags:      command.NoScript,
	ACL:        command.CatConnection,
}, wait)

var (
	errWaitReplica = resp.Errorf("WAIT cannot be used with replica instances. Please also note that since " +
		"Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas " +
		"are just local and are not propagated.")
	errWaitAOFReplica = resp.Errorf("WAITAOF cannot be used with replica instances. Please also note that " +
		"writes to replicas are just local and are not propagated.")
	errWaitAOFLocal = resp.Errorf("WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
	errLocalRange   = resp.Errorf("value is out of range, value must between 0 and 1")
	errNotPositive  = resp.Errorf("value is out of range, must be positive")
)

// wait replies with the number of replicas that have executed what this client has written,
// when that are enough or the time is over.
func wait(d Deps, c *command.Ctx) error {
	m := d.Master
	if m.Follows() {
		return errWaitReplica
	}
	want, err := c.Args.Int(1)
	if err != nil {
		return err
	}
	until, err := c.TimeoutMillis(2)
	if err != nil {
		return err
	}
	offset := c.Session.Wrote.Offset
	err = c.Await(command.Await{
		Until:   until,
		Reached: func() bool { return int64(m.Acked(offset)) >= want },
		Reply:   func(out *resp.Writer) { out.Int(int64(m.Acked(offset))) },
	})
	m.RequestAcks()
	return err
}

var _ = Family.Add(command.Spec{
	Name: "WAITAOF",
	Summary: "Wait for all write commands sent in the context of the current connection to be synced to AOF " +
		"of local host and/or replicas",
	Since:      "7.2.0",
	Group:      "generic",
	Complexity: "O(1)",
	Tips:       []string{"request_policy:all_shards", "response_policy:agg_min"},
	Syntax:     "numlocal:integer numreplicas:integer timeout:integer",
	Arity:      4,
	Flags:      command.NoScript,
	ACL:        command.CatConnection,
}, waitAOF)

// waitAOF is wait for what is on disks: on our own, 0 or 1, and on those of replicas.
func waitAOF(d Deps, c *command.Ctx) error {
	m := d.Master
	local, err := c.Args.Int(1)
	switch {
	case err != nil:
		return err
	case local < 0 || local > 1:
		return errLocalRange
	}
	want, err := c.Args.Int(2)
	switch {
	case err != nil:
		return err
	case want < 0:
		return errNotPositive
	}
	until, err := c.TimeoutMillis(3)
	if err != nil {
		return err
	}
	if m.Follows() {
		return errWaitAOFReplica
	}
	if _, on := d.Synced(); local > 0 && !on {
		return errWaitAOFLocal
	}
	at := c.Session.Wrote
	own := func() int64 {
		if mark, on := d.Synced(); on && mark >= at.Mark {
			return 1
		}
		return 0
	}
	err = c.Await(command.Await{
		Until:   until,
		Reached: func() bool { return own() >= local && int64(m.AckedOnDisk(at.Offset)) >= want },
		Reply: func(out *resp.Writer) {
			out.Array(2)
			out.Int(own())
			out.Int(int64(m.AckedOnDisk(at.Offset)))
		},
	})
	m.RequestAcks()
	return err
}
