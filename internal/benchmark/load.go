package benchmark

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/resp"
)

// A load is one scenario on its way: what all threads share.
type load struct {
	target net.Addr
	clock  clock.Clock
	drive  driver

	preamble []byte // what each connection begins with: AUTH and so on
	greets   int    // commands in it
	template template
	text     []byte // preamble and a whole batch
	pipeline int
	keyspace uint64

	reconnect bool // a connection carries one batch
	idle      bool // nothing is sent, and nothing ends but by an error

	requests  int64 // in all
	issued    atomic.Int64
	connected atomic.Int64
	tallies   []tally

	stopped atomic.Bool // something failed
	once    sync.Once
	failure error // what failed first
}

// A driver opens n connections and runs a stream on each until there is nothing more to
// send and all replies are there, or the load is stopped.
type driver func(l *load, t *tally, n int) error

// newLoad prepares a scenario; seed is where random numbers begin.
func newLoad(o *options, sc *scenario, target net.Addr, seed uint64) *load {
	l := &load{
		target: target, drive: systemDriver,
		template: newTemplate(sc, o.random), pipeline: o.pipeline, keyspace: uint64(o.keyspace),
		reconnect: o.reconnect, idle: o.idle, requests: o.requests,
		tallies: make([]tally, max(1, o.threads)),
	}
	for _, command := range preamble(o) {
		l.preamble = resp.AppendCommand(l.preamble, command...)
		l.greets++
	}
	l.text = append(append([]byte(nil), l.preamble...), l.template.repeat(o.pipeline)...)
	for i := range l.tallies {
		l.tallies[i].histogram = newHistogram()
		l.tallies[i].rng = rand.NewPCG(seed, uint64(i))
	}
	return l
}

// preamble is what the options want each connection to begin with, in the order of
// redis-benchmark.
func preamble(o *options) (commands [][]string) {
	if auth := o.Auth(); auth != nil {
		commands = append(commands, auth)
	}
	if o.tracking {
		commands = append(commands, []string{"CLIENT", "TRACKING", "on"})
	}
	if o.Database != 0 {
		commands = append(commands, []string{"SELECT", strconv.Itoa(o.Database)})
	}
	if o.resp3 {
		commands = append(commands, []string{"HELLO", "3"})
	}
	return commands
}

// take reserves the requests of the next batch and returns how many they are.
func (l *load) take() int {
	if l.idle || l.issued.Load() >= l.requests {
		return 0
	}
	n := int64(l.pipeline)
	over := l.issued.Add(n) - l.requests
	return int(n - min(max(over, 0), n))
}

// A result is what a run measured.
type result struct {
	finished  int64
	micros    int64 // the sum of all latencies, which the histogram knows only roughly
	elapsed   time.Duration
	histogram *hdrhistogram.Histogram
}

// run spreads clients over the threads and returns when all requests are answered. What
// ended it early is the error.
func (l *load) run(clients int) (result, error) {
	var wait sync.WaitGroup
	start := l.clock.Mono()
	for i := range l.tallies {
		n := clients / len(l.tallies)
		if i < clients%len(l.tallies) {
			n++
		}
		wait.Go(func() {
			if err := l.drive(l, &l.tallies[i], n); err != nil {
				l.fail(err)
			}
		})
	}
	wait.Wait()
	r := result{elapsed: time.Duration(l.clock.Mono() - start), histogram: l.tallies[0].histogram}
	r.finished, r.micros = l.sums()
	for i := range l.tallies[1:] {
		r.histogram.Merge(l.tallies[i+1].histogram)
	}
	return r, l.failure
}

// fail ends the run. What comes after the first failure may be its consequence.
func (l *load) fail(err error) {
	l.once.Do(func() { l.failure = err })
	l.stopped.Store(true)
}

// sums adds up what the threads have counted so far.
func (l *load) sums() (finished, micros int64) {
	for i := range l.tallies {
		finished += l.tallies[i].finished.Load()
		micros += l.tallies[i].micros.Load()
	}
	return finished, micros
}
