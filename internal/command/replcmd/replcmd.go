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
	Master *replication.Master
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}
