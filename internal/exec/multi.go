package exec

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// ExecQueue implements command.Engine: it runs a transaction under the union of the
// locks of its commands and of the watched keys, so that nobody sees half of it.
func (x *Executor) ExecQueue(c *command.Ctx) error {
	s := c.Session
	queue := s.Multi.Queue
	watch, _ := s.Multi.Watch.(*keyspace.Watch)
	poisoned := s.Multi.Poisoned
	s.Multi.Watch = nil
	defer s.Multi.Reset() // its commands may ask what is queued
	spec, args := c.Spec, c.Args
	if x.Sessions.Monitors.Load() > 0 {
		defer x.show(s, spec, args) // behind its commands, or in their place
	}
	if poisoned {
		if watch != nil {
			x.Keyspace.Unwatch(watch)
		}
		return resp.ErrExecAbort
	}
	set, exclusive := x.union(queue)
	if watch != nil {
		set |= watch.Stripes()
	}
	run := func() { x.runQueue(s, queue, watch) }
	switch {
	case exclusive:
		x.Exclusive(run)
		x.runAfter()
	default:
		x.txn.Lock(set)
		run()
		x.txn.Unlock() // or what was locked to serve who waited
	}
	x.txn.Begin(s.DB, c.Now)
	c.Reset(spec, args, false) // EXEC itself is not journalled
	c.InMulti = false
	return nil
}

// union is the set of stripes that a transaction needs, or exclusive mode.
func (x *Executor) union(queue []session.Queued) (set uint64, exclusive bool) {
	for i := range queue {
		spec := queue[i].Spec.(*command.Spec)
		if spec.Flags&(command.Exclusive|command.WholeDB) != 0 {
			return 0, true
		}
		set |= x.stripes(spec, queue[i].Args, nil)
	}
	return set, false
}

// runQueue runs the commands of a transaction with everything locked. Each is timed and
// may be logged as slow by itself; EXEC is charged with all of them again.
func (x *Executor) runQueue(s *session.Session, queue []session.Queued, watch *keyspace.Watch) {
	c := &x.ctx
	if watch != nil {
		x.txn.Begin(s.DB, c.Now)
		ok := x.txn.CheckWatch(watch)
		x.txn.UnwatchLocked(watch)
		if !ok {
			s.Out.NullArray()
			return
		}
	}
	x.effects = x.effects[:0]
	s.Out.Array(len(queue))
	x.flushTimer()
	start := x.mono
	for i := range queue {
		spec := queue[i].Spec.(*command.Spec)
		x.begin(s, spec, queue[i].Args)
		c.InMulti = true // also of one that replays
		x.call(s, spec)
		x.commit(s)
		x.time(spec, &request{args: queue[i].Args})
	}
	x.flushTimer()
	x.mono = start
	x.append(x.effects)
	clear(x.effects)
	x.effects = x.effects[:0]
	if x.txn.HasReady() {
		x.serve()
	}
}
