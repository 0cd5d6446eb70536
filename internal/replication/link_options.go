package replication

import (
	"math"
	"slices"
	"strconv"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/numtext"
)

// A Target is the address of a master; its zero value is none.
type Target struct {
	Host string
	Port int
}

// IsNone says whether there is no master.
func (t Target) IsNone() bool { return t.Host == "" }

// portMax is the last port.
const portMax = 65535

// ReplicaOf is the master as the file and CONFIG REWRITE have it. REPLICAOF changes it.
var ReplicaOf = config.Custom(config.Option{
	Name: "replicaof", Aliases: []string{"slaveof"},
	Doc: `The master whose copy this server is: its host and port. REPLICAOF changes it while the server runs.`,
}, config.Codec[Target]{Parse: parseTarget, Append: appendTarget, Lines: targetLines})

// Why a master cannot be one.
const (
	errTargetWords = config.Reason("wrong number of arguments")
	errTargetPort  = config.Reason("Invalid master port")
)

func parseTarget(args []string, _ Target, _ bool) (t Target, _ error) {
	if slices.Equal(args, []string{"no", "one"}) || len(args) == 1 && args[0] == "" {
		return t, nil
	}
	if len(args) != 2 {
		return t, errTargetWords
	}
	port, ok := numtext.ParseInt([]byte(args[1]))
	if !ok || port < 0 || port > portMax {
		return t, errTargetPort
	}
	return Target{args[0], int(port)}, nil
}

func appendTarget(dst []byte, t Target) []byte {
	if t.IsNone() {
		return dst
	}
	return strconv.AppendInt(append(append(dst, t.Host...), ' '), int64(t.Port), 10)
}

func targetLines(t Target) []string {
	if t.IsNone() {
		return nil
	}
	return []string{config.Quote(t.Host) + " " + strconv.Itoa(t.Port)}
}

// A LoadMode is a value of repl-diskless-load.
type LoadMode int

// The values of repl-diskless-load.
const (
	LoadFromDisk LoadMode = iota
	LoadIfEmpty
	LoadBeside
)

// An ErrorBehavior is a value of propagation-error-behavior.
type ErrorBehavior int

// The values of propagation-error-behavior.
const (
	ErrorsIgnored ErrorBehavior = iota
	ErrorsPanic
	ErrorsPanicOnReplicas
)

// Options of a replica.
var (
	MasterUser = config.String(config.Option{
		Name: "masteruser", Live: true,
		Doc: `The user that a replica authenticates as to its master; empty for the default user.`,
	})
	MasterAuth = config.String(config.Option{
		Name: "masterauth", Live: true, Sensitive: true,
		Doc: `The password with which a replica authenticates to its master; empty for none.`,
	})
	ServeStale = config.Bool(config.Option{
		Name: "replica-serve-stale-data", Aliases: []string{"slave-serve-stale-data"}, Default: true, Live: true,
		Doc: `Whether a replica answers questions about its data while it has no link to its master. If not,
most commands fail with MASTERDOWN.`,
	})
	ReadOnly = config.Bool(config.Option{
		Name: "replica-read-only", Aliases: []string{"slave-read-only"}, Default: true, Live: true,
		Doc: `Whether a replica refuses clients' writes. What they write otherwise is not passed on, and
is gone with the next full synchronization.`,
	})
	Priority = config.Int(config.Option{
		Name: "replica-priority", Aliases: []string{"slave-priority"}, Default: 100, Max: math.MaxInt32, Live: true,
		Doc: `Which replica a sentinel prefers to make a master: the lowest. 0 is never chosen.`,
	})
	AnnounceIP = config.String(config.Option{
		Name: "replica-announce-ip", Aliases: []string{"slave-announce-ip"}, Live: true,
		Doc: `The address that a replica tells its master; empty for the one that the master sees.`,
	})
	AnnouncePort = config.Int(config.Option{
		Name: "replica-announce-port", Aliases: []string{"slave-announce-port"}, Max: portMax, Live: true,
		Doc: `The port that a replica tells its master; 0 for the one that it listens on.`,
	})
	Announced = config.Bool(config.Option{
		Name: "replica-announced", Default: true, Live: true,
		Doc: `Whether sentinels tell clients of this replica.`,
	})
	IgnoreMaxMemory = config.Bool(config.Option{
		Name: "replica-ignore-maxmemory", Aliases: []string{"slave-ignore-maxmemory"}, Default: true, Live: true,
		Doc: `Whether a replica leaves it to its master to keep within maxmemory. If not, it may evict keys that the
master still has.`,
	})
	IgnoreDiskErrors = config.Bool(config.Option{
		Name: "replica-ignore-disk-write-errors", Live: true,
		Doc: `Accepted for the sake of existing files. A replica whose disk fails goes on to execute what its master
sends in any case, and says so in INFO and in its log.`,
	})
	DisklessLoad = config.Enum(config.Option{
		Name: "repl-diskless-load", Default: "disabled", Live: true,
		Doc: `How a replica takes all of its master's data. disabled: into a file first, which is verified
before the old data go. on-empty-db: straight from the connection if there are no old data, else as
disabled. swapdb: from the connection beside the old data, which stay until the new ones are whole;
that takes the memory of both.`,
	}, config.Choice("disabled", LoadFromDisk), config.Choice("on-empty-db", LoadIfEmpty),
		config.Choice("swapdb", LoadBeside))
	OnError = config.Enum(config.Option{
		Name: "propagation-error-behavior", Default: "ignore", Live: true,
		Doc: `What follows when a command from the master fails: a line in the log, or the end of the server.`,
	}, config.Choice("ignore", ErrorsIgnored), config.Choice("panic", ErrorsPanic),
		config.Choice("panic-on-replicas", ErrorsPanicOnReplicas))
	SourceAddress = config.String(config.Option{
		Name: "bind-source-addr", Live: true,
		Doc: `The local address from which a replica connects to its master; empty for the system's choice.`,
	})
)

// ReplicaOptions are the options of a replica.
var ReplicaOptions = config.NewGroup("replication: replica", ReplicaOf, MasterUser, MasterAuth, ServeStale,
	ReadOnly, Priority, AnnounceIP, AnnouncePort, Announced, IgnoreMaxMemory, IgnoreDiskErrors, DisklessLoad,
	OnError, SourceAddress)
