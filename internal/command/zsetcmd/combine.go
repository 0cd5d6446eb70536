package zsetcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	errWeight = resp.Errorf("weight value is not a float")
	errLimit  = resp.Errorf("LIMIT can't be negative")
)

var _ = Family.Add(command.Spec{
	Name:    "ZUNION",
	Summary: "Add multiple sorted sets",
	Since:   "6.2.0",
	Complexity: "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being" +
		" the number of elements in the resulting sorted set.",
	Syntax: "numkeys:integer key... [WEIGHTS=weight:integer...] [aggregate=AGGREGATE=(SUM|MIN|MAX)] " +
		"[WITHSCORES]",
	Arity: -3,
	Flags: command.ReadOnly | command.MovableKeys,
	ACL:   command.CatSortedSet,
	Keys:  command.NumKeys(1, command.RO|command.Access),
	Run:   zunion,
})

func zunion(c *command.Ctx) error { return showCombined(c, union) }

var _ = Family.Add(command.Spec{
	Name:    "ZINTER",
	Summary: "Intersect multiple sorted sets",
	Since:   "6.2.0",
	Complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the " +
		"number of input sorted sets and M being the number of elements in the resulting sorted " +
		"set.",
	Syntax: "numkeys:integer key... [WEIGHTS=weight:integer...] [aggregate=AGGREGATE=(SUM|MIN|MAX)] " +
		"[WITHSCORES]",
	Arity: -3,
	Flags: command.ReadOnly | command.MovableKeys,
	ACL:   command.CatSortedSet,
	Keys:  command.NumKeys(1, command.RO|command.Access),
	Run:   zinter,
})

func zinter(c *command.Ctx) error { return showCombined(c, intersection) }

var _ = Family.Add(command.Spec{
	Name:    "ZDIFF",
	Summary: "Subtract multiple sorted sets",
	Since:   "6.2.0",
	Complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N" +
		" is the size of the first set, and K is the size of the result set.",
	Syntax: "numkeys:integer key... [WITHSCORES]",
	Arity:  -3,
	Flags:  command.ReadOnly | command.MovableKeys,
	ACL:    command.CatSortedSet,
	Keys:   command.NumKeys(1, command.RO|command.Access),
	Run:    zdiff,
})

func zdiff(c *command.Ctx) error { return showCombined(c, difference) }

var _ = Family.Add(command.Spec{
	Name:    "ZUNIONSTORE",
	Summary: "Add multiple sorted sets and store the resulting sorted set in a new key",
	Since:   "2.0.0",
	Complexity: "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being" +
		" the number of elements in the resulting sorted set.",
	Syntax: "destination:key numkeys:integer key@1... [WEIGHTS=weight:integer...] " +
		"[aggregate=AGGREGATE=(SUM|MIN|MAX)]",
	Arity: -4,
	Flags: command.Write | command.DenyOOM | command.MovableKeys,
	ACL:   command.CatSortedSet,
	Keys: []command.KeySpec{
		{Flags: command.OW | command.Update, Index: 1, LastKey: 0, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, KeyNum: true, FirstKey: 1, Step: 1},
	},
	FindKeys: storeKeys,
	Run:      zunionstore,
})

func zunionstore(c *command.Ctx) error { return storeCombined(c, union) }

var _ = Family.Add(command.Spec{
	Name:    "ZINTERSTORE",
	Summary: "Intersect multiple sorted sets and store the resulting sorted set in a new key",
	Since:   "2.0.0",
	Complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the " +
		"number of input sorted sets and M being the number of elements in the resulting sorted " +
		"set.",
	Syntax: "destination:key numkeys:integer key@1... [WEIGHTS=weight:integer...] " +
		"[aggregate=AGGREGATE=(SUM|MIN|MAX)]",
	Arity: -4,
	Flags: command.Write | command.DenyOOM | command.MovableKeys,
	ACL:   command.CatSortedSet,
	Keys: []command.KeySpec{
		{Flags: command.OW | command.Update, Index: 1, LastKey: 0, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, KeyNum: true, FirstKey: 1, Step: 1},
	},
	FindKeys: storeKeys,
	Run:      zinterstore,
})

func zinterstore(c *command.Ctx) error { return storeCombined(c, intersection) }

var _ = Family.Add(command.Spec{
	Name:    "ZDIFFSTORE",
	Summary: "Subtract multiple sorted sets and store the resulting sorted set in a new key",
	Since:   "6.2.0",
	Complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N" +
		" is the size of the first set, and K is the size of the result set.",
	Syntax: "destination:key numkeys:integer key@1...",
	Arity:  -4,
	Flags:  command.Write | command.DenyOOM | command.MovableKeys,
	ACL:    command.CatSortedSet,
	Keys: []command.KeySpec{
		{Flags: command.OW | command.Update, Index: 1, LastKey: 0, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, KeyNum: true, FirstKey: 1, Step: 1},
	},
	FindKeys: storeKeys,
	Run:      zdiffstore,
})

