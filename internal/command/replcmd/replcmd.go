// Package replcmd is the commands by which servers keep copies of each other, and by which
// clients wait for the copies:
//
//	PSYNC SYNC REPLCONF     what a replica sends its master
//	WAIT WAITAOF            a client waits for replicas, for disks
//	REPLICAOF ROLE FAILOVER who is whose master
package replcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/replication"
)

// Deps is what this family drives; command/all fills it in.
type Deps struct {
	Master   *replication.Master
	Follower Follower

	// Refuses, if set, says why nobody can synchronize with this server now: its own link is
	// down, or it hands its role over.
	Refuses func() error
	// TakeOver, if set, makes a master of a replica that its master asks for that, by the name
	// of the stream that both have.
	TakeOver func(c *command.Ctx, id string) error
	// Acknowledge, if set, has our own master told how far we are.
	Acknowledge func()
	// Synced is the mark up to which the append-only file is on the disk, and whether there
	// is one.
	Synced func() (mark int64, on bool)
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}
