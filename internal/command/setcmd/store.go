package setcmd

import (
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// storeKeys is the specification of a command that makes a set of others.
func storeKeys(dst command.KeyFlags) []command.KeySpec {
	return []command.KeySpec{{Flags: dst, Index: 1, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, LastKey: -1, Step: 1}}
}

// store makes a key the set that fill makes, which begins in an encoding, and replies with
// its size. An empty set removes the key.
func store(c *command.Ctx, key []byte, e record.Encoding, fill func(*value.Set) error) error {
	old, there := c.DB.Peek(key)
	var cell value.Cell // in the arena that the key belongs to
	if there {
		cell = old.Cell()
	} else {
		var err error
		if cell, err = c.DB.Fresh(c.DB.DB, key, record.Set, keyspace.NoTTL); err != nil {
			return err
		}
	}
	var room [looseRoom]byte
	s := value.LooseSet(&cell, e, room[:])
	err := fill(&s)
	n := s.Len()
	if err != nil || n == 0 {
		s.Free()
		switch {
		case !there:
			c.DB.Edited(key, &cell, 0) // removes it, since it is empty
		case err == nil:
			c.DB.Delete(key)
		}
		if err != nil {
			return resp.ErrOOM
		}
		c.Out.Int(0)
		return nil
	}
	if there { // from here on the sources may be gone
		if cell, err = c.DB.Fresh(c.DB.DB, key, record.Set, keyspace.NoTTL); err != nil {
			s.Free()
			return err
		}
	}
	if err = s.MoveTo(&cell); err != nil {
		s.Free()
		if there && c.Journaling() {
			c.JournalAs(wordDel, key)
		}
		c.DB.Edited(key, &cell, oneIf(there))
		return resp.ErrOOM
	}
	c.DB.Edited(key, &cell, 1)
	c.Out.Int(int64(n))
	return nil
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// storeNothing is store for a result that is known to be empty.
func storeNothing(c *command.Ctx, key []byte) error {
	c.DB.Delete(key)
	c.Out.Int(0)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:    "SINTERSTORE",
	Summary: "Intersect multiple sets and store the resulting set in a key",
	Since:   "1.0.0",
	Complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of " +
		"sets.",
	Syntax: "destination:key key@1...",
	Arity:  -3,
	Flags:  command.Write | command.DenyOOM,
	ACL:    command.CatSet,
	Keys:   storeKeys(command.RW | command.Update),
	Run:    sinterstore,
})

// sinterstore begins with the encoding of the smallest set. A result of integers becomes an
// intset in the end.
func sinterstore(c *command.Ctx) error {
	var room [fewSets]value.Set
	sets, missing, err := openAll(c, c.Args[2:], room[:0])
	if err != nil {
		return err
	}
	if missing > 0 {
		return storeNothing(c, c.Args[1])
	}
	slices.SortStableFunc(sets, smallest)
	sets = distinct(sets)
	e := record.Packed
	if sets[0].Encoding() == record.Intset {
		e = record.Intset
	}
	return store(c, c.Args[1], e, func(into *value.Set) (err error) {
		var m value.Member
		integers := true
		sets[0].Each(func(text []byte, v int64) bool {
			if m.Set(text, v); !inAll(&m, &sets[0], sets[1:]) {
				return true
			}
			if integers {
				_, integers = m.Integer()
			}
			_, err = into.AddMember(text, v)
			return err == nil
		})
		if integers && err == nil {
			into.ToIntset()
		}
		return err
	})
}

var _ = Family.Add(command.Spec{
	Name:       "SUNIONSTORE",
	Summary:    "Add multiple sets and store the resulting set in a key",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the total number of elements in all given sets.",
	Syntax:     "destination:key key@1...",
	Arity:      -3,
	Flags:      command.Write | command.DenyOOM,
	ACL:        command.CatSet,
	Keys:       storeKeys(command.OW | command.Update),
	Run:        sunionstore,
})

// sunionstore adds the sets in the order of their keys, since the encoding of the result may
// depend on it.
func sunionstore(c *command.Ctx) error {
	var room [fewSets]value.Set
	sets, _, err := openAll(c, c.Args[2:], room[:0])
	if err != nil {
		return err
	}
	if len(sets) == 0 {
		return storeNothing(c, c.Args[1])
	}
	sets = distinct(sets)
	return store(c, c.Args[1], record.Intset, func(into *value.Set) error { return addAll(into, sets) })
}

var _ = Family.Add(command.Spec{
	Name:       "SDIFFSTORE",
	Summary:    "Subtract multiple sets and store the resulting set in a key",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the total number of elements in all given sets.",
	Syntax:     "destination:key key@1...",
	Arity:      -3,
	Flags:      command.Write | command.DenyOOM,
	ACL:        command.CatSet,
	Keys:       storeKeys(command.OW | command.Update),
	Run:        sdiffstore,
})

func sdiffstore(c *command.Ctx) error {
	var room [fewSets]value.Set
	sets, copies, err := openDiff(c, c.Args[2:], room[:0])
	if err != nil {
		return err
	}
	if len(sets) == 0 {
		return storeNothing(c, c.Args[1])
	}
	return store(c, c.Args[1], record.Intset, func(into *value.Set) (err error) {
		if copies {
			return subtract(into, sets)
		}
		var m value.Member
		sets[0].Each(func(text []byte, v int64) bool {
			if m.Set(text, v); !inAny(&m, sets[1:]) {
				_, err = into.AddMember(text, v)
			}
			return err == nil
		})
		return err
	})
}
