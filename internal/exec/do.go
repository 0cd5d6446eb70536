package exec

import (
	"strings"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// step executes one request of a feed, or the error in its place.
func (x *Executor) step(f *feed, r *request) {
	s := f.s
	if s.Closing != session.Open {
		f.stopped, f.stopAt = true, len(f.buf)
		return
	}
	if s.Stopped { // by a request of an earlier piece
		f.stopped, f.stopAt = true, int(r.start)
		return
	}
	if r.err != nil {
		x.broken(s, r.err)
		return
	}
	x.Stats.Processed++
	s.CommandsRun++
	if s.Replays {
		x.replay(f, r)
		return
	}
	if s.ReplyMode != session.ReplyOn {
		x.doSilenced(f, r)
		return
	}
	x.do(f, r)
}

// broken ends a session that has sent what is no command. Masters and replicas are not told so:
// for them it would be a piece of the stream.
func (x *Executor) broken(s *session.Session, err error) {
	x.Log.Debug("Protocol error from client", "id", s.ID, "addr", s.Remote, "error", err)
	x.count(err)
	if s.Upstream != nil {
		s.Upstream.Broken(err)
	}
	if s.Upstream != nil || s.Class == session.Replica {
		s.Closing = session.Immediately
		return
	}
	s.Out.Error(err)
	s.Closing = session.AfterReply
}

var errNoMulti = &resp.Error{Code: "ERR", Text: "Command not allowed inside a transaction"}

// doSilenced executes a request whose reply the client does not want.
func (x *Executor) doSilenced(f *feed, r *request) {
	s := f.s
	if s.ReplyMode == session.ReplyNever {
		x.doFed(f, r)
		return
	}
	skip := s.ReplyMode == session.ReplySkip
	mark := s.Out.Mark()
	x.do(f, r)
	switch s.ReplyMode {
	case session.ReplyOff:
		s.Out.Rewind(mark)
	case session.ReplySkip:
		s.Out.Rewind(mark)
		if skip {
			s.ReplyMode = session.ReplyOn
		}
	case session.ReplySkipNext:
		s.Out.Rewind(mark)
		s.ReplyMode = session.ReplySkip
	}
}

// do runs one request and leaves exactly one reply in its session's writer.
func (x *Executor) do(f *feed, r *request) {
	s := f.s
	if err := x.admit(s, r.spec, r.args); err != nil {
		switch err {
		case ErrPostpone:
			x.stop(f, r)
			return
		case errHeld:
			x.keep(f, r)
			return
		}
		x.refuse(s, r, err)
		return
	}
	spec := r.spec
	switch {
	case s.Multi.Open && spec.Has(command.NoMulti):
		x.refuse(s, r, errNoMulti)
	case s.Multi.Open && !spec.Has(command.Control):
		s.Multi.Push(spec, r.args)
		s.Multi.Flags |= uint32(spec.Flags)
		s.Multi.Lacks |= ^uint32(spec.Flags)
		s.Out.Simple("QUEUED")
	case r.keys:
		x.begin(s, spec, r.args)
		x.txn.Hint(r.args[spec.FirstKey()], r.placement)
		x.txn.LockOne(r.placement)
		x.call(s, spec)
		x.afterCall(s, spec)
		x.txn.Unlock()
		x.time(spec, r)
	default:
		x.general(s, spec, r)
	}
	if x.ctx.HasNotes() {
		x.writeNotes(s)
	}
	if x.appended {
		x.wrote(s)
	}
	s.LastCommand = spec.FullName()
	if s.Wait != nil && (s.Stream == nil || !x.begun(s)) {
		f.stopped, f.stopAt = true, int(r.end)
	}
}

// general runs a command of no key, of several keys, or in exclusive mode.
func (x *Executor) general(s *session.Session, spec *command.Spec, r *request) {
	x.begin(s, spec, r.args)
	if spec.Has(command.Exclusive) {
		x.flushTimer()
		x.Exclusive(func() {
			x.call(s, spec)
			x.afterCall(s, spec)
		})
		x.runAfter()
		x.time(spec, r)
		return
	}
	set := x.stripes(spec, r.args, r.places)
	if set != 0 {
		x.txn.Lock(set)
	}
	x.call(s, spec)
	x.afterCall(s, spec)
	x.txn.Unlock() // those that it had, or that were locked to serve who waited
	x.time(spec, r)
}

// runAfter does what a command in exclusive mode put off until that is over.
func (x *Executor) runAfter() {
	if fn := x.ctx.TakeAfter(); fn != nil {
		x.report()
		fn()
	}
}

// begin readies the context for a command.
func (x *Executor) begin(s *session.Session, spec *command.Spec, args command.Args) {
	c := &x.ctx
	c.Session, c.Out, c.InMulti = s, &s.Out, s.Replays
	c.Reset(spec, args, x.Journal.Active() && !s.Replays)
	x.txn.Begin(s.DB, c.Now)
	x.txn.KeepExpired = s.Replays
	x.txn.NoTouch = s.NoTouch
	if x.Sessions.Monitors.Load() > 0 && (spec.Name != "EXEC" || !s.Multi.Open) {
		x.show(s, spec, args)
	}
}

// show lets monitors see a command.
func (x *Executor) show(s *session.Session, spec *command.Spec, args command.Args) {
	if spec.Flags&(command.SkipMonitor|command.Admin) == 0 {
		x.Monitor(s, s.DB, args)
	}
}

// call runs a command under the locks that it needs.
func (x *Executor) call(s *session.Session, spec *command.Spec) {
	mark := s.Out.Mark()
	if err := x.run(spec); err != nil {
		s.Out.Rewind(mark) // an error replaces whatever was half written
		x.failed(s, spec, err)
	}
	x.changes += int64(x.txn.Dirty())
	x.Stats.Commands[spec.ID].Calls++
}

// run runs a command in the context, and says in a client's words if the memory was not
// enough.
func (x *Executor) run(spec *command.Spec) error {
	return inWords(spec.Run(&x.ctx))
}

// inWords makes a client's error of having no memory.
func inWords(err error) error {
	if err == mem.ErrExhausted {
		return resp.ErrOOM
	}
	return err
}

// commit journals what the command did. The locks are still held, which makes the
// order of the journal, for any one key, the order the writes happened in.
func (x *Executor) commit(s *session.Session) {
	if !x.Journal.Active() || s != nil && s.Replays {
		return
	}
	dirty := x.txn.Dirty()
	if invariant.Enabled && dirty != 0 && x.ctx.Spec.Flags&(command.Write|command.Exclusive) == 0 {
		invariant.Check(false, "%s wrote but is not declared Write", x.ctx.Name())
	}
	effects := x.ctx.TakeEffects(x.txn.DB, dirty)
	if x.ctx.InMulti {
		for _, e := range effects {
			x.effects = append(x.effects, command.Effect{DB: e.DB, Args: clone(e.Args)})
		}
		return
	}
	x.append(effects)
}

// append gives effects to the journal, as a transaction if there are several.
func (x *Executor) append(effects []command.Effect) {
	if len(effects) > 1 {
		group := make([]command.Effect, 0, len(effects)+2)
		group = append(group, command.Effect{DB: effects[0].DB, Args: multiArgs})
		group = append(group, effects...)
		effects = append(group, command.Effect{DB: effects[len(effects)-1].DB, Args: execArgs})
	}
	if len(effects) == 0 {
		return
	}
	if x.Local.Load() {
		if x.OwnWrote != nil {
			x.OwnWrote(effects)
		}
		x.Journal.AppendLocal(effects)
	} else {
		x.Journal.Append(effects)
	}
	x.appended = true
}

var (
	multiArgs = [][]byte{[]byte("MULTI")}
	execArgs  = [][]byte{[]byte("EXEC")}
)

func clone(args [][]byte) [][]byte {
	out := make([][]byte, len(args))
	for i, a := range args {
		out[i] = append([]byte(nil), a...)
	}
	return out
}

// failed writes the error of a command that ran.
func (x *Executor) failed(s *session.Session, spec *command.Spec, err error) {
	s.Out.Error(err)
	x.count(err)
	x.tellOfError(s, spec, err)
	x.Stats.Commands[spec.ID].Failed++
	if s.Replays {
		x.unreplayed(s, spec, x.ctx.Args, err)
	}
}

// refuse writes the error of a command that did not run, which also makes an open
// transaction fail.
func (x *Executor) refuse(s *session.Session, r *request, err error) {
	if r.spec != nil && r.spec.Name == "EXEC" && s.Multi.Open {
		err = &resp.Error{Code: "EXECABORT", Text: "Transaction discarded because of: " + text(err)}
		x.discard(s)
	}
	s.Multi.Poison()
	s.Out.Error(err)
	x.count(err)
	x.tellOfError(s, r.spec, err)
	x.Stats.Rejected++
	if s.Replays {
		x.unreplayed(s, r.spec, r.args, err)
	}
	if r.spec != nil {
		x.Stats.Commands[r.spec.ID].Rejected++
	} else if isHTTP(r.args[0]) {
		// A browser made to send a request here by a hostile page: say nothing that the
		// page could use, and take nothing that follows.
		x.Log.Warn("Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands. "+
			"This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your "+
			"instance. Connection aborted.", "addr", s.Remote)
		s.Closing = session.Immediately
	}
}

// text is an error as it would be replied, without its code if that is ERR.
func text(err error) string {
	if e, ok := err.(*resp.Error); ok && e.Code == "ERR" {
		return e.Text
	}
	return err.Error()
}

// discard ends a transaction that will not be executed.
func (x *Executor) discard(s *session.Session) {
	if w, ok := s.Multi.Watch.(*keyspace.Watch); ok && w != nil {
		x.Keyspace.Unwatch(w)
	}
	s.Multi = session.Multi{}
}

func isHTTP(name []byte) bool {
	return strings.EqualFold(string(name), "post") || strings.EqualFold(string(name), "host:")
}

// count adds an error reply to the statistics. The number of codes is bounded, since
// scripts will be able to invent them.
func (x *Executor) count(err error) {
	code := "ERR"
	if e, ok := err.(*resp.Error); ok {
		code = e.Code
	}
	x.Stats.ErrorTotal++
	if len(x.Stats.Errors) < errorCodesMax || x.Stats.Errors[code] > 0 {
		x.Stats.Errors[code]++
	}
}

const errorCodesMax = 128

var errMonitor = &resp.Error{Code: "ERR", Text: "Replica can't interact with the keyspace"}

// admit decides whether a command may run now. The order is Redis's, since a client
// sees the first objection.
func (x *Executor) admit(s *session.Session, spec *command.Spec, args command.Args) error {
	if spec == nil {
		return x.Shared.Table.Unknown(args)
	}
	if !spec.ArityOK(len(args)) {
		return resp.WrongArity(spec.FullName())
	}
	if s.Replays {
		return x.admitReplayed(s, spec)
	}
	if !s.Authenticated && !spec.Has(command.NoAuth) {
		return resp.ErrNoAuth
	}
	if (s.Monitor || s.Class == session.Replica) &&
		spec.Flags&(command.Write|command.ReadOnly|command.MayReplicate) != 0 {
		return errMonitor
	}
	if x.Attention.Load() != 0 || x.Sessions.Pause.Active() {
		if err := x.ask(s, spec); err != nil {
			return err
		}
		return x.askHolders(s, spec, args)
	}
	return nil
}

// ask asks all gates.
func (x *Executor) ask(s *session.Session, spec *command.Spec) error {
	x.txn.Report() // so that the memory gate sees what this loop has done
	return x.askGates(s, spec, flagsOf(s, spec), x.mono)
}

// flagsOf are a command's flags, and of EXEC what those that it executes do.
func flagsOf(s *session.Session, spec *command.Spec) command.Flags {
	flags := spec.Flags
	if spec.Name == "EXEC" {
		flags |= command.Flags(s.Multi.Flags) & (command.Write | command.DenyOOM | command.MayReplicate)
	}
	return flags
}

// admitReplayed decides whether what was executed before may run now. It is never refused, but
// what a master sends waits while writes do: whoever paused them counts on it.
func (x *Executor) admitReplayed(s *session.Session, spec *command.Spec) error {
	if s.Class != session.Master || !x.Sessions.Pause.Active() {
		return nil
	}
	return PauseGate{&x.Sessions.Pause}.Admit(s, spec, flagsOf(s, spec), x.mono)
}

func (sh *Shared) askGates(s *session.Session, spec *command.Spec, flags command.Flags, now int64) error {
	for _, g := range sh.Gates {
		if err := g.Admit(s, spec, flags, now); err != nil {
			return err
		}
	}
	return nil
}

// stop keeps a request and everything behind it for later.
func (x *Executor) stop(f *feed, r *request) {
	f.stopped, f.stopAt = true, int(r.start)
	f.s.Stopped = true
	x.Stats.Processed--
	x.stopped = append(x.stopped, f.s)
	x.pausedAs = max(x.pausedAs, x.Sessions.Pause.Mode(x.mono))
}

// stripes is the set of stripes that a command's keys are in, and hints their
// placements to the transaction. places are those of a range of keys if they are known.
func (x *Executor) stripes(spec *command.Spec, args command.Args, places []uint64) (set uint64) {
	first, last, step, ok := spec.SimpleRange(len(args))
	switch {
	case ok && len(places) > 0:
		for i, p := range places {
			x.txn.Hint(args[first+i*step], p)
			set |= keyspace.StripeSet(p)
		}
	case ok && first > 0:
		for i := first; i <= last; i += step {
			set |= x.hint(args[i])
		}
	case spec.Everything != nil && spec.Everything(args):
		return keyspace.AllStripes
	case !ok:
		// If the keys cannot be found the command itself says what is wrong.
		x.refs, _ = spec.FindKeyRefs(x.refs[:0], args)
		for _, ref := range x.refs {
			set |= x.hint(args[ref.Index])
		}
	}
	return set
}

func (x *Executor) hint(key []byte) (set uint64) {
	p := x.Keyspace.Placement(key)
	x.txn.Hint(key, p)
	return keyspace.StripeSet(p)
}
