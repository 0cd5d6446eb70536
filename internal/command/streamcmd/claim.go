package streamcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	_ = Family.Add(command.Spec{
		Name: "XCLAIM",
		Summary: "Changes (or acquires) ownership of a message in a consumer group, as if the message was " +
			"delivered to the specified consumer.",
		Since:      "5.0.0",
		Complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
		Tips:       []string{"nondeterministic_output"},
		Syntax: "key group consumer min-idle-time id... [IDLE=ms:integer] " +
			"[TIME=unix-time-milliseconds:unix-time] [RETRYCOUNT=count:integer] [FORCE] [JUSTID] [LASTID=id]",
		Arity: -6,
		Flags: command.Write | command.Fast,
		ACL:   command.CatStream,
		Keys:  command.OneKey(1, command.RW|command.Update),
		Run:   xclaim,
	})
	_ = Family.Add(command.Spec{
		Name: "XAUTOCLAIM",
		Summary: "Changes (or acquires) ownership of messages in a consumer group, as if the messages were " +
			"delivered to the specified consumer.",
		Since:      "6.2.0",
		Complexity: "O(1) if COUNT is small.",
		History: [][2]string{{"7.0.0",
			"Added an element to the reply array, containing deleted entries the command cleared from " +
				"the PEL"}},
		Tips:   []string{"nondeterministic_output"},
		Syntax: "key group consumer min-idle-time start [COUNT=count:integer] [JUSTID]",
		Arity:  -6,
		Flags:  command.Write | command.Fast,
		ACL:    command.CatStream,
		Keys:   command.OneKey(1, command.RW|command.Delete),
		Run:    xautoclaim,
	})
)

var (
	errClaimIdle     = &resp.Error{Code: "ERR", Text: "Invalid min-idle-time argument for XCLAIM"}
	errClaimIdleOpt  = &resp.Error{Code: "ERR", Text: "Invalid IDLE option argument for XCLAIM"}
	errClaimTime     = &resp.Error{Code: "ERR", Text: "Invalid TIME option argument for XCLAIM"}
	errClaimRetries  = &resp.Error{Code: "ERR", Text: "Invalid RETRYCOUNT option argument for XCLAIM"}
	errAutoClaimIdle = &resp.Error{Code: "ERR", Text: "Invalid min-idle-time argument for XAUTOCLAIM"}
	errClaimCount    = &resp.Error{Code: "ERR", Text: "COUNT must be > 0"}
)

// claimOptions are the options of XCLAIM.
type claimOptions struct {
	ids       [][]byte
	idle      int64 // the least that an entry must have
	delivered int64 // when, as it will be said
	retries   int64 // -1 to count on
	force     bool  // claims what is not pending, too
	justID    bool  // replies with no more, and does not count as a delivery
	last      stream.ID
}

func parseClaim(c *command.Ctx) (o claimOptions, err error) {
	args := c.Args
	var ok bool
	if o.idle, ok = numtext.ParseInt(args[4]); !ok {
		return o, errClaimIdle
	}
	o.idle = max(o.idle, 0)
	i := 5
	for ; i < len(args); i++ {
		if _, err := idOf(args[i], 0); err != nil {
			break // the options begin
		}
	}
	o.ids = args[5:i]
	now := int64(c.Now)
	o.delivered, o.retries = -1, -1
	for ; i < len(args); i++ {
		more := i+1 < len(args)
		switch {
		case args.Is(i, "FORCE"):
			o.force = true
			continue
		case args.Is(i, "JUSTID"):
			o.justID = true
			continue
		case more && args.Is(i, "IDLE"):
			if o.delivered, ok = numtext.ParseInt(args[i+1]); !ok {
				return o, errClaimIdleOpt
			}
			o.delivered = now - o.delivered
		case more && args.Is(i, "TIME"):
			if o.delivered, ok = numtext.ParseInt(args[i+1]); !ok {
				return o, errClaimTime
			}
		case more && args.Is(i, "RETRYCOUNT"):
			if o.retries, ok = numtext.ParseInt(args[i+1]); !ok {
				return o, errClaimRetries
			}
		case more && args.Is(i, "LASTID"):
			if o.last, err = idOf(args[i+1], 0); err != nil {
				return o, err
			}
		default:
			return o, resp.Errorf("Unrecognized XCLAIM option '" + string(args[i]) + "'")
		}
		i++
	}
	if o.delivered < 0 || o.delivered > now { // nonsense means now
		o.delivered = now
	}
	return o, nil
}

