package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/value"
)

var (
	_ = Family.Add(command.Spec{
		Name: "XACK",
		Summary: "Marks a pending message as correctly processed, effectively removing it from the " +
			"pending entries list of the consumer group. Return value of the command is the number of " +
			"messages successfully acknowledged, that is, the IDs we were actually able to resolve in " +
			"the PEL.",
		Since:      "5.0.0",
		Complexity: "O(1) for each message ID processed.",
		Syntax:     "key group id...",
		Arity:      -4,
		Flags:      command.Write | command.Fast,
		ACL:        command.CatStream,
		Keys:       command.OneKey(1, command.RW|command.Update),
		Run:        xack,
	})
	_ = Family.Add(command.Spec{
		Name:       "XACKDEL",
		Summary:    "Acknowledges and deletes one or multiple messages for a stream consumer group.",
		Since:      "8.2.0",
		Complexity: "O(1) for each message ID processed.",
		Syntax:     "key group " + refsSyntax + " IDS=ids={numids:integer id...}",
		Arity:      -6,
		Flags:      command.Write | command.Fast,
		ACL:        command.CatStream,
		Keys:       command.OneKey(1, command.RW|command.Delete),
		Run:        xackdel,
	})
)

// editGroup is a group of a key's stream, to be changed.
func editGroup(c *command.Ctx, cell *value.Cell) (s value.Stream, g stream.Group, ok bool, err error) {
	s, ok, err = edit(c, c.Args[1], cell)
	if ok {
		g, ok = s.S.Group(s.Arena, c.Args[2])
	}
	return s, g, ok, err
}

func xack(c *command.Ctx) error {
	var cell value.Cell
	s, g, ok, err := editGroup(c, &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		c.Out.Int(0)
		return nil
	}
	if err := checkIDs(c.Args, 3); err != nil {
		return err
	}
	acked := 0
	for i, arg := range c.Args[3:] {
		id, _ := idOf(arg, 0)
		was, failure := g.Ack(s.Heap(), id)
		if failure != nil {
			c.JournalAs(c.Args[:3+i]...)
			err = failure
			break
		}
		if was {
			acked++
		}
	}
	if acked == 0 {
		c.JournalNothing()
	}
	edited(c, c.Args[1], &s, acked)
	if err == nil {
		c.Out.Int(int64(acked))
	}
	return err
}

// xackdel deletes only what the group has acknowledged by this call.
func xackdel(c *command.Ctx) error {
	refs, ids, err := parseIDs(c.Args, 3)
	if err != nil {
		return err
	}
	var cell value.Cell
	s, g, ok, err := editGroup(c, &cell)
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
		was, err := g.Ack(s.Heap(), id)
		says := int64(saysNone)
		if err == nil && was {
			changes++
			says, err = ackDelete(&s, id, refs)
			g, _ = s.S.Group(s.Arena, c.Args[2]) // it may have dropped references
		}
		if err != nil {
			journalSome(c, refs, ids[:i])
			edited(c, c.Args[1], &s, changes)
			return err
		}
		c.Out.Int(says)
	}
	edited(c, c.Args[1], &s, changes)
	return nil
}

// ackDelete deletes an entry that was acknowledged. If it is gone already, that is as good
// as if it had been deleted now.
func ackDelete(s *value.Stream, id stream.ID, refs stream.Refs) (says int64, err error) {
	o, _, err := deleteEntry(s, id, refs)
	if o == stream.Referenced {
		return saysKept, err
	}
	return saysGone, err
}

// journalSome journals an XDELEX or XACKDEL that did not come to its end with the IDs that
// it came to.
func journalSome(c *command.Ctx, refs stream.Refs, ids [][]byte) {
	if len(ids) == 0 {
		c.JournalNothing()
		return
	}
	head := 2
	if c.Spec.Name == "XACKDEL" {
		head = 3
	}
	args := append(make([][]byte, 0, len(c.Args)), c.Args[:head]...)
	args = append(args, refWords[refs], wordIDs, numtext.AppendInt(nil, int64(len(ids))))
	c.JournalAs(append(args, ids...)...)
}
