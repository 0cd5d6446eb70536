package stringcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var errOffset = resp.Errorf("offset is out of range")

var _ = Family.Add(command.Spec{
	Name:    "APPEND",
	Summary: "Append a value to a key",
	Since:   "2.0.0",
	Complexity: "O(1). The amortized time complexity is O(1) assuming the appended value is small and the " +
		"already present value is of any size, since the dynamic string library used by Redis will double " +
		"the free space available on every reallocation.",
	Syntax: "key value",
	Arity:  3,
	Flags:  command.Write | command.DenyOOM | command.Fast,
	ACL:    command.CatString,
	Keys:   command.OneKey(1, command.RW|command.Insert),
}, appendTo)

func appendTo(d Deps, c *command.Ctx) error {
	key, more := c.Args[1], c.Args[2]
	old, err := c.DB.PeekString(key)
	if err != nil {
		return err
	}
	n := old.Len()
	if !old.Exists() {
		err = c.DB.SetString(key, more, keyspace.NoTTL)
	} else if d.tooLong(int64(n), len(more)) {
		return resp.ErrStringTooBig
	} else {
		var b []byte
		if b, err = c.DB.Stretch(key, n+len(more)); err == nil {
			copy(b[n:], more)
		}
	}
	if err != nil {
		return err
	}
	c.Out.Int(int64(n + len(more)))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:    "SETRANGE",
	Summary: "Overwrite part of a string at key starting at the specified offset",
	Since:   "2.2.0",
	Complexity: "O(1), not counting the time taken to copy the new string in place. Usually, this string is " +
		"very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the " +
		"length of the value argument.",
	Syntax: "key offset:integer value",
	Arity:  4,
	Flags:  command.Write | command.DenyOOM,
	ACL:    command.CatString,
	Keys:   command.OneKey(1, command.RW|command.Update),
}, setRange)

// setRange writes over the bytes from an offset on, and fills what lies between the old
// end and the offset with zeros. Writing nothing changes nothing.
func setRange(d Deps, c *command.Ctx) error {
	key, part := c.Args[1], c.Args[3]
	offset, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	if offset < 0 {
		return errOffset
	}
	old, err := c.DB.PeekString(key)
	if err != nil {
		return err
	}
	n := old.Len()
	if len(part) == 0 {
		c.Out.Int(int64(n))
		return nil
	}
	if d.tooLong(offset, len(part)) {
		return resp.ErrStringTooBig
	}
	n = max(n, int(offset)+len(part))
	b, err := c.DB.Stretch(key, n)
	if err != nil {
		return err
	}
	copy(b[offset:], part)
	c.Out.Int(int64(n))
	return nil
}

// rangeComplexity is what Redis says of GETRANGE and of its old name.
const rangeComplexity = "O(N) where N is the length of the returned string. The complexity is ultimately " +
	"determined by the returned length, but because creating a substring from an existing string is very " +
	"cheap, it can be considered O(1) for small strings."

var _ = Family.Add(command.Spec{
	Name:       "GETRANGE",
	Summary:    "Get a substring of the string stored at a key",
	Since:      "2.4.0",
	Complexity: rangeComplexity,
	Syntax:     "key start:integer end:integer",
	Arity:      4,
	Flags:      command.ReadOnly,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        getRange,
}, none)

var _ = Family.Add(command.Spec{
	Name:       "SUBSTR",
	Summary:    "Get a substring of the string stored at a key",
	Since:      "1.0.0",
	Complexity: rangeComplexity,
	Deprecated: "2.0.0",
	ReplacedBy: "`GETRANGE`",
	Syntax:     "key start:integer end:integer",
	Arity:      4,
	Flags:      command.ReadOnly,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        getRange,
}, none)

// getRange replies with the bytes from start to end, both included. Offsets are clamped
// and never refused.
func getRange(c *command.Ctx) error {
	start, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	end, err := c.Args.Int(3)
	if err != nil {
		return err
	}
	s, err := c.DB.String(c.Args[1]) // a missing key reads as the empty string
	if err != nil {
		return err
	}
	from, to := clamp(start, end, s.Len())
	if n, ok := s.Int(); ok {
		var digits [numtext.MaxIntLen]byte
		c.Out.Bulk(numtext.AppendInt(digits[:0], n)[from:to])
		return nil
	}
	lend(c, &s, s.Bytes(nil)[from:to])
	return nil
}

// clamp turns inclusive offsets, negative ones counting back from the end, into a Go
// range over n bytes. It promises 0 <= from <= to <= n.
//
// As in Redis, an end before the first byte means the first byte, so -100 -99 of a
// short string is its first byte; only a range that runs backwards is empty.
func clamp(start, end int64, n int) (from, to int) {
	length := int64(n)
	if start < 0 && end < 0 && start > end {
		return 0, 0
	}
	if start < 0 {
		start = max(start+length, 0)
	}
	if end < 0 {
		end = max(end+length, 0)
	}
	end = min(end, length-1)
	if start > end {
		return 0, 0
	}
	return int(start), int(end) + 1
}
