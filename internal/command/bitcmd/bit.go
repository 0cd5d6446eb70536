package bitcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var errBit = resp.Errorf("bit is not an integer or out of range")

var _ = Family.Add(command.Spec{
	Name:       "SETBIT",
	Summary:    "Sets or clears the bit at offset in the string value stored at key",
	Since:      "2.2.0",
	Complexity: "O(1)",
	Syntax:     "key offset:integer value:integer",
	Arity:      4,
	Flags:      command.Write | command.DenyOOM | command.Quick,
	ACL:        command.CatBitmap,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
}, setBit)

// setBit leaves no effect behind if the bit is what it should be.
func setBit(d Deps, c *command.Ctx) error {
	key := c.Args[1]
	at, err := d.offset(c.Args[2])
	if err != nil {
		return err
	}
	on, ok := numtext.ParseInt(c.Args[3])
	if !ok || on&^1 != 0 {
		return errBit
	}
	old, err := c.DB.PeekString(key)
	if err != nil {
		return err
	}
	var digits [numtext.MaxIntLen]byte
	b := old.Bytes(&digits)
	was := bitAt(b, at)
	if was != on || at/8 >= uint64(len(b)) {
		if b, err = c.DB.Stretch(key, max(len(b), int(at/8)+1)); err != nil {
			return err
		}
		mask := byte(0x80) >> (at % 8)
		b[at/8] &^= mask
		if on == 1 {
			b[at/8] |= mask
		}
	}
	c.Out.Int(was)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "GETBIT",
	Summary:    "Returns the bit value at offset in the string value stored at key",
	Since:      "2.2.0",
	Complexity: "O(1)",
	Syntax:     "key offset:integer",
	Arity:      3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatBitmap,
	Keys:       command.OneKey(1, command.RO|command.Access),
}, getBit)

func getBit(d Deps, c *command.Ctx) error {
	at, err := d.offset(c.Args[2])
	if err != nil {
		return err
	}
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	var digits [numtext.MaxIntLen]byte
	c.Out.Int(bitAt(s.Bytes(&digits), at))
	return nil
}

// bitAt is one bit, which is 0 behind the end.
func bitAt(b []byte, at uint64) int64 {
	if at/8 >= uint64(len(b)) {
		return 0
	}
	return int64(b[at/8] >> (7 - at%8) & 1)
}
