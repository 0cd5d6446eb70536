package latencycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/config"
)

// Redis's names are the ones that are written to files, so that Redis can read them;
// Valkey's newer names are understood as well.
var (
	slowFrom = config.Int(config.Option{
		Name: "slowlog-log-slower-than", Aliases: []string{"commandlog-execution-slower-than"},
		Default: 10_000, Min: -1, Max: math.MaxInt64, Live: true,
		Doc: `From how many microseconds on a command is slow enough for SLOWLOG. 0 logs every command, -1 none.
Below 1000 every command is timed by itself, which costs throughput.`,
	})
	slowMax = config.Int(config.Option{
		Name: "slowlog-max-len", Aliases: []string{"commandlog-slow-execution-max-len"},
		Default: 128, Max: entriesMax, Live: true,
		Doc: `How many commands SLOWLOG remembers. Each takes up to some 5 KB.`,
	})
	requestFrom = config.Int(config.Option{
		Name: "commandlog-request-larger-than", Default: 1 << 20, Min: -1, Max: math.MaxInt64, Live: true,
		Doc: `From how many bytes on a request is large enough for COMMANDLOG; -1 for none.`,
	})
	requestMax = config.Int(config.Option{
		Name: "commandlog-large-request-max-len", Default: 128, Max: entriesMax, Live: true,
		Doc: `How many large requests COMMANDLOG remembers.`,
	})
	replyFrom = config.Int(config.Option{
		Name: "commandlog-reply-larger-than", Default: 1 << 20, Min: -1, Max: math.MaxInt64, Live: true,
		Doc: `From how many bytes on a reply is large enough for COMMANDLOG; -1 for none.`,
	})
	replyMax = config.Int(config.Option{
		Name: "commandlog-large-reply-max-len", Default: 128, Max: entriesMax, Live: true,
		Doc: `How many large replies COMMANDLOG remembers.`,
	})
	monitorThreshold = config.Int(config.Option{
		Name: "latency-monitor-threshold", Max: math.MaxInt64, Live: true,
		Doc: `From how many milliseconds on LATENCY remembers that something was slow; 0 switches it off.`,
	})
	trackCommands = config.Bool(config.Option{
		Name: "latency-tracking", Default: true, Live: true,
		Doc: `Whether it is counted how long the calls of each command took, for INFO latencystats and
LATENCY HISTOGRAM. It costs some nanoseconds a command.`,
	})
)

// entriesMax is no bound in practice, as in Redis: a log takes memory only for what is
// in it.
const entriesMax = math.MaxInt64

// Options are this package's options.
var Options = config.NewGroup("slow and large commands", slowFrom, slowMax, requestFrom, requestMax,
	replyFrom, replyMax, monitorThreshold, trackCommands)
