package setcmd

import (
	"math"
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// marks is how many members are looked at before the reply begins, so that its length is
// known. With more of them it gets its length afterwards, which takes memory.
const marks = 1024

// A combination is what makes a result of the members of sets.
type combination uint8

const (
	inter combination = iota // of the first set, what all others have
	union                    // of each set, what those before it do not have
	diff                     // of the first set, what none of the others has
)

// keeps says whether a member of set i, which is 0 except in a union, is in the result.
func (k combination) keeps(m *value.Member, i int, sets []value.Set) bool {
	switch k {
	case inter:
		return inAll(m, &sets[0], sets[1:])
	case union:
		return !inAny(m, sets[:i])
	}
	return !inAny(m, sets[1:])
}

// choose replies with a combination of sets.
func choose(c *command.Ctx, k combination, all []value.Set) {
	sets := all[:1]
	if k == union {
		sets = all
	}
	var m value.Member
	if total(sets) > marks {
		list, n := c.Out.SetLater(), 0
		for i := range sets {
			sets[i].Each(func(text []byte, v int64) bool {
				if m.Set(text, v); k.keeps(&m, i, all) {
					c.Out.Element(text, v)
					n++
				}
				return true
			})
		}
		c.Out.End(list, n)
		return
	}
	var wanted [marks / 64]uint64
	n, at := 0, 0
	for i := range sets {
		sets[i].Each(func(text []byte, v int64) bool {
			if m.Set(text, v); k.keeps(&m, i, all) {
				wanted[at/64] |= 1 << (at % 64)
				n++
			}
			at++
			return true
		})
	}
	c.Out.Set(n)
	at = 0
	for i := range sets {
		sets[i].Each(func(text []byte, v int64) bool {
			if wanted[at/64]&(1<<(at%64)) != 0 {
				c.Out.Element(text, v)
			}
			at++
			return true
		})
	}
}

// all replies with all members of a set.
func all(c *command.Ctx, s *value.Set) {
	c.Out.Set(s.Len())
	each(c, s)
}

// each writes all members of a set.
func each(c *command.Ctx, s *value.Set) {
	s.Each(func(text []byte, v int64) bool {
		c.Out.Element(text, v)
		return true
	})
}

var _ = Family.Add(command.Spec{
	Name:    "SINTER",
	Summary: "Intersect multiple sets",
	Since:   "1.0.0",
	Complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of " +
		"sets.",
	Tips:   []string{"nondeterministic_output_order"},
	Syntax: "key...",
	Arity:  -2,
	Flags:  command.ReadOnly,
	ACL:    command.CatSet,
	Keys:   command.KeyRange(1, -1, 1, command.RO|command.Access),
	Run:    sinter,
})

// sinter looks for the members of the smallest set in the others, of which the smaller ones
// come first.
func sinter(c *command.Ctx) error {
	var room [fewSets]value.Set
	sets, missing, err := openAll(c, c.Args[1:], room[:0])
	if err != nil {
		return err
	}
	if missing > 0 {
		c.Out.Set(0)
		return nil
	}
	slices.SortStableFunc(sets, smallest)
	if sets = distinct(sets); len(sets) == 1 {
		all(c, &sets[0])
		return nil
	}
	choose(c, inter, sets)
	return nil
}

var (
	errManyKeys = resp.Errorf("Number of keys can't be greater than number of args")
	errLimit    = resp.Errorf("LIMIT can't be negative")
)

var _ = Family.Add(command.Spec{
	Name:    "SINTERCARD",
	Summary: "Intersect multiple sets and return the cardinality of the result",
	Since:   "7.0.0",
	Complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of " +
		"sets.",
	Syntax: "numkeys:integer key... [LIMIT=limit:integer]",
	Arity:  -3,
	Flags:  command.ReadOnly | command.MovableKeys,
	ACL:    command.CatSet,
	Keys:   command.NumKeys(1, command.RO|command.Access),
	Run:    sintercard,
})

func sintercard(c *command.Ctx) error {
	keys, limit, err := cardOptions(c.Args)
	if err != nil {
		return err
	}
	var room [fewSets]value.Set
	sets, missing, err := openAll(c, keys, room[:0])
	if err != nil {
		return err
	}
	if missing > 0 {
		c.Out.Int(0)
		return nil
	}
	slices.SortStableFunc(sets, smallest)
	if sets = distinct(sets); len(sets) == 1 {
		c.Out.Int(min(int64(sets[0].Len()), limit))
		return nil
	}
	var m value.Member
	n := int64(0)
	sets[0].Each(func(text []byte, v int64) bool {
		if m.Set(text, v); inAll(&m, &sets[0], sets[1:]) {
			n++
		}
		return n < limit
	})
	c.Out.Int(n)
	return nil
}

// cardOptions are the keys of SINTERCARD, and how far it counts.
func cardOptions(args command.Args) (keys [][]byte, limit int64, err error) {
	n, ok := numtext.ParseInt(args[1])
	if !ok || n < 1 {
		return nil, 0, resp.ErrNumKeys
	}
	if n > int64(len(args)-2) {
		return nil, 0, errManyKeys
	}
	keys = args[2 : 2+n]
	for i := 2 + int(n); i < len(args); i += 2 {
		if !args.Is(i, "LIMIT") || i+1 == len(args) {
			return nil, 0, resp.ErrSyntax
		}
		if limit, ok = numtext.ParseInt(args[i+1]); !ok || limit < 0 {
			return nil, 0, errLimit
		}
	}
	if limit == 0 { // which is what no limit is
		limit = math.MaxInt64
	}
	return keys, limit, nil
}

var _ = Family.Add(command.Spec{
	Name:       "SUNION",
	Summary:    "Add multiple sets",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the total number of elements in all given sets.",
	Tips:       []string{"nondeterministic_output_order"},
	Syntax:     "key...",
	Arity:      -2,
	Flags:      command.ReadOnly,
	ACL:        command.CatSet,
	Keys:       command.KeyRange(1, -1, 1, command.RO|command.Access),
	Run:        sunion,
})

// gatherAt is how many times a member may have to be looked for, on average, before it is
// cheaper to gather the members of a union.
const gatherAt = 3

// sunion writes of every set the members that the sets before it do not have, beginning with
// the largest, of which none has to be looked for.
func sunion(c *command.Ctx) error {
	var room [fewSets]value.Set
	sets, _, err := openAll(c, c.Args[1:], room[:0])
	if err != nil {
		return err
	}
	slices.SortStableFunc(sets, largest)
	sets = distinct(sets)
	switch {
	case len(sets) == 0:
		c.Out.Set(0)
		return nil
	case len(sets) == 1:
		all(c, &sets[0])
		return nil
	}
	searches := 0
	for i := range sets {
		searches += i * sets[i].Len()
	}
	if searches > gatherAt*total(sets) {
		return gather(c, union, sets)
	}
	choose(c, union, sets)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SDIFF",
	Summary:    "Subtract multiple sets",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the total number of elements in all given sets.",
	Tips:       []string{"nondeterministic_output_order"},
	Syntax:     "key...",
	Arity:      -2,
	Flags:      command.ReadOnly,
	ACL:        command.CatSet,
	Keys:       command.KeyRange(1, -1, 1, command.RO|command.Access),
	Run:        sdiff,
})

