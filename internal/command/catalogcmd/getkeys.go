package catalogcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

// In Redis 7.0 neither documents its arguments, and both want at least one behind the
// name of the command that is asked about.
var getKeysSpec = command.Spec{
	Name:       "GETKEYS",
	Summary:    "Extract keys given a full Redis command",
	Since:      "2.8.13",
	Complexity: "O(N) where N is the number of arguments to the command",
	Arity:      -4,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
}

var getKeysAndFlagsSpec = command.Spec{
	Name:       "GETKEYSANDFLAGS",
	Summary:    "Extract keys and access flags given a full Redis command",
	Since:      "7.0.0",
	Complexity: "O(N) where N is the number of arguments to the command",
	Arity:      -4,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
}

var errNoCommand = &resp.Error{Code: "ERR", Text: "Invalid command specified"}

func (d Deps) getKeys(c *command.Ctx) error {
	call := c.Args[2:]
	refs, err := d.keysOf(call)
	if err != nil {
		return err
	}
	c.Out.Array(len(refs))
	for _, ref := range refs {
		c.Out.Bulk(call[ref.Index])
	}
	return nil
}

func (d Deps) getKeysAndFlags(c *command.Ctx) error {
	call := c.Args[2:]
	refs, err := d.keysOf(call)
	if err != nil {
		return err
	}
	c.Out.Array(len(refs))
	for _, ref := range refs {
		c.Out.Array(2)
		c.Out.Bulk(call[ref.Index])
		writeStatuses(c.Out, "", ref.Flags.Names())
	}
	return nil
}

// keysOf finds the keys of a call that need not be one that would work. A call that has
// none is refused unless its command may do without: EVAL may.
func (d Deps) keysOf(call command.Args) ([]command.KeyRef, error) {
	s := d.Table().Find(call[0])
	if s != nil && len(s.Subs) > 0 {
		s = s.Sub(call[1])
	}
	switch {
	case s == nil:
		return nil, errNoCommand
	case !hasKeys(s):
		return nil, command.ErrNoKeys
	case !s.ArityOK(len(call)):
		return nil, command.ErrArity
	}
	refs, err := s.FindKeyRefs(nil, call)
	switch {
	case err == nil && len(refs) > 0:
		return refs, nil
	case s.Has(command.NoMandatoryKeys):
		return nil, nil
	}
	return nil, command.ErrBadKeys
}

// hasKeys says whether a call can have keys; shard channels are described like keys and
// are none.
func hasKeys(s *command.Spec) bool {
	if s.FindKeys != nil {
		return true
	}
	for i := range s.Keys {
		if s.Keys[i].Flags&command.NotKey == 0 {
			return true
		}
	}
	return false
}
