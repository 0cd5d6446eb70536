package latencycmd

import (
	"bytes"
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/resp"
)

const latencyFlags = command.Admin | command.NoScript | command.Loading | command.Stale

var latencyTips = []string{"nondeterministic_output", "request_policy:all_nodes", "response_policy:special"}

var _ = Family.Add(command.Spec{
	Name:       "LATENCY",
	Summary:    "A container for latency diagnostics commands",
	Since:      "2.8.13",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
}, nil,
	latencySub(Deps.latencyLatest, command.Spec{
		Name:    "LATEST",
		Summary: "Return the latest latency samples for all events.",
		Arity:   2,
	}),
	latencySub(Deps.latencyHistory, command.Spec{
		Name:    "HISTORY",
		Summary: "Return timestamp-latency samples for the event.",
		Syntax:  "event",
		Arity:   3,
	}),
	latencySub(Deps.latencyGraph, command.Spec{
		Name:    "GRAPH",
		Summary: "Return a latency graph for the event.",
		Syntax:  "event",
		Arity:   3,
	}),
	latencySub(Deps.latencyDoctor, command.Spec{
		Name:    "DOCTOR",
		Summary: "Return a human readable latency analysis report.",
		Arity:   2,
	}),
	latencySub(Deps.latencyReset, command.Spec{
		Name:    "RESET",
		Summary: "Reset latency data for one or more events.",
		Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		Syntax:  "[event...]",
		Arity:   -2,
	}),
	latencySub(Deps.latencyHistogram, command.Spec{
		Name:       "HISTOGRAM",
		Summary:    "Return the cumulative distribution of latencies of a subset of commands or all.",
		Since:      "7.0.0",
		Complexity: "O(N) where N is the number of commands with latency information being retrieved.",
		Syntax:     "[command...]",
		Arity:      -2,
		Flags:      latencyFlags | command.Exclusive, // the histograms are the loops' own
	}),
	command.Sub[Deps]{Run: Deps.latencyHelp, Spec: command.Spec{
		Name:       "HELP",
		Summary:    "Show helpful text about the different subcommands.",
		Since:      "2.8.13",
		Complexity: "O(1)",
		Arity:      2,
		Flags:      command.Loading | command.Stale,
	}},
)

// latencySub fills in what most subcommands have in common.
func latencySub(run func(Deps, *command.Ctx) error, s command.Spec) command.Sub[Deps] {
	if s.Since == "" {
		s.Since, s.Complexity = "2.8.13", "O(1)"
	}
	if s.Tips == nil {
		s.Tips = latencyTips
	}
	s.Flags |= latencyFlags
	return command.Sub[Deps]{Spec: s, Run: run}
}

func (d Deps) latencyLatest(c *command.Ctx) error {
	latest := d.Monitor.Latest()
	c.Out.Array(len(latest))
	for _, e := range latest {
		c.Out.Array(4)
		c.Out.BulkString(e.Event)
		c.Out.Int(e.Last.Unix)
		c.Out.Int(e.Last.Millis)
		c.Out.Int(e.Max)
	}
	return nil
}

func (d Deps) latencyHistory(c *command.Ctx) error {
	samples := d.Monitor.History(string(c.Args[2]))
	c.Out.Array(len(samples))
	for _, s := range samples {
		c.Out.Array(2)
		c.Out.Int(s.Unix)
		c.Out.Int(s.Millis)
	}
	return nil
}

func (d Deps) latencyGraph(c *command.Ctx) error {
	event := string(c.Args[2])
	graph, ok := d.Monitor.Graph(event)
	if !ok {
		return resp.Errorf("No samples available for event '" + event + "'")
	}
	c.Out.Verbatim("txt", graph)
	return nil
}

func (d Deps) latencyDoctor(c *command.Ctx) error {
	c.Out.Verbatim("txt", d.Monitor.Doctor(slowFrom.Get(d.Options)))
	return nil
}

func (d Deps) latencyReset(c *command.Ctx) error {
	events := make([]string, 0, len(c.Args)-2)
	for _, a := range c.Args[2:] {
		events = append(events, string(a))
	}
	c.Out.Int(int64(d.Monitor.Reset(events...)))
	return nil
}

// latencyHistogram shows the commands that are named, with a container's subcommands, or
// all. What does not exist or was never called is left out.
func (d Deps) latencyHistogram(c *command.Ctx) error {
	specs := d.Table().Specs()
	if len(c.Args) > 2 {
		specs = d.named(c.Args[2:])
	}
	all := d.Histograms()
	reply, n := c.Out.MapLater(), 0
	var buckets []observe.MicrosBucket
	for _, s := range specs {
		h := all.Of(s.ID)
		if h == nil {
			continue
		}
		buckets = h.AppendMicros(buckets[:0])
		c.Out.BulkString(s.FullName())
		c.Out.Map(2)
		c.Out.BulkString("calls")
		c.Out.Int(int64(h.Calls()))
		c.Out.BulkString("histogram_usec")
		c.Out.Map(len(buckets))
		for _, b := range buckets {
			c.Out.Int(b.UpTo)
			c.Out.Int(int64(b.Calls))
		}
		n++
	}
	c.Out.End(reply, n)
	return nil
}

// named are the commands of some names and their subcommands. A subcommand may be named
// as well, behind its container and a bar.
func (d Deps) named(names [][]byte) (specs []*command.Spec) {
	for _, name := range names {
		top, sub, isSub := bytes.Cut(name, []byte("|"))
		s := d.Table().Find(top)
		if s != nil && isSub {
			s = s.Sub(sub)
		}
		if s == nil {
			continue
		}
		for _, found := range append([]*command.Spec{s}, s.Subs...) {
			if !slices.Contains(specs, found) {
				specs = append(specs, found)
			}
		}
	}
	return specs
}

func (d Deps) latencyHelp(c *command.Ctx) error {
	return writeHelp(c, []string{
		"LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
		"DOCTOR",
		"    Return a human readable latency analysis report.",
		"GRAPH <event>",
		"    Return an ASCII latency graph for the <event> class.",
		"HISTORY <event>",
		"    Return time-latency samples for the <event> class.",
		"LATEST",
		"    Return the latest latency samples for all events.",
		"RESET [<event> ...]",
		"    Reset latency data of one or more <event> classes.",
		"    (default: reset all data for all event classes)",
		"HISTOGRAM [COMMAND ...]",
		"    Return a cumulative distribution of latencies in the format of a histogram for " +
			"the specified command names.",
		"    If no commands are specified then all histograms are replied.",
		"HELP",
		"    Prints this help.",
	})
}
