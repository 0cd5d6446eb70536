package exec

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

const (
	// window is how many requests' cache misses are under way together. Each touches
	// three or four lines, so 32 fit the first-level cache.
	window = 32

	// batchMax bounds the requests parsed before any is executed.
	batchMax = 1 << 10

	// mapFrom is the size from which a query buffer is a mapping of its own: memory
	// that is resident only as far as bytes have arrived.
	mapFrom = 128 << 10
)

// Received implements the loop's handler.
func (x *Executor) Received(s *session.Session, data []byte) {
	x.Stats.Reads++
	x.Stats.BytesIn += int64(len(data))
	s.LastUse = x.mono
	if s.Closing != session.Open {
		return
	}
	if s.Query == nil && s.Feed == 0 && !s.Stopped {
		x.feed(s, data, false)
		return
	}
	x.join(s, data)
}

// join takes bytes that come behind others of the session.
func (x *Executor) join(s *session.Session, data []byte) {
	many := false
	if s.Feed != 0 {
		many = x.feeds[s.Feed-1].more // whole commands wait behind those parsed so far
		x.detach(s)
	}
	if many || s.Stopped || !s.Authenticated {
		if x.extend(s, len(data)) {
			s.Query = append(s.Query, data...)
		}
		if !s.Stopped && len(s.Query) > 0 {
			x.feed(s, s.Query, true)
		}
		return
	}
	for len(s.Query) > 0 && len(data) > 0 {
		data = x.complete(s, data)
	}
	if len(data) > 0 && s.Closing == session.Open {
		x.feed(s, data, false)
	}
}

// completeStep is how many bytes are copied at a time to complete a command that was cut.
const completeStep = 1 << 10

// complete copies bytes behind the beginning of a command until it is whole, and returns
// those behind it, which can be parsed where they are.
func (x *Executor) complete(s *session.Session, data []byte) (rest []byte) {
	n := min(len(data), max(completeStep, s.Parser.Wants()-len(s.Query)))
	if !x.extend(s, n) {
		return nil
	}
	s.Query = append(s.Query, data[:n]...)
	i := len(x.feeds)
	x.feeds = append(x.feeds, feed{s: s, buf: s.Query, own: true})
	s.Feed = int32(i + 1)
	x.parse(i, 1)
	f := &x.feeds[i]
	if f.pos == 0 { // still not whole
		x.feeds = x.feeds[:i]
		s.Feed = 0
		x.mark(s)
		return data[n:]
	}
	x.mark(s)
	over := len(f.buf) - f.pos
	f.buf, f.own, f.more = f.buf[:f.pos], false, false
	x.retire(s)
	if rest = data[n-over:]; len(rest) > 0 {
		f.followed = true
		s.Feed = 0
	}
	return rest
}

// detach ends the session's feed of this turn before what it has not parsed, and makes
// that the beginning of a query of its own. The memory of the old one stays: requests
// lie in it.
func (x *Executor) detach(s *session.Session) {
	f := &x.feeds[s.Feed-1]
	rest := f.buf[f.pos:]
	f.buf = f.buf[:f.pos]
	if f.own {
		x.retire(s)
	}
	if len(rest) > 0 && x.extend(s, len(rest)) {
		s.Query = append(s.Query, rest...)
	}
	f.followed = true
	s.Feed = 0
}

// Space implements the loop's handler: while a big argument is under way its bytes go
// where they will be parsed.
func (x *Executor) Space(s *session.Session) []byte {
	if !s.QueryMM || s.Closing != session.Open {
		return nil
	}
	if want := s.Parser.Wants(); want > len(s.Query) && want <= cap(s.Query) {
		return s.Query[len(s.Query):want]
	}
	return nil
}

// Filled implements the loop's handler.
func (x *Executor) Filled(s *session.Session, n int) {
	x.Stats.Reads++
	x.Stats.BytesIn += int64(n)
	s.LastUse = x.mono
	s.Query = s.Query[:len(s.Query)+n]
	if !s.Stopped && len(s.Query) >= s.Parser.Wants() && s.Feed == 0 {
		x.feed(s, s.Query, true)
	}
}

// feed enters bytes to be parsed and executed in this turn.
func (x *Executor) feed(s *session.Session, buf []byte, own bool) {
	x.mark(s)
	x.feeds = append(x.feeds, feed{s: s, buf: buf, own: own})
	s.Feed = int32(len(x.feeds))
	x.parse(len(x.feeds)-1, batchMax)
}

