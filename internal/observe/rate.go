package observe

import "sync/atomic"

// rateSamples is how many samples a Rate averages: 1.6 s when the cron feeds it
// every 100 ms, as Redis does.
const rateSamples = 16

// A Rate turns a counter that only grows into "how many a second lately", the
// mean of its last 16 samples. It makes instantaneous_ops_per_sec and, fed with
// bytes, instantaneous_input_kbps.
//
// One goroutine calls Sample; any may call PerSecond. The zero value is ready.
type Rate struct {
	started   bool
	lastMono  int64
	lastTotal uint64

	samples [rateSamples]int64 // per second; zero until sampled, as in Redis
	next    int
	sum     int64

	mean atomic.Int64
}

// Sample tells the counter's value at a monotonic reading in nanoseconds.
//
// The first call, and one that finds the counter smaller than before (somebody
// ran CONFIG RESETSTAT), only sets the base line: there is no sensible
// difference to take.
func (r *Rate) Sample(mono int64, total uint64) {
	elapsed := mono - r.lastMono
	usable := r.started && total >= r.lastTotal
	if usable && elapsed <= 0 {
		return // twice in one reading of the clock: leave it to the next call
	}
	if usable {
		perSecond := int64(float64(total-r.lastTotal) * 1e9 / float64(elapsed))
		r.sum += perSecond - r.samples[r.next]
		r.samples[r.next] = perSecond
		r.next = (r.next + 1) % rateSamples
		r.mean.Store(r.sum / rateSamples)
	}
	r.started, r.lastMono, r.lastTotal = true, mono, total
}

// PerSecond is the mean of the last 16 samples.
func (r *Rate) PerSecond() int64 { return r.mean.Load() }

// Latest is the last sample. It belongs to the feeding goroutine.
func (r *Rate) Latest() int64 { return r.samples[(r.next+rateSamples-1)%rateSamples] }

// Reset forgets every sample. Like Sample, it belongs to the feeding goroutine.
func (r *Rate) Reset() {
	r.started, r.lastMono, r.lastTotal = false, 0, 0
	r.samples, r.next, r.sum = [rateSamples]int64{}, 0, 0
	r.mean.Store(0)
}
