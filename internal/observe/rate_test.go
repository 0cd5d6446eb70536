package observe

import "testing"

const cronNanos = 100_000_000

// TestRate feeds a counter as the cron does, every 100 ms.
func TestRate(t *testing.T) {
	var r Rate
	total, now := uint64(0), int64(5)
	feed := func(calls int, each uint64) {
		for range calls {
			total += each
			now += cronNanos
			r.Sample(now, total)
		}
	}
	for _, tt := range []struct {
		calls int
		each  uint64
		want  int64
	}{
		{1, 999, 0},   // the first sample is only the base line
		{8, 10, 50},   // half of 16 samples at 100 a second, the rest still zero
		{8, 10, 100},  // all of them
		{16, 0, 0},    // idle
		{4, 100, 250}, // a quarter at 1000
	} {
		feed(tt.calls, tt.each)
		if got := r.PerSecond(); got != tt.want {
			t.Errorf("after %d times %d: %d, want %d", tt.calls, tt.each, got, tt.want)
		}
	}

	r.Sample(now, total+1000) // the clock stood still: no division by zero, and
	feed(1, 1000)             // nothing is lost: it counts with the next sample
	if got := r.PerSecond(); got != 250+10000/16 {
		t.Errorf("after a clock that stood still: %d", got)
	}
	before := r.PerSecond()
	total = 0
	feed(1, 0) // CONFIG RESETSTAT set the counter back
	if got := r.PerSecond(); got != before {
		t.Errorf("a smaller counter made %d of %d", got, before)
	}
	r.Reset()
	if got := r.PerSecond(); got != 0 {
		t.Errorf("after Reset: %d", got)
	}
	feed(17, 1)
	if got := r.PerSecond(); got != 10 {
		t.Errorf("after Reset and 16 samples: %d", got)
	}
}
