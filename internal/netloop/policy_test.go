package netloop

import (
	"math/rand/v2"
	"testing"
)

// A shedSim simulates loops under a policy: clients bring work, loops have a capacity of
// one processor each, and moving clients moves their work.
type shedSim struct {
	p      policy
	now    int64
	loads  []load
	demand []float64 // work offered to each loop, in processors
	useful float64
	idle   float64
	room   float64 // processors that all loops together can have
	acts   []decision
}

func newSim(loops int, demand, useful, idle float64) *shedSim {
	s := &shedSim{useful: useful, idle: idle, room: 100}
	s.loads, s.demand = make([]load, loops), make([]float64, loops)
	s.p.init(loops)
	s.loads[0] = load{up: true, active: true, clients: 50}
	s.demand[0] = demand
	return s
}

// run passes n windows.
func (s *shedSim) run(n int) {
	idle := idleUnknown
	for range n {
		s.now += windowNanos
		served := 0.0
		for i := range s.loads {
			l := &s.loads[i]
			l.busy, l.useful = min(1, s.demand[i]), s.useful
			served += l.busy
		}
		for i := range s.loads {
			s.loads[i].rate = 1e6 * s.loads[i].busy * min(1, s.room/max(0.001, served))
		}
		d := s.p.decide(s.now, s.loads, idle)
		idle = idleUnknown
		if d.wantIdle {
			idle = s.idle
		}
		if d.act == stay {
			continue
		}
		s.acts = append(s.acts, d)
		from, to := &s.loads[d.from], &s.loads[d.to]
		switch d.act {
		case begin:
			to.up = true
		case spread:
			to.active = true
			s.shift(d.from, d.to, d.part)
		case gather:
			from.active = false
			s.shift(d.from, d.to, 1)
		}
	}
}

func (s *shedSim) shift(from, to int, part float64) {
	n := int(float64(s.loads[from].clients) * part)
	s.loads[from].clients -= n
	s.loads[to].clients += n
	w := s.demand[from] * part
	s.demand[from] -= w
	s.demand[to] += w
}

func (s *shedSim) active() (n int) {
	for _, l := range s.loads {
		if l.active {
			n++
		}
	}
	return n
}

// As many loops work as the load needs.
func TestPolicy(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		loops                int
		demand, useful, idle float64
		want                 int
	}{
		{"a load that one loop carries", 4, 0.85, 0.8, 3, 1},
		{"deep pipelines that need two", 4, 1.5, 0.8, 0, 2},
		{"and that need three", 4, 2.4, 0.8, 0, 4}, // 0.6 each: one more than the least
		{"more than there are loops", 2, 5, 0.8, 0, 2},
		{"small requests, no processor idle", 4, 1.5, 0.1, 0.3, 1},
		{"small requests, idle processors", 4, 1.5, 0.1, 2, 2},
		{"only one loop allowed", 1, 3, 0.8, 3, 1},
	} {
		s := newSim(tt.loops, tt.demand, tt.useful, tt.idle)
		s.run(300)
		if n := s.active(); n != tt.want {
			t.Errorf("%s: %d loops work, want %d: %v", tt.name, n, tt.want, s.acts)
		}
		if s.loads[0].clients == 0 || !s.loads[0].active {
			t.Errorf("%s: loop 0 was left", tt.name)
		}
	}
}

// Where a second loop only takes the processor of the first one, it is given up and
// tried again ever more seldom; when a processor becomes free, it is found.
func TestPolicyTrial(t *testing.T) {
	s := newSim(2, 3, 0.8, 0)
	s.room = 1
	alone := 0
	for range 6000 { // a minute
		if s.run(1); s.active() == 1 {
			alone++
		}
	}
	if alone < 5500 || len(s.acts) > 16 {
		t.Errorf("one loop worked for %d windows of 6000, with %d decisions", alone, len(s.acts))
	}
	s.room = 2
	s.run(4000)
	if s.active() != 2 {
		t.Error("the free processor was not found")
	}
}

// Short bursts change nothing; a long calm gathers the clients, and then nothing more happens.
func TestPolicyHysteresis(t *testing.T) {
	s := newSim(2, 0.3, 0.8, 0)
	for range 50 { // bursts shorter than the policy's patience
		s.demand[0] = 2
		s.run(saturatedWindows - 1)
		s.demand[0] = 0.3
		s.run(1)
	}
	if len(s.acts) != 0 {
		t.Errorf("bursts led to %v", s.acts)
	}
	s.demand[0] = 1.6
	s.run(50)
	if s.active() != 2 {
		t.Fatalf("%d loops work under load", s.active())
	}
	s.demand[0], s.demand[1] = 0.2, 0.2
	s.run(10)
	if s.active() != 2 {
		t.Error("a short calm gathered the clients")
	}
	s.run(100)
	if s.active() != 1 || s.loads[0].clients != 50 {
		t.Errorf("%d loops work in calm, %d clients on loop 0", s.active(), s.loads[0].clients)
	}
	n := len(s.acts)
	s.run(1000)
	if len(s.acts) != n {
		t.Errorf("it does not come to rest: %v", s.acts[n:])
	}
}

// Whatever the loads do, decisions are possible ones, and they become rare when
// spreading and gathering follow each other.
func TestPolicyRandom(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		s := newSim(1+rng.IntN(5), 1, rng.Float64(), rng.Float64()*3)
		for range 200 {
			total := rng.Float64() * 6
			for i := range s.demand {
				if s.loads[i].active {
					s.demand[i] = total / float64(s.active())
				}
			}
			before := len(s.acts)
			s.run(rng.IntN(30))
			for _, d := range s.acts[before:] {
				if d.from == d.to || d.act == gather && d.from == 0 || d.part < 0 || d.part > 0.5 {
					t.Fatalf("seed %d: impossible decision %+v", seed, d)
				}
			}
			if !s.loads[0].active {
				t.Fatalf("seed %d: loop 0 left", seed)
			}
		}
	}
	s := newSim(2, 1.5, 0.8, 0) // one that changes as often as the policy lets it
	for range 400 {
		for i := range s.demand {
			s.demand[i] = map[int]float64{1: 1.5, 2: 0.1}[s.active()]
		}
		s.run(10)
	}
	if n := len(s.acts); n > 40 { // 40 seconds; without regret it would be over 150
		t.Errorf("%d moves", n)
	}
}
