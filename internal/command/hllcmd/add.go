package hllcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/hll"
)

var _ = Family.Add(command.Spec{
	Name:       "PFADD",
	Summary:    "Adds the specified elements to the specified HyperLogLog.",
	Since:      "2.8.9",
	Complexity: "O(1) to add every element.",
	Syntax:     "key [element]...",
	Arity:      -2,
	Flags:      command.Write | command.DenyOOM | command.Fast,
	ACL:        command.CatHyperLogLog,
	Keys:       command.OneKey(1, command.RW|command.Insert),
	Run:        add,
})

// add replies whether the estimate may have changed: a register was raised, or the key
// is new.
func add(c *command.Ctx) error {
	key, elements := c.Args[1], c.Args[2:]
	b, exists, err := peek(c, key)
	if err != nil {
		return err
	}
	changes := 0
	if exists && hll.IsDense(b) {
		changes, err = addDense(c, key, b, elements)
	} else {
		changes, err = addSparse(c, key, b, elements)
	}
	if err != nil {
		return err
	}
	c.Out.Int(int64(min(changes, 1)))
	return nil
}

// addDense asks for the bytes to write to when the first register is to be raised.
func addDense(c *command.Ctx, key, b []byte, elements [][]byte) (changes int, err error) {
	before := c.DB.Dirty()
	for _, element := range elements {
		index, rank := hll.Rank(element)
		if lower, _ := hll.IsLower(b, index, rank); !lower {
			continue
		}
		if changes == 0 {
			if b, err = c.DB.Stretch(key, len(b)); err != nil {
				return 0, err
			}
			hll.Invalidate(b)
		}
		changes++
		if b, err = hll.Raise(b, index, rank, 0); err != nil {
			return 0, err
		}
	}
	if changes > 0 {
		c.DB.MarkDirty(before + changes - c.DB.Dirty())
	}
	return changes, nil
}

// addSparse changes a copy. If that turns out to be corrupt, the key stays as it was.
func addSparse(c *command.Ctx, key, b []byte, elements [][]byte) (changes int, err error) {
	var scratch [scratchSize]byte
	copied := len(b) == 0
	if copied {
		b = hll.AppendEmpty(scratch[:0])
		changes = 1
	}
	for _, element := range elements {
		index, rank := hll.Rank(element)
		lower, err := hll.IsLower(b, index, rank)
		if err != nil {
			return 0, errCorrupt
		}
		if !lower {
			continue
		}
		if !copied {
			b, copied = append(scratch[:0], b...), true
		}
		changes++
		if b, err = hll.Raise(b, index, rank, sparseMax(c)); err != nil {
			return 0, errCorrupt
		}
	}
	if changes == 0 {
		return 0, nil
	}
	hll.Invalidate(b)
	return changes, replace(c, key, b, changes)
}
