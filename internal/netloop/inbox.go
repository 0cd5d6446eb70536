package netloop

// wake puts c into the inbox. Any thread.
func (l *loop) wake(c *conn) {
	l.mu.Lock()
	l.wokenIn = append(l.wokenIn, c)
	l.mu.Unlock()
	l.notify()
}

// arrive hands c over to l, which then owns it. Any thread.
func (l *loop) arrive(c *conn) {
	l.clients.Add(1)
	l.mu.Lock()
	// Under the lock, so that a wake-up of c cannot be in this inbox before c is.
	c.owner.Store(l)
	l.arrived = append(l.arrived, c)
	l.mu.Unlock()
	l.notify()
}

// call has f run on the loop's thread in a turn. Any thread.
func (l *loop) call(f func()) {
	l.mu.Lock()
	l.calls = append(l.calls, f)
	l.mu.Unlock()
	l.notify()
}

// notify makes the loop look into its inbox. The kernel is asked only if the loop
// sleeps: whoever turns sleeping off is the one who wakes it.
func (l *loop) notify() {
	l.pending.Store(true)
	if l.sleeping.Load() && l.sleeping.CompareAndSwap(true, false) {
		l.p.wake()
	}
}

// takeInbox does what other threads asked for.
func (l *loop) takeInbox() {
	l.pending.Store(false)
	l.mu.Lock()
	woken, arrived, calls := l.wokenIn, l.arrived, l.calls
	l.wokenIn, l.arrived, l.calls = l.wokenOld, l.arrivedOld, l.callsOld
	l.mu.Unlock()
	for _, f := range calls {
		f()
	}
	for _, c := range arrived {
		l.adopt(c)
	}
	for _, c := range woken {
		l.wokenOne(c)
	}
	clear(woken)
	clear(arrived)
	clear(calls)
	l.wokenOld, l.arrivedOld, l.callsOld = shed(woken), shed(arrived), shed(calls)
}

// shed empties an inbox list and drops it if a burst has made it big.
func shed[T any](list []T) []T {
	if cap(list) > inboxKept {
		return nil
	}
	return list[:0]
}

const inboxKept = 1 << 12 // entries

func (l *loop) wokenOne(c *conn) {
	if o := c.owner.Load(); o != l {
		o.wake(c) // it has moved, and takes its mark along
		return
	}
	c.woken.Store(false) // before Woken looks, so that what comes meanwhile wakes again
	if c.state >= connEnding {
		return
	}
	l.h.Woken(c.s)
	l.actLaterOn(c)
}
