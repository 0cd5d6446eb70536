package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/testenv"
	"github.com/spineldb/spinel/internal/vfs"
)

// serviceMax is how much later, on the run's clock, writes are acknowledged again at the
// latest when the cause of a failure has gone: a failed write is tried each second, a rewrite
// after a failed sync each second at first, and each 2 or 4 when more have failed.
const serviceMax = 15 * time.Second

// retryMax is how long the keeper may take for a call that is due, on a machine that is busy.
const retryMax = 200 * time.Millisecond

// A failure is what goes wrong in a run.
type failure struct {
	at    int // the call
	err   error
	lasts time.Duration // all calls fail for so long; 0 for the one alone
}

func (f failure) String() string {
	return fmt.Sprintf("call %d fails with %q for %v", f.at, f.err, f.lasts)
}

// fails has a server live through a failure, and says what is wrong with that.
func (r *run) fails(f failure) error {
	hit, until := false, int64(0)
	for i := 0; len(r.state) <= r.writes && i < 8*r.writes; i++ {
		r.step()
		if !hit && len(r.faults.Calls()) >= f.at {
			hit = true
			if until = r.Clock.Mono() + int64(f.lasts); f.lasts > 0 {
				r.faults.Break(true)
			}
		}
		if err := r.reads(); err != nil {
			return err
		}
	}
	for r.Clock.Mono() < until {
		r.second(f.lasts / 8)
	}
	r.faults.Break(false)
	return r.recovers()
}

// second lets some time pass, with everything that is due.
func (r *run) second(d time.Duration) {
	r.passes(d)
	r.keeper.Cron()
	r.saver.Cron()
	r.punctual()
	r.calm()
}

// reads says whether a client that only reads is served, also while writes are not.
func (r *run) reads() error {
	if r.keeper.Failing() == nil {
		return nil
	}
	c := &client{Client: r.NewClient()}
	defer c.Close()
	reply := r.turn(c, resp.AppendCommand(nil, "EXISTS", "s0"))
	if len(reply) == 0 && r.keeper.Failing() != nil {
		return errors.New("a read got no reply while writes fail")
	}
	return nil
}

// recovers waits for the first write that is acknowledged.
func (r *run) recovers() error {
	begin := r.Clock.Mono()
	for n := 0; r.Clock.Mono()-begin < int64(serviceMax); n++ {
		c := &client{Client: r.NewClient()}
		r.clients = append(r.clients, c)
		before := len(r.state)
		reply := r.turn(c, resp.AppendCommand(nil, "SET", "service", fmt.Sprint(n)))
		r.wait(func() bool {
			if c.waits == 0 {
				return true
			}
			r.turn(c, nil)
			return c.waits == 0 || r.keeper.Failing() != nil
		})
		if len(r.state) > before && c.waits == 0 && !strings.HasPrefix(string(reply), "-") {
			return nil
		}
		calls := len(r.faults.Calls())
		r.second(200 * time.Millisecond)
		// The run's clock does not wait for the goroutine that is to try again by it.
		r.waitFor(retryMax, func() bool { return r.keeper.Failing() == nil || len(r.faults.Calls()) > calls })
	}
	return fmt.Errorf("no write was acknowledged within %v\n%s", serviceMax, r.log)
}

// copied is a disk with everything that programs see on another one.
func copied(from *vfs.Mem) *vfs.Mem {
	to := vfs.NewMem(dataDir)
	for _, name := range from.Names() {
		content, _ := from.Get(name)
		_ = to.Mkdir(filepath.Dir(name))
		to.Put(name, content)
	}
	return to
}

// tryFailure runs a server through a failure, and loads what power failures leave of it from
// the failed call on.
func tryFailure(h *house, l *reader, p plan, f failure, each int) (images int, err error) {
	p.faults = &vfs.Faults{At: f.at, Err: f.err}
	p.save = "1 1"
	r, err := newRun(h, p)
	if errors.Is(err, f.err) {
		return 0, nil // it does not start, and has acknowledged nothing
	}
	if err != nil {
		return 0, err
	}
	err = r.fails(f)
	most := 0
	for _, a := range r.acks {
		most = max(most, a.writes)
	}
	if err == nil { // as kill -9 leaves it
		var writes int
		_ = r.end()
		if writes, err = l.loaded(copied(r.mem), r); err == nil && writes < most {
			err = fmt.Errorf("%d writes are there at the end, and %d were acknowledged", writes, most)
		}
	} else {
		_ = r.end()
	}
	if err == nil {
		from := max(min(f.at, r.record.Len())-40, 0)
		images, err = r.checkImages(l, rand.New(rand.NewPCG(p.seed, 4)), from, each)
	}
	if err != nil {
		return images, fmt.Errorf("%v, appendfsync %s: %w", f, p.policy, err)
	}
	return images, nil
}

// When a call fails, whichever, nothing that was acknowledged is lost, not at a power failure
// behind it either; reads go on, and writes come back by themselves.
func TestFailingCalls(t *testing.T) {
	runs := testenv.Number(t, "SPINEL_FAULTS", 36)
	seed := uint64(testenv.Number(t, "SPINEL_SEED", 1))
	for lane := range lanes {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			h, l := newHouse(t), newReader(t)
			images := 0
			for i := lane; i < runs; i += lanes {
				p, f := planFailure(seed, i, runs)
				n, err := tryFailure(h, l, p, f, 1)
				if err != nil {
					t.Fatal(err)
				}
				if (images+n)/progress > images/progress {
					t.Logf("%d runs, %d images", i/lanes, images+n)
				}
				images += n
			}
			t.Logf("%d images", images)
		})
	}
}

const (
	lanes = 4
	// callsMax is about how many calls a run makes.
	callsMax = 150
)

// planFailure is the i-th of some runs: the calls that fail are spread over all.
func planFailure(seed uint64, i, runs int) (plan, failure) {
	rng := rand.New(rand.NewPCG(seed+uint64(i), 8))
	f := failure{at: 1 + (i*callsMax/min(runs, callsMax)+rng.IntN(5))%callsMax, err: syscall.EIO}
	if rng.IntN(2) == 0 {
		f.err = syscall.ENOSPC
	}
	if rng.IntN(3) == 0 {
		f.lasts = time.Duration(100+rng.IntN(3000)) * time.Millisecond
	}
	return plan{policy: policies[rng.IntN(len(policies))], seed: seed + uint64(i), writes: 40, size: 400}, f
}
