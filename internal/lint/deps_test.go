package lint

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// policy is who may import whom, floor by floor. Names are folders, without
// internal/. "a < b": b may import a, and all that a may.
//
// It is a statement of intent and not a record of what happens to be imported:
// to need a new edge is to change the design, so say why in the commit.
// Packages that are planned and not yet written stand here already.
const policy = `
NONE < invariant;

# Floor 0: what needs only the standard library. What computes and no more is
# for everyone; time and files are not.
invariant < numtext, glob, hash, lzf < PURE;
NONE < clock, vfs, thread;

# Floor 1: memory, options, what is observed, the wire.
PURE < mem, resp;
PURE, vfs < config;
PURE, clock, config < observe;

# Floor 2: data structures. They know neither time nor options.
PURE, mem < ds/leaf, ds/listpack, ds/intset, ds/ziplist, ds/hll, ds/geohash, ds/dict;
ds/leaf < ds/hashdir < ds/hashtable, ds/scoreindex;
ds/leaf, ds/listpack < ds/quicklist, ds/ranktree < ds/stream;
ds/listpack, ds/intset, ds/ziplist < PACKED;
PACKED, ds/quicklist, ds/dict, ds/hashtable, ds/scoreindex, ds/ranktree, ds/stream, ds/hll, ds/geohash < DS;

# Floor 3: values, their file format, the keyspace.
PACKED < rdb;
ds/dict < ds/record;
DS, ds/record < value;
value, rdb < dump;
config < value;
value, resp, config, clock < keyspace;

# Floor 4: state that commands act on. None of it knows that there are commands.
config, clock, PURE < acl;
resp, acl, clock < session;
resp, clock, observe, mem < journal; # the stream is off the Go heap

# Floor 5: the contract of a command, and what drives one.
resp, keyspace, session, acl < command;
journal < command;
command, observe < exec;

# Floor 5: subsystems. Each owns its state, its format and its INFO section.
session, observe < pubsub, tracking;
resp, config, clock, observe < script, cluster;
keyspace, dump, vfs, thread < snapshot;
journal, rdb, vfs, config, observe < aof;
session, journal, rdb, vfs, config, observe < replication; # a replica's connection is a session
pubsub, config, observe < sentinel;
session, config, observe, thread < netloop;

# Floor 5: families of commands. A data family sees data, a service family what
# it drives; none sees another.
command, dump < DATA;
DATA < command/stringcmd, command/listcmd, command/hashcmd, command/setcmd,
       command/zsetcmd, command/streamcmd, command/bitcmd, command/hllcmd,
       command/geocmd, command/keycmd;
command, config, observe < SERVICE;
SERVICE < command/conncmd, command/txcmd;
SERVICE, pubsub < command/pubsubcmd;
SERVICE, script < command/scriptcmd;
SERVICE < command/aclcmd;
SERVICE, snapshot, aof, tracking < command/servercmd;
SERVICE < command/catalogcmd, command/configcmd, command/infocmd, command/latencycmd,
          command/memorycmd;
SERVICE, dump < command/debugcmd; # DEBUG OBJECT tells how long a value is in a file
SERVICE, replication < command/replcmd;
SERVICE, cluster < command/clustercmd;

command/stringcmd, command/listcmd, command/hashcmd, command/setcmd,
command/zsetcmd, command/streamcmd, command/bitcmd, command/hllcmd,
command/geocmd, command/keycmd, command/conncmd, command/txcmd,
command/pubsubcmd, command/scriptcmd, command/aclcmd, command/servercmd,
command/catalogcmd, command/configcmd, command/infocmd, command/latencycmd,
command/memorycmd, command/debugcmd, command/replcmd, command/clustercmd < command/all;

# Floor 6: assembly. Only it sees everything.
NONE < proctitle < server;
command/all, exec, pubsub, tracking, script, snapshot, aof, replication,
cluster, sentinel, netloop < server < spinel;

# Beside: programs that speak the protocol or read the files, without a server.
resp, numtext < client;
NONE < cmdline;
client, config, rdb, clock, cmdline < cli, benchmark;
rdb, aof < check;
spinel, cli, benchmark, check < cmd/spinel;

# Tests from above, and tools of the tree.
mem < mem/memtest;
resp < original;
NONE < testenv;
command/all, exec, original < cmdtest;
cmdtest, testenv < test/chaos; # a server without sockets
NONE < lint, gen/gotest, gen/fuzzall;
spinel, client, check, testenv < test/conformance, test/e2e, test/chaos, test/clients, test/replication;
`

