package stringcmd

import (
	"bytes"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errDigest    = resp.Errorf("The digest must be exactly 16 hexadecimal characters")
	errCondition = resp.Errorf("Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")
	errNotString = resp.Errorf("Key should be of string type if conditions are specified")
)

// A digest is the XXH3 of a value in sixteen small hexadecimal digits.
type digest [16]byte

func digestOf(s *keyspace.Str) (d digest) {
	const digits = "0123456789abcdef"
	var buf [20]byte
	h := hash.XXH3(s.Bytes(&buf))
	for i := range d {
		d[i] = digits[h>>60]
		h <<= 4
	}
	return d
}

// equalTo says whether text spells the digest, with letters of any case. Text of the
// right length that is no number differs from every digest.
func (d *digest) equalTo(text []byte) bool {
	for i, c := range text {
		if 'A' <= c && c <= 'F' {
			c |= 0x20
		}
		if c != d[i] {
			return false
		}
	}
	return true
}

// compare says whether a comparison with an operand holds. A missing value equals
// nothing, and its digest no digest: the operand is not even looked at.
func compare(s *keyspace.Str, kind option, operand []byte) (bool, error) {
	wantEqual := kind&(optIfEq|optIfDigestEq) != 0
	if !s.Exists() {
		return !wantEqual, nil
	}
	if kind&(optIfEq|optIfNe) != 0 {
		var buf [20]byte
		return bytes.Equal(s.Bytes(&buf), operand) == wantEqual, nil
	}
	if len(operand) != len(digest{}) {
		return false, errDigest
	}
	d := digestOf(s)
	return d.equalTo(operand) == wantEqual, nil
}

var _ = Family.Add(command.Spec{
	Name:       "DIGEST",
	Summary:    "Returns the XXH3 hash of a string value.",
	Since:      "8.4.0",
	Complexity: "O(N) where N is the length of the string value.",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        digestCommand,
}, none)

func digestCommand(c *command.Ctx) error {
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	if !s.Exists() {
		c.Out.Null()
		return nil
	}
	d := digestOf(&s)
	c.Out.Bulk(d[:])
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "DELEX",
	Summary:    "Conditionally removes the specified key based on value or digest comparison.",
	Since:      "8.4.0",
	Complexity: "O(1) for IFEQ/IFNE, O(N) for IFDEQ/IFDNE where N is the length of the string value.",
	Syntax:     "key [condition=(IFEQ=ifeq-value|IFNE=ifne-value|IFDEQ=ifdeq-digest|IFDNE=ifdne-digest)]",
	Arity:      -2,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RW|command.Delete|command.VariableFlags),
	Run:        delEx,
}, none)

// delEx deletes any key without a condition, and with one only a string. As in Redis,
// the condition is looked at only when there is a string to compare.
func delEx(c *command.Ctx) error {
	key := c.Args[1]
	if len(c.Args) != 2 && len(c.Args) != 4 {
		return resp.WrongArity(c.Name())
	}
	v, ok := c.DB.Peek(key)
	if !ok {
		c.Out.Int(0)
		return nil
	}
	if len(c.Args) == 4 {
		s, err := v.Str()
		if err != nil {
			return errNotString
		}
		kind := word(c.Args[2]) & comparisons
		if kind == 0 {
			return errCondition
		}
		ok, err := compare(&s, kind, c.Args[3])
		if err != nil {
			return err
		}
		if !ok {
			c.Out.Int(0)
			return nil
		}
	}
	remove(c, key)
	c.Out.Int(1)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "DELIFEQ",
	Summary:    "Delete key if value matches string.",
	Since:      "9.0.0",
	Complexity: "O(1)",
	Syntax:     "key value",
	Arity:      3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatString,
	Keys:       command.OneKey(1, command.RM|command.Access|command.Delete),
	Run:        delIfEq,
}, none)

func delIfEq(c *command.Ctx) error {
	s, err := c.DB.PeekString(c.Args[1])
	if err != nil {
		return err
	}
	if equal, _ := compare(&s, optIfEq, c.Args[2]); !equal {
		c.Out.Int(0)
		return nil
	}
	remove(c, c.Args[1])
	c.Out.Int(1)
	return nil
}
