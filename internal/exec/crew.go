package exec

import (
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// # Replaying on several processors
//
// Commands on different keys may be executed in any order, if those on the same key keep
// theirs. A Crew deals commands out by the stripes of their keys: each member has some
// stripes for itself, so no two ever wait for each other's locks.
//
//	Run --place the keys--> member 0: stripes 0 to 31    a copy of its commands, some KB at a time
//	                   \--> member 1: stripes 32 to 63
//	                    \-> alone: whatever has keys of two members, or none: when all members
//	                        have come to their ends, on the caller's goroutine
//
// A transaction is one such command, with all the keys of its commands. SELECT is dealt out
// as it is needed. Where many commands are to be executed alone, all are.

// A Crew is a Replayer with several goroutines. It is used by one goroutine at a time.
type Crew struct {
	sh      *Shared
	own     *Replayer // executes what is executed alone
	members []*member
	failed  atomic.Pointer[error]

	parser resp.Parser
	lim    resp.Limits
	args   [][]byte
	refs   []command.KeyRef
	last   lastSpec
	db     int // that the next command is for
	dealt  []share
}

// A share is some bytes of commands that are executed by the same member, one command or
// one transaction.
type share struct {
	start, end int
	db, after  int // that is selected when they begin, and when they are executed
	member     int // or alone
}

const (
	alone  = -1
	nobody = -2 // no key was seen yet
)

// A member executes the commands on some of the stripes.
type member struct {
	crew  *Crew
	r     *Replayer
	db    int // behind the bytes of buf
	buf   []byte
	work  chan dealt
	free  chan []byte
	ended chan struct{}
}

// A dealt is commands for a member. done, if set, is told when they are executed.
type dealt struct {
	data []byte
	done chan struct{}
}

const (
	// dealBytes is how many bytes of commands a member is given at a time.
	dealBytes = 16 << 10
	// dealsAhead is how many of these wait for it.
	dealsAhead = 8
	// aloneShare is the share of commands to be executed alone from which all are: one of
	// so many. Each costs a wait for all members.
	aloneShare = 16
)

// NewCrew makes a Crew of some members; with less than two everything is executed by who
// calls Run.
func (sh *Shared) NewCrew(members int) *Crew {
	c := &Crew{sh: sh, own: sh.NewReplayer(), lim: resp.Limits{Bulk: math.MaxInt64}}
	c.parser.Split = sh.Split
	if members < 2 {
		return c
	}
	for range min(members, keyspace.Stripes) {
		m := &member{crew: c, r: sh.NewReplayer(), work: make(chan dealt, dealsAhead),
			free: make(chan []byte, dealsAhead+1), ended: make(chan struct{})}
		c.members = append(c.members, m)
		go m.execute()
	}
	return c
}

// execute is a member's goroutine.
func (m *member) execute() {
	defer close(m.ended)
	for d := range m.work {
		if len(d.data) > 0 && m.crew.failed.Load() == nil {
			m.crew.fail(m.r.Run(d.data))
		}
		if d.done != nil {
			close(d.done)
			continue
		}
		select {
		case m.free <- d.data[:0]:
		default:
		}
	}
}

func (c *Crew) fail(err error) {
	if err != nil {
		c.failed.CompareAndSwap(nil, &err)
	}
}

func (c *Crew) err() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Run has the commands of data executed, which are whole. It keeps no reference to data.
func (c *Crew) Run(data []byte) error {
	if len(c.members) == 0 {
		return c.own.Run(data)
	}
	start := 0
	for start < len(data) && c.own.Session.Multi.Open {
		start = c.goOn(data) // with a transaction that began in an earlier Run
	}
	for start < len(data) && c.err() == nil {
		onlyAlone, err := c.deal(data, start)
		switch {
		case err != nil:
			c.fail(err)
		case onlyAlone*aloneShare > len(c.dealt):
			c.runAlone(c.dealt[0].db, data[start:])
			start = len(data)
		default:
			start = c.give(data)
		}
	}
	return c.err()
}

// goOn executes the rest of a transaction, and returns where it ends.
func (c *Crew) goOn(data []byte) (end int) {
	for end < len(data) {
		args, n, err := c.parser.Parse(data[end:], c.args[:0], &c.lim)
		if n == 0 || err != nil {
			c.fail(errNoCommand)
			return len(data)
		}
		end += n
		if c.args = args; endsMulti(c.resolve(args), args) {
			break
		}
	}
	c.fail(c.own.Run(data[:end]))
	c.db = c.own.Session.DB
	return end
}

func endsMulti(spec *command.Spec, args command.Args) bool {
	return spec != nil && (spec.Name == "EXEC" || spec.Name == "DISCARD" && spec.ArityOK(len(args)))
}

func beginsMulti(spec *command.Spec, args command.Args) bool {
	return spec != nil && spec.Name == "MULTI" && spec.ArityOK(len(args))
}

// deal says of all commands from start on who executes them, and how many of them alone.
func (c *Crew) deal(data []byte, start int) (onlyAlone int, err error) {
	c.dealt = c.dealt[:0]
	inMulti := false
	for start < len(data) {
		args, n, err := c.parser.Parse(data[start:], c.args[:0], &c.lim)
		if n == 0 || err != nil {
			return 0, errNoCommand
		}
		c.args = args
		spec := c.resolve(args)
		if inMulti {
			s := &c.dealt[len(c.dealt)-1]
			s.end = start + n
			inMulti = !endsMulti(spec, args)
			if inMulti {
				s.member = both(s.member, c.whose(spec, args))
			} else if spec.Name != "EXEC" {
				s.member = alone // it may have tried to select a database
			}
		} else {
			s := share{start: start, end: start + n, db: c.db, member: nobody}
			if inMulti = beginsMulti(spec, args); !inMulti {
				s.member = c.whose(spec, args)
			}
			c.dealt = append(c.dealt, s)
		}
		c.selects(spec, args)
		c.dealt[len(c.dealt)-1].after = c.db
		start += n
	}
	if inMulti {
		c.dealt[len(c.dealt)-1].member = alone // the rest comes with the next Run
	}
	for i := range c.dealt {
		if c.dealt[i].member == alone {
			onlyAlone++
		}
	}
	return onlyAlone, nil
}

// both is who executes what two have parts of.
func both(a, b int) int {
	switch {
	case a == nobody:
		return b
	case b == nobody || a == b:
		return a
	}
	return alone
}

// resolve looks a command up.
func (c *Crew) resolve(args command.Args) *command.Spec {
	if len(args) == 0 {
		return nil
	}
	l := &c.last
	if l.n > 0 && string(l.name[:l.n]) == string(args[0]) {
		return l.spec
	}
	spec := c.sh.Table.Resolve(args)
	if spec != nil && spec.Parent == nil && len(spec.Subs) == 0 && len(args[0]) <= len(l.name) {
		l.n, l.spec = copy(l.name[:], args[0]), spec
	}
	return spec
}

// whose says which member has all keys of a command; nobody, if it does nothing but select
// a database.
func (c *Crew) whose(spec *command.Spec, args command.Args) int {
	const others = command.Exclusive | command.WholeDB | command.NoMulti
	switch {
	case spec == nil || !spec.ArityOK(len(args)):
		return alone
	case spec.Name == "SELECT" && c.database(args) >= 0:
		return nobody
	case spec.Flags&command.Write == 0 || spec.Flags&others != 0:
		return alone
	case spec.Everything != nil && spec.Everything(args):
		return alone
	}
	who := nobody
	if first, last, step, ok := spec.SimpleRange(len(args)); ok {
		for i := first; i > 0 && i <= last; i += step {
			who = both(who, c.memberOf(args[i]))
		}
	} else {
		refs, err := spec.FindKeyRefs(c.refs[:0], args)
		if c.refs = refs[:0]; err != nil {
			return alone
		}
		for _, ref := range refs {
			who = both(who, c.memberOf(args[ref.Index]))
		}
	}
	if who == nobody {
		return alone
	}
	return who
}

// memberOf is the member that has the stripe of a key.
func (c *Crew) memberOf(key []byte) int {
	stripe := bits.TrailingZeros64(keyspace.StripeSet(c.sh.Keyspace.Placement(key)))
	return stripe * len(c.members) / keyspace.Stripes
}

// selects notes the database that a command selects.
func (c *Crew) selects(spec *command.Spec, args command.Args) {
	if spec != nil && spec.Name == "SELECT" {
		if db := c.database(args); db >= 0 {
			c.db = db
		}
	}
}

// database is the one that a SELECT selects, or -1.
func (c *Crew) database(args command.Args) int {
	if len(args) != 2 {
		return -1
	}
	if n, ok := numtext.ParseInt(args[1]); ok && n >= 0 && n < int64(c.sh.Keyspace.Databases()) {
		return int(n)
	}
	return -1
}

// give has what was dealt executed, and returns how far it came: a command that was
// executed alone may have left another database selected than was expected.
func (c *Crew) give(data []byte) (end int) {
	for i := range c.dealt {
		s := &c.dealt[i]
		switch s.member {
		case nobody: // a SELECT: every share has its database
		case alone:
			c.runAlone(s.db, data[s.start:s.end])
			if own := c.own.Session; own.DB != s.after && !own.Multi.Open {
				return s.end
			}
			c.db = c.dealt[len(c.dealt)-1].after
		default:
			c.members[s.member].take(s, data[s.start:s.end])
		}
	}
	return c.dealt[len(c.dealt)-1].end
}

// runAlone executes commands when all members have come to their ends.
func (c *Crew) runAlone(db int, data []byte) {
	c.drain()
	if c.err() != nil {
		return
	}
	if db != c.own.Session.DB {
		c.fail(c.own.Run(appendSelect(nil, db)))
	}
	c.fail(c.own.Run(data))
	if !c.own.Session.Multi.Open {
		c.db = c.own.Session.DB
	}
}

func appendSelect(dst []byte, db int) []byte {
	var digits [20]byte
	return resp.AppendCommand(dst, "SELECT", string(numtext.AppendInt(digits[:0], int64(db))))
}

// take adds commands to what a member is given. Large ones are not copied, but waited for.
func (m *member) take(s *share, data []byte) {
	if m.buf == nil {
		select {
		case m.buf = <-m.free:
		default:
			m.buf = make([]byte, 0, dealBytes+dealBytes/4)
		}
	}
	if m.db != s.db {
		m.buf = appendSelect(m.buf, s.db)
	}
	m.db = s.after
	if len(data) > dealBytes {
		m.send()
		done := make(chan struct{})
		m.work <- dealt{data, done}
		<-done
		return
	}
	if m.buf = append(m.buf, data...); len(m.buf) >= dealBytes {
		m.send()
	}
}

func (m *member) send() {
	if len(m.buf) > 0 {
		m.work <- dealt{data: m.buf}
		m.buf = nil
	}
}

// drain waits until all members have executed what they were given.
func (c *Crew) drain() {
	waits := make([]chan struct{}, len(c.members))
	for i, m := range c.members {
		m.send()
		waits[i] = make(chan struct{})
		m.work <- dealt{done: waits[i]}
	}
	for _, w := range waits {
		<-w
	}
}

// Wait waits until everything is executed that Run was given.
func (c *Crew) Wait() error {
	if len(c.members) == 0 {
		return c.own.Wait()
	}
	c.drain()
	return c.err()
}

// Midway says whether the data so far ended inside a transaction.
func (c *Crew) Midway() bool { return c.own.Midway() }

// Close ends the replaying.
func (c *Crew) Close() {
	for _, m := range c.members {
		close(m.work)
	}
	for _, m := range c.members {
		<-m.ended
		m.r.Close()
	}
	c.own.Close()
}
