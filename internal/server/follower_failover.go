package server

import (
	"math"
	"strconv"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/replcmd"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// Follow implements replcmd.Follower.
func (f *follower) Follow(c *command.Ctx, t replication.Target) {
	f.follow(t, false)
	f.log.Noticef("REPLICAOF %s enabled (user request from '%s')", t, f.who(c.Session))
}

// Promote implements replcmd.Follower.
func (f *follower) Promote(c *command.Ctx) {
	if f.active.Load() {
		f.promote()
		f.log.Noticef("MASTER MODE enabled (user request from '%s')", f.who(c.Session))
	}
}

// who is how the log calls a client.
func (f *follower) who(s *session.Session) string {
	return "id=" + strconv.FormatUint(s.ID, 10) + " addr=" + s.Remote
}

// Offset implements replcmd.Follower.
func (f *follower) Offset() int64 { return f.journal.Appended() }

// Link implements replcmd.Follower.
func (f *follower) Link() replication.Status { return f.link.Status() }

// FailoverState implements replcmd.Follower.
func (f *follower) FailoverState() replication.FailoverState {
	return replication.FailoverState(f.state.Load())
}

// setFailover replaces the failover that is under way, and returns it.
func (f *follower) setFailover(o replication.Failover) (was replication.Failover) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was, f.failover = f.failover, o
	f.state.Store(int32(o.State))
	return was
}

// Failover implements replcmd.Follower.
func (f *follower) Failover(o replcmd.FailoverOptions) {
	fresh := replication.Failover{State: replication.WaitingForSync, Target: o.Target, Force: o.Force}
	if o.Timeout > 0 {
		fresh.Until = f.clock.Mono() + int64(o.Timeout)
	}
	f.setFailover(fresh)
	f.log.Noticef("FAILOVER requested to %s.", failoverName(o.Target))
	f.pauseWrites(true)
	f.master.RequestAcks()
}

// failoverName is the target of a failover as the log shows it.
func failoverName(t replication.Target) string {
	if t.IsNone() {
		return "any replica"
	}
	return t.String()
}

// pauseWrites has clients' writes wait for the end of a failover.
func (f *follower) pauseWrites(on bool) {
	if on {
		f.sessions.Pause.Set(session.PauseForFailover, session.PauseWrites, math.MaxInt64, f.clock.Mono())
	} else {
		f.sessions.Pause.Clear(session.PauseForFailover)
	}
	f.paused()
}

// AbortFailover implements replcmd.Follower. Exclusive mode.
func (f *follower) AbortFailover(why string) {
	was := f.setFailover(replication.Failover{})
	if was.State == replication.NoFailover {
		return
	}
	f.log.Noticef("Aborting failover to %s while %s. Failed: %s", failoverName(was.Target), was.State, why)
	if was.State == replication.InProgress {
		f.promote()
	}
	f.pauseWrites(false)
}

// FailedOver implements replication.Site.
func (f *follower) FailedOver(err error) {
	if err != nil {
		f.AbortFailover(err.Error())
		return
	}
	f.setFailover(replication.Failover{})
	f.pauseWrites(false)
}

// failoverCron goes on with a failover. It is called some times a second.
func (f *follower) failoverCron() {
	if f.FailoverState() != replication.WaitingForSync {
		return
	}
	f.Exclusive(func() {
		f.mu.Lock()
		act := f.failover.Step(f.clock.Mono(), f.master.CaughtUp)
		now := f.failover
		f.state.Store(int32(now.State))
		f.mu.Unlock()
		switch act {
		case replication.FailoverLate:
			f.AbortFailover("Replica never caught up before timeout")
		case replication.FailoverBegin:
			if now.Until > 0 && f.clock.Mono() >= now.Until {
				f.log.Noticef("Failover to %s time out exceeded, failing over.", now.Target)
			} else {
				f.log.Noticef("Failover target %s is synced, failing over.", now.Target)
			}
			f.follow(now.Target, true)
		}
	})
}

// Errors of PSYNC.
var (
	errNotAReplica  = resp.Errorf("PSYNC FAILOVER can't be sent to a master.")
	errOtherStream  = resp.Errorf("PSYNC FAILOVER replid must match my replid.")
	errFailingOver  = &resp.Error{Code: "NOMASTERLINK", Text: "Can't SYNC while failing over"}
	errNoMasterLink = &resp.Error{Code: "NOMASTERLINK", Text: "Can't SYNC while not connected with my master"}
)

// takeOver makes a master of this replica, as its master asks.
func (f *follower) takeOver(c *command.Ctx, id string) error {
	f.log.Warnf("Failover request received for replid %s.", id)
	if !f.active.Load() {
		return errNotAReplica
	}
	if id != f.master.History().ID {
		return errOtherStream
	}
	c.Engine.Exclusive(f.promote)
	f.log.Noticef("MASTER MODE enabled (failover request from '%s')", f.who(c.Session))
	return nil
}

// refusesReplicas says why nobody can be our replica now.
func (f *follower) refusesReplicas() error {
	switch {
	case f.FailoverState() != replication.NoFailover:
		return errFailingOver
	case f.active.Load() && f.link.State() != replication.Connected:
		return errNoMasterLink
	}
	return nil
}
