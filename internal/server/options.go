package server

import (
	"log/slog"

	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/observe"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/value"
)

// Options of the process and of the whole server.
var (
	daemonize = config.Bool(config.Option{
		Name: "daemonize", Default: false,
		Doc: `Run in the background, with no terminal.`,
	})
	supervised = config.Enum(config.Option{
		Name: "supervised", Default: "no",
		Doc: `Tell a supervisor (systemd, upstart) when the server is ready; auto looks at the environment.`,
	}, config.Choice("upstart", 1), config.Choice("systemd", 2), config.Choice("auto", 3),
		config.Choice("no", 0))
	pidfile = config.String(config.Option{
		Name: "pidfile",
		Doc:  `File that the process id is written to, and that is removed at the end.`,
	})
	loglevel = config.Enum(config.Option{
		Name: "loglevel", Default: "notice", Live: true,
		Doc: `How much is logged: debug, verbose, notice, warning or nothing.`,
	}, config.Choice("debug", 0), config.Choice("verbose", 1), config.Choice("notice", 2),
		config.Choice("warning", 3), config.Choice("nothing", 4))
	logfile = config.String(config.Option{
		Name: "logfile",
		Doc:  `File to log to; empty for standard output.`,
	})
	syslogEnabled = config.Bool(config.Option{
		Name: "syslog-enabled", Default: false,
		Doc: `Log to the system's log as well.`,
	})
	syslogIdent = config.String(config.Option{
		Name: "syslog-ident", Default: "redis",
		Doc: `Name in the system's log.`,
	})
	syslogFacility = config.Enum(config.Option{
		Name: "syslog-facility", Default: "local0",
		Doc: `Facility of the system's log: user or local0 to local7.`,
	}, config.Choice("user", 1), config.Choice("local0", 16), config.Choice("local1", 17),
		config.Choice("local2", 18), config.Choice("local3", 19), config.Choice("local4", 20),
		config.Choice("local5", 21), config.Choice("local6", 22), config.Choice("local7", 23))
	hz = config.Int(config.Option{
		Name: "hz", Default: 10, Min: 1, Max: 500, Live: true,
		Doc: `How many times a second background work looks for something to do.`,
	})
	dynamicHz = config.Bool(config.Option{
		Name: "dynamic-hz", Default: true, Live: true,
		Doc: `Accepted for the sake of existing files: background work adapts to what there is to do.`,
	})
	activeRehashing = config.Bool(config.Option{
		Name: "activerehashing", Default: true, Live: true,
		Doc: `Accepted for the sake of existing files: tables grow a segment at a time and never rehash.`,
	})
	shutdownTimeout = config.Int(config.Option{
		Name: "shutdown-timeout", Default: 10, Max: 1<<31 - 1, Live: true,
		Doc: `Seconds that a shutdown waits for replicas that lag behind, while writes are held back. 0 waits for none.`,
	})
	shutdownOnSigint  = shutdownOn("shutdown-on-sigint")
	shutdownOnSigterm = shutdownOn("shutdown-on-sigterm")
	localeCollate     = config.String(config.Option{
		Name: "locale-collate", Live: true,
		Doc: `Kept for SORT ALPHA.`,
	})
)

// What a signal makes of a shutdown.
const (
	shutdownSave = 1 << iota
	shutdownNoSave
	shutdownNow
	shutdownForce
)

func shutdownOn(name string) *config.EnumOption[int] {
	return config.Flags(config.Option{
		Name: name, Default: "default", Live: true,
		Doc: `How the signal shuts the server down: default, or any of save, nosave, now, force.`,
	}, config.Choice("default", 0), config.Choice("save", shutdownSave),
		config.Choice("nosave", shutdownNoSave), config.Choice("now", shutdownNow),
		config.Choice("force", shutdownForce))
}

var options = config.NewGroup("server", daemonize, supervised, pidfile, loglevel, logfile,
	syslogEnabled, syslogIdent, syslogFacility, hz, dynamicHz, activeRehashing,
	shutdownTimeout, shutdownOnSigint, shutdownOnSigterm, localeCollate, setTitle, titleTemplate)

// level is the log level that an option's value means.
func level(set *config.Set) slog.Level {
	l, _ := observe.ParseLevel(loglevel.Name(set))
	return l
}

// Schema is every option of a server.
func Schema() *config.Schema {
	groups := []*config.Group{netloop.Options, options, acl.Options, keyspace.ConfigOptions, exec.Options,
		value.Options, snapshot.Options, aof.Options, replication.MasterOptions,
		replication.ReplicaOptions, config.Kept, config.Refused}
	return config.NewSchema(append(groups, all.Options()...)...)
}
