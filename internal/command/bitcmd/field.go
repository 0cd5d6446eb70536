package bitcmd

import (
	"math/bits"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errType = resp.Errorf(
		"Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.")
	errOverflow = resp.Errorf("Invalid OVERFLOW type specified")
	errReadOnly = resp.Errorf("BITFIELD_RO only supports the GET subcommand")
)

var _ = Family.Add(command.Spec{
	Name:       "BITFIELD",
	Summary:    "Perform arbitrary bitfield integer operations on strings",
	Since:      "3.2.0",
	Complexity: "O(1) for each subcommand specified",
	Syntax: "key [operation=(GET={encoding offset:integer} | write={[OVERFLOW=(WRAP|SAT|FAIL)] " +
		"write_operation=(SET={encoding offset:integer value:integer} | " +
		"INCRBY={encoding offset:integer increment:integer})})...]",
	Arity: -2,
	Flags: command.Write | command.DenyOOM,
	ACL:   command.CatBitmap,
	Keys: []command.KeySpec{{Flags: command.RW | command.Access | command.Update | command.VariableFlags,
		Index: 1, Step: 1, Notes: "This command allows both access and modification of the key"}},
	CallFlags: fieldFlags,
}, func(d Deps, c *command.Ctx) error { return bitField(d, c, false) })

var _ = Family.Add(command.Spec{
	Name:       "BITFIELD_RO",
	Summary:    "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD",
	Since:      "6.0.0",
	Complexity: "O(1) for each subcommand specified",
	Syntax:     "key [GET={encoding offset:integer}{multiple_token}]",
	Arity:      -2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatBitmap,
	Keys:       command.OneKey(1, command.RO|command.Access),
}, func(d Deps, c *command.Ctx) error { return bitField(d, c, true) })

// A fieldOp is one of the operations of a BITFIELD.
type fieldOp struct {
	verb   verb
	policy policy
	kind   intType
	at     uint64
	value  int64 // to set, or to add
}

type verb uint8

const (
	get verb = iota
	set
	incrBy
	overflow // says what happens to the operations behind it
	noVerb
)

// words are how many arguments follow the word of a verb.
var words = [...]int{get: 2, set: 3, incrBy: 3, overflow: 1}

// verbAt reads the word of an operation, if all its arguments are there.
func verbAt(args command.Args, i int) verb {
	v := noVerb
	switch {
	case args.Is(i, "GET"):
		v = get
	case args.Is(i, "SET"):
		v = set
	case args.Is(i, "INCRBY"):
		v = incrBy
	case args.Is(i, "OVERFLOW"):
		v = overflow
	}
	if v != noVerb && i+words[v] >= len(args) {
		return noVerb
	}
	return v
}

// fieldFlags says whether a call only reads.
func fieldFlags(args command.Args) command.KeyFlags {
	for i := 2; i < len(args); {
		v := verbAt(args, i)
		if v != get && v != overflow {
			return command.RW | command.Access | command.Update
		}
		i += 1 + words[v]
	}
	return command.RO | command.Access
}

// parseField appends the operations to ops. end is how many bytes the string must have
// for the writes among them; there are none if it is 0.
func (d Deps) parseField(args command.Args, ops []fieldOp) (_ []fieldOp, end uint64, err error) {
	p := wrap
	for i := 2; i < len(args); {
		v := verbAt(args, i)
		if v == noVerb {
			return nil, 0, resp.ErrSyntax
		}
		if v == overflow {
			if p, err = parsePolicy(args, i+1); err != nil {
				return nil, 0, err
			}
			i += 1 + words[v]
			continue
		}
		o := fieldOp{verb: v, policy: p}
		if o.kind, err = parseType(args[i+1]); err != nil {
			return nil, 0, err
		}
		if o.at, err = d.fieldOffset(args[i+2], o.kind); err != nil {
			return nil, 0, err
		}
		if v != get {
			end = max(end, (o.at+uint64(o.kind.bits)-1)/8+1)
			if o.value, err = args.Int(i + 3); err != nil {
				return nil, 0, err
			}
		}
		ops = append(ops, o)
		i += 1 + words[v]
	}
	return ops, end, nil
}

