package replcmd

import (
	"strings"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A Follower is what the server is to its master. What changes a role is called in exclusive
// mode.
type Follower interface {
	Link() replication.Status
	// Offset is how much of the stream was executed.
	Offset() int64
	Follow(c *command.Ctx, t replication.Target)
	Promote(c *command.Ctx)

	FailoverState() replication.FailoverState
	Failover(o FailoverOptions)
	AbortFailover(why string)
}

const replicaofSyntax = "args=(host-port={host port:integer} | no-one={NO ONE})"

// replicaofFlags are Redis's, and that the server changes its role when nothing else happens.
const replicaofFlags = command.Admin | command.NoScript | command.Stale | command.NoAsyncLoading |
	command.Exclusive

var _ = Family.Add(command.Spec{
	Name:       "REPLICAOF",
	Summary:    "Make the server a replica of another instance, or promote it as master.",
	Since:      "5.0.0",
	Complexity: "O(1)",
	Syntax:     replicaofSyntax,
	Arity:      3,
	Flags:      replicaofFlags,
}, Deps.replicaof)

var _ = Family.Add(command.Spec{
	Name:       "SLAVEOF",
	Summary:    "Make the server a replica of another instance, or promote it as master.",
	Since:      "1.0.0",
	Deprecated: "5.0.0",
	ReplacedBy: "`REPLICAOF`",
	Complexity: "O(1)",
	Syntax:     replicaofSyntax,
	Arity:      3,
	Flags:      replicaofFlags,
}, Deps.replicaof)

var (
	errWhileFailingOver = resp.Errorf("REPLICAOF not allowed while failing over.")
	errFromReplica      = resp.Errorf("Command is not valid when client is a replica.")
	errMasterPort       = resp.Errorf("Invalid master port")
)

// portMax is the last port.
const portMax = 65535

func (d Deps) replicaof(c *command.Ctx) error {
	if d.Follower.FailoverState() != replication.NoFailover {
		return errWhileFailingOver
	}
	if c.Args.Is(1, "NO") && c.Args.Is(2, "ONE") {
		d.Follower.Promote(c)
		c.Out.OK()
		return nil
	}
	if c.Session.Class == session.Replica {
		return errFromReplica
	}
	port, ok := numtext.ParseInt(c.Args[2])
	if !ok || port < 0 || port > portMax {
		return errMasterPort
	}
	t := replication.Target{Host: string(c.Args[1]), Port: int(port)}
	now := d.Follower.Link().Target
	if now.Port == t.Port && strings.EqualFold(now.Host, t.Host) && !now.IsNone() {
		c.Out.Simple("OK Already connected to specified master")
		return nil
	}
	if t.IsNone() {
		return errMasterHost
	}
	d.Follower.Follow(c, t)
	c.Out.OK()
	return nil
}

// errMasterHost is for an empty name, which Redis takes and tries in vain.
var errMasterHost = resp.Errorf("Invalid master host")

var _ = Family.Add(command.Spec{
	Name:       "ROLE",
	Summary:    "Return the role of the instance in the context of replication",
	Since:      "2.8.12",
	Complexity: "O(1)",
	Arity:      1,
	Flags:      command.NoScript | command.Loading | command.Stale | command.Fast,
	ACL:        command.CatAdmin | command.CatDangerous,
}, Deps.role)

func (d Deps) role(c *command.Ctx) error {
	if st := d.Follower.Link(); !st.Target.IsNone() {
		offset := int64(-1)
		if st.State == replication.Connected {
			offset = d.Follower.Offset()
		}
		c.Out.Array(5)
		c.Out.BulkString("slave")
		c.Out.BulkString(st.Target.Host)
		c.Out.Int(int64(st.Target.Port))
		c.Out.BulkString(st.State.String())
		c.Out.Int(offset)
		return nil
	}
	all := d.Master.Online()
	c.Out.Array(3)
	c.Out.BulkString("master")
	c.Out.Int(d.Follower.Offset())
	c.Out.Array(len(all))
	for _, r := range all {
		c.Out.Array(3)
		c.Out.BulkString(r.Host)
		c.Out.BulkString(string(numtext.AppendInt(nil, r.Port)))
		c.Out.BulkString(string(numtext.AppendInt(nil, r.Offset)))
	}
	return nil
}

// FailoverOptions are what FAILOVER asks for.
type FailoverOptions struct {
	Target  replication.Target // none: any replica
	Timeout time.Duration      // 0 for none
	Force   bool
}

var _ = Family.Add(command.Spec{
	Name:       "FAILOVER",
	Summary:    "Start a coordinated failover between this server and one of its replicas.",
	Since:      "6.2.0",
	Complexity: "O(1)",
	Syntax:     "[target=TO={host port:integer [FORCE]}] [ABORT] [TIMEOUT=milliseconds:integer]",
	Arity:      -1,
	Flags:      command.Admin | command.NoScript | command.Stale | command.Exclusive,
}, Deps.failover)

var (
	errNoFailover     = resp.Errorf("No failover in progress.")
	errInFailover     = resp.Errorf("FAILOVER already in progress.")
	errFailTimeout    = resp.Errorf("FAILOVER timeout must be greater than 0")
	errFailoverHere   = resp.Errorf("FAILOVER is not valid when server is a replica.")
	errNoReplicas     = resp.Errorf("FAILOVER requires connected replicas.")
	errFailoverForce  = resp.Errorf("FAILOVER with force option requires both a timeout and target HOST and IP.")
	errFailoverTarget = resp.Errorf("FAILOVER target HOST and PORT is not a replica.")
	errFailoverState  = resp.Errorf("FAILOVER target replica is not online.")
)

func (d Deps) failover(c *command.Ctx) error {
	if len(c.Args) == 2 && c.Args.Is(1, "ABORT") {
		if d.Follower.FailoverState() == replication.NoFailover {
			return errNoFailover
		}
		d.Follower.AbortFailover("Failover manually aborted")
		c.Out.OK()
		return nil
	}
	o, err := failoverOptions(c.Args)
	if err != nil {
		return err
	}
	switch {
	case d.Follower.FailoverState() != replication.NoFailover:
		return errInFailover
	case !d.Follower.Link().Target.IsNone():
		return errFailoverHere
	case d.Master.Replicas() == 0:
		return errNoReplicas
	case o.Force && (o.Timeout == 0 || o.Target.IsNone()):
		return errFailoverForce
	}
	if !o.Target.IsNone() {
		found, isOnline := d.Master.Find(o.Target)
		switch {
		case !found:
			return errFailoverTarget
		case !isOnline:
			return errFailoverState
		}
	}
	d.Follower.Failover(o)
	c.Out.OK()
	return nil
}

func failoverOptions(args command.Args) (o FailoverOptions, err error) {
	for i := 1; i < len(args); i++ {
		switch {
		case args.Is(i, "TIMEOUT") && i+1 < len(args) && o.Timeout == 0:
			ms, err := args.Int(i + 1)
			if err != nil {
				return o, err
			}
			if ms <= 0 {
				return o, errFailTimeout
			}
			o.Timeout = time.Duration(min(ms, timeoutMax)) * time.Millisecond
			i++
		case args.Is(i, "TO") && i+2 < len(args) && o.Target.IsNone():
			port, err := args.Int(i + 2)
			if err != nil {
				return o, err
			}
			o.Target = replication.Target{Host: string(args[i+1]), Port: int(port)}
			i += 2
		case args.Is(i, "FORCE") && !o.Force:
			o.Force = true
		default:
			return o, resp.ErrSyntax
		}
	}
	return o, nil
}

// timeoutMax keeps a time in the future: some hundred years, in milliseconds.
const timeoutMax = 1 << 42
