package latencycmd_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/latencycmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/observe"
)

// A world is a DB with the commands of this package and one that does nothing.
type world struct {
	*cmdtest.DB
	set      *config.Set
	tracking atomic.Bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{DB: cmdtest.New(t), set: config.NewSchema(latencycmd.Options).NewSet()}
	var idle command.Family
	idle.Add(command.Spec{Name: "IDLE", Arity: -1, Run: func(c *command.Ctx) error { c.Out.OK(); return nil }})
	table, err := command.NewTable(nil, idle.Specs, txcmd.Family.Specs, latencycmd.Family.With(latencycmd.Deps{
		Options: w.set, Logs: w.Shared.Logs, Monitor: w.Shared.Latency,
		Histograms: func() *observe.Histograms { return w.Executor.Stats.Histograms },
		Table:      func() *command.Table { return w.Shared.Table },
	}))
	if err != nil {
		t.Fatal(err)
	}
	w.Shared.Table = table
	w.Executor = exec.New(w.Shared)
	latencycmd.Follow(w.set, w.Shared.Logs, w.Shared.Latency, &w.tracking)
	return w
}

func (w *world) configure(t *testing.T, words string) {
	t.Helper()
	if err := w.set.ConfigSet(bytes.Fields([]byte(words)), false); err != nil {
		t.Fatal(err)
	}
}

func args(words string) [][]byte { return bytes.Fields([]byte(words)) }

// A transaction's commands are logged, and not its EXEC.
func TestSlowLogOfTransaction(t *testing.T) {
	w := newWorld(t)
	w.configure(t, "slowlog-log-slower-than 0")
	for _, call := range []string{"MULTI", "IDLE a", "IDLE b", "EXEC"} {
		w.Do(strings.Fields(call)...)
	}
	var got []string
	for _, e := range w.Shared.Logs.Slow.Get(-1) {
		got = append(got, strings.Join(e.Args, " "))
	}
	if want := "IDLE b|IDLE a|MULTI"; strings.Join(got, "|") != want {
		t.Errorf("the slow log has %q, want %s", got, want)
	}
}

func TestSlowLog(t *testing.T) {
	w := newWorld(t)
	w.Do("SLOWLOG", "GET").WantRaw("*0\r\n")
	slow := w.Shared.Logs.Slow
	for i := range 12 {
		slow.Add(int64(10_000+i), args(fmt.Sprint("SET k ", i)), "127.0.0.1:5", "me")
		w.Clock.Advance(time.Second)
	}
	w.Do("SLOWLOG", "LEN").WantInt(12)
	w.Do("SLOWLOG", "GET", "1").WantRaw("*1\r\n*6\r\n:11\r\n:1700000011\r\n:10011\r\n" +
		"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n11\r\n$11\r\n127.0.0.1:5\r\n$2\r\nme\r\n")
	for _, tt := range []struct {
		count string
		want  int
	}{{"0", 0}, {"2", 2}, {"-1", 12}, {"9223372036854775807", 12}} {
		if n := w.Do("SLOWLOG", "GET", tt.count).Raw(); !strings.HasPrefix(n, fmt.Sprintf("*%d\r\n", tt.want)) {
			t.Errorf("SLOWLOG GET %s: %.10q, want %d entries", tt.count, n, tt.want)
		}
	}
	if n := w.Do("SLOWLOG", "GET").Raw(); !strings.HasPrefix(n, "*10\r\n") {
		t.Errorf("SLOWLOG GET: %.10q, want 10 entries", n)
	}
	const bad = "ERR count should be greater than or equal to -1"
	w.Do("SLOWLOG", "GET", "-2").WantError(bad)
	w.Do("SLOWLOG", "GET", "x").WantError(bad)
	w.Do("SLOWLOG", "GET", "1", "2").
		WantError("ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.")
	w.Do("SLOWLOG", "RESET").Want("OK")
	w.Do("SLOWLOG", "LEN").WantInt(0)
}

func TestCommandLog(t *testing.T) {
	w := newWorld(t)
	logs := w.Shared.Logs
	logs.Slow.Add(1, args("a"), "", "")
	logs.LargeRequest.Add(2, args("b"), "", "")
	logs.LargeRequest.Add(3, args("c"), "", "")
	for _, tt := range []struct {
		kind string
		want int64
	}{{"slow", 1}, {"LARGE-request", 2}, {"large-reply", 0}} {
		w.Do("COMMANDLOG", "LEN", tt.kind).WantInt(tt.want)
	}
	w.Do("COMMANDLOG", "GET", "-1", "large-request").
		WantArray("[1 1700000000 3 [c]  ]", "[0 1700000000 2 [b]  ]")
	w.Do("COMMANDLOG", "RESET", "large-request").Want("OK")
	w.Do("COMMANDLOG", "LEN", "large-request").WantInt(0)
	w.Do("SLOWLOG", "LEN").WantInt(1)

	const bad = "ERR type should be one of the following: slow, large-request, large-reply"
	w.Do("COMMANDLOG", "LEN", "x").WantError(bad)
	w.Do("COMMANDLOG", "GET", "1", "x").WantError(bad)
	w.Do("COMMANDLOG", "RESET", "").WantError(bad)
	w.Do("COMMANDLOG", "GET", "-2", "x").WantError("ERR count should be greater than or equal to -1")
	w.Do("COMMANDLOG", "GET", "1").WantError("ERR wrong number of arguments for 'commandlog|get' command")
}

