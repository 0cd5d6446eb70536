package replication

import (
	"strconv"
	"strings"
)

// A FailoverState is how far a failover is that this server, a master, was asked for.
type FailoverState uint8

// The states of a failover.
const (
	NoFailover FailoverState = iota
	WaitingForSync
	InProgress
)

// String is what INFO calls it.
func (s FailoverState) String() string {
	return [...]string{"no-failover", "waiting-for-sync", "failover-in-progress"}[s]
}

// A Failover hands the role of the master over to a replica, without loss:
//
//	no-failover --FAILOVER--> waiting-for-sync --the replica has everything--> failover-in-progress
//	     ^                          |                                                |
//	     '-- ABORT, out of time ----'---- the replica is the master, or declines ----'
//
// From the first to the last nobody may write. It is a plain state machine: the time and what
// is known of the replicas come in, what is to be done goes out.
type Failover struct {
	State  FailoverState
	Target Target // none: whoever has everything first
	Force  bool   // go on without everything when the time is over
	Until  int64  // monotonic nanoseconds, 0 for any time
}

// A FailoverAct is what is to be done.
type FailoverAct uint8

// What is to be done.
const (
	FailoverWait  FailoverAct = iota
	FailoverBegin             // the target is asked to become the master
	FailoverLate              // it is given up
)

// Step decides what is to be done at a time. caughtUp finds a replica that has everything: the
// target, or any if there is none.
func (f *Failover) Step(now int64, caughtUp func(Target) (Target, bool)) FailoverAct {
	if f.State != WaitingForSync {
		return FailoverWait
	}
	if f.Until > 0 && now >= f.Until {
		if !f.Force {
			return FailoverLate
		}
		f.State = InProgress
		return FailoverBegin
	}
	if t, ok := caughtUp(f.Target); ok {
		f.Target, f.State = t, InProgress
		return FailoverBegin
	}
	return FailoverWait
}

// Find says whether a replica of that address is connected, and whether it is synchronized.
func (m *Master) Find(t Target) (found, isOnline bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.find(t)
	return r != nil, r != nil && r.state == online
}

// find is the replica of an address. mu is held.
func (m *Master) find(t Target) *Replica {
	for _, r := range m.replicas {
		if int(r.port) == t.Port && strings.EqualFold(r.host(), t.Host) {
			return r
		}
	}
	return nil
}

// CaughtUp is a replica that has acknowledged all of the stream: the one asked for, or any if
// that is none.
func (m *Master) CaughtUp(t Target) (Target, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	end := m.Journal.Appended()
	for _, r := range m.replicas {
		at := Target{r.host(), int(r.port)}
		isAsked := t.IsNone() || at.Port == t.Port && strings.EqualFold(at.Host, t.Host)
		if isAsked && r.state == online && r.ackOffset == end {
			return at, true
		}
	}
	return Target{}, false
}

// String is the address as the log shows it.
func (t Target) String() string { return t.Host + ":" + strconv.Itoa(t.Port) }
