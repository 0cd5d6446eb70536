package bitcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var errBitArgument = resp.Errorf("The bit argument must be 1 or 0.")

var _ = Family.Add(command.Spec{
	Name:       "BITCOUNT",
	Summary:    "Count set bits in a string",
	Since:      "2.6.0",
	Complexity: "O(N)",
	History:    [][2]string{{"7.0.0", "Added the `BYTE|BIT` option."}},
	Syntax:     "key [index={start:integer end:integer [index_unit=(BYTE|BIT){since 7.0.0}]}]",
	Arity:      -2,
	Flags:      command.ReadOnly,
	ACL:        command.CatBitmap,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        bitCount,
}, none)

// bitCount looks at the range only if there is a value, as Redis 7.0 does.
func bitCount(c *command.Ctx) error {
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	if !s.Exists() {
		c.Out.Int(0)
		return nil
	}
	var digits [numtext.MaxIntLen]byte
	b := s.Bytes(&digits)
	switch len(c.Args) {
	case 2:
		c.Out.Int(ones(b))
		return nil
	case 4, 5:
	default:
		return resp.ErrSyntax
	}
	start, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	end, err := c.Args.Int(3)
	if err != nil {
		return err
	}
	if start < 0 && end < 0 && start > end { // before the unit is looked at
		c.Out.Int(0)
		return nil
	}
	inBits, err := unit(c.Args, 4)
	if err != nil {
		return err
	}
	from, to := bitRange(start, end, len(b), inBits)
	if from > to {
		c.Out.Int(0)
		return nil
	}
	c.Out.Int(onesBetween(b, from, to))
	return nil
}

// unit reads the word that says what a range counts, if it is there.
func unit(args command.Args, i int) (inBits bool, err error) {
	switch {
	case i >= len(args) || args.Is(i, "BYTE"):
		return false, nil
	case args.Is(i, "BIT"):
		return true, nil
	default:
		return false, resp.ErrSyntax
	}
}

// bitRange turns a range of a string of n bytes, both ends included and counted back
// from the end where negative, into a range of bits. It is empty if from > to.
func bitRange(start, end int64, n int, inBits bool) (from, to int64) {
	length := int64(n)
	if inBits {
		length *= 8
	}
	if start < 0 {
		start = max(start+length, 0)
	}
	if end < 0 {
		end = max(end+length, 0)
	}
	end = min(end, length-1)
	switch {
	case start > end:
		return 0, -1
	case inBits:
		return start, end
	default:
		return 8 * start, 8*end + 7
	}
}

var _ = Family.Add(command.Spec{
	Name:       "BITPOS",
	Summary:    "Find first bit set or clear in a string",
	Since:      "2.8.7",
	Complexity: "O(N)",
	History:    [][2]string{{"7.0.0", "Added the `BYTE|BIT` option."}},
	Syntax: "key bit:integer " +
		"[index={start:integer [end_index={end:integer [index_unit=(BYTE|BIT){since 7.0.0}]}]}]",
	Arity: -3,
	Flags: command.ReadOnly,
	ACL:   command.CatBitmap,
	Keys:  command.OneKey(1, command.RO|command.Access),
	Run:   bitPos,
}, none)

// bitPos finds a zero behind the end of a string of ones, unless the range has an end.
func bitPos(c *command.Ctx) error {
	bit, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	if bit&^1 != 0 {
		return errBitArgument
	}
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	if !s.Exists() {
		c.Out.Int(-bit)
		return nil
	}
	var digits [numtext.MaxIntLen]byte
	b := s.Bytes(&digits)
	from, to, err := posRange(c.Args, len(b))
	if err != nil {
		return err
	}
	if from > to {
		c.Out.Int(-1)
		return nil
	}
	at := find(b, byte(bit), from, to)
	if at < 0 && bit == 0 && len(c.Args) < 5 {
		at = 8 * int64(len(b))
	}
	c.Out.Int(at)
	return nil
}

// posRange reads the range of a BITPOS over n bytes. Of several faults Redis names that
// of the start first, then that of the unit.
func posRange(args command.Args, n int) (from, to int64, err error) {
	var start, end int64 = 0, -1
	if len(args) > 6 {
		return 0, 0, resp.ErrSyntax
	}
	if len(args) > 3 {
		if start, err = args.Int(3); err != nil {
			return 0, 0, err
		}
	}
	inBits, err := unit(args, 5)
	if err != nil {
		return 0, 0, err
	}
	if len(args) > 4 {
		if end, err = args.Int(4); err != nil {
			return 0, 0, err
		}
	}
	from, to = bitRange(start, end, n, inBits)
	return from, to, nil
}
