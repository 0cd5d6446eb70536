package benchmark

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A report writes results in the forms of redis-benchmark.
type report struct {
	out      io.Writer
	opts     *options
	server   *serverConfig // nil: the server does not tell
	progress int           // bytes of the progress line that stands there
}

const csvHeader = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",` +
	`"p99_latency_ms","max_latency_ms"` + "\n"

func (r *report) result(sc *scenario, res result) {
	switch {
	case r.opts.csv:
		r.csv(sc, res)
	case r.opts.quiet:
		r.clear()
		fmt.Fprintf(r.out, "%s: %.2f requests per second, p50=%s msec\n",
			sc.title, rate(res.finished, res.elapsed), r.percentile(res, 50))
	default:
		r.clear()
		r.full(sc, res)
	}
}

func (r *report) csv(sc *scenario, res result) {
	h := res.histogram
	fmt.Fprintf(r.out, "\"%s\",\"%.2f\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\"\n",
		sc.title, rate(res.finished, res.elapsed), r.mean(res), r.millis(float64(h.Min())),
		r.percentile(res, 50), r.percentile(res, 95), r.percentile(res, 99), r.millis(float64(h.Max())))
}

func (r *report) full(sc *scenario, res result) {
	h, o := res.histogram, r.opts
	fmt.Fprintf(r.out, "====== %s ======\n", sc.title)
	fmt.Fprintf(r.out, "  %d requests completed in %.2f seconds\n", res.finished, res.elapsed.Seconds())
	fmt.Fprintf(r.out, "  %d parallel clients\n", o.clients)
	fmt.Fprintf(r.out, "  %d bytes payload\n", sc.bytes)
	fmt.Fprintf(r.out, "  keep alive: %d\n", boolInt(!o.reconnect))
	if r.server != nil {
		fmt.Fprintf(r.out, "  host configuration \"save\": %s\n", r.server.save)
		fmt.Fprintf(r.out, "  host configuration \"appendonly\": %s\n", r.server.appendonly)
	}
	if o.threads > 0 {
		fmt.Fprintf(r.out, "  multi-thread: yes\n  threads: %d\n", o.threads)
	} else {
		fmt.Fprintf(r.out, "  multi-thread: no\n")
	}
	fmt.Fprintf(r.out, "\nLatency by percentile distribution:\n")
	for _, b := range h.CumulativeDistributionWithTicks(1) {
		r.distribution(b.Quantile, b.ValueAt, b.Count)
	}
	fmt.Fprintf(r.out, "\nCumulative distribution of latencies:\n")
	r.cumulative(h)
	fmt.Fprintf(r.out, "\nSummary:\n")
	fmt.Fprintf(r.out, "  throughput summary: %.2f requests per second\n", rate(res.finished, res.elapsed))
	fmt.Fprintf(r.out, "  latency summary (msec):\n")
	const row = "    %9s %9s %9s %9s %9s %9s\n"
	fmt.Fprintf(r.out, row, "avg", "min", "p50", "p95", "p99", "max")
	fmt.Fprintf(r.out, row, r.mean(res), r.millis(float64(h.Min())),
		r.percentile(res, 50), r.percentile(res, 95), r.percentile(res, 99), r.millis(float64(h.Max())))
}

func (r *report) distribution(percent float64, micros, count int64) {
	fmt.Fprintf(r.out, "%.3f%% <= %s milliseconds (cumulative count %d)\n",
		percent, r.millis(float64(micros)), count)
}

// cumulative says how many requests took how long at most: for each tenth of a millisecond,
// and above two for each whole one. Lines that would only repeat a count are left out.
func (r *report) cumulative(h *hdrhistogram.Histogram) {
	const fine, fineMax, coarse = 100, 2000, 1000
	total := h.TotalCount()
	var count, printed int64
	limit := int64(fine)
	first := true
	line := func(at int64) {
		if first || count != printed {
			r.distribution(100*float64(count)/float64(total), at, count)
		}
		first, printed = false, count
		if limit += fine; limit > fineMax {
			limit += coarse - fine
		}
	}
	for _, bar := range h.Distribution() {
		for count < total && bar.From > limit {
			line(limit)
		}
		if count += bar.Count; count == total {
			line(max(limit, bar.To))
			return
		}
	}
}

// A moment is what has been done until some time.
type moment struct {
	at       int64 // on the monotonic clock
	finished int64
	micros   int64
}

// showProgress replaces the progress line.
func (r *report) showProgress(sc *scenario, start, last, now moment) {
	r.clear()
	line := fmt.Sprintf("%s: rps=%.1f (overall: %.1f) avg_msec=%.3f (overall: %.3f)",
		sc.title, now.rate(last), now.rate(start), now.latency(last), now.latency(start))
	fmt.Fprintf(r.out, "%s\r", line)
	r.progress = len(line) + 1
}

// showClients is the progress line of idle connections.
func (r *report) showClients(n int64) { fmt.Fprintf(r.out, "clients: %d\r", n) }

// clear takes the progress line away.
func (r *report) clear() {
	fmt.Fprintf(r.out, "%*s\r", r.progress, " ")
	r.progress = 0
}

func (m moment) rate(since moment) float64 {
	return rate(m.finished-since.finished, time.Duration(m.at-since.at))
}

// latency is the mean since then in milliseconds.
func (m moment) latency(since moment) float64 {
	if m.finished == since.finished {
		return 0
	}
	return float64(m.micros-since.micros) / float64(m.finished-since.finished) / 1000
}

func rate(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

func (r *report) percentile(res result, p float64) string {
	return r.millis(float64(res.histogram.ValueAtPercentile(p)))
}

func (r *report) mean(res result) string {
	return r.millis(float64(res.micros) / float64(max(1, res.finished)))
}

// millis writes microseconds as milliseconds.
func (r *report) millis(micros float64) string {
	return fmt.Sprintf("%.*f", r.opts.decimals, micros/1000)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