// parse makes requests of up to most complete commands of a feed; of one if the
// connection is not authenticated: what it may send afterwards depends on that one.
func (x *Executor) parse(i, most int) {
	f := &x.feeds[i]
	s := f.s
	lim := &x.lim
	if !s.Authenticated {
		lim, most = &x.anon, 1
	}
	if s.Class == session.Master {
		lim = &masterLimits // what it sends was checked by it
	}
	f.more = false
	s.Parser.Split = x.Split
	for f.pos < len(f.buf) {
		first := len(x.args)
		args, n, err := s.Parser.Parse(f.buf[f.pos:], x.args, lim)
		if err != nil {
			s.Parser.Reset() // more may come before the error is answered; it will not be executed
			x.reqs = append(x.reqs, request{err: err, feed: int32(i), start: int32(f.pos), end: int32(len(f.buf))})
			f.pos = len(f.buf)
			return
		}
		if n == 0 {
			return
		}
		x.args = args
		start := f.pos
		f.pos += n
		if len(args) == first {
			continue
		}
		x.enter(i, start, args[first:len(args):len(args)])
		if most--; most <= 0 {
			f.more = true
			return
		}
	}
}

// masterLimits are those of a master, who has asked already. Memory follows what arrives. No
// master sends inline commands: they would be pieces of arguments, in a stream that is damaged.
var masterLimits = resp.Limits{Bulk: 1 << 40, NoInline: true}

// enter looks a command up and places its key, if it has one.
func (x *Executor) enter(i, start int, args command.Args) {
	f := &x.feeds[i]
	x.reqs = append(x.reqs, request{args: args, feed: int32(i), start: int32(start), end: int32(f.pos)})
	r := &x.reqs[len(x.reqs)-1]
	r.spec = x.resolve(args)
	if r.spec == nil || !r.spec.ArityOK(len(args)) {
		return
	}
	first, last, step, ok := r.spec.SimpleRange(len(args))
	switch {
	case !ok || first == 0:
	case first == last:
		r.keys = true
		r.placement = x.Keyspace.Placement(args[first])
	case len(x.place) < placesMax:
		from := len(x.place)
		for k := first; k <= last; k += step {
			x.place = append(x.place, x.Keyspace.Placement(args[k]))
		}
		r.places = x.place[from:len(x.place):len(x.place)]
	}
}

// resolve looks a command up.
func (x *Executor) resolve(args command.Args) *command.Spec {
	l := &x.last
	if string(l.name[:l.n]) == string(args[0]) && l.n > 0 {
		return l.spec
	}
	spec := x.Shared.Table.Resolve(args)
	if spec != nil && spec.Parent == nil && len(spec.Subs) == 0 && len(args[0]) <= len(l.name) {
		l.n, l.spec = copy(l.name[:], args[0]), spec
	}
	return spec
}

// placesMax is about how many keys of commands with several are placed ahead.
const placesMax = 1 << 14

// Run implements the loop's handler.
func (x *Executor) Run() {
	for len(x.reqs) > 0 {
		for from := 0; from < len(x.reqs); from += window {
			w := x.reqs[from:min(from+window, len(x.reqs))]
			if len(w) > 1 {
				x.prefetch(w)
			}
			for i := range w {
				if f := &x.feeds[w[i].feed]; !f.stopped {
					x.step(f, &w[i])
				}
			}
		}
		x.flushTimer()
		clear(x.reqs)
		x.reqs = x.reqs[:0]
		x.args = x.args[:0]
		x.place = x.place[:0]
		for i := range x.feeds {
			if f := &x.feeds[i]; f.more && !f.stopped {
				x.parse(i, batchMax)
			}
		}
	}
	for i := range x.feeds {
		if f := &x.feeds[i]; !f.followed {
			f.s.Feed = 0
			x.keepRest(f)
		} else if f.stopped && f.s.Closing == session.Open {
			x.passOn(i)
		}
	}
	for _, s := range x.ended {
		x.finish(s)
	}
	clear(x.ended)
	x.ended = x.ended[:0]
	clear(x.feeds)
	x.feeds = x.feeds[:0]
	for i := range x.old {
		x.recycle(x.old[i])
	}
	clear(x.old)
	x.old = x.old[:0]
}

// passOn puts what feed i did not execute in front of what came behind it: the session's
// next feed, or bytes of its query that are in no feed as they make no whole command.
func (x *Executor) passOn(i int) {
	f := &x.feeds[i]
	s := f.s
	rest := append([]byte(nil), f.buf[f.stopAt:]...)
	for j := i + 1; j < len(x.feeds); j++ {
		next := &x.feeds[j]
		if next.s != s {
			continue
		}
		from := next.pos
		if next.stopped {
			from = next.stopAt
		}
		rest = append(rest, next.buf[from:]...)
		if next.own && !next.followed {
			x.dropQuery(s)
		}
		next.buf, next.pos, next.own = rest, 0, false
		next.stopped, next.stopAt = true, 0
		return
	}
	rest = append(rest, s.Query...)
	x.dropQuery(s)
	s.Parser.Reset()
	if len(rest) > 0 && x.extend(s, len(rest)) {
		s.Query = append(s.Query, rest...)
	}
}

