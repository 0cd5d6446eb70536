package exec

import (
	"github.com/spineldb/spinel/internal/command"
)

// runMax is how many fast commands are timed together.
const runMax = 16

// preciseBelow is the slow log's threshold in microseconds below which every command
// is timed by itself.
const preciseBelow = 1000

// A timer charges commands with the time between two readings of the clock.
type timer struct {
	specs [runMax]*command.Spec
	n     int
}

// time notes that a command has run. Fast ones wait until their run is full.
func (x *Executor) time(spec *command.Spec, r *request) {
	t := &x.timer
	big := r.end-r.start > 1<<16
	if spec.Flags&(command.Fast|command.Quick) != 0 && !big && !x.precise() {
		t.specs[t.n] = spec
		if t.n++; t.n == runMax {
			x.flushTimer()
		}
		return
	}
	if t.n > 0 {
		// What ran before is charged together with this one's fast neighbours, since the
		// clock was not read in between; the slow one takes what is above their usual cost.
		x.flushShare(int64(t.n) * fastNanos)
	}
	x.charge(spec, r)
}

// fastNanos is what a fast command is charged when a slow one follows in its run.
const fastNanos = 300

func (x *Executor) precise() bool {
	return x.Logs.Slow.Wants(preciseBelow) || x.Latency.Wants(1)
}

// flushTimer charges the run of fast commands with the time since the last reading.
func (x *Executor) flushTimer() {
	if x.timer.n == 0 {
		return
	}
	now := x.Clock.Mono()
	x.share(now - x.mono)
	x.mono = now
	x.setNow()
}

// flushShare charges the run with a given time and takes it off the next command's.
func (x *Executor) flushShare(nanos int64) {
	x.share(nanos)
	x.mono += nanos
}

func (x *Executor) share(nanos int64) {
	t := &x.timer
	each := nanos / int64(t.n)
	track := x.Tracking.Load()
	for i := 0; i < t.n; { // those of the same command together
		spec, first := t.specs[i], i
		for i++; i < t.n && t.specs[i] == spec; i++ {
		}
		x.Stats.Commands[spec.ID].Nanos += each * int64(i-first)
		if track {
			x.Stats.Histograms.Record(spec.ID, each, uint32(i-first))
		}
	}
	t.n = 0
}

// charge times one command by itself.
func (x *Executor) charge(spec *command.Spec, r *request) {
	now := x.Clock.Mono()
	took := max(now-x.mono, 0)
	x.mono = now
	x.setNow()
	x.Stats.Commands[spec.ID].Nanos += took
	if x.Tracking.Load() {
		x.Stats.Histograms.Record(spec.ID, took, 1)
	}
	micros := took / 1000
	if x.Logs.Slow.Wants(micros) && !spec.Has(command.SkipSlowlog) {
		s := x.ctx.Session
		redact := Redacted
		if x.Redact != nil {
			redact = x.Redact
		}
		x.Logs.Slow.Add(micros, redact(spec, r.args), s.Remote, s.Name)
	}
	if ms := micros / 1000; x.Latency.Wants(ms) && ms > 0 {
		event := "command"
		if spec.Has(command.Fast) {
			event = "fast-command"
		}
		x.Latency.Observe(event, ms)
	}
}

// Redacted is what logs may show of a call.
func Redacted(spec *command.Spec, args command.Args) [][]byte {
	if !spec.Has(command.Redact) {
		return args
	}
	out := make([][]byte, len(args))
	for i := range args {
		if i == 0 || spec.Parent != nil && i == 1 {
			out[i] = args[i]
		} else {
			out[i] = []byte("(redacted)")
		}
	}
	return out
}
