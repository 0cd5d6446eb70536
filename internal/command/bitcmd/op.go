package bitcmd

import (
	"bytes"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// An operation is what BITOP does with its sources, of which x is the first and y are
// the others. Redis 8.2 brought the last four.
type operation uint8

const (
	opAnd operation = iota
	opOr
	opXor
	opNot
	opDiff  // in x, and in no y
	opDiff1 // in some y, and not in x
	opAndOr // in x, and in some y
	opOne   // in exactly one source
)

var operationNames = [...]string{"AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE"}

var errNotOne = resp.Errorf("BITOP NOT must be called with a single source key.")

// parseOperation reads the first argument, and checks how many sources there are.
func parseOperation(args command.Args) (operation, error) {
	const before = 3 // arguments in front of the sources
	for i, name := range operationNames {
		if !args.Is(1, name) {
			continue
		}
		op := operation(i)
		switch {
		case op == opNot && len(args) != before+1:
			return 0, errNotOne
		case (op == opDiff || op == opDiff1 || op == opAndOr) && len(args) < before+2:
			return 0, resp.Errorf("BITOP " + name + " must be called with at least two source keys.")
		}
		return op, nil
	}
	return 0, resp.ErrSyntax
}

var _ = Family.Add(command.Spec{
	Name:       "BITOP",
	Summary:    "Perform bitwise operations between strings",
	Since:      "2.6.0",
	Complexity: "O(N)",
	Syntax:     "operation destkey:key key@1...",
	Arity:      -4,
	Flags:      command.Write | command.DenyOOM,
	ACL:        command.CatBitmap,
	Keys: []command.KeySpec{
		{Flags: command.OW | command.Update, Index: 2, Step: 1},
		{Flags: command.RO | command.Access, Index: 3, LastKey: -1, Step: 1},
	},
	Run: bitOp,
}, none)

// bitOp makes the destination as long as the longest source and works on it in place,
// whether it is a source itself or not: byte i of the result needs byte i of the sources
// only, and those are read before it is written.
func bitOp(c *command.Ctx) error {
	op, err := parseOperation(c.Args)
	if err != nil {
		return err
	}
	var few [8]keyspace.Str
	sources := few[:0]
	n, longest := 0, 0
	for i, key := range c.Args[3:] {
		s, err := c.DB.String(key)
		if err != nil {
			return err
		}
		if s.Len() > n {
			n, longest = s.Len(), i
		}
		sources = append(sources, s)
	}
	if n == 0 {
		c.DB.Delete(c.Args[2])
		c.Out.Int(0)
		return nil
	}
	before := c.DB.Dirty()
	dst, err := destination(c, sources, longest, n)
	if err != nil {
		return err
	}
	c.DB.MarkDirty(before + 1 - c.DB.Dirty()) // one change, in however many steps
	op.run(dst, sources)
	c.Out.Int(int64(n))
	return nil
}

// destination makes the key that BITOP writes n bytes long, without an expiry. If it is
// a source, it keeps its bytes, and sources is brought up to date. Otherwise the longest
// source is the cheapest thing of that length to put there, in the room that the old
// value leaves if possible.
func destination(c *command.Ctx, sources []keyspace.Str, longest, n int) ([]byte, error) {
	key := c.Args[2]
	i := 0
	for i < len(sources) && !bytes.Equal(c.Args[3+i], key) {
		i++
	}
	var err error
	switch {
	case i == len(sources) || !sources[i].Exists():
		var digits [numtext.MaxIntLen]byte
		err = c.DB.SetString(key, sources[longest].Bytes(&digits), keyspace.NoTTL)
	case sources[i].Value().HasExpiry():
		_, err = c.DB.SetExpiry(key, keyspace.NoTTL)
	}
	if err != nil {
		return nil, err
	}
	dst, err := c.DB.Stretch(key, n)
	if err != nil {
		return nil, err
	}
	for i := range sources {
		if bytes.Equal(c.Args[3+i], key) && sources[i].Exists() {
			if sources[i], err = c.DB.PeekString(key); err != nil {
				return nil, err
			}
		}
	}
	return dst, nil
}

// pieceSize is how many bytes of the result are made at a time: little enough for the
// nearest cache, with the same piece of a source.
const pieceSize = 4 << 10

// run makes the result, a piece at a time.
func (op operation) run(dst []byte, sources []keyspace.Str) {
	var result, twice [pieceSize]byte
	for at := 0; at < len(dst); at += pieceSize {
		part := dst[at:min(at+pieceSize, len(dst))]
		r := result[:len(part)]
		if op == opOne {
			op.runOne(r, twice[:len(part)], at, sources)
		} else {
			op.runPiece(r, at, sources)
		}
		copy(part, r)
	}
}

// runPiece makes the bytes from at on of every operation but ONE.
func (op operation) runPiece(r []byte, at int, sources []keyspace.Str) {
	var digits [numtext.MaxIntLen]byte
	begin := 0
	if op == opDiff || op == opDiff1 || op == opAndOr {
		begin = 1
	}
	clear(r[copy(r, piece(&sources[begin], &digits, at, len(r))):])
	for i := range sources[begin+1:] {
		src := piece(&sources[begin+1+i], &digits, at, len(r))
		switch op {
		case opAnd:
			and(r, src)
		case opXor:
			xor(r, src)
		default:
			or(r, src)
		}
	}
	x := piece(&sources[0], &digits, at, len(r))
	switch op {
	case opNot:
		not(r)
	case opDiff:
		not(r)
		and(r, x)
	case opDiff1:
		without(r, x)
	case opAndOr:
		and(r, x)
	}
}

func (op operation) runOne(r, twice []byte, at int, sources []keyspace.Str) {
	var digits [numtext.MaxIntLen]byte
	clear(r)
	clear(twice)
	for i := range sources {
		src := piece(&sources[i], &digits, at, len(r))
		again(twice, r, src)
		xor(r, src)
	}
	without(r, twice)
}

// piece is at most n bytes of a source from at on.
func piece(s *keyspace.Str, digits *[numtext.MaxIntLen]byte, at, n int) []byte {
	b := s.Bytes(digits)
	if at >= len(b) {
		return nil
	}
	return b[at:min(at+n, len(b))]
}
