package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name: "XREAD",
	Summary: "Return never seen elements in multiple streams, with IDs greater than the ones reported " +
		"by the caller for each stream. Can block.",
	Since: "5.0.0",
	Complexity: "For each stream mentioned: O(N) with N being the number of elements being returned, it " +
		"means that XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK option is used, XADD " +
		"will pay O(M) time in order to serve the M clients blocked on the stream getting new data.",
	Syntax:   "[COUNT=count:integer] [BLOCK=milliseconds:integer] STREAMS=streams={key... id...}",
	Arity:    -4,
	Flags:    command.ReadOnly | command.Blocking | command.MovableKeys,
	ACL:      command.CatStream,
	Keys:     streamKeys(1),
	FindKeys: findKeys(1),
	Run:      xread,
})

// streamKeys is what COMMAND INFO says of the keys of a command.
func streamKeys(from int) []command.KeySpec {
	return []command.KeySpec{{Flags: command.RO | command.Access, Keyword: "STREAMS", StartFrom: from,
		LastKey: -1, Step: 1, Limit: 2}}
}

// findKeys finds the keys by reading the options, as the command does itself: the word
// STREAMS may be the name of a group as well. Of calls that will be refused it says what
// Redis does, who looks for the word only.
func findKeys(from int) func(args command.Args) ([]command.KeyRef, error) {
	byWord := &command.Spec{Keys: streamKeys(from)}
	return func(args command.Args) (refs []command.KeyRef, err error) {
		at := streamsAt(args)
		if at <= from {
			return byWord.FindKeyRefs(nil, args)
		}
		for i := at; i < at+(len(args)-at)/2; i++ {
			refs = append(refs, command.KeyRef{Index: i, Flags: command.RO | command.Access})
		}
		return refs, nil
	}
}

// streamsAt is the argument behind STREAMS, 0 if there is none or an option is none. Where
// a number should be, the word counts too.
func streamsAt(args command.Args) int {
	for i := 1; i < len(args)-1; i++ {
		switch {
		case args.Is(i, "STREAMS"):
			return i + 1
		case args.Is(i, "BLOCK"), args.Is(i, "COUNT"), args.Is(i, "CLAIM"):
			if !args.Is(i+1, "STREAMS") {
				i++
			}
		case args.Is(i, "GROUP"):
			i += 2
		case args.Is(i, "NOACK"):
		default:
			return 0
		}
	}
	return 0
}

var (
	errGroupOption = &resp.Error{Code: "ERR",
		Text: "The GROUP option is only supported by XREADGROUP. You called XREAD instead."}
	errNoAckOption = &resp.Error{Code: "ERR",
		Text: "The NOACK option is only supported by XREADGROUP. You called XREAD instead."}
	errClaimOption = &resp.Error{Code: "ERR",
		Text: "The CLAIM option is only supported by XREADGROUP. You called XREAD instead."}
	errNoGroupOption = &resp.Error{Code: "ERR", Text: "Missing GROUP option for XREADGROUP"}
	errOnlyNew       = &resp.Error{Code: "ERR",
		Text: "The > ID can be specified only when calling XREADGROUP using the GROUP <group> " +
			"<consumer> option."}
)

// A reading is the options of XREAD or XREADGROUP.
type reading struct {
	count           int64 // most entries of each stream
	waits           bool
	until           int64
	claim           int64 // the least idle time of pending entries to be claimed, -1 for none
	noAck           bool
	group, consumer []byte // XREADGROUP
	keys, ids       [][]byte
}

// parseReading reads the options, and where the keys are.
func parseReading(c *command.Ctx, inGroup bool) (r reading, err error) {
	args := c.Args
	streams := streamsAt(args)
	r.claim = -1
	for i := 1; i < len(args) && i != streams-1; i++ {
		more := len(args) - i - 1
		switch {
		case args.Is(i, "BLOCK") && more > 0:
			i++
			r.waits = true
			if c.Ready() == nil { // else the time is known
				r.until, err = c.TimeoutMillis(i)
			}
		case args.Is(i, "COUNT") && more > 0:
			i++
			r.count, err = args.Int(i)
		case args.Is(i, "GROUP") && more > 1:
			if !inGroup {
				return r, errGroupOption
			}
			r.group, r.consumer = args[i+1], args[i+2]
			i += 2
		case args.Is(i, "CLAIM") && more > 0:
			if !inGroup {
				return r, errClaimOption
			}
			i++
			r.claim, err = idleTime(args[i])
		case args.Is(i, "NOACK"):
			if !inGroup {
				return r, errNoAckOption
			}
			r.noAck = true
		default:
			return r, resp.ErrSyntax
		}
		if err != nil {
			return r, err
		}
	}
	switch {
	case streams == 0:
		return r, resp.ErrSyntax
	case (len(args)-streams)%2 != 0:
		return r, unbalanced(c, inGroup)
	case inGroup && r.group == nil:
		return r, errNoGroupOption
	}
	if r.count <= 0 {
		r.count = maxCount
	}
	half := streams + (len(args)-streams)/2
	r.keys, r.ids = args[streams:half], args[half:]
	return r, nil
}

