package cli

import (
	"fmt"
	"time"
)

const (
	latencyPause   = 10 * time.Millisecond // between two samples
	latencyTime    = time.Second           // of a measurement that ends
	latencyHistory = 15 * time.Second      // of a range

	// eraseLine goes to the beginning of the line and leaves nothing of it.
	eraseLine = "\x1b[0G\x1b[2K"
)

// latencies are the times that some PINGs took, in milliseconds.
type latencies struct{ min, max, total, count int64 }

func (l *latencies) add(ms int64) {
	if l.count++; l.count == 1 {
		l.min, l.max = ms, ms
	}
	l.min, l.max, l.total = min(l.min, ms), max(l.max, ms), l.total+ms
}

// append appends them in the form of the output. For people it takes the place of what the
// line held before.
func (l *latencies) append(dst []byte, output mode) []byte {
	avg := average(l.total, l.count)
	switch output {
	case standard:
		return fmt.Appendf(dst, eraseLine+"min: %d, max: %d, avg: %.2f (%d samples)", l.min, l.max, avg, l.count)
	case csv:
		return fmt.Appendf(dst, "%d,%d,%.2f,%d\n", l.min, l.max, avg, l.count)
	case json, quotedJSON:
		return fmt.Appendf(dst, "{\"min\": %d, \"max\": %d, \"avg\": %.2f, \"count\": %d}\n",
			l.min, l.max, avg, l.count)
	}
	return fmt.Appendf(dst, "%d %d %.2f %d\n", l.min, l.max, avg, l.count)
}

// latency measures how long the server takes to answer. For people it goes on for ever, and
// with --latency-history it begins anew for each range; else it prints one line at the end.
func (p *Program) latency(s *session) error {
	history, output := s.opts.modes.history, s.opts.output
	interval := s.opts.interval
	switch {
	case interval > 0:
	case history:
		interval = latencyHistory
	default:
		interval = latencyTime
	}
	var l latencies
	for began := p.Clock.Mono(); ; {
		start := p.Clock.Mono()
		if _, err := s.ask("PING"); err != nil {
			return err
		}
		now := p.Clock.Mono()
		l.add((now - start) / int64(time.Millisecond))
		past := time.Duration(now - began)
		var text []byte
		if output == standard || history || past > interval {
			text = l.append(text, output)
		}
		if history && past > interval {
			text = fmt.Appendf(text, " -- %.2f seconds range\n", past.Seconds())
			l, began = latencies{}, now
		}
		if err := s.print(text); err != nil {
			return err
		}
		if !history && output != standard && past > interval {
			return nil
		}
		s.sleep(latencyPause)
	}
}

// intrinsicLatency measures how long the machine keeps the program from running, without a
// server: the longest time that a very short piece of work takes.
func (p *Program) intrinsicLatency(s *session) error {
	over, stop := untilInterrupt()
	defer stop()
	const micro = float64(time.Microsecond)
	began := p.Clock.Mono()
	runs, worst, sum := int64(0), int64(0), uint64(0)
	for last := began; ; runs++ {
		sum = busy(sum)
		now := p.Clock.Mono()
		if took := (now - last) / int64(time.Microsecond); took > worst {
			worst = took
			if err := s.print(fmt.Appendf(nil, "Max latency so far: %d microseconds.\n", worst)); err != nil {
				return err
			}
		}
		past := now - began
		if over.Load() || past > int64(s.opts.modes.intrinsic) {
			runs++
			avg := float64(past) / micro / float64(runs)
			return s.print(fmt.Appendf(nil, "\n%d total runs (avg latency: %.4f microseconds / "+
				"%.2f nanoseconds per run).\nWorst run took %.0fx longer than the average latency.\n",
				runs, avg, 1000*avg, float64(worst)/avg))
		}
		last = p.Clock.Mono()
	}
}

// busy is the short piece of work. Its result goes into the next one, so that it is done.
func busy(sum uint64) uint64 {
	for i := range uint64(64) {
		sum = sum*6364136223846793005 + i
	}
	return sum
}
