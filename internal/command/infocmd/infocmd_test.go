package infocmd_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/infocmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/observe"
)

// A world is a DB with INFO, whose figures a test sets.
type world struct {
	*cmdtest.DB
	set     *config.Set
	figures infocmd.Figures
	asked   int // how often the figures were made
}

func newWorld(t *testing.T, own ...infocmd.Section) *world {
	t.Helper()
	w := &world{DB: cmdtest.New(t)}
	w.set = config.NewSchema(infocmd.Options, keyspace.ConfigOptions, config.Kept).NewSet()
	table, err := command.NewTable(nil,
		cmdtest.Strings(),
		infocmd.Family.With(infocmd.Deps{
			Build: infocmd.Build{
				RedisVersion: "7.2.4", Version: "1.2.3", RunID: strings.Repeat("ab", 20), Executable: "/usr/bin/spinel",
				PID: 42, Supervised: "no", Multiplexing: "epoll", GoVersion: "go1.26", OS: "Linux 6 x86_64",
				MemoryBytes: 8 << 30,
			},
			Keyspace: w.Keyspace, Sessions: w.Shared.Sessions, Options: w.set, Clock: w.Clock,
			Figures: func() *infocmd.Figures { w.asked++; return &w.figures },
			Table:   func() *command.Table { return w.Shared.Table },
			Sections: append(own, infocmd.Section{Name: "replication", Default: true,
				Append: func(dst []byte) []byte { return append(dst, "role:master\r\n"...) }}),
		}))
	if err != nil {
		t.Fatal(err)
	}
	w.Shared.Table = table
	w.Executor = exec.New(w.Shared)
	return w
}

func (w *world) info(sections ...string) string {
	return w.Do(append([]string{"INFO"}, sections...)...).Text()
}

// titles are the headings of a report.
func titles(text string) (found []string) {
	for line := range strings.SplitSeq(text, "\r\n") {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			found = append(found, title)
		}
	}
	return found
}

// Which sections there are, and their order, are as in a redis-server 7.0.
func TestSections(t *testing.T) {
	const usual = "Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace"
	const all = "Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats " +
		"Latencystats Cluster Keyspace"
	w := newWorld(t)
	for _, tt := range []struct{ args, want string }{
		{"", usual},
		{"default", usual},
		{"ALL", all},
		{"everything", all},
		{"nosuch", ""},
		{"keyspace Cluster modules", "Modules Cluster Keyspace"},
		{"cpu cpu nosuch", "CPU"},
		{"default commandstats", strings.Replace(usual, "Errorstats", "Commandstats Errorstats", 1)},
	} {
		text := w.info(strings.Fields(tt.args)...)
		if got := strings.Join(titles(text), " "); got != tt.want {
			t.Errorf("INFO %s:\n got %s\nwant %s", tt.args, got, tt.want)
		}
	}
	w.Do("INFO", "modules", "cluster", "keyspace").
		WantRaw("$57\r\n# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n\r\n")
	w.Do("INFO", "nosuch").WantRaw("$0\r\n\r\n")
	w.Session.Out.Resp3 = true
	w.Do("INFO", "cluster").WantRaw("=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n")
}

// Clients poll INFO cluster: it must not ask all loops.
func TestFiguresAreMadeOnce(t *testing.T) {
	w := newWorld(t)
	w.info("cluster", "replication", "keyspace")
	if w.asked != 0 {
		t.Error("INFO cluster replication keyspace asked for figures")
	}
	w.info("everything")
	if w.asked != 1 {
		t.Errorf("INFO everything asked for figures %d times", w.asked)
	}
}

// A subsystem's section takes the place of ours, or comes last.
func TestOwnSections(t *testing.T) {
	lines := func(text string) func([]byte) []byte {
		return func(dst []byte) []byte { return append(dst, text...) }
	}
	w := newWorld(t,
		infocmd.Section{Name: "persistence", Default: true, Append: lines("loading:1\r\n")},
		infocmd.Section{Name: "search", Append: lines("indexes:0\r\n")},
		infocmd.Section{Name: "tls", Title: "TLS", Default: true, Append: lines("")})
	const want = "# Persistence\r\nloading:1\r\n\r\n# Search\r\nindexes:0\r\n"
	if got := w.info("persistence", "search"); got != want {
		t.Errorf("INFO persistence search: %q", got)
	}
	got := titles(w.info())
	if got[3] != "Persistence" || got[len(got)-1] != "TLS" || slices.Contains(got, "Search") {
		t.Errorf("INFO: %q", got)
	}
	if got := titles(w.info("everything")); !slices.Contains(got, "Search") {
		t.Errorf("INFO everything: %q", got)
	}
}

