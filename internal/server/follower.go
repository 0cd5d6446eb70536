package server

import (
	"context"
	"crypto/rand"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// # Being a replica
//
// A server is a replica while its link has a target. What follows from that is set in
// exclusive mode, in follow and promote and nowhere else: keys do not expire by themselves,
// clients' writes are not for the stream, gates ask.

// A follower is what the server is to its master. It implements replication.Site.
type follower struct {
	*Server
	link *replication.Link

	active   atomic.Bool // it is a replica
	standing atomic.Bool // the data belong to the stream's history
	beside   atomic.Bool // new data are loaded while the old ones are served

	unexpected atomic.Int64 // commands from the master that failed
	own        ownKeys

	mu       sync.Mutex
	failover replication.Failover
	state    atomic.Int32 // failover.State, for those who hold other locks
}

// newFollower makes it; there is no master yet.
func (s *Server) newFollower() *follower {
	f := &follower{Server: s}
	dial := s.dial
	if dial == nil {
		dial = f.dialMaster
	}
	f.link = replication.NewLink(replication.LinkConfig{
		Options: s.config, Clock: s.clock, Log: s.slog, Journal: s.journal, Site: f, Dial: dial, Retry: s.retry,
	})
	s.config.OnChange(replication.IgnoreMaxMemory, f.limit)
	return f
}

// dialMaster connects to a master.
func (f *follower) dialMaster(ctx context.Context, t replication.Target) (net.Conn, error) {
	var d net.Dialer
	if source := replication.SourceAddress.Get(f.config); source != "" {
		local, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(source, "0"))
		if err != nil {
			return nil, err
		}
		d.LocalAddr = local
	}
	return d.DialContext(ctx, "tcp", net.JoinHostPort(t.Host, strconv.Itoa(t.Port)))
}

// announce makes a replica of a server that has not loaded its data yet, if the options ask
// for that.
func (f *follower) announce() {
	t := replication.ReplicaOf.Get(f.config)
	if t.IsNone() {
		return
	}
	f.link.Announce(t)
	f.become(true)
}

// begin connects to the master when the data are loaded. info is what a snapshot says of them.
func (f *follower) begin(info *rdb.Info) {
	if !f.active.Load() {
		f.master.Resume(info)
		return
	}
	t := f.link.Target()
	f.Exclusive(func() {
		f.master.KeepBacklog()
		if replication.IsID(info.ReplID) && info.ReplOffset >= 0 && f.journal.StartAt(info.ReplOffset) {
			f.master.ChangeHistory(func(h *replication.History) { h.Follow(info.ReplID, info.ReplOffset, true) })
			f.journal.Select(info.ReplStreamDB)
			f.standing.Store(true)
		}
		f.link.Follow(t, false)
	})
}

// follow makes a replica of this server, or gives it another master. Exclusive mode.
func (f *follower) follow(t replication.Target, failover bool) {
	if !f.active.Load() {
		f.standing.Store(f.master.HasBacklog())
		f.master.KeepBacklog()
		f.become(true)
		f.shared.DisconnectBlocked()
	}
	f.link.Follow(t, failover)
}

// promote makes a master of this server. Its replicas connect again, and go on where they
// stand. Exclusive mode.
func (f *follower) promote() {
	f.link.Leave()
	f.become(false)
	f.master.ChangeHistory(func(h *replication.History) { h.Promote(rand.Reader, f.journal.Appended()) })
	f.master.Disconnect()
	f.journal.SelectAgain()
	h := f.master.History()
	f.log.Noticef("Setting secondary replication ID to %s, valid up to offset: %d. New replication ID is %s",
		h.ID2, h.ID2End+1, h.ID)
}

// become sets what a role means to the other parts.
func (f *follower) become(replica bool) {
	f.active.Store(replica)
	f.keyspace.Tuning.Follows.Store(replica)
	f.shared.Local.Store(replica)
	f.shared.Attend(exec.AttendFollower, replica)
	f.limit()
	role := observe.RolePrimary
	if replica {
		role = observe.RoleReplica
	}
	f.log.SetRole(role)
}

// limit says whether maxmemory is our business.
func (f *follower) limit() {
	f.keyspace.Tuning.Unlimited.Store(f.active.Load() && replication.IgnoreMaxMemory.Get(f.config))
}

// Exclusive implements replication.Site.
func (f *follower) Exclusive(fn func()) { f.keyspace.Exclusive(nil, fn) }

// Standing implements replication.Site.
func (f *follower) Standing() (id string, offset int64) {
	if !f.standing.Load() {
		return "", 0
	}
	return f.master.History().ID, f.journal.Appended()
}

// Forget implements replication.Site.
func (f *follower) Forget() { f.standing.Store(false) }

// ListensOn implements replication.Site.
func (f *follower) ListensOn() int { return int(netloop.Port.Get(f.config)) }