// reserved is what not everybody may import or call, and why.
var reserved = []Reserved{
	{Import: "unsafe", Why: "memory that the garbage collector does not see is the business of mem and ds",
		Allow: []string{
			"mem", "ds/...",
			"internal/netloop/syscall_linux.go", // calls that x/sys has no wrapper for, or a blocking one
			"internal/netloop/ring_linux.go",    // the rings are memory shared with the kernel
			"internal/netloop/uring_linux.go",   // and their entries hold addresses of messages
		}},
	{Import: "C", Why: "one static binary, built without a C compiler"},
	{Import: "log", Why: "a server's log is its instance's log/slog"},
	{Import: "math/rand", Why: "math/rand/v2, made by whoever makes the instance"},
	{Import: "net", Why: "commands and state know no sockets",
		Allow: []string{"main", "netloop", "server", "spinel", "client", "cli", "benchmark",
			"cmdline", // where a server is, for those two
			"replication", "cluster", "sentinel",
			"original", // runs redis-server beside a test, and speaks to it
		}},
	{Import: "time", Name: "Now", Why: "time comes in as a clock.Clock",
		Allow: []string{
			"main", "clock", "client", "cli", "benchmark",
			"internal/netloop/net.go", // the deadline of a socket is a time of the system
		}},
	{Import: "time", Name: "Since", Why: "time comes in as a clock.Clock",
		Allow: []string{"main", "clock", "client", "cli", "benchmark"}},
	{Import: "os", Name: "Exit", Why: "only a program may end the process", Allow: []string{"main"}},

	{Import: "golang.org/x/sys/...", Why: "system calls",
		Allow: []string{"main", "mem", "vfs", "netloop", "observe", "server", "cli", "benchmark", "thread"}},
	{Import: "golang.org/x/term/...", Why: "the client's prompt", Allow: []string{"cli"}},
	{Import: "github.com/reeflective/readline/...", Why: "the client's line editor", Allow: []string{"cli"}},
	{Import: "github.com/HdrHistogram/hdrhistogram-go", Why: "latencies", Allow: []string{"benchmark"}},
	{Import: "github.com/zeebo/xxh3", Why: "the hash of a key", Allow: []string{"hash"}},
	{Import: "github.com/klauspost/cpuid/v2", Why: "what the processor can do", Allow: []string{"hash", "mem"}},
	{Import: "github.com/yuin/gopher-lua/...", Why: "scripts", Allow: []string{"script"}},
	{Import: "github.com/prometheus/client_golang/...", Why: "metrics", Allow: []string{"observe"}},
}

