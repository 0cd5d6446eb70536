package infocmd

import (
	"time"

	"github.com/spineldb/spinel/internal/observe"
)

// Build is what does not change while a server runs.
type Build struct {
	RedisVersion string // of the Redis that it is compatible with
	Version      string // of this program
	GitSHA1      string // "" if it is not known
	GitDirty     bool
	BuildID      string
	RunID        string // 40 hexadecimal digits, new with every start
	Executable   string
	PID          int
	Supervised   string // no, systemd or upstart
	Multiplexing string // epoll, io_uring or net
	GoVersion    string
	OS           string // as uname says it: Linux 6.1.0 x86_64
	MemoryBytes  int64  // of the machine
}

// Figures are what a server knows of itself at one moment. The server makes them in
// exclusive mode, when it may read what belongs to its loops.
type Figures struct {
	Counters    // of all loops together
	Rates       Rates
	Process     Process
	Clients     Clients
	Memory      Memory
	Persistence Persistence
	Replication Replication

	Uptime     time.Duration
	Port       int
	Listeners  []string // name=tcp,bind=127.0.0.1,port=6379 and the like
	ConfigFile string
	Hz         int64
	Migrating  int           // connections that MIGRATE keeps
	Loops      int           // event loops that clients live on now
	Shutdown   time.Duration // until a shutdown that waits for replicas happens; 0 if there is none
}

// Counters are executors' counters added up. The IDs are those of the table of commands.
type Counters struct {
	Commands   []CommandCounts
	Histograms *observe.Histograms
	Errors     map[string]int64 // replies by code
	ErrorTotal int64

	Processed         int64 // commands
	BytesIn, BytesOut int64
	Reads, Writes     int64 // of sockets
	Turns             int64 // of event loops
	Hits, Misses      int64 // of keys
	QueryOver         int64 // connections closed because of client-query-buffer-limit
	OutputOver        int64 // and of client-output-buffer-limit
	ClientsEvicted    int64
	AuthDenied        int64 // logins refused
	CommandsDenied    int64 // by the user's rules, and so on
	KeysDenied        int64
	ChannelsDenied    int64
}

// CommandCounts are the figures of one command.
type CommandCounts struct {
	Calls, Nanos, Rejected, Failed int64
}

// Replication is what the stream's way to replicas has cost.
type Replication struct {
	Replicas                        int64
	Full, PartialOK, PartialRefused int64 // synchronizations
	BacklogBytes, BufferBytes       int64 // of memory: for those who come back, and of all
	Unexpected                      int64 // commands from the master that failed
	OwnExpires                      int64 // keys that only this replica has, with an expiry
}

// Rates are how fast counters grew lately, a second.
type Rates struct {
	Commands, BytesIn, BytesOut int64
}

// Process is what the operating system says.
type Process struct {
	ResidentBytes          int64
	UserCPU, SystemCPU     time.Duration
	UserMain, SystemMain   time.Duration // of the first loop's thread, if that is known
	UserChild, SystemChild time.Duration
}

// Clients are the connections beyond what the registry counts.
type Clients struct {
	Max           int64 // maxclients
	LargestQuery  int64 // bytes that one of them has sent and that are not executed
	LargestReply  int64 // bytes that wait to be sent to one of them
	Blocked       int64
	Tracking      int64
	PubSub        int64
	Watching      int64
	WatchedKeys   int64
	Timeouts      int64 // blocked ones that have a timeout
	BlockedKeys   int64
	BlockedNoKeys int64 // of these, keys that must not vanish
	Channels      int64 // of publish and subscribe
	Patterns      int64
	ShardChannels int64
	TrackedKeys   int64
	TrackedItems  int64
	TrackedPrefix int64
}

// Memory is what the keyspace does not know.
type Memory struct {
	Peak    int64 // the most that was used
	Startup int64 // used by an empty server
	Other   int64 // held by the program itself: the Go runtime's heap and stacks
}

// Persistence is how saving and loading stand. Times are in seconds.
type Persistence struct {
	Loading       bool
	LoadingBeside bool  // a replica loads new data, and serves the old ones
	LoadStart     int64 // since the epoch
	LoadTotal     int64 // bytes
	LoadDone      int64
	LoadETA       int64
	LoadedKeys    int64 // of the last load
	LoadedExpired int64

	Changes       int64 // since the last save
	Saving        bool  // in the background
	LastSave      int64 // since the epoch
	LastSaveOK    bool
	LastSaveTook  int64 // -1 if there was none
	SavingFor     int64 // -1 if there is none
	Saves         int64
	SavedKeys     int64 // by the one in progress
	KeysToSave    int64
	SaveHeldBytes int64 // that wait in memory to be written
	SaveHeldPeak  int64

	AOF AppendOnly
}

// AppendOnly is how the append-only file stands. Times are in seconds, -1 if there is none.
type AppendOnly struct {
	Enabled   bool
	Rewriting bool
	Scheduled bool // a rewrite is
	LastTook  int64
	TakesFor  int64
	LastOK    bool // of the last rewrite
	Rewrites  int64
	Failures  int64 // in a row
	WriteOK   bool
	Size      int64
	BaseSize  int64 // the size when the last rewrite ended
	Buffered  int64 // bytes that were not written yet
	Syncing   bool
	Delayed   int64 // how often replies waited for a sync that took too long
}