// A claiming is an XCLAIM or XAUTOCLAIM under way.
type claiming struct {
	c        *command.Ctx
	s        value.Stream
	g        stream.Group
	consumer stream.Consumer // the claimer; its name is an argument
	isNew    bool
	claimed  int // entries
	changes  int
	told     bool // the journal knows of the last change of the group
	effects  effects
}

// begin finds the claimer, or makes it.
func (cl *claiming) begin(c *command.Ctx) (err error) {
	cl.c = c
	cl.effects = effects{c, c.Args[1], c.Args[2]}
	c.JournalNothing()
	cl.consumer, cl.isNew, err = cl.g.CreateConsumer(cl.s.Heap(), c.Args[3], int64(c.Now), -1)
	if cl.isNew {
		cl.changes++
	}
	cl.consumer.Name = c.Args[3]
	return err
}

// end keeps what was done. failure is what stopped it, if anything.
func (cl *claiming) end(failure error) error {
	if cl.isNew && cl.claimed == 0 {
		cl.effects.created(cl.consumer.Name)
	}
	active := cl.consumer.Active
	if cl.claimed > 0 {
		active = int64(cl.c.Now)
	}
	if failure == nil {
		failure = cl.g.SetTimes(cl.s.Heap(), cl.consumer, int64(cl.c.Now), active)
	}
	edited(cl.c, cl.c.Args[1], &cl.s, cl.changes)
	return failure
}

// drop ends that a deleted entry is pending.
func (cl *claiming) drop(p *stream.Pending, arg []byte) error {
	owner, _ := cl.g.ConsumerAt(cl.s.Arena, p.Consumer)
	cl.effects.gone(&cl.g, owner, p, arg)
	if _, err := cl.g.Ack(cl.s.Heap(), p.ID); err != nil {
		return err
	}
	cl.told = true
	cl.changes++
	return nil
}

// take gives an entry to the claimer.
func (cl *claiming) take(p *stream.Pending, delivered int64, arg []byte) error {
	p.Consumer, p.Delivered = cl.consumer.Number, delivered
	if _, err := cl.g.Put(cl.s.Heap(), *p); err != nil {
		return err
	}
	cl.effects.claim(cl.consumer.Name, p, arg, cl.g.Last)
	cl.told = true
	cl.changes++
	cl.claimed++
	return nil
}

func (cl *claiming) write(id stream.ID, justID bool) {
	if justID {
		writeID(cl.c.Out, id)
	} else {
		writeOne(cl.c.Out, &cl.s, id)
	}
}

func xclaim(c *command.Ctx) error {
	var cell value.Cell
	var cl claiming
	var ok bool
	var err error
	cl.s, cl.g, ok, err = editGroup(c, &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		return noGroup(c.Args[1], c.Args[2])
	}
	o, err := parseClaim(c)
	if err != nil {
		return err
	}
	moved := cl.g.Last.Less(o.last)
	if moved {
		cl.g.SetID(cl.s.Arena, o.last, cl.g.Reads)
	}
	if err := cl.begin(c); err != nil {
		return cl.end(err)
	}
	list := c.Out.ArrayLater()
	for _, arg := range o.ids {
		if err := cl.claim(arg, &o); err != nil {
			return cl.end(err)
		}
	}
	c.Out.End(list, cl.claimed)
	if moved && !cl.told {
		cl.effects.setID(&cl.g)
		cl.changes++
	}
	return cl.end(nil)
}

