package memorycmd_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/memorycmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/exec"
)

type world struct {
	*cmdtest.DB
	figures memorycmd.Figures
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{DB: cmdtest.New(t)}
	table, err := command.NewTable(nil, txcmd.Family.Specs,
		cmdtest.Strings(),
		memorycmd.Family.With(memorycmd.Deps{
			Keyspace: w.Keyspace, Figures: func() memorycmd.Figures { return w.figures },
		}))
	if err != nil {
		t.Fatal(err)
	}
	w.Shared.Table = table
	w.Executor = exec.New(w.Shared)
	return w
}

func TestUsage(t *testing.T) {
	w := newWorld(t)
	w.Do("MEMORY", "USAGE", "k").WantRaw("$-1\r\n")
	const key, share, header = len("key"), 8, 4
	for _, size := range []int{1, 50, 100, 5000, 100_000} {
		w.Do("SET", "key", strings.Repeat("x", size)).Want("OK")
		got, _ := strconv.Atoi(w.Do("MEMORY", "USAGE", "key").Text())
		if least := key + size + share; got < least || got > (least+header)*125/100+16 {
			t.Errorf("a string of %d bytes takes %d", size, got)
		}
		w.Do("MEMORY", "USAGE", "key", "SAMPLES", "0", "samples", "5").WantInt(int64(got))
	}
	for _, tt := range []struct{ words, want string }{
		{"SAMPLES", "ERR syntax error"},
		{"SAMPLES -1", "ERR syntax error"},
		{"SAMPLES x", "ERR value is not an integer or out of range"},
		{"x 1", "ERR syntax error"},
	} {
		w.Do(append([]string{"MEMORY", "USAGE", "none"}, strings.Fields(tt.words)...)...).WantError(tt.want)
	}
}

// The fields are those of a redis-server 7.0 in its order.
func TestStats(t *testing.T) {
	w := newWorld(t)
	w.Do("SET", "a", "1").Want("OK")
	w.Session.DB = 7
	w.Do("SET", "b", "1").Want("OK")
	w.Keyspace.Buffers.Store(1000)
	w.figures = memorycmd.Figures{Peak: 1 << 30, Startup: 500, Resident: 1 << 20,
		Backlog: 7, Replicas: 8, Unwritten: 9}
	text := w.Do("MEMORY", "STATS").Text()
	const want = `[peak.allocated 1073741824 total.allocated N startup.allocated 500 replication.backlog 7 ` +
		`clients.slaves 8 clients.normal 1000 cluster.links 0 aof.buffer 9 lua.caches 0 functions.caches 0 ` +
		`db.0 [overhead.hashtable.main N overhead.hashtable.expires 0 overhead.hashtable.slot-to-keys 0] ` +
		`db.7 [overhead.hashtable.main N overhead.hashtable.expires 0 overhead.hashtable.slot-to-keys 0] ` +
		`overhead.total N keys.count 2 keys.bytes-per-key N dataset.bytes N dataset.percentage F ` +
		`peak.percentage F allocator.allocated N allocator.active N allocator.resident N ` +
		`allocator-fragmentation.ratio F allocator-fragmentation.bytes N allocator-rss.ratio F ` +
		`allocator-rss.bytes N rss-overhead.ratio F rss-overhead.bytes N fragmentation F fragmentation.bytes N]`
	pattern := strings.NewReplacer("N", `-?\d+`, "F", `\d+(\.\d+)?(e[+-]\d+)?`).Replace(regexp.QuoteMeta(want))
	if !regexp.MustCompile("^" + pattern + "$").MatchString(text) {
		t.Errorf("MEMORY STATS:\n got %s\nwant %s", text, want)
	}
	live := w.Keyspace.UsedMemory()
	if !strings.Contains(text, fmt.Sprintf("total.allocated %d ", live+1000)) {
		t.Errorf("%d bytes live and 1000 in buffers: %s", live, text)
	}
	w.Session.Out.Resp3 = true
	if raw := w.Do("MEMORY", "STATS").Raw(); !strings.HasPrefix(raw, "%29\r\n") {
		t.Errorf("RESP3 gets %.10q", raw)
	}
}

func TestDoctor(t *testing.T) {
	w := newWorld(t)
	const mb = 1 << 20
	for _, tt := range []struct {
		figures memorycmd.Figures
		clients int64
		want    string
	}{
		{memorycmd.Figures{}, 0, "Hi Sam, this instance is empty or is using very little memory"},
		{memorycmd.Figures{Peak: 25 * mb, Resident: 25 * mb}, 20 * mb, "Hi Sam, I can't find any memory issue"},
		{memorycmd.Figures{Peak: 40 * mb}, 20 * mb, " * Peak: some time ago 20 MB more"},
		{memorycmd.Figures{Resident: 60 * mb}, 20 * mb, " * Process: "},
		{memorycmd.Figures{}, 40 * mb, " * Clients: their buffers take 40 MB"},
	} {
		w.figures = tt.figures
		w.Keyspace.Buffers.Store(tt.clients)
		if text := w.Do("MEMORY", "DOCTOR").Text(); !strings.Contains(text, tt.want) {
			t.Errorf("%+v: %s", tt, text)
		}
	}
}

func TestPurgeAndMallocStats(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("x", 1<<20)
	for i := range 8 {
		w.Do("SET", fmt.Sprint("k", i), big).Want("OK")
	}
	for i := range 8 {
		w.Do("SET", fmt.Sprint("k", i), "1").Want("OK")
	}
	before := w.Keyspace.MemoryParts().Held
	w.Do("MEMORY", "PURGE").Want("OK")
	if after := w.Keyspace.MemoryParts().Held; before-after < 7<<20 {
		t.Errorf("%d bytes were held, and %d still are", before, after)
	}
	text := w.Do("MEMORY", "MALLOC-STATS").Text()
	if !strings.Contains(text, "8 keys") || !strings.Contains(text, "Arenas:    64") {
		t.Errorf("MALLOC-STATS: %s", text)
	}
	w.Do("MULTI").Want("OK") // where keys are locked already
	w.Do("SET", "k0", "2").Want("QUEUED")
	w.Do("MEMORY", "PURGE").Want("QUEUED")
	w.Do("EXEC").WantArray("OK", "OK")
	if help := w.Do("MEMORY", "HELP").Text(); !strings.HasPrefix(help, "[MEMORY <subcommand> ") {
		t.Errorf("the help begins with %.40s", help)
	}
}
