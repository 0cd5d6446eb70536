package hllcmd

import (
	"math"
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/hll"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errNoKey     = resp.Errorf("The specified key does not exist")
	errNotSparse = resp.Errorf("HLL encoding is not sparse")
)

var _ = Family.Add(command.Spec{
	Name:       "PFDEBUG",
	Summary:    "Internal commands for debugging HyperLogLog values",
	Since:      "2.8.9",
	Complexity: "N/A",
	Syntax:     "subcommand key",
	Arity:      3,
	Flags:      command.Write | command.DenyOOM | command.Admin,
	ACL:        command.CatHyperLogLog,
	Keys:       command.OneKey(2, command.RW|command.Access),
	Run:        debug,
})

func debug(c *command.Ctx) error {
	key := c.Args[2]
	b, exists, err := peek(c, key)
	switch {
	case err != nil:
		return err
	case !exists:
		return errNoKey
	case c.Args.Is(1, "GETREG"):
		return replyRegisters(c, key, b)
	case c.Args.Is(1, "DECODE"):
		return replyRuns(c, b)
	case c.Args.Is(1, "ENCODING"):
		if hll.IsDense(b) {
			c.Out.Simple("dense")
		} else {
			c.Out.Simple("sparse")
		}
		return nil
	case c.Args.Is(1, "TODENSE"):
		changed, err := toDense(c, key, b)
		if err == nil {
			c.Out.OneIf(changed)
		}
		return err
	default:
		return resp.Errorf("Unknown PFDEBUG subcommand '" + string(c.Args[1]) + "'")
	}
}

// toDense changes the encoding of what is at a key, if that is not dense.
func toDense(c *command.Ctx, key, b []byte) (changed bool, err error) {
	if hll.IsDense(b) {
		return false, nil
	}
	var scratch [scratchSize]byte
	if b, err = hll.ToDense(append(scratch[:0], b...)); err != nil {
		return false, errCorrupt
	}
	return true, replace(c, key, b, 1)
}

// replyRegisters makes it dense, as Redis does.
func replyRegisters(c *command.Ctx, key, b []byte) error {
	var all hll.Set
	if all.Merge(b) != nil {
		return errCorrupt
	}
	if _, err := toDense(c, key, b); err != nil {
		return err
	}
	c.Out.Array(hll.Registers)
	for i := range hll.Registers {
		c.Out.Int(int64(all.Register(i)))
	}
	return nil
}

func replyRuns(c *command.Ctx, b []byte) error {
	if hll.IsDense(b) {
		return errNotSparse
	}
	text, err := hll.AppendRuns(nil, b)
	if err != nil {
		return errCorrupt
	}
	c.Out.Bulk(text)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "PFSELFTEST",
	Summary:    "An internal command for testing HyperLogLog values",
	Since:      "2.8.9",
	Complexity: "N/A",
	Arity:      1,
	Flags:      command.Admin,
	ACL:        command.CatHyperLogLog,
	Run:        selfTest,
})

// selfTest counts elements that are certainly different, in both encodings, and compares
// the registers with an array. It takes some milliseconds.
func selfTest(c *command.Ctx) error {
	const (
		elements = 100_000
		longest  = 3000 // bytes of the sparse one
	)
	rng := rand.New(rand.NewPCG(uint64(c.Mono), uint64(c.Now)))
	salt := rng.Uint64()
	packed, err := hll.ToDense(hll.AppendEmpty(nil))
	if err != nil {
		return errCorrupt
	}
	b := hll.AppendEmpty(make([]byte, 0, scratchSize))
	var model hll.Set
	check := 1
	for i := 1; i <= elements; i++ {
		var text [2 * numtext.MaxIntLen]byte
		element := numtext.AppendInt(numtext.AppendUint(text[:0], salt), -int64(i))
		index, rank := hll.Rank(element)
		model[index] = max(model[index], rank)
		if b, err = hll.Raise(b, index, rank, longest); err != nil {
			return selfTestFailed("a sparse one became corrupt", i)
		}
		if packed, err = hll.Raise(packed, index, rank, longest); err != nil {
			return selfTestFailed("a dense one became corrupt", i)
		}
		if i != check {
			continue
		}
		check *= 10
		if err := sameRegisters(&model, b, packed, i); err != nil {
			return err
		}
		// The standard error is 1.04/sqrt(registers); seven of it happen by no chance.
		worst := math.Ceil(7 * 1.04 / math.Sqrt(hll.Registers) * float64(i))
		if off := math.Abs(float64(model.Estimate()) - float64(i)); off > worst {
			return selfTestFailed("too great an error of the estimate", i)
		}
	}
	c.Out.OK()
	return nil
}

// sameRegisters compares both encodings with the model.
func sameRegisters(model *hll.Set, b, packed []byte, elements int) error {
	for _, x := range [][]byte{b, packed} {
		var s hll.Set
		if s.Merge(x) != nil || s != *model {
			return selfTestFailed("registers differ", elements)
		}
		if n, err := hll.Estimate(x); err != nil || n != model.Estimate() {
			return selfTestFailed("estimates differ", elements)
		}
	}
	return nil
}

func selfTestFailed(what string, elements int) error {
	return &resp.Error{Code: "TESTFAILED", Text: what + ", after " +
		string(numtext.AppendInt(nil, int64(elements))) + " elements"}
}