func TestFields(t *testing.T) {
	w := newWorld(t)
	w.Session.DB = 3
	w.Do("SET", "a", "1").Want("OK")
	w.Do("SET", "b", "1", "EX", "100").Want("OK")
	w.Session.DB = 0
	w.Keyspace.Buffers.Store(2048)
	w.Keyspace.Stats.Expired.Store(7)
	w.Keyspace.Stats.ExpiredStalePerc.Store(1234)
	w.Clock.Advance(1500 * time.Millisecond)
	specs := w.Shared.Table
	id := func(name string) int { return specs.Find([]byte(name)).ID }
	f := &w.figures
	f.Commands = make([]infocmd.CommandCounts, len(specs.Specs()))
	f.Commands[id("get")] = infocmd.CommandCounts{Calls: 3, Nanos: 10_500, Rejected: 1, Failed: 2}
	f.Commands[id("set")] = infocmd.CommandCounts{Rejected: 1}
	f.Histograms = observe.NewHistograms(len(specs.Specs()))
	f.Histograms.Record(id("get"), 500, 1)
	f.Errors = map[string]int64{"WRONGTYPE": 2, "ERR": 5, "A:B": 1}
	f.Uptime, f.Port, f.Loops, f.Listeners = 50*time.Hour, 7000, 2, []string{"name=tcp,bind=127.0.0.1,port=7000"}
	f.Hits, f.Rates = 11, infocmd.Rates{Commands: 5, BytesIn: 1536}
	f.Process = infocmd.Process{ResidentBytes: 3 << 20, UserCPU: 1234567 * time.Microsecond}
	f.Memory.Peak = 1 << 30
	f.Persistence = infocmd.Persistence{Loading: true, LoadTotal: 400, LoadDone: 100, LastSaveOK: true,
		LastSaveTook: -1, SavedKeys: 1, KeysToSave: 8}

	text := "\r\n" + w.info("all")
	for _, line := range []string{
		"redis_version:7.2.4", "server_name:spinel", "spinel_version:1.2.3", "redis_git_sha1:00000000",
		"redis_mode:standalone", "process_id:42", "tcp_port:7000", "uptime_in_seconds:180000", "uptime_in_days:2",
		"io_threads_active:1", "server_time_usec:1700000001500000", "listener0:name=tcp,bind=127.0.0.1,port=7000",
		"connected_clients:1", "used_memory_rss:3145728", "used_memory_rss_human:3.00M",
		"used_memory_peak:1073741824", "used_memory_peak_human:1.00G", "maxmemory:0", "maxmemory_human:0B",
		"maxmemory_policy:noeviction", "total_system_memory_human:8.00G", "mem_clients_normal:2048",
		"loading:1", "loading_loaded_perc:25.00", "rdb_last_bgsave_status:ok", "rdb_last_bgsave_time_sec:-1",
		"current_fork_perc:12.50", "expired_keys:7", "expired_stale_perc:12.34", "keyspace_hits:11",
		"instantaneous_ops_per_sec:5", "instantaneous_input_kbps:1.50", "total_connections_received:1",
		"used_cpu_user:1.234567", "used_cpu_sys:0.000000",
		"cmdstat_get:calls=3,usec=10,usec_per_call=3.50,rejected_calls=1,failed_calls=2",
		"cmdstat_set:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0",
		"errorstat_A_B:count=1\r\nerrorstat_ERR:count=5\r\nerrorstat_WRONGTYPE:count=2",
		"latency_percentiles_usec_get:p50=0.503,p99=0.503,p99.9=0.503",
		"cluster_enabled:0", "db3:keys=2,expires=1,avg_ttl=0",
	} {
		if !strings.Contains(text, "\r\n"+line+"\r\n") {
			t.Errorf("INFO all does not say %s", line)
		}
	}
	if strings.Contains(text, "cmdstat_info") || strings.Contains(text, "db0:") {
		t.Error("INFO all speaks of what there is none of")
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\r\n") {
		if name, _, ok := strings.Cut(line, ":"); line != "" && line[0] != '#' && (!ok || name == "") {
			t.Errorf("%q is no field", line)
		}
	}
}

func TestPercentiles(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ set, get, fails string }{
		{set: "50.0 99.9999999 0 100", get: "50 100 0 100"},
		{set: "1e1 0.5", get: "10 0.5"},
		{set: "", get: ""},
		{set: "101", fails: "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"},
		{set: "-1", fails: "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"},
		{set: "x", fails: "Invalid latency-tracking-info-percentiles parameters"},
		{set: "nan", fails: "Invalid latency-tracking-info-percentiles parameters"},
		{set: "50  99", fails: "Invalid latency-tracking-info-percentiles parameters"},
	} {
		const name = "latency-tracking-info-percentiles"
		err := w.set.ConfigSet([][]byte{[]byte(name), []byte(tt.set)}, false)
		if tt.fails != "" {
			if err == nil || !strings.HasSuffix(err.Error(), " - "+tt.fails) {
				t.Errorf("%q: %v, want %s", tt.set, err, tt.fails)
			}
			continue
		}
		if got, _ := w.set.Text(name); err != nil || got != tt.get {
			t.Errorf("%q: %q and %v, want %q", tt.set, got, err, tt.get)
		}
	}
	w.figures.Histograms = observe.NewHistograms(len(w.Shared.Table.Specs()))
	w.figures.Histograms.Record(w.Shared.Table.Find([]byte("get")).ID, 100, 1)
	if got, want := w.info("latencystats"), "# Latencystats\r\nlatency_percentiles_usec_get:\r\n"; got != want {
		t.Errorf("without percentiles: %q, want %q", got, want)
	}
}
