package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "XADD",
	Summary: "Appends a new entry to a stream",
	Since:   "5.0.0",
	Complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries " +
		"evicted.",
	History: [][2]string{
		{"6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."},
		{"7.0.0", "Added support for the `<ms>-*` explicit ID form."},
	},
	Tips: []string{"nondeterministic_output"},
	Syntax: "key [NOMKSTREAM{since 6.2.0}] " + laterRefsSyntax + " [trim={" + trimSyntax + `}] id_or_auto=(auto_id="*"|id) ` +
		"field_value={field value}...",
	Arity: -5,
	Flags: command.Write | command.DenyOOM | command.Fast,
	ACL:   command.CatStream,
	Keys: []command.KeySpec{{Flags: command.RW | command.Update, Index: 1, Step: 1,
		Notes: "UPDATE instead of INSERT because of the optional trimming feature"}},
	Run: xadd,
})

var (
	errZeroID    = &resp.Error{Code: "ERR", Text: "The ID specified in XADD must be greater than 0-0"}
	errExhausted = &resp.Error{Code: "ERR",
		Text: "The stream has exhausted the last possible ID, unable to add more items"}
	errSmallID = &resp.Error{Code: "ERR",
		Text: "The ID specified in XADD is equal or smaller than the target stream top item"}
	errTooLarge = &resp.Error{Code: "ERR", Text: "Elements are too large to be stored"}
)

// An adding is the ID of an entry that is to be added, as XADD was told it.
type adding struct {
	id     stream.ID
	isAuto bool // all of it is to be found
	hasSeq bool
}

func (a *adding) parse(arg []byte) (err error) {
	if a.isAuto = len(arg) == 1 && arg[0] == '*'; !a.isAuto {
		a.id, a.hasSeq, err = newID(arg)
	}
	return err
}

func xadd(c *command.Ctx) error {
	o, err := parseOptions(c.Args, true)
	if err != nil {
		return err
	}
	var a adding
	if o.idAt < len(c.Args) {
		if err := a.parse(c.Args[o.idAt]); err != nil {
			return err
		}
	}
	if err := o.check(true); err != nil {
		return err
	}
	pairs := c.Args[min(o.idAt+1, len(c.Args)):]
	if len(pairs) < 2 || len(pairs)%2 == 1 {
		return resp.WrongArity(c.Name())
	}
	if a.hasSeq && a.id.IsZero() {
		return errZeroID
	}
	return a.add(c, &o, pairs)
}

func (a *adding) add(c *command.Ctx, o *options, pairs [][]byte) error {
	key := c.Args[1]
	var cell value.Cell
	s, ok, err := edit(c, key, &cell)
	isNew := !ok
	switch {
	case err != nil:
		return err
	case isNew && o.noMake:
		c.Out.Null()
		return nil
	case isNew && isTooLarge(pairs):
		return errTooLarge
	case isNew:
		if cell, err = c.DB.Fresh(c.DB.DB, key, record.Stream, keyspace.NoTTL); err != nil {
			return err
		}
		s = value.StreamIn(&cell)
	}
	id, err := a.next(c, s.S.Last)
	if err == nil {
		limits := stream.Limits{
			NodeBytes: int(s.Limits.StreamBytes.Load()), NodeEntries: int(s.Limits.StreamEntries.Load()),
		}
		err = s.S.Append(s.Heap(), limits, id, pairs)
	}
	if err != nil {
		if isNew {
			c.DB.Delete(key)
			c.JournalNothing()
		}
		return addFailed(err)
	}
	if o.trims {
		_, err = o.run(&s)
	}
	if c.Journaling() && (a.isAuto || !a.hasSeq || o.trim.Approx || err != nil) {
		text := c.Args[o.idAt]
		if a.isAuto || !a.hasSeq {
			text = id.AppendTo(nil)
		}
		journalAdd(c, o, &s, err != nil, text)
	}
	edited(c, key, &s, 1)
	writeID(c.Out, id)
	return nil
}

// next is the ID of an entry that follows those up to last.
func (a *adding) next(c *command.Ctx, last stream.ID) (stream.ID, error) {
	next, ok := last.Next()
	switch {
	case !ok:
		return stream.ID{}, errExhausted
	case a.isAuto:
		if now := uint64(max(c.Now, 0)); now > last.Ms {
			return stream.ID{Ms: now}, nil
		}
		return next, nil
	case !a.hasSeq && a.id.Ms == last.Ms:
		if next.Ms != last.Ms {
			return stream.ID{}, errSmallID
		}
		return next, nil
	}
	return a.id, nil
}

// isTooLarge says whether an entry is refused whatever the stream is.
func isTooLarge(pairs [][]byte) bool {
	size := 0
	for _, b := range pairs {
		size += len(b)
	}
	return size > listpack.SizeMax
}

func addFailed(err error) error {
	switch err {
	case stream.ErrOrder:
		return errSmallID
	case stream.ErrTooLarge:
		return errTooLarge
	}
	return err
}

// journalAdd journals an XADD with the ID that the entry has got, and with the trimming
// that was done.
func journalAdd(c *command.Ctx, o *options, s *value.Stream, cut bool, id []byte) {
	if o.trim.Approx || cut {
		journalTrim(c, o, s, cut, id)
		return
	}
	args := append(make([][]byte, 0, len(c.Args)), c.Args...)
	args[o.idAt] = id
	c.JournalAs(args...)
}
