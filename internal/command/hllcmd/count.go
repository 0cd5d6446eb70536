package hllcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/hll"
)

var _ = Family.Add(command.Spec{
	Name:    "PFCOUNT",
	Summary: "Return the approximated cardinality of the set(s) observed by the HyperLogLog at key(s).",
	Since:   "2.8.9",
	Complexity: "O(1) with a very small average constant time when called with a single key. O(N) with N " +
		"being the number of keys, and much bigger constant times, when called with multiple keys.",
	Syntax: "key...",
	Arity:  -2,
	Flags:  command.ReadOnly,
	ACL:    command.CatHyperLogLog,
	Keys: []command.KeySpec{{Flags: command.RW | command.Access, Index: 1, LastKey: -1, Step: 1,
		Notes: "RW because it may change the internal representation of the key, and propagate to replicas"}},
	Run: count,
})

func count(c *command.Ctx) error {
	if len(c.Args) > 2 {
		return countAll(c)
	}
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	b, err := bytesOf(&s)
	if err != nil {
		return err
	}
	if !s.Exists() {
		c.Out.Int(0)
		return nil
	}
	n, ok := hll.Cached(b)
	if !ok {
		if n, err = hll.Estimate(b); err != nil {
			return errCorrupt
		}
		keep(c, n, len(b))
	}
	c.Out.Int(int64(n))
	return nil
}

// keep writes an estimate into the bytes at the key. It is journalled, so that replicas
// have the same bytes, but it is no change that one would save a snapshot for, and the
// command remains one that reads. If there is no memory, the estimate is as good.
func keep(c *command.Ctx, n uint64, size int) {
	before := c.DB.Dirty()
	b, err := c.DB.Stretch(c.Args[1], size)
	if err != nil {
		return
	}
	hll.SetCached(b, n)
	c.DB.MarkDirty(before - c.DB.Dirty())
	if c.Journaling() {
		c.JournalAs(c.Args...)
	}
}

func countAll(c *command.Ctx) error {
	var all hll.Set
	if _, err := merge(c, &all, c.Args[1:]); err != nil {
		return err
	}
	c.Out.Int(int64(all.Estimate()))
	return nil
}

// merge takes the keys' registers together, and says whether one of them is dense.
func merge(c *command.Ctx, all *hll.Set, keys [][]byte) (isDense bool, err error) {
	for _, key := range keys {
		s, err := c.DB.String(key)
		if err != nil {
			return false, err
		}
		b, err := bytesOf(&s)
		if err != nil {
			return false, err
		}
		if !s.Exists() {
			continue
		}
		isDense = isDense || hll.IsDense(b)
		if all.Merge(b) != nil {
			return false, errCorrupt
		}
	}
	return isDense, nil
}

var _ = Family.Add(command.Spec{
	Name:       "PFMERGE",
	Summary:    "Merge N different HyperLogLogs into a single one.",
	Since:      "2.8.9",
	Complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
	Syntax:     "destkey:key sourcekey:key@1...",
	Arity:      -2,
	Flags:      command.Write | command.DenyOOM,
	ACL:        command.CatHyperLogLog,
	Keys: []command.KeySpec{
		{Flags: command.RW | command.Access | command.Insert, Index: 1, Step: 1},
		{Flags: command.RO | command.Access, Index: 2, LastKey: -1, Step: 1},
	},
	Run: mergeInto,
})

// mergeInto merges into the destination what it has itself and what the sources have. It
// stays sparse only if all of them are.
func mergeInto(c *command.Ctx) error {
	var all hll.Set
	isDense, err := merge(c, &all, c.Args[1:])
	if err != nil {
		return err
	}
	b, exists, err := peek(c, c.Args[1])
	if err != nil {
		return err
	}
	var scratch [scratchSize]byte
	if exists {
		b = append(scratch[:0], b...)
	} else {
		b = hll.AppendEmpty(scratch[:0])
	}
	if b, err = all.AppendTo(b, isDense, sparseMax(c)); err != nil {
		return errCorrupt
	}
	hll.Invalidate(b)
	if err := replace(c, c.Args[1], b, 1); err != nil {
		return err
	}
	c.Out.OK()
	return nil
}
