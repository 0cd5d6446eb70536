package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "XTRIM",
	Summary: "Trims the stream to (approximately if '~' is passed) a certain size",
	Since:   "5.0.0",
	Complexity: "O(N), with N being the number of evicted entries. Constant times are very small " +
		"however, since entries are organized in macro nodes containing multiple entries that can be " +
		"released with a single deallocation.",
	History: [][2]string{{"6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."}},
	Tips:    []string{"nondeterministic_output"},
	Syntax:  "key trim={" + trimSyntax + " " + laterRefsSyntax + "}",
	Arity:   -4,
	Flags:   command.Write,
	ACL:     command.CatStream,
	Keys:    command.OneKey(1, command.RW|command.Delete),
	Run:     xtrim,
})

const trimSyntax = `strategy=(MAXLEN|MINID{since 6.2.0}) [operator=(equal="="|approximately="~")] threshold ` +
	"[LIMIT=count:integer{since 6.2.0}]"

const laterRefsSyntax = "[condition=(KEEPREF|DELREF|ACKED){since 8.2.0}]"

var (
	errTwoStrategies = &resp.Error{Code: "ERR",
		Text: "syntax error, MAXLEN and MINID options at the same time are not compatible"}
	errMaxLen    = &resp.Error{Code: "ERR", Text: "The MAXLEN argument must be >= 0."}
	errLimit     = &resp.Error{Code: "ERR", Text: "The LIMIT argument must be >= 0."}
	errOnlyLimit = &resp.Error{Code: "ERR",
		Text: "syntax error, LIMIT cannot be used without specifying a trimming strategy"}
	errNoStrategy = &resp.Error{Code: "ERR", Text: "syntax error, XTRIM must be called with a trimming strategy"}
	errExactLimit = &resp.Error{Code: "ERR",
		Text: "syntax error, LIMIT cannot be used without the special ~ option"}
)

// options are the options of XADD before the ID, or those of XTRIM.
type options struct {
	noMake    bool
	trims     bool
	trim      stream.Trim
	hasLimit  bool
	threshold int // its argument
	idAt      int // of XADD: the ID's argument
}

// parseOptions reads options up to an argument that is none: the ID, if this is XADD. They
// are to be checked when the ID has been read.
func parseOptions(args command.Args, isAdd bool) (o options, err error) {
	for o.idAt = 2; o.idAt < len(args); o.idAt++ {
		i, more := o.idAt, o.idAt+1 < len(args)
		switch {
		case isAdd && len(args[i]) == 1 && args[i][0] == '*':
			return o, nil
		case more && (args.Is(i, "MAXLEN") || args.Is(i, "MINID")):
			if err = o.parseStrategy(args); err != nil {
				return o, err
			}
		case more && args.Is(i, "LIMIT"):
			if o.trim.Limit, err = args.Int(i + 1); err != nil {
				return o, err
			}
			if o.trim.Limit < 0 {
				return o, errLimit
			}
			o.hasLimit = true
			o.idAt++
		case isAdd && args.Is(i, "NOMKSTREAM"):
			o.noMake = true
		case parseRefs(args, i, &o.trim.Refs):
		case isAdd:
			return o, nil
		default:
			return o, resp.ErrSyntax
		}
	}
	return o, nil
}

// parseRefs reads what is to become of the groups' references, if that is said here.
func parseRefs(args command.Args, i int, refs *stream.Refs) bool {
	switch {
	case args.Is(i, "KEEPREF"):
		*refs = stream.KeepRef
	case args.Is(i, "DELREF"):
		*refs = stream.DelRef
	case args.Is(i, "ACKED"):
		*refs = stream.Acked
	default:
		return false
	}
	return true
}

