package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "XSETID",
	Summary:    "An internal command for replicating stream values",
	Since:      "5.0.0",
	Complexity: "O(1)",
	History:    [][2]string{{"7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments."}},
	Syntax: "key last-id [ENTRIESADDED=entries_added:integer{since 7.0.0}] " +
		"[MAXDELETEDID=max_deleted_entry_id{since 7.0.0}]",
	Arity: -3,
	Flags: command.Write | command.DenyOOM | command.Fast,
	ACL:   command.CatStream,
	Keys:  command.OneKey(1, command.RW|command.Update),
	Run:   xsetid,
})

var (
	errAdded      = &resp.Error{Code: "ERR", Text: "entries_added must be positive"}
	errBelowGiven = &resp.Error{Code: "ERR",
		Text: "The ID specified in XSETID is smaller than the provided max_deleted_entry_id"}
	errBelowDeleted = &resp.Error{Code: "ERR",
		Text: "The ID specified in XSETID is smaller than current max_deleted_entry_id"}
	errBelowTop = &resp.Error{Code: "ERR",
		Text: "The ID specified in XSETID is smaller than the target stream top item"}
	errAddedTooSmall = &resp.Error{Code: "ERR",
		Text: "The entries_added specified in XSETID is smaller than the target stream length"}
)

func xsetid(c *command.Ctx) error {
	id, err := idOf(c.Args[2], 0)
	if err != nil {
		return err
	}
	added, deleted := int64(-1), stream.ID{}
	for i := 3; i < len(c.Args); i += 2 {
		more := i+1 < len(c.Args)
		switch {
		case more && c.Args.Is(i, "ENTRIESADDED"):
			if added, err = c.Args.Int(i + 1); err == nil && added < 0 {
				err = errAdded
			}
		case more && c.Args.Is(i, "MAXDELETEDID"):
			if deleted, err = idOf(c.Args[i+1], 0); err == nil && id.Less(deleted) {
				err = errBelowGiven
			}
		default:
			err = resp.ErrSyntax
		}
		if err != nil {
			return err
		}
	}
	var cell value.Cell
	s, ok, err := edit(c, c.Args[1], &cell)
	switch {
	case err != nil:
		return err
	case !ok:
		return resp.ErrNoKey
	case id.Less(s.S.MaxDeleted):
		return errBelowDeleted
	case s.S.Length > 0 && id.Less(s.S.LastLive(s.Arena)):
		return errBelowTop
	case added >= 0 && s.S.Length > uint64(added):
		return errAddedTooSmall
	}
	s.S.Last = id
	if added >= 0 {
		s.S.Added = uint64(added)
	}
	if !deleted.IsZero() {
		s.S.MaxDeleted = deleted
	}
	edited(c, c.Args[1], &s, 1)
	c.Out.OK()
	return nil
}
