package netloop

import "time"

// A load is what the policy sees of one loop over the last window.
type load struct {
	up      bool    // its thread runs
	active  bool    // it gets clients
	clients int     // that it owns
	busy    float64 // share of the time not spent waiting
	useful  float64 // share of the busy time spent in Run, not in the kernel
	rate    float64 // what it gets done: bytes received in a second
}

// What a decision wants done.
type action uint8

const (
	stay   action = iota
	begin         // start loop to, so that it can be spread to
	spread        // move part of the busy clients of from to to
	gather        // move all clients of from to to, and use from no more
)

type decision struct {
	act      action
	from, to int
	part     float64
	wantIdle bool // give the idle processors the next time
}

// The policy's constants.
const (
	// A loop busier than saturated for saturatedWindows is helped. One that has
	// room is one below roomy.
	saturated        = 0.90
	saturatedWindows = 8
	roomy            = 0.60

	// A loop that spends this share of its time in Run gains from another loop even if
	// that takes the processor of a client on the same machine. One that does not
	// spends it in the kernel for one small request each: splitting it makes the batches
	// smaller and wakes more often (0.73 times the throughput, measured with two
	// processors shared with the client), so it is split only if processors are idle.
	usefulEnough = 0.40
	idleEnough   = 1.0 // processors

	// A further loop is a trial. If the rate is not better by gainNeeded after trialTime,
	// it only takes turns with the others for the same processors; it is given up, and
	// the next trial waits for shun, longer each time.
	trialTime  = int64(250 * time.Millisecond)
	gainNeeded = 1.05
	shun       = int64(time.Second)
	shunMost   = int64(32 * time.Second)
	smoothing  = 0.1 // weight of a window in the rate

	// Two loops that would fit into one up to fits for as long as calm are put together.
	fits     = 0.70
	calm     = int64(200 * time.Millisecond)
	calmMost = int64(10 * time.Second)

	// settleTime passes after a decision before the next, so that its effect is seen.
	settleTime = int64(100 * time.Millisecond)

	// A spread so soon after a gathering says that the gathering was a mistake.
	regret = int64(2 * time.Second)

	idleUnknown = -1.0
)

// A policy decides how many loops work. It is a plain state machine: the loads and
// the time come in, what to do goes out.
type policy struct {
	full       []int     // consecutive windows in which a loop was saturated
	useful     []float64 // smoothed
	calmSince  int64
	calmNeeded int64
	restUntil  int64
	gatheredAt int64

	rate      float64  // of all loops, smoothed
	rated     int      // windows in it
	trial     decision // the spread on trial
	trialEnd  int64    // when it is judged; 0 if none is
	trialRate float64  // before it
	shunFor   int64
	shunUntil int64
}

func (p *policy) init(loops int) {
	p.full, p.useful = make([]int, loops), make([]float64, loops)
	p.calmNeeded, p.shunFor = calm, shun
}

// decide is called once a window. idle is the number of idle processors, or idleUnknown.
func (p *policy) decide(now int64, loads []load, idle float64) decision {
	for i := range loads {
		if loads[i].up && loads[i].busy >= saturated {
			if p.full[i]++; p.full[i] == 1 {
				p.rated = 0 // the rate before that says nothing about how much it can do
			}
		} else {
			p.full[i] = 0
		}
		p.useful[i] = (p.useful[i] + loads[i].useful) / 2
	}
	p.watch(loads)
	if now < p.restUntil {
		return decision{}
	}
	if p.trialEnd > 0 {
		if d := p.judge(now, loads); d.act != stay {
			return p.made(now, d)
		}
	}
	if d := p.help(now, loads, idle); d.act != stay || d.wantIdle {
		p.calmSince = 0
		if d.act == spread && p.gatheredAt > 0 && now-p.gatheredAt < regret {
			p.calmNeeded = min(2*p.calmNeeded, calmMost)
		}
		return p.made(now, d)
	}
	return p.made(now, p.merge(now, loads))
}

func (p *policy) made(now int64, d decision) decision {
	if d.act == stay {
		return d
	}
	p.restUntil = max(now+settleTime, p.trialEnd)
	if d.act == gather {
		p.gatheredAt = now
	}
	if d.act != begin { // the loop that was begun shall be used at the next look
		clear(p.full)
	} else {
		p.restUntil = now + windowNanos
	}
	return d
}

// watch keeps the rate of all loops: the mean at first, then a sliding one.
func (p *policy) watch(loads []load) {
	total := 0.0
	for _, l := range loads {
		total += l.rate
	}
	p.rated++
	p.rate += max(smoothing, 1/float64(p.rated)) * (total - p.rate)
}

// judge ends a trial. If the load has gone meanwhile it says nothing.
func (p *policy) judge(now int64, loads []load) decision {
	p.trialEnd = 0
	from, to := p.trial.from, p.trial.to
	if loads[from].busy+loads[to].busy < saturated {
		return decision{}
	}
	if p.rate >= gainNeeded*p.trialRate {
		p.shunFor = shun
		return decision{}
	}
	p.shunUntil = now + p.shunFor
	p.shunFor = min(2*p.shunFor, shunMost)
	return decision{act: gather, from: to, to: from}
}

// help finds a saturated loop and where its clients could go.
func (p *policy) help(now int64, loads []load, idle float64) decision {
	from := -1
	for i, l := range loads {
		if p.full[i] >= saturatedWindows && l.clients >= 2 && (from < 0 || l.busy > loads[from].busy) {
			from = i
		}
	}
	if from < 0 {
		return decision{}
	}
	to, spare := -1, -1
	for i, l := range loads {
		switch {
		case i == from:
		case l.active && l.up:
			if l.busy < roomy && (to < 0 || l.busy < loads[to].busy) {
				to = i
			}
		case spare < 0 || l.up && !loads[spare].up:
			spare = i
		}
	}
	if to >= 0 {
		part := (loads[from].busy - loads[to].busy) / 2 / loads[from].busy
		return decision{act: spread, from: from, to: to, part: part}
	}
	if spare < 0 || now < p.shunUntil {
		return decision{}
	}
	if p.useful[from] < usefulEnough && idle < idleEnough {
		return decision{wantIdle: true}
	}
	if !loads[spare].up {
		return decision{act: begin, from: from, to: spare, wantIdle: true}
	}
	p.trial = decision{act: spread, from: from, to: spare, part: 0.5}
	p.trialEnd, p.trialRate = now+trialTime, p.rate
	return p.trial
}

// merge finds the two active loops with the least to do, and a loop that was left
// but has clients that could not move then.
func (p *policy) merge(now int64, loads []load) decision {
	a, b := -1, -1 // the least and the second least busy
	for i, l := range loads {
		switch {
		case !l.up:
		case !l.active:
			if l.clients > 0 && p.rarely(now) {
				return decision{act: gather, from: i, to: 0}
			}
		case a < 0 || l.busy < loads[a].busy:
			a, b = i, a
		case b < 0 || l.busy < loads[b].busy:
			b = i
		}
	}
	if b < 0 || loads[a].busy+loads[b].busy >= fits {
		p.calmSince = 0
		return decision{}
	}
	if p.calmSince == 0 {
		p.calmSince = now
	}
	if now-p.calmSince < p.calmNeeded {
		return decision{}
	}
	p.calmSince = 0
	return decision{act: gather, from: max(a, b), to: min(a, b)}
}

// rarely says whether the last gathering is long enough ago to try again.
func (p *policy) rarely(now int64) bool { return now-p.gatheredAt >= int64(time.Second) }
