package keyspace

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Gate is an executor's: it is inside while it works on a batch.
type Gate struct {
	inside atomic.Uint32
	gates  *gates
	_      [48]byte // gates are written by different processors
}

type gates struct {
	closed atomic.Int32 // parties that want or have exclusive mode
	mu     sync.Mutex   // held by the party in exclusive mode
	list   atomic.Pointer[[]*Gate]
	listMu sync.Mutex
}

// NewGate makes a gate for one executor.
func (ks *Keyspace) NewGate() *Gate {
	g := &Gate{gates: &ks.gates}
	ks.gates.listMu.Lock()
	defer ks.gates.listMu.Unlock()
	var all []*Gate
	if old := ks.gates.list.Load(); old != nil {
		all = append(all, *old...)
	}
	all = append(all, g)
	ks.gates.list.Store(&all)
	return g
}

// Enter begins a batch. It waits while somebody is in exclusive mode.
func (g *Gate) Enter() {
	for {
		g.inside.Store(1)
		if g.gates.closed.Load() == 0 {
			return
		}
		g.inside.Store(0)
		g.gates.mu.Lock() // until the exclusive party is done
		//lint:ignore SA2001 waiting is the point
		g.gates.mu.Unlock()
		runtime.Gosched()
	}
}

// Close forgets a gate that nobody will enter again.
func (g *Gate) Close() {
	gs := g.gates
	gs.listMu.Lock()
	defer gs.listMu.Unlock()
	all := slices.DeleteFunc(slices.Clone(*gs.all()), func(o *Gate) bool { return o == g })
	gs.list.Store(&all)
}

// Leave ends a batch.
func (g *Gate) Leave() { g.inside.Store(0) }

// spins is how often an exclusive party looks at a gate before it sleeps between
// looks. A batch takes some microseconds.
const spins = 200

// Exclusive runs fn while no executor is inside its gate and no stripe is locked by
// anybody else. own is the caller's gate, which it is inside of and not in the middle
// of a command with locks; nil for others.
//
// Two executors may ask at the same time: while one waits its turn its gate is open.
func (ks *Keyspace) Exclusive(own *Gate, fn func()) {
	gs := &ks.gates
	gs.closed.Add(1)
	if own != nil {
		own.inside.Store(0)
	}
	gs.mu.Lock()
	for _, g := range *gs.all() {
		for i := 0; g.inside.Load() != 0; i++ {
			if i < spins {
				runtime.Gosched()
			} else {
				time.Sleep(20 * time.Microsecond)
			}
		}
	}
	if own != nil {
		own.inside.Store(1)
	}
	ks.lockAll()
	defer func() {
		for i := range ks.stripes {
			ks.used.Add(ks.stripes[i].settle())
		}
		ks.unlockAll()
		gs.closed.Add(-1)
		gs.mu.Unlock()
	}()
	fn()
}

func (gs *gates) all() *[]*Gate {
	if l := gs.list.Load(); l != nil {
		return l
	}
	return &[]*Gate{}
}