func TestLatency(t *testing.T) {
	w := newWorld(t)
	w.Do("LATENCY", "LATEST").WantRaw("*0\r\n")
	w.Do("LATENCY", "HISTORY", "command").WantRaw("*0\r\n")
	w.Do("LATENCY", "GRAPH", "x").WantError("ERR No samples available for event 'x'")
	if text := w.Do("LATENCY", "DOCTOR").Text(); !strings.HasPrefix(text, "I'm sorry, Dave, I can't do that.") {
		t.Errorf("the doctor says %.60s", text)
	}
	w.configure(t, "latency-monitor-threshold 10")
	for i, ms := range []int64{20, 9, 30, 15} {
		w.Shared.Latency.Observe([]string{"command", "command", "command", "expire-cycle"}[i], ms)
		w.Clock.Advance(time.Second)
	}
	w.Do("LATENCY", "LATEST").WantArray("[command 1700000002 30 30]", "[expire-cycle 1700000003 15 15]")
	w.Do("LATENCY", "HISTORY", "command").WantArray("[1700000000 20]", "[1700000002 30]")
	w.Session.Out.Resp3 = true
	graph := w.Do("LATENCY", "GRAPH", "command").Raw()
	if !strings.Contains(graph, "txt:command - high 30 ms, low 20 ms (all time high 30 ms)\n----") {
		t.Errorf("the graph is %q", graph)
	}
	w.Do("LATENCY", "RESET", "nosuch", "command").WantInt(1)
	w.Do("LATENCY", "RESET").WantInt(1)
	w.Do("LATENCY", "LATEST").WantRaw("*0\r\n")
}

// Buckets are those of Redis: powers of two of nanoseconds, cumulative.
func TestHistogram(t *testing.T) {
	w := newWorld(t)
	h := w.Executor.Stats.Histograms
	id := func(words string) int { return w.Shared.Table.Resolve(args(words)).ID }
	h.Record(id("IDLE"), 800, 3)
	h.Record(id("IDLE"), 33_000, 1)
	h.Record(id("SLOWLOG GET"), 1_500, 1)
	h.Record(id("SLOWLOG LEN"), 1_500, 2)

	const idle, get, len = "idle [calls 4 histogram_usec [1 3 33 4]]",
		"slowlog|get [calls 1 histogram_usec [2 1]]", "slowlog|len [calls 2 histogram_usec [2 2]]"
	for _, tt := range []struct {
		names string
		want  []string
	}{
		{"", []string{idle, get, len}},
		{"idle", []string{idle}},
		{"SLOWLOG nosuch idle", []string{get, len, idle}},
		{"slowlog|LEN slowlog|nosuch", []string{len}},
		{"latency", nil},
	} {
		call := append([]string{"LATENCY", "HISTOGRAM"}, strings.Fields(tt.names)...)
		w.Do(call...).WantArray(tt.want...)
	}
	w.Session.Out.Resp3 = true
	w.Do("LATENCY", "HISTOGRAM", "slowlog|len").WantRaw("%1\r\n$11\r\nslowlog|len\r\n%2\r\n" +
		"$5\r\ncalls\r\n:2\r\n$14\r\nhistogram_usec\r\n%1\r\n:2\r\n:2\r\n")
}

// Options act at once, under Redis's and Valkey's names.
func TestOptions(t *testing.T) {
	w := newWorld(t)
	logs := w.Shared.Logs
	if logs.Slow.Wants(9_999) || !logs.Slow.Wants(10_000) || !logs.LargeReply.Wants(1<<20) ||
		!w.tracking.Load() {
		t.Error("the defaults are not in force")
	}
	w.configure(t, "commandlog-execution-slower-than 5 slowlog-max-len 1 commandlog-request-larger-than -1 "+
		"latency-tracking no latency-monitor-threshold 7")
	if !logs.Slow.Wants(5) || logs.LargeRequest.Wants(1<<40) || w.tracking.Load() ||
		w.Shared.Latency.Threshold() != 7 {
		t.Error("the new values are not in force")
	}
	logs.Slow.Add(5, args("a"), "", "")
	logs.Slow.Add(5, args("b"), "", "")
	w.Do("SLOWLOG", "LEN").WantInt(1)
	for _, tt := range []struct{ words, want string }{
		{"slowlog-log-slower-than -2", "argument must be between -1 and 9223372036854775807 inclusive"},
		{"slowlog-max-len -1", "argument must be between 0 and 9223372036854775807 inclusive"},
		{"latency-monitor-threshold -1", "argument must be between 0 and 9223372036854775807 inclusive"},
	} {
		err := w.set.ConfigSet(args(tt.words), false)
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.words, err, tt.want)
		}
	}
}

func TestHelp(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"SLOWLOG", "COMMANDLOG", "LATENCY"} {
		text := w.Do(name, "HELP").Text()
		if !strings.HasPrefix(text, "["+name+" <subcommand> ") || !strings.HasSuffix(text, "Prints this help.]") {
			t.Errorf("%s HELP: %s", name, text)
		}
	}
}
