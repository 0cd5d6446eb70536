package exec

import (
	"github.com/spineldb/spinel/internal/keyspace"
)

// lookAt has the command of a waiter run again at a time, if that is sooner than it would be
// anyway. It may be called by whoever tries to serve it, on any loop.
func (b *blocked) lookAt(at int64) {
	for at > 0 {
		old := b.again.Load()
		if old > 0 && old <= at {
			return
		}
		if b.again.CompareAndSwap(old, at) {
			b.s.Link.Wake() // so that its loop calls schedule
			return
		}
	}
}

// schedule puts a wait where it belongs in the heap.
func (x *Executor) schedule(b *blocked) {
	due := b.until
	if again := b.again.Load(); again > 0 && (due == 0 || again < due) {
		due = again
	}
	if due == b.due {
		return
	}
	x.waits.remove(b)
	if due != 0 {
		x.waits.push(b, due)
	}
}

// timeouts ends the waits whose time is over, and looks again at those that asked for it.
func (x *Executor) timeouts() {
	for {
		b := x.waits.first()
		if b == nil || b.due > x.mono {
			return
		}
		if b.until == 0 || b.until > x.mono {
			x.lookAgain(b)
			continue
		}
		ok, busy := b.waiter.Cancel()
		if busy {
			return // it is as good as served
		}
		if ok {
			b.empty(&b.s.Out)
			x.mark(b.s)
			x.unblocked(b.s)
		} else {
			x.waits.remove(b) // its loop, this one, has not been told yet
			b.until = 0
			x.Sessions.Timeouts.Add(-1)
		}
	}
}

// lookAgain runs the command of a client that waits again, for each of its keys.
func (x *Executor) lookAgain(b *blocked) {
	x.waits.remove(b)
	b.again.Store(0)
	for _, key := range b.waiter.Keys {
		if b.waiter.Over() {
			return // its loop, this one, will be told
		}
		x.serveKey(b.waiter.DB, key)
	}
	x.schedule(b)
}

// serveKey tries to serve those who wait for a key, as if it had changed. Nothing is locked.
func (x *Executor) serveKey(db int, key []byte) {
	x.txn.Begin(db, x.ctx.Now)
	x.txn.Lock(keyspace.StripeSet(x.Keyspace.Placement(key)))
	x.txn.WakeIn(db, key)
	if x.txn.HasReady() {
		x.serve()
	}
	x.txn.Unlock()
}

// Deadline implements the loop's handler: when the first wait is due.
func (x *Executor) Deadline() int64 {
	if b := x.waits.first(); b != nil {
		return b.due
	}
	return 0
}

// A waitHeap is waits that are due at a time, the soonest first: a binary heap. Each knows
// where it is.
type waitHeap []*blocked

func (h waitHeap) first() *blocked {
	if len(h) == 0 {
		return nil
	}
	return h[0]
}

func (h *waitHeap) push(b *blocked, due int64) {
	b.due, b.place = due, len(*h)
	*h = append(*h, b)
	h.rise(b.place)
}

// remove takes a wait out, if it is in.
func (h *waitHeap) remove(b *blocked) {
	if b.due == 0 {
		return
	}
	list, i, last := *h, b.place, len(*h)-1
	list.swap(i, last)
	list[last] = nil
	*h = list[:last]
	b.due = 0
	if i < last {
		h.rise(i)
		h.sink(i)
	}
}

func (h waitHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h waitHeap) rise(i int) {
	for i > 0 {
		up := (i - 1) / 2
		if h[up].due <= h[i].due {
			return
		}
		h.swap(i, up)
		i = up
	}
}

func (h waitHeap) sink(i int) {
	for {
		down := 2*i + 1
		if down >= len(h) {
			return
		}
		if down+1 < len(h) && h[down+1].due < h[down].due {
			down++
		}
		if h[i].due <= h[down].due {
			return
		}
		h.swap(i, down)
		i = down
	}
}