func zdiffstore(c *command.Ctx) error { return storeCombined(c, difference) }

var _ = Family.Add(command.Spec{
	Name:    "ZINTERCARD",
	Summary: "Intersect multiple sorted sets and return the cardinality of the result",
	Since:   "7.0.0",
	Complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the number of " +
		"input sorted sets.",
	Syntax: "numkeys:integer key... [LIMIT=limit:integer]",
	Arity:  -3,
	Flags:  command.ReadOnly | command.MovableKeys,
	ACL:    command.CatSortedSet,
	Keys:   command.NumKeys(1, command.RO|command.Access),
	Run:    zintercard,
})

func zintercard(c *command.Ctx) error {
	m := combination{op: intersection, limit: math.MaxInt}
	if err := m.read(c, 1, options{limit: true}); err != nil {
		return err
	}
	n := 0
	m.intersect(func(*entry) bool {
		n++
		return n < m.limit
	})
	c.Out.Int(int64(n))
	return nil
}

func showCombined(c *command.Ctx, op operation) error {
	m := combination{op: op}
	if err := m.read(c, 1, options{weights: op != difference, scores: true}); err != nil {
		return err
	}
	result := m.run()
	list := listMembers(c.Out, len(result), m.scores)
	for i := range result {
		list.add(result[i].member, 0, result[i].score)
	}
	return nil
}

// storeCombined makes a set of the result. The set that it replaces may be one of those
// that it is made of.
func storeCombined(c *command.Ctx, op operation) error {
	m := combination{op: op}
	if err := m.read(c, 2, options{weights: op != difference}); err != nil {
		return err
	}
	result := m.run()
	n, err := c.DB.Replace(c.Args[1], record.ZSet, keyspace.NoTTL, func(cell *value.Cell) error {
		z := value.ZSetOf(cell)
		for i := range result {
			if _, _, err := z.Put(result[i].member, result[i].score, value.ZNX); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Out.Int(int64(n))
	return nil
}

// storeKeys finds the keys of a command that stores. As in Redis, if there are none to
// make something of, then the destination is none either.
func storeKeys(args command.Args) ([]command.KeyRef, error) {
	n, ok := numtext.ParseInt(args[2])
	if !ok || n < 1 || n > int64(len(args)-3) {
		return nil, command.ErrBadKeys
	}
	refs := []command.KeyRef{{Index: 1, Flags: command.OW | command.Update}}
	for i := range int(n) {
		refs = append(refs, command.KeyRef{Index: 3 + i, Flags: command.RO | command.Access})
	}
	return refs, nil
}

// options say which options a command has.
type options struct {
	weights bool // and AGGREGATE
	scores  bool
	limit   bool
}

// read reads the arguments from the number of keys on, and finds the keys.
func (m *combination) read(c *command.Ctx, i int, o options) error {
	args := c.Args
	n, err := args.Int(i)
	if err != nil {
		return err
	}
	if n < 1 {
		return resp.Errorf("at least 1 input key is needed for '" + c.Name() + "' command")
	}
	if n > int64(len(args)-i-1) {
		return resp.ErrSyntax
	}
	keys := args[i+1 : i+1+int(n)]
	if err := m.open(c, keys); err != nil {
		return err
	}
	for rest := args[i+1+int(n):]; len(rest) > 0; {
		used := 0
		switch {
		case o.weights && len(rest) > len(keys) && rest.Is(0, "WEIGHTS"):
			used = 1 + len(keys)
			for j := range m.sources {
				var ok bool
				if m.sources[j].weight, ok = numtext.ParseFloat(rest[1+j]); !ok {
					return errWeight
				}
			}
		case o.weights && len(rest) >= 2 && rest.Is(0, "AGGREGATE"):
			used = 2
			if !m.readAggregate(rest) {
				return resp.ErrSyntax
			}
		case o.scores && rest.Is(0, "WITHSCORES"):
			used = 1
			m.scores = true
		case o.limit && len(rest) >= 2 && rest.Is(0, "LIMIT"):
			used = 2
			limit, ok := numtext.ParseInt(rest[1])
			if !ok || limit < 0 {
				return errLimit
			}
			if m.limit = int(limit); limit == 0 {
				m.limit = math.MaxInt
			}
		default:
			return resp.ErrSyntax
		}
		rest = rest[used:]
	}
	return nil
}

func (m *combination) readAggregate(rest command.Args) bool {
	switch {
	case rest.Is(1, "SUM"):
		m.aggregate = sum
	case rest.Is(1, "MIN"):
		m.aggregate = least
	case rest.Is(1, "MAX"):
		m.aggregate = most
	default:
		return false
	}
	return true
}
