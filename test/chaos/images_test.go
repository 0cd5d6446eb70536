package chaos

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/testenv"
	"github.com/spineldb/spinel/internal/vfs"
)

// What a power failure at some moment may take, by policy:
//
//	always     nothing that was acknowledged
//	everysec   what was acknowledged in the last 1.1 s
//	no         anything, but from the end only
//
// and the end of the process alone (every image that keeps everything) never takes anything
// that was acknowledged.

// ageMax is the promise of everysec.
const ageMax = int64(1100 * time.Millisecond)

// A reader loads images, one after the other.
type reader struct {
	*house
	count int
}

func newReader(t *testing.T) *reader { return &reader{house: newHouse(t)} }

// loaded is the fingerprint of what a server finds on a disk. Each tenth goes on from there,
// writes something, and loses its power again: it has to find that too.
func (l *reader) loaded(disk vfs.FS, r *run) (writes int, err error) {
	s, err := newServer(l.house, disk, nil, "appendfsync", "always")
	if err != nil {
		return 0, err
	}
	defer s.stop()
	l.count++
	members := 0
	if l.count%16 == 0 {
		members = 3
	}
	found, err := s.load(members, 0)
	if err != nil {
		return 0, err
	}
	now := l.print()
	writes, ok := r.prints[now]
	if !ok {
		return 0, fmt.Errorf("the contents are no prefix of what was done: %s", r.nearest(l.Contents()))
	}
	mem, ok := disk.(*vfs.Mem)
	if l.count%10 != 0 || !ok {
		return writes, nil
	}
	if err := s.keeper.Begin(found); err != nil {
		return 0, fmt.Errorf("to go on: %w", err)
	}
	c := l.NewClient()
	c.Call("SET", "again", fmt.Sprint(l.count))
	c.Close()
	if err := s.keeper.SyncNow(); err != nil {
		return 0, fmt.Errorf("to go on: %w", err)
	}
	now = l.print()
	after := mem.PowerFailure()
	if err := s.stop(); err != nil {
		return 0, fmt.Errorf("to end: %w", err)
	}
	again, err := newServer(l.house, after, nil)
	if err != nil {
		return 0, err
	}
	defer again.stop()
	if _, err := again.load(0, 0); err != nil {
		return 0, fmt.Errorf("to start once more: %w", err)
	}
	if l.print() != now {
		return 0, fmt.Errorf("what was written behind %d writes is not there at the next start", writes)
	}
	return writes, nil
}

// A promise says which writes must be there when the power fails behind so many calls.
type promise struct {
	r       *run
	acks    int // that left by then
	times   int // that had come by then
	most    int // writes, in the file if only the process ends
	durable int // writes, on the disk
	old     int // acks that are
	stalled bool
}

// at goes to a later moment.
func (p *promise) at(calls int) {
	r := p.r
	for ; p.acks < len(r.acks) && r.acks[p.acks].calls <= calls; p.acks++ {
		p.most = max(p.most, r.acks[p.acks].writes)
	}
	for p.times < len(r.times) && r.times[p.times].calls <= calls {
		p.times++
	}
	switch r.policy {
	case "always":
		p.durable = p.most
	case "everysec":
		moment := r.times[p.times-1].at
		if p.stalled && p.acks > 0 {
			moment = r.acks[p.acks-1].at // later ones were held
		}
		for ; p.old < p.acks && r.acks[p.old].at < moment-ageMax; p.old++ {
			p.durable = max(p.durable, r.acks[p.old].writes)
		}
	}
}

// checkImages loads images of each moment from some call on, and says what is wrong.
func (r *run) checkImages(l *reader, rng *rand.Rand, from, each int) (images int, err error) {
	p := promise{r: r, stalled: r.faults != nil}
	replay := r.record.Replay()
	for calls, more := 0, true; more; calls, more = calls+1, replay.Step() {
		p.at(calls)
		if calls < from {
			continue
		}
		for range each {
			kind := images % 5
			choose, needed := rng.IntN, p.durable
			switch kind {
			case 0:
				choose = func(int) int { return 0 }
			case 1:
				choose = func(below int) int { return below - 1 }
				if r.faults == nil {
					needed = p.most
				}
			}
			images++
			image := replay.Image(choose)
			names := image.String()
			writes, err := l.loaded(image, r)
			switch {
			case err != nil:
			case writes < needed:
				err = fmt.Errorf("%d writes are there, of %d that must be", writes, needed)
			default:
				continue
			}
			return images, fmt.Errorf("appendfsync %s, seed %d, behind call %d, kind %d: %w\non the disk: %s",
				r.policy, r.seed, calls, kind, err, names)
		}
	}
	return images, nil
}

// progress is after how many images, or bits, a long test says so.
const progress = 5000

// policies are all.
var policies = []string{"always", "everysec", "no"}

// Whenever the power fails, the next start succeeds and finds a prefix of what was done,
// with everything in it that the policy promises.
func TestPowerFailures(t *testing.T) {
	perPolicy := testenv.Number(t, "SPINEL_IMAGES", 900) / len(policies)
	seed := uint64(testenv.Number(t, "SPINEL_SEED", 1))
	each := 1 + perPolicy/2000
	for _, policy := range policies {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			h, l := newHouse(t), newReader(t)
			images, runs := 0, 0
			for ; images < perPolicy; runs++ {
				r, err := newRun(h, plan{policy: policy, seed: seed + uint64(runs), writes: 80, size: 1500})
				if err != nil {
					t.Fatal(err)
				}
				r.works()
				if err := r.end(); err != nil {
					t.Fatal(err)
				}
				if len(r.acks) < r.writes/4 {
					t.Fatalf("only %d replies left of %d", len(r.acks), r.writes)
				}
				rng := rand.New(rand.NewPCG(r.seed, 3))
				n, err := r.checkImages(l, rng, 0, min(each, 40))
				if err != nil {
					t.Fatal(err)
				}
				if (images+n)/progress > images/progress {
					t.Logf("%d images", images+n)
				}
				images += n
			}
			t.Logf("%d images of %d runs", images, runs)
		})
	}
}