// keepRest keeps the bytes of a feed that no command used up.
func (x *Executor) keepRest(f *feed) {
	s := f.s
	rest := f.buf
	if f.stopped { // and pos means nothing, if another feed's rest was put in front
		rest = rest[f.stopAt:]
		s.Parser.Reset()
	} else {
		rest = rest[f.pos:]
	}
	if s.Closing != session.Open {
		rest = nil
	}
	switch {
	case len(rest) == 0:
		if f.own {
			x.dropQuery(s)
		}
	case f.own:
		if len(rest) < len(s.Query) {
			n := copy(s.Query, rest)
			s.Query = s.Query[:n]
		}
	default:
		if x.extend(s, len(rest)) {
			s.Query = append(s.Query, rest...)
		}
	}
	if s.Closing != session.Open {
		return
	}
	if want := s.Parser.Wants(); want > cap(s.Query) && want >= mapFrom {
		x.growMapped(s, want)
	}
	x.checkOutput(s)
}

// extend makes room for n more bytes of a query. It closes the connection if it would
// hold more than client-query-buffer-limit.
func (x *Executor) extend(s *session.Session, n int) bool {
	want := len(s.Query) + n
	if limit := x.Shared.Limits.Query.Load(); limit > 0 && int64(want) > limit && !s.Replays {
		x.Log.Warn("Closing client that reached max query buffer length",
			"id", s.ID, "addr", s.Remote, "bytes", want)
		x.Stats.QueryOver++
		s.Closing = session.Immediately
		return false
	}
	switch {
	case want <= cap(s.Query):
	case s.Query == nil && want <= resp.BufferSize:
		s.Query = x.pool.Get()
	case want < mapFrom:
		x.replaceQuery(s, make([]byte, 0, max(2*cap(s.Query), want)))
	default:
		x.growMapped(s, max(want, 2*cap(s.Query)))
	}
	return true
}

// growMapped moves a query into a mapping of n bytes.
func (x *Executor) growMapped(s *session.Session, n int) {
	b, err := mem.Map(n)
	if err != nil {
		x.Log.Warn("no memory for a query buffer", "bytes", n, "error", err)
		s.Closing = session.Immediately
		return
	}
	x.replaceQuery(s, b[:0])
	s.QueryMM = true
}

func (x *Executor) replaceQuery(s *session.Session, b []byte) {
	b = append(b, s.Query...)
	x.dropQuery(s)
	s.Query = b
}

// retire takes the query from the session. Requests lie in it, so its memory goes back at
// the end of the turn; it counts as the session's no longer, so that an INFO which was cut
// on its way does not report the buffer that it was put together in.
func (x *Executor) retire(s *session.Session) {
	x.old = append(x.old, query{s.Query, s.QueryMM})
	s.Query, s.QueryMM = nil, false
	x.countQuery(s)
}

// countQuery brings the sum of all buffers up to date with the session's query.
func (x *Executor) countQuery(s *session.Session) {
	if grown := int64(cap(s.Query)) - s.QueryCounted; grown != 0 {
		x.Keyspace.Buffers.Add(grown)
		s.QueryCounted += grown
	}
}

// dropQuery gives the query's memory back.
func (x *Executor) dropQuery(s *session.Session) {
	x.recycle(query{s.Query, s.QueryMM})
	s.Query, s.QueryMM = nil, false
}

func (x *Executor) recycle(q query) {
	if q.mapped {
		mem.Unmap(q.b)
	} else if q.b != nil {
		x.pool.Put(q.b)
	}
}

// checkOutput closes a connection that lets too many replies pile up.
func (x *Executor) checkOutput(s *session.Session) {
	class := s.Class
	if class == session.Master {
		class = session.Normal
	}
	limits := &x.Shared.Limits.Out[class]
	hard, soft := limits.Hard.Load(), limits.Soft.Load()
	if hard == 0 && soft == 0 {
		return
	}
	n := int64(s.Out.Len() + s.Link.Unsent())
	if s.Stream != nil {
		n += s.Stream.Held()
	}
	over := hard > 0 && n > hard
	if soft > 0 && n > soft {
		if s.SoftSince == 0 {
			s.SoftSince = x.mono
		}
		over = over || x.mono-s.SoftSince > limits.SoftMillis.Load()*1e6
	} else {
		s.SoftSince = 0
	}
	if over {
		x.closeFull(s, n)
	}
}

// closeFull closes a connection for which too many bytes wait.
func (x *Executor) closeFull(s *session.Session, n int64) {
	if s.Closing == session.Immediately {
		return
	}
	x.Log.Warn("Client scheduled to be closed ASAP for overcoming of output buffer limits",
		"id", s.ID, "addr", s.Remote, "bytes", n)
	x.Stats.OutputOver++
	s.Closing = session.Immediately
	x.mark(s)
}

// CloseFull implements command.Engine.
func (x *Executor) CloseFull(s *session.Session) { x.closeFull(s, int64(s.Out.Len())) }
