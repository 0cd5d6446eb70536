package observe

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
)

const testEpoch = 1_795_353_856 // seconds

func newTestMonitor() (*LatencyMonitor, *clock.Manual) {
	c := clock.NewManual(testEpoch * 1000)
	m := NewLatencyMonitor(c)
	m.SetThreshold(10)
	return m, c
}

// fourSpikes is the sequence that was fed to a Redis 7.0 with DEBUG SLEEP; the
// first two fall within one second.
func fourSpikes(m *LatencyMonitor, c *clock.Manual) {
	for i, ms := range []int64{20, 100, 50, 300, 11} {
		if i > 1 {
			c.Advance(time.Second)
		}
		m.Observe("command", ms)
	}
}

// TestLatencySeries shows LATEST, HISTORY and RESET.
func TestLatencySeries(t *testing.T) {
	m, c := newTestMonitor()
	m.Observe("command", 9) // no spike
	if m.Latest() == nil || len(m.Latest()) != 0 || m.History("command") != nil {
		t.Fatalf("latest %v, history %v", m.Latest(), m.History("command"))
	}
	fourSpikes(m, c)
	m.Observe("aof-write", 10)
	wantLatest := []LatencyLatest{
		{"aof-write", LatencySample{testEpoch + 3, 10}, 10, 10, 1},
		{"command", LatencySample{testEpoch + 3, 11}, 300, 481, 5},
	}
	if got := m.Latest(); !slices.Equal(got, wantLatest) {
		t.Errorf("Latest\n got %v\nwant %v", got, wantLatest)
	}
	m.Observe("command", 10) // the same second, and less
	wantHistory := []LatencySample{
		{testEpoch, 100}, {testEpoch + 1, 50}, {testEpoch + 2, 300}, {testEpoch + 3, 11},
	}
	if got := m.History("command"); !slices.Equal(got, wantHistory) {
		t.Errorf("History\n got %v\nwant %v", got, wantHistory)
	}
	for _, tt := range []struct {
		events []string
		want   int
	}{
		{[]string{"none"}, 0},
		{[]string{"command", "none", "command"}, 1},
		{nil, 1},
		{nil, 0},
	} {
		if got := m.Reset(tt.events...); got != tt.want {
			t.Errorf("Reset(%q) = %d, want %d", tt.events, got, tt.want)
		}
	}
}

// TestLatencyKeepsTheLast160 shows what goes when an event has more samples.
func TestLatencyKeepsTheLast160(t *testing.T) {
	m, c := newTestMonitor()
	for i := range int64(400) {
		m.Observe("e", 1000-i)
		c.Advance(time.Second)
		got := m.History("e")
		if want := int(min(i+1, 160)); len(got) != want {
			t.Fatalf("%d samples after %d, want %d", len(got), i+1, want)
		}
		for j, s := range got {
			n := i + 1 - int64(len(got)) + int64(j)
			if s != (LatencySample{testEpoch + n, 1000 - n}) {
				t.Fatalf("sample %d of %d is %v", j, len(got), s)
			}
		}
	}
	latest := m.Latest()[0]
	if latest.Max != 1000 || latest.Count != 400 || latest.Sum != 400*1000-399*200 {
		t.Errorf("latest %+v", latest)
	}
}

// TestLatencyThreshold shows when a latency is a spike.
func TestLatencyThreshold(t *testing.T) {
	m, _ := newTestMonitor()
	for _, tt := range []struct {
		threshold, millis int64
		want              bool
	}{
		{10, 9, false}, {10, 10, true}, {0, 1000, false}, {0, 0, false}, {-1, 1000, false}, {1, 0, false},
	} {
		m.SetThreshold(tt.threshold)
		if got := m.Wants(tt.millis); got != tt.want || m.Threshold() != max(tt.threshold, 0) {
			t.Errorf("threshold %d (%d) wants %d: %v", tt.threshold, m.Threshold(), tt.millis, got)
		}
	}
}

// TestGraphAgainstRedis draws series that a Redis 7.0 has recorded and drawn:
// one that just needs a second block of columns, and a full one.
func TestGraphAgainstRedis(t *testing.T) {
	for _, tt := range []struct {
		name string
		age  int64 // seconds from the last sample to the drawing
	}{
		{"graph85", 0},
		{"graph168", 1},
	} {
		m, c := newTestMonitor()
		samples, err := os.ReadFile("testdata/" + tt.name + ".samples")
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("testdata/" + tt.name + ".want")
		if err != nil {
			t.Fatal(err)
		}
		var unix, millis int64
		for line := range strings.Lines(string(samples)) {
			if _, err := fmt.Sscan(line, &unix, &millis); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			c.SetWall(clock.Millis(unix * 1000))
			m.Observe("command", millis)
		}
		c.SetWall(clock.Millis((unix + tt.age) * 1000))
		if got, ok := m.Graph("command"); !ok || got != string(want) {
			t.Errorf("%s: got %v\n%s\nwant\n%s", tt.name, ok, got, want)
		}
	}
}