// claim claims one entry as XCLAIM is told to.
func (cl *claiming) claim(arg []byte, o *claimOptions) error {
	id, _ := idOf(arg, 0)
	p, isPending := cl.g.Find(cl.s.Arena, id)
	if !cl.s.S.Has(cl.s.Arena, id) {
		if isPending {
			return cl.drop(&p, arg)
		}
		return nil
	}
	switch {
	case !isPending && !o.force:
		return nil
	case !isPending:
		p = stream.Pending{ID: id, Deliveries: 1}
	case o.idle > 0 && int64(cl.c.Now)-p.Delivered < o.idle:
		return nil
	}
	if o.retries >= 0 {
		p.Deliveries = uint64(o.retries)
	} else if !o.justID {
		p.Deliveries++
	}
	if err := cl.take(&p, o.delivered, arg); err != nil {
		return err
	}
	cl.write(id, o.justID)
	return nil
}

// The limits of XAUTOCLAIM: it looks at so many entries for each that it may claim.
const (
	attemptsFactor = 10
	claimCount     = 100
	claimCountMax  = math.MaxInt64 / 16
)

// autoClaimOptions are the arguments of XAUTOCLAIM behind the consumer.
type autoClaimOptions struct {
	idle   int64
	from   stream.ID
	count  int64
	justID bool
}

func parseAutoClaim(args command.Args) (o autoClaimOptions, err error) {
	var ok bool
	if o.idle, ok = numtext.ParseInt(args[4]); !ok {
		return o, errAutoClaimIdle
	}
	if o.from, err = intervalStart(args[5]); err != nil {
		return o, err
	}
	o.count = claimCount
	for i := 6; i < len(args); i++ {
		switch {
		case args.Is(i, "COUNT") && i+1 < len(args):
			i++
			if o.count, ok = numtext.ParseInt(args[i]); !ok || o.count < 1 || o.count > claimCountMax {
				return o, errClaimCount
			}
		case args.Is(i, "JUSTID"):
			o.justID = true
		default:
			return o, resp.ErrSyntax
		}
	}
	return o, nil
}

func xautoclaim(c *command.Ctx) error {
	o, err := parseAutoClaim(c.Args)
	if err != nil {
		return err
	}
	var cell value.Cell
	var cl claiming
	var ok bool
	cl.s, cl.g, ok, err = editGroup(c, &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		return noGroup(c.Args[1], c.Args[2])
	}
	if err := cl.begin(c); err != nil {
		return cl.end(err)
	}
	var claimed, deleted []stream.ID
	next, err := cl.claimIdle(&o, &claimed, &deleted)
	if err != nil {
		return cl.end(err)
	}
	c.Out.Array(3)
	writeID(c.Out, next)
	c.Out.Array(len(claimed))
	for _, id := range claimed {
		cl.write(id, o.justID)
	}
	c.Out.Array(len(deleted))
	for _, id := range deleted {
		writeID(c.Out, id)
	}
	return cl.end(nil)
}

// claimIdle claims entries that have been idle for long enough, and drops those that were
// deleted. It returns where the next call is to go on, the zero ID if it came to the end.
func (cl *claiming) claimIdle(
	o *autoClaimOptions, claimed, deleted *[]stream.ID,
) (next stream.ID, err error) {
	a, now := cl.s.Arena, int64(cl.c.Now)
	it := cl.g.Pending(a, o.from)
	for attempts := o.count * attemptsFactor; attempts > 0 && o.count > 0; attempts-- {
		if !it.Next() {
			return stream.ID{}, nil
		}
		p := it.Pending
		switch {
		case !cl.s.S.Has(a, p.ID):
			err = cl.drop(&p, nil)
			*deleted = append(*deleted, p.ID)
			o.count--
		case o.idle > 0 && now-p.Delivered < o.idle:
			continue
		default:
			if !o.justID {
				p.Deliveries++
			}
			err = cl.take(&p, now, nil)
			*claimed = append(*claimed, p.ID)
			o.count--
		}
		if err != nil {
			return stream.ID{}, err
		}
		after, ok := p.ID.Next()
		if !ok {
			return stream.ID{}, nil
		}
		it = cl.g.Pending(a, after) // what it pointed to has changed
	}
	if it.Next() {
		next = it.ID
	}
	return next, nil
}
