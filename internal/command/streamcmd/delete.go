package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	_ = Family.Add(command.Spec{
		Name: "XDEL",
		Summary: "Removes the specified entries from the stream. Returns the number of items actually " +
			"deleted, that may be different from the number of IDs passed in case certain IDs do not " +
			"exist.",
		Since:      "5.0.0",
		Complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
		Syntax:     "key id...",
		Arity:      -3,
		Flags:      command.Write | command.Fast,
		ACL:        command.CatStream,
		Keys:       command.OneKey(1, command.RW|command.Delete),
		Run:        xdel,
	})
	_ = Family.Add(command.Spec{
		Name:       "XDELEX",
		Summary:    "Deletes one or multiple entries from the stream.",
		Since:      "8.2.0",
		Complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
		Syntax:     "key " + refsSyntax + " IDS=ids={numids:integer id...}",
		Arity:      -5,
		Flags:      command.Write | command.Fast,
		ACL:        command.CatStream,
		Keys:       command.OneKey(1, command.RW|command.Delete),
		Run:        xdelex,
	})
)

const refsSyntax = "[condition=(KEEPREF|DELREF|ACKED)]"

func xdel(c *command.Ctx) error {
	key := c.Args[1]
	var cell value.Cell
	s, ok, err := edit(c, key, &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		c.Out.Int(0)
		return nil
	}
	if err := checkIDs(c.Args, 2); err != nil {
		return err
	}
	deleted := 0
	for i, arg := range c.Args[2:] {
		id, _ := idOf(arg, 0)
		outcome, failure := s.S.Delete(s.Heap(), id, stream.KeepRef)
		if failure != nil {
			c.JournalAs(c.Args[:2+i]...)
			err = failure
			break
		}
		if outcome == stream.Deleted {
			deleted++
		}
	}
	if deleted == 0 {
		c.JournalNothing()
	}
	edited(c, key, &s, deleted)
	if err == nil {
		c.Out.Int(int64(deleted))
	}
	return err
}

// The figures by which XDELEX and XACKDEL say what became of an ID.
const (
	saysNone = -1 // it is not there
	saysGone = 1
	saysKept = 2 // since a group refers to it
)

func saysOutcome(o stream.Outcome) int64 {
	switch o {
	case stream.Deleted:
		return saysGone
	case stream.Referenced:
		return saysKept
	}
	return saysNone
}

var (
	errNumIDs   = &resp.Error{Code: "ERR", Text: "Number of IDs must be a positive integer"}
	errMatchIDs = &resp.Error{Code: "ERR", Text: "The `numids` parameter must match the number of arguments"}
)

// parseIDs reads the options of XDELEX and XACKDEL from an argument on: what is to become
// of references, and the IDs.
func parseIDs(args command.Args, from int) (refs stream.Refs, ids [][]byte, err error) {
	for i := from; i < len(args); i++ {
		switch {
		case parseRefs(args, i, &refs):
		case args.Is(i, "IDS") && i+1 < len(args) && ids == nil:
			n, err := args.Int(i + 1)
			if err != nil || n <= 0 {
				return refs, nil, errNumIDs
			}
			if n > int64(len(args)-i-2) {
				return refs, nil, errMatchIDs
			}
			i += 1 + int(n)
			ids = args[i+1-int(n) : i+1]
		default:
			return refs, nil, resp.ErrSyntax
		}
	}
	if ids == nil {
		return refs, nil, resp.ErrSyntax
	}
	return refs, ids, checkIDs(ids, 0)
}

// writeNone replies that none of so many IDs is there.
func writeNone(c *command.Ctx, n int) {
	c.Out.Array(n)
	for range n {
		c.Out.Int(saysNone)
	}
}

func xdelex(c *command.Ctx) error {
	refs, ids, err := parseIDs(c.Args, 2)
	if err != nil {
		return err
	}
	key := c.Args[1]
	var cell value.Cell
	s, ok, err := edit(c, key, &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		writeNone(c, len(ids))
		return nil
	}
	c.Out.Array(len(ids))
	changes := 0
	for i, arg := range ids {
		id, _ := idOf(arg, 0)
		outcome, dropped, err := deleteEntry(&s, id, refs)
		if err != nil {
			journalSome(c, refs, ids[:i])
			edited(c, key, &s, changes)
			return err
		}
		if outcome == stream.Deleted || dropped > 0 {
			changes++
		}
		c.Out.Int(saysOutcome(outcome))
	}
	edited(c, key, &s, changes)
	return nil
}

// deleteEntry deletes an entry. If all references to it are to go, they do even if the
// entry is gone already; it returns how many of these there were.
func deleteEntry(s *value.Stream, id stream.ID, refs stream.Refs) (o stream.Outcome, dropped int, err error) {
	if o, err = s.S.Delete(s.Heap(), id, refs); err == nil && o == stream.NotFound && refs == stream.DelRef {
		dropped, err = s.S.DropReferences(s.Heap(), id)
	}
	return o, dropped, err
}

var (
	wordIDs  = []byte("IDS")
	refWords = [...][]byte{
		stream.KeepRef: []byte("KEEPREF"), stream.DelRef: []byte("DELREF"), stream.Acked: []byte("ACKED"),
	}
)
