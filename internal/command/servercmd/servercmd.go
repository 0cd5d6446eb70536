// Package servercmd is the commands about the server as a whole: its databases, its
// snapshots, its end, its clock, and who watches it.
//
//	FLUSHALL FLUSHDB SWAPDB DBSIZE    whole databases
//	SAVE BGSAVE LASTSAVE              snapshots
//	BGREWRITEAOF                      the append-only file
//	SHUTDOWN                          asked of the server
//	MONITOR                           marks the session; AppendMonitor is what it sees
//	TIME LOLWUT
//
// CONFIG, INFO, SLOWLOG, LATENCY, MEMORY and DEBUG are packages of their own.
package servercmd

import (
	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
)

// Deps is what this family drives. All of it is needed.
type Deps struct {
	Keyspace *keyspace.Keyspace
	Sessions *session.Registry
	Clock    clock.Clock
	Saver    *snapshot.Saver
	Stopper  Stopper
	Keeper   *aof.Keeper

	// LazyFlush is the option lazyfree-lazy-user-flush.
	LazyFlush func() bool
	// Background runs a task soon, on no loop and not in exclusive mode.
	Background func(task func())
	// Flushed is called after FLUSHALL, out of exclusive mode: if there are save points the
	// snapshot on the disk must not bring the keys back.
	Flushed func(c *command.Ctx)

	Version      string // of this program
	RedisVersion string // of the Redis that it is compatible with
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}
