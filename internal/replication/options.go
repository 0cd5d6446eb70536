package replication

import (
	"math"

	"github.com/spineldb/spinel/internal/config"
)

// Options of a master.
var (
	optPingPeriod = config.Int(config.Option{
		Name: "repl-ping-replica-period", Aliases: []string{"repl-ping-slave-period"},
		Default: 10, Min: 1, Max: math.MaxInt32, Live: true,
		Doc: `Seconds between two PINGs to replicas, by which they see that the master is there.`,
	})
	optTimeout = config.Int(config.Option{
		Name: "repl-timeout", Default: 60, Min: 1, Max: math.MaxInt32, Live: true,
		Doc: `Seconds without a sign of life after which the other side of a replication link is given up. It must be
more than ` + "`repl-ping-replica-period`" + `.`,
	})
	// OptBacklogSize also is the least that a replica may have waiting.
	OptBacklogSize = config.Memory(config.Option{
		Name: "repl-backlog-size", Default: 1 << 20, Min: 1, Live: true, Stress: []int64{16 << 10},
		Doc: `Bytes of the stream that are kept for replicas that come back: one that lacks no more than that goes
on where it stood. At least 16 KB are.`,
	})
	optBacklogTTL = config.Int(config.Option{
		Name: "repl-backlog-ttl", Default: 3600, Live: true,
		Doc: `Seconds without replicas after which the stream is no longer kept; 0 is never.`,
	})
	optDelay = config.Bool(config.Option{
		Name: "repl-disable-tcp-nodelay", Default: false, Live: true,
		Doc: `Let the system wait a moment for more before it sends the stream to a replica: fewer and larger packets,
and the replica is further behind. It is for replicas that come from then on.`,
	})
	optDiskless = config.Bool(config.Option{
		Name: "repl-diskless-sync", Default: true, Live: true,
		Doc: `Send replicas a snapshot as it is made, rather than write it to the snapshot file first.`,
	})
	optDisklessDelay = config.Int(config.Option{
		Name: "repl-diskless-sync-delay", Default: 5, Max: math.MaxInt32, Live: true,
		Doc: `Seconds to wait for other replicas before such a snapshot is begun: all that have come are sent the
same one, and those who come later wait for the next.`,
	})
	optDisklessMax = config.Int(config.Option{
		Name: "repl-diskless-sync-max-replicas", Max: math.MaxInt32, Live: true,
		Doc: `Begin without waiting when so many replicas have come; 0 is never.`,
	})
	optMinReplicas = config.Int(config.Option{
		Name: "min-replicas-to-write", Aliases: []string{"min-slaves-to-write"}, Max: math.MaxInt32, Live: true,
		Doc: `Refuse writes while fewer replicas than that have acknowledged the stream lately; 0 is never.`,
	})
	optMaxLag = config.Int(config.Option{
		Name: "min-replicas-max-lag", Aliases: []string{"min-slaves-max-lag"}, Default: 10, Max: math.MaxInt32,
		Live: true,
		Doc:  `What lately means: at most so many seconds ago. 0 turns ` + "`min-replicas-to-write`" + ` off.`,
	})
)

// MasterOptions are those of a master.
var MasterOptions = config.NewGroup("replication: master", optPingPeriod, optTimeout, OptBacklogSize,
	optBacklogTTL, optDelay, optDiskless, optDisklessDelay, optDisklessMax, optMinReplicas, optMaxLag)

// Timeout is repl-timeout in seconds.
func Timeout(set *config.Set) int64 { return optTimeout.Get(set) }

// BacklogBytes is how much of the stream is kept, if any is.
func BacklogBytes(set *config.Set) int64 { return max(OptBacklogSize.Get(set), backlogBytesMin) }

// backlogBytesMin is the least that is kept, as in Redis.
const backlogBytesMin = 16 << 10
