package snapshot

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/config"
)

// A SavePoint asks for a save when there were that many changes and that much time has
// passed since the last one.
type SavePoint struct {
	Seconds, Changes int64
}

var optSave = config.Custom(config.Option{
	Name:    "save",
	Default: []SavePoint{{3600, 1}, {300, 100}, {60, 10000}},
	Live:    true,

	AlwaysRewrite: true,
	Doc: `When to save by itself: pairs of seconds and changes. A save starts when any pair's number of
seconds has passed since the last save and there were at least that many changes. An empty text
switches it off.`,
}, config.Codec[[]SavePoint]{Parse: parseSavePoints, Append: appendSavePoints, Lines: savePointLines})

const errSavePoints = config.Reason("Invalid save parameters")

func parseSavePoints(args []string, old []SavePoint, fresh bool) ([]SavePoint, error) {
	if len(args) == 1 && args[0] == "" {
		return nil, nil
	}
	if len(args)%2 != 0 {
		return nil, errSavePoints
	}
	var points []SavePoint
	if !fresh {
		points = slices.Clone(old)
	}
	for pair := range slices.Chunk(args, 2) {
		seconds, err1 := strconv.ParseInt(pair[0], 10, 32)
		changes, err2 := strconv.ParseInt(pair[1], 10, 32)
		if err1 != nil || err2 != nil || seconds < 1 || changes < 0 {
			return nil, errSavePoints
		}
		points = append(points, SavePoint{seconds, changes})
	}
	return points, nil
}

func appendSavePoints(dst []byte, points []SavePoint) []byte {
	for i, p := range points {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(strconv.AppendInt(dst, p.Seconds, 10), ' ')
		dst = strconv.AppendInt(dst, p.Changes, 10)
	}
	return dst
}

func savePointLines(points []SavePoint) []string {
	if len(points) == 0 {
		return []string{`""`}
	}
	var lines []string
	for _, p := range points {
		lines = append(lines, string(appendSavePoints(nil, []SavePoint{p})))
	}
	return lines
}

var (
	optStopWrites = config.Bool(config.Option{
		Name: "stop-writes-on-bgsave-error", Default: true, Live: true,
		Doc: `Whether writes are refused after a background save has failed, until one succeeds again. Without
save points it has no effect.`,
	})
	optCompress = config.Bool(config.Option{
		Name: "rdbcompression", Default: true, Live: true,
		Doc: `Whether strings are compressed (LZF) in a snapshot. It costs processor time while saving. Values of
more than 1 MB are never compressed, so that no memory is needed for them.`,
	})
	optChecksum = config.Bool(config.Option{
		Name: "rdbchecksum", Default: true,
		Doc: `Whether a snapshot ends with a checksum, and whether that is compared when it is loaded. Without,
damage may go unnoticed.`,
	})
	optFileName = config.String(config.Option{
		Name: "dbfilename", Default: "dump.rdb", Live: true, Protected: true,
		Doc: `The name of the snapshot file in the folder dir.`,
	}, checkFileName)
	optDir = config.String(config.Option{
		Name: "dir", Default: "./", Live: true, Protected: true,
		Doc: `The folder of the data files. One that is not absolute is taken from where the server was started,
and shown as an absolute one.`,
	})
	optDelSyncFiles = config.Bool(config.Option{
		Name: "rdb-del-sync-files", Live: true,
		Doc: `Whether snapshot files that were only needed for a full synchronization are removed, in a server
that has no other persistence.`,
	})
	optSanitize = config.Enum(config.Option{
		Name: "sanitize-dump-payload", Default: "no", Live: true,
		Doc: `Whether the content of a file that is loaded, or of RESTORE's payload, is checked in depth: never,
always, or only for what ordinary clients send. Strings are always checked.`,
	},
		config.Choice("no", SanitizeNo),
		config.Choice("yes", SanitizeYes),
		config.Choice("clients", SanitizeClients))
	optIncrementalSync = config.Bool(config.Option{
		Name: "rdb-save-incremental-fsync", Default: true, Live: true,
		Doc: `Whether a snapshot is brought to the disk every 4 MB while it is written, rather than all at once at
its end, which would keep the disk busy for long.`,
	})
	optSaveDelay = config.Int(config.Option{
		Name: "rdb-key-save-delay", Min: math.MinInt32, Max: math.MaxInt32, Live: true, Hidden: true,
		Doc: `For tests: how many microseconds to wait after each key that is saved. -n waits one microsecond after
every n keys, about.`,
	})
	optLoadDelay = config.Int(config.Option{
		Name: "key-load-delay", Min: math.MinInt32, Max: math.MaxInt32, Live: true, Hidden: true,
		Doc: `For tests: how many microseconds to wait after each key that is loaded. -n waits one microsecond after
every n keys, about.`,
	})
)

// A Sanitize is a value of sanitize-dump-payload.
type Sanitize int32

// The values of sanitize-dump-payload.
const (
	SanitizeNo Sanitize = iota
	SanitizeYes
	SanitizeClients
)

// Options are the options of snapshots.
var Options = config.NewGroup("snapshots", optSave, optStopWrites, optCompress, optChecksum, optFileName,
	optDir, optDelSyncFiles, optSanitize, optIncrementalSync, optSaveDelay, optLoadDelay)

func checkFileName(name string) error {
	switch {
	case name == "":
		return config.Reason("dbfilename can't be empty")
	case strings.ContainsAny(name, `/\`):
		return config.Reason("dbfilename can't be a path, just a filename")
	}
	return nil
}

// SavePoints are the value of save in a server.
func SavePoints(set *config.Set) []SavePoint { return optSave.Get(set) }

// Dir is the folder of the data files: absolute, once there is a Saver.
func Dir(set *config.Set) string { return optDir.Get(set) }

// OnDir has f called when CONFIG SET changes dir. Its error is why that is refused.
func OnDir(set *config.Set, f func() error) { set.OnApply(optDir, f) }

// DeletesSyncFiles is the value of rdb-del-sync-files.
func DeletesSyncFiles(set *config.Set) bool { return optDelSyncFiles.Get(set) }

// SanitizesPayloads is the value of sanitize-dump-payload.
func SanitizesPayloads(set *config.Set) Sanitize { return optSanitize.Get(set) }