func TestImports(t *testing.T) {
	graph, err := ParseGraph(policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tree(t) {
		report(t, graph.CheckImports(f))
		report(t, CheckModules(f, reserved))
		for _, r := range reserved {
			report(t, r.CheckReserved(f))
		}
	}
}

// TestPolicyKeepsThePromises holds the policy itself to the rules that make its
// cycles impossible, whatever edges are added to it.
func TestPolicyKeepsThePromises(t *testing.T) {
	graph, err := ParseGraph(policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(graph.below)) {
		family := strings.HasPrefix(name, "command/") && name != "command/all"
		if graph.Allows(name, "server") && !slices.Contains([]string{"spinel", "cmd/spinel"}, name) &&
			!strings.HasPrefix(name, "test/") {
			t.Errorf("%s may import server: only the root package, mains and tests may", name)
		}
		for to := range graph.below[name] {
			switch {
			case family && strings.HasPrefix(to, "command/"):
				t.Errorf("%s may import %s: no family sees another", name, to)
			case family && to == "netloop":
				t.Errorf("%s may import netloop: commands know no sockets", name)
			case strings.HasPrefix(name, "ds/") && (to == "clock" || to == "config" || to == "vfs"):
				t.Errorf("%s may import %s: a data structure knows neither time nor options", name, to)
			}
		}
	}
	state := []string{"keyspace", "ds/record", "rdb", "acl", "session", "journal", "pubsub", "tracking",
		"script", "snapshot", "aof", "replication", "cluster", "sentinel", "netloop"}
	for _, name := range state {
		if !graph.Knows(name) || graph.Allows(name, "command") {
			t.Errorf("%s must stand in the policy and may not import command", name)
		}
	}
}

func TestGraph(t *testing.T) {
	graph, err := ParseGraph("NONE < a; # the ground\na < b, c < D;\nD < e;\nNONE < f;")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"b", "a", true},
		{"e", "a", true}, // through the landmark
		{"e", "c", true},
		{"a", "b", false}, // never up
		{"b", "c", false}, // nor sideways
		{"f", "a", false},
		{"b", "b", false},
	} {
		if got := graph.Allows(tt.from, tt.to); got != tt.want {
			t.Errorf("may %s import %s: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
	for _, bad := range []string{
		"NONE < a; a < b; b < a;", // a cycle
		"a < b;",                  // a is never placed
		"NONE < a, ;",
		"NONE < a b;",
		"NONE < a",
	} {
		if _, err := ParseGraph(bad); err == nil {
			t.Errorf("ParseGraph(%q) finds no fault", bad)
		}
	}
}

func TestImportRulesBite(t *testing.T) {
	graph, err := ParseGraph("NONE < keyspace; keyspace < command; NONE < spinel, ds/dict, hash;")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path, imports string
		want          int
	}{
		{"internal/command/x.go", `import "github.com/spineldb/spinel/internal/keyspace"`, 0},
		{"internal/keyspace/x.go", `import "github.com/spineldb/spinel/internal/command"`, 1},
		{"internal/keyspace/x.go", `import "github.com/spineldb/spinel"`, 1},
		{"internal/keyspace/x_test.go", `import "github.com/spineldb/spinel/internal/command"`, 0},
		{"internal/unheard/x.go", ``, 1},
		{"x.go", `import "github.com/spineldb/spinel/internal/command"`, 1},
		{"internal/keyspace/x.go", `import "unsafe"`, 1},
		{"internal/ds/dict/x.go", `import "unsafe"`, 0},
		{"internal/keyspace/x.go", `import "net"`, 1},
		{"internal/keyspace/x.go", `import "net/netip"`, 0}, // an address is no socket
		{"internal/keyspace/x.go", `import "github.com/zeebo/xxh3"`, 1},
		{"internal/hash/x.go", `import "github.com/zeebo/xxh3"`, 0},
		{"internal/hash/x.go", `import "example.org/unknown"`, 1},
		{"internal/keyspace/x.go", "import \"time\"\nvar t = time.Now()", 1},
		{"internal/keyspace/x.go", "import clk \"time\"\nvar t = clk.Now", 1},
		{"internal/keyspace/x.go", "import \"time\"\nvar t = time.Second", 0},
		{"internal/keyspace/x.go", "import \"os\"\nfunc f() { os.Exit(1) }", 1},
	} {
		f := parse(t, tt.path, "package x\n"+tt.imports+"\n")
		found := append(graph.CheckImports(f), CheckModules(f, reserved)...)
		for _, r := range reserved {
			found = append(found, r.CheckReserved(f)...)
		}
		if len(found) != tt.want {
			t.Errorf("%s with %s: found %v, want %d", tt.path, tt.imports, found, tt.want)
		}
	}
}