// parseStrategy reads MAXLEN or MINID and what is behind it.
func (o *options) parseStrategy(args command.Args) (err error) {
	if o.trims {
		return errTwoStrategies
	}
	o.trims = true
	o.trim.ByID = args.Is(o.idAt, "MINID")
	o.idAt++
	if at := o.idAt; at+1 < len(args) && len(args[at]) == 1 && (args[at][0] == '~' || args[at][0] == '=') {
		o.trim.Approx = args[at][0] == '~'
		o.idAt++
	}
	o.threshold = o.idAt
	if o.trim.ByID {
		o.trim.MinID, err = idOf(args[o.threshold], 0)
		return err
	}
	n, err := args.Int(o.threshold)
	if err == nil && n < 0 {
		err = errMaxLen
	}
	o.trim.MaxLen = uint64(n)
	return err
}

// check says whether the options go together.
func (o *options) check(isAdd bool) error {
	switch {
	case o.trim.Limit > 0 && !o.trims:
		return errOnlyLimit
	case !isAdd && !o.trims:
		return errNoStrategy
	case o.hasLimit && !o.trim.Approx:
		return errExactLimit
	}
	return nil
}

const (
	// limitNodes is how many full nodes approximate trimming examines, if it is not told.
	limitNodes = 100
	// limitMax is the most entries of these, limitUnknown how many if nodes have no limit.
	limitMax, limitUnknown = 1_000_000, 10_000
)

// run trims a stream, and returns how many entries are gone.
func (o *options) run(s *value.Stream) (int64, error) {
	if o.trim.Approx && !o.hasLimit {
		o.trim.Limit = limitNodes * s.Limits.StreamEntries.Load()
		if o.trim.Limit <= 0 {
			o.trim.Limit = limitUnknown
		}
		o.trim.Limit = min(o.trim.Limit, limitMax)
	}
	return s.S.Trim(s.Heap(), o.trim)
}

func xtrim(c *command.Ctx) error {
	o, err := parseOptions(c.Args, false)
	if err == nil {
		err = o.check(false)
	}
	if err != nil {
		return err
	}
	key := c.Args[1]
	var cell value.Cell
	s, ok, err := edit(c, key, &cell)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Int(0)
		return nil
	}
	deleted, err := o.run(&s)
	if deleted > 0 && (o.trim.Approx || err != nil) {
		journalTrim(c, &o, &s, err != nil, nil)
	}
	edited(c, key, &s, int(deleted))
	if err != nil {
		return err
	}
	c.Out.Int(deleted)
	return nil
}

var equal, maxLen = []byte{'='}, []byte("MAXLEN")

// journalTrim journals a call that has trimmed with the exact result in place of what it
// was told, and without a limit. With an ID that is the ID of an entry that was added.
//
// Since it is the first entries that go, the length says as much as the ID from which on
// they stay; that is needed where some of these have stayed too (ACKED), or where there
// was no memory to go on.
func journalTrim(c *command.Ctx, o *options, s *value.Stream, cut bool, id []byte) {
	if !c.Journaling() {
		return
	}
	args := append(make([][]byte, 0, len(c.Args)), c.Args[:2]...)
	for i := 2; i < o.idAt; i++ {
		switch {
		case i == o.threshold-1 && o.trim.Approx:
			args = append(args, equal)
		case i == o.threshold:
			byLen := !o.trim.ByID || cut || o.trim.Refs == stream.Acked
			args = append(args, o.exact(s, byLen))
		case c.Args.Is(i, "MINID") && (cut || o.trim.Refs == stream.Acked):
			args = append(args, maxLen)
		case c.Args.Is(i, "LIMIT"):
			i++
		default:
			args = append(args, c.Args[i])
		}
	}
	if id != nil {
		args = append(append(args, id), c.Args[o.idAt+1:]...)
	}
	c.JournalAs(args...)
}

// exact is the threshold at which trimming has stopped.
func (o *options) exact(s *value.Stream, byLen bool) []byte {
	if byLen {
		return numtext.AppendUint(nil, s.S.Length)
	}
	first := s.S.First
	if s.S.Length == 0 {
		first = stream.MaxID
	}
	return first.AppendTo(nil)
}