func sdiff(c *command.Ctx) error {
	var room [fewSets]value.Set
	sets, copies, err := openDiff(c, c.Args[1:], room[:0])
	if err != nil {
		return err
	}
	switch {
	case len(sets) == 0:
		c.Out.Set(0)
	case len(sets) == 1:
		all(c, &sets[0])
	case copies:
		return gather(c, diff, sets)
	default:
		choose(c, diff, sets)
	}
	return nil
}

// openDiff is openAll for a difference: it has no sets if nothing can be left of the first.
// The others come in descending order of their sizes, as the larger are likelier to have a
// member.
//
// There are two ways to make a difference, between which it chooses as Redis does: to look
// for each member of the first set in all others, or, if copies, to take the members of
// all others out of a copy of the first. The first way has an advantage, for it often ends
// early. Which it is may decide the encoding of what is stored.
func openDiff(c *command.Ctx, keys [][]byte, dst []value.Set) (sets []value.Set, copies bool, err error) {
	sets, missing, err := openAll(c, keys[:1], dst)
	if err != nil {
		return nil, false, err
	}
	if sets, _, err = openAll(c, keys[1:], sets); err != nil || missing > 0 {
		return nil, false, err
	}
	if isAmong(&sets[0], sets[1:]) {
		return nil, false, nil
	}
	copies = len(sets)*sets[0].Len()/2 > total(sets)
	slices.SortStableFunc(sets[1:], largest)
	return sets[:1+len(distinct(sets[1:]))], copies, nil
}

func subtract(into *value.Set, sets []value.Set) error {
	if err := addAll(into, sets[:1]); err != nil {
		return err
	}
	for i := 1; i < len(sets) && into.Len() > 0; i++ {
		var err error
		sets[i].Each(func(text []byte, v int64) bool {
			_, err = into.RemoveMember(text, v)
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func addAll(into *value.Set, sets []value.Set) (err error) {
	for i := range sets {
		sets[i].Each(func(text []byte, v int64) bool {
			_, err = into.AddMember(text, v)
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// looseRoom is the size in bytes that a result begins with. It is on the heap: members of it
// are given to the function that hashes.
const looseRoom = 512

// gather replies with a combination that is made in the arena of the first of its sets; a
// difference by taking members out of a copy.
func gather(c *command.Ctx, k combination, sets []value.Set) (err error) {
	var room [looseRoom]byte
	s := value.LooseSet(&sets[0].Cell, record.Intset, room[:])
	if k == union {
		err = addAll(&s, sets)
	} else {
		err = subtract(&s, sets)
	}
	if err == nil {
		all(c, &s)
	}
	s.Free()
	return err
}
