package aof

import (
	"math"
	"strings"

	"github.com/spineldb/spinel/internal/config"
)

// A Policy says when the disk is waited for.
type Policy int32

// The policies.
const (
	EverySecond Policy = iota
	Always
	Never // the kernel decides
)

var (
	optOn = config.Bool(config.Option{
		Name: "appendonly", Live: true,
		Doc: `Whether every write goes to the append-only file, from which the data are loaded at the start. Switched on
while the server runs, it begins with a rewrite, and promises nothing until that has succeeded.`,
	})
	optFileName = config.String(config.Option{
		Name: "appendfilename", Default: "appendonly.aof",
		Doc: `With what the names of the append-only file's parts begin.`,
	}, plainName("appendfilename", "filename"))
	optDirName = config.String(config.Option{
		Name: "appenddirname", Default: "appendonlydir",
		Doc: `The folder of the append-only file's parts, in the folder dir.`,
	}, plainName("appenddirname", "dirname"))
	optSync = config.Enum(config.Option{
		Name: "appendfsync", Default: "everysec", Live: true,
		Doc: `When a write is on the disk: *always* before its reply, *everysec* a second later at the most, *no* when
the kernel likes. A reply never leaves before the kernel has the write, so a server that is killed loses nothing
whatever this is; a machine that loses its power loses what was not on the disk.`,
	},
		config.Choice("everysec", EverySecond),
		config.Choice("always", Always),
		config.Choice("no", Never))
	optNoSyncOnRewrite = config.Bool(config.Option{
		Name: "no-appendfsync-on-rewrite", Live: true,
		Doc: `Whether appendfsync is no while a snapshot or a rewrite is written: for disks on which a sync takes long
then, and data that may be lost.`,
	})
	optGrowth = config.Int(config.Option{
		Name: "auto-aof-rewrite-percentage", Default: 100, Max: math.MaxInt32, Live: true,
		Doc: `By how much the append-only file has to grow since the last rewrite for the next one to begin, in percent;
0 for never.`,
	})
	optMinSize = config.Memory(config.Option{
		Name: "auto-aof-rewrite-min-size", Default: 64 << 20, Live: true,
		Doc: `Below this size the append-only file is not rewritten by itself.`,
	})
	optTruncated = config.Bool(config.Option{
		Name: "aof-load-truncated", Default: true, Live: true,
		Doc: `Whether an end of the append-only file that a crash has torn is cut off at the start, with a line in the
log; else the server does not start. What is damaged and not torn is never cut.`,
	})
	optTailMax = config.Memory(config.Option{
		Name: "aof-load-corrupt-tail-max-size", Live: true,
		Doc: `How many bytes at the end of the append-only file may be cut off at the start though they are damaged
rather than torn; 0 for none.`,
	})
	optPreamble = config.Bool(config.Option{
		Name: "aof-use-rdb-preamble", Default: true, Live: true,
		Doc: `Whether a rewrite writes the data as a snapshot (RDB), or else as commands, which is longer and slower to
load.`,
	})
	optTimestamps = config.Bool(config.Option{
		Name: "aof-timestamp-enabled", Live: true,
		Doc: `Whether the append-only file says once a second what time it is, so that it can be cut at one.`,
	})
	optIncrementalSync = config.Bool(config.Option{
		Name: "aof-rewrite-incremental-fsync", Default: true, Live: true,
		Doc: `Whether a rewrite is brought to the disk every 4 MB while it is written, rather than all at its end.`,
	})
	optNoHistoryGC = config.Bool(config.Option{
		Name: "aof-disable-auto-gc", Live: true, Hidden: true,
		Doc: `For tests: whether files that a rewrite has replaced are kept.`,
	})
	optChecksum = config.Bool(config.Option{
		Name: "aof-checksum", Default: true, Live: true,
		Doc: `Whether each batch of the append-only file begins with a line that has its length and checksum. Redis skips
such lines; other programs may not. Without them damage may go unnoticed, or be taken for a torn end.`,
	})
)

// Options are the options of the append-only file.
var Options = config.NewGroup("append-only file", optOn, optFileName, optDirName, optSync, optNoSyncOnRewrite,
	optGrowth, optMinSize, optTruncated, optTailMax, optPreamble, optTimestamps, optIncrementalSync,
	optNoHistoryGC, optChecksum)

func plainName(option, what string) func(string) error {
	return func(name string) error {
		switch {
		case name == "":
			return config.Reason(option + " can't be empty")
		case strings.Contains(name, "/"):
			return config.Reason(option + " can't be a path, just a " + what)
		}
		return nil
	}
}

// IsWanted is the value of appendonly.
func IsWanted(set *config.Set) bool { return optOn.Get(set) }

// Truncates is the value of aof-load-truncated.
func Truncates(set *config.Set) bool { return optTruncated.Get(set) }

// CorruptTailMax is the value of aof-load-corrupt-tail-max-size.
func CorruptTailMax(set *config.Set) int64 { return optTailMax.Get(set) }