// TestGraph shows small graphs, also compared with Redis's, and the units.
func TestGraph(t *testing.T) {
	line := strings.Repeat("-", 80) + "\n"
	m, c := newTestMonitor()
	if got, ok := m.Graph("command"); ok {
		t.Errorf("a graph of nothing: %q", got)
	}
	fourSpikes(m, c)
	m.Observe("one", 20)
	m.Observe("old", 20)
	for _, tt := range []struct {
		event string
		later time.Duration
		want  string
	}{
		{"command", 0, "command - high 300 ms, low 11 ms (all time high 300 ms)\n" + line +
			"  # \n  | \n_ | \n|o|_\n    \n3210\nssss\n"},
		{"one", 0, "one - high 20 ms, low 20 ms (all time high 20 ms)\n" + line + " \n \n \n_\n \n0\ns\n"},
		{"old", 59 * time.Second, "old - high 20 ms, low 20 ms (all time high 20 ms)\n" + line +
			" \n \n \n_\n \n5\n9\ns\n"},
		{"old", time.Second, "old - high 20 ms, low 20 ms (all time high 20 ms)\n" + line +
			" \n \n \n_\n \n1\nm\n"},
		{"old", time.Hour, "old - high 20 ms, low 20 ms (all time high 20 ms)\n" + line + " \n \n \n_\n \n1\nh\n"},
		{"old", 48 * time.Hour, "old - high 20 ms, low 20 ms (all time high 20 ms)\n" + line +
			" \n \n \n_\n \n2\nd\n"},
		{"old", -100 * time.Hour, "old - high 20 ms, low 20 ms (all time high 20 ms)\n" + line +
			" \n \n \n_\n \n0\ns\n"},
	} {
		c.Advance(tt.later)
		if got, _ := m.Graph(tt.event); got != tt.want {
			t.Errorf("%s, %v later:\n%q\nwant\n%q", tt.event, tt.later, got, tt.want)
		}
	}
}

// TestDoctor shows how each report begins, Redis's figures and which advice
// belongs to which event.
func TestDoctor(t *testing.T) {
	const sorry = "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this "
	const none = "Dave, no latency spike was observed during the lifetime of this "
	const some = "Dave, I have observed latency spikes in this "
	const four = "1. command: 4 latency spikes (average 115ms, mean deviation 92ms, period 0.75 sec). " +
		"Worst all time event 300ms.\n"
	m, c := newTestMonitor()
	wantDoctor(t, m.Doctor(100), none, "10 ms or longer")
	m.SetThreshold(0)
	wantDoctor(t, m.Doctor(100), sorry, "latency-monitor-threshold")
	m.SetThreshold(10)
	fourSpikes(m, c)
	wantDoctor(t, m.Doctor(100), some, "\n\n"+four, "took 100 microseconds or longer")
	m.SetThreshold(0) // what is known is still told
	wantDoctor(t, m.Doctor(-1), some, four, "The slow log is off")

	m.SetThreshold(10)
	for event, advice := range map[string]string{
		"fast-command": "constant work", "aof-fsync-always": "The disk", "rdb-unlink-temp-file": "The disk",
		"expire-cycle": "expired", "eviction-del": "maxmemory", "active-defrag-cycle": "",
	} {
		m.Reset()
		m.Observe(event, 12)
		report := m.Doctor(100)
		wantDoctor(t, report, some, advice,
			"1. "+event+": 1 latency spikes (average 12ms, mean deviation 0ms, period 0.00 sec). "+
				"Worst all time event 12ms.")
		if got := strings.Count(report, "\n- "); got == 0 != (advice == "") {
			t.Errorf("%s: %d pieces of advice\n%s", event, got, report)
		}
	}
	m.Reset()
	m.Observe("eviction-cycle", 12)
	m.Observe("command", 12)
	report := m.Doctor(100)
	wantDoctor(t, report, some, "\n1. command: ", "\n2. eviction-cycle: ")
	if strings.Count(report, adviceBig) != 1 {
		t.Errorf("the same advice twice:\n%s", report)
	}
}

func wantDoctor(t *testing.T, report, prefix string, parts ...string) {
	t.Helper()
	if !strings.HasPrefix(report, prefix) || !strings.HasSuffix(report, ".\n") {
		t.Errorf("got  %q\nwant %q...", report, prefix)
	}
	for _, p := range parts {
		if !strings.Contains(report, p) {
			t.Errorf("%q is missing in %q", p, report)
		}
	}
}

// TestLatencyConcurrent uses a monitor from many sides, for the race detector,
// and shows that no spike is lost.
func TestLatencyConcurrent(t *testing.T) {
	m, _ := newTestMonitor()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range int64(250) {
				m.Observe("e", 10+i)
				m.SetThreshold(10)
				m.Latest()
				m.History("e")
				m.Graph("e")
				m.Reset("other")
			}
		})
	}
	wg.Wait()
	want := LatencyLatest{"e", LatencySample{testEpoch, 259}, 259, 4 * (250*10 + 249*125), 1000}
	if got := m.Latest()[0]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