func parsePolicy(args command.Args, i int) (policy, error) {
	switch {
	case args.Is(i, "WRAP"):
		return wrap, nil
	case args.Is(i, "SAT"):
		return sat, nil
	case args.Is(i, "FAIL"):
		return fail, nil
	default:
		return 0, errOverflow
	}
}

// parseType reads a type such as i16 or u8.
func parseType(arg []byte) (t intType, err error) {
	if len(arg) == 0 || arg[0] != 'i' && arg[0] != 'u' {
		return t, errType
	}
	t.signed = arg[0] == 'i'
	most := int64(63)
	if t.signed {
		most = 64
	}
	n, ok := numtext.ParseInt(arg[1:])
	if !ok || n < 1 || n > most {
		return t, errType
	}
	t.bits = uint8(n)
	return t, nil
}

// fieldOffset reads the place of a field: a number of a bit, or of a field of its type
// behind a #.
func (d Deps) fieldOffset(arg []byte, t intType) (uint64, error) {
	if len(arg) == 0 || arg[0] != '#' {
		return d.offset(arg)
	}
	n, ok := numtext.ParseInt(arg[1:])
	high, at := bits.Mul64(uint64(n), uint64(t.bits))
	if !ok || n < 0 || high != 0 || int64(at) < 0 {
		return 0, errOffset
	}
	return d.inRange(int64(at))
}

func bitField(d Deps, c *command.Ctx, readOnly bool) error {
	var few [8]fieldOp
	ops, end, err := d.parseField(c.Args, few[:0])
	if err != nil {
		return err
	}
	if end > 0 && readOnly {
		return errReadOnly
	}
	if end == 0 {
		return getFields(c, ops)
	}
	return changeFields(c, ops, int(end))
}

func getFields(c *command.Ctx, ops []fieldOp) error {
	s, err := c.DB.String(c.Args[1])
	if err != nil {
		return err
	}
	var digits [numtext.MaxIntLen]byte
	b := s.Bytes(&digits)
	c.Out.Array(len(ops))
	for i := range ops {
		c.Out.Int(ops[i].kind.load(b, ops[i].at))
	}
	return nil
}

// changeFields makes the string at least end bytes long, even if OVERFLOW FAIL then keeps
// it from setting anything. Fields that keep their values are no change.
func changeFields(c *command.Ctx, ops []fieldOp, end int) error {
	key := c.Args[1]
	old, err := c.DB.PeekString(key)
	if err != nil {
		return err
	}
	var digits [numtext.MaxIntLen]byte
	b := old.Bytes(&digits)
	before, changes := c.DB.Dirty(), 0
	grown := len(b) < end
	owned := grown // b may be written
	if grown {
		if b, err = c.DB.Stretch(key, end); err != nil {
			return err
		}
	}
	c.Out.Array(len(ops))
	for i := range ops {
		o := &ops[i]
		was := o.kind.load(b, o.at)
		value, answer, ok := o.result(was)
		if !ok {
			c.Out.Null()
			continue
		}
		c.Out.Int(answer)
		if o.verb != get && (grown || value != was) {
			changes++
		}
		if value == was {
			continue
		}
		if !owned {
			if b, err = c.DB.Stretch(key, len(b)); err != nil {
				return err
			}
			owned = true
		}
		o.kind.store(b, o.at, value)
	}
	if c.DB.Dirty() > before {
		c.DB.MarkDirty(before + max(changes, 1) - c.DB.Dirty())
	}
	return nil
}

// result is what the field becomes and what the client is told. ok is false if it does
// not become anything, because it would overflow.
func (o *fieldOp) result(was int64) (value, answer int64, ok bool) {
	switch o.verb {
	case set:
		value, ok = o.kind.add(o.value, 0, o.policy)
		answer = was
	case incrBy:
		value, ok = o.kind.add(was, o.value, o.policy)
		answer = value
	default:
		return was, was, true
	}
	return value, answer, ok || o.policy != fail
}
