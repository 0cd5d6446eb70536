package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name: "XREADGROUP",
	Summary: "Return new entries from a stream using a consumer group, or access the history of the " +
		"pending entries for a given consumer. Can block.",
	Since: "5.0.0",
	Complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is " +
		"constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). " +
		"On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N " +
		"clients blocked on the stream getting new data.",
	Syntax: "GROUP=group_consumer={group consumer} [COUNT=count:integer] [BLOCK=milliseconds:integer] " +
		"[CLAIM=min-idle-time:integer{since 8.4.0}] [NOACK] STREAMS=streams={key... id...}",
	Arity:    -7,
	Flags:    command.Write | command.Blocking | command.MovableKeys,
	ACL:      command.CatStream,
	Keys:     streamKeys(4),
	FindKeys: findKeys(4),
	Run:      xreadgroup,
})

var (
	errLastID = &resp.Error{Code: "ERR",
		Text: "The $ ID is meaningless in the context of XREADGROUP: you want to " +
			"read the history of this consumer by specifying a proper ID, or use the > ID to get new " +
			"messages. The $ ID would just return an empty result set."}
	errLastEntry = &resp.Error{Code: "ERR",
		Text: "The + ID is meaningless in the context of XREADGROUP: you want " +
			"to read the history of this consumer by specifying a proper ID, or use the > ID to get new " +
			"messages. The + ID would just return an empty result set."}
	errKeyGone   = &resp.Error{Code: "UNBLOCKED", Text: "the stream key no longer exists"}
	errGroupGone = &resp.Error{Code: "NOGROUP",
		Text: "the consumer group this client was blocked on no longer exists"}
)

// newEntries is the ID that stands for entries that nobody in the group has got. Redis
// does not tell it from the argument >.
var newEntries = stream.MaxID

func xreadgroup(c *command.Ctx) error {
	r, err := parseReading(c, true)
	if err != nil {
		return err
	}
	c.JournalNothing()
	for i, key := range r.keys {
		if c.Skips(key) {
			continue
		}
		if err := r.checkSource(c, key, r.ids[i]); err != nil {
			return err
		}
	}
	d := delivery{c: c, r: &r, now: int64(c.Now)}
	if len(r.keys) == 1 || c.Ready() != nil {
		d.expected = 1
	}
	for i, key := range r.keys {
		if c.Skips(key) || c.Ready() != nil && d.served > 0 {
			continue
		}
		if err := d.serve(key, r.ids[i]); err != nil {
			return err
		}
	}
	if d.served == 0 {
		return r.wait(c, d.again)
	}
	if d.expected == 0 {
		c.Out.End(d.list, d.served)
	}
	return nil
}

// checkSource says what is wrong with a stream, its group, or the ID to begin from.
func (r *reading) checkSource(c *command.Ctx, key, arg []byte) error {
	var cell value.Cell
	s, ok, err := open(c, key, &cell)
	waited := c.Ready() != nil
	switch {
	case waited && (err != nil || !ok):
		return errKeyGone
	case err != nil:
		return err
	}
	if ok {
		_, ok = s.S.Group(s.Arena, r.group)
	}
	switch {
	case !ok && waited:
		return errGroupGone
	case !ok:
		return &resp.Error{Code: "NOGROUP", Text: "No such key '" + string(key) + "' or consumer group '" +
			string(r.group) + "' in XREADGROUP with GROUP option"}
	}
	_, err = deliveryID(arg)
	return err
}

// deliveryID reads the ID behind which XREADGROUP begins.
func deliveryID(arg []byte) (stream.ID, error) {
	if len(arg) == 1 {
		switch arg[0] {
		case '>':
			return newEntries, nil
		case '$':
			return stream.ID{}, errLastID
		case '+':
			return stream.ID{}, errLastEntry
		}
	}
	return idOf(arg, 0)
}

// A delivery is an XREADGROUP under way.
type delivery struct {
	c        *command.Ctx
	r        *reading
	now      int64
	expected int // streams in the reply, if that is known before
	served   int
	list     resp.Deferred
	again    int64 // monotonic nanoseconds at which there will be something to claim, 0 for never
}

