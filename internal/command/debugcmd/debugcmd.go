// Package debugcmd is DEBUG: what tests and people who look for a fault ask of a server.
// It is closed unless the option enable-debug-command opens it.
//
// Of Redis's subcommands there are those that mean something here. None ends the
// process, and none shows addresses.
package debugcmd

import (
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/glob"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// Deps is what this family drives. All of it is needed.
type Deps struct {
	Keyspace *keyspace.Keyspace
	Options  *config.Set
	Log      *slog.Logger
	Sleep    func(time.Duration)
	Files    config.Replacer // where the configuration file is

	// PauseCron stops the background work, or lets it go on.
	PauseCron func(paused bool)

	// Reload saves the data and loads them again. It is not called in exclusive mode
	// and no key is held; the Ctx's engine gives what it needs. An error that is a reply
	// becomes the reply, another one is logged.
	Reload func(c *command.Ctx, o ReloadOptions) error

	// LoadFile replaces the data by those of the append-only file. It is called as Reload is.
	LoadFile func(c *command.Ctx) error
	// Replicate appends a command to the stream of replicas, which this server does not execute.
	Replicate func(args command.Args)
	// ChangeReplID gives the stream another name.
	ChangeReplID func()

	// SlowWrites makes every write to the append-only file wait first.
	SlowWrites func(time.Duration)
}

// ReloadOptions are those of DEBUG RELOAD.
type ReloadOptions struct {
	Merge   bool // keys that are there are replaced by the file's
	NoFlush bool // keys stay; one that is in the file too is an error, without Merge
	NoSave  bool // the file is loaded as it is
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}

var _ = Family.Add(command.Spec{
	Name:       "DEBUG",
	Summary:    "A container for debugging commands",
	Since:      "1.0.0",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
	Flags:      command.Admin | command.NoScript | command.Loading | command.Stale | command.WholeDB,
}, Deps.debug)

// A sub is a subcommand. It is none to the table of commands, nor in Redis.
type sub struct {
	name     string
	min, max int // arguments, DEBUG and the name included
	run      func(Deps, *command.Ctx) error
	help     []string
}

// subs is a function since the help, one of them, needs it.
func subs() []sub {
	const many = math.MaxInt
	return []sub{
		{"AOF-FLUSH-SLEEP", 3, 3, Deps.flushSleep, []string{"AOF-FLUSH-SLEEP <microsec>",
			"    Wait <microsec> before each write to the append-only file."}},
		{"CHANGE-REPL-ID", 2, 2, Deps.changeReplID, []string{"CHANGE-REPL-ID",
			"    Change the replication IDs of the instance.",
			"    Dangerous: should be used only for testing the replication subsystem."}},
		{"CONFIG-REWRITE-FORCE-ALL", 2, 2, Deps.rewriteAll, []string{"CONFIG-REWRITE-FORCE-ALL",
			"    Like CONFIG REWRITE, but write all options, those at their default included."}},
		{"DIGEST", 2, 2, Deps.digest, []string{"DIGEST",
			"    Output a hex signature representing the current DB content."}},
		{"DIGEST-VALUE", 2, many, Deps.digestValue, []string{"DIGEST-VALUE <key> [<key> ...]",
			"    Output a hex signature of the values of all the specified keys."}},
		{"ERROR", 3, 3, Deps.error, []string{"ERROR <string>",
			"    Return a protocol error with <string> as message, for tests of clients."}},
		{"HTSTATS-KEY", 3, 3, Deps.tableStats, []string{"HTSTATS-KEY <key>",
			"    Show how the elements of a set, hash or sorted set that is kept as a hash table",
			"    are spread over its leaves."}},
		{"LISTPACK", 3, 3, Deps.listpack, []string{"LISTPACK <key>",
			"    Write the entries of a hash or sorted set that is kept as a listpack to the log."}},
		{"LOADAOF", 2, 2, Deps.loadFile, []string{"LOADAOF",
			"    Write what waits for the append-only file, and replace the data by what the file holds."}},
		{"LOG", 3, 3, Deps.log, []string{"LOG <message>",
			"    Write <message> to the server log."}},
		{"OBJECT", 3, 3, Deps.object, []string{"OBJECT <key>",
			"    Show how <key> and its value are kept."}},
		{"PAUSE-CRON", 3, 3, Deps.pauseCron, []string{"PAUSE-CRON <0|1>",
			"    With 1, stop the server's background work, and let signals wait."}},
		{"POPULATE", 3, 5, Deps.populate, []string{"POPULATE <count> [<prefix>] [<size>]",
			"    Create <count> string keys named key:<num>, or with <prefix> in the place of",
			"    key, of <size> bytes each. They are not propagated to replicas."}},
		{"PROTOCOL", 3, 3, Deps.protocol, []string{"PROTOCOL <type>",
			"    Reply with a test value of the specified type. <type> can be: string,",
			"    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
			"    true, false."}},
		{"QUICKLIST-PACKED-THRESHOLD", 3, 3, Deps.packedThreshold, []string{"QUICKLIST-PACKED-THRESHOLD <size>",
			"    Set the size from which an element of a list is a node by itself; 0 for what",
			"    list-max-listpack-size says. <size> is a memory value (10, 10kb, 1gb)."}},
		{"RELOAD", 2, many, Deps.reload, []string{"RELOAD [option ...]",
			"    Save the RDB on disk and reload it back to memory. Valid <option> values:",
			"    * MERGE: keys that are in memory too are taken from the file.",
			"    * NOFLUSH: the keys in memory stay; one that is in the file too is an error.",
			"    * NOSAVE: nothing is saved, the file is loaded as it is."}},
		{"REPLICATE", 3, many, Deps.replicate, []string{"REPLICATE <string>",
			"    Replicates the provided string to replicas, allowing data divergence."}},
		{"SET-ACTIVE-EXPIRE", 3, 3, Deps.setActiveExpire, []string{"SET-ACTIVE-EXPIRE <0|1>",
			"    With 0, keys whose time has come are removed only when they are accessed."}},
		{"SET-SKIP-CHECKSUM-VALIDATION", 3, 3, Deps.setSkipChecksum, []string{
			"SET-SKIP-CHECKSUM-VALIDATION <0|1>",
			"    With 1, RESTORE does not compare the checksum of payloads."}},
		{"SLEEP", 3, 3, Deps.sleep, []string{"SLEEP <seconds>",
			"    Stop the server for <seconds>. Decimals allowed."}},
		{"STRINGMATCH-LEN", 4, 4, Deps.stringMatch, []string{"STRINGMATCH-LEN <pattern> <string>",
			"    Say whether <string> matches the glob-style <pattern>."}},
		{"HELP", 2, 2, Deps.help, []string{"HELP",
			"    Prints this help."}},
	}
}

var errClosed = &resp.Error{Code: "ERR", Text: "DEBUG command not allowed. If the enable-debug-command " +
	"option is set to \"local\", you can run it from a local connection, otherwise you need to set this " +
	"option in the configuration file, and then restart the server."}

func (d Deps) debug(c *command.Ctx) error {
	if !allowed(d.Options, c.Session) {
		return errClosed
	}
	var names []string
	for _, s := range subs() {
		if c.Args.Is(1, s.name) && len(c.Args) >= s.min && len(c.Args) <= s.max {
			return s.run(d, c)
		}
		names = append(names, s.name)
	}
	return resp.Errorf("unknown subcommand or wrong number of arguments for '" + string(c.Args[1]) +
		"'. Try DEBUG HELP. There are " + strings.Join(names, ", ") + ".")
}

func (d Deps) help(c *command.Ctx) error {
	lines := []string{"DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
	for _, s := range subs() {
		lines = append(lines, s.help...)
	}
	c.Out.Lines(lines)
	return nil
}

// error replies with any error that the client asks for.
func (d Deps) error(c *command.Ctx) error {
	code, text, _ := strings.Cut(string(c.Args[2]), " ")
	return &resp.Error{Code: code, Text: text}
}

func (d Deps) log(c *command.Ctx) error {
	d.Log.Warn("DEBUG LOG: " + string(c.Args[2]))
	c.Out.OK()
	return nil
}

// sleepMax bounds a sleep to what a duration can hold: 292 years.
const sleepMax = float64(math.MaxInt64)

// sleep stops the whole server, as in Redis: it sleeps in exclusive mode. What is no
// number is 0.
func (d Deps) sleep(c *command.Ctx) error {
	seconds, _ := numtext.ParseFloat(c.Args[2])
	if nanos := min(seconds*1e9, sleepMax); nanos > 0 {
		pause := time.Duration(math.MaxInt64)
		if nanos < sleepMax {
			pause = time.Duration(nanos)
		}
		c.Engine.Exclusive(func() { d.Sleep(pause) })
	}
	c.Out.OK()
	return nil
}

func (d Deps) rewriteAll(c *command.Ctx) error {
	if err := d.Options.RewriteAll(d.Files); err != nil {
		return resp.Errorf("CONFIG-REWRITE-FORCE-ALL failed: " + err.Error())
	}
	c.Out.OK()
	return nil
}

// pauseCron takes what is no number for 0, as Redis does.
func (d Deps) pauseCron(c *command.Ctx) error {
	n, _ := numtext.ParseInt(c.Args[2])
	d.PauseCron(n != 0)
	c.Out.OK()
	return nil
}

// setActiveExpire takes what is no number for 0, as Redis does.
func (d Deps) setActiveExpire(c *command.Ctx) error {
	n, _ := numtext.ParseInt(c.Args[2])
	d.Keyspace.Tuning.NoExpire.Store(n == 0)
	c.Out.OK()
	return nil
}

// setSkipChecksum takes what is no number for 0, as Redis does.
func (d Deps) setSkipChecksum(c *command.Ctx) error {
	n, _ := numtext.ParseInt(c.Args[2])
	d.Keyspace.Tuning.SkipChecksum.Store(n != 0)
	c.Out.OK()
	return nil
}

var errThreshold = &resp.Error{Code: "ERR",
	Text: "argument must be a memory value bigger than 1 and smaller than 4gb"}

// thresholdMax is as high as it may be set, in bytes: no element is that long.
const thresholdMax = 4<<30 - 1<<20

// packedThreshold is for tests of large elements, which need not be that large then.
func (d Deps) packedThreshold(c *command.Ctx) error {
	n, ok := numtext.ParseMemory(c.Args[2])
	if !ok || n < 0 || n > thresholdMax {
		return errThreshold
	}
	d.Keyspace.Limits().PlainFrom.Store(n)
	c.Out.OK()
	return nil
}

func (d Deps) stringMatch(c *command.Ctx) error {
	matches := int64(0)
	if glob.Match(c.Args[2], c.Args[3], false) {
		matches = 1
	}
	c.Out.Int(matches)
	return nil
}
