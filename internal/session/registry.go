package session

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// A Registry is all sessions of a server, and what concerns all of them.
//
// Adding and removing is safe from any thread. What the sessions hold may be read and
// changed only by their own loops, or in exclusive mode.
type Registry struct {
	mu     sync.Mutex
	byID   map[uint64]*Session
	seeing []*Session // the monitors; replaced as a whole
	lastID atomic.Uint64

	Accepted atomic.Int64 // connections ever accepted
	Refused  atomic.Int64 // because there were too many
	Monitors atomic.Int32 // sessions that see every command; SetMonitor changes it
	Blocked  atomic.Int64 // sessions that wait for a key
	Timeouts atomic.Int64 // those of them that wait until some time

	Pause Pause
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry { return &Registry{byID: map[uint64]*Session{}} }

// Add numbers a session and enters it.
func (r *Registry) Add(s *Session) {
	s.ID = r.lastID.Add(1)
	r.mu.Lock()
	r.byID[s.ID] = s
	r.mu.Unlock()
	r.Accepted.Add(1)
}

// Remove forgets a session.
func (r *Registry) Remove(s *Session) {
	r.mu.Lock()
	delete(r.byID, s.ID)
	r.mu.Unlock()
}

// SetMonitor makes a session see every command, or no longer.
func (r *Registry) SetMonitor(s *Session, on bool) {
	if s.Monitor == on {
		return
	}
	s.Monitor = on
	r.mu.Lock()
	defer r.mu.Unlock()
	if on {
		r.seeing = append(slices.Clone(r.seeing), s)
	} else {
		r.seeing = slices.DeleteFunc(slices.Clone(r.seeing), func(o *Session) bool { return o == s })
	}
	r.Monitors.Store(int32(len(r.seeing)))
}

// Seeing is the sessions that see every command. The slice does not change.
func (r *Registry) Seeing() []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seeing
}

// Len is the number of sessions.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.byID)
}

// Find is the session of an ID, or nil.
func (r *Registry) Find(id uint64) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[id]
}

// All is every session, oldest first.
func (r *Registry) All() []*Session {
	r.mu.Lock()
	all := make([]*Session, 0, len(r.byID))
	for _, s := range r.byID {
		all = append(all, s)
	}
	r.mu.Unlock()
	sortByID(all)
	return all
}

// A PauseMode says what CLIENT PAUSE holds back.
type PauseMode int32

// The modes of CLIENT PAUSE.
const (
	PauseOff PauseMode = iota
	PauseWrites
	PauseAll
)

// A PauseReason is why commands are held back. Each has an end of its own: a client that ends
// its pause does not end that of a failover.
type PauseReason uint8

// The reasons.
const (
	PauseByClient PauseReason = iota
	PauseForFailover
	PauseForShutdown
	pauseReasons
)

// A Pause holds commands back for a while. Commands that it holds back leave their
// session stopped; each loop resumes its own when the pause is over.
type Pause struct {
	active atomic.Bool
	mu     sync.Mutex // of who changes it
	parts  [pauseReasons]struct {
		mode  atomic.Int32
		until atomic.Int64 // monotonic nanoseconds
	}
}

// Set begins or prolongs a pause. A pause of everything stays one of everything until
// it ends; the later end counts.
func (p *Pause) Set(why PauseReason, mode PauseMode, until int64, now int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	part := &p.parts[why]
	if m := PauseMode(part.mode.Load()); m != PauseOff && now < part.until.Load() {
		mode = max(mode, m)
		until = max(until, part.until.Load())
	}
	part.until.Store(until)
	part.mode.Store(int32(mode))
	p.active.Store(true)
}

// Clear ends the pause for a reason.
func (p *Pause) Clear(why PauseReason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parts[why].mode.Store(int32(PauseOff))
	p.active.Store(p.hasParts())
}

// ClearEnded forgets pauses that are over, so that nobody asks any more.
func (p *Pause) ClearEnded(now int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.parts {
		if now >= p.parts[i].until.Load() {
			p.parts[i].mode.Store(int32(PauseOff))
		}
	}
	p.active.Store(p.hasParts())
}

func (p *Pause) hasParts() bool {
	for i := range p.parts {
		if PauseMode(p.parts[i].mode.Load()) != PauseOff {
			return true
		}
	}
	return false
}

// Mode is what is held back now.
func (p *Pause) Mode(now int64) (mode PauseMode) {
	for i := range p.parts {
		if m := PauseMode(p.parts[i].mode.Load()); m > mode && now < p.parts[i].until.Load() {
			mode = m
		}
	}
	return mode
}

// Active says whether a pause was set and not cleared; it may be over.
func (p *Pause) Active() bool { return p.active.Load() }

// Until is when a pause ends the next time, in monotonic nanoseconds.
func (p *Pause) Until() int64 {
	until := int64(math.MaxInt64)
	for i := range p.parts {
		if PauseMode(p.parts[i].mode.Load()) != PauseOff {
			until = min(until, p.parts[i].until.Load())
		}
	}
	return until
}

func sortByID(all []*Session) {
	slices.SortFunc(all, func(a, b *Session) int { return cmp.Compare(a.ID, b.ID) })
}