// serve delivers from one stream, if there is anything to be delivered. The same stream
// may have been served just before.
func (d *delivery) serve(key, arg []byte) error {
	c := d.c
	var cell value.Cell
	s, _, err := edit(c, key, &cell)
	if err != nil {
		return err
	}
	a, h := s.Arena, s.Heap()
	g, _ := s.S.Group(a, d.r.group)
	id, _ := deliveryID(arg)
	e := effects{c, key, d.r.group}
	var idle []stream.ID
	changes := 0
	if id == newEntries && d.r.claim >= 0 {
		if idle, changes, err = d.findIdle(&s, &g, &e); err != nil {
			edited(c, key, &s, changes)
			return err
		}
	}
	if id == newEntries && len(idle) == 0 && (s.S.Length == 0 || !g.Last.Less(s.S.LastLive(a))) {
		// An attempt to read is noted, but does not make a consumer, as in Redis 7.0.
		if consumer, ok := g.Consumer(a, d.r.consumer); ok {
			err = g.SetTimes(h, consumer, d.now, consumer.Active)
		}
		edited(c, key, &s, changes)
		return err
	}
	consumer, isNew, err := g.CreateConsumer(h, d.r.consumer, d.now, -1)
	if err != nil {
		edited(c, key, &s, changes)
		return err
	}
	changes++
	if isNew {
		changes++
	}
	d.begin(key)
	claimed := false
	active := consumer.Active
	if id == newEntries {
		claimed, err = d.deliver(&s, &g, consumer.Number, idle, &e)
		if claimed {
			active = d.now
		}
	} else {
		err = d.history(&s, &g, consumer.Number, id)
	}
	if isNew && !claimed {
		e.created(d.r.consumer)
	}
	if err == nil {
		consumer.Name = d.r.consumer
		err = g.SetTimes(h, consumer, d.now, active)
	}
	edited(c, key, &s, changes)
	return err
}

// begin begins the reply, or the part of it about one stream.
func (d *delivery) begin(key []byte) {
	out := d.c.Out
	switch {
	case d.served > 0:
	case d.expected > 0 && out.Resp3:
		out.Map(d.expected)
	case d.expected > 0:
		out.Array(d.expected)
	case out.Resp3:
		d.list = out.MapLater()
	default:
		d.list = out.ArrayLater()
	}
	d.served++
	if !out.Resp3 {
		out.Array(2)
	}
	out.Bulk(key)
}

// deliver replies with idle entries, which change hands, and then with entries that are new
// for the group, and makes them pending. Together they are no more than wanted.
func (d *delivery) deliver(
	s *value.Stream, g *stream.Group, consumer uint32, idle []stream.ID, e *effects,
) (claimed bool, err error) {
	a, h, out := s.Arena, s.Heap(), d.c.Out
	var it stream.Iter
	n, left := int64(0), d.r.count-int64(len(idle))
	if from, ok := g.Last.Next(); ok && left > 0 {
		n = enter(&it, s, from, stream.MaxID, left, false)
	}
	out.Array(len(idle) + int(n))
	for _, id := range idle {
		if err := d.take(s, g, consumer, id, e); err != nil {
			return claimed, err
		}
		claimed = true
	}
	if n == 0 {
		return claimed, nil
	}
	for ; n > 0; n-- {
		id := it.ID()
		if !d.r.noAck {
			p := stream.Pending{ID: id, Delivered: d.now, Deliveries: 1, Consumer: consumer}
			if _, err = g.Put(h, p); err != nil {
				break
			}
			claimed = true
			e.claim(d.r.consumer, &p, nil, id)
		}
		g.Reads = s.S.ReadsAfter(g.Last, g.Reads, id)
		g.Last = id
		if d.r.claim >= 0 {
			writeAged(out, &it, 0, 0)
		} else {
			writeEntry(out, &it)
		}
		if n > 1 {
			it.Next()
		}
	}
	g.SetID(a, g.Last, g.Reads)
	e.setID(g)
	return claimed, err
}

// history replies with the consumer's pending entries, as delivered once more.
func (d *delivery) history(s *value.Stream, g *stream.Group, consumer uint32, after stream.ID) error {
	out := d.c.Out
	list, n := out.ArrayLater(), int64(0)
	from, _ := after.Next()
	for it := g.Owned(s.Arena, consumer, from); n < d.r.count && it.Next(); n++ {
		p := it.Pending
		if !writeOne(out, s, p.ID) { // deleted meanwhile
			out.Array(2)
			writeID(out, p.ID)
			out.NullArray()
			continue
		}
		p.Delivered = d.now
		p.Deliveries++
		if _, err := g.Put(s.Heap(), p); err != nil {
			return err
		}
	}
	out.End(list, int(n))
	return nil
}
