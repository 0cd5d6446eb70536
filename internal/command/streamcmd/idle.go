package streamcmd

import (
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// XREADGROUP CLAIM first takes entries that have been pending for long, whoever has them, and
// then new ones. A client that waits is served when an entry has become old enough, too: it
// says when that will be, and looks again then.

var (
	errMinIdle    = &resp.Error{Code: "ERR", Text: "min-idle-time is not an integer"}
	errMinIdleNeg = &resp.Error{Code: "ERR", Text: "min-idle-time must be a positive integer"}
)

// idleTime reads the argument of CLAIM: milliseconds.
func idleTime(arg []byte) (int64, error) {
	n, ok := numtext.ParseInt(arg)
	switch {
	case !ok:
		return 0, errMinIdle
	case n < 0:
		return 0, errMinIdleNeg
	}
	return n, nil
}

// findIdle finds the pending entries that the consumer is to get, and drops those that were
// deleted, as XAUTOCLAIM does. If there are none it notes when there will be one.
func (d *delivery) findIdle(
	s *value.Stream, g *stream.Group, e *effects,
) (idle []stream.ID, dropped int, err error) {
	a, h := s.Arena, s.Heap()
	if err := g.KeepTimes(h); err != nil {
		return nil, 0, err
	}
	for isWhole := false; !isWhole; {
		idle, isWhole = g.AppendIdle(a, idle[:0], d.now-d.r.claim, d.r.count), true
		for _, id := range idle {
			if s.S.Has(a, id) {
				continue
			}
			isWhole = false
			p, _ := g.Find(a, id)
			owner, _ := g.ConsumerAt(a, p.Consumer)
			e.gone(g, owner, &p, nil)
			if _, err := g.Ack(h, id); err != nil {
				return nil, dropped, err
			}
			dropped++
		}
	}
	if at, ok := g.Oldest(a); ok && len(idle) == 0 {
		age := d.now - min(max(at, 0), d.now)
		again := d.c.Mono + min(d.r.claim-age, againMax)*1e6
		if d.again == 0 || again < d.again {
			d.again = again
		}
	}
	return idle, dropped, nil
}

// againMax is the most milliseconds after which who waits looks again: a day.
const againMax = 24 * 3600 * 1000

// take gives an idle entry to the consumer, and tells how long it was idle and how often it
// had been delivered.
func (d *delivery) take(
	s *value.Stream, g *stream.Group, consumer uint32, id stream.ID, e *effects,
) error {
	p, _ := g.Find(s.Arena, id)
	idle, deliveries := d.now-p.Delivered, p.Deliveries
	p.Delivered, p.Consumer = d.now, consumer
	p.Deliveries++
	if _, err := g.Put(s.Heap(), p); err != nil {
		return err
	}
	e.claim(d.r.consumer, &p, nil, g.Last)
	it, _ := s.S.Get(s.Arena, id)
	writeAged(d.c.Out, &it, idle, deliveries)
	return nil
}
