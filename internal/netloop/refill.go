package netloop

// # Replies that are made in pieces
//
// A session with a Stream has a reply that is only made as fast as it leaves: its handler
// writes another piece whenever little is ahead of what the kernel has taken. So a reply of
// any size takes some bounded memory, and the turn's bound keeps those who make such replies
// from keeping others waiting.
//
// A replica is fed in the same way. Its Stream has no end, but may have nothing to write for
// a while; when that changes its handler writes the first piece by itself.

const (
	// refillBelow is the number of bytes ahead of the kernel below which a reply is gone on
	// with. A piece of the handler's comes on top of it.
	refillBelow = 64 << 10

	// refillTurn is how many bytes of such replies are made in a turn, for all connections:
	// some 300 us of work.
	refillTurn = 256 << 10

	// refillMin is what a piece counts for at least. Some are bookkeeping, and no bytes.
	refillMin = 8 << 10
)

// wantsRefill says whether more of a connection's reply is to be made.
func (c *conn) wantsRefill() bool {
	return c.s.Stream != nil && c.state <= connLeaving && !c.broken &&
		c.unsent+c.s.Out.Len() < refillBelow && c.s.Stream.Ready()
}

// wantRefill has c refilled in the next turn, if it wants that.
func (l *loop) wantRefill(c *conn) {
	if !c.hungry && c.wantsRefill() {
		c.hungry = true
		l.refills = append(l.refills, c)
		l.again = true
	}
}

// refill goes on with the replies that are waited for. Those that this turn is too short for
// are the first of the next.
func (l *loop) refill() {
	budget, n := refillTurn, 0
	for ; n < len(l.refills) && budget > 0; n++ {
		c := l.refills[n]
		c.hungry = false
		for budget > 0 && c.wantsRefill() {
			before := c.s.Out.Len()
			l.h.Refill(c.s)
			budget -= max(c.s.Out.Len()-before, refillMin)
		}
		l.actLaterOn(c)
	}
	left := copy(l.refills, l.refills[n:])
	clear(l.refills[left:])
	l.refills = l.refills[:left]
	l.again = l.again || left > 0
}
