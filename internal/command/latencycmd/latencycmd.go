// Package latencycmd is the commands that say what was slow or large: SLOWLOG and
// COMMANDLOG show the logs of commands, LATENCY the spikes of subsystems and how long
// commands take. What they show is observe's; this package has its options too.
//
// SLOWLOG is the part of COMMANDLOG that Redis has, under its old name.
package latencycmd

import (
	"sync/atomic"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/observe"
)

// Deps is what this family drives. All of it is needed.
type Deps struct {
	Options *config.Set
	Logs    *observe.CommandLogs
	Monitor *observe.LatencyMonitor

	// Histograms are those of all loops together, by command ID. It is called in
	// exclusive mode.
	Histograms func() *observe.Histograms
	// Table is the server's, which is made of this family among others.
	Table func() *command.Table
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}

// writeHelp replies with the lines of a HELP.
func writeHelp(c *command.Ctx, lines []string) error {
	c.Out.Lines(lines)
	return nil
}

// Follow hands this package's options to those whom they concern, now and when they
// change. tracking is whether histograms are kept.
func Follow(set *config.Set, logs *observe.CommandLogs, m *observe.LatencyMonitor, tracking *atomic.Bool) {
	apply := func() {
		for _, l := range []struct {
			log       *observe.CommandLog
			from, max *config.IntOption
		}{
			{logs.Slow, slowFrom, slowMax},
			{logs.LargeRequest, requestFrom, requestMax},
			{logs.LargeReply, replyFrom, replyMax},
		} {
			l.log.SetThreshold(l.from.Get(set))
			l.log.SetMax(int(l.max.Get(set)))
		}
		m.SetThreshold(monitorThreshold.Get(set))
		tracking.Store(trackCommands.Get(set))
	}
	apply()
	set.OnChange(slowFrom, apply, slowMax, requestFrom, requestMax, replyFrom, replyMax, monitorThreshold,
		trackCommands)
}