// GoOn implements replication.Site.
func (f *follower) GoOn(id string) {
	f.log.Noticef("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.")
	if old := f.master.History().ID; old != id {
		f.log.Warnf("Master replication ID changed to %s", id)
		f.master.ChangeHistory(func(h *replication.History) { h.Follow(id, f.journal.Appended(), false) })
		f.master.Disconnect() // who is told so when he comes back
	}
}

// Serve implements replication.Site.
func (f *follower) Serve(nc net.Conn, s *session.Session, data []byte) error {
	f.sessions.Add(s)
	if err := f.net.Adopt(nc, s, data); err != nil {
		f.sessions.Remove(s)
		return err
	}
	return nil
}

// SyncedTo implements replication.Site.
func (f *follower) SyncedTo() (offset int64, ok bool) {
	if f.keeper.Mode() != aof.On {
		return 0, false
	}
	_, offset = f.keeper.Synced()
	return offset, true
}

// unreplayed is told of a command of the master that fails. It was executed there, so the two
// have other data from here on.
func (f *follower) unreplayed(_ *session.Session, spec *command.Spec, _ command.Args, err error) {
	name := "<unknown>"
	if spec != nil {
		name = spec.FullName()
	}
	f.log.Warnf("== CRITICAL == This replica is sending an error to its master: '%s' after processing the "+
		"command '%s'", err, name)
	f.unexpected.Add(1)
	behavior := replication.OnError.Get(f.config)
	if behavior == replication.ErrorsIgnored || !replication.ReadOnly.Get(f.config) {
		return
	}
	f.log.Warnf("This replica panicked sending an error to its master after processing a command")
	f.end(1)
}

// followerGate refuses what a replica does not do.
type followerGate struct{ *follower }

var errMasterDown = &resp.Error{Code: "MASTERDOWN",
	Text: "Link with MASTER is down and replica-serve-stale-data is set to 'no'."}

func (g followerGate) Admit(s *session.Session, spec *command.Spec, flags command.Flags, _ int64) error {
	if !g.active.Load() {
		return nil
	}
	if flags&command.Write != 0 && replication.ReadOnly.Get(g.config) {
		return resp.ErrReadOnly
	}
	if g.link.State() == replication.Connected || replication.ServeStale.Get(g.config) {
		return nil
	}
	isStale := spec.Has(command.Stale)
	if spec.Name == "EXEC" {
		isStale = command.Flags(s.Multi.Lacks)&command.Stale == 0
	}
	if !isStale {
		return errMasterDown
	}
	return nil
}

// besideGate refuses what cannot be done while new data are loaded beside the old ones.
type besideGate struct{ *follower }

func (g besideGate) Admit(_ *session.Session, spec *command.Spec, _ command.Flags, _ int64) error {
	if g.beside.Load() && spec.Has(command.NoAsyncLoading) {
		return resp.ErrLoading
	}
	return nil
}

// isEmpty says whether there are no data at all.
func isEmpty(ks *keyspace.Keyspace) bool {
	for _, db := range ks.Info() {
		if db.Keys > 0 {
			return false
		}
	}
	return true
}

// # A replica's own keys
//
// A replica that clients may write to has keys that its master does not know, and will not say
// of that their time has come. Those that were given one are remembered, and removed here.

// ownMax bounds how many are remembered; further ones stay until the next full synchronization.
const ownMax = 1 << 20

// ownLook is how many of them are looked at in a round, those that come first in a map's order,
// which is another one each time.
const ownLook = 1000

type ownKeys struct {
	mu  sync.Mutex
	all map[ownKey]struct{}
}

type ownKey struct {
	db   int
	name string
}

// wrote notes the keys that a client may have given an expiry. It is called under their locks.
func (o *ownKeys) wrote(effects []command.Effect) {
	for i := range effects {
		e := &effects[i]
		at := 1
		switch string(e.Args[0]) {
		case "RENAME", "RENAMENX", "COPY":
			at = 2
		case "SET", "PEXPIREAT", "RESTORE", "GETEX":
		default:
			continue
		}
		if at >= len(e.Args) {
			continue
		}
		o.mu.Lock()
		if o.all == nil {
			o.all = map[ownKey]struct{}{}
		}
		if len(o.all) < ownMax {
			o.all[ownKey{e.DB, string(e.Args[at])}] = struct{}{}
		}
		o.mu.Unlock()
	}
}

// len is how many are remembered.
func (o *ownKeys) len() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int64(len(o.all))
}

// ownCron looks at some of them: it removes those whose time has come, and forgets those that
// have none.
func (f *follower) ownCron() {
	o := &f.own
	o.mu.Lock()
	all := make([]ownKey, 0, min(len(o.all), ownLook))
	for k := range o.all {
		if len(all) == ownLook {
			break
		}
		all = append(all, k)
	}
	o.mu.Unlock()
	for _, k := range all {
		if f.active.Load() && f.keyspace.ExpireKey(k.db, []byte(k.name)) {
			continue
		}
		o.mu.Lock()
		delete(o.all, k)
		o.mu.Unlock()
	}
}