// maxCount is more entries than there can be.
const maxCount = 1<<63 - 1

func unbalanced(c *command.Ctx, inGroup bool) error {
	symbol := "$"
	if inGroup {
		symbol = ">"
	}
	return resp.Errorf("Unbalanced " +
		"'" + c.Name() + "' list of streams: for each stream key an ID or '" + symbol +
		"' must be specified.")
}

// A source is a stream that XREAD has found something in.
type source struct {
	key   []byte
	cell  value.Cell
	after stream.ID
}

// sourcesFew is how many streams of a call cost no memory.
const sourcesFew = 4

func xread(c *command.Ctx) error {
	r, err := parseReading(c, false)
	if err != nil {
		return err
	}
	var room [sourcesFew]source
	found := room[:0]
	for i, key := range r.keys {
		if c.Skips(key) {
			continue
		}
		var from source
		isNew, err := from.look(c, key, r.ids[i])
		if err != nil {
			return err
		}
		if isNew {
			found = append(found, from)
		}
	}
	if len(found) == 0 {
		return r.wait(c, 0)
	}
	if c.Out.Resp3 {
		c.Out.Map(len(found))
	} else {
		c.Out.Array(len(found))
	}
	for i := range found {
		from := &found[i]
		if !c.Out.Resp3 {
			c.Out.Array(2)
		}
		c.Out.Bulk(from.key)
		s := value.StreamIn(&from.cell)
		first, _ := from.after.Next() // it is less than the last one
		writeRange(c.Out, &s, first, stream.MaxID, r.count, false)
	}
	return nil
}

// look says whether a stream has entries behind those that an argument names.
func (f *source) look(c *command.Ctx, key, arg []byte) (isNew bool, err error) {
	f.key = key
	s, ok, err := open(c, key, &f.cell)
	if err != nil {
		if c.Ready() == nil {
			return false, err
		}
		ok = false // who waits for a stream does so until there is one again
	}
	if f.after, err = afterOf(arg, &s, ok); err != nil || !ok || s.S.Length == 0 {
		return false, err
	}
	return f.after.Less(s.S.LastLive(s.Arena)), nil
}

// afterOf is the ID behind which XREAD begins. $ is the last one that was, and + the one
// before the last entry.
func afterOf(arg []byte, s *value.Stream, ok bool) (after stream.ID, err error) {
	if len(arg) != 1 {
		return idOf(arg, 0)
	}
	switch arg[0] {
	case '$':
		if ok {
			after = s.S.Last
		}
	case '+':
		if ok && s.S.Length > 0 {
			after, _ = s.S.LastLive(s.Arena).Prev()
		}
	case '>':
		return after, errOnlyNew
	default:
		return idOf(arg, 0)
	}
	return after, nil
}

// wait makes the client wait for any of the keys, if it wants to, and no longer than until
// again without looking at them; 0 is for ever.
func (r *reading) wait(c *command.Ctx, again int64) error {
	if !r.waits {
		c.Out.NullArray()
		return nil
	}
	w := command.Wait{
		Type: record.Stream, Keys: r.keys, Until: r.until, Again: again, Empty: (*resp.Writer).NullArray,
	}
	if c.Ready() == nil && !c.InMulti {
		w.Args = r.resolved(c)
	}
	return c.Block(w)
}

// resolved is the arguments with IDs in the place of $ and +, which would be others when
// the command is run again; nil if there are none.
func (r *reading) resolved(c *command.Ctx) command.Args {
	var out command.Args
	first := len(c.Args) - len(r.ids)
	for i, arg := range r.ids {
		if len(arg) != 1 || arg[0] != '$' && arg[0] != '+' {
			continue
		}
		if out == nil {
			out = append(make(command.Args, 0, len(c.Args)), c.Args...)
		}
		var cell value.Cell
		s, ok, _ := open(c, r.keys[i], &cell) // its type has been looked at
		after, _ := afterOf(arg, &s, ok)
		out[first+i] = after.AppendTo(nil)
	}
	return out
}
