package setcmd

import (
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/value"
)

// storeKeys is the specification of a command that makes a set of others.
func storeKeys(dst command.KeyFlags) []command.KeySpec {
	return []command.KeySpec{{Flags: dst, Index: 1, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, LastKey: -1, Step: 1}}
}

// A recipe is how a set is made of others.
type recipe struct {
	combination
	copies bool            // see openDiff
	begins record.Encoding // of the result while it has no members
	sets   []value.Set
}

// make makes an empty set what the recipe says.
func (r *recipe) make(into *value.Set) (err error) {
	switch {
	case r.combination == union:
		return addAll(into, r.sets)
	case r.copies:
		return subtract(into, r.sets)
	}
	var m value.Member
	integers := true
	r.sets[0].Each(func(text []byte, v int64) bool {
		if m.Set(text, v); !r.keeps(&m, 0, r.sets) {
			return true
		}
		if integers {
			_, integers = m.Integer()
		}
		_, err = into.AddMember(text, v)
		return err == nil
	})
	if r.combination == inter && integers && err == nil {
		into.ToIntset()
	}
	return err
}

// store makes a key the set that a recipe makes, and replies with its size. An empty set
// removes the key.
func store(c *command.Ctx, key []byte, r *recipe) error {
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
	s := value.LooseSet(&cell, r.begins, room[:])
	err := r.make(&s)
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
			return err
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
		return err
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
	r := recipe{combination: inter, sets: sets, begins: record.Packed}
	if sets[0].Encoding() == record.Intset {
		r.begins = record.Intset
	}
	return store(c, c.Args[1], &r)
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
	r := recipe{combination: union, sets: distinct(sets), begins: record.Intset}
	return store(c, c.Args[1], &r)
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
	r := recipe{combination: diff, copies: copies, sets: sets, begins: record.Intset}
	return store(c, c.Args[1], &r)
}
