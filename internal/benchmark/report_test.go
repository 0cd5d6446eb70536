package benchmark

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// measured is a result of 1,000 requests in half a second: 500 took 0.05 ms, 490 took 0.25
// ms, nine 2.5 ms, and one a minute.
func measured() result {
	h := newHistogram()
	_ = h.RecordValues(50, 500)
	_ = h.RecordValues(250, 490)
	_ = h.RecordValues(2500, 9)
	_ = h.RecordValues(60_000_000, 1)
	return result{finished: 1000, micros: 60_170_000, elapsed: time.Second / 2, histogram: h}
}

func reported(args string, server *serverConfig, write func(*report)) string {
	o := defaults()
	if _, err := o.parse(strings.Fields(args)); err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	write(&report{out: &out, opts: &o, server: server})
	return out.String()
}

const fullReport = " \r" + `====== SET ======
  1000 requests completed in 0.50 seconds
  50 parallel clients
  3 bytes payload
  keep alive: 1
  host configuration "save": 3600 1
  host configuration "appendonly": yes
  multi-thread: no

Latency by percentile distribution:
0.000% <= 0.050 milliseconds (cumulative count 500)
50.000% <= 0.050 milliseconds (cumulative count 500)
75.000% <= 0.250 milliseconds (cumulative count 990)
87.500% <= 0.250 milliseconds (cumulative count 990)
93.750% <= 0.250 milliseconds (cumulative count 990)
96.875% <= 0.250 milliseconds (cumulative count 990)
98.438% <= 0.250 milliseconds (cumulative count 990)
99.219% <= 2.501 milliseconds (cumulative count 999)
99.609% <= 2.501 milliseconds (cumulative count 999)
99.805% <= 2.501 milliseconds (cumulative count 999)
99.902% <= 60030.975 milliseconds (cumulative count 1000)
100.000% <= 60030.975 milliseconds (cumulative count 1000)

Cumulative distribution of latencies:
50.000% <= 0.100 milliseconds (cumulative count 500)
99.000% <= 0.300 milliseconds (cumulative count 990)
99.900% <= 3.000 milliseconds (cumulative count 999)
100.000% <= 60030.975 milliseconds (cumulative count 1000)

Summary:
  throughput summary: 2000.00 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
       60.170     0.050     0.050     0.250     0.250 60030.975
`

// TestReport shows the three forms of a result.
func TestReport(t *testing.T) {
	server := &serverConfig{save: "3600 1", appendonly: "yes"}
	sc := &scenario{title: "SET", bytes: 3}
	for _, tt := range []struct {
		args string
		want string
	}{
		{"", fullReport},
		{"-q", " \rSET: 2000.00 requests per second, p50=0.050 msec\n"},
		{"-q --precision 1", " \rSET: 2000.00 requests per second, p50=0.1 msec\n"},
		{"--csv", `"SET","2000.00","60.170","0.050","0.050","0.250","0.250","60030.975"` + "\n"},
		{"--csv -q --precision 0", `"SET","2000.00","60","0","0","0","0","60031"` + "\n"},
	} {
		got := reported(tt.args, server, func(r *report) { r.result(sc, measured()) })
		if got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.args, got, tt.want)
		}
	}
	got := reported("--threads 2 -k 0 -c 7", nil, func(r *report) { r.result(sc, measured()) })
	want := "seconds\n  7 parallel clients\n  3 bytes payload\n  keep alive: 0\n" +
		"  multi-thread: yes\n  threads: 2\n\nLat"
	if !strings.Contains(got, want) {
		t.Errorf("with threads and without configuration:\n%s\nwant\n%s", got, want)
	}
}

// TestEmptyReport shows that a run in which nothing was answered divides by nothing.
func TestEmptyReport(t *testing.T) {
	for _, args := range []string{"", "-q", "--csv"} {
		got := reported(args, nil, func(r *report) { r.result(&scenario{}, result{histogram: newHistogram()}) })
		if strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
			t.Errorf("%s: %s", args, got)
		}
	}
}

// TestProgress shows the line that is overwritten: the rate and latency of the last
// quarter of a second, and of the whole.
func TestProgress(t *testing.T) {
	const second = int64(time.Second)
	got := reported("", nil, func(r *report) {
		start := moment{at: 7 * second}
		first := moment{at: 8 * second, finished: 1000, micros: 500_000}
		second := moment{at: 10 * second, finished: 4000, micros: 8_000_000}
		get := &scenario{title: "GET"}
		r.showProgress(get, start, start, first)
		r.showProgress(get, start, first, second)
		r.showProgress(get, start, start, start)
		r.clear()
	})
	first := "GET: rps=1000.0 (overall: 1000.0) avg_msec=0.500 (overall: 0.500)\r"
	second2 := "GET: rps=1500.0 (overall: 1333.3) avg_msec=2.500 (overall: 2.000)\r"
	third := "GET: rps=0.0 (overall: 0.0) avg_msec=0.000 (overall: 0.000)\r"
	blank := func(line string) string { return strings.Repeat(" ", len(line)) + "\r" }
	if want := " \r" + first + blank(first) + second2 + blank(second2) + third + blank(third); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
